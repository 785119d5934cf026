//! What a connection tells its application: the last place that a received octet comes to. Events lend what they
//! carry; whoever keeps it makes a copy, or takes over what was joined.

use bytes::Bytes;
use core::fmt;

use crate::close::CloseFrame;
use crate::ending::CloseInfo;
use crate::error::ProtocolError;
use crate::message::{Kind, Message, Payload, PayloadMut, Utf8Bytes};
use crate::recv::Lend;

/// Something that happened. It lends its payload: the memory is taken back by the next call on the
/// connection, so copy what is to be kept ([`Text::into_message`], [`Data::into_bytes`]).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A text message.
    Text(Text<'a>),
    /// A binary message.
    Binary(Data<'a>),
    /// A text message that was not validated: only with [`Strictness::utf8`](crate::Strictness) off.
    UncheckedText(Data<'a>),
    /// A piece of a message: only with [`Delivery::Fragments`](crate::Delivery).
    Fragment(Fragment<'a>),
    /// A ping. It is answered already, unless [`Automatic::pong`](crate::Automatic) is off.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The peer's close frame; `None` if it has no body. It is answered already.
    Close(Option<CloseFrame>),
    /// The peer broke a rule. The close frame owed to it is queued already, and nothing that it sends is
    /// looked at any more.
    Failed(ProtocolError),
    /// The send queue was above high water and has fallen to low water.
    Writable,
    /// The connection is closed. The last event, and there is exactly one.
    Closed(CloseInfo),
}

impl<'a> Event<'a> {
    /// The message, if this is a whole one.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// connection.receive_copy(b"\x81\x02hi");
    /// let message = connection.poll_event().and_then(|event| event.into_message());
    /// assert_eq!(message.unwrap().as_str(), Some("hi"));
    /// ```
    #[inline]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(text.into_message()),
            Self::Binary(data) => Some(data.into_bytes().into()),
            _ => None,
        }
    }

    /// The payload, if this is a message or a piece of one, of whatever kind.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// connection.receive_copy(b"\x81\x02hi");
    /// let data = connection.poll_event().and_then(|event| event.into_data());
    /// assert_eq!(*data.unwrap(), *b"hi");
    /// ```
    pub fn into_data(self) -> Option<Data<'a>> {
        match self {
            Self::Text(text) => Some(text.0),
            Self::Binary(data) | Self::UncheckedText(data) => Some(data),
            Self::Fragment(piece) => Some(piece.data),
            _ => None,
        }
    }
}

/// Lent octets.
pub struct Data<'a>(Lend<'a>);

impl<'a> Data<'a> {
    pub(crate) fn new(lend: Lend<'a>) -> Self {
        Self(lend)
    }

    /// The octets.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Lend::Slice(octets) => octets,
            Lend::Joined(octets) => octets,
        }
    }

    /// The octets, to be changed where they lie: to decode or decrypt in place.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Lend::Slice(octets) => octets,
            Lend::Joined(octets) => octets,
        }
    }

    /// The octets as an owner. A message that was joined from several pieces is handed over as it is; one
    /// that lies in the memory of a read is copied, so that what is kept holds no buffer.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Lend::Slice(octets) => Bytes::copy_from_slice(octets),
            Lend::Joined(octets) => {
                if octets.capacity() > 2 * octets.len() {
                    return Bytes::copy_from_slice(octets); // what is kept holds no more than it needs
                }
                core::mem::take(octets).into()
            }
        }
    }
}

impl core::ops::Deref for Data<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().fmt(f)
    }
}

/// Sends it back as it came: binary.
impl<'a> From<&'a Data<'_>> for Payload<'a> {
    #[inline]
    fn from(data: &'a Data<'_>) -> Self {
        Self::binary(data.as_bytes())
    }
}

/// Sends it back from where it lies: binary.
impl<'a> From<Data<'a>> for PayloadMut<'a> {
    fn from(data: Data<'a>) -> Self {
        match data.0 {
            Lend::Slice(octets) => Self::from(octets),
            Lend::Joined(octets) => Self::from(&mut octets[..]),
        }
    }
}

/// Lent text. It was validated when it arrived.
pub struct Text<'a>(Data<'a>);

impl<'a> Text<'a> {
    pub(crate) fn new(lend: Lend<'a>) -> Self {
        Self(Data(lend))
    }

    /// The text. The octets were validated when they arrived; they are looked at once more here, because a
    /// `str` cannot be had from octets without either a check or `unsafe`. [`Self::as_bytes`] costs nothing.
    pub fn as_str(&self) -> &str {
        simdutf8::basic::from_utf8(self.0.as_bytes()).expect("text is validated before it becomes an event")
    }

    /// The octets.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text as an owner.
    #[inline]
    pub fn into_utf8_bytes(self) -> Utf8Bytes {
        Utf8Bytes::from_validated(self.0.into_bytes())
    }

    /// The text as a message of its own.
    #[inline]
    pub fn into_message(self) -> Message {
        self.into_utf8_bytes().into()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Sends it back as it came: text. It need not be validated again.
impl<'a> From<&'a Text<'_>> for Payload<'a> {
    #[inline]
    fn from(text: &'a Text<'_>) -> Self {
        Self { kind: Kind::Text, bytes: text.as_bytes(), compress: None }
    }
}

/// Sends it back from where it lies: text.
impl<'a> From<Text<'a>> for PayloadMut<'a> {
    fn from(text: Text<'a>) -> Self {
        Self { kind: Kind::Text, ..Self::from(text.0) }
    }
}

/// A piece of a message, as it arrived. Where the peer cut its fragments means nothing (RFC 6455 §5.4), and
/// neither does where the transport cut them.
#[derive(Debug)]
pub struct Fragment<'a> {
    /// Text or binary.
    pub kind: Kind,
    /// The octets. Those of text are cut between characters, so each piece is UTF-8 by itself.
    pub data: Data<'a>,
    /// Whether this is the first piece of the message.
    pub first: bool,
    /// Whether this is the last. It may be empty.
    pub last: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_fills_half_of_its_memory_is_kept_where_it_is() {
        for (capacity, is_kept) in [(8, true), (9, false)] {
            let mut joined = Vec::with_capacity(capacity);
            joined.extend([7; 4]);
            let place = joined.as_ptr();
            let bytes = Data::new(Lend::Joined(&mut joined)).into_bytes();
            assert_eq!((&bytes[..], bytes.as_ptr() == place), (&[7; 4][..], is_kept), "{capacity}");
        }
    }
}
