//! The proof that a server has read the request (RFC 6455 §1.3, §4.1, §4.2.2): from nonce to key to accept
//! value. Three pure functions on the stack; the caller brings the nonce.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::http::fields::Fields;

/// What is behind the key when the server hashes it (§1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A value of `Sec-WebSocket-Accept`.
pub(crate) type AcceptValue = [u8; 28];

/// The value of `Sec-WebSocket-Key`: 16 octets in base64.
pub(crate) fn encode_nonce(nonce: [u8; 16]) -> [u8; 24] {
    encode(&nonce)
}

/// The value of `Sec-WebSocket-Accept` for a key, which is hashed as it was sent.
pub(crate) fn accept_value(key: &[u8]) -> AcceptValue {
    encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The key of a request, if there is exactly one and it is 16 octets in base64.
///
/// 22 digits and two pads say just that. The last digit has four bits to spare; a strict decoder wants
/// them to be zero, but the RFC's own example of a request (§4.1, `AQIDBAUGBwgJCgsMDQ4PEC==`) sets some.
pub(crate) fn key_of(fields: &Fields) -> Option<&[u8]> {
    fields.exactly_one("Sec-WebSocket-Key").filter(|key| {
        let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
        matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(is_digit))
    })
}

/// Base64 of `(N / 4 - 1) * 3 + 1` or `+ 2` octets.
fn encode<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    let len = STANDARD.encode_slice(octets, &mut text);
    debug_assert_eq!(len, Ok(N), "the callers of this function fit their lengths");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // §1.3
        assert_eq!(accept_value(b"dGhlIHNhbXBsZSBub25jZQ=="), *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(encode_nonce(*b"the sample nonce"), *b"dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_key_is_sixteen_octets_in_base64() {
        let key = |keys: &[&str]| {
            let mut fields = Fields::default();
            for key in keys {
                fields.push("sec-websocket-KEY", key.as_bytes()).expect("a good field");
            }
            key_of(&fields).is_some()
        };
        assert!(key(&["dGhlIHNhbXBsZSBub25jZQ=="]));
        assert!(key(&["AQIDBAUGBwgJCgsMDQ4PEC=="]), "the nonce of §4.1, with stray bits");
        assert!(key(&["++++++++++//////////AA=="]));
        for bad in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQA=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZQAA==",
            "dGhlIHNhbXBsZSBub25jZ-==",
            "dGhlIHNhbXBsZSBub25jZ_==",
            "dGhlIHNhbXBsZSBub2 jZQ==",
            "dGhlIHNhbXBsZSBub2=jZQ==",
            "too short",
        ] {
            assert!(!key(&[bad]), "{bad}");
        }
        assert!(!key(&[]));
        assert!(!key(&["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]), "§11.3.1: once");
    }
}
