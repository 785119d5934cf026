//! The two sides against each other, up to what a connection is made of. What the public face shows is in
//! `tests/handshake`.

use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::version::{Version, Versions};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: v2, v1\r\n\r\n";

fn server() -> ServerHandshake {
    ServerHandshake::new(Config::default(), ServerSettings::default())
}

fn asked(trailing: &[u8]) -> ServerHandshake {
    let mut server = server();
    let text = [REQUEST.as_bytes(), trailing].concat();
    assert_eq!(server.receive(&text), text.len());
    server
}

fn client(request: ClientRequest) -> ClientHandshake {
    let mut next = 0;
    let entropy = move |out: &mut [u8]| {
        out.fill(next);
        next += 1;
    };
    ClientHandshake::new(request, Config::default(), BoxEntropy::new(entropy))
}

#[test]
fn the_answer_of_a_server() {
    // §1.3, §4.2.2
    let opening = asked(b"").accept_opening(Accept::new()).expect("good");
    assert_eq!(
        opening.output,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
    assert_eq!((opening.role, opening.agreement), (Role::Server, Agreement::default()));
    assert!(opening.entropy.is_none() && opening.leftover.is_empty());

    let accept = Accept::new()
        .with_header("Set-Cookie", "a=1")
        .with_subprotocol("v1")
        .with_header("set-cookie", " b=2 ");
    let opening = asked(b"\x81\x80").accept_opening(accept).expect("good");
    assert_eq!(
        opening.output,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v1\r\n\
          Set-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n"
    );
    assert_eq!(opening.agreement.subprotocol(), Some("v1"));
    assert_eq!(opening.leftover, b"\x81\x80", "frames in the same read");
}

#[test]
fn an_acceptance_that_may_not_be_writes_nothing() {
    let mut server = asked(b"\x81\x80");
    for (accept, error) in [
        (Accept::new().with_subprotocol("v3"), AnswerError::BadProtocol),
        (Accept::new().with_subprotocol("V1"), AnswerError::BadProtocol),
        (Accept::new().with_subprotocol(""), AnswerError::BadProtocol),
        (Accept::new().with_subprotocol("v2,v1"), AnswerError::BadProtocol),
        (Accept::new().with_subprotocol("v1\r\nX: 1"), AnswerError::BadProtocol),
        (Accept::new().with_header("X-Node", "b7\r\nX-Evil: 1"), AnswerError::BadHeader),
        (Accept::new().with_header("X\n", "1"), AnswerError::BadHeader),
        (Accept::new().with_header("Upgrade", "h2c"), AnswerError::BadHeader),
        (Accept::new().with_header("connection", "close"), AnswerError::BadHeader),
        (Accept::new().with_header("Content-Length", "5"), AnswerError::BadHeader),
        (Accept::new().with_header("Transfer-Encoding", "chunked"), AnswerError::BadHeader),
        (Accept::new().with_header("Sec-WebSocket-Accept", "x"), AnswerError::BadHeader),
        (Accept::new().with_header("sec-websocket-protocol", "v3"), AnswerError::BadHeader),
        (Accept::new().with_header("Sec-WebSocket-Extensions", "x"), AnswerError::BadHeader),
    ] {
        assert_eq!(server.accept_opening(accept.clone()).err(), Some(error), "{accept:?}");
        assert!(server.transmit().is_empty());
    }
    let opening = server.accept_opening(Accept::new()).expect("it is as it was");
    assert_eq!(opening.leftover, b"\x81\x80");
    assert_eq!(server.accept_opening(Accept::new()).err(), Some(AnswerError::NoRequest), "once");
}

#[test]
fn nothing_is_accepted_that_was_not_asked() {
    let mut too_early = server();
    let half = &REQUEST.as_bytes()[..20];
    assert_eq!(too_early.receive(half), half.len());
    let mut refused = server();
    assert_eq!(refused.receive(b"\0"), 1);
    let mut rejected = asked(b"");
    rejected.reject(Answer::new(403)).expect("good");
    let mut ended = asked(b"");
    ended.receive_eof();
    for mut server in [too_early, refused, rejected, ended] {
        let before = server.transmit().to_vec();
        assert_eq!(server.accept_opening(Accept::new()).err(), Some(AnswerError::NoRequest));
        assert_eq!(server.transmit(), before);
    }
}

#[test]
fn two_sides_agree() {
    for version in [Version::V13, Version::V8, Version::V7] {
        let request = ClientRequest::new("ws://h/chat").expect("good").with_version(version);
        let request = request.with_subprotocol("a").and_then(|r| r.with_subprotocol("b")).expect("good");
        let mut client = client(request);
        let versions = Versions::default().with(Version::V8).with(Version::V7);
        let settings = ServerSettings { versions, ..ServerSettings::default() };
        let mut server = ServerHandshake::new(Config::default(), settings);

        assert_eq!(server.receive(client.transmit()), client.transmit().len());
        client.transmitted(client.transmit().len());
        let Some(Incoming::Upgrade(request)) = server.poll_event() else { unreachable!("a good request") };
        let accept = Accept::new().with_subprotocol(request.select_subprotocol(&["b"]).expect("offered"));
        let there = server.accept_opening(accept).expect("good");

        let text = [&there.output[..], b"\x81\x02hi"].concat();
        for octet in text.chunks(1) {
            assert_eq!(client.receive(octet), 1);
        }
        assert!(matches!(client.poll_event(), Some(Outcome::Opened(_))));
        let mut here = client.into_opening().expect("open");
        assert_eq!(here.agreement, there.agreement);
        assert_eq!((here.agreement.version(), here.agreement.subprotocol()), (version, Some("b")));
        assert_eq!(
            (here.role, &here.leftover[..], &here.output[..]),
            (Role::Client, &b"\x81\x02hi"[..], &b""[..])
        );
        let mut key = [0; 4];
        here.entropy.as_mut().expect("a client has one").fill(&mut key);
        assert_eq!(key, [1; 4], "the nonce was the first draw");
        assert_eq!(here.config, there.config);
    }
}

#[test]
fn what_of_the_request_was_not_transmitted_goes_along() {
    let request = ClientRequest::new("ws://h/").and_then(|r| r.with_key("dGhlIHNhbXBsZSBub25jZQ=="));
    let mut client = client(request.expect("good"));
    client.transmitted(client.transmit().len() - 2);
    let answer = "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert_eq!(client.receive(answer.as_bytes()), answer.len());
    assert_eq!(client.into_opening().map(|opening| opening.output), Some(b"\r\n".into()));
}

#[test]
fn a_handshake_that_is_not_open_is_no_connection() {
    let request = ClientRequest::new("ws://h/").expect("good");
    assert!(client(request.clone()).into_opening().is_none());
    let mut failed = client(request);
    assert_eq!(failed.receive(b"HTTP/1.1 403 \r\n\r\n"), 17);
    assert!(failed.into_opening().is_none());
}

#[test]
fn debug_shows_no_octets() {
    let opening =
        asked(b"hush").accept_opening(Accept::new().with_header("Set-Cookie", "hush")).expect("good");
    let shown: Vec<String> = [alloc::format!("{opening:?}")].into();
    assert!(!shown[0].contains("hush"), "{shown:?}");
}
