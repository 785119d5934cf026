//! Which frame may come now: every rule that needs to know more than the octets of one header.
//!
//! Masked or not, by role (RFC 6455 §5.1); reserved bits (§5.2); which opcode may follow which (§5.4); and
//! the limits on frames, messages and fragments (§10.4), judged when a length is announced and before
//! anything is stored.

use crate::config::{Config, Limits, Strictness};
use crate::error::ProtocolError;
use crate::message::Kind;
use crate::opcode::Opcode;
use crate::role::Role;
use crate::wire::header::FrameHeader;

/// Where we are between frames, and what is allowed there.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// The MASK bit that every frame must have.
    mask_bit: u8,
    shortest: bool,
    /// The message whose first frame has come and whose last has not.
    message: Option<Kind>,
    /// Octets of that message, by its headers so far.
    message_len: u64,
    /// Frames of that message so far.
    fragments: u32,
    /// How many of them, at the end, were empty.
    empty: u32,
    max_frame: u64,
    max_message: u64,
    max_fragments: u32,
    max_empty: u32,
}

/// A data frame that may come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    pub(super) kind: Kind,
    /// Whether it begins a message.
    pub(super) first: bool,
}

impl Sequence {
    pub(super) fn new(role: Role, config: &Config) -> Self {
        let Limits { message, frame, fragments, empty_fragments, .. } = config.limits;
        let Strictness { shortest_length, .. } = config.strictness;
        Self {
            mask_bit: if role.masks() { 0 } else { 0x80 },
            shortest: shortest_length,
            message: None,
            message_len: 0,
            fragments: 0,
            empty: 0,
            max_frame: frame as u64,
            max_message: message as u64,
            max_fragments: fragments,
            max_empty: empty_fragments,
        }
    }

    /// The kind of message that a frame beginning with these two octets is all of, if every rule about them
    /// holds and it is a message of one frame.
    #[inline]
    pub(super) fn single(&self, first: u8, second: u8) -> Option<Kind> {
        if self.message.is_some() || second & 0x80 != self.mask_bit {
            return None;
        }
        match first {
            0x81 => Some(Kind::Text),
            0x82 => Some(Kind::Binary),
            _ => None,
        }
    }

    /// Whether a message of one frame may have so many octets.
    #[inline]
    pub(super) fn is_within_limits(&self, len: usize) -> bool {
        len as u64 <= self.max_frame && len as u64 <= self.max_message
    }

    /// Judges the first one or two octets of a frame, before the rest is there.
    #[inline]
    pub(super) fn judge(&self, first: u8, second: Option<u8>) -> Result<(), ProtocolError> {
        if first & 0x70 != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        match first & 0x0F {
            0 if self.message.is_none() => return Err(ProtocolError::UnexpectedContinuation),
            1 | 2 if self.message.is_some() => return Err(ProtocolError::ExpectedContinuation),
            _ => {}
        }
        match second {
            Some(second) if second & 0x80 != self.mask_bit => Err(if self.mask_bit == 0 {
                ProtocolError::MaskedFrame
            } else {
                ProtocolError::UnmaskedFrame
            }),
            _ => Ok(()),
        }
    }

    /// Judges the length of any frame.
    #[inline]
    pub(super) fn judge_length(&self, header: &FrameHeader, header_len: usize) -> Result<(), ProtocolError> {
        if self.shortest && !header.is_shortest(header_len) {
            return Err(ProtocolError::NonMinimalLength);
        }
        Ok(())
    }

    /// Takes the header of a data frame that [`Self::judge`] has passed.
    #[inline]
    pub(super) fn admit(&mut self, header: &FrameHeader) -> Result<Admitted, ProtocolError> {
        let len = header.payload_len();
        if len > self.max_frame {
            return Err(ProtocolError::FrameTooBig);
        }
        let (kind, first) = match (header.opcode(), self.message) {
            (Opcode::Text, _) => (Kind::Text, true),
            (Opcode::Binary, _) => (Kind::Binary, true),
            (_, Some(kind)) => (kind, false),
            (_, None) => return Err(ProtocolError::UnexpectedContinuation),
        };
        // No overflow: both are at most 2^63 - 1.
        if self.message_len + len > self.max_message {
            return Err(ProtocolError::MessageTooBig);
        }
        if first && header.fin() {
            return Ok(Admitted { kind, first }); // the usual case leaves no trace
        }
        self.fragments += 1;
        if self.fragments > self.max_fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        self.empty = if len == 0 { self.empty + 1 } else { 0 };
        if self.empty > self.max_empty {
            return Err(ProtocolError::TooManyEmptyFragments);
        }
        self.message = Some(kind);
        self.message_len += len;
        Ok(Admitted { kind, first })
    }

    /// The last frame of a message has arrived whole.
    #[inline]
    pub(super) fn message_ended(&mut self) {
        self.message = None;
        self.message_len = 0;
        self.fragments = 0;
        self.empty = 0;
    }
}
