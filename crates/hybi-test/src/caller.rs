//! A caller who uses all ways to receive in any order: whoever calls like that is told the same.
//!
//! ```
//! use hybi::Role;
//! use hybi_test::caller::{Call, Caller};
//! use hybi_test::dice::Dice;
//! use hybi_test::endpoint::open;
//! use hybi_test::record::Record;
//!
//! let mut dice = Dice::seeded(7);
//! let mut caller = Caller::new(open(Role::Client), b"\x81\x04high\x81\x03low");
//! for _ in 0..10 {
//!     caller.call(&Call::any(&mut dice));
//! }
//! caller.end();
//! assert_eq!(caller.events, [Record::text("high"), Record::text("low"), Record::transport_ended()]);
//! ```

use hybi::{Connection, Delivery, Event};

use crate::dice::Dice;
use crate::endpoint::{Memory, nap, take_events, transmit_all};
use crate::record::Record;

/// Something that a caller may do, whatever was done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`Connection::receive`] so many octets; some events are taken before the `Input` is dropped.
    Lent(usize, Vec<Take>),
    /// [`Connection::recv_space`] and [`Connection::received`] so many octets, if there is room.
    Own(usize),
    /// [`Connection::receive_copy`] so many octets, if there is room.
    Copied(usize),
    /// [`Connection::lend_buffer`] of this length, which stays until there is a [`Call::Reclaim`].
    Lend(usize),
    /// [`Connection::reclaim_buffer`].
    Reclaim,
    /// [`Connection::prepare_event`]; the event stays where it is.
    Prepare,
    /// Some events are taken.
    Take(Vec<Take>),
    /// [`Connection::set_delivery`].
    Deliver(Delivery),
    /// [`Connection::hibernate`], if nothing is under way.
    Nap,
    /// So many octets of what waits to be transmitted are.
    Transmit(usize),
}

/// How an event is taken, and what is done to it while it is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// It is looked at.
    Look,
    /// All that it lends to be changed is written over.
    Spoil,
    /// Its octets are kept.
    Keep,
    /// It is answered while it is lent.
    Answer,
    /// It is prepared, and then looked at: of no difference to an `Input`.
    Prepared,
}

impl Call {
    /// Any of them; with zeros, the smallest read.
    pub fn any(dice: &mut Dice<'_>) -> Self {
        match dice.below(16) {
            0..=3 => Self::Lent(octets(dice), takes(dice)),
            4..=6 => Self::Own(octets(dice)),
            7 => Self::Copied(octets(dice)),
            8 | 9 => Self::Lend(1 + dice.below(5000)),
            10 => Self::Reclaim,
            11 => Self::Prepare,
            12 => Self::Take(takes(dice)),
            13 => Self::Deliver(dice.pick(&[Delivery::Messages, Delivery::Fragments])),
            14 => Self::Nap,
            _ => Self::Transmit(octets(dice)),
        }
    }
}

/// The length of a read: in the middle of a header, of a small message, of a large one.
fn octets(dice: &mut Dice<'_>) -> usize {
    let most = dice.pick(&[40, 3000, 70_000]);
    1 + dice.below(most)
}

/// None, a few, or as many as there are.
fn takes(dice: &mut Dice<'_>) -> Vec<Take> {
    let n = dice.pick(&[0, 1, 2, 20]);
    let all = [Take::Look, Take::Spoil, Take::Keep, Take::Answer, Take::Prepared];
    (0..n).map(|_| dice.pick(&all)).collect()
}

/// A connection, and octets that arrive there.
#[derive(Debug)]
pub struct Caller<'o> {
    /// What was told.
    pub events: Vec<Record>,
    /// What was transmitted.
    pub sent: Vec<u8>,
    connection: Connection,
    /// What has not arrived yet.
    rest: &'o [u8],
    /// A buffer is lent.
    has_lent: bool,
}

impl<'o> Caller<'o> {
    /// These octets will arrive there.
    pub fn new(connection: Connection, octets: &'o [u8]) -> Self {
        Self { events: Vec::new(), sent: Vec::new(), connection, rest: octets, has_lent: false }
    }

