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
    /// The reserved bits that an extension gave a meaning on the first frame of a message.
    rsv: u8,
    /// Whether the message that was begun uses one: then its octets on the wire are not its size.
    extended: bool,
    shortest: bool,
    /// The message that has begun and not ended.
    message: Option<Kind>,
    /// Octets of that message, by its headers so far.
    message_len: u64,
    /// Frames of that message so far.
    fragments: u32,
    /// How many of them, at the end, were empty.
    empty: u32,
    max_frame: u64,
    max_message: u64,
    /// The lesser of the two.
    max_single: u64,
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
    pub(super) fn new(role: Role, config: &Config, rsv: u8) -> Self {
        let Limits { message, frame, fragments, empty_fragments, .. } = config.limits;
        let Strictness { shortest_length, .. } = config.strictness;
        Self {
            mask_bit: if role.masks() { 0 } else { 0x80 },
            rsv: rsv << 4,
            extended: false,
            shortest: shortest_length,
            message: None,
            message_len: 0,
            fragments: 0,
            empty: 0,
            max_frame: frame as u64,
            max_message: message as u64,
            max_single: frame.min(message) as u64,
            max_fragments: fragments,
            max_empty: empty_fragments,
        }
    }

    /// The kind of message that a frame beginning with these two octets is all of, if every rule about them holds while
    /// no message has begun, and it is a message of one frame; and its length, if that is below 126. 126 says that the
    /// length is in the next two octets, and more says nothing.
    #[inline]
    pub(super) fn single(&self, first: u8, second: u8) -> Option<(Kind, u8)> {
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        Some((kind, second ^ self.mask_bit)) // with another MASK bit that is more than 127
    }

    /// Whether a message of one frame may have so many octets.
    #[inline]
    pub(super) fn is_within_limits(&self, len: usize) -> bool {
        len as u64 <= self.max_single
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Judges the first octet of a frame: reserved bits, and the order of opcodes.
    #[inline]
    pub(super) fn judge_first(&self, first: u8) -> Result<(), ProtocolError> {
        let allowed = if matches!(first & 0x0F, 1 | 2) { self.rsv } else { 0 };
        if first & 0x70 & !allowed != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        match first & 0x0F {
            0 if self.message.is_none() => Err(ProtocolError::UnexpectedContinuation),
            1 | 2 if self.message.is_some() => Err(ProtocolError::ExpectedContinuation),
            _ => Ok(()),
        }
    }

    /// Judges the second octet: masked or not.
    #[inline]
    pub(super) fn judge_second(&self, second: u8) -> Result<(), ProtocolError> {
        match (second & 0x80 == self.mask_bit, self.mask_bit) {
            (true, _) => Ok(()),
            (false, 0) => Err(ProtocolError::MaskedFrame),
            (false, _) => Err(ProtocolError::UnmaskedFrame),
        }
    }

    /// Judges the length of any frame, once it has come.
    #[inline]
    pub(super) fn judge_length(&self, header: &FrameHeader, len_end: usize) -> Result<(), ProtocolError> {
        if self.shortest && !header.is_shortest(len_end) {
            return Err(ProtocolError::NonMinimalLength);
        }
        Ok(())
    }

    /// Judges a data frame by the limits, once its length has come.
    #[inline]
    pub(super) fn judge_data(&self, header: &FrameHeader) -> Result<Admitted, ProtocolError> {
        let len = header.payload_len();
        if len > self.max_frame {
            return Err(ProtocolError::FrameTooBig);
        }
        // The size of an extended message is known when it is transformed back. No overflow: both are at most
        // 2^63 - 1.
        if !self.extended && header.rsv() == 0 && self.message_len + len > self.max_message {
            return Err(ProtocolError::MessageTooBig);
        }
        if self.fragments >= self.max_fragments && !(header.fin() && self.message.is_none()) {
            return Err(ProtocolError::TooManyFragments);
        }
        if len == 0 && self.empty >= self.max_empty && !(header.fin() && self.message.is_none()) {
            return Err(ProtocolError::TooManyEmptyFragments);
        }
        let (kind, first) = match header.opcode() {
            Opcode::Text => (Kind::Text, true),
            Opcode::Binary => (Kind::Binary, true),
            _ => (self.message.ok_or(ProtocolError::UnexpectedContinuation)?, false),
        };
        Ok(Admitted { kind, first })
    }

    /// A message of one frame begins, and does not lie here whole.
    #[inline]
    pub(super) fn enter_single(&mut self, kind: Kind) {
        self.message = Some(kind); // no header comes before its end, by which anything else could be judged
    }

    /// A data frame that was judged begins.
    #[inline]
    pub(super) fn enter(&mut self, header: &FrameHeader, admitted: Admitted) {
        self.message = Some(admitted.kind);
        self.extended = self.extended || header.rsv() != 0;
        self.message_len += header.payload_len();
        self.fragments += 1;
        self.empty = if header.payload_len() == 0 { self.empty + 1 } else { 0 };
    }

    /// The last frame of a message has arrived whole.
    #[inline]
    pub(super) fn message_ended(&mut self) {
        self.message = None;
        self.extended = false;
        self.message_len = 0;
        self.fragments = 0;
        self.empty = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(role: Role, frame: usize, message: usize) -> Sequence {
        let mut config = Config::default();
        (config.limits.frame, config.limits.message) = (frame, message);
        Sequence::new(role, &config, 0)
    }

    #[test]
    fn what_is_a_message_of_one_frame() {
        for (role, mask) in [(Role::Client, 0), (Role::Server, 0x80)] {
            let sequence = sequence(role, 1000, 1000);
            for (first, second) in (0..=255).flat_map(|first| (0..=255).map(move |second| (first, second))) {
                let kind = match first {
                    0x81 => Some(Kind::Text),
                    0x82 => Some(Kind::Binary),
                    _ => None,
                };
                let single = sequence.single(first, second);
                assert_eq!(single.map(|(kind, _)| kind), kind, "{role:?}: {first:x}");
                let Some((_, len)) = single else { continue };
                assert!(
                    if second & 0x80 == mask { len == second & 0x7F } else { len > 127 },
                    "{role:?}: {second:x}"
                );
            }
        }
    }

    #[test]
    fn a_message_of_one_frame_is_within_both_limits() {
        for (frame, message) in [(100, 200), (200, 100), (100, 100)] {
            let sequence = sequence(Role::Server, frame, message);
            assert!(sequence.is_within_limits(100) && !sequence.is_within_limits(101), "{frame}, {message}");
        }
    }
}
