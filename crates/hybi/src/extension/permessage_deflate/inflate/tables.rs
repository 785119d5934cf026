//! Prefix codes as tables (RFC 1951 §3.2.2): code lengths go in, entries to look up the next bits come out.
//!
//! ```text
//! entry     31       30 .. 16        15        14      13       12 .. 8      7 .. 0
//!         literal     value       exception   more    end      code bits    all bits
//! ```
//!
//! *All bits* are those of the code and the extra bits behind it; *value* is an octet, the base of a length or
//! distance, or where a second table begins, whose index has *code bits* bits. An exception that is neither
//! *more* nor *end* is no code at all.
//!
//! A table is only as large as the longest code needs, so that a block of few codes costs little: what a peer
//! makes us work for grows with what it sends.

/// What some bits mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry(u32);

const LITERAL: u32 = 1 << 31;
const EXCEPTION: u32 = 1 << 15;
const MORE: u32 = EXCEPTION | 1 << 14;
const END: u32 = EXCEPTION | 1 << 13;
/// One more bit of code.
const CODE_BIT: u32 = 1 << 8 | 1;

impl Entry {
    const NOTHING: Self = Self(EXCEPTION);

    /// With so many extra bits behind the code.
    const fn new(value: u16, extra: u8) -> Self {
        Self(((value as u32) << 16) + extra as u32)
    }

    #[inline]
    const fn with_code_bits(self, n: u32) -> Self {
        Self(self.0 + n * CODE_BIT)
    }

    #[inline]
    const fn more(start: usize, index_bits: u32) -> Self {
        Self(((start as u32) << 16) + MORE + (index_bits << 8))
    }

    #[inline]
    pub(super) const fn is_literal(self) -> bool {
        self.0 & LITERAL != 0
    }

    #[inline]
    pub(super) const fn is_exception(self) -> bool {
        self.0 & EXCEPTION != 0
    }

    #[inline]
    pub(super) const fn is_end(self) -> bool {
        self.0 & END == END
    }

    /// The low octet of the value: a literal, or a symbol of the code of code lengths.
    #[inline]
    pub(super) const fn octet(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// The bits of code and extra bits.
    #[inline]
    pub(super) const fn bits(self) -> u32 {
        self.0 & 0xFF
    }

    /// The value with its extra bits, which are at the front of `bits` behind the code.
    #[inline]
    pub(super) const fn value(self, bits: u64) -> usize {
        let extra = (bits & ((1 << (self.0 & 0x3F)) - 1)) >> (self.0 >> 8 & 0x1F);
        (self.0 >> 16) as usize + extra as usize
    }
}

/// A code: entries of its first `root` bits, and behind them second tables for what is longer.
#[derive(Clone, Copy)]
pub(super) struct Code<'a> {
    entries: &'a [Entry],
    root: u32,
}

impl Code<'_> {
    /// What the bits at the front mean. If the entry has more bits than there are, they mean nothing yet.
    #[inline(always)]
    pub(super) fn find(self, bits: u64) -> Entry {
        let entry = self.entries[bits as usize & ((1 << self.root) - 1)];
        if entry.0 & MORE == MORE { self.find_longer(entry, bits) } else { entry }
    }

    #[inline]
    fn find_longer(self, entry: Entry, bits: u64) -> Entry {
        let index = (bits >> self.root) as usize & ((1 << (entry.0 >> 8 & 0x1F)) - 1);
        self.entries[(entry.0 >> 16) as usize + index]
    }
}

/// The literal/length and distance codes of one block, and what they are made of.
pub(super) struct Tables {
    literals: [Entry; MAX_LITERALS],
    distances: [Entry; MAX_DISTANCES],
    literal_root: u32,
    distance_root: u32,
    /// The code lengths, of the code of code lengths first and then of the two codes, while they arrive.
    pub(super) lengths: [u8; LITERAL_CODES + DISTANCE_CODES],
}

/// Codes of at most this length are found in one step.
const LITERAL_ROOT: u32 = 9;
const DISTANCE_ROOT: u32 = 8;
const LENGTHS_ROOT: u32 = 7;

/// The most entries that 286 codes with a root of 9 bits, and 30 codes with one of 8 can need: found by
/// exhaustive search, with the program `enough` of zlib.
const MAX_LITERALS: usize = 852;
const MAX_DISTANCES: usize = 402;

const LITERAL_CODES: usize = 286;
const DISTANCE_CODES: usize = 30;
/// Of the code of code lengths.
pub(super) const LENGTH_CODES: usize = 19;

/// Code lengths that are no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoCode;

