//! Output that waits for the transport.
//!
//! ```text
//!   segments: [ copied.. ][ by reference ][ copied.. ] ...   tail: [ copied.. ]
//!               ^ head: octets of the first segment that were transmitted
//! ```
//!
//! Headers, small payloads and control frames are copied to the tail; large payloads are queued by reference between
//! such pieces. After a partial write an offset moves and nothing else. A piece that was transmitted is freed; an empty
//! queue holds no memory, but for a tail that was lent, and a small one while more is expected. While a message is sent
//! whose payload was lent, that payload counts as the last of what waits, though it does not lie here.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use core::ops::Deref;

#[derive(Debug, Default)]
pub(super) struct Queue {
    segments: VecDeque<Segment>,
    tail: Vec<u8>,
    /// Octets of the first segment, or of the tail if there is none, that were transmitted.
    head: usize,
    /// Octets that wait.
    len: usize,
    /// Those of them, the last, that lie with whoever sends them.
    outside: usize,
    /// Octets that ever were transmitted.
    transmitted: u64,
    /// How large the tail became before it was emptied, lately: the first guess for the next.
    usual: u32,
    /// Whether the tail was lent.
    lent: bool,
    /// Whether more is expected to be queued soon.
    expecting: bool,
}

/// A piece of output: a tail that was closed, or octets by reference. (To make `Bytes` of a tail would
/// allocate.)
#[derive(Debug)]
enum Segment {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Deref for Segment {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Copied(octets) => octets,
            Self::Shared(octets) => octets,
        }
    }
}

/// A tail of this size is closed and a new one begun, so that what was transmitted can be freed. The answers to a read
/// of 64 KiB fit in one, with their headers.
const TAIL: usize = 96 * 1024;
/// The largest first guess: a whole tail, so that a busy connection does not grow one step by step for each read.
const MAX_GUESS: u32 = TAIL as u32;
/// The largest tail that an empty queue keeps while more is expected. Of a larger one, many messages share the cost.
const KEPT: usize = 8 * 1024;

impl Queue {
    /// Octets that wait to be transmitted.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Nothing waits, and no memory was lent.
    pub(super) fn is_at_rest(&self) -> bool {
        self.len == 0 && !self.lent
    }

    /// Octets that ever were queued: the position in the stream of what is queued next.
    #[inline]
    pub(super) fn total(&self) -> u64 {
        self.transmitted + self.len as u64
    }

    /// Octets that ever were transmitted.
    #[inline]
    pub(super) fn transmitted_total(&self) -> u64 {
        self.transmitted
    }

    /// Says whether more is expected to be queued soon: then a small tail is worth keeping when nothing waits.
    #[inline]
    pub(super) fn expect(&mut self, more: bool) {
        self.expecting = more;
        if !more && self.len == 0 && !self.lent {
            self.tail = Vec::new();
        }
    }

    /// Takes memory for the tail; it comes back if something waits in one, or if one was lent already.
    pub(super) fn lend(&mut self, mut memory: Vec<u8>) -> Option<Vec<u8>> {
        if !self.tail.is_empty() || self.lent && self.tail.capacity() > 0 {
            return Some(memory);
        }
        memory.clear();
        (self.tail, self.lent) = (memory, true);
        None
    }

    /// Gives the lent memory back. If something waits in it, it stays and is ours.
    pub(super) fn reclaim(&mut self) -> Option<Vec<u8>> {
        let lent = core::mem::take(&mut self.lent);
        (lent && self.tail.is_empty()).then(|| core::mem::take(&mut self.tail))
    }

    /// Room for so many octets at the tail. `None` if there is no memory.
    #[inline]
    pub(super) fn reserve(&mut self, n: usize) -> Option<()> {
        if self.has_room(n) { Some(()) } else { self.grow(n) }
    }

    /// Whether there is room for so many octets at the tail.
    #[inline]
    pub(super) fn has_room(&self, n: usize) -> bool {
        self.tail.capacity() - self.tail.len() >= n
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, n: usize) -> Option<()> {
        if self.tail.len() + n > TAIL && !self.tail.is_empty() {
            self.segments.try_reserve(1).ok()?;
            self.close_tail();
        }
        if self.tail.capacity() == 0 {
            // With some room, so that growing stays rare where tails differ.
            let guess = (self.usual + self.usual / 4).min(MAX_GUESS) as usize;
            return self.tail.try_reserve_exact(n.max(guess)).ok();
        }
        self.tail.try_reserve(n).ok()
    }

