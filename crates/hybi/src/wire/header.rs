//! The header of a frame: parse and encode, RFC 6455 §5.2.
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  +-+-+-+-+-------+-+-------------+-------------------------------+
//!  |F|R|R|R| opcode|M| payload len |  16 bits if payload len = 126 |
//!  |I|S|S|S|       |A|             |  64 bits if payload len = 127 |
//!  |N|V|V|V|       |S|             +-------------------------------+
//!  | |1|2|3|       |K|             |  then 32 bits of masking key  |
//!  +-+-+-+-+-------+-+-------------+  if MASK is set               |
//! ```
//!
//! [`FrameHeader::parse`] judges each octet as early as the octet allows, so it can be called with one octet
//! and fails on the first wrong one. It knows neither role nor message: whether a frame may be masked, and
//! whether it may come now, is decided by the caller.

use crate::error::ProtocolError;
use crate::opcode::Opcode;

/// A header that can stand on the wire: a control frame has FIN and at most 125 octets, and a length has at
/// most 63 bits.
///
/// ```
/// use hybi::Opcode;
/// use hybi::wire::header::{FrameHeader, Parsed};
///
/// let header = FrameHeader::new(true, Opcode::Text, 5).unwrap().masked([1, 2, 3, 4]);
/// let encoded = header.encode();
/// assert_eq!(encoded.as_ref(), [0x81, 0x85, 1, 2, 3, 4]);
/// assert_eq!(FrameHeader::parse(&encoded), Ok(Parsed::Header(header, 6)));
/// assert!(FrameHeader::new(false, Opcode::Ping, 0).is_none()); // control frames are not fragmented
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// FIN, RSV1 to RSV3 and the opcode, as they stand in the first octet.
    first: u8,
    key: Option<[u8; 4]>,
    payload_len: u64,
}

/// What [`FrameHeader::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A header, and how many octets it takes.
    Header(FrameHeader, usize),
    /// The header needs this many octets, as far as can be told by now.
    Incomplete(usize),
}

/// The longest payload of a control frame (§5.5).
pub const MAX_CONTROL_LEN: usize = 125;
/// The longest header: two octets, 64 bits of length, a masking key.
pub const MAX_HEADER_LEN: usize = 14;

const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
const RSV: u8 = 0x70;

impl FrameHeader {
    /// An unmasked header; `None` if there is no such frame.
    #[inline]
    pub const fn new(fin: bool, opcode: Opcode, payload_len: u64) -> Option<Self> {
        if opcode.is_control() && (!fin || payload_len > MAX_CONTROL_LEN as u64) || payload_len >> 63 != 0 {
            return None;
        }
        Some(Self { first: opcode.bits() + if fin { FIN } else { 0 }, key: None, payload_len })
    }

    /// The same, masked with this key.
    #[inline]
    #[must_use]
    pub const fn masked(mut self, key: [u8; 4]) -> Self {
        self.key = Some(key);
        self
    }

    /// The same with these reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    #[inline]
    #[must_use]
    pub const fn with_rsv(mut self, rsv: u8) -> Self {
        self.first = (self.first & !RSV) + (rsv << 4 & RSV);
        self
    }

    /// Whether this is the last frame of its message. True for every control frame.
    #[inline]
    pub const fn fin(&self) -> bool {
        self.first & FIN != 0
    }

    /// The reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    #[inline]
    pub const fn rsv(&self) -> u8 {
        (self.first & RSV) >> 4
    }

    /// The opcode.
    #[inline]
    pub const fn opcode(&self) -> Opcode {
        match Opcode::from_bits(self.first & 0x0F) {
            Some(opcode) => opcode,
            None => unreachable!(), // no constructor lets a reserved opcode in
        }
    }

    /// The masking key, if the payload is masked.
    #[inline]
    pub const fn masking_key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// How many octets of payload follow the header.
    #[inline]
    pub const fn payload_len(&self) -> u64 {
        self.payload_len
    }

    /// Reads a header from the front of `input`, which may hold less or more than a header.
    ///
    /// # Errors
    /// `ReservedOpcode` and `FragmentedControl` from the first octet on, `ControlTooLong` from the second,
    /// `LengthOverflow` once the length is there. A length in a longer form than needed is accepted here;
    /// [`Self::is_shortest`] tells.
    #[inline]
    pub fn parse(input: &[u8]) -> Result<Parsed, ProtocolError> {
        let (header, len_end, masked) = match Self::parse_length(input)? {
            Ok(found) => found,
            Err(needed) => return Ok(Parsed::Incomplete(needed)),
        };
        if !masked {
            return Ok(Parsed::Header(header, len_end));
        }
        Ok(match input.get(len_end..).and_then(<[u8]>::first_chunk) {
            Some(key) => Parsed::Header(header.masked(*key), len_end + 4),
            None => Parsed::Incomplete(len_end + 4),
        })
    }

    /// Judges the first octet.
    #[inline]
    pub(crate) fn judge_first(first: u8) -> Result<Opcode, ProtocolError> {
        let opcode = Opcode::from_bits(first & 0x0F).ok_or(ProtocolError::ReservedOpcode)?;
        if opcode.is_control() && first & FIN == 0 {
            return Err(ProtocolError::FragmentedControl);
        }
        Ok(opcode)
    }

