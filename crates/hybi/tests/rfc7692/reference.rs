//! Inflating as RFC 1951 describes it, bit by bit, slow and plain; it says how far back the stream referred.

/// What a stream is.
#[derive(Debug, Default)]
pub(crate) struct Inflated {
    pub(crate) octets: Vec<u8>,
    /// The longest distance.
    pub(crate) distance: usize,
}

/// A stream from its beginning; `None` if it is none. It may end after any block.
pub(crate) fn inflate(stream: &[u8]) -> Option<Inflated> {
    let mut bits = Bits { stream, at: 0 };
    let mut out = Inflated::default();
    while bits.at < stream.len() * 8 {
        let last = bits.number(1)? == 1;
        match bits.number(2)? {
            0 => stored(&mut bits, &mut out)?,
            1 => {
                let literals = [&[8; 144][..], &[9; 112], &[7; 24], &[8; 8]].concat();
                codes(&mut bits, &mut out, &Code::new(&literals), &Code::new(&[5; 32]))?;
            }
            2 => {
                let (literals, distances) = own_codes(&mut bits)?;
                codes(&mut bits, &mut out, &literals, &distances)?;
            }
            _ => return None,
        }
        if last {
            bits.align();
        }
    }
    Some(out)
}

struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn number(&mut self, n: usize) -> Option<usize> {
        let mut number = 0;
        for i in 0..n {
            let octet = *self.stream.get(self.at / 8)?;
            number |= (octet as usize >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Some(number)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// A canonical code (§3.2.2): how many codes there are of each length, and their symbols in order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let of = |length| (0..lengths.len()).filter(move |symbol| lengths[*symbol] == length);
        Self {
            counts: std::array::from_fn(|length| if length == 0 { 0 } else { of(length).count() }),
            symbols: (1..16).flat_map(of).collect(),
        }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            code = code << 1 | bits.number(1)?;
            first <<= 1;
            if code < first + count {
                return Some(self.symbols[index + code - first]);
            }
            first += count;
            index += count;
        }
        None
    }
}

fn stored(bits: &mut Bits<'_>, out: &mut Inflated) -> Option<()> {
    bits.align();
    let (len, not_len) = (bits.number(16)?, bits.number(16)?);
    if len != !not_len & 0xFFFF {
        return None;
    }
    for _ in 0..len {
        out.octets.push(bits.number(8)? as u8);
    }
    Some(())
}

fn own_codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    let (literals, distances, n) = (bits.number(5)? + 257, bits.number(5)? + 1, bits.number(4)? + 4);
    let mut lengths = [0; 19];
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].into_iter().take(n) {
        lengths[symbol] = bits.number(3)?;
    }
    let code = Code::new(&lengths);
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match code.symbol(bits)? {
            16 => (*lengths.last()?, 3 + bits.number(2)?),
            17 => (0, 3 + bits.number(3)?),
            18 => (0, 11 + bits.number(7)?),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times));
    }
    (lengths.len() == literals + distances)
        .then(|| (Code::new(&lengths[..literals]), Code::new(&lengths[literals..])))
}

fn codes(bits: &mut Bits<'_>, out: &mut Inflated, literals: &Code, distances: &Code) -> Option<()> {
    loop {
        let len = match literals.symbol(bits)? {
            symbol @ 0..256 => {
                out.octets.push(symbol as u8);
                continue;
            }
            256 => return Some(()),
            285 => 258,
            symbol @ 257..265 => symbol - 254,
            symbol @ 265..285 => {
                let extra = (symbol - 261) / 4;
                ((4 + (symbol - 265) % 4) << extra) + 3 + bits.number(extra)?
            }
            _ => return None,
        };
        let distance = match distances.symbol(bits)? {
            symbol @ 0..4 => symbol + 1,
            symbol @ 4..30 => {
                let extra = symbol / 2 - 1;
                ((2 + symbol % 2) << extra) + 1 + bits.number(extra)?
            }
            _ => return None,
        };
        out.distance = out.distance.max(distance);
        for _ in 0..len {
            out.octets.push(*out.octets.get(out.octets.len().checked_sub(distance)?)?);
        }
    }
}
