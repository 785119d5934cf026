//! The receive buffer of a connection: octets that arrived and are not decoded yet.
//!
//! Nothing is allocated until something must wait, and nothing is kept when nothing waits, but for a little between
//! reads that cut a frame. Once the events are drained at most 139 octets wait (the beginning of a frame), so moving
//! them to the front is cheap.
//!
//! The memory may be somebody else's, lent for a while: then it is not given back here but reclaimed there.

use alloc::vec::Vec;
use core::ops::Range;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Initialised to its whole length, so that its tail can be lent without being cleared each time.
    octets: Vec<u8>,
    start: usize,
    end: usize,
    /// How much to offer to the next read: follows what reads bring.
    read_len: u32,
    /// Whether `octets` was lent.
    lent: bool,
}

/// The least and the most that is offered to one read.
const MIN_READ: usize = 4 * 1024;
const MAX_READ: usize = 64 * 1024;

impl Buffer {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub(super) fn waiting(&mut self) -> &mut [u8] {
        &mut self.octets[self.start..self.end]
    }

    #[inline]
    pub(super) fn is_lent(&self) -> bool {
        self.lent
    }

    /// The place in [`Self::all`] of a range of [`Self::waiting`].
    #[inline]
    pub(super) fn absolute(&self, place: Range<usize>) -> Range<usize> {
        self.start + place.start..self.start + place.end
    }

    #[inline]
    pub(super) fn all(&mut self) -> &mut [u8] {
        &mut self.octets
    }

    #[inline]
    pub(super) fn consume(&mut self, n: usize) {
        self.start += n;
        debug_assert!(self.start <= self.end);
    }

    /// Takes out a copy of what waits. Its memory stays for now: an event may be lent from what lies before.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let taken = self.waiting().to_vec();
        self.start = self.end;
        taken
    }

    /// Gives the memory back if nothing waits in it; if more of a frame is to come, only what small reads do not need.
    #[inline]
    pub(super) fn release_if_empty(&mut self, inside_frame: bool) {
        if self.is_empty() && !self.octets.is_empty() && !(inside_frame && self.octets.len() <= MIN_READ) {
            self.release();
        }
    }

    pub(super) fn release(&mut self) {
        (self.start, self.end) = (0, 0);
        if !self.lent {
            self.octets = Vec::new();
        }
    }

    /// Takes memory for a while; what waits moves to its front. It comes back at once if some was lent
    /// already, or if what waits does not fit.
    pub(super) fn lend(&mut self, mut memory: Vec<u8>) -> Option<Vec<u8>> {
        let waiting = self.len();
        if self.lent || memory.len() <= waiting {
            return Some(memory);
        }
        memory[..waiting].copy_from_slice(&self.octets[self.start..self.end]);
        (self.octets, self.start, self.end, self.lent) = (memory, 0, waiting, true);
        None
    }

    /// Gives lent memory back; what waits in it moves to memory of its own size. `None` if none was lent, or
    /// if there is no memory to move to.
    pub(super) fn reclaim(&mut self) -> Option<Vec<u8>> {
        if !self.lent {
            return None;
        }
        let mut own = Vec::new();
        own.try_reserve_exact(self.len()).ok()?;
        own.extend_from_slice(&self.octets[self.start..self.end]);
        (self.start, self.end, self.lent) = (0, own.len(), false);
        Some(core::mem::replace(&mut self.octets, own))
    }

    /// Makes room for a read behind what waits; false if there is no memory. Lent memory is as large as it is.
    pub(super) fn make_space(&mut self) -> bool {
        if self.lent {
            self.move_to_front();
            if self.end < self.octets.len() {
                return true;
            }
        }
        self.make_room((self.read_len as usize).clamp(MIN_READ, MAX_READ), true).is_some()
    }

    /// The room behind what waits.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.octets[self.end..]
    }

    /// So many octets of [`Self::space`] were written.
    pub(super) fn filled(&mut self, n: usize) {
        let offered = self.octets.len() - self.end;
        assert!(n <= offered, "more octets than there was space for");
        self.end += n;
        // A read that fills what it was offered is followed by a larger one, a small one by a smaller.
        let read_len = if n == offered { offered * 2 } else { (2 * n).max(offered / 2) };
        self.read_len = read_len.clamp(MIN_READ, MAX_READ) as u32;
    }

    /// Appends a copy; what waits may move for it, or stays where it is, and what lies before it too. `None`, and
    /// nothing is appended, if there is no memory.
    pub(super) fn append(&mut self, octets: &[u8], may_move: bool) -> Option<()> {
        self.make_room(octets.len(), may_move)?;
        self.octets[self.end..self.end + octets.len()].copy_from_slice(octets);
        self.end += octets.len();
        Some(())
    }

    fn make_room(&mut self, n: usize, may_move: bool) -> Option<()> {
        if self.octets.len() - self.end >= n {
            return Some(());
        }
        if may_move {
            self.move_to_front();
        }
        let missing = (self.end + n).saturating_sub(self.octets.len());
        self.octets.try_reserve_exact(missing).ok()?;
        self.octets.resize(self.octets.len() + missing, 0);
        Some(())
    }

    /// Moves what waits to the front, from where it may grow.
    #[inline]
    fn move_to_front(&mut self) {
        if !self.is_empty() {
            self.octets.copy_within(self.start..self.end, 0);
        }
        (self.start, self.end) = (0, self.len());
    }
}
