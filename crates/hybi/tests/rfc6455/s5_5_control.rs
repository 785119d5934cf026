//! §5.5: control frames.

use hybi::{ProtocolError, UsageError};
use hybi_test::endpoint::{open, receive};
use hybi_test::frames::{Frame, close_body, first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, second, sent};

twins! {
    fn control_frames_must_have_a_payload_of_125_bytes_or_less(role) {
        for opcode in [first::CLOSE, first::PING, first::PONG] {
            for long in [126, 127] {
                assert_fails(&mut open(role), &[opcode, second(role, long)], ProtocolError::ControlTooLong, 1002);
            }
        }
        let longest = vec![b'x'; 125];
        let mut connection = open(role);
        assert_eq!(receive(&mut connection, &to(role, first::PING, &longest)), [Record::Ping(longest.clone())]);
        assert_eq!(receive(&mut connection, &to(role, first::PONG, &longest)), [Record::Pong(longest)]);
        assert_eq!(connection.ping(&[0; 126]), Err(UsageError::ControlTooLong));
    }

    fn control_frames_must_not_be_fragmented(role) {
        for opcode in [0x08, 0x09, 0x0A] {
            assert_fails(&mut open(role), &to(role, opcode, b""), ProtocolError::FragmentedControl, 1002);
        }
    }

    /// §5.5.2, §5.5.3.
    fn upon_receipt_of_a_ping_an_endpoint_must_send_a_pong_with_identical_application_data(role) {
        for payload in [&b""[..], b"Hello", &[0xFF; 125]] {
            let mut connection = open(role);
            let events = receive(&mut connection, &to(role, first::PING, payload));
            assert_eq!(events, [Record::Ping(payload.to_vec())]);
            let frames = sent(&mut connection);
            assert_eq!(frames.len(), 1);
            assert_eq!((frames[0].first(), &frames[0].payload[..]), (first::PONG, payload));
        }
    }

    /// §5.5.2.
    fn no_pong_after_a_close_frame_was_received(role) {
        let mut connection = open(role);
        let octets = [to(role, first::CLOSE, b""), to(role, first::PING, b"late")].concat();
        receive(&mut connection, &octets);
        assert_eq!(sent(&mut connection).iter().map(Frame::first).collect::<Vec<_>>(), [first::CLOSE]);
    }

    /// §5.5.3.
    fn a_response_to_an_unsolicited_pong_is_not_expected(role) {
        let mut connection = open(role);
        let events = receive(&mut connection, &to(role, first::PONG, b"heartbeat"));
        assert_eq!(events, [Record::Pong(b"heartbeat".to_vec())]);
        assert_eq!(sent(&mut connection), []);
    }

    /// §5.5.3.
    fn an_endpoint_may_elect_to_answer_only_the_most_recently_processed_ping(role) {
        let mut connection = open(role);
        for n in 0..=255u8 {
            receive(&mut connection, &to(role, first::PING, &[n]));
        }
        let pongs = sent(&mut connection);
        assert!(pongs.len() <= 16);
        assert_eq!(pongs.last().unwrap().payload, [255]);
    }

    /// §5.5.1.
    fn the_body_of_a_close_frame_is_a_code_and_a_reason(role) {
        assert_fails(&mut open(role), &to(role, first::CLOSE, b"\x03"), ProtocolError::CloseTooShort, 1002);
        for (body, expected) in [
            (Vec::new(), None),
            (close_body(1000, ""), Some((1000, Vec::new()))),
            (close_body(4999, "why not"), Some((4999, b"why not".to_vec()))),
        ] {
            let events = receive(&mut open(role), &to(role, first::CLOSE, &body));
            assert_eq!(events[0], Record::Close(expected));
        }
    }
}
