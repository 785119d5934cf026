//! The last octets of what was inflated, as far back as a distance may reach (RFC 7692 §7.1.2).
//!
//! Memory follows what was inflated: it grows to the size of the window by doubling, and then the newest
//! octets take the place of the oldest.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

pub(super) struct History {
    /// Once it is full, a ring.
    octets: Vec<u8>,
    /// Where the next octet goes, in a full ring.
    at: usize,
    window: usize,
}

/// The first step by which it grows.
const STEP: usize = 1024;

impl History {
    pub(super) const fn new(window: usize) -> Self {
        Self { octets: Vec::new(), at: 0, window }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.octets.capacity()
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.at = 0;
    }

    pub(super) fn release(&mut self) {
        *self = Self::new(self.window);
    }

    /// Keeps what came last.
    pub(super) fn push(&mut self, new: &[u8]) -> Result<(), TryReserveError> {
        let new = &new[new.len().saturating_sub(self.window)..];
        let room = self.window - self.octets.len();
        let (fits, mut new) = new.split_at(new.len().min(room));
        self.reserve(fits.len())?;
        self.octets.extend_from_slice(fits);
        while !new.is_empty() {
            let n = new.len().min(self.window - self.at);
            self.octets[self.at..self.at + n].copy_from_slice(&new[..n]);
            self.at = (self.at + n) % self.window;
            new = &new[n..];
        }
        Ok(())
    }

    fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        let len = self.octets.len();
        if self.octets.capacity() - len >= more {
            return Ok(());
        }
        let capacity = (len + more).max(2 * len).max(STEP).min(self.window);
        self.octets.try_reserve_exact(capacity - len)
    }

    /// Where the octet is that stands `back` before the end.
    #[inline]
    fn find(&self, back: usize) -> usize {
        let len = self.octets.len();
        let end = if len == self.window { self.at } else { len };
        end.checked_sub(back).unwrap_or_else(|| end + len - back)
    }

    /// The octets from `back` before the end on, as far as they lie together; also some that are none of them.
    #[inline]
    pub(super) fn run(&self, back: usize) -> &[u8] {
        &self.octets[self.find(back)..]
    }

    /// Copies octets that begin `back` before the end. There have to be as many.
    pub(super) fn copy_to(&self, back: usize, to: &mut [u8]) {
        let (start, len) = (self.find(back), self.octets.len());
        match self.octets.get(start..start + to.len()) {
            Some(octets) => to.copy_from_slice(octets),
            None => {
                let (front, rest) = to.split_at_mut(len - start);
                front.copy_from_slice(&self.octets[start..]);
                rest.copy_from_slice(&self.octets[..rest.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_when_it_is_full_and_not_before() {
        let mut history = History::new(4096);
        for (new, capacity) in [(1000, 1024), (24, 1024), (1, 2048), (2000, 3025), (2000, 4096)] {
            history.push(&[0; 2000][..new]).expect("there is memory");
            assert_eq!(history.capacity(), capacity, "{}", history.len());
        }
    }
}
