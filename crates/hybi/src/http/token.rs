//! What a token is (RFC 9110 §5.6.2): the one piece of HTTP that extensions need also where somebody else makes the
//! opening handshake.

/// What a token is made of (the same octets as in RFC 2616, which RFC 6455 names).
pub(crate) const fn is_tchar(octet: u8) -> bool {
    matches!(octet,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_tchar)
}
