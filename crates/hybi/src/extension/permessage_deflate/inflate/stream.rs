//! A stream of deflate blocks (RFC 1951), as it arrives: octets in any pieces go in, inflated octets come out.
//!
//! ```text
//!            ┌──────────────▶ stored length ──▶ stored ─────────────┐
//!  header ───┼──────────────────────────────────────▶ codes ◀─▶ copy┤
//!    ▲       └▶ counts ▶ lengths of lengths ▶ lengths ─▲            │
//!    └──────────────────────────── end of block ◀───────────────────┘
//! ```
//!
//! It stops when the input ends, even inside a code, or when there is no room for what comes next, and goes on
//! from there. After a block that calls itself the last another one may follow, at an octet (RFC 7692
//! §7.2.3.4). The work for a block without output is bounded by its length: the fixed codes are made once for
//! all, and tables are as large as their codes need.

use alloc::vec::Vec;

use super::InflateError;
use super::history::History;
use super::tables::{Code, LENGTH_CODES, NoCode, Tables, fixed_distance_code, fixed_literal_code};

pub(super) struct Stream {
    bits: Bits,
    state: State,
    /// The current block, or the one that just ended, is a last one.
    last: bool,
    /// For codes that a block brings: at most one.
    tables: Vec<Tables>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header,
    StoredLength,
    Stored { left: usize },
    Counts,
    LengthsOfLengths { counts: Counts, at: usize },
    Lengths { counts: Counts, at: usize },
    Codes(Codes),
    Copy { codes: Codes, len: usize, distance: usize },
}

/// Whose codes.
#[derive(Clone, Copy, Debug)]
enum Codes {
    Fixed,
    Own,
}

/// How many code lengths a block brings (§3.2.7).
#[derive(Clone, Copy, Debug)]
struct Counts {
    literals: usize,
    distances: usize,
    lengths: usize,
}

/// Why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The input is used up.
    Input,
    /// There is no room for what comes next.
    Room,
}

/// What a step says: go on, or stop.
type Step = Result<Option<Stop>, InflateError>;

impl Stream {
    pub(super) const fn new() -> Self {
        Self { bits: Bits { buffer: 0, n: 0 }, state: State::Header, last: false, tables: Vec::new() }
    }

    /// All is inflated, to the end of a block and to the last bit.
    pub(super) fn is_at_boundary(&self) -> bool {
        matches!(self.state, State::Header) && self.bits.n == 0
    }

    /// The same, and the block called itself the last.
    pub(super) fn is_at_end(&self) -> bool {
        self.last && self.is_at_boundary()
    }

    /// Gives memory back, at the end of a block.
    pub(super) fn release(&mut self) {
        self.tables = Vec::new();
    }

    pub(super) fn heap_len(&self) -> usize {
        self.tables.capacity() * size_of::<Tables>()
    }

    /// Inflates until the input or the room is used up.
    pub(super) fn run(&mut self, input: &mut &[u8], sink: &mut Sink<'_>) -> Result<Stop, InflateError> {
        loop {
            let step = match self.state {
                State::Header => self.header(input),
                State::StoredLength => self.stored_length(input),
                State::Stored { left } => self.stored(left, input, sink),
                State::Counts => self.counts(input),
                State::LengthsOfLengths { counts, at } => self.lengths_of_lengths(counts, at, input),
                State::Lengths { counts, at } => self.lengths(counts, at, input),
                State::Codes(codes) => self.codes(codes, input, sink),
                State::Copy { codes, len, distance } => self.copy(codes, len, distance, sink),
            };
            if let Some(stop) = step? {
                self.bits.forget_unread();
                return Ok(stop);
            }
        }
    }

    /// BFINAL and BTYPE (§3.2.3).
    fn header(&mut self, input: &mut &[u8]) -> Step {
        if self.last {
            self.bits.align();
        }
        let Some(bits) = self.bits.take(3, input) else { return Ok(Some(Stop::Input)) };
        self.last = bits & 1 == 1;
        self.state = match bits >> 1 {
            0 => {
                self.bits.align();
                State::StoredLength
            }
            1 => State::Codes(Codes::Fixed),
            2 => State::Counts,
            _ => return Err(InflateError::Corrupt),
        };
        Ok(None)
    }

