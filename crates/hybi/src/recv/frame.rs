//! Frames out of octets, in memory that belongs to the caller.
//!
//! [`Decoder`] says where in the input a piece lies and what it is. It stores no octet: what it does not
//! consume has to be offered again with more behind it, at most 139 octets (a header, or a control frame).
//! Payloads of data frames are consumed as they come.

use core::ops::Range;

use super::sequence::Sequence;
use crate::config::Config;
use crate::error::ProtocolError;
use crate::message::Kind;
use crate::opcode::Opcode;
use crate::role::Role;
use crate::wire::header::{FrameHeader, Parsed};
use crate::wire::mask;

/// Decodes frames in memory that the caller owns, without allocating: for proxies, completion-based event
/// loops, and machines without a heap to spare. [`Connection`](crate::Connection) is built on it.
///
/// It enforces every rule about frames and their order (RFC 6455 §5), and the limits on lengths and
/// fragments. It answers nothing, joins nothing, and does not look at text: see
/// [`Utf8Validator`](crate::utf8::Utf8Validator).
///
/// ```
/// use hybi::{Config, Decoder, Kind, Piece, Role};
///
/// let mut decoder = Decoder::new(Role::Client, &Config::default());
/// let mut memory = *b"\x81\x05Hello\x89"; // a text message, and the first octet of a ping
/// let step = decoder.decode(&mut memory).unwrap();
/// match step.piece {
///     Some(Piece::Data { kind, payload, message_ends, .. }) => {
///         assert_eq!((kind, &*payload, message_ends), (Kind::Text, &b"Hello"[..], true));
///     }
///     other => panic!("{other:?}"),
/// }
/// assert_eq!(step.consumed, 7);
/// let step = decoder.decode(&mut memory[7..]).unwrap();
/// assert!(step.piece.is_none() && step.consumed == 0); // more is needed; offer the octet again
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    sequence: Sequence,
    /// Octets of the current data frame that have not come yet.
    remaining: u64,
    /// Its masking key, turned to the next octet; zeros if it is not masked.
    key: [u8; 4],
    /// Whether it is the last of its message.
    fin: bool,
    kind: Kind,
}

/// What [`Decoder::decode`] found.
#[derive(Debug)]
pub struct Step<'m> {
    /// How many octets of the input are done with. The rest has to be offered again.
    pub consumed: usize,
    /// What they are; `None` if more input is needed.
    pub piece: Option<Piece<'m>>,
}

/// A part of the stream of frames, unmasked where it lay.
#[derive(Debug)]
pub enum Piece<'m> {
    /// Payload of a data frame, as much of it as was there.
    Data {
        /// The header, if the frame begins here.
        header: Option<FrameHeader>,
        /// The kind of the message.
        kind: Kind,
        /// The octets.
        payload: &'m mut [u8],
        /// How many octets of the frame are still to come.
        remaining: u64,
        /// Whether this ends the message.
        message_ends: bool,
    },
    /// A whole control frame.
    Control {
        /// Close, ping or pong.
        opcode: Opcode,
        /// At most 125 octets.
        payload: &'m mut [u8],
    },
}

/// The same as [`Step`], in places instead of slices, and with the payload still masked: so that unmasking
/// can be done together with what is to be done next.
#[derive(Debug)]
pub(super) enum Found {
    /// The frame needs this many octets at the front of the input.
    Incomplete(usize),
    Data(Data),
    Control {
        opcode: Opcode,
        place: Range<usize>,
        key: [u8; 4],
    },
}

#[derive(Debug)]
pub(super) struct Data {
    pub(super) kind: Kind,
    /// The reserved bits of the header, if the message begins here.
    pub(super) rsv: u8,
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) key: [u8; 4],
    /// Where the payload lies: behind the header, if the frame begins here. The next piece begins at its end.
    pub(super) place: Range<usize>,
}

impl Decoder {
    /// A decoder for what `role` receives. Of the configuration it uses `limits` and `strictness`.
    pub fn new(role: Role, config: &Config) -> Self {
        Self::with_rsv(role, config, 0)
    }

