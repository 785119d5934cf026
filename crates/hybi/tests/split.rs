//! The two halves with two owners: `into_split`, and the replies that are carried over.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::time::Duration;

use hybi::{
    CloseCause, CloseCode, Instant, ProtocolError, Receiver, Reply, Role, Sender, State, Timeout,
    TransportAction, UsageError,
};
use hybi_test::endpoint::{config, open, open_with};
use hybi_test::frames::{Frame, close_body, first, read_all, to};
use hybi_test::record::Record;
use hybi_test::twins;

fn split(role: Role) -> (Receiver, Sender) {
    open(role).into_split()
}

fn hear(receiver: &mut Receiver, octets: &[u8]) -> Vec<Record> {
    let mut memory = octets.to_vec();
    let mut input = receiver.receive(&mut memory);
    let mut events = Vec::new();
    while let Some(event) = input.poll_event() {
        events.push(event.into());
    }
    events
}

fn rest(receiver: &mut Receiver) -> Vec<Record> {
    let mut events = Vec::new();
    while let Some(event) = receiver.poll_event() {
        events.push(event.into());
    }
    events
}

fn replies(receiver: &mut Receiver) -> Vec<Reply> {
    std::iter::from_fn(|| receiver.poll_reply()).collect()
}

fn carry(receiver: &mut Receiver, sender: &mut Sender) {
    while let Some(reply) = receiver.poll_reply() {
        sender.handle_reply(reply);
    }
}

fn said(role: Role, sender: &mut Sender) -> Vec<Frame> {
    let mut octets = Vec::new();
    while !sender.transmit().is_empty() {
        let n = sender.transmit().len();
        octets.extend_from_slice(sender.transmit());
        sender.transmitted(n);
    }
    read_all(role, &octets).unwrap()
}

fn payloads(frames: &[Frame]) -> Vec<(u8, &[u8])> {
    frames.iter().map(|frame| (frame.first(), &frame.payload[..])).collect()
}

