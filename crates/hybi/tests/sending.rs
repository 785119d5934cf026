//! What an application says, and what the transport is handed.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hybi::{
    Agreement, CloseCode, Config, Connection, Event, Kind, Message, Outgoing, Payload, Prepared, Role, State,
    UsageError, Utf8Bytes,
};
use hybi_test::endpoint::{config, open, open_with, receive, take_events, transmit_all};
use hybi_test::frames::{Frame, KEY, close_body, first, from, read_all, to};
use hybi_test::record::Record;
use hybi_test::{twin, twins};

/// First octets and payloads of what was sent.
fn sent(role: Role, connection: &mut Connection) -> Vec<(u8, Vec<u8>)> {
    let octets = transmit_all(connection);
    read_all(role, &octets).unwrap().into_iter().map(|frame| (frame.first(), frame.payload)).collect()
}

fn events(connection: &mut Connection) -> Vec<Record> {
    let mut events = Vec::new();
    take_events(connection, &mut events);
    events
}

/// Sends a message of which the transport takes so many octets at once, or all: what it took.
fn send_lent<'p>(connection: &mut Connection, payload: impl Into<Payload<'p>>, taken: usize) -> Vec<u8> {
    let mut outgoing = connection.sender().send_lent(payload).unwrap();
    take(&mut outgoing, taken)
}

fn take(outgoing: &mut Outgoing<'_>, mut room: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while room > 0 {
        let mut slices = [&[][..]; 2];
        let used = outgoing.transmit_slices(&mut slices);
        assert!(slices[..used].iter().all(|slice| !slice.is_empty()));
        let Some(slice) = slices[..used].first() else { break };
        let n = slice.len().min(room);
        octets.extend_from_slice(&slice[..n]);
        outgoing.transmitted(n);
        room -= n;
    }
    octets
}