    /// The same where an extension has given reserved bits (RSV1 is 4, RSV2 is 2, RSV3 is 1) a meaning on the
    /// first frame of a message.
    pub fn with_rsv(role: Role, config: &Config, rsv: u8) -> Self {
        Self {
            sequence: Sequence::new(role, config, rsv),
            remaining: 0,
            key: [0; 4],
            fin: false,
            kind: Kind::Binary,
        }
    }

    /// Finds the next piece at the front of `input`, and unmasks it there.
    ///
    /// # Errors
    /// The rule that the peer broke. The decoder is then of no more use.
    pub fn decode<'m>(&mut self, input: &'m mut [u8]) -> Result<Step<'m>, ProtocolError> {
        Ok(match self.find(input, usize::MAX)? {
            Found::Incomplete(_) => Step { consumed: 0, piece: None },
            Found::Data(Data { kind, last, key, place, .. }) => {
                let consumed = place.end;
                let header = match FrameHeader::parse(&input[..place.start]) {
                    Ok(Parsed::Header(header, _)) => Some(header),
                    _ => None, // the frame began in an earlier piece
                };
                let payload = &mut input[place];
                mask::mask(payload, key);
                let remaining = self.remaining;
                Step {
                    consumed,
                    piece: Some(Piece::Data { header, kind, payload, remaining, message_ends: last }),
                }
            }
            Found::Control { opcode, place, key } => {
                let consumed = place.end;
                let payload = &mut input[place];
                mask::mask(payload, key);
                Step { consumed, piece: Some(Piece::Control { opcode, payload }) }
            }
        })
    }

    /// Octets of the current data frame that have not come yet.
    #[inline]
    pub(super) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The kind of the message to which the current data frame belongs.
    #[inline]
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Finds a message of one frame that lies at the front of `input` whole, if that is what lies there and
    /// its header is one of the shorter two forms. `None` says nothing: [`Self::find`] does. Not while a message
    /// [has begun](Self::is_in_message).
    #[inline]
    pub(super) fn find_whole(&self, input: &[u8]) -> Option<Data> {
        let (kind, len_end, place) = self.single(input)?;
        if place.end > input.len() {
            return None;
        }
        let key = key(input, len_end..place.start)?;
        Some(Data { kind, rsv: 0, first: true, last: true, key, place })
    }

    /// The same for a message that does not lie in one piece: its beginning, or what follows in the frame that is
    /// under way.
    #[inline(always)] // as [`Self::payload`]
    pub(super) fn find_cut(&mut self, input: &[u8]) -> Option<Data> {
        if self.remaining > 0 {
            return Some(self.payload(false, 0, input.len(), usize::MAX));
        }
        if self.is_in_message() {
            return None;
        }
        let (kind, len_end, place) = self.single(input)?;
        if place.end <= input.len() {
            return None; // it is whole, and need not be joined
        }
        let key = key(input, len_end..place.start)?;
        self.sequence.enter_single(kind);
        (self.remaining, self.key, self.fin, self.kind) = (place.len() as u64, key, true, kind);
        Some(self.payload(true, place.start, input.len(), usize::MAX))
    }

    /// Judges the header of a message of one frame: its kind, where its length ends, and where its payload is to lie.
    #[inline(always)] // as [`Self::payload`]
    fn single(&self, input: &[u8]) -> Option<(Kind, usize, Range<usize>)> {
        let (&[first, second], _) = input.split_first_chunk()?;
        let (kind, short) = self.sequence.single(first, second)?;
        let (len, len_end) = match short {
            0..126 => (usize::from(short), 2),
            126 => (usize::from(u16::from_be_bytes(*input.get(2..)?.first_chunk()?)), 4),
            _ => return None,
        };
        if len_end == 4 && len < 126 || !self.sequence.is_within_limits(len) {
            return None;
        }
        let start = len_end + if second & 0x80 != 0 { 4 } else { 0 };
        Some((kind, len_end, start..start + len))
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_in_message(&self) -> bool {
        self.sequence.is_in_message()
    }

    /// Finds the next piece, with at most `max` octets of data payload.
    #[inline]
    pub(super) fn find(&mut self, input: &[u8], max: usize) -> Result<Found, ProtocolError> {
        if self.remaining > 0 {
            return Ok(if input.is_empty() {
                Found::Incomplete(1)
            } else {
                Found::Data(self.payload(false, 0, input.len(), max))
            });
        }
        let Some(&first) = input.first() else { return Ok(Found::Incomplete(2)) };
        // In the order of the octets, so that it does not matter how many of them are there.
        self.sequence.judge_first(first)?;
        let opcode = FrameHeader::judge_first(first)?;
        if let Some(&second) = input.get(1) {
            self.sequence.judge_second(second)?;
        }
        let (header, len_end, masked) = match FrameHeader::parse_length(input)? {
            Ok(found) => found,
            Err(needed) => return Ok(Found::Incomplete(needed)),
        };
        self.sequence.judge_length(&header, len_end)?;
        let admitted = if opcode.is_control() { None } else { Some(self.sequence.judge_data(&header)?) };
        let (key, start) = match input.get(len_end..).and_then(<[u8]>::first_chunk) {
            Some(key) if masked => (*key, len_end + 4),
            None if masked => return Ok(Found::Incomplete(len_end + 4)),
            _ => ([0; 4], len_end),
        };
        let Some(admitted) = admitted else {
            let place = start..start + header.payload_len() as usize; // at most 125
            return Ok(if input.len() < place.end {
                Found::Incomplete(place.end)
            } else {
                Found::Control { opcode, place, key }
            });
        };
        self.sequence.enter(&header, admitted);
        self.remaining = header.payload_len();
        self.key = key;
        self.fin = header.fin();
        self.kind = admitted.kind;
        let data = self.payload(admitted.first, start, input.len(), max);
        Ok(Found::Data(Data { rsv: header.rsv(), ..data }))
    }

    /// Takes so many octets of payload that are not in any input: they were received at their final place.
    /// Returns their key and whether they end the message.
    pub(super) fn take(&mut self, n: usize) -> ([u8; 4], bool) {
        let data = self.payload(false, 0, n, n);
        (data.key, data.last)
    }

    /// The payload between `start` and `end`, as far as it belongs to the current frame.
    #[inline(always)] // in line, what is found never exists as a value
    fn payload(&mut self, first: bool, start: usize, end: usize, max: usize) -> Data {
        let there = (end - start).min(max);
        let n = usize::try_from(self.remaining).map_or(there, |remaining| there.min(remaining));
        let key = self.key;
        self.remaining -= n as u64;
        let last = self.remaining == 0 && self.fin;
        if self.remaining > 0 {
            self.key = mask::rotate(key, n);
        } else if last {
            self.sequence.message_ended();
        }
        Data { kind: self.kind, rsv: 0, first, last, key, place: start..start + n }
    }
}

