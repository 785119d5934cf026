//! One connection at a time to one address, while it is being opened (RFC 6455 §4.1, item 2): destinations in; whose
//! turn it is, out.
//!
//! It neither waits nor wakes: an adapter does, with what this says.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use core::net::SocketAddr;

/// Where a connection goes, as far as RFC 6455 §4.1 tells destinations apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// An address, by whatever name it was found.
    Address(SocketAddr),
    /// A host and a port behind a proxy, which alone knows the address: each name counts as another host.
    Name(Box<str>, u16),
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

/// Whose turn it is to connect: first come, first served, for each destination.
///
/// ```
/// use hybi::handshake::Turns;
///
/// let mut turns = Turns::default();
/// let address: core::net::SocketAddr = "192.0.2.1:80".parse()?;
/// let (first, second) = (turns.ask(address), turns.ask(address));
/// assert!(turns.is_next(&first) && !turns.is_next(&second));
/// assert_eq!(turns.leave(&first), Some(second.number())); // it is open, or it failed
/// assert!(turns.is_next(&second));
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Debug, Default)]
pub struct Turns {
    queues: BTreeMap<Destination, VecDeque<u64>>,
    given: u64,
}

/// A place in the queue of a destination: from [`Turns::ask`] until [`Turns::leave`].
#[derive(Debug)]
pub struct Turn {
    destination: Destination,
    number: u64,
}

impl Turn {
    /// No two turns have the same.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Turns {
    /// A place at the end of the queue.
    pub fn ask(&mut self, destination: impl Into<Destination>) -> Turn {
        let destination = destination.into();
        self.given += 1;
        self.queues.entry(destination.clone()).or_default().push_back(self.given);
        Turn { destination, number: self.given }
    }

    /// Whether it may connect now.
    pub fn is_next(&self, turn: &Turn) -> bool {
        let queue = self.queues.get(&turn.destination);
        queue.is_some_and(|queue| queue.front() == Some(&turn.number))
    }

    /// Its connection is open, or it failed, or it is waited for no more. The number of the one whose turn it is now,
    /// if it was this one's and another waits.
    pub fn leave(&mut self, turn: &Turn) -> Option<u64> {
        let was_next = self.is_next(turn);
        let queue = self.queues.get_mut(&turn.destination)?;
        queue.retain(|number| *number != turn.number);
        let next = queue.front().copied();
        if next.is_none() {
            self.queues.remove(&turn.destination);
        }
        next.filter(|_| was_next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn destinations_do_not_wait_for_one_another() {
        let mut turns = Turns::default();
        let name = |name: &str| Destination::Name(name.into(), 80);
        let all = [
            turns.ask(address(80)),
            turns.ask(address(81)),
            turns.ask(name("a.example")),
            turns.ask(name("b.example")),
        ];
        assert!(all.iter().all(|turn| turns.is_next(turn)));
        assert!(!all.iter().any(|turn| turns.leave(turn).is_some()));
        assert!(turns.queues.is_empty(), "nothing is kept of who is gone");
    }

    #[test]
    fn whoever_waits_no_more_lets_the_others_forward() {
        let mut turns = Turns::default();
        let [first, second, third] = [(); 3].map(|()| turns.ask(address(80)));
        assert_eq!(turns.leave(&second), None); // it was not its turn
        assert_eq!(turns.leave(&first), Some(third.number()));
        assert_eq!(turns.leave(&first), None);
        assert!(turns.is_next(&third) && !turns.is_next(&first));
    }
}