twins! {
    fn a_message_is_one_frame(role) {
        let mut connection = open(role);
        connection.send("text").unwrap();
        assert_eq!(transmit_all(&mut connection), from(role, first::TEXT, b"text"));
        connection.send(&[1, 2, 3]).unwrap();
        assert_eq!(transmit_all(&mut connection), from(role, first::BINARY, &[1, 2, 3]));
        connection.send(Payload::text("τ".as_bytes()).unwrap()).unwrap();
        assert_eq!(transmit_all(&mut connection), from(role, first::TEXT, "τ".as_bytes()));
        for len in [0, 125, 126, 65_535, 65_536, 200_000] {
            connection.send(&vec![8; len]).unwrap();
            assert_eq!(transmit_all(&mut connection), from(role, first::BINARY, &vec![8; len]), "{len}");
        }
    }

    /// Behind another one there is room already, and a short one goes there without further ado.
    fn a_short_message_behind_another_one(role) {
        for len in 0..300 {
            let mut connection = open(role);
            let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let before = vec![1; 600];
            connection.send(&before).unwrap();
            connection.transmitted(500);
            connection.send(&payload).unwrap();
            connection.send(&payload).unwrap();
            let frame = from(role, first::BINARY, &payload);
            let sent = transmit_all(&mut connection);
            assert!(sent.ends_with(&[&frame[..], &frame].concat()), "{len}");
        }
    }

    fn however_it_is_sent_the_octets_are_the_same(role) {
        for len in [0usize, 1, 125, 126, 4095, 4096, 70_000] {
            let payload: Vec<u8> = (0..len).map(|i| b'a' + (i % 26) as u8).collect();
            let text = String::from_utf8(payload.clone()).unwrap();
            for kind in [Kind::Text, Kind::Binary] {
                let first = if kind == Kind::Text { first::TEXT } else { first::BINARY };
                let lent = if kind == Kind::Text { Payload::from(&text) } else { Payload::from(&payload) };
                let owned =
                    if kind == Kind::Text { Message::from(text.clone()) } else { Message::from(payload.clone()) };
                let expected = from(role, first, &payload);
                let mut connection = open(role);
                connection.send(lent).unwrap();
                assert_eq!(transmit_all(&mut connection), expected);
                connection.send_message(owned.clone()).unwrap(); // somebody else holds it too
                assert_eq!(transmit_all(&mut connection), expected);
                assert_eq!(owned.as_bytes(), payload, "and it is as it was");
                connection.send_message(owned).unwrap(); // nobody else holds it
                assert_eq!(transmit_all(&mut connection), expected);
                connection.send_prepared(&Prepared::new(lent)).unwrap();
                assert_eq!(transmit_all(&mut connection), expected);
                connection.start(kind).unwrap().finish(&payload).unwrap();
                assert_eq!(transmit_all(&mut connection), expected);
                for taken in [0, expected.len() / 2, expected.len()] {
                    let mut octets = send_lent(&mut connection, lent, taken);
                    octets.extend(transmit_all(&mut connection));
                    assert!(octets == expected, "{len}, of which {taken}");
                }
                for taken in (0..20).chain([expected.len() / 2, expected.len()]) {
                    // It comes, and goes back from where it lies: in the memory of the read, or where it was joined.
                    for cut in [0, 1, 5000] {
                        let mut read = to(role, first, &payload);
                        let cut = cut.min(read.len());
                        assert!(connection.receive(&mut read[..cut]).poll_event().is_none_or(|_| len < 5000));
                        if cut == read.len() {
                            continue;
                        }
                        let mut input = connection.receive(&mut read[cut..]);
                        let (event, sender) = input.poll_event_with().unwrap();
                        let mut outgoing = match event {
                            Event::Text(text) => sender.send_lent_mut(text),
                            Event::Binary(data) => sender.send_lent_mut(data),
                            other => unreachable!("{other:?}"),
                        }
                        .unwrap();
                        let mut octets = take(&mut outgoing, taken);
                        drop(outgoing);
                        drop(input);
                        octets.extend(transmit_all(&mut connection));
                        assert!(octets == expected, "{len}, of which {taken}, changed where it lies");
                    }
                }
            }
        }
    }

    fn a_prepared_message_serves_many(role) {
        for len in [10, 100_000] {
            let prepared = Prepared::new(&vec![3; len]);
            assert_eq!((prepared.kind(), prepared.as_bytes()), (Kind::Binary, &vec![3; len][..]));
            for _ in 0..3 {
                let mut connection = open(role);
                connection.send_prepared(&prepared).unwrap();
                connection.send_prepared(&prepared).unwrap();
                let frame = from(role, first::BINARY, &vec![3; len]);
                assert_eq!(transmit_all(&mut connection), [&frame[..], &frame].concat());
            }
        }
    }

    fn fragments(role) {
        let mut connection = open(role);
        connection.start(Kind::Text).unwrap().write(b"a").unwrap();
        assert_eq!(connection.send("b"), Err(UsageError::MessageInProgress));
        assert_eq!(connection.send_prepared(&Prepared::new("b")), Err(UsageError::MessageInProgress));
        assert_eq!(connection.start(Kind::Text).err(), Some(UsageError::MessageInProgress));
        connection.ping(b"p").unwrap();
        connection.writer().unwrap().write(b"").unwrap();
        connection.writer().unwrap().finish(b"c").unwrap();
        assert!(connection.writer().is_none());
        connection.send("d").unwrap();
        let expected = [(0x01, "a"), (first::PING, "p"), (0x00, ""), (first::CONTINUATION, "c"), (first::TEXT, "d")];
        let expected = expected.map(|(first, payload)| (first, payload.as_bytes().to_vec()));
        assert_eq!(sent(role, &mut connection), expected);
    }

    fn a_message_of_which_nothing_was_written_was_not_begun(role) {
        let mut connection = open(role);
        drop(connection.start(Kind::Text).unwrap());
        connection.send(&[1]).unwrap();
        connection.start(Kind::Binary).unwrap().finish(&[2]).unwrap();
        assert_eq!(sent(role, &mut connection), [(first::BINARY, vec![1]), (first::BINARY, vec![2])]);
    }

    fn text_in_fragments_has_to_be_text(role) {
        let mut connection = open(role);
        let mut writer = connection.start(Kind::Text).unwrap();
        writer.write(b"\xe2\x82").unwrap(); // may be cut inside a character
        assert_eq!(writer.write(b"x"), Err(UsageError::NotUtf8));
        writer.write(b"\xac").unwrap(); // nothing was queued, it goes on
        writer.write(b"\xc3").unwrap();
        assert_eq!(writer.finish(b""), Err(UsageError::NotUtf8)); // may not end inside one
        connection.writer().unwrap().finish(b"\xa9").unwrap();
        let payload: Vec<u8> = sent(role, &mut connection).into_iter().flat_map(|(_, payload)| payload).collect();
        assert_eq!(payload, "€é".as_bytes());
        connection.start(Kind::Binary).unwrap().finish(b"\xff").unwrap();
    }

    fn what_may_not_be_sent_is_refused_and_writes_nothing(role) {
        let mut connection = open(role);
        assert_eq!(connection.ping(&[0; 126]), Err(UsageError::ControlTooLong));
        assert_eq!(connection.pong(&[0; 126]), Err(UsageError::ControlTooLong));
        assert_eq!(connection.close(CloseCode::NORMAL, &"x".repeat(124)), Err(UsageError::ReasonTooLong));
        assert_eq!((connection.buffered_len(), connection.state()), (0, State::Open));
        connection.ping(&[1; 125]).unwrap();
        connection.pong(b"").unwrap();
        connection.close(CloseCode::NORMAL, &"x".repeat(123)).unwrap();
        let expected = [
            (first::PING, vec![1; 125]),
            (first::PONG, vec![]),
            (first::CLOSE, close_body(1000, &"x".repeat(123))),
        ];
        assert_eq!(sent(role, &mut connection), expected);
    }

    fn after_close_everything_is_refused(role) {
        let mut connection = open(role);
        connection.start(Kind::Text).unwrap().write(b"never finished").unwrap();
        connection.close(CloseCode::NORMAL, "first").unwrap();
        assert_eq!(connection.state(), State::Closing);
        assert_eq!(connection.send("x"), Err(UsageError::NotOpen));
        assert_eq!(connection.send_prepared(&Prepared::new("x")), Err(UsageError::NotOpen));
        assert_eq!(connection.start(Kind::Text).err(), Some(UsageError::NotOpen));
        assert!(connection.writer().is_none());
        assert_eq!(connection.ping(b""), Err(UsageError::NotOpen));
        assert_eq!(connection.pong(b""), Err(UsageError::NotOpen));
        let refused = connection.send_message(Message::from("mine")).unwrap_err();
        assert_eq!((refused.error, refused.payload.as_str()), (UsageError::NotOpen, Some("mine")));
        assert_eq!(connection.close(CloseCode::GOING_AWAY, "second"), Ok(()));
        let frames = sent(role, &mut connection);
        assert_eq!(frames.last(), Some(&(first::CLOSE, close_body(1000, "first"))));
        assert_eq!(frames.len(), 2);
    }

    fn close_goes_behind_what_was_sent(role) {
        let mut connection = open(role);
        connection.send(&vec![1; 100_000]).unwrap();
        connection.send_message(Message::from(vec![2; 100_000])).unwrap();
        receive(&mut connection, &to(role, first::PING, b"?"));
        connection.close_with(None).unwrap();
        let firsts: Vec<u8> = sent(role, &mut connection).into_iter().map(|(first, _)| first).collect();
        assert_eq!(firsts, [first::BINARY, first::BINARY, first::PONG, first::CLOSE]);
    }

    /// More pings than pongs may wait: the newest is held back, and still comes before the close frame.
    fn the_newest_pong_goes_before_the_close_frame(role) {
        let mut connection = open_with(role, config(|config| config.limits.pending_pongs = 2));
        for n in 0..10u8 {
            receive(&mut connection, &to(role, first::PING, &[n]));
        }
        connection.close_with(None).unwrap();
        let expected = [(first::PONG, vec![0]), (first::PONG, vec![9]), (first::CLOSE, vec![])];
        assert_eq!(sent(role, &mut connection), expected);
    }

    fn a_pong_does_not_go_into_the_middle_of_a_frame(role) {
        for before in [1, 5, 8, 3000] {
            let mut connection = open(role);
            connection.send_message(Message::from(vec![9; 10_000])).unwrap();
            let mut octets = vec![0; before];
            assert_eq!(connection.transmit_into(&mut octets), before);
            receive(&mut connection, &to(role, first::PING, b"now?"));
            octets.extend(transmit_all(&mut connection));
            let expected = [from(role, first::BINARY, &[9; 10_000]), from(role, first::PONG, b"now?")].concat();
            assert_eq!(octets, expected, "{before}");
        }
    }

    // ---- marks

    fn writable_is_told_once_when_the_queue_falls_to_low_water(role) {
        let mut connection = open_with(role, config(|config| {
            config.water.high = 1000;
            config.water.low = 100;
        }));
        connection.send(&[0; 900]).unwrap();
        transmit_all(&mut connection);
        assert_eq!(events(&mut connection), [], "never above high water");
        connection.send(&vec![0; 1000 - if role == Role::Client { 8 } else { 4 }]).unwrap();
        assert_eq!(connection.buffered_len(), 1000);
        transmit_all(&mut connection);
        assert_eq!(events(&mut connection), [], "at it, and not above");
        connection.send(&[0; 600]).unwrap();
        connection.send(&[0; 600]).unwrap();
        let above_low = connection.buffered_len() - 101;
        connection.transmitted(connection.transmit().len().min(above_low));
        assert_eq!(events(&mut connection), [], "101 wait");
        connection.transmitted(1);
        assert_eq!(events(&mut connection), [Record::Writable]);
        transmit_all(&mut connection);
        assert_eq!(events(&mut connection), [], "told once");
    }

    fn writable_after_pings_and_fragments_too(role) {
        let mut connection = open_with(role, config(|config| {
            config.water.high = 100;
            config.water.low = 10;
        }));
        connection.ping(&[0; 125]).unwrap();
        transmit_all(&mut connection);
        assert_eq!(events(&mut connection), [Record::Writable]);
        connection.start(Kind::Binary).unwrap().write(&[0; 200]).unwrap();
        transmit_all(&mut connection);
        assert_eq!(events(&mut connection), [Record::Writable]);
    }

    fn a_full_queue_refuses_all_but_the_protocol(role) {
        let mut connection = open_with(role, config(|config| config.water.limit = 50));
        connection.start(Kind::Binary).unwrap().write(&[0; 60]).unwrap();
        assert_eq!(connection.writer().unwrap().write(b"x"), Err(UsageError::QueueFull));
        assert_eq!(connection.ping(b""), Err(UsageError::QueueFull));
        assert_eq!(connection.pong(b""), Err(UsageError::QueueFull));
        let waiting = connection.buffered_len();
        receive(&mut connection, &to(role, first::PING, b"?"));
        assert!(connection.buffered_len() > waiting, "pongs have a limit of their own");
        connection.close(CloseCode::NORMAL, "").unwrap();
        let firsts: Vec<u8> = sent(role, &mut connection).into_iter().map(|(first, _)| first).collect();
        assert_eq!(firsts, [0x02, first::PONG, first::CLOSE]);
    }

    fn a_refused_message_comes_back(role) {
        let mut connection = open_with(role, config(|config| config.water.limit = 50));
        connection.send(&[0; 60]).unwrap();
        let message = Message::from(vec![7; 9000]);
        let refused = connection.send_message(message.clone()).unwrap_err();
        assert_eq!((refused.error, &refused.payload), (UsageError::QueueFull, &message));
        transmit_all(&mut connection);
        connection.send_message(refused.payload).unwrap();
        assert_eq!(sent(role, &mut connection), [(first::BINARY, vec![7; 9000])]);
    }

    // ---- out

    fn every_partial_write(role) {
        let queue = || {
            let mut connection = open(role);
            connection.send("small").unwrap();
            connection.send_message(Message::from(vec![1; 5000])).unwrap();
            connection.ping(b"p").unwrap();
            connection.send_prepared(&Prepared::new(&[2; 6000])).unwrap();
            connection.send_message(Message::from(vec![3; 4096])).unwrap();
            connection.close(CloseCode::NORMAL, "").unwrap();
            connection
        };
        let expected = transmit_all(&mut queue());
        assert_eq!(queue().buffered_len(), expected.len());
        // In two parts, cut at every octet; each time in another of the three ways to look at the rest.
        let step = if cfg!(miri) { 991 } else { 1 };
        for cut in (0..=expected.len()).step_by(step) {
            let mut connection = queue();
            let mut out = vec![0; cut];
            assert_eq!(connection.transmit_into(&mut out), cut);
            let mut slices = [&[][..]; 16];
            let used = connection.transmit_slices(&mut slices);
            assert_eq!([&out, &slices[..used].concat()[..]].concat(), expected, "cut at {cut}");
            assert!(expected[cut..].starts_with(connection.transmit()));
            assert_eq!(connection.buffered_len(), expected.len() - cut);
            out.extend(transmit_all(&mut connection));
            assert_eq!(out, expected);
        }
        for step in [1, 3, 1000] {
            let mut connection = queue();
            let mut out = Vec::new();
            while connection.buffered_len() > 0 {
                let n = connection.transmit().len().min(step);
                out.extend_from_slice(&connection.transmit()[..n]);
                connection.transmitted(n);
            }
            assert_eq!(out, expected);
        }
    }

    fn a_burst_of_small_messages_is_one_slice(role) {
        let mut connection = open(role);
        for _ in 0..100 {
            connection.send("tick").unwrap();
        }
        assert_eq!(connection.transmit().len(), connection.buffered_len());
    }

    fn too_few_slices_show_the_front(role) {
        let mut connection = open(role);
        for n in 0..5u8 {
            connection.send_message(Message::from(vec![n; 5000])).unwrap();
        }
        let mut slices = [&[][..]; 3];
        assert_eq!(connection.transmit_slices(&mut slices), 3);
        let front = slices.concat();
        assert_eq!(connection.transmit_slices(&mut []), 0);
        assert!(transmit_all(&mut connection).starts_with(&front));
        assert!(front.len() > 5000);
    }
}

