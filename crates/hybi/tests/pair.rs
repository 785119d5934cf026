//! A client and a server on one wire: what only both together can show.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use hybi::{CloseCause, CloseCode, Config, Kind, Message, ProtocolError, Role, State, TransportAction};
use hybi_test::endpoint::{Memory, config};
use hybi_test::frames::{Frame, first, read_all};
use hybi_test::pair::Pair;
use hybi_test::record::Record;
use hybi_test::twins;

/// The pair in every way to read, with small reads and large ones.
fn each_way(test: impl Fn(Pair)) {
    for memory in Memory::ALL {
        for chunk in [1, 3, 1000, usize::MAX] {
            let mut pair = Pair::default();
            for end in [&mut pair.client, &mut pair.server] {
                (end.memory, end.chunk) = (memory, chunk);
            }
            test(pair);
        }
    }
}

twins! {
    fn what_one_sends_the_other_receives(role) {
        each_way(|mut pair| {
            let connection = pair.connection(role);
            connection.send("κόσμε").unwrap();
            connection.send(&[0xFF; 300]).unwrap();
            connection.send_message(Message::from(vec![5; 70_000])).unwrap();
            connection.send("").unwrap();
            pair.run();
            assert_eq!(pair.end(role.peer()).events, [
                Record::text("κόσμε"),
                Record::Binary(vec![0xFF; 300]),
                Record::Binary(vec![5; 70_000]),
                Record::text(""),
            ]);
            assert_eq!(pair.end(role).events, []);
        });
    }

    fn fragments_arrive_as_one_message(role) {
        each_way(|mut pair| {
            let mut writer = pair.connection(role).start(Kind::Text).unwrap();
            writer.write(b"\xce").unwrap(); // inside a character
            writer.write(b"\xba").unwrap();
            drop(writer);
            pair.connection(role).ping(b"between").unwrap();
            pair.run();
            pair.connection(role).writer().unwrap().finish("όσμε".as_bytes()).unwrap();
            pair.run();
            let expected = [Record::Ping(b"between".to_vec()), Record::text("κόσμε")];
            assert_eq!(pair.end(role.peer()).events, expected);
            assert_eq!(pair.end(role).events, [Record::Pong(b"between".to_vec())]);
        });
    }

    fn a_clean_end(role) {
        each_way(|mut pair| {
            pair.connection(role).send("last words").unwrap();
            pair.connection(role).close(CloseCode::GOING_AWAY, "lunch").unwrap();
            pair.run();
            let closed = [
                Record::Close(Some((1001, b"lunch".to_vec()))),
                Record::clean(1001, "lunch"),
            ];
            assert_eq!(pair.end(role).events, closed);
            assert_eq!(pair.end(role.peer()).events, [&[Record::text("last words")], &closed[..]].concat());
            for end in [&pair.client, &pair.server] {
                assert_eq!(end.connection.state(), State::Closed);
                assert!(end.has_closed());
                assert!(end.connection.close_info().unwrap().is_clean());
                assert_eq!(read_all(end.connection.role(), &end.sent).unwrap().last().unwrap().opcode, 8);
            }
        });
    }

    /// §7.1.1: whoever closes, the server ends the transport, and the client waits for that.
    fn the_server_ends_the_transport_first(role) {
        let mut pair = Pair::default();
        (pair.client.reads, pair.server.reads) = (false, false);
        pair.connection(role).close_with(None).unwrap();
        if role == Role::Server {
            pair.client.reads = true; // and answers
            pair.run();
            pair.client.reads = false;
        }
        assert!(!pair.server.has_closed() && !pair.client.has_closed());
        pair.server.reads = true;
        pair.run();
        assert!(pair.server.has_closed());
        assert!(!pair.client.has_closed());
        assert_eq!(pair.server.connection.transport_action(), TransportAction::Close);
        assert_eq!(pair.client.connection.transport_action(), TransportAction::None);
        pair.client.reads = true;
        pair.run();
        assert!(pair.client.has_closed());
    }

    fn both_close_at_the_same_time(role) {
        each_way(|mut pair| {
            pair.connection(role).close(CloseCode::NORMAL, "one").unwrap();
            pair.connection(role.peer()).close(CloseCode::GOING_AWAY, "other").unwrap();
            pair.run();
            assert!(pair.end(role).events.ends_with(&[Record::clean(1001, "other")]));
            assert!(pair.end(role.peer()).events.ends_with(&[Record::clean(1000, "one")]));
            for end in [&pair.client, &pair.server] {
                let frames = read_all(end.connection.role(), &end.sent).unwrap();
                assert_eq!(frames.iter().map(Frame::first).collect::<Vec<_>>(), [first::CLOSE]);
            }
        });
    }

    fn messages_on_their_way_arrive_before_the_end(role) {
        each_way(|mut pair| {
            for n in 0..20u8 {
                pair.connection(role.peer()).send(&[n; 100]).unwrap();
            }
            pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
            pair.run();
            let messages = pair.end(role).events.iter().filter(|event| matches!(event, Record::Binary(_))).count();
            assert_eq!(messages, 20);
            assert!(pair.end(role).events.ends_with(&[Record::clean(1000, "")]));
        });
    }

    fn an_echo_in_both_directions(role) {
        // Text in small reads, echoed while it is lent.
        let mut pair = Pair::default();
        for n in 0..200 {
            pair.connection(role).send(format!("message {n}").as_str()).unwrap();
        }
        let mut wire = Vec::new();
        let peer = &mut pair.end(role).connection;
        while !peer.transmit().is_empty() {
            let n = peer.transmit().len();
            wire.extend_from_slice(peer.transmit());
            peer.transmitted(n);
        }
        let echo = pair.connection(role.peer());
        for read in wire.chunks_mut(333) {
            let mut input = echo.receive(read);
            while let Some((event, sender)) = input.poll_event_with() {
                if let hybi::Event::Text(text) = event {
                    sender.send(&text).unwrap();
                }
            }
        }
        pair.run();
        let expected: Vec<Record> = (0..200).map(|n| Record::text(&format!("message {n}"))).collect();
        assert_eq!(pair.end(role).events, expected);
    }

    fn a_peer_that_does_not_read_holds_nothing_up_but_its_own_direction(role) {
        let mut pair = Pair::default();
        pair.end(role.peer()).reads = false;
        pair.end(role.peer()).room = 1000;
        pair.connection(role).send(&[1; 100_000]).unwrap();
        pair.connection(role.peer()).send("still talking").unwrap();
        pair.run();
        assert_eq!(pair.end(role).events, [Record::text("still talking")]);
        assert_eq!(pair.end(role.peer()).unread(), 1000);
        assert!(pair.connection(role).buffered_len() >= 99_000);
        pair.end(role.peer()).reads = true;
        pair.run();
        assert_eq!(pair.end(role.peer()).events, [Record::Binary(vec![1; 100_000])]);
    }

    fn the_transport_breaks(role) {
        each_way(|mut pair| {
            pair.connection(role).send("before").unwrap();
            pair.run();
            pair.connection(role).send("lost").unwrap();
            pair.break_wire();
            assert_eq!(pair.end(role.peer()).events, [Record::text("before"), Record::transport_ended()]);
            assert_eq!(pair.end(role).events, [Record::transport_ended()]);
            assert!(pair.client.has_closed() && pair.server.has_closed());
        });
    }

    fn one_end_gives_up(role) {
        let mut pair = Pair::default();
        pair.connection(role).send("never sent").unwrap();
        pair.connection(role).abort();
        pair.run();
        assert_eq!(pair.end(role).sent, []);
        assert_eq!(pair.end(role).events, [Record::Closed(1006, Vec::new(), CloseCause::Aborted)]);
        assert_eq!(pair.end(role.peer()).events, [Record::transport_ended()]);
    }

    /// §7.1.7: who fails the connection says why, ends its direction, and lets the other read it.
    fn a_failure_is_told_and_both_ends_end(role) {
        let limited = config(|config| config.limits.message = 10);
        let mut pair = match role {
            Role::Client => Pair::new(limited, Config::default()),
            Role::Server => Pair::new(Config::default(), limited),
        };
        pair.connection(role.peer()).send(&[0; 11]).unwrap();
        pair.run();
        let error = ProtocolError::MessageTooBig;
        assert_eq!(pair.end(role).events, [
            Record::Failed(error),
            Record::Closed(1006, Vec::new(), CloseCause::Failed(error)),
        ]);
        assert!(pair.end(role.peer()).events.ends_with(&[Record::clean(1009, "message too big")]));
        assert!(pair.client.has_closed() && pair.server.has_closed());
    }
}
