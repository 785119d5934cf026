//! What an extension does to messages: the traits for one of your own, and what passes through them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::permessage_deflate::NAME;
use crate::error::ProtocolError;
use crate::message::Kind;

/// Reserved bits of a frame's header (RFC 6455 §5.2).
///
/// ```
/// use hybi::extension::Rsv;
/// let both = Rsv::RSV1.with(Rsv::RSV3);
/// assert!(both.contains(Rsv::RSV1) && both.overlaps(Rsv::RSV3) && !both.overlaps(Rsv::RSV2));
/// assert_eq!(both.bits(), 0b101);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rsv(u8);

impl Rsv {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// The first.
    pub const RSV1: Self = Self(4);
    /// The second.
    pub const RSV2: Self = Self(2);
    /// The third.
    pub const RSV3: Self = Self(1);

    /// Of a number as [`FrameHeader::rsv`](crate::wire::header::FrameHeader::rsv) gives it: RSV1 is 4, RSV2 is
    /// 2, RSV3 is 1.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 7)
    }

    /// The number.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are among both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// All of those are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Some of those are among these.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A message on its way through the extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transit {
    /// Text or binary.
    pub kind: Kind,
    /// The reserved bits of its first frame.
    pub rsv: Rsv,
    /// The payload. Between two extensions it need not be UTF-8, whatever the kind.
    pub payload: Vec<u8>,
    /// Whether its sender wants it compressed ([`Payload::compressed`](crate::Payload::compressed)), if it has said;
    /// whatever compresses should heed it. Of a message that was received, nobody has said anything.
    pub compress: Option<bool>,
}

impl Transit {
    /// A message at the beginning of its way.
    pub fn new(kind: Kind, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, rsv: Rsv::NONE, payload: payload.into(), compress: None }
    }
}

/// What an extension does to messages that are sent.
pub trait Outward: fmt::Debug + Send {
    /// Transforms a message, and sets the extension's own reserved bits if they have something to say. Other bits
    /// stay as they were, whatever is done to them here.
    ///
    /// # Errors
    /// The message cannot be sent, and no later one: the peer's side of the extension could not follow.
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError>;
}

/// What an extension does to messages that are received.
pub trait Inward: fmt::Debug + Send {
    /// Undoes what the peer's side of the extension did. The payload must not become longer than `limit`: stop
    /// before more is made, whatever the peer announced.
    ///
    /// # Errors
    /// The connection fails (RFC 6455 §7.1.7), with the code that [`TransformError`] names.
    fn inward(&mut self, message: &mut Transit, limit: usize) -> Result<(), TransformError>;
}

/// The two halves of an extension of a connection: they may be in the hands of two threads.
#[derive(Debug)]
pub struct Transforms {
    /// For what is sent.
    pub outward: Box<dyn Outward>,
    /// For what is received.
    pub inward: Box<dyn Inward>,
}

/// Why a message was not transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransformError {
    /// It is not what the extension defines. Of a received message: close code 1007.
    Invalid,
    /// It would become larger than the limit. Of a received message: close code 1009.
    TooBig,
    /// No memory. Of a received message: close code 1011.
    OutOfMemory,
}

impl TransformError {
    /// What the peer is told, where the extension of this name failed on what it sent.
    pub(crate) fn of_peer(self, name: &str) -> ProtocolError {
        match self {
            Self::Invalid if name == NAME => ProtocolError::InvalidDeflate,
            Self::Invalid => ProtocolError::InvalidExtensionData,
            Self::TooBig => ProtocolError::MessageTooBig,
            Self::OutOfMemory => ProtocolError::OutOfMemory,
        }
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid payload",
            Self::TooBig => "message too big",
            Self::OutOfMemory => "out of memory",
        })
    }
}

impl core::error::Error for TransformError {}