    /// Whether all octets have arrived.
    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// Does it. Memory that is the caller's again, or never was the connection's to read, is written over.
    ///
    /// # Panics
    /// If an answer contradicts another.
    pub fn call(&mut self, call: &Call) {
        match call {
            Call::Lent(n, takes) => self.receive(*n, takes),
            Call::Own(n) => self.receive_own(*n),
            Call::Copied(n) => {
                let n = self.connection.receive_copy(&self.rest[..self.rest.len().min(*n)]);
                self.arrived(n);
            }
            Call::Lend(len) => {
                let is_lent = self.connection.lend_buffer(vec![0xEE; *len]).is_ok();
                assert!(!(is_lent && self.has_lent), "there is one");
                self.has_lent |= is_lent;
            }
            Call::Reclaim => {
                let is_back = self.connection.reclaim_buffer().is_some();
                assert!(!is_back || self.has_lent, "there is none");
                self.has_lent &= !is_back;
            }
            Call::Prepare => drop(self.connection.prepare_event()),
            Call::Take(takes) => self.take(takes),
            Call::Deliver(delivery) => self.connection.set_delivery(*delivery),
            Call::Nap => drop(nap(&mut self.connection)),
            Call::Transmit(n) => {
                let octets = self.connection.transmit();
                let n = octets.len().min(*n);
                self.sent.extend_from_slice(&octets[..n]);
                self.connection.transmitted(n);
            }
        }
    }

    /// What is left arrives, and the end of the transport behind it. All events are taken, and all that waits is
    /// transmitted.
    pub fn end(&mut self) {
        take_events(&mut self.connection, &mut self.events);
        Memory::Lent.feed(&mut self.connection, self.rest, &mut self.events);
        self.rest = &[];
        self.sent.extend(transmit_all(&mut self.connection)); // what waits at the end of the transport is dropped
        self.connection.receive_eof();
        take_events(&mut self.connection, &mut self.events);
        self.sent.extend(transmit_all(&mut self.connection));
    }

    fn arrived(&mut self, n: usize) -> &'o [u8] {
        let (octets, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        octets
    }

    fn receive(&mut self, n: usize, takes: &[Take]) {
        let mut memory = self.arrived(n).to_vec();
        let mut input = self.connection.receive(&mut memory);
        for take in takes {
            if *take == Take::Answer {
                let Some((event, sender)) = input.poll_event_with() else { break };
                self.events.push(look(event, *take));
                let _ = sender.send("answer"); // not if the connection is closing
            } else {
                let Some(event) = input.poll_event() else { break };
                self.events.push(look(event, *take));
            }
        }
        drop(input);
        memory.fill(0xEE);
    }

    fn receive_own(&mut self, n: usize) {
        let space = self.connection.recv_space();
        let (octets, rest) = self.rest.split_at(n.min(space.len()).min(self.rest.len()));
        let (here, behind) = space.split_at_mut(octets.len());
        here.copy_from_slice(octets);
        behind.fill(0xDD);
        self.connection.received(octets.len());
        self.rest = rest;
    }

    fn take(&mut self, takes: &[Take]) {
        for take in takes {
            let prepared = (*take == Take::Prepared).then(|| self.connection.prepare_event());
            let taken = if *take == Take::Answer {
                self.connection.poll_event_with().map(|(event, sender)| {
                    let _ = sender.send("answer");
                    look(event, *take)
                })
            } else {
                self.connection.poll_event().map(|event| look(event, *take))
            };
            assert!(prepared.is_none_or(|there_is_one| there_is_one == taken.is_some()));
            let Some(record) = taken else { return };
            self.events.push(record);
        }
    }
}

/// What it says; and what is done to it.
fn look(event: Event<'_>, take: Take) -> Record {
    match (event, take) {
        (Event::Text(text), Take::Keep) => Record::Text(text.into_utf8_bytes().as_bytes().to_vec()),
        (Event::Binary(data), Take::Keep) => Record::Binary(data.into_bytes().to_vec()),
        (Event::Binary(mut data), Take::Spoil) => {
            let record = Record::Binary(data.to_vec());
            data.as_bytes_mut().fill(0xC5);
            record
        }
        (Event::Fragment(mut fragment), Take::Spoil) => {
            let data = fragment.data.to_vec();
            fragment.data.as_bytes_mut().fill(0xC5);
            Record::Fragment { kind: fragment.kind, data, first: fragment.first, last: fragment.last }
        }
        (event, _) => event.into(),
    }
}
