//! Frames of an open connection: octets in, texts and the peer's end out (draft 76 §5.3).
//!
//! ```text
//! 00 text FF           a text
//! 01..7F octets FF     nothing that a draft has a use for: passed over
//! 80..FF length octets likewise; the length is in groups of seven bits
//! FF 00                draft 76: the end
//! ```

use alloc::string::String;
use alloc::vec::Vec;

/// Where in a frame the next octet stands.
#[derive(Debug)]
pub(crate) struct Frames {
    place: Place,
    text: Vec<u8>,
    /// Octets that one text, or one frame that is passed over, may have.
    limit: usize,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Between,
    /// In a text.
    Text,
    /// So far in a frame that ends with FF and is passed over.
    Delimited(usize),
    Length {
        so_far: usize,
        may_be_end: bool,
    },
    /// So many octets are left to pass over.
    Skipped(usize),
}

/// What the octets have come to.
#[derive(Debug)]
pub(crate) enum Frame {
    Text(String),
    End,
    /// Too much for the limit, or for the memory that there is.
    TooBig,
}

impl Frames {
    pub(crate) fn new(limit: usize) -> Self {
        Self { place: Place::Between, text: Vec::new(), limit }
    }

    /// Takes octets from the front, as many as the next whole frame needs.
    pub(crate) fn read(&mut self, octets: &mut &[u8]) -> Option<Frame> {
        while let Some((first, rest)) = octets.split_first() {
            match self.place {
                Place::Between => {
                    self.place = match *first {
                        0 => Place::Text,
                        1..0x80 => Place::Delimited(0),
                        0x80.. => Place::Length { so_far: 0, may_be_end: *first == 0xff },
                    };
                    *octets = rest;
                }
                Place::Text => {
                    let (piece, is_whole) = up_to_ff(octets);
                    if self.text.len() + piece.len() > self.limit
                        || self.text.try_reserve(piece.len()).is_err()
                    {
                        return Some(Frame::TooBig);
                    }
                    self.text.extend_from_slice(piece);
                    if is_whole {
                        self.place = Place::Between;
                        return Some(Frame::Text(text(core::mem::take(&mut self.text))));
                    }
                }
                Place::Delimited(so_far) => {
                    let (piece, is_whole) = up_to_ff(octets);
                    let so_far = so_far + piece.len();
                    if so_far > self.limit {
                        return Some(Frame::TooBig);
                    }
                    self.place = if is_whole { Place::Between } else { Place::Delimited(so_far) };
                }
                Place::Length { so_far, may_be_end } => {
                    *octets = rest;
                    let length =
                        so_far.checked_mul(128).and_then(|up| up.checked_add(usize::from(first & 0x7f)));
                    let Some(length) = length.filter(|length| *length <= self.limit) else {
                        return Some(Frame::TooBig);
                    };
                    self.place = match first & 0x80 {
                        0 if length == 0 && may_be_end => {
                            self.place = Place::Between;
                            return Some(Frame::End);
                        }
                        0 => Place::Skipped(length),
                        _ => Place::Length { so_far: length, may_be_end },
                    };
                }
                Place::Skipped(0) => self.place = Place::Between,
                Place::Skipped(left) => {
                    let n = left.min(octets.len());
                    *octets = &octets[n..];
                    self.place = Place::Skipped(left - n);
                }
            }
        }
        None
    }

    /// Forgets what it holds.
    pub(crate) fn clear(&mut self) {
        self.text = Vec::new();
    }
}

/// Takes what stands in front of the next FF, and that; whether there is one.
fn up_to_ff<'a>(octets: &mut &'a [u8]) -> (&'a [u8], bool) {
    let all = *octets;
    let end = all.iter().position(|octet| *octet == 0xff);
    *octets = end.map_or(&[][..], |end| &all[end + 1..]);
    (&all[..end.unwrap_or(all.len())], end.is_some())
}

/// What is not UTF-8 is replaced (draft 76 §5.3): a replacement character stands for it.
fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