#[test]
fn a_server_sends_large_payloads_from_where_they_lie() {
    let (small, large) = (Bytes::from(vec![1; 4095]), Bytes::from(vec![2; 4096]));
    let (less, prepared) = (Prepared::new(&[3; 4091]), Prepared::new(&[3; 4092])); // 4 octets of a header each
    let mut connection = open(Role::Server);
    connection.send_message(Message::from(small.clone())).unwrap();
    connection.send_message(Message::from(large.clone())).unwrap();
    connection.send_prepared(&less).unwrap();
    connection.send_prepared(&prepared).unwrap();
    let mut slices = [&[][..]; 8];
    let used = connection.transmit_slices(&mut slices);
    let shows = |at: *const u8| slices[..used].iter().any(|slice| slice.as_ptr_range().contains(&at));
    assert!(!shows(small.as_ptr()) && shows(large.as_ptr()));
    assert!(!shows(less.as_bytes().as_ptr()) && shows(prepared.as_bytes().as_ptr()));
}

#[test]
fn a_client_masks_in_place_what_nobody_else_holds() {
    let alone = Bytes::from(vec![1; 5000]);
    let place = alone.as_ptr();
    let mut connection = open(Role::Client);
    connection.send_message(Message::from(alone)).unwrap();
    let mut slices = [&[][..]; 4];
    let used = connection.transmit_slices(&mut slices);
    let slice = slices[..used].iter().find(|slice| slice.as_ptr() == place);
    assert_eq!(slice.map(|slice| slice.to_vec()), Some(twin::mask(&[1; 5000], &KEY)));

    let shared = Utf8Bytes::from("s".repeat(5000));
    connection.send_message(shared.clone()).unwrap();
    assert_eq!(shared.as_str(), "s".repeat(5000), "what somebody else holds is copied");
}

