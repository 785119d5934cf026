//! What the peer can make a connection hold: every limit at, below and above, and memory by a counting
//! allocator. RFC 6455 §10.4.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use std::sync::Arc;

use hybi::{Config, Connection, Delivery, Event, Message, ProtocolError, Role, State, UsageError};
use hybi_test::alloc::{Counting, Measure, look_away};
use hybi_test::endpoint::{Memory, config, open, open_with, receive, transmit_all};
use hybi_test::frames::{Frame, KEY, first, header, mask_frame, read_all, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KIB: isize = 1024;

/// The beginning of a frame, with `there` of the `len` octets that it announces. Zeros, masked or not.
fn beginning(role: Role, first: u8, len: u64, there: usize) -> Vec<u8> {
    let mut octets = header(first, len);
    octets.resize(octets.len() + there, 0);
    if role == Role::Server { mask_frame(&octets) } else { octets }
}

/// Takes all output, which counts as soon as it is taken no more.
fn drain(connection: &mut Connection) -> usize {
    let mut sent = 0;
    while !connection.transmit().is_empty() {
        let n = connection.transmit().len();
        sent += n;
        connection.transmitted(n);
    }
    sent
}

fn failed(error: ProtocolError) -> Vec<Record> {
    vec![Record::Failed(error)]
}

// ---- each limit at, below, above

twins! {
    fn frame_limit(role) {
        let limited = |config: &mut Config| config.limits.frame = 300;
        for (len, fails) in [(299, false), (300, false), (301, true)] {
            let mut connection = open_with(role, config(limited));
            let events = receive(&mut connection, &beginning(role, first::BINARY, len as u64, len));
            let expected = if fails { failed(ProtocolError::FrameTooBig) } else { vec![Record::Binary(vec![0; len])] };
            assert_eq!(events, expected, "{len}");
        }
    }

    fn message_limit(role) {
        let limited = |config: &mut Config| config.limits.message = 300;
        for (a, b, fails) in [(150, 149, false), (150, 150, false), (150, 151, true), (300, 0, false), (300, 1, true)] {
            let mut connection = open_with(role, config(limited));
            let octets =
                [beginning(role, 0x02, a as u64, a), beginning(role, first::CONTINUATION, b as u64, b)].concat();
            let expected =
                if fails { failed(ProtocolError::MessageTooBig) } else { vec![Record::Binary(vec![0; a + b])] };
            assert_eq!(receive(&mut connection, &octets), expected, "{a} and {b}");
        }
    }

    fn the_message_limit_counts_each_message_anew(role) {
        let mut connection = open_with(role, config(|config| config.limits.message = 10));
        for _ in 0..5 {
            let octets = [to(role, 0x01, b"12345"), to(role, first::CONTINUATION, b"67890")].concat();
            assert_eq!(receive(&mut connection, &octets), [Record::text("1234567890")]);
        }
    }

    fn fragment_limit(role) {
        for (fragments, fails) in [(4, false), (5, false), (6, true)] {
            let mut connection = open_with(role, config(|config| config.limits.fragments = 5));
            let mut events = Vec::new();
            for n in 1..=fragments {
                let opcode = if n == 1 { 0x02 } else { 0 } | if n == fragments { 0x80 } else { 0 };
                events.extend(receive(&mut connection, &to(role, opcode, &[7])));
            }
            let expected =
                if fails { failed(ProtocolError::TooManyFragments) } else { vec![Record::Binary(vec![7; fragments])] };
            assert_eq!(events, expected, "{fragments}");
        }
    }

    fn empty_fragment_limit(role) {
        for (empty, fails) in [(2, false), (3, false), (4, true)] {
            let mut connection = open_with(role, config(|config| config.limits.empty_fragments = 3));
            let mut events = receive(&mut connection, &to(role, 0x02, &[7]));
            for _ in 0..empty {
                events.extend(receive(&mut connection, &to(role, 0x00, b"")));
            }
            events.extend(receive(&mut connection, &to(role, first::CONTINUATION, &[8])));
            let expected =
                if fails { failed(ProtocolError::TooManyEmptyFragments) } else { vec![Record::Binary(vec![7, 8])] };
            assert_eq!(events, expected, "{empty}");
        }
    }

    fn pending_pong_limit(role) {
        for pings in [1, 7, 8, 9, 500] {
            let mut connection = open_with(role, config(|config| config.limits.pending_pongs = 8));
            for n in 0..pings {
                receive(&mut connection, &to(role, first::PING, &u16::to_be_bytes(n)));
            }
            let pongs = read_all(role, &transmit_all(&mut connection)).unwrap();
            assert_eq!(pongs.len(), usize::from(pings.min(8)), "of {pings}");
            // In order from the first on; the last of all is never left out (§5.5.3).
            for (n, pong) in pongs.iter().enumerate().take(7) {
                assert_eq!(pong.payload, (n as u16).to_be_bytes());
            }
            assert_eq!(pongs.last().unwrap().payload, (pings - 1).to_be_bytes());
        }
    }

    fn every_ping_is_answered_while_the_peer_reads(role) {
        let mut connection = open_with(role, config(|config| config.limits.pending_pongs = 2));
        for n in 0..1000u16 {
            receive(&mut connection, &to(role, first::PING, &n.to_be_bytes()));
            let pongs = read_all(role, &transmit_all(&mut connection)).unwrap();
            assert_eq!(pongs.iter().map(|pong| &pong.payload[..]).collect::<Vec<_>>(), [&n.to_be_bytes()[..]]);
        }
    }

    /// What waits counts, not what is added.
    fn send_queue_limit(role) {
        for (waiting, full) in [(99, false), (100, true), (101, true)] {
            let mut connection = open_with(role, config(|config| config.water.limit = 100));
            let overhead = if role == Role::Client { 6 } else { 2 };
            connection.send(&vec![0; waiting - overhead]).unwrap();
            assert_eq!(connection.buffered_len(), waiting);
            let expected = if full { Err(UsageError::QueueFull) } else { Ok(()) };
            assert_eq!(connection.send(&[0; 1000]), expected, "{waiting}");
            transmit_all(&mut connection);
            assert_eq!(connection.send(&vec![0; 100_000]), Ok(()), "an empty queue takes anything");
        }
    }

    fn defaults_are_finite(role) {
        let config = Config::default();
        assert!(config.limits.message <= 64 << 20 && config.limits.frame <= 16 << 20);
        assert!(config.limits.fragments <= 16_384 && config.limits.pending_pongs <= 60);
        assert!(config.water.limit <= 16 << 20);
        let mut connection = open_with(role, config);
        let events = receive(&mut connection, &beginning(role, first::BINARY, (16 << 20) + 1, 0));
        assert_eq!(events, failed(ProtocolError::FrameTooBig));
    }
}

// ---- memory

twins! {
    /// What of an input was not asked for waits in memory of our own; a message that lies whole there is lent from
    /// there.
    fn a_whole_message_that_waits_is_not_joined(role) {
        let mut connection = open(role);
        let mut octets = [to(role, first::BINARY, &[7; 3000]), to(role, first::BINARY, &[8; 3000])].concat();
        drop(connection.receive(&mut octets));
        let measure = Measure::start();
        let mut input = connection.receive(&mut []);
        for expected in [7, 8] {
            match input.poll_event() {
                Some(Event::Binary(data)) => assert!(data.iter().all(|octet| *octet == expected)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(measure.allocations(), 0);
    }

    fn memory_follows_what_was_received_not_what_was_announced(role) {
        for memory in Memory::ALL {
            let mut connection = open(role);
            let measure = Measure::start();
            let octets = look_away(|| beginning(role, first::BINARY, 16 << 20, 1));
            memory.show(&mut connection, &octets, |_| {});
            assert!(measure.peak() <= 64 * KIB, "{memory:?}: {} for one octet", measure.peak());
            // And so it goes on: at most twice of what came, and a step.
            let read = look_away(|| vec![KEY[0]; 4096]);
            for n in 1..=256 {
                memory.show(&mut connection, &read, |_| {});
                let limit = 2 * n * 4 * KIB + 64 * KIB;
                assert!(measure.peak() <= limit, "{memory:?}: {} after {n} reads", measure.peak());
            }
            look_away(|| drop(octets));
        }
    }

    fn an_idle_connection_holds_no_buffer(role) {
        for memory in Memory::ALL {
            let shared = Arc::new(Config::default());
            let big = vec![b'x'; 100_000];
            let traffic: Vec<Vec<u8>> =
                vec![to(role, first::TEXT, b"small"), to(role, first::PING, b"p"), to(role, first::BINARY, &big)];
            let measure = Measure::start();
            let mut connection = open_with(role, shared.clone());
            assert!(measure.held() < 512, "new: {}", measure.held());
            for octets in &traffic {
                // In one read, and in reads that cut it.
                memory.show(&mut connection, octets, |_| {});
                for read in octets.chunks(997) {
                    memory.show(&mut connection, read, |_| {});
                }
                connection.send(octets).unwrap();
                connection.send_message(Message::from(look_away(|| octets.clone()))).unwrap();
                drain(&mut connection);
                assert!(measure.held() < 512, "{memory:?}, after traffic: {}", measure.held());
            }
            assert_eq!(connection.state(), State::Open);
        }
    }

    fn a_flood_of_pings_that_nobody_takes_the_pongs_of(role) {
        for memory in Memory::ALL {
            let mut connection = open(role);
            let flood = look_away(|| to(role, first::PING, &[b'p'; 125]).repeat(100));
            let measure = Measure::start();
            let mut pings = 0;
            for _ in 0..2000 {
                memory.show(&mut connection, &flood, |_| pings += 1);
            }
            assert_eq!(pings, 200_000);
            assert!(measure.held() < 64 * KIB, "{}", measure.held());
            assert!(measure.peak() < 64 * KIB + 2 * flood.len() as isize, "{}", measure.peak());
        }
    }

    fn a_kept_message_holds_no_buffer(role) {
        for memory in [Memory::Lent, Memory::Copied] {
            for first in [first::TEXT, first::BINARY] {
                let mut connection = open(role);
                // Much else in the same read.
                let read = look_away(|| {
                    let small = to(role, first, b"sixteen octets!!");
                    [small, to(role, first::BINARY, &[0; 30_000])].concat()
                });
                let measure = Measure::start();
                let mut kept = None;
                let mut lent = look_away(|| read.clone());
                if memory == Memory::Lent {
                    let mut input = connection.receive(&mut lent);
                    while let Some(event) = input.poll_event() {
                        kept = kept.or(event.into_message());
                    }
                } else {
                    let mut rest = &read[..];
                    while !rest.is_empty() {
                        rest = &rest[connection.receive_copy(rest)..];
                        while let Some(event) = connection.poll_event() {
                            kept = kept.or(event.into_message());
                        }
                    }
                }
                assert_eq!(kept.as_ref().map(Message::as_bytes), Some(&b"sixteen octets!!"[..]));
                assert!(measure.held() < 128, "{memory:?}: {} for 16 octets", measure.held());
                look_away(|| drop((lent, read)));
            }
        }
    }

    fn a_kept_message_of_many_pieces_is_no_larger_than_twice_itself(role) {
        for pieces in [2usize, 3, 1000] {
            let mut connection = open(role);
            let frames: Vec<Vec<u8>> = (1..=pieces)
                .map(|n| to(role, if n == 1 { 0x02 } else { 0 } | if n == pieces { 0x80 } else { 0 }, &[9; 10]))
                .collect();
            let measure = Measure::start();
            let mut kept = None;
            for frame in &frames {
                let mut lent = look_away(|| frame.clone());
                let mut input = connection.receive(&mut lent);
                while let Some(event) = input.poll_event() {
                    kept = event.into_message();
                }
                drop(input);
                look_away(|| drop(lent));
            }
            assert_eq!(kept.map(|kept| (kept.as_bytes().len(), measure.held() <= 20 * pieces as isize + 64)), Some((10 * pieces, true)));
        }
    }

    fn after_a_failure_everything_is_given_back(role) {
        let bad: &[&[u8]] = &[
            &to(role, 0x83, b""),
            &to(role, first::TEXT, b"\xff"),
            &to(role, first::CLOSE, b"\x00"),
            &to(role.peer(), first::TEXT, b"wrong direction"),
        ];
        for memory in Memory::ALL {
            for bad in bad {
                let shared = Arc::new(Config::default());
                let before = look_away(|| [beginning(role, 0x02, 100_000, 100_000), to(role, 0x00, &[1; 300])].concat());
                let measure = Measure::start();
                let mut connection = open_with(role, shared);
                memory.show(&mut connection, &before, |_| {});
                let mut seen = 0;
                memory.show(&mut connection, bad, |event| seen += usize::from(matches!(event, Event::Failed(_))));
                assert_eq!(seen, 1);
                drain(&mut connection);
                assert!(measure.held() <= 4 * KIB, "{memory:?}: {}", measure.held());
                // What still comes is not held either, whatever it is.
                memory.show(&mut connection, &before, |_| {});
                assert!(measure.held() <= 4 * KIB, "{memory:?}, later: {}", measure.held());
            }
        }
    }

    fn many_small_fragments_cost_their_octets(role) {
        const FRAGMENTS: usize = 131_000;
        for memory in Memory::ALL {
            let mut connection = open_with(role, config(|config| config.limits.fragments = u32::MAX));
            let (begin, go_on) = (to(role, 0x02, b"x"), to(role, 0x00, b"x").repeat(100));
            let last = to(role, first::CONTINUATION, b"x");
            let measure = Measure::start();
            let mut whole = 0;
            memory.show(&mut connection, &begin, |_| {});
            for _ in 0..FRAGMENTS / 100 {
                memory.show(&mut connection, &go_on, |_| {});
            }
            memory.show(&mut connection, &last, |event| {
                if let Event::Binary(data) = event {
                    whole = data.len();
                }
            });
            assert_eq!(whole, FRAGMENTS + 2);
            let limit = 2 * FRAGMENTS as isize + 64 * KIB;
            assert!(measure.peak() <= limit, "{memory:?}: {}", measure.peak());
        }
    }

    fn a_million_empty_fragments_end_in_1008_without_growth(role) {
        for memory in Memory::ALL {
            let mut connection = open(role);
            let (begin, empty) = (to(role, 0x01, b""), to(role, 0x00, b"").repeat(1000));
            let measure = Measure::start();
            let mut errors = Vec::new();
            memory.show(&mut connection, &begin, |_| {});
            for _ in 0..1000 {
                memory.show(&mut connection, &empty, |event| match event {
                    Event::Failed(error) => errors.push(*error),
                    other => panic!("{other:?}"),
                });
            }
            assert_eq!(errors, [ProtocolError::TooManyEmptyFragments]);
            assert!(measure.peak() < 32 * KIB, "{memory:?}: {}", measure.peak());
            let sent = read_all(role, &transmit_all(&mut connection)).unwrap();
            assert_eq!(sent.iter().map(Frame::close_code).collect::<Vec<_>>(), [Some(1008)]);
        }
    }

    fn pieces_are_not_held(role) {
        for memory in Memory::ALL {
            let mut connection = open_with(role, config(|config| config.delivery = Delivery::Fragments));
            let begin = beginning(role, first::BINARY, 16 << 20, 0);
            let read = [0; 16_384];
            let measure = Measure::start();
            memory.show(&mut connection, &begin, |_| {});
            let mut delivered = 0;
            for _ in 0..1024 {
                memory.show(&mut connection, &read, |event| {
                    if let Event::Fragment(piece) = event {
                        delivered += piece.data.len();
                    }
                });
            }
            // A server's four octets of key were the first of what came.
            assert!(delivered >= (16 << 20) - 4);
            assert!(measure.peak() < 128 * KIB, "{memory:?}: {}", measure.peak());
        }
    }

    fn who_takes_no_events_gets_no_octets(role) {
        let mut connection = open(role);
        let octets = to(role, first::BINARY, b"x").repeat(100_000);
        let measure = Measure::start();
        let (mut taken, mut rest) = (0, &octets[..]);
        loop {
            let n = connection.receive_copy(rest);
            if n == 0 {
                break;
            }
            (taken, rest) = (taken + n, &rest[n..]);
        }
        assert!(taken < octets.len(), "there is an end to what is taken without events");
        assert!(connection.recv_space().is_empty());
        assert!(measure.peak() <= 130 * KIB, "{}", measure.peak());
        // Nothing is lost, and it goes on.
        let mut events = 0;
        while connection.poll_event().is_some() {
            events += 1;
        }
        assert!(events > 0);
        assert!(connection.receive_copy(rest) > 0);
    }

    fn output_is_given_back_after_a_peak(role) {
        let mut connection = open(role);
        let measure = Measure::start();
        let payload = look_away(|| vec![0; 1_000_000]);
        for _ in 0..5 {
            connection.send(&payload).unwrap();
        }
        assert!(measure.held() > 5_000_000);
        drain(&mut connection);
        assert!(measure.held() < 512, "{}", measure.held());
        look_away(|| drop(payload));
    }

    fn output_that_is_transmitted_is_freed_while_more_waits(role) {
        let mut connection = open(role);
        let measure = Measure::start();
        let payload = look_away(|| vec![0; 10_000]);
        for _ in 0..1000 {
            connection.send(&payload).unwrap();
            while connection.buffered_len() > 100_000 {
                let n = connection.transmit().len().min(5000);
                connection.transmitted(n);
            }
        }
        assert!(measure.peak() < 400_000, "{}", measure.peak());
        look_away(|| drop(payload));
    }
}
