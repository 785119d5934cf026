//! Calls in an order that nobody thinks of at first, each of which once went wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::time::Duration;

use hybi::{
    CloseCause, CloseCode, Connection, Delivery, Event, Instant, Kind, Role, Timeout, TransportAction,
};
use hybi_test::endpoint::{config, open, open_with, take_events, transmit_all};
use hybi_test::frames::to;
use hybi_test::record::Record;

const SECOND: Duration = Duration::from_secs(1);

fn events(connection: &mut Connection) -> Vec<Record> {
    let mut events = Vec::new();
    take_events(connection, &mut events);
    events
}

fn texts(expected: &[&str]) -> Vec<Record> {
    expected.iter().map(|text| Record::text(text)).collect()
}

#[test]
fn a_prepared_event_survives_whatever_is_called_before_it_is_taken() {
    let mut connection = open(Role::Client);
    assert_eq!(connection.receive_copy(b"\x81\x02hi"), 4);
    assert!(connection.prepare_event());
    assert_eq!(connection.receive_copy(b"\x81\x02HO"), 0, "first the event is to be taken");
    assert!(connection.recv_space().is_empty());
    assert!(connection.prepare_event());
    assert_eq!(events(&mut connection), texts(&["hi"]));

    let mut joined = open(Role::Client);
    joined.receive_copy(b"\x01\x03hel\x80\x02lo");
    assert!(joined.prepare_event());
    assert!(joined.recv_space().is_empty());
    assert_eq!(events(&mut joined), texts(&["hello"]));
}

#[test]
fn lent_memory_comes_behind_a_prepared_event() {
    let mut connection = open(Role::Client);
    connection.receive_copy(b"\x81\x05first");
    assert!(connection.prepare_event());
    let mut memory = *b"\x81\x06second";
    let mut input = connection.receive(&mut memory);
    let mut seen = Vec::new();
    while let Some(event) = input.poll_event() {
        seen.push(Record::from(event));
    }
    drop(input);
    assert_eq!(seen, texts(&["first", "second"]));
}

/// What is kept of lent memory that nobody looked at takes more room than there is, and moves nothing for it.
#[test]
fn a_prepared_event_stays_where_it_is_while_lent_memory_is_kept() {
    let mut connection = open(Role::Client);
    let waiting = b"\x81\x05first\x81\x06second\x82\x7e";
    assert_eq!(connection.receive_copy(waiting), waiting.len());
    assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_bytes() == b"first"));
    assert!(connection.prepare_event());
    let rest = [&5000u16.to_be_bytes()[..], &[0xFF; 5000]].concat();
    drop(connection.receive(&mut rest.clone()));
    assert_eq!(events(&mut connection), [Record::text("second"), Record::Binary(vec![0xFF; 5000])]);
}

#[test]
fn a_prepared_event_goes_with_the_receiving_half() {
    let mut connection = open(Role::Client);
    connection.receive_copy(b"\x81\x02hi");
    assert!(connection.prepare_event());
    let (mut receiver, _sender) = connection.into_split();
    assert!(matches!(receiver.poll_event(), Some(Event::Text(text)) if text.as_str() == "hi"));
}

#[test]
fn delivery_that_is_switched_inside_a_message_waits_for_the_next() {
    let mut connection = open(Role::Client);
    connection.receive_copy(b"\x01\x03hel");
    assert_eq!(events(&mut connection), []);
    connection.set_delivery(Delivery::Fragments);
    connection.receive_copy(b"\x80\x02lo\x01\x03foo");
    let fragment = Record::Fragment { kind: Kind::Text, data: b"foo".to_vec(), first: true, last: false };
    assert_eq!(events(&mut connection), [Record::text("hello"), fragment]);
}

#[test]
fn an_interval_of_nothing_is_no_endless_loop() {
    for now in [0, 1, u64::MAX] {
        let mut connection = open_with(Role::Server, config(|c| c.timeouts.keepalive = Some(Duration::ZERO)));
        connection.handle_timeout(Instant::from_nanos(now));
        connection.handle_timeout(Instant::from_nanos(now));
        assert!(transmit_all(&mut connection).len() <= 8);
    }
}