#[test]
fn each_frame_of_a_client_takes_a_fresh_key() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let mut next = 0u32;
    let entropy = move |out: &mut [u8]| {
        ASKED.fetch_add(out.len(), Ordering::Relaxed);
        for key in out.as_chunks_mut().0 {
            next = next.wrapping_add(0x9E37_79B9);
            *key = next.to_be_bytes();
        }
    };
    let mut connection = Connection::client(Agreement::default(), Config::default(), entropy);
    connection.send("a").unwrap();
    connection.send_message(Message::from(vec![0; 5000])).unwrap();
    connection.start(Kind::Text).unwrap().write(b"b").unwrap();
    connection.writer().unwrap().finish(b"c").unwrap();
    connection.send_prepared(&Prepared::new("d")).unwrap();
    connection.ping(b"").unwrap();
    for _ in 0..5 {
        connection.send("e").unwrap();
    }
    drop(connection.sender().send_lent(&[0; 5000]).unwrap());
    assert_eq!(ASKED.load(Ordering::Relaxed), 2 * 32, "eight keys at a time, when they are needed");
    connection.close(CloseCode::NORMAL, "").unwrap();
    let frames = read_all(Role::Client, &transmit_all(&mut connection)).unwrap();
    let mut keys: Vec<_> = frames.iter().map(|frame| frame.key.unwrap()).collect();
    assert_eq!(keys.len(), 13);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 13);
}

