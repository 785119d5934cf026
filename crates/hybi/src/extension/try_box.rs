//! A box that is made only if there is memory: in a connection the process must not end for want of it.
//!
//! `Box::new` ends the process. Its fallible twin is not stable, but a vector's is, and a vector of one becomes a box.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// Owns one value on the heap.
#[derive(Debug)]
pub(crate) struct TryBox<T>(Box<[T; 1]>);

impl<T> TryBox<T> {
    /// Moves the value that `make` gives to the heap. `None`, and nothing is made, if there is no memory.
    pub(crate) fn new(make: impl FnOnce() -> T) -> Option<Self> {
        let mut one = Vec::new();
        one.try_reserve_exact(1).ok()?;
        one.push(make());
        one.try_into().ok().map(Self)
    }
}

impl<T> Deref for TryBox<T> {
    type Target = T;
    fn deref(&self) -> &T {
        let [value] = &*self.0;
        value
    }
}

impl<T> DerefMut for TryBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        let [value] = &mut *self.0;
        value
    }
}
