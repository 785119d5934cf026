//! §7: closing the connection.

use hybi::{CloseCause, CloseCode, ProtocolError, Role, State, TransportAction};
use hybi_test::endpoint::{open, receive, receive_eof};
use hybi_test::frames::{close_body, first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, sent};

twins! {
    /// §5.5.1, §7.1.2.
    fn if_an_endpoint_receives_a_close_frame_it_must_send_one_in_response(role) {
        let mut connection = open(role);
        let events = receive(&mut connection, &to(role, first::CLOSE, &close_body(1001, "gone")));
        assert_eq!(events, [Record::Close(Some((1001, b"gone".to_vec()))), Record::clean(1001, "gone")]);
        let frames = sent(&mut connection);
        assert_eq!(frames.len(), 1);
        assert_eq!((frames[0].first(), &frames[0].payload[..]), (first::CLOSE, &close_body(1001, "gone")[..]));
    }

    /// §5.5.1: "if an endpoint did not previously send one".
    fn a_close_frame_is_sent_once(role) {
        let mut connection = open(role);
        connection.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(sent(&mut connection).len(), 1);
        receive(&mut connection, &to(role, first::CLOSE, &close_body(1000, "")));
        connection.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(sent(&mut connection), []);
    }

    /// §7.1.1.
    fn the_server_must_close_the_tcp_connection_and_the_client_should_wait(role) {
        let mut connection = open(role);
        receive(&mut connection, &to(role, first::CLOSE, b""));
        assert_eq!(connection.transport_action(), TransportAction::None, "the answer has to go out first");
        sent(&mut connection);
        let expected = if role == Role::Server { TransportAction::Close } else { TransportAction::None };
        assert_eq!(connection.transport_action(), expected);
        connection.receive_eof();
        assert_eq!(connection.transport_action(), TransportAction::Close);
    }

    /// §7.1.3.
    fn the_closing_handshake_is_started_upon_sending_or_receiving_a_close_frame(role) {
        let mut connection = open(role);
        assert_eq!(connection.state(), State::Open);
        connection.close_with(None).unwrap();
        assert_eq!(connection.state(), State::Closing);
    }

    /// §7.1.4.
    fn closed_cleanly(role) {
        let mut connection = open(role);
        connection.close(CloseCode::NORMAL, "").unwrap();
        receive(&mut connection, &to(role, first::CLOSE, &close_body(1000, "")));
        assert!(connection.close_info().unwrap().is_clean());
        assert_eq!(connection.state(), State::Closed);
        let mut connection = open(role);
        connection.close(CloseCode::NORMAL, "").unwrap();
        receive_eof(&mut connection);
        assert!(!connection.close_info().unwrap().is_clean());
        assert_eq!(connection.state(), State::Closed);
    }

    /// §7.1.5, §7.1.6.
    fn the_close_code_and_reason_are_those_of_the_first_close_frame(role) {
        for (octets, code, reason) in [
            (to(role, first::CLOSE, &close_body(3000, "mine")), 3000, "mine"),
            (to(role, first::CLOSE, b""), 1005, ""),
        ] {
            let mut connection = open(role);
            let more = [octets, to(role, first::CLOSE, &close_body(1000, "second"))].concat();
            receive(&mut connection, &more);
            let info = connection.close_info().unwrap();
            assert_eq!((info.code(), info.reason()), (code, reason));
        }
    }

    /// §7.1.5.
    fn no_close_frame_is_1006(role) {
        let mut connection = open(role);
        assert_eq!(connection.close_info(), None);
        assert_eq!(receive_eof(&mut connection), [Record::transport_ended()]);
        let info = connection.close_info().unwrap();
        assert_eq!((info.code(), info.reason(), info.cause()), (1006, "", &CloseCause::TransportEnded));
    }

    /// §7.4.
    fn codes_that_must_not_be_set_in_a_close_frame(role) {
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65_535] {
            let frame = to(role, first::CLOSE, &close_body(code, ""));
            assert_fails(&mut open(role), &frame, ProtocolError::InvalidCloseCode, 1002);
            assert_eq!(CloseCode::new(code), None, "and cannot be sent");
        }
    }

    /// §7.4.
    fn codes_that_may_be_set_in_a_close_frame(role) {
        let all = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
        for code in all {
            let mut connection = open(role);
            receive(&mut connection, &to(role, first::CLOSE, &close_body(code, "")));
            assert_eq!(connection.close_info().unwrap().code(), code);
            let mut connection = open(role);
            connection.close(CloseCode::new(code).unwrap(), "").unwrap();
            assert_eq!(sent(&mut connection)[0].close_code(), Some(code));
        }
    }

    /// §7.1.7.
    fn an_endpoint_must_not_continue_to_attempt_to_process_data_after_failing(role) {
        let octets = [to(role, 0x83, b""), to(role, first::TEXT, b"x"), to(role, first::CLOSE, b"")].concat();
        let mut connection = open(role);
        assert_eq!(receive(&mut connection, &octets), [Record::Failed(ProtocolError::ReservedOpcode)]);
        sent(&mut connection);
        let cause = CloseCause::Failed(ProtocolError::ReservedOpcode);
        assert_eq!(receive_eof(&mut connection), [Record::Closed(1006, Vec::new(), cause)]);
    }

    /// §7.1.7: the peer is told by a close frame only if none was sent before.
    fn a_failure_after_our_close_frame(role) {
        let mut connection = open(role);
        connection.close(CloseCode::NORMAL, "").unwrap();
        sent(&mut connection);
        receive(&mut connection, &to(role, 0x83, b""));
        assert_eq!(sent(&mut connection), []);
        assert_eq!(connection.transport_action(), TransportAction::ShutdownWrite);
    }

    /// What arrived whole before the end is delivered; what did not is not.
    fn messages_before_the_end_of_the_transport(role) {
        let mut connection = open(role);
        let whole = to(role, first::TEXT, b"whole");
        let octets = [&whole[..], &whole[..whole.len() - 1]].concat();
        assert_eq!(receive(&mut connection, &octets), [Record::text("whole")]);
        assert_eq!(receive_eof(&mut connection), [Record::transport_ended()]);
        assert_eq!(receive_eof(&mut connection), [], "told once");
    }
}
