//! Naive twins: the rules of RFC 6455 once more, on whole buffers, slow, and obviously right.
//!
//! [`decode`] is the reference model of a connection behind its opening handshake, in either role, written from
//! the text of the RFC alone: what an application is given, and what is owed to the peer, when exactly these
//! octets have arrived. It looks at one octet after the other, and refuses on the first that cannot be right.
//! [`decode_in`] knows besides that a connection may be closing already, and that its transport may end.
//! Extensions and the clock are left out. [`mask`] and [`utf8`] are the twins of the kernels.

use hybi::{CloseCause, Config, Kind, ProtocolError, Role};

use crate::record::Record;

/// What follows from some octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Events, in order.
    pub events: Vec<Record>,
    /// First octet and payload of each control frame that is owed to the peer, in order. Of a close frame
    /// that tells of a failure, the payload is the code alone.
    pub owed: Vec<(u8, Vec<u8>)>,
    /// Octets at the end that begin a frame and do not finish it.
    pub unfinished: usize,
}

/// What else happens to the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// A close frame of ours went out before anything arrived: no other follows (§5.5.1).
    pub closing: bool,
    /// The transport ends behind the octets.
    pub ends: bool,
}

/// Decodes what `role` received.
pub fn decode(role: Role, config: &Config, octets: &[u8]) -> Decoded {
    decode_in(Course::default(), role, config, octets)
}

/// Decodes what `role` received in this course of things.
pub fn decode_in(course: Course, role: Role, config: &Config, octets: &[u8]) -> Decoded {
    let mut twin = Twin { role, config, course, message: None, out: Decoded::default() };
    let mut rest = octets;
    let cause = loop {
        match twin.frame(rest) {
            Ok(Some(len)) => rest = &rest[len..],
            Ok(None) => {
                twin.out.unfinished = rest.len();
                break CloseCause::TransportEnded;
            }
            Err(Stop::Close) => return twin.out,
            Err(Stop::Failure(error)) => {
                twin.out.events.push(Record::Failed(error));
                twin.owe_close(error.close_code().value().to_be_bytes().to_vec()); // §7.1.7
                break CloseCause::Failed(error);
            }
        }
    };
    if course.ends {
        twin.out.events.push(Record::Closed(1006, Vec::new(), cause)); // §7.1.5
    }
    twin.out
}

struct Twin<'c> {
    role: Role,
    config: &'c Config,
    course: Course,
    message: Option<Message>,
    out: Decoded,
}

/// A message whose last frame has not come.
struct Message {
    kind: Kind,
    payload: Vec<u8>,
    frames: u32,
    empty_in_a_row: u32,
}

/// Why nothing more is looked at.
enum Stop {
    Close,
    Failure(ProtocolError),
}

impl From<ProtocolError> for Stop {
    fn from(error: ProtocolError) -> Self {
        Self::Failure(error)
    }
}

