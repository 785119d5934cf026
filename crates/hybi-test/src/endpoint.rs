//! Connections with fixed masking keys, and the ways to hand octets to one.

use std::sync::Arc;

use hybi::{Agreement, Config, Connection, Entropy, Event, Role};

use crate::alloc::look_away;
use crate::frames::KEY;
use crate::record::Record;

/// An open connection with the default configuration. A client masks with [`KEY`].
pub fn open(role: Role) -> Connection {
    open_with(role, Config::default())
}

/// An open connection. A client masks with [`KEY`].
pub fn open_with(role: Role, config: impl Into<Arc<Config>>) -> Connection {
    open_agreed(role, Agreement::default(), config)
}

/// An open connection on which this was agreed. A client masks with [`KEY`].
pub fn open_agreed(role: Role, agreement: Agreement, config: impl Into<Arc<Config>>) -> Connection {
    match role {
        Role::Client => Connection::client(agreement, config, fixed_entropy),
        Role::Server => Connection::server(agreement, config),
    }
}

/// The default configuration with some changes.
///
/// ```
/// let config = hybi_test::endpoint::config(|config| config.limits.message = 10);
/// assert_eq!(config.limits.message, 10);
/// ```
pub fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

/// A source of entropy that gives [`KEY`] again and again.
pub fn fixed_entropy(out: &mut [u8]) {
    for (octet, key) in out.iter_mut().zip(KEY.iter().cycle()) {
        *octet = *key;
    }
}

/// A source of entropy that never gives the same four octets again, so that a masking key that was used twice shows.
pub fn numbered_entropy() -> impl Entropy {
    let mut number = 0u32;
    move |out: &mut [u8]| {
        for key in out.chunks_mut(4) {
            number += 1;
            key.copy_from_slice(&number.to_be_bytes()[..key.len()]);
        }
    }
}

/// The ways to hand octets to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// [`Connection::receive`].
    Lent,
    /// [`Connection::recv_space`] and [`Connection::received`].
    Own,
    /// The same in a buffer that is lent for each read and reclaimed after it: [`Connection::lend_buffer`].
    Reclaimed,
    /// [`Connection::receive_copy`].
    Copied,
    /// [`Connection::receive`], and wherever nothing is under way the connection [hibernates](Connection::hibernate).
    Hibernating,
}

impl Memory {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lent, Self::Own, Self::Reclaimed, Self::Copied, Self::Hibernating];

    /// Hands over one read, and takes all events.
    pub fn feed(self, connection: &mut Connection, octets: &[u8], events: &mut Vec<Record>) {
        match self {
            Self::Lent => {
                let mut memory = octets.to_vec();
                let mut input = connection.receive(&mut memory);
                while let Some(event) = input.poll_event() {
                    events.push(event.into());
                }
            }
            Self::Own => in_pieces(octets, |rest| receive_own(connection, rest, events)),
            Self::Reclaimed => in_pieces(octets, |rest| {
                // What is in it is no concern of the connection's; and it is small, so that some reads fill it.
                connection.lend_buffer(vec![0xee; 512]).expect("none is lent");
                let n = receive_own(connection, rest, events);
                assert_eq!(connection.reclaim_buffer().map(|buffer| buffer.len()), Some(512));
                n
            }),
            Self::Hibernating => {
                nap(connection);
                Self::Lent.feed(connection, octets, events);
                nap(connection);
            }
            Self::Copied => in_pieces(octets, |rest| {
                let n = connection.receive_copy(rest);
                take_events(connection, events);
                n
            }),
        }
    }

    /// The same for measurements: each event is shown and dropped before the next is taken, and of what is
    /// allocated only the connection's part [counts](crate::alloc).
    pub fn show(self, connection: &mut Connection, octets: &[u8], mut see: impl FnMut(&Event<'_>)) {
        if self == Self::Hibernating {
            nap(connection);
        }
        if matches!(self, Self::Lent | Self::Hibernating) {
            let mut read = look_away(|| octets.to_vec());
            let mut input = connection.receive(&mut read);
            while let Some(event) = input.poll_event() {
                look_away(|| see(&event));
            }
            drop(input);
            return look_away(|| drop(read));
        }
        let mut rest = octets;
        while !rest.is_empty() {
            if self == Self::Reclaimed {
                let refused = connection.lend_buffer(look_away(|| vec![0xee; 4096])).err();
                look_away(|| drop(refused)); // there was no memory to give the last one back
            }
            let n = if self == Self::Copied {
                connection.receive_copy(rest)
            } else {
                let space = connection.recv_space();
                let n = space.len().min(rest.len());
                space[..n].copy_from_slice(&rest[..n]);
                connection.received(n);
                n
            };
            rest = &rest[n..];
            let mut told = false;
            while let Some(event) = connection.poll_event() {
                look_away(|| see(&event));
                told = true;
            }
            let reclaimed = connection.reclaim_buffer();
            look_away(|| drop(reclaimed));
            if n == 0 && !told {
                return; // no memory for a read: an adapter would end here
            }
        }
    }
}

/// Hibernates and wakes, if nothing is under way. Tells whether it did.
pub fn nap(connection: &mut Connection) -> bool {
    if !connection.is_silent() {
        return false;
    }
    let stand_in = look_away(|| open(Role::Server));
    let before = std::mem::replace(connection, stand_in);
    let after = before.hibernate().expect("it is silent").wake();
    let stand_in = std::mem::replace(connection, after);
    look_away(|| drop(stand_in));
    true
}

/// Takes all events.
pub fn take_events(connection: &mut Connection, events: &mut Vec<Record>) {
    while let Some(event) = connection.poll_event() {
        events.push(event.into());
    }
}

fn receive_own(connection: &mut Connection, octets: &[u8], events: &mut Vec<Record>) -> usize {
    let space = connection.recv_space();
    let n = space.len().min(octets.len());
    space[..n].copy_from_slice(&octets[..n]);
    connection.received(n);
    take_events(connection, events);
    n
}

fn in_pieces(octets: &[u8], mut take: impl FnMut(&[u8]) -> usize) {
    let mut rest = octets;
    while !rest.is_empty() {
        let n = take(rest);
        assert!(n > 0, "{} octets are left, all events were taken, and there is no room", rest.len());
        rest = &rest[n..];
    }
}

/// Hands over one read in lent memory; the events.
pub fn receive(connection: &mut Connection, octets: &[u8]) -> Vec<Record> {
    let mut events = Vec::new();
    Memory::Lent.feed(connection, octets, &mut events);
    events
}

/// The transport ends in order; the events.
pub fn receive_eof(connection: &mut Connection) -> Vec<Record> {
    let mut events = Vec::new();
    connection.receive_eof();
    take_events(connection, &mut events);
    events
}

/// Transmits all that waits.
pub fn transmit_all(connection: &mut Connection) -> Vec<u8> {
    let mut sent = Vec::new();
    while !connection.transmit().is_empty() {
        let n = connection.transmit().len();
        sent.extend_from_slice(connection.transmit());
        connection.transmitted(n);
    }
    sent
}
