//! §5.6, §6: data frames, and what becomes of them.

use hybi::{Kind, Message, UsageError};
use hybi_test::endpoint::{Memory, open, receive};
use hybi_test::frames::{Frame, first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::sent;

twins! {
    fn text_is_text_and_binary_is_arbitrary(role) {
        let mut connection = open(role);
        let octets = [to(role, first::TEXT, "τ".as_bytes()), to(role, first::BINARY, b"\xff\xfe")].concat();
        assert_eq!(receive(&mut connection, &octets), [Record::text("τ"), Record::Binary(b"\xff\xfe".to_vec())]);
        connection.send("τ").unwrap();
        connection.send(b"\xff\xfe").unwrap();
        let firsts: Vec<u8> = sent(&mut connection).iter().map(Frame::first).collect();
        assert_eq!(firsts, [first::TEXT, first::BINARY]);
    }

    fn a_particular_text_frame_might_include_a_partial_sequence(role) {
        let mut connection = open(role);
        let octets = [to(role, 0x01, b"\xe2"), to(role, 0x00, b"\x82"), to(role, first::CONTINUATION, b"\xac")];
        assert_eq!(receive(&mut connection, &octets.concat()), [Record::text("€")]);
    }

    /// §6.2: the type is that of the first frame.
    fn the_type_of_a_fragmented_message(role) {
        for (opcode, kind) in [(0x01, Kind::Text), (0x02, Kind::Binary)] {
            let mut connection = open(role);
            let octets = [to(role, opcode, b"a"), to(role, first::CONTINUATION, b"b")].concat();
            let expected = if kind == Kind::Text { Record::text("ab") } else { Record::Binary(b"ab".to_vec()) };
            assert_eq!(receive(&mut connection, &octets), [expected]);
        }
    }

    fn messages_may_be_empty(role) {
        let mut connection = open(role);
        let octets = [to(role, first::TEXT, b""), to(role, 0x02, b""), to(role, first::CONTINUATION, b"")].concat();
        assert_eq!(receive(&mut connection, &octets), [Record::text(""), Record::Binary(Vec::new())]);
    }

    /// §6.1: data is sent in the open state only.
    fn the_endpoint_must_ensure_the_connection_is_open(role) {
        let mut connection = open(role);
        connection.close_with(None).unwrap();
        assert_eq!(connection.send("x"), Err(UsageError::NotOpen));
        assert_eq!(connection.send_message(Message::from("x")).unwrap_err().error, UsageError::NotOpen);
    }

    /// §6.1: "if at any point the state of the connection changes, the endpoint MUST abort".
    fn a_message_that_was_begun_ends_with_the_open_state(role) {
        for octets in [to(role, first::CLOSE, b""), to(role, 0x83, b"")] {
            let mut connection = open(role);
            connection.start(Kind::Text).unwrap().write(b"begun").unwrap();
            receive(&mut connection, &octets);
            assert!(connection.writer().is_none(), "no fragment more");
            let frames = sent(&mut connection);
            assert_eq!(frames.iter().map(Frame::first).collect::<Vec<_>>(), [0x01, first::CLOSE]);
        }
    }

    /// A large message, in every way to hand it over: what is received in its final place is the same.
    fn large_messages(role) {
        let payload: Vec<u8> = (0..300_000u32).map(|i| (i * 7 % 251) as u8).collect();
        let text = "Größe ".repeat(40_000);
        let octets = [to(role, first::BINARY, &payload), to(role, first::TEXT, text.as_bytes())].concat();
        for memory in Memory::ALL {
            for chunk in [1000, 4096, 65_537, usize::MAX] {
                let (mut connection, mut events) = (open(role), Vec::new());
                for read in octets.chunks(chunk.min(octets.len())) {
                    memory.feed(&mut connection, read, &mut events);
                }
                assert!(events == [Record::Binary(payload.clone()), Record::text(&text)], "{memory:?} {chunk}");
            }
        }
    }
}
