//! Buffers to read into: a few for each thread, lent to whichever connection reads just now.
//!
//! A connection has one from a read that brought something until all of that was taken, and none while it
//! waits.

use std::cell::RefCell;

/// Whoever holds a lent event across a wait holds a buffer, so there are more than one.
const KEPT: usize = 4;
const LEN: usize = 64 * 1024;

thread_local!(static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) });

/// A buffer, initialised to its length.
pub(crate) fn take() -> Vec<u8> {
    let kept = BUFFERS.try_with(|buffers| buffers.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| vec![0; LEN])
}

/// Here it is back.
pub(crate) fn give_back(buffer: Vec<u8>) {
    let _ = BUFFERS.try_with(|buffers| {
        let mut buffers = buffers.borrow_mut();
        if buffers.len() < KEPT && buffer.len() == LEN {
            buffers.push(buffer);
        }
    }); // a thread that ends needs none
}