    /// LEN and NLEN (§3.2.4).
    fn stored_length(&mut self, input: &mut &[u8]) -> Step {
        let Some(bits) = self.bits.take(32, input) else { return Ok(Some(Stop::Input)) };
        let left = bits & 0xFFFF;
        if left != !(bits >> 16) & 0xFFFF {
            return Err(InflateError::Corrupt);
        }
        self.state = State::Stored { left };
        Ok(None)
    }

    fn stored(&mut self, mut left: usize, input: &mut &[u8], sink: &mut Sink<'_>) -> Step {
        while left > 0 && self.bits.n > 0 && sink.room() > 0 {
            sink.push(self.bits.peek() as u8);
            self.bits.drop(8);
            left -= 1;
        }
        if self.bits.n == 0 {
            self.bits.buffer = 0; // the octets that follow are taken from the input itself
            let n = left.min(input.len()).min(sink.room());
            sink.push_all(&input[..n]);
            *input = &input[n..];
            left -= n;
        }
        self.state = if left == 0 { State::Header } else { State::Stored { left } };
        Ok(match left {
            0 => None,
            _ if sink.room() == 0 => Some(Stop::Room),
            _ => Some(Stop::Input),
        })
    }

    /// HLIT, HDIST and HCLEN (§3.2.7).
    fn counts(&mut self, input: &mut &[u8]) -> Step {
        let Some(bits) = self.bits.take(14, input) else { return Ok(Some(Stop::Input)) };
        let literals = (bits & 0x1F) + 257;
        let distances = (bits >> 5 & 0x1F) + 1;
        let lengths = (bits >> 10) + 4;
        if literals > 286 || distances > 30 {
            return Err(InflateError::Corrupt);
        }
        if self.tables.is_empty() {
            self.tables.try_reserve_exact(1).map_err(|_| InflateError::OutOfMemory)?;
            self.tables.push(Tables::new());
        }
        self.tables[0].lengths[..LENGTH_CODES].fill(0);
        self.state = State::LengthsOfLengths { counts: Counts { literals, distances, lengths }, at: 0 };
        Ok(None)
    }

    fn lengths_of_lengths(&mut self, counts: Counts, at: usize, input: &mut &[u8]) -> Step {
        const ORDER: [u8; LENGTH_CODES] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        for (at, symbol) in ORDER.iter().enumerate().take(counts.lengths).skip(at) {
            let Some(length) = self.bits.take(3, input) else {
                self.state = State::LengthsOfLengths { counts, at };
                return Ok(Some(Stop::Input));
            };
            self.tables[0].lengths[*symbol as usize] = length as u8;
        }
        self.tables[0].build_lengths()?;
        self.state = State::Lengths { counts, at: 0 };
        Ok(None)
    }

    fn lengths(&mut self, counts: Counts, mut at: usize, input: &mut &[u8]) -> Step {
        let all = counts.literals + counts.distances;
        let tables = &mut self.tables[0];
        while at < all {
            self.bits.refill(input);
            let bits = self.bits.peek();
            let entry = tables.length_code().find(bits);
            let code = entry.bits();
            let (extra, base) = match entry.octet() {
                16 => (2, 3),
                17 => (3, 3),
                18 => (7, 11),
                _ => (0, 1),
            };
            if code + extra > self.bits.n {
                self.state = State::Lengths { counts, at };
                return Ok(Some(Stop::Input));
            }
            let times = base + ((bits >> code) as usize & ((1 << extra) - 1));
            let length = match entry.octet() {
                16 if at == 0 => return Err(InflateError::Corrupt),
                16 => tables.lengths[at - 1],
                17 | 18 => 0,
                length => length,
            };
            tables.lengths.get_mut(at..at + times).filter(|_| at + times <= all).ok_or(NoCode)?.fill(length);
            self.bits.drop(code + extra);
            at += times;
        }
        tables.build(counts.literals, counts.distances)?;
        self.state = State::Codes(Codes::Own);
        Ok(None)
    }

