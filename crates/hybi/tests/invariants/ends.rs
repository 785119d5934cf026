//! `Closed` comes exactly once and last, whatever is called and in whatever order: by the peer, the application,
//! the transport and the clock. For a whole connection, and for its two halves.

use std::time::Duration;

use hybi::{CloseCode, Config, Connection, Event, Instant, Kind, Receiver, Sender, State};
use hybi_test::dice::Dice;
use hybi_test::endpoint::{Memory, config, open_with, take_events};
use hybi_test::frames::read_all;
use hybi_test::record::Record;
use hybi_test::{hostile, twins};

use super::{ROLES, STREAMS};

/// Deadlines of all kinds.
fn timed(dice: &mut Dice<'_>) -> Config {
    let mut config = if dice.one_in(2) { config(|_| {}) } else { hostile::config(dice) };
    let some = |dice: &mut Dice<'_>| dice.one_in(2).then(|| Duration::from_millis(dice.below(50) as u64));
    config.timeouts.keepalive = some(dice);
    config.timeouts.pong = some(dice);
    config.timeouts.idle = some(dice);
    config.timeouts.close = some(dice);
    config.timeouts.write_stall = some(dice);
    config
}

/// One call of an application, which may be refused.
fn say(dice: &mut Dice<'_>, connection: &mut Connection) {
    match dice.below(9) {
        0 => drop(connection.send("text")),
        1 => drop(connection.send(&vec![1; 5000])),
        2 => drop(connection.ping(b"?")),
        3 => drop(connection.pong(b"!")),
        4 => drop(connection.start(Kind::Binary).and_then(|mut writer| writer.write(b"part"))),
        5 => drop(connection.writer().map(|writer| writer.finish(b""))),
        6 => drop(connection.close(CloseCode::NORMAL, "bye")),
        7 if dice.one_in(4) => connection.abort(),
        _ => drop(connection.send_message(vec![2; 5000])),
    }
}

/// Anything that can happen to a connection.
fn happen(
    dice: &mut Dice<'_>,
    connection: &mut Connection,
    now: &mut Instant,
    events: &mut Vec<Record>,
) -> usize {
    let role = connection.role();
    match dice.below(12) {
        0..=3 => {
            let frames = 1 + dice.below(3);
            let octets = hostile::stream(dice, role, frames);
            let memory = dice.pick(&Memory::ALL);
            take_events(connection, events);
            if memory == Memory::Lent || !connection.recv_space().is_empty() {
                memory.feed(connection, &octets, events); // unless the transport has ended
            }
        }
        4 if dice.one_in(3) => connection.receive_eof(),
        5 if dice.one_in(6) => connection.transport_lost(),
        6 if dice.one_in(6) => connection.transmit_lost(),
        7 => {
            *now = *now + Duration::from_millis(dice.below(30) as u64);
            connection.handle_timeout(*now);
        }
        8 => drop(connection.prepare_event()),
        9 | 10 => {
            let n = connection.transmit().len();
            let n = if dice.one_in(2) { n } else { dice.below(n + 1) };
            connection.transmitted(n);
            return n;
        }
        _ => say(dice, connection),
    }
    0
}

#[test]
fn closed_is_the_last_event_and_comes_once() {
    for seed in 0..STREAMS * 2 {
        let mut dice = Dice::seeded(seed);
        let role = dice.pick(&ROLES);
        let config = timed(&mut dice);
        let mut connection = open_with(role, config);
        let (mut events, mut sent, mut now) = (Vec::new(), Vec::new(), Instant::from_nanos(1));
        for _ in 0..dice.below(40) {
            let waiting = connection.transmit().to_vec();
            let n = happen(&mut dice, &mut connection, &mut now, &mut events);
            sent.extend_from_slice(&waiting[..n]);
            if dice.one_in(2) {
                take_events(&mut connection, &mut events);
            }
        }
        take_events(&mut connection, &mut events);
        connection.receive_eof();
        take_events(&mut connection, &mut events);
        connection.transport_lost();
        connection.abort();
        take_events(&mut connection, &mut events);

        let closed = events.iter().filter(|event| matches!(event, Record::Closed(..))).count();
        assert_eq!(closed, 1, "seed {seed}: {events:?}");
        assert!(matches!(events.last(), Some(Record::Closed(..))), "seed {seed}: {events:?}");
        assert_eq!(connection.state(), State::Closed, "seed {seed}");
        assert!(connection.close_info().is_some(), "seed {seed}");
        // What was transmitted was a legal stream, but for a frame that an abort cut off.
        while let Err(complaint) = read_all(role, &sent) {
            assert!(complaint.ends_with("is not whole") && sent.pop().is_some(), "seed {seed}: {complaint}");
        }
    }
}

/// The adapter's part: what one half wants told is told to the other, now or later.
fn carry(receiver: &mut Receiver, sender: &mut Sender) {
    while let Some(reply) = receiver.poll_reply() {
        sender.handle_reply(reply);
    }
    if let Some(cause) = sender.poll_gave_up() {
        receiver.give_up(cause);
    }
}

fn hear(receiver: &mut Receiver, octets: &[u8], closed: &mut usize) {
    let mut memory = octets.to_vec();
    let mut input = receiver.receive(&mut memory);
    while let Some(event) = input.poll_event() {
        assert_eq!(*closed, 0, "no event comes after Closed: {event:?}");
        *closed += usize::from(matches!(event, Event::Closed(_)));
    }
}

twins! {
    fn the_halves_say_closed_once(role) {
        for seed in 0..STREAMS {
            let mut dice = Dice::seeded(seed);
            let (mut receiver, mut sender) = open_with(role, timed(&mut dice)).into_split();
            let (mut closed, mut now) = (0, Instant::from_nanos(1));
            for _ in 0..dice.below(30) {
                match dice.below(9) {
                    0..=2 => {
                        let octets = hostile::stream(&mut dice, role, 2);
                        hear(&mut receiver, &octets, &mut closed);
                    }
                    3 if dice.one_in(4) => receiver.receive_eof(),
                    4 if dice.one_in(4) => drop(sender.close(CloseCode::NORMAL, "")),
                    5 if dice.one_in(8) => sender.abort(),
                    6 if dice.one_in(8) => sender.transmit_lost(),
                    7 => {
                        now = now + Duration::from_millis(dice.below(30) as u64);
                        sender.handle_timeout(now);
                    }
                    _ => sender.transmitted(sender.transmit().len()),
                }
                if dice.one_in(2) {
                    carry(&mut receiver, &mut sender);
                }
            }
            receiver.receive_eof();
            hear(&mut receiver, b"", &mut closed);
            carry(&mut receiver, &mut sender);
            hear(&mut receiver, b"", &mut closed);
            assert_eq!(closed, 1, "seed {seed}");
            assert_eq!(sender.state(), State::Closed, "seed {seed}");
        }
    }
}