/// The masking key, if it has a place; zeros if it has none.
#[inline]
fn key(input: &[u8], place: Range<usize>) -> Option<[u8; 4]> {
    if place.is_empty() { Some([0; 4]) } else { input.get(place)?.first_chunk().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const KEY: [u8; 4] = [1, 2, 3, 4];

    fn decoder(role: Role, max_message: usize) -> Decoder {
        let mut config = Config::default();
        config.limits.message = max_message;
        Decoder::new(role, &config)
    }

    /// A frame that this role may receive, and the length of its header.
    fn frame(role: Role, fin: bool, opcode: Opcode, len: usize) -> (Vec<u8>, usize) {
        let mut header = FrameHeader::new(fin, opcode, len as u64).expect("there is such a frame");
        if !role.masks() {
            header = header.masked(KEY);
        }
        let header = header.encode();
        ([&header[..], &vec![7; len]].concat(), header.len())
    }

    #[test]
    fn a_whole_message_is_found_at_once() {
        for role in [Role::Client, Role::Server] {
            for (opcode, kind) in [(Opcode::Text, Kind::Text), (Opcode::Binary, Kind::Binary)] {
                for len in [0, 1, 125, 126, 65_535] {
                    let (octets, header_len) = frame(role, true, opcode, len);
                    let mut decoder = decoder(role, len);
                    for trailing in [0, 5] {
                        let input = [&octets[..], &vec![0; trailing]].concat();
                        let found = decoder.find_whole(&input).expect("it lies here whole");
                        assert_eq!(
                            (found.kind, found.place),
                            (kind, header_len..octets.len()),
                            "{role:?}: {len}"
                        );
                        assert_eq!(found.key, if role.masks() { [0; 4] } else { KEY });
                        assert!(found.first && found.last);
                        assert!(decoder.find_cut(&input).is_none(), "{role:?}: {len}: it need not be joined");
                    }
                    for cut in [0, 1, header_len - 1, octets.len() - 1] {
                        assert!(
                            decoder.find_whole(&octets[..cut]).is_none(),
                            "{role:?}: {len}, cut at {cut}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        for role in [Role::Client, Role::Server] {
            for (opcode, len, len_end) in [
                (Opcode::Ping, 5, 2),
                (Opcode::Binary, 5, 2),
                (Opcode::Binary, 126, 4),
                (Opcode::Binary, 65_536, 10),
            ] {
                let (octets, header_len) = frame(role, true, opcode, len);
                for cut in 0..header_len {
                    let Ok(Found::Incomplete(n)) = decoder(role, len).find(&octets[..cut], usize::MAX) else {
                        panic!("{role:?}: {len}, cut at {cut}");
                    };
                    let expected = match cut {
                        0..2 => 2,
                        _ if cut < len_end => len_end,
                        _ => header_len,
                    };
                    assert_eq!(n, expected, "{role:?}: {len}, cut at {cut}");
                }
            }
            let (ping, header_len) = frame(role, true, Opcode::Ping, 5);
            for cut in header_len..ping.len() {
                let found = decoder(role, 5).find(&ping[..cut], usize::MAX);
                assert!(
                    matches!(found, Ok(Found::Incomplete(n)) if n == ping.len()),
                    "{role:?}: cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_the_usual_case_is_left_to_the_search() {
        for role in [Role::Client, Role::Server] {
            let too_long = (frame(role, true, Opcode::Binary, 126).0, 125);
            let two_words = (frame(role, true, Opcode::Binary, 65_536).0, 100_000);
            let in_parts = (frame(role, false, Opcode::Text, 5).0, 100);
            let control = (frame(role, true, Opcode::Ping, 5).0, 100);
            let of_the_other_role = (frame(role.peer(), true, Opcode::Text, 5).0, 100);
            let mask = if role.masks() { 0 } else { 0x80 };
            let longer_form = ([&[0x82, mask | 126, 0, 125][..], &[0; 4 + 125]].concat(), 1000);
            for (octets, limit) in [too_long, two_words, in_parts, control, of_the_other_role, longer_form] {
                let mut decoder = decoder(role, limit);
                assert!(decoder.find_whole(&octets).is_none(), "{role:?}: {:x?}", &octets[..4]);
                let cut = octets.len() - 1;
                assert!(decoder.find_cut(&octets[..cut]).is_none(), "{role:?}: {:x?}", &octets[..4]);
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_is_found_piece_by_piece() {
        for role in [Role::Client, Role::Server] {
            for len in [1, 125, 126, 3000] {
                let (octets, header_len) = frame(role, true, Opcode::Text, len);
                for cut in [header_len, header_len + len / 2] {
                    let mut decoder = decoder(role, len);
                    for less in 0..header_len {
                        assert!(
                            decoder.find_cut(&octets[..less]).is_none(),
                            "{role:?}: {len}, cut at {less}"
                        );
                    }
                    let begun = decoder.find_cut(&octets[..cut]).expect("a message begins");
                    assert_eq!((begun.kind, begun.place), (Kind::Text, header_len..cut), "{role:?}: {len}");
                    assert_eq!((begun.first, begun.last, decoder.is_in_message()), (true, false, true));
                    let left = octets.len() - cut;
                    assert_eq!(decoder.remaining(), left as u64);
                    let rest = [&octets[cut..], &[0; 3]].concat();
                    let ended = decoder.find_cut(&rest).expect("its end");
                    assert_eq!(
                        (ended.place, ended.first, ended.last),
                        (0..left, false, true),
                        "{role:?}: {len}"
                    );
                    let key = mask::rotate(begun.key, cut - header_len);
                    assert_eq!((ended.key, decoder.is_in_message()), (key, false));
                }
            }
            let (begun, _) = frame(role, false, Opcode::Text, 5);
            let mut decoder = decoder(role, 100);
            assert!(decoder.find(&begun, usize::MAX).is_ok_and(|found| matches!(found, Found::Data(_))));
            let (other, _) = frame(role, true, Opcode::Text, 5);
            assert!(decoder.find_cut(&other[..7]).is_none(), "{role:?}: a message has begun");
        }
    }
}
