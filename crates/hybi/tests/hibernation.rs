//! Connections that hibernate while nothing is under way: what may not be under way, and what lasts. That all else is
//! as if they never did, every test says that goes over [`Memory::ALL`](hybi_test::endpoint::Memory::ALL).

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::sync::Arc;
use std::time::Duration;

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
use hybi::{
    Agreement, CloseCause, CloseCode, Config, Connection, Delivery, Event, Hibernated, Instant, Kind, Role,
    Timeout,
};
use hybi_test::alloc::{Counting, Measure};
use hybi_test::endpoint::{config, nap, open, open_agreed, open_with, receive, take_events, transmit_all};
use hybi_test::frames::{first, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Does not hibernate before this was done to it, and does after that.
fn is_awake_until(role: Role, begin: impl FnOnce(&mut Connection), end: impl FnOnce(&mut Connection)) {
    let mut connection = open(role);
    assert!(nap(&mut connection), "nothing has happened yet");
    begin(&mut connection);
    let mut connection = connection.hibernate().expect_err("something is under way");
    end(&mut connection);
    assert!(nap(&mut connection), "nothing is under way any more");
}

/// Never hibernates again after this.
fn stays_awake_after(role: Role, change: impl FnOnce(&mut Connection)) {
    let mut connection = open(role);
    change(&mut connection);
    take(&mut connection);
    transmit_all(&mut connection);
    assert!(!connection.is_silent());
    assert!(connection.hibernate().is_err());
}

/// Takes all events, unseen.
fn take(connection: &mut Connection) {
    take_events(connection, &mut Vec::new());
}

fn drain(connection: &mut Connection) {
    transmit_all(connection);
}

twins! {
    fn not_while_output_waits(role) {
        is_awake_until(role, |connection| connection.send("x").unwrap(), drain);
        is_awake_until(role, |connection| connection.ping(b"").unwrap(), drain);
        is_awake_until(role, |connection| drop(receive(connection, &to(role, first::PING, b"p"))), drain);
    }

    fn not_while_a_frame_is_cut(role) {
        let frame = to(role, first::TEXT, b"hello");
        for at in 1..frame.len() {
            let (front, rest) = frame.split_at(at);
            is_awake_until(
                role,
                |connection| assert_eq!(receive(connection, front), []),
                |connection| assert_eq!(receive(connection, rest), [Record::Text("hello".into())]),
            );
        }
    }

    fn not_while_a_message_is_unfinished(role) {
        let (begin, end) = (to(role, first::TEXT & 0x7f, b"hel"), to(role, 0x80, b"lo"));
        is_awake_until(
            role,
            |connection| assert_eq!(receive(connection, &begin), []),
            |connection| assert_eq!(receive(connection, &end), [Record::Text("hello".into())]),
        );
        is_awake_until(
            role,
            |connection| {
                connection.start(Kind::Text).unwrap().write(b"hel").unwrap();
                drain(connection);
            },
            |connection| {
                connection.writer().unwrap().finish(b"lo").unwrap();
                drain(connection);
            },
        );
    }

    fn not_while_an_event_is_to_come(role) {
        let frame = to(role, first::TEXT, b"hello");
        is_awake_until(
            role,
            |connection| assert_eq!(connection.receive_copy(&frame), frame.len()),
            take,
        );
        is_awake_until(
            role,
            |connection| {
                connection.receive_copy(&frame);
                assert!(connection.prepare_event());
            },
            take,
        );
        let low = config(|config| (config.water.high, config.water.low) = (10, 5));
        let mut connection = open_with(role, low);
        connection.send("more than ten octets").unwrap();
        drain(&mut connection);
        let mut connection = connection.hibernate().expect_err("it is to say that there is room");
        assert!(matches!(connection.poll_event(), Some(Event::Writable)));
        assert!(nap(&mut connection));
    }

    fn not_while_the_end_is_to_come(role) {
        let mut connection = open(role);
        connection.receive_eof();
        let mut connection = connection.hibernate().expect_err("it is to say that it is over");
        assert!(matches!(connection.poll_event(), Some(Event::Closed(_))));
    }

    fn not_while_a_buffer_is_lent(role) {
        is_awake_until(
            role,
            |connection| connection.lend_buffer(vec![0; 100]).unwrap(),
            |connection| assert_eq!(connection.reclaim_buffer().unwrap().len(), 100),
        );
        is_awake_until(
            role,
            |connection| connection.sender().lend_buffer(Vec::with_capacity(100)).unwrap(),
            |connection| assert_eq!(connection.sender().reclaim_buffer().unwrap().capacity(), 100),
        );
    }

    fn not_when_it_is_no_longer_open(role) {
        stays_awake_after(role, |connection| connection.close(CloseCode::NORMAL, "").unwrap());
        stays_awake_after(role, |connection| drop(receive(connection, &to(role, first::CLOSE, b""))));
        stays_awake_after(role, |connection| drop(receive(connection, b"\xff\xff")));
        stays_awake_after(role, Connection::receive_eof);
        stays_awake_after(role, Connection::transport_lost);
        stays_awake_after(role, Connection::transmit_lost);
        stays_awake_after(role, Connection::abort);
    }

    fn what_sleeps_is_small_and_holds_nothing(role) {
        assert!(size_of::<Hibernated>() < 200, "{}", size_of::<Hibernated>());
        let shared = Arc::new(Config::default());
        let measure = Measure::start();
        let connection = open_with(role, shared.clone());
        let asleep = connection.hibernate().unwrap();
        assert_eq!(measure.peak(), 0, "to sleep, and what sleeps");
        drop(asleep.wake());
        assert_eq!(measure.peak(), 0, "to wake");
    }

    fn deadlines_go_on(role) {
        let seconds = Duration::from_secs;
        let mut connection = open_with(
            role,
            config(|config| {
                config.timeouts.keepalive = Some(seconds(20));
                config.timeouts.pong = Some(seconds(5));
            }),
        );
        let at = |n| Instant::from_nanos(0) + seconds(n);
        for now in [1, 21, 26] {
            let due = connection.poll_timeout();
            let asleep = connection.hibernate().unwrap();
            assert_eq!(asleep.poll_timeout(), due);
            connection = asleep.wake();
            assert_eq!(connection.poll_timeout(), due);
            connection.handle_timeout(at(now));
            drain(&mut connection);
            if now == 21 {
                nap(&mut connection);
            }
        }
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [Record::Closed(1006, Vec::new(), CloseCause::TimedOut(Timeout::Pong))]);
    }

    fn a_sign_of_life_is_not_forgotten(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.idle = Some(Duration::from_secs(10))));
        let at = |n| Instant::from_nanos(0) + Duration::from_secs(n);
        connection.handle_timeout(at(1));
        receive(&mut connection, &to(role, first::PONG, b""));
        assert!(nap(&mut connection));
        connection.handle_timeout(at(11));
        assert!(nap(&mut connection), "it has shown that it lives");
        connection.handle_timeout(at(21));
        assert!(!connection.is_silent(), "and then no more");
    }

    fn pings_are_numbered_on(role) {
        let mut connection =
            open_with(role, config(|config| config.timeouts.keepalive = Some(Duration::from_secs(1))));
        let mut sent = Vec::new();
        for now in 1..5 {
            connection.handle_timeout(Instant::from_nanos(0) + Duration::from_secs(now));
            sent = transmit_all(&mut connection);
            assert!(nap(&mut connection));
        }
        let mut other = open(role.peer());
        assert_eq!(receive(&mut other, &sent), [Record::Ping(b"3".to_vec())]);
    }

    fn the_way_of_delivery_stays(role) {
        let mut connection = open(role);
        connection.set_delivery(Delivery::Fragments);
        assert!(nap(&mut connection));
        let frame = to(role, first::BINARY, b"in pieces");
        let events = receive(&mut connection, &frame[..frame.len() - 3]);
        assert!(matches!(&events[..], [Record::Fragment { .. }]), "{events:?}");
    }

    fn what_was_agreed_on_stays(role) {
        let agreement = Agreement::default().with_subprotocol("chat").with_deflate(Deflate::new(DeflateConfig::default(), Params::default()));
        let small = config(|config| config.limits.message = 5000);
        let asleep = open_agreed(role, agreement.clone(), small.clone()).hibernate().unwrap();
        assert_eq!((asleep.role(), asleep.agreement()), (role, &agreement));
        assert_eq!(asleep.config(), &small);
        let shown = format!("{asleep:?}");
        assert!(shown.contains("chat") && shown.contains("Hibernated"), "{shown}");
        assert_eq!(asleep.wake().agreement(), &agreement);
    }

    fn what_compression_remembers_stays(role) {
        let agreement = Agreement::default().with_deflate(Deflate::new(DeflateConfig::default(), Params::default()));
        let mut ends = [role, role.peer()].map(|role| open_agreed(role, agreement.clone(), Config::default()));
        let text = "the same words again and again, as long as it takes to be worth a reference ".repeat(20);
        let mut lengths = Vec::new();
        for _ in 0..3 {
            ends[0].send(text.as_str()).unwrap();
            let sent = transmit_all(&mut ends[0]);
            lengths.push(sent.len());
            assert_eq!(receive(&mut ends[1], &sent), [Record::Text(text.clone().into())]);
            assert!(nap(&mut ends[0]) && nap(&mut ends[1]));
        }
        assert!(lengths[1] < lengths[0], "the second refers to the first: {lengths:?}");
    }
}