    fn codes(&mut self, codes: Codes, input: &mut &[u8], sink: &mut Sink<'_>) -> Step {
        let (literals, distances) = match codes {
            Codes::Fixed => (fixed_literal_code(), fixed_distance_code()),
            Codes::Own => (self.tables[0].literal_code(), self.tables[0].distance_code()),
        };
        let bits = &mut self.bits;
        loop {
            if input.len() >= INPUT && sink.room() >= ROOM {
                if codes_fast(bits, literals, distances, input, sink)? {
                    self.state = State::Header;
                    return Ok(None);
                }
                continue;
            }
            bits.refill(input);
            let entry = literals.find(bits.peek());
            if entry.bits() > bits.n {
                return Ok(Some(Stop::Input));
            }
            if entry.is_literal() {
                if sink.room() == 0 {
                    return Ok(Some(Stop::Room));
                }
                sink.push(entry.octet());
                bits.drop(entry.bits());
                continue;
            }
            if entry.is_exception() {
                if !entry.is_end() {
                    return Err(InflateError::Corrupt);
                }
                bits.drop(entry.bits());
                self.state = State::Header;
                return Ok(None);
            }
            let behind = bits.peek() >> entry.bits();
            let distance = distances.find(behind);
            if entry.bits() + distance.bits() > bits.n {
                return Ok(Some(Stop::Input));
            }
            if distance.is_exception() {
                return Err(InflateError::Corrupt);
            }
            let (len, distance) = (entry.value(bits.peek()), {
                bits.drop(entry.bits() + distance.bits());
                distance.value(behind)
            });
            sink.check(distance)?;
            if let left @ 1.. = len - sink.copy(len, distance) {
                self.state = State::Copy { codes, len: left, distance };
                return Ok(Some(Stop::Room));
            }
        }
    }

    /// What there was no room for.
    fn copy(&mut self, codes: Codes, len: usize, distance: usize, sink: &mut Sink<'_>) -> Step {
        let left = len - sink.copy(len, distance);
        if left > 0 {
            self.state = State::Copy { codes, len: left, distance };
            return Ok(Some(Stop::Room));
        }
        self.state = State::Codes(codes);
        Ok(None)
    }
}

impl From<NoCode> for InflateError {
    fn from(_: NoCode) -> Self {
        Self::Corrupt
    }
}

/// The room that one turn of [`codes_fast`] may use: three literals and the longest match, with the octets
/// that its copy writes too many.
pub(super) const ROOM: usize = 3 + 258 + CHUNK;
/// The input that one turn may use: two refills.
const INPUT: usize = 7 + 8;
/// Octets that are copied at a time.
const CHUNK: usize = 16;

/// The same rules as in [`Stream::codes`], where input and room are plenty: a turn takes one refill of bits for
/// up to three literals, and one for a match. Answers whether the block ended.
#[inline]
fn codes_fast(
    bits: &mut Bits,
    literals: Code<'_>,
    distances: Code<'_>,
    input: &mut &[u8],
    sink: &mut Sink<'_>,
) -> Result<bool, InflateError> {
    let mut local = *bits;
    let mut rest = *input;
    let mut ended = false;
    while rest.len() >= INPUT && sink.room() >= ROOM {
        local.refill(&mut rest);
        let mut entry = literals.find(local.peek());
        if entry.is_literal() {
            local.drop(entry.bits());
            sink.push(entry.octet());
            entry = literals.find(local.peek());
            if entry.is_literal() {
                local.drop(entry.bits());
                sink.push(entry.octet());
                entry = literals.find(local.peek());
                if entry.is_literal() {
                    local.drop(entry.bits());
                    sink.push(entry.octet());
                    continue;
                }
            }
            local.refill(&mut rest);
        }
        if entry.is_exception() {
            if !entry.is_end() {
                return Err(InflateError::Corrupt);
            }
            local.drop(entry.bits());
            ended = true;
            break;
        }
        let len = entry.value(local.peek());
        local.drop(entry.bits());
        let entry = distances.find(local.peek());
        if entry.is_exception() {
            return Err(InflateError::Corrupt);
        }
        let distance = entry.value(local.peek());
        local.drop(entry.bits());
        sink.check(distance)?;
        sink.copy_fast(len, distance);
    }
    (*bits, *input) = (local, rest);
    Ok(ended)
}

/// Bits that were read and not used, the next one lowest.
#[derive(Clone, Copy)]
struct Bits {
    /// Above the `n` bits that count there may be the next ones of the input.
    buffer: u64,
    n: u32,
}

