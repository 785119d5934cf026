//! Every deadline, with a clock that jumps from one to the next. Nothing sleeps.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::time::Duration;

use hybi::{CloseCause, CloseCode, Config, Instant, Role, State, Timeout, TransportAction};
use hybi_test::endpoint::{config, open_with, receive, receive_eof, take_events, transmit_all};
use hybi_test::frames::{first, read_all, to};
use hybi_test::pair::Pair;
use hybi_test::record::Record;
use hybi_test::twins;

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Only one side has these timeouts: `role`.
fn pair(role: Role, change: impl FnOnce(&mut Config)) -> Pair {
    let (changed, plain) = (config(change), Config::default());
    match role {
        Role::Client => Pair::new(changed, plain),
        Role::Server => Pair::new(plain, changed),
    }
}

/// A ping after 20 seconds, and a sign of life within 7 of it.
fn watched(config: &mut Config) {
    config.timeouts.keepalive = Some(seconds(20));
    config.timeouts.pong = Some(seconds(7));
}

fn timed_out(timeout: Timeout) -> Record {
    Record::Closed(1006, Vec::new(), CloseCause::TimedOut(timeout))
}

twins! {
    fn an_open_connection_has_no_deadline_unless_it_is_asked_for(role) {
        let mut pair = Pair::default();
        pair.connection(role).send("x").unwrap();
        pair.run();
        assert_eq!(pair.next_deadline(), None);
        pair.advance(seconds(1_000_000));
        assert_eq!(pair.connection(role).state(), State::Open);
    }

    fn keepalive_sends_a_ping_after_each_interval(role) {
        let mut pair = pair(role, |config| config.timeouts.keepalive = Some(seconds(20)));
        pair.advance(seconds(19));
        assert_eq!(pair.end(role.peer()).take_events(), []);
        pair.advance(seconds(1));
        assert_eq!(pair.end(role.peer()).take_events(), [Record::Ping(b"1".to_vec())]);
        pair.advance(seconds(41));
        let pings = [Record::Ping(b"2".to_vec()), Record::Ping(b"3".to_vec())];
        assert_eq!(pair.end(role.peer()).take_events(), pings);
        assert_eq!(pair.end(role).events.len(), 3, "each is answered");
        assert_eq!(pair.connection(role).state(), State::Open);
    }

    fn keepalive_of_both_sides(role) {
        let mut pair = Pair::new(
            config(|config| config.timeouts.keepalive = Some(seconds(3))),
            config(|config| config.timeouts.keepalive = Some(seconds(5))),
        );
        pair.advance(seconds(15));
        let pings = pair.end(role).events.iter().filter(|event| matches!(event, Record::Ping(_))).count();
        assert_eq!(pings, if role == Role::Client { 3 } else { 5 });
    }

    fn a_late_caller_gets_one_ping_and_not_all_that_were_missed(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.keepalive = Some(seconds(10))));
        let start = Instant::from_nanos(5);
        connection.handle_timeout(start);
        connection.handle_timeout(start + seconds(95));
        assert_eq!(read_all(role, &transmit_all(&mut connection)).unwrap().len(), 1);
        assert!(connection.poll_timeout().unwrap() > start + seconds(95));
    }

    fn no_sign_of_life_after_a_ping_ends_the_connection(role) {
        let mut pair = pair(role, watched);
        pair.end(role.peer()).reads = false;
        pair.advance(seconds(26));
        assert_eq!(pair.connection(role).state(), State::Open);
        pair.advance(seconds(1));
        assert_eq!(pair.end(role).take_events(), [timed_out(Timeout::Pong)]);
        assert_eq!(pair.connection(role).state(), State::Closed);
        assert_eq!(pair.connection(role).transport_action(), TransportAction::Close);
        assert_eq!(pair.connection(role).poll_timeout(), None);
    }

    /// While more waits: the ping may be among it, and its pong takes as long.
    fn output_that_moves_is_a_sign_of_life_too(role) {
        let mut connection = open_with(role, config(watched));
        let start = Instant::from_nanos(1);
        connection.handle_timeout(start);
        connection.send(&[7; 100]).unwrap();
        connection.handle_timeout(start + seconds(20));
        for _ in 0..2 {
            connection.transmitted(10);
        }
        connection.handle_timeout(start + seconds(27));
        assert_eq!(connection.state(), State::Open);

        let mut connection = open_with(role, config(watched));
        connection.handle_timeout(start);
        connection.send("first").unwrap();
        connection.handle_timeout(start + seconds(20));
        let mut outgoing = connection.sender().send_lent(&[7; 5000]).unwrap();
        for _ in 0..2 {
            outgoing.transmitted(10);
        }
        drop(outgoing);
        connection.handle_timeout(start + seconds(27));
        assert_eq!(connection.state(), State::Open, "of a message that was lent");
    }

    fn any_octet_after_a_ping_is_a_sign_of_life(role) {
        let mut connection = open_with(role, config(watched));
        let start = Instant::from_nanos(1);
        connection.handle_timeout(start);
        connection.handle_timeout(start + seconds(20));
        assert_eq!(receive(&mut connection, &to(role, first::TEXT, b"slow")[..1]), []);
        connection.handle_timeout(start + seconds(27));
        assert_eq!(connection.state(), State::Open);
        // What came before the ping does not count for the next.
        connection.handle_timeout(start + seconds(40));
        connection.handle_timeout(start + seconds(47));
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [timed_out(Timeout::Pong)]);
    }

    fn nothing_received_for_too_long_closes_with_1001(role) {
        let mut pair = pair(role, |config| config.timeouts.idle = Some(seconds(60)));
        pair.advance(seconds(59));
        assert_eq!(pair.connection(role).state(), State::Open);
        pair.advance(seconds(1));
        assert_eq!(pair.end(role.peer()).events, [
            Record::Close(Some((1001, b"idle".to_vec()))),
            Record::clean(1001, "idle"),
        ]);
        assert!(pair.end(role).events.ends_with(&[Record::clean(1001, "idle")]));
    }

    /// Zero means that the time has to be told; a deadline that was told it lies behind that, and before never.
    fn a_deadline_at_either_end_of_time(role) {
        for (limit, at) in [(Duration::ZERO, 1), (Duration::MAX, u64::MAX - 1)] {
            let mut connection = open_with(role, config(|config| config.timeouts.idle = Some(limit)));
            assert_eq!(connection.poll_timeout(), Some(Instant::ZERO));
            connection.handle_timeout(Instant::ZERO);
            assert_eq!(connection.poll_timeout(), Some(Instant::from_nanos(at)), "{limit:?}");
            assert_eq!(connection.state(), State::Open);
        }
    }

    fn who_receives_is_not_idle(role) {
        let mut pair = pair(role, |config| config.timeouts.idle = Some(seconds(60)));
        for _ in 0..20 {
            pair.advance(seconds(50));
            pair.connection(role.peer()).send("here").unwrap();
            pair.run();
            assert_eq!(pair.connection(role).state(), State::Open);
        }
        pair.advance(seconds(120)); // never more than twice the time, whatever came when
        assert_ne!(pair.connection(role).state(), State::Open);
    }

    fn who_only_sends_is_idle(role) {
        let mut pair = pair(role, |config| config.timeouts.idle = Some(seconds(60)));
        for _ in 0..6 {
            pair.connection(role).send("anyone?").unwrap();
            pair.advance(seconds(10));
        }
        assert_ne!(pair.connection(role).state(), State::Open);
    }

    fn a_close_frame_that_is_not_answered(role) {
        let mut pair = pair(role, |config| config.timeouts.close = Some(seconds(9)));
        pair.end(role.peer()).reads = false;
        pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
        pair.advance(seconds(8));
        assert_eq!(pair.connection(role).state(), State::Closing);
        pair.advance(seconds(1));
        assert_eq!(pair.end(role).take_events(), [timed_out(Timeout::Close)]);
        assert!(pair.end(role).has_closed());
        assert_eq!(pair.connection(role).poll_timeout(), None);
    }

    fn messages_do_not_prolong_the_closing_handshake(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.close = Some(seconds(9))));
        let start = Instant::from_nanos(1);
        connection.close(CloseCode::NORMAL, "").unwrap();
        connection.handle_timeout(start);
        for n in 1..9 {
            receive(&mut connection, &to(role, first::TEXT, b"still here"));
            connection.handle_timeout(start + seconds(n));
        }
        assert_eq!(connection.state(), State::Closing);
        connection.handle_timeout(start + seconds(9));
        assert_eq!(connection.state(), State::Closed);
    }

    fn a_peer_that_keeps_the_transport_after_a_failure(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.close = Some(seconds(9))));
        let start = Instant::from_nanos(1);
        receive(&mut connection, &to(role, 0x83, b""));
        assert_eq!(connection.poll_timeout(), Some(Instant::ZERO), "it wants to know the time");
        connection.handle_timeout(start);
        transmit_all(&mut connection);
        assert_eq!(connection.transport_action(), TransportAction::ShutdownWrite);
        connection.handle_timeout(start + seconds(9));
        assert_eq!(connection.transport_action(), TransportAction::Close);
        assert_eq!(connection.poll_timeout(), None);
    }

    fn no_close_timeout_waits_for_ever(role) {
        let mut pair = pair(role, |config| config.timeouts.close = None);
        pair.end(role.peer()).reads = false;
        pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
        pair.advance(seconds(1_000_000));
        assert_eq!(pair.connection(role).state(), State::Closing);
    }

    fn output_that_does_not_move(role) {
        let mut pair = pair(role, |config| config.timeouts.write_stall = Some(seconds(30)));
        pair.end(role.peer()).reads = false;
        pair.end(role.peer()).room = 100;
        pair.connection(role).send(&[0; 1000]).unwrap();
        pair.advance(seconds(60));
        assert_eq!(pair.end(role).take_events(), [timed_out(Timeout::WriteStall)]);
        assert_eq!(pair.connection(role).buffered_len(), 0, "what waited is dropped");
        assert_eq!(pair.connection(role).poll_timeout(), None);
    }

    fn a_close_frame_that_does_not_move(role) {
        let mut pair = pair(role, |config| {
            (config.timeouts.close, config.timeouts.write_stall) = (None, Some(seconds(30)));
        });
        (pair.end(role.peer()).reads, pair.end(role.peer()).room) = (false, 0);
        pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
        pair.advance(seconds(60));
        assert_eq!(pair.end(role).take_events(), [timed_out(Timeout::WriteStall)]);
    }

    fn a_read_of_nothing_is_no_sign_of_life(role) {
        let reads: [fn(&mut hybi::Connection); 3] = [
            |connection| connection.received(0),
            |connection| drop(connection.receive(&mut [])),
            |connection| assert_eq!(connection.receive_copy(b""), 0),
        ];
        for read in reads {
            let mut connection = open_with(role, config(|config| config.timeouts.idle = Some(seconds(30))));
            let start = Instant::from_nanos(1);
            for n in 0..=30 {
                assert_eq!(connection.state(), State::Open);
                connection.handle_timeout(start + seconds(n));
                read(&mut connection);
            }
            assert_eq!(connection.state(), State::Closing);
        }
    }

    fn a_write_of_nothing_is_no_sign_of_life(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.write_stall = Some(seconds(30))));
        let start = Instant::from_nanos(1);
        connection.send("x").unwrap();
        for n in 0..=30 {
            assert_eq!(connection.state(), State::Open);
            connection.handle_timeout(start + seconds(n));
            connection.transmitted(0);
        }
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [timed_out(Timeout::WriteStall)]);
    }

    /// Nor is one of nothing while a message is lent, or one behind which nothing waits while a pong does not come.
    fn a_lent_message_is_a_sign_of_life_as_any_other(role) {
        let (payload, start) = (vec![7; 5000], Instant::from_nanos(1));
        let take = |connection: &mut hybi::Connection, n: usize| {
            connection.sender().send_lent(&payload).unwrap().transmitted(n);
        };
        let mut events = Vec::new();
        let mut connection = open_with(role, config(|config| config.timeouts.write_stall = Some(seconds(30))));
        take(&mut connection, 0);
        connection.handle_timeout(start);
        connection.handle_timeout(start + seconds(30));
        take_events(&mut connection, &mut events);
        let mut connection = open_with(role, config(|config| {
            (config.timeouts.keepalive, config.timeouts.pong) = (Some(seconds(10)), Some(seconds(1)));
        }));
        connection.handle_timeout(start);
        connection.handle_timeout(start + seconds(10));
        transmit_all(&mut connection);
        take(&mut connection, 5000 + if role == Role::Client { 8 } else { 4 });
        connection.handle_timeout(start + seconds(11));
        take_events(&mut connection, &mut events);
        assert_eq!(events, [timed_out(Timeout::WriteStall), timed_out(Timeout::Pong)]);
    }

    fn output_that_moves_slowly(role) {
        let mut pair = pair(role, |config| config.timeouts.write_stall = Some(seconds(30)));
        (pair.end(role.peer()).room, pair.end(role.peer()).chunk) = (1, 1);
        pair.end(role.peer()).reads = false;
        pair.connection(role).send(&[0; 100]).unwrap();
        for _ in 0..50 {
            pair.advance(seconds(29));
            pair.end(role.peer()).room += 1;
            pair.run();
        }
        assert_eq!(pair.connection(role).state(), State::Open);
    }

    fn after_the_output_has_drained_nothing_stalls(role) {
        let mut pair = pair(role, |config| config.timeouts.write_stall = Some(seconds(30)));
        pair.connection(role).send("x").unwrap();
        pair.advance(seconds(300));
        assert_eq!(pair.connection(role).state(), State::Open);
        assert_eq!(pair.next_deadline(), None);
    }

    fn after_the_end_there_is_no_deadline(role) {
        let mut connection = open_with(role, config(|config| {
            let timeouts = &mut config.timeouts;
            timeouts.keepalive = Some(seconds(1));
            (timeouts.idle, timeouts.write_stall) = (Some(seconds(1)), Some(seconds(1)));
        }));
        connection.send("waits, and is dropped").unwrap();
        assert_eq!(receive_eof(&mut connection), [Record::transport_ended()]);
        assert_eq!(connection.poll_timeout(), None);
        connection.handle_timeout(Instant::from_nanos(u64::MAX));
        assert_eq!(connection.poll_timeout(), None);
        assert_eq!(transmit_all(&mut connection), []);
    }

    fn while_closing_only_the_end_matters(role) {
        let mut pair = pair(role, |config| {
            config.timeouts.keepalive = Some(seconds(1));
            config.timeouts.idle = Some(seconds(1));
        });
        pair.end(role.peer()).reads = false;
        pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
        pair.advance(seconds(29));
        let frames = read_all(role, &pair.end(role).sent).unwrap();
        assert_eq!(frames.len(), 1, "one close frame, no ping, no second close frame");
    }

    fn a_deadline_is_not_moved_by_telling_the_time_twice(role) {
        let mut connection = open_with(role, config(|config| config.timeouts.keepalive = Some(seconds(10))));
        let start = Instant::from_nanos(77);
        connection.handle_timeout(start);
        let deadline = connection.poll_timeout();
        connection.handle_timeout(start);
        connection.handle_timeout(start + seconds(9));
        assert_eq!(connection.poll_timeout(), deadline);
        assert_eq!(deadline, Some(start + seconds(10)));
        assert_eq!(connection.buffered_len(), 0);
    }
}
