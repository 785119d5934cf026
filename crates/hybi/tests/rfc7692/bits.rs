//! Deflate streams written bit by bit.

#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    octets: Vec<u8>,
    n: usize,
}

impl Bits {
    /// A number of `n` bits, its lowest first, as everything but codes is sent (RFC 1951 §3.1.1).
    pub(crate) fn put(&mut self, number: u32, n: usize) -> &mut Self {
        for i in 0..n {
            if self.n.is_multiple_of(8) {
                self.octets.push(0);
            }
            *self.octets.last_mut().unwrap() |= ((number >> i & 1) as u8) << (self.n % 8);
            self.n += 1;
        }
        self
    }

    /// A code, its first bit first.
    pub(crate) fn code(&mut self, code: &str) -> &mut Self {
        for bit in code.bytes() {
            self.put(u32::from(bit - b'0'), 1);
        }
        self
    }

    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        for i in 0..other.n {
            self.put(u32::from(other.octets[i / 8] >> (i % 8) & 1), 1);
        }
        self
    }

    pub(crate) fn align(&mut self) -> &mut Self {
        while !self.n.is_multiple_of(8) {
            self.put(0, 1);
        }
        self
    }

    /// The header of a block of type 0 to 2.
    pub(crate) fn header(&mut self, last: bool, kind: u32) -> &mut Self {
        self.put(last.into(), 1).put(kind, 2)
    }

    pub(crate) fn stored(&mut self, last: bool, octets: &[u8]) -> &mut Self {
        let len = octets.len() as u32;
        self.header(last, 0).align().put(len, 16).put(!len & 0xFFFF, 16);
        for octet in octets {
            self.put((*octet).into(), 8);
        }
        self
    }

    /// A literal below 144 in the fixed code.
    pub(crate) fn literal(&mut self, octet: u8) -> &mut Self {
        assert!(octet < 144);
        let code = 0x30 + u32::from(octet);
        self.put(code.reverse_bits() >> 24, 8)
    }

    /// A match of three octets in the fixed code.
    pub(crate) fn match_3(&mut self, distance: u32) -> &mut Self {
        let (mut symbol, mut base, mut extra) = (0, 1, 0);
        while distance >= base + (1 << extra) {
            base += 1 << extra;
            symbol += 1;
            extra = if symbol < 2 { 0 } else { symbol / 2 - 1 };
        }
        self.code("0000001");
        self.put(u32::from(symbol as u8).reverse_bits() >> 27, 5).put(distance - base, extra as usize)
    }

    /// The end of a block in the fixed code.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.code("0000000")
    }

    /// The payload of a message that ends here: the header of the block that the tail completes.
    pub(crate) fn payload(&self) -> Vec<u8> {
        self.clone().header(false, 0).octets.clone()
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        self.octets.clone()
    }
}

/// A block with codes of its own: lengths of the code of code lengths in the order of the RFC, then the code
/// lengths, coded by the caller.
pub(crate) fn dynamic(literals: u32, distances: u32, lengths: &[u32]) -> Bits {
    let mut bits = Bits::default();
    bits.header(false, 2).put(literals - 257, 5).put(distances - 1, 5).put(lengths.len() as u32 - 4, 4);
    for length in lengths {
        bits.put(*length, 3);
    }
    bits
}

/// The shortest such block without output: a code for the end of the block, and one distance.
pub(crate) fn empty_dynamic() -> Bits {
    // 18 and 1 have codes of one bit: 1 is `0`, 18 is `1`.
    let mut bits = dynamic(257, 1, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bits.code("1").put(138 - 11, 7).code("1").put(118 - 11, 7).code("0").code("0"); // 256 zeros, 1, 1
    bits.code("0"); // the end of the block
    bits
}