impl Twin<'_> {
    /// One frame from the front; how long it was, or `None` if it is not whole.
    fn frame(&mut self, octets: &[u8]) -> Result<Option<usize>, Stop> {
        let Some(&first) = octets.first() else { return Ok(None) };
        self.first_octet(first)?;
        let Some(&second) = octets.get(1) else { return Ok(None) };
        self.second_octet(first, second)?;
        let len_end = match second & 0x7F {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let Some(len) = octets.get(2..len_end) else { return Ok(None) };
        let payload_len = match len {
            [] => u64::from(second & 0x7F),
            len => len.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)),
        };
        self.length(first, payload_len, len_end)?;
        let key = if self.role == Role::Server { 4 } else { 0 };
        let Some(key) = octets.get(len_end..len_end + key) else { return Ok(None) };
        let start = len_end + key.len();
        let end = usize::try_from(payload_len).ok().and_then(|len| start.checked_add(len));
        let there = &octets[start..end.map_or(octets.len(), |end| end.min(octets.len()))];
        let payload = mask(there, key);
        let whole = end == Some(start + payload.len());
        if first & 8 != 0 {
            return if whole { self.control(first, payload).map(|()| end) } else { Ok(None) };
        }
        self.data(first, payload, whole)?;
        Ok(end.filter(|_| whole))
    }

    /// FIN, RSV1 to RSV3, opcode.
    fn first_octet(&self, first: u8) -> Result<(), ProtocolError> {
        let opcode = first & 0x0F;
        if first & 0x70 != 0 {
            return Err(ProtocolError::ReservedBits); // §5.2: no extension was agreed on
        }
        match (opcode, &self.message) {
            (3..=7 | 11..=15, _) => Err(ProtocolError::ReservedOpcode), // §5.2
            (8..=10, _) if first & 0x80 == 0 => Err(ProtocolError::FragmentedControl), // §5.5
            (0, None) => Err(ProtocolError::UnexpectedContinuation),    // §5.4
            (1 | 2, Some(_)) => Err(ProtocolError::ExpectedContinuation), // §5.4
            _ => Ok(()),
        }
    }

    /// MASK and the first part of the length.
    fn second_octet(&self, first: u8, second: u8) -> Result<(), ProtocolError> {
        match (self.role, second & 0x80 != 0) {
            (Role::Server, false) => return Err(ProtocolError::UnmaskedFrame), // §5.1
            (Role::Client, true) => return Err(ProtocolError::MaskedFrame),    // §5.1
            _ => {}
        }
        if first & 8 != 0 && second & 0x7F > 125 {
            return Err(ProtocolError::ControlTooLong); // §5.5
        }
        Ok(())
    }

    /// The length, and what this frame makes of its message.
    fn length(&self, first: u8, len: u64, len_end: usize) -> Result<(), ProtocolError> {
        if len > u64::MAX / 2 {
            return Err(ProtocolError::LengthOverflow); // §5.2
        }
        let shortest = match len {
            0..=125 => 2,
            126..=65_535 => 4,
            _ => 10,
        };
        if self.config.strictness.shortest_length && len_end != shortest {
            return Err(ProtocolError::NonMinimalLength); // §5.2
        }
        if first & 8 != 0 {
            return Ok(());
        }
        let limits = &self.config.limits; // §10.4
        let before = self.message.as_ref().map_or(0, |message| message.payload.len());
        if len > limits.frame as u64 {
            return Err(ProtocolError::FrameTooBig);
        }
        if before as u64 + len > limits.message as u64 {
            return Err(ProtocolError::MessageTooBig);
        }
        if self.message.is_none() && first & 0x80 != 0 {
            return Ok(()); // not fragmented
        }
        let (frames, empty) = self.message.as_ref().map_or((0, 0), |m| (m.frames, m.empty_in_a_row));
        if frames + 1 > limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        if len == 0 && empty + 1 > limits.empty_fragments {
            return Err(ProtocolError::TooManyEmptyFragments);
        }
        Ok(())
    }

    /// Payload of a data frame, as much as there is.
    fn data(&mut self, first: u8, payload: Vec<u8>, whole: bool) -> Result<(), ProtocolError> {
        let kind = if first & 0x0F == 1 { Kind::Text } else { Kind::Binary };
        let mut message = self.message.take().unwrap_or(Message {
            kind,
            payload: Vec::new(),
            frames: 0,
            empty_in_a_row: 0,
        });
        message.payload.extend_from_slice(&payload);
        let fin = first & 0x80 != 0;
        let check = message.kind == Kind::Text && self.config.strictness.utf8;
        if check {
            match utf8(&message.payload) {
                Utf8::Wrong => return Err(ProtocolError::InvalidUtf8), // §8.1
                Utf8::Unfinished if whole && fin => return Err(ProtocolError::InvalidUtf8),
                Utf8::Unfinished | Utf8::Valid => {}
            }
        }
        if whole && fin {
            self.out.events.push(match message.kind {
                Kind::Text if check => Record::Text(message.payload),
                Kind::Text => Record::UncheckedText(message.payload),
                Kind::Binary => Record::Binary(message.payload),
            });
        } else if whole {
            message.frames += 1;
            message.empty_in_a_row = if payload.is_empty() { message.empty_in_a_row + 1 } else { 0 };
            self.message = Some(message);
        }
        Ok(())
    }

    /// A whole control frame.
    fn control(&mut self, first: u8, payload: Vec<u8>) -> Result<(), Stop> {
        match first & 0x0F {
            9 => {
                if self.config.automatic.pong {
                    self.out.owed.push((0x8A, payload.clone())); // §5.5.2
                }
                self.out.events.push(Record::Ping(payload));
            }
            10 => self.out.events.push(Record::Pong(payload)),
            _ => {
                let frame = self.close(&payload)?;
                let (code, reason) = frame.clone().unwrap_or((1005, Vec::new()));
                self.owe_close(payload); // §5.5.1
                self.out.events.push(Record::Close(frame));
                self.out.events.push(Record::Closed(code, reason, CloseCause::Handshake));
                return Err(Stop::Close);
            }
        }
        Ok(())
    }

    fn owe_close(&mut self, payload: Vec<u8>) {
        if !self.course.closing {
            self.out.owed.push((0x88, payload));
        }
    }

    /// §5.5.1, §7.4.
    fn close(&self, payload: &[u8]) -> Result<Option<(u16, Vec<u8>)>, ProtocolError> {
        if payload.is_empty() {
            return Ok(None);
        }
        if payload.len() == 1 {
            return Err(ProtocolError::CloseTooShort);
        }
        let code = u16::from_be_bytes([payload[0], payload[1]]);
        let reason = payload[2..].to_vec();
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            return Err(ProtocolError::InvalidCloseCode);
        }
        if self.config.strictness.utf8 && utf8(&reason) != Utf8::Valid {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(Some((code, reason)))
    }
}