#[test]
#[should_panic(expected = "more octets than there were to transmit")]
fn more_cannot_be_transmitted_than_there_is() {
    let mut connection = open(Role::Server);
    connection.send("x").unwrap();
    connection.transmitted(4);
}

/// A client masks in the memory of the payload, not in memory of its own; a server and whoever refuses change nothing.
#[test]
fn what_may_be_changed_is_masked_where_it_lies() {
    for role in [Role::Client, Role::Server] {
        let mut connection = open(role);
        let mut payload = [7; 70_000];
        let place = payload.as_ptr_range();
        let mut outgoing = connection.sender().send_lent_mut(&mut payload[..]).unwrap();
        let mut slices = [&[][..]; 4];
        assert_eq!(outgoing.transmit_slices(&mut slices), 2);
        assert_eq!(slices[1].as_ptr_range(), place);
        let n = slices.iter().map(|slice| slice.len()).sum();
        outgoing.transmitted(n);
        drop(outgoing);
        assert_eq!(payload[0] == 7, role == Role::Server);

        payload = [7; 70_000];
        drop(connection.sender().send_lent_mut(&mut payload[..4096]).unwrap());
        assert_eq!(payload[0] == 7, role == Role::Server);

        payload = [7; 70_000];
        drop(connection.sender().send_lent_mut(&mut payload[..4095]).unwrap()); // short: it is queued
        connection.close(CloseCode::NORMAL, "").unwrap();
        let refused = connection.sender().send_lent_mut(&mut payload[..]).map(drop);
        assert_eq!((refused, payload), (Err(UsageError::NotOpen), [7; 70_000]));
    }
}

