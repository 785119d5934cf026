//! What of HTTP/1.1 an opening handshake needs (RFC 9110, RFC 9112), and of addresses (RFC 3986): a scanner
//! for heads, header fields, the start of a body, and the address parser. None of it knows what a
//! WebSocket is. `handshake` calls it, and `extension` asks what a token is; all but that is built with the feature
//! `handshake` only.
//!
//! | file | in | out |
//! |---|---|---|
//! | `head` | octets, as they arrive | a request head or a response head |
//! | `fields` | the lines of a head, or names and values of a caller | [`Fields`](fields::Fields) |
//! | `body` | octets after the head of a refusal | the first octets of its body |
//! | `token` | octets | whether they are a token |
//! | `uri` | the text of an address | [`Uri`](uri::Uri) |

#[cfg(feature = "handshake")]
pub(crate) mod body;
#[cfg(feature = "handshake")]
pub(crate) mod fields;
#[cfg(feature = "handshake")]
pub(crate) mod head;
pub(crate) mod token;
#[cfg(feature = "handshake")]
pub(crate) mod uri;
