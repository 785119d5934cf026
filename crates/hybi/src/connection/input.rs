//! Lent memory: events straight out of the caller's slice.
//!
//! Nothing is judged here. `receiver` says what happened and where in the slice it lies; the event is borrowed from
//! that place at the very end, because a borrow that may not be returned cannot be made earlier.

use core::fmt;
use core::ops::Range;

use super::Connection;
use super::receiver::Receiver;
use super::sender::Sender;
use crate::event::Event;
use crate::message::Kind;
use crate::recv::Outcome;

/// What happened, before the borrow is made.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, missing_docs, reason = "named by a sealed trait")]
pub enum Raw {
    Outcome(Outcome),
    Writable,
    Closed,
}

/// Whoever takes lent memory: a connection, or its receiving half. Sealed.
#[allow(missing_docs, reason = "sealed")]
pub trait Inward {
    fn next(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Raw>;
    fn next_whole(&mut self, lent: &mut [u8], at: &mut usize) -> Option<(Kind, Range<usize>)>;
    fn receiver(&mut self) -> &mut Receiver;
    fn keep(&mut self, rest: &[u8]);
}

/// Received octets that lend their events where they lie, unmasked in place:
/// [`Connection::receive`] gives it. Take all events; when it is dropped, the beginning of an unfinished
/// frame (and, if events were left, all that was not looked at) moves into the connection.
pub struct Input<'c, 'm, C: Inward = Connection> {
    connection: &'c mut C,
    memory: &'m mut [u8],
    at: usize,
}

impl<'c, 'm, C: Inward> Input<'c, 'm, C> {
    pub(super) fn new(connection: &'c mut C, memory: &'m mut [u8]) -> Self {
        if !memory.is_empty() {
            connection.receiver().fed();
        }
        Self { connection, memory, at: 0 }
    }

    /// The next event. It lends its payload until the next call.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some((kind, place)) = self.connection.next_whole(self.memory, &mut self.at) {
            return Some(self.connection.receiver().message(kind, &mut self.memory[place]));
        }
        let raw = self.connection.next(self.memory, &mut self.at)?;
        Some(self.connection.receiver().event(self.memory, raw))
    }
}

impl Input<'_, '_, Connection> {
    /// The next event, and the sending half beside it: what is lent can be sent on at once.
    #[inline]
    pub fn poll_event_with(&mut self) -> Option<(Event<'_>, &mut Sender)> {
        let found = self.connection.next_whole(self.memory, &mut self.at);
        if let Some((kind, place)) = found {
            let Connection { receiver, sender, .. } = &mut *self.connection;
            return Some((receiver.message(kind, &mut self.memory[place]), sender));
        }
        let raw = self.connection.next(self.memory, &mut self.at)?;
        let Connection { receiver, sender, .. } = &mut *self.connection;
        Some((receiver.event(self.memory, raw), sender))
    }
}

impl<C: Inward> Drop for Input<'_, '_, C> {
    fn drop(&mut self) {
        let rest = &self.memory[self.at..];
        if !rest.is_empty() {
            self.connection.keep(rest);
        }
    }
}

impl<C: Inward> fmt::Debug for Input<'_, '_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("len", &self.memory.len()).field("at", &self.at).finish()
    }
}