    /// Room for a header at the tail and a segment behind it: what comes after the header cannot fail.
    pub(super) fn reserve_for_shared(&mut self, header: usize) -> Option<()> {
        self.segments.try_reserve(3).ok()?;
        self.reserve(header)
    }

    /// Appends to the tail; room was reserved.
    #[inline]
    pub(super) fn push(&mut self, n: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.tail);
        self.len += n;
    }

    /// Queues by reference; room was reserved by [`Self::reserve_for_shared`].
    pub(super) fn push_shared(&mut self, octets: Bytes) {
        self.close_tail();
        self.len += octets.len();
        self.segments.push_back(Segment::Shared(octets));
    }

    /// Queues octets that lie with whoever sends them. Until they were transmitted or [taken in](Self::take_in) nothing
    /// else is queued.
    pub(super) fn push_outside(&mut self, n: usize) {
        self.outside = n;
        self.len += n;
    }

    /// How many of those wait.
    #[inline]
    pub(super) fn outside(&self) -> usize {
        self.outside
    }

    /// Appends the first of those: they lie here now. `None` if there is no memory, and then they lie nowhere.
    pub(super) fn take_in(&mut self, n: usize, write: impl FnOnce(&mut Vec<u8>)) -> Option<()> {
        self.outside -= n;
        self.len -= n;
        self.reserve(n)?;
        self.push(n, write);
        Some(())
    }

    /// Makes a segment of the tail; room was reserved.
    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.usual = self.usual.max((self.tail.len() as u32).min(MAX_GUESS));
            self.segments.push_back(Segment::Copied(core::mem::take(&mut self.tail)));
            self.lent = false;
        }
    }

    /// The first contiguous piece of what waits.
    #[inline]
    pub(super) fn first(&self) -> &[u8] {
        &self.segments.front().map_or(&self.tail[..], |segment| segment)[self.head..]
    }

    /// Fills `slices` with what waits, from the front; returns how many it used.
    pub(super) fn slices<'s>(&'s self, slices: &mut [&'s [u8]]) -> usize {
        let mut head = self.head;
        let pieces = self.segments.iter().map(|segment| &segment[..]).chain([&self.tail[..]]);
        let mut used = 0;
        for (slot, piece) in slices.iter_mut().zip(pieces.filter(|piece| !piece.is_empty())) {
            *slot = &piece[core::mem::take(&mut head)..];
            used += 1;
        }
        used
    }

    /// The transport took so many octets from the front.
    #[inline]
    pub(super) fn transmitted(&mut self, mut n: usize) {
        assert!(n <= self.len, "more octets than there were to transmit");
        self.len -= n;
        self.transmitted += n as u64;
        while let Some(segment) = self.segments.front() {
            let left = segment.len() - self.head;
            if n < left {
                self.head += n;
                return;
            }
            n -= left;
            self.head = 0;
            self.segments.pop_front();
        }
        self.head += n;
        if self.outside > 0 && self.head >= self.tail.len() {
            self.outside -= self.head - self.tail.len();
            self.tail.clear();
            self.head = 0;
        }
        if self.len == 0 {
            self.release();
        }
    }

    /// Nothing waits: gives the memory back, or what of it is worth keeping.
    fn release(&mut self) {
        let len = self.tail.len().min(MAX_GUESS as usize) as u32;
        self.usual = len.max(self.usual - self.usual.saturating_sub(len) / 8); // up at once, down in steps
        self.head = 0;
        if self.segments.capacity() > 0 {
            self.segments = VecDeque::new();
        }
        if self.lent || self.expecting && self.tail.capacity() <= KEPT {
            self.tail.clear();
        } else {
            self.tail = Vec::new();
        }
    }

    /// Nothing but a close frame follows, so there is no more memory for it than it needs.
    pub(super) fn expect_the_end(&mut self) {
        self.usual = 0;
        self.expect(false);
    }

    /// Drops what waits, as if it had never been queued.
    pub(super) fn clear(&mut self) {
        (self.len, self.outside, self.expecting) = (0, 0, false);
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = if cfg!(miri) { 50 } else { 5000 };

    fn queue() -> (Queue, Vec<u8>) {
        let mut queue = Queue::default();
        let mut expected = Vec::new();
        for n in 0..6u8 {
            let small = [n; 10];
            queue.reserve(10).expect("memory");
            queue.push(10, |tail| tail.extend_from_slice(&small));
            expected.extend_from_slice(&small);
            if n % 2 == 0 {
                let large = alloc::vec![100 + n; LARGE];
                expected.extend_from_slice(&large);
                queue.reserve_for_shared(0).expect("memory");
                queue.push_shared(large.into());
            }
        }
        (queue, expected)
    }

    fn view(queue: &Queue) -> Vec<u8> {
        let mut slices = [&[][..]; 32];
        let used = queue.slices(&mut slices);
        assert!(slices[..used].iter().all(|slice| !slice.is_empty()));
        slices[..used].concat()
    }

    #[test]
    fn order_survives_every_partial_write() {
        let (whole, expected) = queue();
        assert_eq!(view(&whole), expected);
        for step in (1..=expected.len()).step_by(7) {
            let (mut queue, _) = queue();
            let mut sent = 0;
            while queue.len() > 0 {
                assert_eq!(view(&queue), expected[sent..]);
                assert!(expected[sent..].starts_with(queue.first()) && !queue.first().is_empty());
                let n = step.min(queue.len());
                queue.transmitted(n);
                sent += n;
                assert_eq!((queue.transmitted_total(), queue.total()), (sent as u64, expected.len() as u64));
            }
            assert_eq!(sent, expected.len());
            assert_eq!(
                (queue.tail.capacity(), queue.segments.capacity()),
                (0, 0),
                "holds nothing when empty"
            );
        }
    }

    #[test]
    fn a_queue_that_never_runs_empty_frees_what_was_transmitted() {
        let mut queue = Queue::default();
        for _ in 0..1000 {
            queue.reserve(1000).expect("memory");
            queue.push(1000, |tail| tail.extend_from_slice(&[7; 1000]));
            if queue.len() > 3000 {
                queue.transmitted(1000);
            }
        }
        let held: usize =
            queue.segments.iter().map(|segment| segment.len()).sum::<usize>() + queue.tail.capacity();
        assert!(held <= 3 * TAIL, "{held}");
    }

    /// A quarter more than what the last ones needed; and that falls in steps.
    #[test]
    fn the_first_guess_is_what_was_usual() {
        let mut queue = Queue::default();
        let mut room = |n: usize| {
            queue.reserve(n).expect("memory");
            let room = queue.tail.capacity();
            queue.push(n, |tail| tail.resize(n, 7));
            queue.transmitted(n);
            room
        };
        assert_eq!(room(1000), 1000);
        assert_eq!(room(200), 1250);
        assert_eq!(room(200), 900 + 225, "an eighth of the difference less");
    }

    #[test]
    fn a_tail_may_be_as_large_as_it_may_and_no_larger() {
        for (more, pieces) in [(10, 1), (11, 2)] {
            let mut queue = Queue::default();
            for n in [TAIL - 10, more] {
                queue.reserve(n).expect("memory");
                queue.push(n, |tail| tail.extend_from_slice(&alloc::vec![0; n]));
            }
            assert_eq!(queue.slices(&mut [&[][..]; 4]), pieces, "{more}");
        }
    }

    #[test]
    fn a_small_tail_stays_while_more_is_expected() {
        for (n, kept) in [(KEPT, KEPT), (KEPT + 1, 0)] {
            let mut queue = Queue::default();
            queue.expect(true);
            queue.reserve(n).expect("memory");
            queue.push(1, |tail| tail.push(7));
            queue.transmitted(1);
            assert_eq!(queue.tail.capacity(), kept);
            queue.expect(false);
            assert_eq!(queue.tail.capacity(), 0);
        }
    }

    #[test]
    fn where_a_header_was_there_is_room_while_its_payload_lies_outside() {
        let mut queue = Queue::default();
        queue.reserve(10).expect("memory");
        queue.push(10, |tail| tail.extend_from_slice(&[7; 10]));
        queue.push_outside(100);
        assert!(!queue.has_room(1));
        queue.transmitted(10);
        assert_eq!((queue.len(), queue.outside(), queue.first()), (100, 100, &[][..]));
        assert!(queue.has_room(10));
    }

    #[test]
    fn a_short_view_shows_the_front() {
        let (queue, expected) = queue();
        let mut slices = [&[][..]; 2];
        assert_eq!(queue.slices(&mut slices), 2);
        assert!(expected.starts_with(&slices.concat()));
    }
}