impl Bits {
    /// Reads until there are at least 56 bits, or the input ends.
    #[inline(always)]
    fn refill(&mut self, input: &mut &[u8]) {
        if let Some(word) = input.first_chunk::<8>() {
            self.buffer |= u64::from_le_bytes(*word) << self.n;
            *input = &input[(63 - self.n as usize) >> 3..];
            self.n |= 56;
        } else {
            self.refill_slow(input);
        }
    }

    fn refill_slow(&mut self, input: &mut &[u8]) {
        while self.n < 56 {
            let Some((octet, rest)) = input.split_first() else { return };
            self.buffer |= u64::from(*octet) << self.n;
            self.n += 8;
            *input = rest;
        }
    }

    #[inline(always)]
    fn peek(&self) -> u64 {
        self.buffer
    }

    #[inline(always)]
    fn drop(&mut self, n: u32) {
        self.buffer >>= n;
        self.n -= n;
    }

    /// The next `n` bits, at most 32, if there are as many.
    #[inline]
    fn take(&mut self, n: u32, input: &mut &[u8]) -> Option<usize> {
        self.refill(input);
        if self.n < n {
            return None;
        }
        let bits = self.buffer & ((1 << n) - 1);
        self.drop(n);
        Some(bits as usize)
    }

    /// Goes to the next octet.
    fn align(&mut self) {
        self.drop(self.n & 7);
    }

    /// Whoever continues with other input must not find octets of this one that were not read.
    fn forget_unread(&mut self) {
        self.buffer &= (1 << self.n) - 1;
    }
}

/// Where inflated octets go, with what went before.
pub(super) struct Sink<'a> {
    octets: &'a mut [u8],
    len: usize,
    history: &'a History,
}

impl<'a> Sink<'a> {
    /// Goes on after the first `len` octets.
    pub(super) fn new(octets: &'a mut [u8], len: usize, history: &'a History) -> Self {
        Self { octets, len, history }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn room(&self) -> usize {
        self.octets.len() - self.len
    }

    #[inline(always)]
    fn push(&mut self, octet: u8) {
        self.octets[self.len] = octet;
        self.len += 1;
    }

    fn push_all(&mut self, octets: &[u8]) {
        self.octets[self.len..self.len + octets.len()].copy_from_slice(octets);
        self.len += octets.len();
    }

    /// A distance must not reach further back than the window, or than the first octet.
    #[inline(always)]
    fn check(&self, distance: usize) -> Result<(), InflateError> {
        if distance > self.history.window() || distance > self.len + self.history.len() {
            return Err(InflateError::Corrupt);
        }
        Ok(())
    }

    /// Repeats octets as far as there is room; answers how many.
    fn copy(&mut self, len: usize, distance: usize) -> usize {
        let len = len.min(self.room());
        let mut left = len;
        if let Some(back @ 1..) = distance.checked_sub(self.len) {
            let n = left.min(back);
            self.history.copy_to(back, &mut self.octets[self.len..self.len + n]);
            self.len += n;
            left -= n;
        }
        for at in self.len..self.len + left {
            self.octets[at] = self.octets[at - distance];
        }
        self.len += left;
        len
    }

    /// The same where the room is plenty: in chunks, if the distance allows it.
    #[inline(always)]
    fn copy_fast(&mut self, len: usize, distance: usize) {
        let end = self.len + len;
        if let Some(back @ 1..) = distance.checked_sub(self.len) {
            let run = self.history.run(back);
            if len > back || len.next_multiple_of(CHUNK) > run.len() {
                self.copy(len, distance);
                return;
            }
            let chunks = self.octets[self.len..].chunks_exact_mut(CHUNK).zip(run.chunks_exact(CHUNK));
            for (to, from) in chunks.take(len.div_ceil(CHUNK)) {
                to.copy_from_slice(from);
            }
            self.len = end;
            return;
        }
        match distance {
            1 => {
                let octet = self.octets[self.len - 1];
                self.octets[self.len..end].fill(octet);
            }
            2..CHUNK => {
                for at in self.len..end {
                    self.octets[at] = self.octets[at - distance];
                }
            }
            _ => {
                let mut to = self.len;
                while to < end {
                    let (before, after) = self.octets.split_at_mut(to);
                    after[..CHUNK].copy_from_slice(&before[to - distance..][..CHUNK]);
                    to += CHUNK;
                }
            }
        }
        self.len = end;
    }
}