impl Tables {
    pub(super) const fn new() -> Self {
        Self {
            literals: [Entry::NOTHING; MAX_LITERALS],
            distances: [Entry::NOTHING; MAX_DISTANCES],
            literal_root: 0,
            distance_root: 0,
            lengths: [0; LITERAL_CODES + DISTANCE_CODES],
        }
    }

    /// Makes the code of code lengths out of the first of `lengths`. It lives where the distances will.
    pub(super) fn build_lengths(&mut self) -> Result<(), NoCode> {
        let lengths = &self.lengths[..LENGTH_CODES];
        self.distance_root =
            build(&mut self.distances, lengths, LENGTHS_ROOT, |symbol| Entry::new(symbol, 0))?;
        // This code has to be complete, even one of a single symbol.
        if lengths.iter().filter(|length| **length > 0).count() < 2 { Err(NoCode) } else { Ok(()) }
    }

    pub(super) fn length_code(&self) -> Code<'_> {
        self.distance_code()
    }

    /// Makes both codes, the first out of so many `lengths`, the second out of so many after them.
    pub(super) fn build(&mut self, literals: usize, distances: usize) -> Result<(), NoCode> {
        let (literal, distance) = self.lengths[..literals + distances].split_at(literals);
        if literal[256] == 0 {
            return Err(NoCode); // no end of block
        }
        let entry = |symbol| LITERAL_ENTRIES[symbol as usize];
        self.literal_root = build(&mut self.literals, literal, LITERAL_ROOT, entry)?;
        let entry = |symbol| DISTANCE_ENTRIES[symbol as usize];
        self.distance_root = build(&mut self.distances, distance, DISTANCE_ROOT, entry)?;
        Ok(())
    }

    #[inline]
    pub(super) fn literal_code(&self) -> Code<'_> {
        Code { entries: &self.literals, root: self.literal_root }
    }

    #[inline]
    pub(super) fn distance_code(&self) -> Code<'_> {
        Code { entries: &self.distances, root: self.distance_root }
    }
}

/// Fills a table with the canonical code of these lengths; answers its root.
fn build(
    table: &mut [Entry],
    lengths: &[u8],
    max_root: u32,
    entry: impl Fn(u16) -> Entry,
) -> Result<u32, NoCode> {
    let mut count = [0u16; 16];
    for length in lengths {
        count[*length as usize & 15] += 1;
    }
    count[0] = 0;
    let Some(longest) = (1..16).rev().find(|n| count[*n] > 0) else {
        table[..2].fill(Entry::NOTHING.with_code_bits(1)); // no code: right as long as none is used
        return Ok(1);
    };
    check_complete(&count, longest)?;
    let (sorted, used) = sort(lengths, &count);
    let root = max_root.min(longest as u32);
    if longest == 1 {
        table[..2].fill(Entry::NOTHING.with_code_bits(1));
    }
    let (mut code, mut next) = (0u32, 0);
    for bits in 1..=root {
        for symbol in &sorted[next..next + count[bits as usize] as usize] {
            table[reverse(code, bits)] = entry(*symbol).with_code_bits(bits);
            code += 1;
        }
        next += count[bits as usize] as usize;
        code <<= 1;
        if bits < root {
            table.copy_within(..1 << bits, 1 << bits); // with either next bit
        }
    }
    build_longer(table, &sorted[next..used], root, code, count, entry);
    Ok(root)
}

/// The second tables, for codes that are longer than the root.
fn build_longer(
    table: &mut [Entry],
    sorted: &[u16],
    root: u32,
    mut code: u32,
    mut count: [u16; 16],
    entry: impl Fn(u16) -> Entry,
) {
    let (mut bits, mut free) = (root + 1, 1 << root);
    let (mut prefix, mut start, mut index_bits) = (usize::MAX, 0, 0);
    for symbol in sorted {
        while count[bits as usize] == 0 {
            bits += 1;
            code <<= 1;
        }
        let reversed = reverse(code, bits);
        if reversed & ((1 << root) - 1) != prefix {
            prefix = reversed & ((1 << root) - 1);
            index_bits = second_bits(&count, root);
            (start, free) = (free, free + (1 << index_bits));
            table[prefix] = Entry::more(start, index_bits);
        }
        let entry = entry(*symbol).with_code_bits(bits);
        for index in (reversed >> root..1 << index_bits).step_by(1 << (bits - root)) {
            table[start + index] = entry;
        }
        count[bits as usize] -= 1;
        code += 1;
    }
}

/// How many bits the index of the next second table has: as many as it takes until the codes that are left fill it. They
/// do, because the code is complete.
fn second_bits(count: &[u16; 16], root: u32) -> u32 {
    let (mut index_bits, mut left) = (0, 1i32);
    while left > 0 {
        index_bits += 1;
        left = (left << 1) - i32::from(count[(root + index_bits) as usize]);
    }
    index_bits
}

