//! A client and a server on one wire, and a clock that jumps to the next deadline.
//!
//! ```text
//!   client ──transmit──▶ [ wire to the server: room ] ──reads of `chunk`──▶ server
//!   client ◀──reads of `chunk`── [ wire to the client: room ] ◀──transmit── server
//! ```
//!
//! An [`End`] keeps the duties of an adapter: after each call it takes all events, transmits what the wire
//! has room for, tells the time where it is asked for, and does what `transport_action` says.

use std::collections::VecDeque;
use std::time::Duration;

use hybi::{Config, Connection, Instant, Outgoing, Payload, Role, TransportAction, UsageError};

use crate::endpoint::{Memory, open_with, take_events};
use crate::record::Record;

/// Two connections and the wire between them.
#[derive(Debug)]
pub struct Pair {
    /// The client's end.
    pub client: End,
    /// The server's end.
    pub server: End,
    now: Instant,
}

/// One end of the wire, and what arrives there.
#[derive(Debug)]
pub struct End {
    /// The connection.
    pub connection: Connection,
    /// What its application was given.
    pub events: Vec<Record>,
    /// All that it transmitted.
    pub sent: Vec<u8>,
    /// How it takes what arrives.
    pub memory: Memory,
    /// The most octets of one read.
    pub chunk: usize,
    /// Whether it reads at all.
    pub reads: bool,
    /// How many octets can wait on the wire to this end.
    pub room: usize,
    wire: VecDeque<u8>,
    /// The other end will put nothing more on the wire; it has been noticed.
    ended: (bool, bool),
    /// This end has ended its writing side; the whole transport.
    shut: bool,
    closed: bool,
}

impl End {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            events: Vec::new(),
            sent: Vec::new(),
            memory: Memory::Lent,
            chunk: usize::MAX,
            reads: true,
            room: usize::MAX,
            wire: VecDeque::new(),
            ended: (false, false),
            shut: false,
            closed: false,
        }
    }

    /// Whether this end has ended the transport.
    pub fn has_closed(&self) -> bool {
        self.closed
    }

    /// Octets on the wire that this end has not read.
    pub fn unread(&self) -> usize {
        self.wire.len()
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.events)
    }

    /// Takes one read from the wire, or notices its end.
    fn read(&mut self) -> bool {
        if !self.reads || self.closed {
            return false;
        }
        let n = self.chunk.min(self.wire.len());
        if n > 0 {
            let octets: Vec<u8> = self.wire.drain(..n).collect();
            self.memory.feed(&mut self.connection, &octets, &mut self.events);
            return true;
        }
        if self.ended != (true, false) {
            return false;
        }
        self.ended.1 = true;
        self.connection.receive_eof();
        take_events(&mut self.connection, &mut self.events);
        true
    }

    /// How many octets the wire to this end takes. One that nobody reads any more takes everything, as a transport does
    /// until the reset.
    fn takes(&self) -> usize {
        if self.closed { usize::MAX } else { self.room - self.wire.len().min(self.room) }
    }

    /// Puts on the wire what there is room for, and does what the connection wants of the transport.
    fn write(&mut self, peer: &mut Self) -> bool {
        let mut moved = false;
        while !self.shut && !self.connection.transmit().is_empty() {
            let octets = self.connection.transmit();
            let n = octets.len().min(peer.takes());
            if n == 0 {
                break;
            }
            peer.wire.extend(&octets[..n]);
            self.sent.extend_from_slice(&octets[..n]);
            self.connection.transmitted(n);
            moved = true;
        }
        take_events(&mut self.connection, &mut self.events); // it may be writable now
        moved | self.obey(peer)
    }

    fn obey(&mut self, peer: &mut Self) -> bool {
        let action = self.connection.transport_action();
        let shut = action != TransportAction::None && !self.shut;
        let close = action == TransportAction::Close && !self.closed;
        if shut {
            self.shut = true;
            peer.ended.0 = true;
        }
        self.closed |= close;
        shut | close
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new(Config::default(), Config::default())
    }
}

impl Pair {
    /// Two open connections. The clock shows one second.
    pub fn new(client: Config, server: Config) -> Self {
        Self::of(open_with(Role::Client, client), open_with(Role::Server, server))
    }

    /// These two. The clock shows one second.
    pub fn of(client: Connection, server: Connection) -> Self {
        let mut pair = Self {
            client: End::new(client),
            server: End::new(server),
            now: Instant::from_nanos(1_000_000_000),
        };
        pair.run();
        pair
    }

    /// The end that plays this role.
    pub fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// The connection of this role.
    pub fn connection(&mut self, role: Role) -> &mut Connection {
        &mut self.end(role).connection
    }

    /// Both ends, that of `role` first.
    fn ends(&mut self, role: Role) -> (&mut End, &mut End) {
        match role {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        }
    }

