//! Who is to be woken when the writing side of a split connection may go on.
//!
//! The transport's writing direction, and the timer, know one waker: the bell's. When it rings, everybody who
//! waits is woken, and the first to come does what can be done for all. So no half takes a waker away from
//! another, and nobody's progress depends on a task that has gone elsewhere.
//!
//! Ringing takes the lock of the bell and no other, since a transport may ring while it is being polled.

use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use crate::sync::{Mutex, MutexGuard};

#[derive(Debug, Default)]
pub(crate) struct Bell(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    reader: Option<Waker>,
    writers: Vec<(u64, Until, Waker)>,
    next: u64,
}

/// What a writer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The queue has room.
    Turn,
    /// So much was transmitted.
    Sent(u64),
}

/// A place among those who wait; given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    bell: Arc<Bell>,
    number: Option<u64>,
}

impl Bell {
    /// Call it before looking at what is waited for.
    pub(crate) fn set_reader(&self, waker: &Waker) {
        let mut waiting = self.lock();
        match &mut waiting.reader {
            Some(reader) => reader.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(crate) fn wake_reader(&self) {
        let reader = self.lock().reader.take();
        reader.into_iter().for_each(Waker::wake);
    }

    /// Wakes the writers that have come to what they wait for.
    pub(crate) fn wake_writers(&self, mut is_there: impl FnMut(Until) -> bool) {
        let mut waiting = self.lock();
        if waiting.writers.is_empty() {
            return;
        }
        let there: Vec<_> = waiting.writers.extract_if(.., |(_, until, _)| is_there(*until)).collect();
        drop(waiting);
        there.into_iter().for_each(|(_, _, waker)| waker.wake());
    }

    fn ring(&self) {
        let (reader, writers) = {
            let mut waiting = self.lock();
            (waiting.reader.take(), std::mem::take(&mut waiting.writers))
        };
        reader.into_iter().for_each(Waker::wake);
        writers.into_iter().for_each(|(_, _, waker)| waker.wake());
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

impl Ticket {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, number: None }
    }

    /// Call it before looking at what is waited for.
    pub(crate) fn wait(&mut self, until: Until, waker: &Waker) {
        let mut waiting = self.bell.lock();
        let number = *self.number.get_or_insert(waiting.next);
        waiting.next = waiting.next.max(number + 1);
        match waiting.writers.iter_mut().find(|waiter| waiter.0 == number) {
            Some((_, place, waiter)) => {
                *place = until;
                waiter.clone_from(waker);
            }
            None => waiting.writers.push((number, until, waker.clone())),
        }
    }

    /// Waits no more.
    pub(crate) fn leave(&mut self) {
        if let Some(number) = self.number.take() {
            self.bell.lock().writers.retain(|waiter| waiter.0 != number);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.leave();
    }
}