/// Each string of bits has to be the beginning of just one code; only a lone code of one bit may leave the
/// other half free.
fn check_complete(count: &[u16; 16], longest: usize) -> Result<(), NoCode> {
    let mut left = 1i32;
    for n in &count[1..=longest] {
        left = (left << 1) - i32::from(*n);
        if left < 0 {
            return Err(NoCode);
        }
    }
    if left == 0 || longest == 1 { Ok(()) } else { Err(NoCode) }
}

/// The symbols that have a code, the shortest codes first, and how many they are.
fn sort(lengths: &[u8], count: &[u16; 16]) -> ([u16; LITERAL_CODES], usize) {
    let mut next = [0u16; 16];
    for bits in 1..15 {
        next[bits + 1] = next[bits] + count[bits];
    }
    let mut sorted = [0; LITERAL_CODES];
    for (symbol, length) in (0..).zip(lengths) {
        if *length > 0 {
            let next = &mut next[*length as usize & 15];
            sorted[*next as usize] = symbol;
            *next += 1;
        }
    }
    (sorted, usize::from(next[15])) // where the longest end
}

/// A code is read from its first bit, a table is looked up from the last.
#[inline]
const fn reverse(code: u32, bits: u32) -> usize {
    (code.reverse_bits() >> (32 - bits)) as usize
}

/// What the symbols of the literal/length code mean (§3.2.5); 286 and 287 mean nothing.
const LITERAL_ENTRIES: [Entry; 288] = {
    let mut entries = [Entry::NOTHING; 288];
    let mut symbol = 0;
    while symbol < 256 {
        entries[symbol] = Entry(LITERAL | (symbol as u32) << 16);
        symbol += 1;
    }
    entries[256] = Entry(END);
    let (mut base, mut n) = (3, 0);
    while n < 28 {
        let extra = if n < 8 { 0 } else { (n / 4 - 1) as u8 };
        entries[257 + n] = Entry::new(base, extra);
        base += 1 << extra;
        n += 1;
    }
    entries[285] = Entry::new(258, 0);
    entries
};

/// What the symbols of the distance code mean (§3.2.5); 30 and 31 mean nothing.
const DISTANCE_ENTRIES: [Entry; 32] = {
    let mut entries = [Entry::NOTHING; 32];
    let (mut base, mut n) = (1u32, 0);
    while n < 30 {
        let extra = if n < 2 { 0 } else { (n / 2 - 1) as u8 };
        entries[n] = Entry::new(base as u16, extra);
        base += 1 << extra;
        n += 1;
    }
    entries
};

/// The fixed literal/length code (§3.2.6): made once, by the compiler.
pub(super) fn fixed_literal_code() -> Code<'static> {
    static ENTRIES: [Entry; 512] = {
        let mut table = [Entry::NOTHING; 512];
        let mut symbol = 0;
        while symbol < 288 {
            let (code, bits) = match symbol {
                0..144 => (0x30 + symbol, 8),
                144..256 => (0x190 + symbol - 144, 9),
                256..280 => (symbol - 256, 7),
                _ => (0xC0 + symbol - 280, 8),
            };
            let mut index = reverse(code, bits);
            while index < 512 {
                table[index] = LITERAL_ENTRIES[symbol as usize].with_code_bits(bits);
                index += 1 << bits;
            }
            symbol += 1;
        }
        table
    };
    Code { entries: &ENTRIES, root: 9 }
}

/// The fixed distance code (§3.2.6).
pub(super) fn fixed_distance_code() -> Code<'static> {
    static ENTRIES: [Entry; 32] = {
        let mut table = [Entry::NOTHING; 32];
        let mut symbol = 0;
        while symbol < 32 {
            table[reverse(symbol, 5)] = DISTANCE_ENTRIES[symbol as usize].with_code_bits(5);
            symbol += 1;
        }
        table
    };
    Code { entries: &ENTRIES, root: 5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_table_is_no_larger_than_its_codes_need() {
        // What two lengths of codes are left, how many of each, and the bits of the index.
        for (codes, expected) in [
            ([(10, 2), (15, 4)], 1),  // both codes of 10 bits, and that is all
            ([(10, 1), (11, 2)], 2),  // one of 10 bits, two of 11
            ([(12, 7), (13, 2)], 4),  // seven of 12 bits, two of 13
            ([(14, 32), (15, 2)], 5), // the shortest ones fill it
        ] {
            let mut count = [0; 16];
            codes.iter().for_each(|(bits, n)| count[*bits] = *n);
            assert_eq!(second_bits(&count, 9), expected, "{codes:?}");
        }
    }
}
