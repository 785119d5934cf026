//! What a frame is: RFC 6455 §5.2, the four bits called opcode.

/// The opcode of a frame. The ten values that RFC 6455 reserves have no name here: a frame that carries
/// one cannot be represented.
///
/// ```
/// use hybi::Opcode;
/// assert_eq!(Opcode::from_bits(9), Some(Opcode::Ping));
/// assert_eq!(Opcode::from_bits(3), None);
/// assert!(Opcode::Ping.is_control() && !Opcode::Text.is_control());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message that an earlier frame began.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// The closing handshake (§5.5.1).
    Close = 0x8,
    /// A ping (§5.5.2).
    Ping = 0x9,
    /// A pong (§5.5.3).
    Pong = 0xA,
}

impl Opcode {
    /// The opcode with these bits; `None` for the reserved ones.
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// The four bits.
    #[inline]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Whether this is a control frame (§5.5): never fragmented, at most 125 octets.
    #[inline]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sixteen_values() {
        for bits in 0..16 {
            match Opcode::from_bits(bits) {
                Some(opcode) => assert_eq!(opcode.bits(), bits),
                None => assert!(matches!(bits, 3..=7 | 11..=15), "{bits}"),
            }
        }
    }
}
