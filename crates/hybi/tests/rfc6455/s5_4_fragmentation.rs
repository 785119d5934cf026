//! §5.4: fragmentation.

use hybi::{Connection, Delivery, Kind, ProtocolError, UsageError};
use hybi_test::endpoint::{Memory, config, open, open_with, receive};
use hybi_test::frames::{first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, sent, texts};

twins! {
    fn an_unfragmented_message_is_a_single_frame(role) {
        let mut connection = open(role);
        assert_eq!(receive(&mut connection, &to(role, first::TEXT, b"one")), [Record::text("one")]);
        connection.send("one").unwrap();
        assert_eq!(sent(&mut connection).len(), 1);
    }

    /// To whom messages are delivered in pieces, a short one is one piece: from the first message on.
    fn a_single_frame_is_a_piece_where_pieces_are_asked_for(role) {
        let frame = to(role, first::TEXT, b"one");
        let piece = Record::Fragment { kind: Kind::Text, data: b"one".to_vec(), first: true, last: true };
        for memory in Memory::ALL {
            let receive = |connection: &mut Connection| {
                let mut events = Vec::new();
                memory.feed(connection, &frame, &mut events);
                events
            };
            let mut from_the_start = open_with(role, config(|config| config.delivery = Delivery::Fragments));
            let mut from_now_on = open(role);
            assert_eq!(receive(&mut from_now_on), [Record::text("one")]);
            for _ in 0..2 {
                from_now_on.set_delivery(Delivery::Fragments);
            }
            for connection in [&mut from_the_start, &mut from_now_on] {
                for _ in 0..2 {
                    assert_eq!(receive(connection), std::slice::from_ref(&piece), "{memory:?}");
                }
                connection.set_delivery(Delivery::Messages);
                for _ in 0..2 {
                    assert_eq!(receive(connection), [Record::text("one")], "{memory:?}");
                }
            }
        }
    }

    fn a_fragmented_message_is_the_concatenation_of_its_fragments(role) {
        for cuts in [&[0][..], &[2], &[5], &[1, 3], &[0, 0, 5, 5], &[1, 2, 3, 4]] {
            let mut connection = open(role);
            let (mut events, mut at) = (Vec::new(), 0);
            for (n, cut) in cuts.iter().enumerate() {
                let first = if n == 0 { 0x01 } else { 0x00 };
                events.extend(receive(&mut connection, &to(role, first, &b"Hello"[at..*cut])));
                at = *cut;
            }
            assert_eq!(events, []);
            let last = to(role, first::CONTINUATION, &b"Hello"[at..]);
            assert_eq!(receive(&mut connection, &last), [Record::text("Hello")], "{cuts:?}");
        }
    }

    fn control_frames_may_be_injected_in_the_middle_of_a_fragmented_message(role) {
        let mut connection = open(role);
        let octets = [
            to(role, 0x01, b"Hel"),
            to(role, first::PING, b"1"),
            to(role, 0x00, b"l"),
            to(role, first::PONG, b"2"),
            to(role, first::CONTINUATION, b"o"),
        ];
        let expected = [Record::Ping(b"1".to_vec()), Record::Pong(b"2".to_vec()), Record::text("Hello")];
        assert_eq!(receive(&mut connection, &octets.concat()), expected);
        assert_eq!(sent(&mut connection).len(), 1, "answered without waiting for the message");
    }

    fn message_fragments_must_be_delivered_in_order(role) {
        let mut connection = open(role);
        let mut octets = to(role, 0x01, b"0");
        for digit in 1..9 {
            octets.extend(to(role, 0x00, &[b'0' + digit]));
        }
        octets.extend(to(role, first::CONTINUATION, b"9"));
        assert_eq!(texts(&receive(&mut connection, &octets)), ["0123456789"]);
    }

    fn the_fragments_of_one_message_must_not_be_interleaved_with_those_of_another(role) {
        for opcode in [first::TEXT, first::BINARY, 0x01, 0x02] {
            let octets = [to(role, 0x01, b"unfinished"), to(role, opcode, b"")].concat();
            assert_fails(&mut open(role), &octets, ProtocolError::ExpectedContinuation, 1002);
        }
    }

    fn a_continuation_needs_a_message_to_continue(role) {
        for opcode in [0x00, first::CONTINUATION] {
            assert_fails(&mut open(role), &to(role, opcode, b"x"), ProtocolError::UnexpectedContinuation, 1002);
            let after = [to(role, first::TEXT, b"whole"), to(role, opcode, b"x")].concat();
            assert_fails(&mut open(role), &after, ProtocolError::UnexpectedContinuation, 1002);
        }
    }

    fn a_sender_may_create_fragments_of_any_size(role) {
        let mut connection = open(role);
        let mut writer = connection.start(Kind::Binary).unwrap();
        for len in [0, 1, 125, 126, 65_536] {
            writer.write(&vec![1; len]).unwrap();
        }
        writer.finish(b"").unwrap();
        let frames = sent(&mut connection);
        let opcodes: Vec<(u8, bool)> = frames.iter().map(|frame| (frame.opcode, frame.fin)).collect();
        assert_eq!(opcodes, [(2, false), (0, false), (0, false), (0, false), (0, false), (0, true)]);
    }

    fn a_sender_does_not_interleave_either(role) {
        let mut connection = open(role);
        connection.start(Kind::Text).unwrap().write(b"unfinished").unwrap();
        assert_eq!(connection.send("another"), Err(UsageError::MessageInProgress));
    }
}