/// What a client has not masked yet was not there to transmit.
#[test]
#[should_panic(expected = "more octets than there were to transmit")]
fn more_of_a_lent_message_cannot_be_transmitted_than_there_is() {
    let mut connection = open(Role::Client);
    connection.sender().send_lent(&[7; 100_000]).unwrap().transmitted(14 + 65_536 + 1);
}

/// A server's frames have a header of 4 octets here; 5 wait before it.
#[test]
fn what_was_lent_is_not_copied_before_it_has_to_be() {
    let payload: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
    for buffer in [false, true] {
        for taken in (0..20).chain([100, 5007, 5008]) {
            let mut connection = open(Role::Server);
            if buffer {
                connection.sender().lend_buffer(Vec::with_capacity(100)).unwrap();
            }
            connection.send("abc").unwrap();
            let mut outgoing = connection.sender().send_lent(&payload).unwrap();
            let mut octets = take(&mut outgoing, taken);
            let mut slices = [&[][..]; 2];
            let used = outgoing.transmit_slices(&mut slices);
            if taken < 5009 {
                assert_eq!(
                    slices[used - 1].as_ptr_range().end,
                    payload.as_ptr_range().end,
                    "it lies where it lay"
                );
            }
            drop(outgoing);
            assert_eq!(connection.buffered_len(), 5 + 4 + 5000 - taken);
            connection.send("x").unwrap();
            octets.extend(transmit_all(&mut connection));
            let expected = [b"\x81\x03abc\x82\x7E\x13\x88", &payload[..], b"\x81\x01x"].concat();
            assert!(octets == expected, "{taken}");
            assert!(connection.is_silent() || buffer);
        }
    }
}