    /// Sends a message from where it lies, of which the wire takes so many octets at once, or as many as there is room
    /// for.
    ///
    /// # Errors
    /// Those of [`send_lent`](hybi::Sender::send_lent).
    pub fn send_lent(&mut self, role: Role, payload: Payload<'_>, mut most: usize) -> Result<(), UsageError> {
        let (end, peer) = self.ends(role);
        let mut outgoing = end.connection.sender().send_lent(payload)?;
        while !end.shut {
            let n = put_lent(&mut outgoing, 1, most, &mut end.sent, peer);
            if n == 0 {
                break;
            }
            most -= n;
        }
        Ok(())
    }

    /// Sends a message from where it lies and may be changed. The wire takes as much of all that waits as each of these
    /// writes has, or as there is room for.
    ///
    /// # Errors
    /// Those of [`send_lent_mut`](hybi::Sender::send_lent_mut).
    pub fn send_lent_mut(
        &mut self,
        role: Role,
        payload: &mut [u8],
        writes: &[usize],
    ) -> Result<(), UsageError> {
        let (end, peer) = self.ends(role);
        let mut outgoing = end.connection.sender().send_lent_mut(payload)?;
        for most in writes.iter().filter(|_| !end.shut) {
            put_lent(&mut outgoing, SLICES, *most, &mut end.sent, peer);
        }
        Ok(())
    }

    /// This end makes one write of so many octets at most, or of as many as there is room for.
    pub fn transmit(&mut self, role: Role, most: usize) {
        let (end, peer) = self.ends(role);
        if end.shut {
            return;
        }
        let mut slices = [&[][..]; SLICES];
        let used = end.connection.transmit_slices(&mut slices);
        let n = put(&slices[..used], most, &mut end.sent, peer);
        end.connection.transmitted(n);
        take_events(&mut end.connection, &mut end.events);
    }

    /// This end makes one read of so many octets at most.
    pub fn read(&mut self, role: Role, most: usize) {
        let end = self.end(role);
        let usual = std::mem::replace(&mut end.chunk, most);
        end.read();
        end.chunk = usual;
    }

    /// What the clock shows.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Lets both ends write and read until nothing moves. No time passes.
    pub fn run(&mut self) {
        loop {
            let mut moved = self.client.write(&mut self.server) | self.server.write(&mut self.client);
            moved |= self.client.read() | self.server.read();
            moved |= self.tell_time();
            if !moved {
                return;
            }
        }
    }

    /// Lets so much time pass. Every deadline on the way is served at its own moment.
    pub fn advance(&mut self, by: Duration) {
        let target = self.now + by;
        self.run();
        while let Some(next) = self.next_deadline().filter(|next| *next <= target) {
            self.now = self.now.max(next);
            self.run();
        }
        self.now = target;
    }

    /// The next deadline of either end that has not ended its transport.
    pub fn next_deadline(&self) -> Option<Instant> {
        let ends = [&self.client, &self.server].into_iter().filter(|end| !end.closed);
        ends.filter_map(|end| end.connection.poll_timeout()).min()
    }

    /// The wire breaks: what is on it is lost, and nothing can be written any more.
    pub fn break_wire(&mut self) {
        for end in [&mut self.client, &mut self.server] {
            end.wire.clear();
            end.shut = true;
            end.ended = (true, true);
            end.connection.transport_lost();
            take_events(&mut end.connection, &mut end.events);
        }
        self.run();
    }

    fn tell_time(&mut self) -> bool {
        let mut told = false;
        for end in [&mut self.client, &mut self.server].into_iter().filter(|end| !end.closed) {
            while end.connection.poll_timeout().is_some_and(|deadline| deadline <= self.now) {
                end.connection.handle_timeout(self.now);
                take_events(&mut end.connection, &mut end.events);
                told = true;
            }
        }
        told
    }
}

/// More than a queue has when it has little: so one write ends in any of them.
const SLICES: usize = 3;

/// One write of a message that is lent, and of what waits before it. How much was taken.
fn put_lent(
    outgoing: &mut Outgoing<'_>,
    slices: usize,
    most: usize,
    sent: &mut Vec<u8>,
    peer: &mut End,
) -> usize {
    let mut shown = [&[][..]; SLICES];
    let used = outgoing.transmit_slices(&mut shown[..slices]);
    let n = put(&shown[..used], most, sent, peer);
    outgoing.transmitted(n);
    n
}

/// Puts on the wire what the peer has room for, and `most` at most. How much that was.
fn put(slices: &[&[u8]], most: usize, sent: &mut Vec<u8>, peer: &mut End) -> usize {
    let mut octets = slices.concat();
    octets.truncate(most.min(peer.takes()));
    sent.extend_from_slice(&octets);
    peer.wire.extend(&octets);
    octets.len()
}
