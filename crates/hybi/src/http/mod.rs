//! What of HTTP/1.1 an opening handshake needs (RFC 9110, RFC 9112), and of addresses (RFC 3986): a scanner
//! for heads, header fields, the start of a body, and the address parser. None of it knows what a
//! WebSocket is; [`handshake`](crate::handshake) calls it and nothing else does.
//!
//! | file | in | out |
//! |---|---|---|
//! | `head` | octets, as they arrive | a request head or a response head |
//! | `fields` | the lines of a head, or names and values of a caller | [`Fields`](fields::Fields) |
//! | `body` | octets after the head of a refusal | the first octets of its body |
//! | `uri` | the text of an address | [`Uri`](uri::Uri) |

pub(crate) mod body;
pub(crate) mod fields;
pub(crate) mod head;
pub(crate) mod uri;
