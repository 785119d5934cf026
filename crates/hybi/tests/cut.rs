//! Messages that are cut by the end of a read: the short way to join them finds what the long way finds.

use hybi::{Connection, Delivery, ProtocolError, Role};
use hybi_test::alloc::{Counting, Measure, look_away};
use hybi_test::endpoint::{Memory, config, open, open_with, receive, take_events};
use hybi_test::frames::{KEY, first, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TEXT_WITHOUT_FIN: u8 = first::TEXT & !first::FIN;

/// What comes of two reads, the first of which brings so many octets, and how much is held then.
fn in_two(connection: &mut Connection, memory: Memory, octets: &[u8], cut: usize) -> (Vec<Record>, usize) {
    let mut events = Vec::new();
    for read in [&octets[..cut], &octets[cut..]] {
        memory.feed(connection, read, &mut events);
    }
    (events, connection.held_len())
}

/// The same with every cut and in every memory: nothing else comes of it, and nothing stays.
fn cut_everywhere(role: Role, octets: &[u8], expected: &[Record]) {
    for memory in Memory::ALL {
        for cut in 0..=octets.len() {
            let (events, held) = in_two(&mut open(role), memory, octets, cut);
            assert!(events == expected && held == 0, "{memory:?}, cut at {cut}: {events:?}, {held} held");
        }
    }
}

/// A payload that is these octets when it is masked, or as it is where nothing is.
fn that_comes_as(role: Role, octets: &[u8]) -> Vec<u8> {
    let mask = |(octet, key): (&u8, &u8)| if role == Role::Server { octet ^ key } else { *octet };
    octets.iter().zip(KEY.iter().cycle()).map(mask).collect()
}

twins! {
    fn between_others(role) {
        let long = "é€😀".repeat(20);
        let octets = [
            to(role, first::TEXT, b"before"),
            to(role, first::TEXT, long.as_bytes()),
            to(role, first::BINARY, &[0x81; 130]),
            to(role, first::BINARY, b""),
            to(role, first::TEXT, b"behind"),
        ]
        .concat();
        let expected = [
            Record::text("before"),
            Record::text(&long),
            Record::Binary(vec![0x81; 130]),
            Record::Binary(vec![]),
            Record::text("behind"),
        ];
        cut_everywhere(role, &octets, &expected);
    }

    fn in_fragments_with_a_ping_between(role) {
        let octets = [
            to(role, TEXT_WITHOUT_FIN, b"high "),
            to(role, first::PING, b"?"),
            to(role, first::CONTINUATION & !first::FIN, b"wat"),
            to(role, first::CONTINUATION, b"er"),
            to(role, first::TEXT, b"low"),
        ]
        .concat();
        let expected = [Record::Ping(b"?".to_vec()), Record::text("high water"), Record::text("low")];
        cut_everywhere(role, &octets, &expected);
    }

    fn a_payload_that_looks_like_frames_is_a_payload(role) {
        let payload = that_comes_as(role, &to(role, first::BINARY, b"+").repeat(20));
        let octets = [to(role, first::BINARY, &payload), to(role, first::PING, b"")].concat();
        cut_everywhere(role, &octets, &[Record::Binary(payload), Record::Ping(vec![])]);
    }

    fn a_length_that_looks_like_a_frame_is_a_length(role) {
        let mask_bit = if role == Role::Server { 0x80 } else { 0 };
        let payload = vec![7; usize::from(u16::from_be_bytes([first::TEXT, mask_bit | 5]))];
        let octets = to(role, first::BINARY, &payload);
        for memory in Memory::ALL {
            for cut in 1..10 {
                let (events, _) = in_two(&mut open(role), memory, &octets, cut);
                assert!(events == [Record::Binary(payload.clone())], "{memory:?}, cut at {cut}");
            }
        }
    }

    fn then_there_is_space_for_the_rest(role) {
        let mut connection = open(role);
        assert_eq!(receive(&mut connection, &to(role, first::BINARY, &[7; 200])[..50]), []);
        assert!(!connection.recv_space().is_empty());
    }

    fn as_text_that_goes_wrong(role) {
        let wrong = [b"caf\xc3\xa9 ".as_slice(), b"\xf4\x90", &[b'x'; 50]].concat();
        let octets = [to(role, first::TEXT, &wrong), to(role, first::TEXT, b"never seen")].concat();
        let end = to(role, first::TEXT, &[0; 58]).len() - 50; // behind the octet that cannot be right
        for memory in Memory::ALL {
            for cut in 0..octets.len() {
                let mut connection = open(role);
                let mut events = Vec::new();
                memory.feed(&mut connection, &octets[..cut], &mut events);
                assert_eq!(events.is_empty(), cut < end, "{memory:?}, cut at {cut}");
                memory.feed(&mut connection, &octets[cut..], &mut events);
                assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)], "{memory:?}, cut at {cut}");
            }
        }
    }

    fn as_text_that_ends_in_a_character(role) {
        let octets = [to(role, first::TEXT, b"caf\xc3"), to(role, first::TEXT, b"never seen")].concat();
        cut_everywhere(role, &octets, &[Record::Failed(ProtocolError::InvalidUtf8)]);
    }

    fn above_a_limit(role) {
        for (limit, len) in [(100, 100), (100, 101), (126, 126), (126, 127)] {
            for memory in Memory::ALL {
                let mut connection = open_with(role, config(|config| config.limits.message = limit));
                let frame = to(role, first::BINARY, &vec![1; len]);
                let expected = if len > limit { Record::Failed(ProtocolError::MessageTooBig) } else { Record::Binary(vec![1; len]) };
                let header = frame.len() - len;
                let mut events = Vec::new();
                memory.feed(&mut connection, &frame[..header + 1], &mut events);
                assert_eq!(events.is_empty(), len <= limit, "told by the header");
                memory.feed(&mut connection, &frame[header + 1..], &mut events);
                assert_eq!(events, [expected], "{memory:?}");
            }
        }
    }

    fn where_the_next_is_delivered_in_fragments(role) {
        for memory in Memory::ALL {
            let mut connection = open(role);
            let mut events = Vec::new();
            let frame = to(role, first::BINARY, &[7; 200]);
            memory.feed(&mut connection, &frame[..50], &mut events);
            connection.set_delivery(Delivery::Fragments);
            memory.feed(&mut connection, &frame[50..], &mut events);
            assert_eq!(std::mem::take(&mut events), [Record::Binary(vec![7; 200])], "{memory:?}");
            memory.feed(&mut connection, &frame[..50], &mut events);
            assert!(!events.is_empty() && connection.held_len() == 0, "{memory:?}: what is there is delivered");
        }
    }

    fn behind_a_failure(role) {
        let ping = to(role, first::PING, b"?");
        let frame = to(role, first::BINARY, &[7; 200]);
        let mut memory = [&ping[..], &frame[..100]].concat();
        let mut connection = open(role);
        let measure = Measure::start();
        measure.fail_at(1); // for the pong
        let mut events = Vec::new();
        let mut input = connection.receive(&mut memory);
        while let Some(event) = input.poll_event() {
            look_away(|| events.push(Record::from(event)));
        }
        drop(input);
        measure.fail_at(0);
        assert_eq!(events, [Record::Ping(b"?".to_vec()), Record::Failed(ProtocolError::OutOfMemory)]);
        for memory in Memory::ALL {
            let (events, held) = in_two(&mut connection, memory, &frame, 100);
            assert!(events.is_empty() && held == 0, "{memory:?}: {events:?}, {held} held");
        }
    }

    /// Octets that are lent while some that came before them lie elsewhere come behind those.
    fn with_its_pieces_in_two_memories(role) {
        let octets = [to(role, first::TEXT, &[b'a'; 300]), to(role, first::TEXT, b"behind")].concat();
        for cut in 1..octets.len() {
            let mut connection = open(role);
            connection.recv_space()[..cut].copy_from_slice(&octets[..cut]);
            connection.received(cut); // and no event is taken
            let events = receive(&mut connection, &octets[cut..]);
            assert_eq!(events, [Record::Text(vec![b'a'; 300]), Record::text("behind")], "{cut}");
        }
    }

    /// Where a large payload is to be read to was cleared once, and is not for each look at what there is.
    fn what_was_cleared_is_not_cleared_again(role) {
        let mut connection = open(role);
        receive(&mut connection, &to(role, first::BINARY, &[1; 100_000])[..1000]);
        connection.recv_space().fill(7);
        receive(&mut connection, b"");
        take_events(&mut connection, &mut Vec::new());
        assert!(connection.recv_space().iter().all(|octet| *octet == 7));
    }
}
