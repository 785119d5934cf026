//! The first octets of the body of a response (RFC 9112 §6 and §7.1).
//!
//! A refused handshake often says why in its body. [`BodyStart`] keeps as much of it as a limit allows, and
//! knows when there is no more to come. It ends nothing and fails nothing: the handshake is over already.

use alloc::vec::Vec;

use super::fields::Fields;

/// Collects the start of a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyStart {
    framing: Framing,
    kept: Vec<u8>,
    limit: usize,
}

/// What says where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// `Content-Length`: so many octets are still to come.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked(Chunk),
    /// The end of the transport.
    TransportEnd,
    /// Nothing more is to come, or to be kept.
    Over,
}

/// Where in the chunked coding the next octet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the digits of a size.
    Size(u64),
    /// Behind the size, up to the line end.
    Extension(u64),
    /// In the data: so many octets are still to come.
    Data(u64),
    /// Between the data and the next size.
    DataEnd,
}

impl BodyStart {
    /// For the body that follows a head with this status and these fields, when the request was a GET.
    pub(crate) fn new(status: u16, fields: &Fields, limit: usize) -> Self {
        let framing = if matches!(status, 100..=199 | 204 | 304) {
            Framing::Over
        } else if fields.contains("Transfer-Encoding") {
            if fields.lists("Transfer-Encoding", "chunked") {
                Framing::Chunked(Chunk::Size(0))
            } else {
                Framing::TransportEnd
            }
        } else {
            fields
                .exactly_one("Content-Length")
                .and_then(parse_length)
                .map_or(Framing::TransportEnd, Framing::Length)
        };
        let mut body = Self { framing, kept: Vec::new(), limit };
        body.settle();
        body
    }

    /// Takes what belongs to the body and drops the rest.
    pub(crate) fn receive(&mut self, mut octets: &[u8]) {
        while let (false, Some(first)) = (self.is_over(), octets.first()) {
            let taken = match self.framing {
                Framing::Length(left) => {
                    let taken = self.keep(octets, left);
                    self.framing = Framing::Length(left - taken as u64);
                    taken
                }
                Framing::TransportEnd => self.keep(octets, u64::MAX),
                Framing::Chunked(Chunk::Data(left)) => {
                    let taken = self.keep(octets, left);
                    let left = left - taken as u64;
                    self.framing =
                        Framing::Chunked(if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) });
                    taken
                }
                Framing::Chunked(chunk) => {
                    self.framing = chunk.next(*first);
                    1
                }
                Framing::Over => return,
            };
            octets = &octets[taken..];
            self.settle();
        }
    }

    /// The transport ended, or nobody waits any longer.
    pub(crate) fn end(&mut self) {
        self.framing = Framing::Over;
    }

    /// Whether no more is to come, or to be kept.
    pub(crate) fn is_over(&self) -> bool {
        self.framing == Framing::Over
    }

    /// What was kept.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// Keeps what the framing and the limit allow; at least one octet, for a settled body has room.
    fn keep(&mut self, octets: &[u8], left: u64) -> usize {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let taken = octets.len().min(left).min(self.limit - self.kept.len());
        self.kept.extend_from_slice(&octets[..taken]);
        taken
    }

    fn settle(&mut self) {
        if self.framing == Framing::Length(0) || self.kept.len() >= self.limit {
            self.framing = Framing::Over;
        }
    }
}

impl Chunk {
    /// The state behind this octet. What is no chunked coding ends the body: we only want its start.
    fn next(self, octet: u8) -> Framing {
        match (self, octet) {
            (Self::Size(size) | Self::Extension(size), b'\n') => match size {
                0 => Framing::Over, // the last chunk; trailers are of no interest
                _ => Framing::Chunked(Self::Data(size)),
            },
            (Self::Size(size), _) => match (octet as char).to_digit(16) {
                Some(digit) if size >> 60 == 0 => {
                    Framing::Chunked(Self::Size((size << 4) + u64::from(digit)))
                }
                None if matches!(octet, b';' | b'\r' | b' ' | b'\t') => {
                    Framing::Chunked(Self::Extension(size))
                }
                _ => Framing::Over,
            },
            (Self::DataEnd, b'\n') => Framing::Chunked(Self::Size(0)),
            (Self::DataEnd, b'\r') | (Self::Extension(_) | Self::Data(_), _) => Framing::Chunked(self),
            (Self::DataEnd, _) => Framing::Over,
        }
    }
}

