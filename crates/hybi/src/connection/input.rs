//! Lent memory: events straight out of the caller's slice.
//!
//! Nothing is judged here. `receiver` splits off a message that lies whole, which is the usual case. Of all else it says
//! what happened and where in the slice it lies; the event is borrowed from that place at the very end, because a borrow
//! that may not be returned cannot be made earlier.

use core::fmt;

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
    fn is_plain(&self) -> bool;
    fn next_whole<'m>(&mut self, lent: &mut &'m mut [u8]) -> Option<(Kind, &'m mut [u8])>;
    fn receiver(&mut self) -> &mut Receiver;
    fn keep(&mut self, rest: &[u8]);
}

/// Received octets that lend their events where they lie, unmasked in place:
/// [`Connection::receive`] gives it. Take all events; when it is dropped, the beginning of an unfinished
/// frame (and, if events were left, all that was not looked at) moves into the connection.
pub struct Input<'c, 'm, C: Inward = Connection> {
    connection: &'c mut C,
    /// What was not looked at yet.
    rest: &'m mut [u8],
    /// Whether a whole message is next if it looks like one. Only [`Self::next`] can change that.
    plain: bool,
}

impl<'c, 'm, C: Inward> Input<'c, 'm, C> {
    pub(super) fn new(connection: &'c mut C, memory: &'m mut [u8]) -> Self {
        if !memory.is_empty() {
            connection.receiver().fed();
        }
        let plain = connection.is_plain();
        Self { connection, rest: memory, plain }
    }

    /// The next event. It lends its payload until the next call.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some((kind, payload)) = self.next_whole() {
            return Some(self.connection.receiver().message(kind, payload));
        }
        let (raw, octets) = self.next()?;
        Some(self.connection.receiver().event(octets, raw))
    }

    #[inline(always)] // one call for each message where `poll_event` is not in line, not two
    fn next_whole(&mut self) -> Option<(Kind, &'m mut [u8])> {
        if self.plain { self.connection.next_whole(&mut self.rest) } else { None }
    }

    /// What happened, and the octets in which it lies.
    #[inline]
    fn next(&mut self) -> Option<(Raw, &'m mut [u8])> {
        let mut at = 0;
        let raw = self.connection.next(self.rest, &mut at);
        let octets = self.rest.split_off_mut(..at).unwrap_or_default();
        self.plain = self.connection.is_plain();
        Some((raw?, octets))
    }
}

impl Input<'_, '_, Connection> {
    /// The next event, and the sending half beside it: what is lent can be sent on at once.
    #[inline]
    pub fn poll_event_with(&mut self) -> Option<(Event<'_>, &mut Sender)> {
        if let Some((kind, payload)) = self.next_whole() {
            let Connection { receiver, sender, .. } = &mut *self.connection;
            return Some((receiver.message(kind, payload), sender));
        }
        let (raw, octets) = self.next()?;
        let Connection { receiver, sender, .. } = &mut *self.connection;
        Some((receiver.event(octets, raw), sender))
    }
}

impl<C: Inward> Drop for Input<'_, '_, C> {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            self.connection.keep(self.rest);
        }
    }
}

impl<C: Inward> fmt::Debug for Input<'_, '_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("len", &self.rest.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::Agreement;
    use crate::config::Config;

    fn client() -> Connection {
        Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {})
    }

    fn finds_whole_messages_where_they_lie(connection: &mut impl Inward) {
        assert!(connection.is_plain());
        let mut octets = *b"\x81\x02hi\x82\x01!";
        let mut lent = &mut octets[..];
        assert_eq!(connection.next_whole(&mut lent), Some((Kind::Text, &mut [b'h', b'i'][..])));
        assert_eq!(lent, b"\x82\x01!");
        let mut input = Input::new(connection, lent);
        assert_eq!(input.next_whole(), Some((Kind::Binary, &mut [b'!'][..])));
        assert!(input.next_whole().is_none());
    }

    /// That is the usual case, and costs a part of a search; the search would find them too.
    #[test]
    fn whole_messages_are_found_where_they_lie() {
        finds_whole_messages_where_they_lie(&mut client());
        finds_whole_messages_where_they_lie(&mut client().into_split().0);
        let mut connection = client();
        connection.receive_copy(b"\x82\x00\x81\x02hi\x82\x01!");
        assert!(connection.prepare_event());
        assert!(
            connection.next_whole_own().is_some_and(|(_, place)| place.is_empty()),
            "also one that was prepared"
        );
        assert!(
            connection.next_whole_own().is_some_and(|(kind, place)| kind == Kind::Text && place.len() == 2)
        );
        let (mut receiver, _) = connection.into_split();
        assert!(
            receiver.next_whole_own().is_some_and(|(kind, place)| kind == Kind::Binary && place.len() == 1)
        );
    }

    #[test]
    fn nothing_is_found_behind_the_end_that_a_lent_sender_made() {
        let mut connection = client();
        connection.receive_copy(b"\x81\x02hi");
        connection.sender.abort();
        assert!(connection.next_whole_own().is_none());
        let mut octets = *b"\x81\x02hi";
        assert!(connection.next_whole(&mut &mut octets[..]).is_none());
    }
}