/// From 4 KiB on, and what is shorter is queued.
#[test]
fn what_is_short_is_copied_at_once() {
    for (len, lies_outside) in [(100, false), (4095, false), (4096, true), (4097, true)] {
        let payload = vec![7; len];
        let mut connection = open(Role::Server);
        let outgoing = connection.sender().send_lent(&payload).unwrap();
        let mut slices = [&[][..]; 3];
        let used = outgoing.transmit_slices(&mut slices);
        assert_eq!(
            slices[..used].iter().any(|slice| slice.as_ptr() == payload.as_ptr()),
            lies_outside,
            "{len}"
        );
    }
}

#[test]
fn what_is_lent_counts_as_what_waits() {
    let mut connection = open_with(
        Role::Server,
        config(|config| {
            (config.water.high, config.water.low, config.water.limit) = (5000, 1000, 6000);
        }),
    );
    let mut outgoing = connection.sender().send_lent(&[7; 7000][..]).unwrap();
    assert_eq!(take(&mut outgoing, 500).len(), 500);
    drop(outgoing);
    assert_eq!(connection.buffered_len(), 6504);
    assert!(connection.sender().is_above_high_water());
    assert_eq!(connection.sender().send_lent("x").map(drop), Err(UsageError::QueueFull));
    assert_eq!(events(&mut connection), []);
    transmit_all(&mut connection);
    assert_eq!(events(&mut connection), [Record::Writable]);

    connection.start(Kind::Text).unwrap().write(b"begun").unwrap();
    for len in [1, 7000] {
        let refused = connection.sender().send_lent(&vec![7; len]).map(drop);
        assert_eq!(refused, Err(UsageError::MessageInProgress));
    }
    connection.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(connection.sender().send_lent("x").map(drop), Err(UsageError::NotOpen));
}

#[test]
fn a_held_pong_comes_behind_what_was_lent() {
    for taken in [10, 4996, 5000, 5004, 9999] {
        let mut connection = open_with(Role::Server, config(|config| config.limits.pending_pongs = 1));
        let pings = [to(Role::Server, first::PING, b"1"), to(Role::Server, first::PING, b"2")].concat();
        receive(&mut connection, &pings);
        let mut octets = send_lent(&mut connection, &[7; 5000], taken);
        octets.extend(transmit_all(&mut connection));
        let frames = read_all(Role::Server, &octets).unwrap();
        let firsts: Vec<u8> = frames.iter().map(Frame::first).collect();
        assert_eq!(firsts, [first::PONG, first::BINARY, first::PONG], "{taken}");
        assert_eq!((&frames[1].payload[..], &frames[2].payload[..]), (&[7; 5000][..], &b"2"[..]));
    }
}

/// What it masks never waits twice: 64 KiB at a time.
#[test]
fn a_client_masks_what_was_lent_piece_by_piece() {
    let payload: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let expected = from(Role::Client, first::BINARY, &payload);
    for step in [1000, 65_536, 100_000, usize::MAX] {
        for stop in [0, 14, 15, 65_549, 65_550, 65_551, 131_087, 200_014] {
            let mut connection = open(Role::Client);
            let mut outgoing = connection.sender().send_lent(&payload).unwrap();
            let (mut octets, mut pieces) = (Vec::new(), 0);
            while octets.len() < stop {
                let mut slices = [&[][..]; 4];
                let used = outgoing.transmit_slices(&mut slices);
                let waiting: usize = slices[..used].iter().map(|slice| slice.len()).sum();
                assert!((1..=14 + 65_536).contains(&waiting), "{waiting}");
                let n = slices[0].len().min(step).min(stop - octets.len());
                octets.extend_from_slice(&slices[0][..n]);
                outgoing.transmitted(n);
                pieces += 1;
            }
            if step == usize::MAX && stop > 200_000 {
                assert_eq!(pieces, 4);
            }
            drop(outgoing);
            assert_eq!(connection.buffered_len(), expected.len() - stop);
            octets.extend(transmit_all(&mut connection));
            assert!(octets == expected, "steps of {step}, to {stop}");
        }
    }
}