    /// Reads all but the masking key, so that a length can be judged before the key has come: the header
    /// without it, where the length ends, and whether a key follows. `Err` says how many octets are needed.
    #[inline]
    pub(crate) fn parse_length(input: &[u8]) -> Result<Result<(Self, usize, bool), usize>, ProtocolError> {
        let Some(&first) = input.first() else { return Ok(Err(2)) };
        let opcode = Self::judge_first(first)?;
        let Some(&second) = input.get(1) else { return Ok(Err(2)) };
        let masked = second & MASK != 0;
        let (payload_len, len_end) = match second & 0x7F {
            long @ (126 | 127) if opcode.is_control() => {
                debug_assert!(usize::from(long) > MAX_CONTROL_LEN);
                return Err(ProtocolError::ControlTooLong);
            }
            126 => match input.get(2..4).and_then(<[u8]>::first_chunk) {
                Some(octets) => (u64::from(u16::from_be_bytes(*octets)), 4),
                None => return Ok(Err(4)),
            },
            127 => match input.get(2..10).and_then(<[u8]>::first_chunk) {
                Some(octets) => (u64::from_be_bytes(*octets), 10),
                None => return Ok(Err(10)),
            },
            short => (u64::from(short), 2),
        };
        if payload_len >> 63 != 0 {
            return Err(ProtocolError::LengthOverflow);
        }
        Ok(Ok((Self { first, key: None, payload_len }, len_end, masked)))
    }

    /// Whether a header of so many octets is the shortest form of this one (§5.2: a sender has to use it).
    #[inline]
    pub const fn is_shortest(&self, header_len: usize) -> bool {
        header_len == self.encoded_len()
    }

    /// How many octets [`Self::encode`] makes.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        let len = match self.payload_len {
            0..126 => 2,
            126..0x1_0000 => 4,
            _ => 10,
        };
        len + if self.key.is_some() { 4 } else { 0 }
    }

    /// The octets of the header, in the shortest form.
    #[inline(always)] // where the length is known to be short, two lines are left of it
    pub fn encode(&self) -> EncodedHeader {
        // Added up as two numbers, first octet lowest: what comes of it is two stores, whatever the form.
        let (mask, key, key_len) = match self.key {
            Some(key) => (MASK, u32::from_le_bytes(key), 4),
            None => (0, 0, 0),
        };
        let start = |form: u8| u64::from(u16::from_le_bytes([self.first, mask + form]));
        let (low, high, len) = match self.payload_len {
            short @ 0..126 => (start(short as u8) + (u64::from(key) << 16), 0, 2),
            medium @ 126..0x1_0000 => {
                let length = u64::from((medium as u16).swap_bytes());
                (start(126) + (length << 16) + (u64::from(key) << 32), 0, 4)
            }
            long => {
                let length = long.swap_bytes();
                (start(127) + (length << 16), (length >> 48) + (u64::from(key) << 16), 10)
            }
        };
        EncodedHeader { octets: [low.to_le_bytes(), high.to_le_bytes()], len: len + key_len }
    }
}

/// The octets of a header: up to 14, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct EncodedHeader {
    octets: [[u8; 8]; 2],
    len: u8,
}

impl EncodedHeader {
    /// Octets of [`Self::words`].
    pub(crate) const ROOM: usize = 16;

    /// The header, and some octets to be written over: a copy of a fixed size is two stores.
    #[inline]
    pub(super) fn words(&self) -> &[[u8; 8]; 2] {
        &self.octets
    }
}

impl AsRef<[u8]> for EncodedHeader {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.octets.as_flattened()[..self.len as usize]
    }
}

impl core::ops::Deref for EncodedHeader {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const KEY: [u8; 4] = [0xA1, 0xB2, 0xC3, 0xD4];

    fn header(fin: bool, opcode: Opcode, len: u64) -> FrameHeader {
        FrameHeader::new(fin, opcode, len).expect("a frame that exists")
    }