twins! {
    fn messages_need_no_reply(role) {
        let (mut receiver, mut sender) = split(role);
        assert_eq!(hear(&mut receiver, &to(role, first::TEXT, b"in")), [Record::text("in")]);
        carry(&mut receiver, &mut sender);
        assert_eq!(said(role, &mut sender), []);
        sender.send("out").unwrap();
        assert_eq!(payloads(&said(role, &mut sender)), [(first::TEXT, &b"out"[..])]);
    }

    fn an_event_is_prepared_and_then_taken_once(role) {
        for (frames, expected) in [
            (vec![to(role, first::TEXT, b"in")], vec![Record::text("in")]),
            (vec![to(role, first::BINARY, &[7; 200])], vec![Record::Binary(vec![7; 200])]),
            (vec![to(role, first::PING, b"?")], vec![Record::Ping(b"?".to_vec())]),
            (vec![to(role, 0x01, b"in"), to(role, 0x80, b"ward")], vec![Record::text("inward")]),
            (
                vec![to(role, first::CLOSE, &close_body(1000, ""))],
                vec![Record::Close(Some((1000, vec![]))), Record::clean(1000, "")],
            ),
        ] {
            let (mut receiver, _) = split(role);
            assert!(!receiver.prepare_event(), "nothing has come");
            let octets = frames.concat();
            assert_eq!(receiver.receive_copy(&octets), octets.len());
            for event in &expected {
                assert!(receiver.prepare_event());
                assert!(receiver.prepare_event(), "it stays");
                assert_eq!(receiver.poll_event().map(Record::from).as_ref(), Some(event));
            }
            assert!(!receiver.prepare_event());
            assert_eq!(receiver.poll_event().map(Record::from), None);
        }
    }

    fn memory_that_a_prepared_event_lies_in_stays_as_it_is(role) {
        let (mut receiver, _) = split(role);
        let ping = to(role, first::PING, b"?");
        assert_eq!(receiver.receive_copy(&ping), ping.len());
        assert!(receiver.prepare_event());
        assert_eq!(receiver.receive_copy(&ping), 0);
        assert!(receiver.recv_space().is_empty());
        assert!(receiver.lend_buffer(vec![0; 100]).is_err() && receiver.reclaim_buffer().is_none());
        assert_eq!(rest(&mut receiver), [Record::Ping(b"?".to_vec())]);
        assert_eq!(receiver.receive_copy(&ping), ping.len());
        receiver.lend_buffer(vec![0; 100]).unwrap();
        assert_eq!(rest(&mut receiver), [Record::Ping(b"?".to_vec())]);
        assert_eq!(receiver.reclaim_buffer().map(|memory| memory.len()), Some(100));
    }

    fn a_ping_is_answered_when_its_reply_is_carried(role) {
        let (mut receiver, mut sender) = split(role);
        assert_eq!(hear(&mut receiver, &to(role, first::PING, b"?")), [Record::Ping(b"?".to_vec())]);
        assert_eq!(said(role, &mut sender), [], "not before");
        carry(&mut receiver, &mut sender);
        assert_eq!(payloads(&said(role, &mut sender)), [(first::PONG, &b"?"[..])]);
    }

    fn of_many_pings_at_most_one_pong_waits(role) {
        let (mut receiver, mut sender) = split(role);
        for n in 0..100u8 {
            hear(&mut receiver, &to(role, first::PING, &[n]));
        }
        let waiting = replies(&mut receiver);
        assert!(waiting.len() <= 2, "a sign of life and a pong: {waiting:?}");
        waiting.into_iter().for_each(|reply| sender.handle_reply(reply));
        assert_eq!(payloads(&said(role, &mut sender)), [(first::PONG, &[99][..])], "the newest (§5.5.3)");
    }

    fn a_late_reply_does_not_go_into_the_middle_of_a_frame(role) {
        let (mut receiver, mut sender) = split(role);
        sender.send(&[7; 1000]).unwrap();
        let front = sender.transmit()[..500].to_vec();
        sender.transmitted(500);
        hear(&mut receiver, &to(role, first::PING, b"?"));
        carry(&mut receiver, &mut sender);
        let mut octets = front;
        while !sender.transmit().is_empty() {
            let n = sender.transmit().len();
            octets.extend_from_slice(sender.transmit());
            sender.transmitted(n);
        }
        let frames = read_all(role, &octets).unwrap();
        assert_eq!(payloads(&frames), [(first::BINARY, &[7; 1000][..]), (first::PONG, &b"?"[..])]);
    }

    fn a_close_frame_is_answered_however_late(role) {
        let (mut receiver, mut sender) = split(role);
        let events = hear(&mut receiver, &to(role, first::CLOSE, &close_body(1001, "bye")));
        assert_eq!(events, [Record::Close(Some((1001, b"bye".to_vec()))), Record::clean(1001, "bye")]);
        sender.send("not told yet").unwrap();
        assert_eq!(sender.state(), State::Open);
        carry(&mut receiver, &mut sender);
        assert_eq!(sender.state(), State::Closed);
        assert_eq!(sender.send("told"), Err(UsageError::NotOpen));
        let frames = said(role, &mut sender);
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[1].close_code(), Some(1001));
        let expected = if role == Role::Server { TransportAction::Close } else { TransportAction::None };
        assert_eq!(sender.transport_action(), expected);
    }

    fn a_close_frame_after_ours_is_not_answered(role) {
        let (mut receiver, mut sender) = split(role);
        sender.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(said(role, &mut sender).len(), 1);
        hear(&mut receiver, &to(role, first::CLOSE, &close_body(1000, "")));
        carry(&mut receiver, &mut sender);
        assert_eq!(said(role, &mut sender), []);
        assert_eq!(sender.state(), State::Closed);
    }

    fn a_pong_that_is_carried_with_the_close_comes_first(role) {
        let (mut receiver, mut sender) = split(role);
        hear(&mut receiver, &[to(role, first::PING, b"?"), to(role, first::CLOSE, b"")].concat());
        carry(&mut receiver, &mut sender);
        assert_eq!(payloads(&said(role, &mut sender)), [(first::PONG, &b"?"[..]), (first::CLOSE, &b""[..])]);
    }

    fn a_failure_is_told_to_the_peer(role) {
        let (mut receiver, mut sender) = split(role);
        let events = hear(&mut receiver, &to(role, first::TEXT, b"\xff"));
        assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)]);
        carry(&mut receiver, &mut sender);
        let frames = said(role, &mut sender);
        assert_eq!(frames.iter().map(Frame::close_code).collect::<Vec<_>>(), [Some(1007)]);
        assert_eq!(sender.state(), State::Closing);
        assert_eq!(sender.transport_action(), TransportAction::ShutdownWrite);
        receiver.receive_eof();
        let cause = CloseCause::Failed(ProtocolError::InvalidUtf8);
        assert_eq!(rest(&mut receiver), [Record::Closed(1006, Vec::new(), cause)]);
        carry(&mut receiver, &mut sender);
        assert_eq!((sender.state(), sender.transport_action()), (State::Closed, TransportAction::Close));
    }

    fn the_end_of_the_transport_reaches_the_sender(role) {
        let (mut receiver, mut sender) = split(role);
        receiver.receive_eof();
        assert_eq!(rest(&mut receiver), [Record::transport_ended()]);
        carry(&mut receiver, &mut sender);
        assert_eq!(sender.state(), State::Closed);
        assert_eq!(sender.send("x"), Err(UsageError::NotOpen));
        assert_eq!(sender.transport_action(), TransportAction::Close);
    }

    fn replies_after_the_end_do_nothing(role) {
        let (mut receiver, mut sender) = split(role);
        hear(&mut receiver, &to(role, first::PING, b"late"));
        let late = replies(&mut receiver);
        sender.abort();
        late.into_iter().for_each(|reply| sender.handle_reply(reply));
        assert_eq!(said(role, &mut sender), []);
        assert_eq!(sender.poll_timeout(), None);
    }

    /// Without the sign of life, a sender with keepalive takes the peer for dead; with it, it does not.
    fn a_dropped_sign_of_life(role) {
        for carried in [true, false] {
            let (mut receiver, mut sender) = open_with(role, config(|config| {
                config.timeouts.keepalive = Some(Duration::from_secs(10));
                config.timeouts.pong = Some(Duration::from_secs(3));
            })).into_split();
            let start = Instant::from_nanos(1);
            sender.handle_timeout(start);
            sender.handle_timeout(start + Duration::from_secs(10));
            hear(&mut receiver, &to(role, first::TEXT, b"alive"));
            if carried {
                carry(&mut receiver, &mut sender);
            }
            sender.handle_timeout(start + Duration::from_secs(13));
            assert_eq!(sender.state() == State::Open, carried);
            let cause = (!carried).then_some(CloseCause::TimedOut(Timeout::Pong));
            assert_eq!(sender.poll_gave_up(), cause);
        }
    }

    fn every_read_is_a_sign_of_life_and_nothing_is_none(role) {
        let octets = to(role, first::TEXT, b"alive");
        let own = |receiver: &mut Receiver, octets: &[u8]| {
            receiver.recv_space()[..octets.len()].copy_from_slice(octets);
            receiver.received(octets.len());
        };
        let lent = |receiver: &mut Receiver, octets: &[u8]| drop(hear(receiver, octets));
        let copied = |receiver: &mut Receiver, octets: &[u8]| {
            assert_eq!(receiver.receive_copy(octets), octets.len());
        };
        let ways: [fn(&mut Receiver, &[u8]); 3] = [own, lent, copied];
        for read in ways {
            let (mut receiver, _) = split(role);
            read(&mut receiver, b"");
            assert_eq!(replies(&mut receiver).len(), 0);
            for _ in 0..2 {
                for _ in 0..2 {
                    read(&mut receiver, &octets);
                    rest(&mut receiver);
                }
                assert_eq!(replies(&mut receiver).len(), 1);
            }
        }
    }

    fn behind_the_end_nothing_is_taken(role) {
        let (mut receiver, _) = split(role);
        receiver.receive_eof();
        assert_eq!(receiver.receive_copy(&to(role, first::TEXT, b"late")), 0);
        assert_eq!(rest(&mut receiver), [Record::transport_ended()]);
    }

    fn what_was_prepared_is_gone_when_the_sender_gives_up_but_not_the_end(role) {
        let (mut receiver, _) = split(role);
        assert_eq!(receiver.receive_copy(&to(role, first::TEXT, b"lost")), to(role, first::TEXT, b"lost").len());
        assert!(receiver.prepare_event());
        receiver.give_up(CloseCause::Aborted);
        assert_eq!(rest(&mut receiver), [Record::Closed(1006, Vec::new(), CloseCause::Aborted)]);

        let (mut receiver, _) = split(role);
        receiver.receive_eof();
        assert!(receiver.prepare_event());
        receiver.give_up(CloseCause::Aborted);
        assert_eq!(rest(&mut receiver), [Record::transport_ended()]);
    }

    fn why_the_sender_gave_up_is_the_last_event_of_the_receiver(role) {
        let (mut receiver, mut sender) = split(role);
        hear(&mut receiver, &to(role, first::TEXT, b"half a mess")[..9]);
        sender.send("never sent").unwrap();
        sender.abort();
        assert_eq!((sender.state(), sender.buffered_len()), (State::Closed, 0));
        let cause = sender.poll_gave_up().unwrap();
        assert_eq!(sender.poll_gave_up(), None, "told once");
        receiver.give_up(cause);
        assert_eq!(rest(&mut receiver), [Record::Closed(1006, Vec::new(), CloseCause::Aborted)]);
        assert_eq!(hear(&mut receiver, &to(role, first::TEXT, b"late")), []);
    }

    fn giving_up_after_the_end_changes_nothing(role) {
        let (mut receiver, mut sender) = split(role);
        hear(&mut receiver, &to(role, first::CLOSE, &close_body(1000, "")));
        carry(&mut receiver, &mut sender);
        sender.abort();
        assert_eq!(sender.poll_gave_up(), None);
        receiver.give_up(CloseCause::Aborted);
        assert_eq!(rest(&mut receiver), []);
        assert!(receiver.close_info().unwrap().is_clean());
    }

    fn a_newer_pong_makes_the_older_needless_and_nothing_else(role) {
        let (mut receiver, _) = split(role);
        let mut waiting: Vec<Reply> = Vec::new();
        for octets in [to(role, first::PING, b"1"), to(role, first::PING, b"2"), to(role, first::CLOSE, b"")] {
            hear(&mut receiver, &octets);
            for reply in replies(&mut receiver) {
                waiting.retain(|older| !reply.supersedes(older));
                waiting.push(reply);
            }
        }
        let mut sender = split(role).1;
        assert_eq!(waiting.len(), 3, "a sign of life, the newer pong, the close frame");
        waiting.into_iter().for_each(|reply| sender.handle_reply(reply));
        assert_eq!(payloads(&said(role, &mut sender)), [(first::PONG, &b"2"[..]), (first::CLOSE, &b""[..])]);
    }

    fn no_reply_where_pongs_are_left_to_the_application(role) {
        let (mut receiver, mut sender) = open_with(role, config(|config| config.automatic.pong = false)).into_split();
        hear(&mut receiver, &to(role, first::PING, b"?"));
        carry(&mut receiver, &mut sender);
        assert_eq!(said(role, &mut sender), []);
    }

    fn halves_can_go_to_two_threads(role) {
        let (mut receiver, mut sender) = split(role);
        let octets = [to(role, first::PING, b"?"), to(role, first::TEXT, b"x").repeat(100)].concat();
        let (hand, take) = std::sync::mpsc::channel();
        let hearing = std::thread::spawn(move || {
            let events = hear(&mut receiver, &octets).len();
            replies(&mut receiver).into_iter().for_each(|reply| hand.send(reply).unwrap());
            events
        });
        take.into_iter().for_each(|reply| sender.handle_reply(reply));
        assert_eq!(hearing.join().unwrap(), 101);
        assert_eq!(payloads(&said(role, &mut sender)), [(first::PONG, &b"?"[..])]);
    }
}