/// Masks or unmasks (§5.3); an empty key leaves everything as it is.
pub fn mask(octets: &[u8], key: &[u8]) -> Vec<u8> {
    octets.iter().enumerate().map(|(i, octet)| octet ^ key.get(i % 4).unwrap_or(&0)).collect()
}

/// Whether octets are UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf8 {
    /// They are.
    Valid,
    /// More octets could make them so.
    Unfinished,
    /// Nothing can.
    Wrong,
}

/// The ABNF of RFC 3629 §4, row by row.
const ROWS: [&[(u8, u8)]; 9] = [
    &[(0x00, 0x7F)],
    &[(0xC2, 0xDF), TAIL],
    &[(0xE0, 0xE0), (0xA0, 0xBF), TAIL],
    &[(0xE1, 0xEC), TAIL, TAIL],
    &[(0xED, 0xED), (0x80, 0x9F), TAIL],
    &[(0xEE, 0xEF), TAIL, TAIL],
    &[(0xF0, 0xF0), (0x90, 0xBF), TAIL, TAIL],
    &[(0xF1, 0xF3), TAIL, TAIL, TAIL],
    &[(0xF4, 0xF4), (0x80, 0x8F), TAIL, TAIL],
];
const TAIL: (u8, u8) = (0x80, 0xBF);

/// Validates UTF-8.
pub fn utf8(octets: &[u8]) -> Utf8 {
    let mut rest = octets;
    while !rest.is_empty() {
        let fits = |row: &&&[(u8, u8)]| {
            row.iter().zip(rest).all(|((low, high), octet)| (low..=high).contains(&octet))
        };
        match ROWS.iter().find(fits) {
            None => return Utf8::Wrong,
            Some(row) if row.len() > rest.len() => return Utf8::Unfinished,
            Some(row) => rest = &rest[row.len()..],
        }
    }
    Utf8::Valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_is_that_of_the_standard_library() {
        let interesting = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED];
        let interesting = [&interesting[..], &[0xEE, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF]].concat();
        let all = |octets: &[u8]| {
            let expected = match std::str::from_utf8(octets) {
                Ok(_) => Utf8::Valid,
                Err(error) if error.error_len().is_none() => Utf8::Unfinished,
                Err(_) => Utf8::Wrong,
            };
            assert_eq!(utf8(octets), expected, "{octets:x?}");
        };
        for &a in &interesting {
            for &b in &interesting {
                for &c in &interesting {
                    for &d in &interesting {
                        all(&[a]);
                        all(&[a, b]);
                        all(&[a, b, c]);
                        all(&[a, b, c, d]);
                    }
                }
            }
        }
    }
}
