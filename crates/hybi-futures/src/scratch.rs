//! What a connection has while it is at work: a buffer to read into, one to queue in, and room for itself; a few of
//! each for each thread.
//!
//! A connection has one from a read that brought something until all of that was taken, and none while it
//! waits; and one to queue in from something that is said until it is transmitted.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::link::Room;

/// Whoever holds a lent event across a wait holds a buffer, so there are more than one.
const KEPT: usize = 4;
const LEN: usize = 64 * 1024;

/// The same for output, which is mostly small or goes by reference. Where it has grown to hold the answers to a whole
/// read it stays so large: to grow it anew for each read costs more than the answers.
const OUT_LEN: usize = 4 * 1024;
const OUT_MOST: usize = 160 * 1024;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static OUT_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static ROOMS: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) };
}

/// A buffer to read into, initialised to its length.
pub(crate) fn take() -> Vec<u8> {
    pop(&BUFFERS).unwrap_or_else(|| vec![0; LEN])
}

/// Here it is back.
pub(crate) fn give_back(buffer: Vec<u8>) {
    if buffer.len() == LEN {
        push(&BUFFERS, buffer);
    }
}

/// A buffer to queue in.
pub(crate) fn take_out() -> Vec<u8> {
    pop(&OUT_BUFFERS).unwrap_or_else(|| Vec::with_capacity(OUT_LEN))
}

/// Here it is back.
pub(crate) fn give_back_out(buffer: Vec<u8>) {
    if (OUT_LEN..=OUT_MOST).contains(&buffer.capacity()) {
        push(&OUT_BUFFERS, buffer);
    }
}

/// Room for a connection, empty.
pub(crate) fn take_room() -> Room {
    pop(&ROOMS).unwrap_or_default()
}

/// Here it is back, empty.
pub(crate) fn give_back_room(room: Room) {
    push(&ROOMS, room);
}

type Kept<T> = LocalKey<RefCell<Vec<T>>>;

fn pop<T>(kept: &'static Kept<T>) -> Option<T> {
    kept.try_with(|kept| kept.borrow_mut().pop()).ok().flatten()
}

/// A thread that ends needs none.
fn push<T>(kept: &'static Kept<T>, one: T) {
    let _ = kept.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(one);
        }
    });
}
