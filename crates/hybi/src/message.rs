//! Messages: what an application sends and keeps.
//!
//! [`Payload`] borrows what is to be sent; [`Message`] and [`Utf8Bytes`] own what was received or is to be
//! sent by reference. Text is UTF-8 by construction in all of them.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// The two kinds of message (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    // The numbers are those of the opcodes.
    /// UTF-8 text.
    Text = 1,
    /// Octets that mean what the application says.
    Binary = 2,
}

/// Octets that were taken for UTF-8 and are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text that is not UTF-8")
    }
}

impl core::error::Error for NotUtf8 {}

/// What to send: a kind and borrowed octets. Strings and lent text become text messages, bytes become
/// binary ones; so a text message that is not UTF-8 cannot be built.
///
/// ```
/// use hybi::{Kind, Payload};
/// assert_eq!(Payload::from("tide").kind(), Kind::Text);
/// assert_eq!(Payload::from(&[1, 2, 3][..]).kind(), Kind::Binary);
/// assert!(Payload::text(b"\xff").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
    /// Whether to compress it, if the caller has said.
    pub(crate) compress: Option<bool>,
}

impl<'a> Payload<'a> {
    /// A text message of octets that are checked here.
    ///
    /// # Errors
    /// [`NotUtf8`] if they are not UTF-8.
    pub fn text(bytes: &'a [u8]) -> Result<Self, NotUtf8> {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(_) => Ok(Self { kind: Kind::Text, bytes, compress: None }),
            Err(_) => Err(NotUtf8),
        }
    }

    /// A binary message.
    pub fn binary(bytes: &'a [u8]) -> Self {
        Self { kind: Kind::Binary, bytes, compress: None }
    }

    /// The same, to be compressed or not whatever its length: where permessage-deflate was agreed, and with no
    /// effect elsewhere. What mixes secrets with text that others choose should not be compressed on an
    /// encrypted transport: its length would tell.
    #[must_use]
    pub fn compressed(mut self, compress: bool) -> Self {
        self.compress = Some(compress);
        self
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The octets.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// What to send from where it lies, and may be changed there: see [`Sender::send_lent_mut`]. A slice becomes a binary
/// message; the text and the octets of an event go out as they came, but for text that was
/// [not validated](crate::Event::UncheckedText): that is octets, and so a binary message.
///
/// [`Sender::send_lent_mut`]: crate::Sender::send_lent_mut
#[derive(Debug)]
pub struct PayloadMut<'a> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a mut [u8],
}

impl<'a> From<&'a mut [u8]> for PayloadMut<'a> {
    fn from(bytes: &'a mut [u8]) -> Self {
        Self { kind: Kind::Binary, bytes }
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self { kind: Kind::Text, bytes: text.as_bytes(), compress: None }
    }
}

impl<'a> From<&'a String> for Payload<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self::binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::binary(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Payload<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

impl<'a> From<&'a Bytes> for Payload<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        Self::binary(bytes)
    }
}

impl<'a> From<&'a Message> for Payload<'a> {
    #[inline]
    fn from(message: &'a Message) -> Self {
        Self { kind: message.kind(), bytes: message.as_bytes(), compress: None }
    }
}

/// A message that owns its payload; clones share it.
///
/// ```
/// use hybi::Message;
/// let message = Message::from("tide");
/// assert_eq!(message.as_str(), Some("tide"));
/// assert_eq!(Message::from(vec![1, 2]).as_bytes(), [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Message {
    /// Text or binary.
    #[inline]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// The octets.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text of a text message.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Binary(_) => None,
        }
    }

    /// The octets, still shared.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.0,
            Self::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::from(String::from(text))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Utf8Bytes> for Message {
    #[inline]
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    #[inline]
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

/// Shared octets that are UTF-8.
///
/// The octets were checked when this was made. [`Self::as_str`] checks them again, because a `str` cannot
/// be had from octets without either a check or `unsafe`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// For octets that a validator of ours has passed.
    #[inline]
    pub(crate) fn from_validated(bytes: Bytes) -> Self {
        debug_assert!(core::str::from_utf8(&bytes).is_ok());
        Self(bytes)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        simdutf8::basic::from_utf8(&self.0).expect("was validated when it was made")
    }

    /// The octets.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets, still shared.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = NotUtf8;
    fn try_from(bytes: Bytes) -> Result<Self, NotUtf8> {
        match simdutf8::basic::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(NotUtf8),
        }
    }
}