    /// Octets and value, both ways.
    fn rows() -> Vec<(FrameHeader, &'static [u8])> {
        use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
        Vec::from([
            (header(true, Text, 0), &[0x81, 0x00][..]),
            (header(true, Text, 5), &[0x81, 0x05]),
            (header(false, Text, 3), &[0x01, 0x03]),
            (header(true, Continuation, 2), &[0x80, 0x02]),
            (header(true, Binary, 125), &[0x82, 0x7D]),
            (header(true, Binary, 126), &[0x82, 0x7E, 0x00, 0x7E]),
            (header(true, Binary, 256), &[0x82, 0x7E, 0x01, 0x00]),
            (header(true, Binary, 65_535), &[0x82, 0x7E, 0xFF, 0xFF]),
            (header(true, Binary, 65_536), &[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
            (
                header(true, Binary, u64::MAX >> 1),
                &[0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            ),
            (header(true, Close, 2), &[0x88, 0x02]),
            (header(true, Ping, 125), &[0x89, 0x7D]),
            (header(true, Pong, 0), &[0x8A, 0x00]),
            (header(true, Text, 5).masked(KEY), &[0x81, 0x85, 0xA1, 0xB2, 0xC3, 0xD4]),
            (header(true, Text, 126).masked(KEY), &[0x81, 0xFE, 0, 0x7E, 0xA1, 0xB2, 0xC3, 0xD4]),
            (
                header(true, Binary, 65_536).masked(KEY),
                &[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 0xA1, 0xB2, 0xC3, 0xD4],
            ),
            (header(true, Text, 0).with_rsv(4), &[0xC1, 0x00]),
            (header(true, Text, 0).with_rsv(2), &[0xA1, 0x00]),
            (header(true, Text, 0).with_rsv(1), &[0x91, 0x00]),
        ])
    }

    /// The figure of §5.2, for every first octet and some second ones.
    #[test]
    fn each_field_is_read_where_it_stands() {
        for (first, len) in (0..=255u8).flat_map(|first| [0, 1, 64, 125].map(|len| (first, len))) {
            for key in [None, Some(KEY)] {
                let masked = if key.is_some() { 0x80 } else { 0 };
                let octets = [&[first, masked | len][..], &key.unwrap_or_default()].concat();
                let Ok(Parsed::Header(header, _)) = FrameHeader::parse(&octets) else {
                    let (opcode, fin) = (first % 16, first >= 128);
                    assert!(matches!(opcode, 3..=7 | 11..) || opcode > 7 && !fin, "{octets:x?}");
                    continue;
                };
                assert_eq!((header.fin(), header.rsv()), (first >= 128, first % 128 / 16), "{octets:x?}");
                assert_eq!((header.opcode().bits(), header.payload_len()), (first % 16, len.into()));
                assert_eq!(header.masking_key(), key);
                for rsv in 0..8 {
                    let changed = header.with_rsv(rsv);
                    assert_eq!((changed.rsv(), changed.fin()), (rsv, header.fin()));
                    assert_eq!(changed.with_rsv(header.rsv()), header);
                }
            }
        }
    }

    #[test]
    fn parse_and_encode_are_inverse_whole_cut_and_with_trailing_octets() {
        for (header, octets) in rows() {
            assert_eq!(&*header.encode(), octets, "{header:?}");
            assert_eq!(header.encoded_len(), octets.len());
            assert_eq!(FrameHeader::parse(octets), Ok(Parsed::Header(header, octets.len())));
            assert!(header.is_shortest(octets.len()));
            for cut in 0..octets.len() {
                match FrameHeader::parse(&octets[..cut]) {
                    Ok(Parsed::Incomplete(n)) => {
                        assert!(n > cut && n <= octets.len(), "{octets:x?} cut at {cut}");
                    }
                    other => panic!("{octets:x?} cut at {cut}: {other:?}"),
                }
            }
            let trailing = [octets, &[0xFF; 3]].concat();
            assert_eq!(FrameHeader::parse(&trailing), Ok(Parsed::Header(header, octets.len())));
        }
    }

    #[test]
    fn errors_from_the_earliest_octet_on() {
        use ProtocolError::{ControlTooLong, FragmentedControl, LengthOverflow, ReservedOpcode};
        let rows: &[(ProtocolError, &[u8], usize)] = &[
            (ReservedOpcode, &[0x83, 0x00], 1),
            (ReservedOpcode, &[0x07, 0x00], 1),
            (ReservedOpcode, &[0x8B, 0x00], 1),
            (ReservedOpcode, &[0x8F, 0x00], 1),
            (FragmentedControl, &[0x08, 0x00], 1),
            (FragmentedControl, &[0x09, 0x00], 1),
            (FragmentedControl, &[0x0A, 0x00], 1),
            (ControlTooLong, &[0x88, 0x7E, 0, 126], 2),
            (ControlTooLong, &[0x89, 0xFE, 0, 126], 2),
            (ControlTooLong, &[0x8A, 0x7F, 0, 0, 0, 0, 0, 0, 0, 1], 2),
            (LengthOverflow, &[0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], 10),
            (LengthOverflow, &[0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 10),
        ];
        for (error, octets, from) in rows {
            for cut in 0..=octets.len() {
                match FrameHeader::parse(&octets[..cut]) {
                    Err(e) => assert!(e == *error && cut >= *from, "{octets:x?} cut at {cut}: {e}"),
                    Ok(parsed) => assert!(cut < *from, "{octets:x?} cut at {cut}: {parsed:?}"),
                }
            }
        }
    }

    #[test]
    fn longer_forms_are_told_apart() {
        for octets in [&[0x82, 0x7E, 0, 125][..], &[0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]] {
            match FrameHeader::parse(octets) {
                Ok(Parsed::Header(header, n)) => assert!(!header.is_shortest(n)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn frames_that_do_not_exist_cannot_be_built() {
        assert_eq!(FrameHeader::new(false, Opcode::Close, 0), None);
        assert_eq!(FrameHeader::new(true, Opcode::Ping, 126), None);
        assert_eq!(FrameHeader::new(true, Opcode::Binary, 1 << 63), None);
    }
}
