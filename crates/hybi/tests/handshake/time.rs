//! The timeout of the handshake, and transports that end: client and server twins.

use core::time::Duration;

use hybi::handshake::{
    Answer, AnswerError, ClientHandshake, Incoming, Outcome, Response, ServerHandshake, ServerSettings,
};
use hybi::{Config, HandshakeError, Instant};

use crate::{client_request, entropy, request_with, response_with};
use HandshakeError::*;

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn config(timeout: Option<u64>) -> Config {
    let mut config = Config::default();
    config.timeouts.handshake = timeout.map(Duration::from_secs);
    config
}

fn server(timeout: Option<u64>, text: &str) -> ServerHandshake {
    let mut server = ServerHandshake::new(config(timeout), ServerSettings::default());
    assert_eq!(server.receive(text.as_bytes()), text.len());
    server
}

fn client(timeout: Option<u64>, text: &str) -> ClientHandshake {
    let mut client = ClientHandshake::new(client_request("ws://h/"), config(timeout), entropy());
    assert_eq!(client.receive(text.as_bytes()), text.len());
    client
}

#[test]
fn a_server_answers_408_when_the_request_takes_too_long() {
    for text in ["", "GET / HT", &request_with(&[])] {
        let mut server = server(Some(3), text);
        assert_eq!(server.poll_timeout(), Some(Instant::ZERO), "look at the clock first");
        server.handle_timeout(at(5));
        assert_eq!(server.poll_timeout(), Some(at(8)));
        server.handle_timeout(at(7));
        assert_eq!((server.error(), server.transmit()), (None, &b""[..]));
        server.handle_timeout(at(8));
        assert_eq!(server.poll_event(), Some(Incoming::Failed(TimedOut)), "a request that waited is gone");
        assert!(server.transmit().starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
        assert_eq!(server.reject(Answer::new(403)), Err(AnswerError::NoRequest));
        // A peer that does not take its answer does not keep the transport.
        assert_eq!((server.wants_close(), server.poll_timeout()), (false, Some(at(11))));
        server.handle_timeout(at(11));
        assert_eq!((server.wants_close(), server.poll_timeout()), (true, None));
        assert!(server.transmit().is_empty() && server.poll_event().is_none());
    }
}

#[test]
fn a_client_gives_up_when_the_response_takes_too_long() {
    for text in ["", "HTTP/1.1 101", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let mut client = client(Some(3), text);
        assert_eq!(client.poll_timeout(), Some(Instant::ZERO));
        client.handle_timeout(at(5));
        client.handle_timeout(at(7));
        assert!(client.poll_event().is_none());
        client.handle_timeout(at(8));
        assert!(matches!(client.poll_event(), Some(Outcome::Failed(TimedOut))));
        assert!(client.wants_close() && client.poll_timeout().is_none() && client.transmit().is_empty());
        assert_eq!(client.receive(response_with(&[]).as_bytes()), response_with(&[]).len());
        assert!(client.poll_event().is_none(), "nothing comes behind a failure");
    }
}

#[test]
fn the_timeout_can_be_switched_off() {
    let (mut server, mut client) = (server(None, ""), client(None, ""));
    server.handle_timeout(at(1 << 30));
    client.handle_timeout(at(1 << 30));
    assert_eq!((server.poll_timeout(), client.poll_timeout()), (None, None));
    assert!(server.poll_event().is_none() && client.poll_event().is_none());
}

#[test]
fn an_open_client_has_no_timeout() {
    let mut client = client(Some(3), &response_with(&[]));
    client.handle_timeout(at(0));
    client.handle_timeout(at(9));
    assert!(matches!(client.poll_event(), Some(Outcome::Opened(_))));
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn a_body_that_does_not_end_is_given_up() {
    let mut client = client(Some(3), "HTTP/1.1 500 \r\n\r\nabc");
    client.handle_timeout(at(0));
    assert!(matches!(client.poll_event(), Some(Outcome::Failed(UnexpectedStatus(500)))));
    assert_eq!((client.wants_close(), client.poll_timeout()), (false, Some(at(3))));
    client.handle_timeout(at(3));
    assert_eq!((client.wants_close(), client.poll_timeout()), (true, None));
    assert!(client.poll_event().is_none());
    assert_eq!(client.response().map(Response::body), Some(&b"abc"[..]));
}

#[test]
fn a_transport_that_ends_ends_the_handshake() {
    for text in ["", "GET / HT", &request_with(&[])] {
        let mut server = server(Some(3), text);
        server.receive_eof();
        assert_eq!(server.poll_event(), Some(Incoming::Failed(TransportEnded)), "{text:?}");
        assert!(server.transmit().is_empty() && server.wants_close(), "nobody waits for an answer");
        server.receive_eof();
        assert_eq!(server.poll_event(), None);
    }
    for text in ["", "HTTP/1.1 101 Switching Protocols\r\nUpg"] {
        let mut client = client(Some(3), text);
        client.receive_eof();
        assert!(matches!(client.poll_event(), Some(Outcome::Failed(TransportEnded))), "{text:?}");
        assert!(client.transmit().is_empty() && client.wants_close());
    }
}

#[test]
fn an_answer_is_transmitted_also_to_a_peer_that_has_ended_its_side() {
    let mut server = server(Some(3), "nonsense\r\n");
    server.receive_eof();
    assert_eq!(server.poll_event(), Some(Incoming::Failed(BadHttp)));
    assert!(server.transmit().starts_with(b"HTTP/1.1 400 "));
}