/// The value of `Content-Length`: digits and nothing else (RFC 9110 §8.6). `None` also when it is beyond
/// 64 bits.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |length, octet| {
        let digit = octet.is_ascii_digit().then(|| octet - b'0')?;
        length.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept of a body, and whether it is known to be over; the same for any pieces.
    fn collect(field: (&str, &str), body: &str, limit: usize) -> (Vec<u8>, bool) {
        let mut fields = Fields::default();
        fields.push(field.0, field.1.as_bytes()).expect("a good field");
        let mut whole = BodyStart::new(403, &fields, limit);
        whole.receive(body.as_bytes());
        for step in 1..body.len() {
            let mut start = BodyStart::new(403, &fields, limit);
            body.as_bytes().chunks(step).for_each(|piece| start.receive(piece));
            assert_eq!(
                (start.kept(), start.is_over()),
                (whole.kept(), whole.is_over()),
                "in pieces of {step}"
            );
        }
        (whole.kept().into(), whole.is_over())
    }

    #[test]
    fn the_length_decides() {
        assert_eq!(collect(("Content-Length", "4"), "abcdef", 10), (b"abcd".into(), true));
        assert_eq!(collect(("Content-Length", "9"), "abcdef", 10), (b"abcdef".into(), false));
        assert_eq!(collect(("Content-Length", "0"), "abcdef", 10), (b"".into(), true));
        assert_eq!(collect(("Content-Length", "99999999999999999999"), "abc", 10), (b"abc".into(), false));
        assert_eq!(collect(("Content-Length", "+2"), "abc", 10), (b"abc".into(), false));
    }

    #[test]
    fn chunks_are_joined() {
        let chunked = ("Transfer-Encoding", "Chunked");
        assert_eq!(
            collect(chunked, "3\r\nabc\r\n0002 ;x=1\r\nde\r\n0\r\n\r\nf", 10),
            (b"abcde".into(), true)
        );
        assert_eq!(collect(chunked, "3\r\nabc\r\nF\r\nde", 10), (b"abcde".into(), false));
        assert_eq!(
            collect(chunked, "1f\r\na chunk of more than 15 octets.\r\n0\r\n\r\n", 40),
            (b"a chunk of more than 15 octets.".into(), true)
        );
        assert_eq!(collect(chunked, "3\r\nabcd", 10), (b"abc".into(), true));
        assert_eq!(collect(chunked, "fffffffffffffffff\r\n", 10), (b"".into(), true));
        assert_eq!(collect(chunked, "nonsense", 10), (b"".into(), true));
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        for field in [("Content-Length", "6"), ("X", "1")] {
            assert_eq!(collect(field, "abcdef", 4), (b"abcd".into(), true));
            assert_eq!(collect(field, "abcdef", 0), (b"".into(), true));
        }
        assert_eq!(collect(("Transfer-Encoding", "chunked"), "6\r\nabcdef\r\n", 4), (b"abcd".into(), true));
    }

    #[test]
    fn some_answers_have_no_body() {
        for status in [204, 304] {
            assert!(BodyStart::new(status, &Fields::default(), 9).is_over());
        }
        let mut body = BodyStart::new(500, &Fields::default(), 9);
        body.receive(b"abc");
        assert!(!body.is_over());
        body.end();
        body.receive(b"def");
        assert_eq!((body.is_over(), body.kept()), (true, &b"abc"[..]));
    }
}
