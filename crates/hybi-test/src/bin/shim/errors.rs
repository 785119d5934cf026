//! The vocabulary of errors: `SHIM.md` section 8.

use hybi::{ProtocolError, UsageError};

use crate::request::Unsupported;

/// Section 8.1.
pub(crate) fn of_peer(error: ProtocolError) -> Result<&'static str, Unsupported> {
    Ok(match error {
        ProtocolError::ReservedBits => "reserved_bits",
        ProtocolError::ReservedOpcode => "reserved_opcode",
        ProtocolError::UnexpectedContinuation => "unexpected_continuation",
        ProtocolError::ExpectedContinuation => "expected_continuation",
        ProtocolError::FragmentedControl => "fragmented_control",
        ProtocolError::ControlTooLong => "control_too_long",
        ProtocolError::UnmaskedFrame => "unmasked_frame",
        ProtocolError::MaskedFrame => "masked_frame",
        ProtocolError::NonMinimalLength => "nonminimal_length",
        ProtocolError::LengthOverflow => "length_overflow",
        ProtocolError::CloseTooShort => "bad_close_length",
        ProtocolError::InvalidCloseCode => "bad_close_code",
        ProtocolError::InvalidUtf8 => "bad_utf8",
        ProtocolError::FrameTooBig | ProtocolError::MessageTooBig => "message_too_big",
        ProtocolError::TooManyFragments => "too_many_fragments",
        ProtocolError::TooManyEmptyFragments => "policy",
        ProtocolError::InvalidDeflate => "deflate",
        ProtocolError::OutOfMemory => "out_of_memory",
        other => return Err(Unsupported(format!("error {other:?} has no name here"))),
    })
}

/// Section 8.3.
pub(crate) fn of_caller(error: UsageError) -> Result<&'static str, Unsupported> {
    Ok(match error {
        UsageError::NotOpen => "not_open",
        UsageError::QueueFull => "queue_full",
        UsageError::MessageInProgress => "message_in_progress",
        UsageError::ControlTooLong => "control_too_long",
        UsageError::ReasonTooLong => "close_reason_too_long",
        UsageError::OutOfMemory => "out_of_memory",
        other => return Err(Unsupported(format!("refusal {other:?} has no name here"))),
    })
}
