//! What a control frame says: RFC 6455 §5.5 and §7.4.

use crate::close::{CloseCodes, CloseFrame};
use crate::error::ProtocolError;
use crate::utf8;

/// The payload of a close frame: nothing, or a code and a reason.
pub(super) fn parse_close(
    payload: &[u8],
    codes: CloseCodes,
    check_utf8: bool,
) -> Result<Option<CloseFrame>, ProtocolError> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(ProtocolError::CloseTooShort),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    let code = codes.code(code).ok_or(ProtocolError::InvalidCloseCode)?;
    if check_utf8 && !utf8::is_utf8(reason) {
        return Err(ProtocolError::InvalidUtf8);
    }
    // At most 123 octets, since the whole payload is at most 125.
    Ok(CloseFrame::from_bytes(code, reason))
}