#[test]
fn output_after_a_half_close_has_the_close_deadline() {
    let mut server = open(Role::Server);
    server.send(&vec![0; 100_000]).unwrap();
    server.receive_copy(b"\x88\x80\x01\x02\x03\x04");
    server.receive_eof();
    let ended = [Record::Close(None), Record::clean(1005, "")];
    assert_eq!(events(&mut server), ended);
    assert_eq!(server.transport_action(), TransportAction::None, "the answer waits");
    server.handle_timeout(Instant::from_nanos(0));
    let deadline = server.poll_timeout().expect("what waits may not wait for ever");
    server.handle_timeout(deadline);
    assert_eq!((server.buffered_len(), server.transport_action()), (0, TransportAction::Close));
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn what_went_wrong_is_told_although_the_peer_has_ended_its_side() {
    let mut server = open(Role::Server);
    server.receive_copy(b"\x83\x80");
    server.receive_eof();
    assert_eq!(events(&mut server).len(), 2);
    assert_eq!(transmit_all(&mut server)[..4], [0x88, server_close_len(), 0x03, 0xEA]);
    assert_eq!(server.transport_action(), TransportAction::Close);
}

/// The reason is the text of the error.
fn server_close_len() -> u8 {
    2 + "reserved opcode".len() as u8
}

#[test]
fn a_lent_sender_can_give_the_connection_up() {
    let mut server = open(Role::Server);
    let mut memory = *b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b";
    let mut input = server.receive(&mut memory);
    let (_, sender) = input.poll_event_with().unwrap();
    sender.abort();
    match input.poll_event() {
        Some(Event::Closed(info)) => assert_eq!(*info.cause(), CloseCause::Aborted),
        other => panic!("{other:?}"),
    }
    assert!(input.poll_event().is_none());
}

#[test]
fn a_ping_that_did_not_go_out_is_not_waited_for() {
    let mut server = open_with(
        Role::Server,
        config(|c| {
            c.timeouts.keepalive = Some(SECOND);
            c.timeouts.pong = Some(SECOND);
            c.water.limit = 10;
        }),
    );
    server.handle_timeout(Instant::ZERO);
    server.send(&[0; 100]).unwrap(); // the queue is full, and stays so
    for second in 1..10 {
        server.handle_timeout(Instant::ZERO + SECOND * second);
    }
    assert_eq!(events(&mut server), []);
}

#[test]
fn output_that_moves_is_a_sign_of_life() {
    let mut server = open_with(
        Role::Server,
        config(|c| {
            c.timeouts.keepalive = Some(SECOND * 10);
            c.timeouts.pong = Some(SECOND);
        }),
    );
    server.handle_timeout(Instant::ZERO);
    server.send(&[0; 100]).unwrap();
    server.handle_timeout(Instant::ZERO + SECOND * 10); // the ping waits behind the message
    server.transmitted(50);
    server.handle_timeout(Instant::ZERO + SECOND * 11);
    assert_eq!(events(&mut server), []);
    server.handle_timeout(Instant::ZERO + SECOND * 20);
    server.handle_timeout(Instant::ZERO + SECOND * 21);
    let gave_up = CloseCause::TimedOut(Timeout::Pong);
    assert_eq!(events(&mut server), [Record::Closed(1006, Vec::new(), gave_up)]);
}

#[test]
fn nothing_is_sent_once_the_transport_takes_nothing() {
    let mut client = open(Role::Client);
    client.send("lost").unwrap();
    client.transmit_lost();
    assert_eq!(client.buffered_len(), 0);
    assert_eq!(client.send("more"), Err(hybi::UsageError::NotOpen));
    assert_eq!(client.close(CloseCode::NORMAL, ""), Ok(()));
    // What the peer says is still heard: here a ping that is not answered, and why it hung up.
    client.receive_copy(b"\x89\x00");
    assert_eq!(events(&mut client), [Record::Ping(Vec::new())]);
    assert_eq!(client.buffered_len(), 0);
    client.receive_copy(b"\x88\x02\x03\xf1");
    assert_eq!(events(&mut client), [Record::Close(Some((1009, Vec::new()))), Record::clean(1009, "")]);
    assert_eq!(client.buffered_len(), 0);
}

#[test]
fn the_way_of_delivery_changes_nothing_about_the_end() {
    for delivery in [Delivery::Messages, Delivery::Fragments] {
        // Before the failure is told, and after that.
        for told in [false, true] {
            let mut client = open(Role::Client);
            client.receive_copy(b"\x83\x00\x81\x02hi");
            let mut seen = Vec::new();
            if told {
                seen = events(&mut client);
            } else {
                assert!(client.prepare_event());
            }
            client.set_delivery(delivery);
            client.receive_copy(b"\x81\x02hi");
            seen.append(&mut events(&mut client));
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert!(matches!(seen[0], Record::Failed(_)), "{seen:?}");
        }
    }
}

#[test]
fn no_event_says_writable_when_nothing_may_be_written() {
    let mut server = open_with(Role::Server, config(|c| (c.water.high, c.water.low) = (10, 5)));
    server.send(&[0; 100]).unwrap();
    server.close(CloseCode::NORMAL, "").unwrap();
    transmit_all(&mut server);
    assert_eq!(events(&mut server), []);
}

#[test]
fn events_of_what_was_lent_are_taken_before_more_is_read() {
    let mut connection = open(Role::Client);
    assert!(!connection.recv_space().is_empty());
    drop(connection.receive(&mut b"\x81\x02hi".to_vec()));
    assert_eq!((connection.recv_space().len(), connection.receive_copy(b"\x89")), (0, 0));
    assert_eq!(events(&mut connection), texts(&["hi"]));
    assert!(!connection.recv_space().is_empty());
}

#[test]
fn what_was_not_decoded_can_be_taken_back() {
    const TWO: &[u8] = b"\x81\x02hi\x81\x05there";
    for cut in 4..TWO.len() {
        let mut connection = open(Role::Client);
        assert_eq!(connection.receive_copy(&TWO[..cut]), cut);
        assert!(connection.prepare_event());
        assert_eq!(connection.take_unread(), &TWO[4..cut], "behind a prepared event, which stays");
        assert_eq!(connection.take_unread(), b"", "it is taken once");
        assert_eq!(events(&mut connection), texts(&["hi"]));

        // It is what came: a connection that goes on with it misses nothing.
        let mut next = open(Role::Client);
        next.receive_copy(&TWO[4..]);
        assert_eq!(events(&mut next), texts(&["there"]));
    }
    let mut untouched = open(Role::Client);
    assert_eq!(untouched.take_unread(), b"");
    untouched.receive_copy(TWO);
    assert_eq!(untouched.take_unread(), TWO);
    untouched.receive_copy(TWO);
    assert_eq!(events(&mut untouched), texts(&["hi", "there"]), "it goes on as if nothing had come");
}

/// A message that is half there, and one that waits for the transport: neither is for a log.
#[test]
fn debug_shows_no_payload() {
    for role in [Role::Client, Role::Server] {
        let mut connection = open(role);
        let octets = [to(role, 0x01, b"hush"), to(role, 0x00, b"hush")].concat();
        assert_eq!(connection.receive_copy(&octets), octets.len());
        assert_eq!(events(&mut connection), []);
        connection.send("hush").unwrap();
        let hush = "hush".repeat(2000);
        let outgoing = format!("{:?}", connection.sender().send_lent(&hush).unwrap());
        connection.start(Kind::Text).unwrap().write(b"hush").unwrap();
        let whole = format!("{connection:?} {outgoing}");
        let (receiver, sender) = connection.into_split();
        for shown in [whole, format!("{receiver:?} {sender:?}")] {
            assert!(shown.contains("buffered_len"), "{shown}");
            assert!(!shown.contains("hush") && !shown.contains("104, 117"), "{shown}");
        }
    }
}
