//! The opening handshake in versions 7 and 8: only where it is switched on; the name of the origin; lists of
//! versions; extensions of the drafts, which are never agreed on.

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use hybi::extension::AgreeError;
use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{
    Accept, Answer, ClientHandshake, ClientRequest, Incoming, Outcome, Request, ServerHandshake,
    ServerSettings,
};
use hybi::{BoxEntropy, Config, HandshakeError, Version, Versions};

use crate::DRAFTS;

fn all() -> Versions {
    Versions::default().with(Version::V8).with(Version::V7)
}

/// A request of this version, with these lines in addition.
fn request(version: &str, lines: &str) -> String {
    format!(
        "GET /feed HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {version}\r\n{lines}\r\n"
    )
}

fn server(versions: Versions, text: &str) -> ServerHandshake {
    let mut settings = ServerSettings::default();
    settings.versions = versions;
    let mut server = ServerHandshake::new(Config::default(), settings);
    assert_eq!(server.receive(text.as_bytes()), text.len());
    server
}

fn asked(versions: Versions, text: &str) -> (ServerHandshake, Request) {
    let mut server = server(versions, text);
    match server.poll_event() {
        Some(Incoming::Upgrade(request)) => (server, request),
        event => panic!("{event:?}"),
    }
}

fn refused(versions: Versions, text: &str) -> String {
    let mut server = server(versions, text);
    assert!(matches!(server.poll_event(), Some(Incoming::Failed(HandshakeError::BadVersion))), "{text}");
    String::from_utf8(server.transmit().to_vec()).expect("text")
}

/// The 101 of a server that accepts.
fn accepted(text: &str, accept: Accept) -> String {
    let connection = asked(all(), text).0.accept(accept).expect("good");
    String::from_utf8(connection.transmit().to_vec()).expect("text")
}

#[test]
fn drafts_are_spoken_only_where_they_are_switched_on() {
    for (version, number) in [(Version::V7, "7"), (Version::V8, "8")] {
        let (_, request) = asked(all(), &request(number, ""));
        assert_eq!(request.version(), version);
    }
    for number in ["7", "8"] {
        let answer = refused(Versions::default(), &request(number, ""));
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        assert!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{answer}");
    }
    let with_eight = Versions::default().with(Version::V8);
    let answer = refused(with_eight, &request("7", ""));
    assert!(answer.contains("\r\nSec-WebSocket-Version: 13, 8\r\n"), "{answer}");
}

#[test]
fn a_version_may_be_named_twice() {
    assert_eq!(all().with(Version::V13).with(Version::V8), all());
}

#[test]
fn versions_that_never_were_are_refused_with_the_list() {
    // RFC 6455 §11.6: 9 to 12 were reserved, "were not and will not be used".
    for number in ["0", "1", "6", "9", "10", "11", "12", "14", "255"] {
        let answer = refused(all(), &request(number, ""));
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        assert!(answer.contains("\r\nSec-WebSocket-Version: 13, 8, 7\r\n"), "{answer}");
    }
}

#[test]
fn the_accept_value_is_the_same() {
    for number in ["7", "8", "13"] {
        let answer = accepted(&request(number, ""), Accept::new());
        assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
        assert!(!answer.contains("Sec-WebSocket-Version"), "{answer}");
    }
}

#[test]
fn a_client_names_its_origin_as_its_version_does() {
    for (version, name) in [
        (Version::V7, "Sec-WebSocket-Origin"),
        (Version::V8, "Sec-WebSocket-Origin"),
        (Version::V13, "Origin"),
    ] {
        let request = ClientRequest::new("ws://h/").expect("good").with_version(version);
        let request = request.with_origin("https://www.example.net").expect("good");
        let client =
            ClientHandshake::new(request, Config::default(), BoxEntropy::new(|out: &mut [u8]| out.fill(7)));
        let text = String::from_utf8(client.transmit().to_vec()).expect("text");
        assert!(text.contains(&format!("\r\n{name}: https://www.example.net\r\n")), "{text}");
        assert_eq!(text.matches("Origin").count(), 1, "{text}");
        assert!(text.contains(&format!("\r\nSec-WebSocket-Version: {version}\r\n")), "{text}");
    }
}

/// RFC 6455 §4.1: the key is chosen for each connection.
#[test]
fn an_older_version_is_asked_for_with_another_key() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let client = |request| {
        ClientHandshake::new(request, Config::default(), BoxEntropy::new(|out: &mut [u8]| out.fill(7)))
    };
    let mut refused = client(ClientRequest::new("ws://h/").and_then(|r| r.with_key(key)).expect("good"));
    let refusal = b"HTTP/1.1 426 \r\nSec-WebSocket-Version: 8\r\n\r\n";
    assert_eq!(refused.receive(refusal), refusal.len());
    let older = refused.request().in_older_version(refused.response().expect("it came"), all());
    let again = client(older.expect("both know it"));
    let text = String::from_utf8(again.transmit().to_vec()).expect("text");
    assert!(text.contains("\r\nSec-WebSocket-Version: 8\r\n") && !text.contains(key), "{text}");
}

#[test]
fn a_server_looks_at_both_names_of_the_origin() {
    // Drafts 07 to 10 said `Sec-WebSocket-Origin`; drafts 11 and 12, version 8 as well, `Origin` again.
    let (good, bad) = ("https://good.example", "https://bad.example");
    let old = |origin: &str| format!("Sec-WebSocket-Origin: {origin}\r\n");
    let new = |origin: &str| format!("Origin: {origin}\r\n");
    for (version, lines, allowed) in [
        ("7", String::new(), true),
        ("7", old(good), true),
        ("7", old(bad), false),
        ("7", new(bad), false),
        ("8", old(good), true),
        ("8", new(good), true),
        ("8", old(bad), false),
        ("8", new(bad), false),
        ("8", old(good) + &new(good), true),
        ("8", old(good) + &new(bad), false),
        ("8", old(bad) + &new(good), false),
        ("13", new(good), true),
        ("13", new(bad), false),
        ("13", new(good) + &old(bad), true), // no header of this version
        ("13", old(good), true),
    ] {
        let (_, request) = asked(all(), &request(version, &lines));
        assert_eq!(request.origin_allowed(&[good]), allowed, "{version} {lines}");
        let is_named = lines.starts_with("Origin") || (version != "13" && !lines.is_empty());
        assert_eq!(request.origin().is_some(), is_named, "{version} {lines}");
    }
}

#[test]
fn an_address_may_be_the_target() {
    // From draft 08 on.
    let text = request("8", "").replacen("/feed", "http://h/feed?a=1", 1);
    let (_, request) = asked(all(), &text);
    assert_eq!((request.path(), request.query(), request.host()), ("/feed", Some("a=1"), "h"));
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[test]
fn extensions_of_the_drafts_are_never_agreed_on() {
    let deflate = || Accept::new().with_deflate(DeflateConfig::default());
    for offer in [
        "deflate-stream",
        "x-webkit-deflate-frame",
        "x-webkit-deflate-frame; max_window_bits=10; no_context_takeover",
        "deflate-frame",
        "deflate-stream, x-webkit-deflate-frame",
        "perframe-deflate",
    ] {
        for version in ["7", "8", "13"] {
            let text = request(version, &format!("Sec-WebSocket-Extensions: {offer}\r\n"));
            for accept in [Accept::new(), deflate()] {
                let answer = accepted(&text, accept);
                assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
                assert!(!answer.contains("Extensions"), "{answer}");
            }
        }
    }
    // Beside one of ours, ours is taken.
    let text = request("8", "Sec-WebSocket-Extensions: deflate-stream, permessage-deflate\r\n");
    let answer = accepted(&text, deflate());
    assert!(answer.contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), "{answer}");
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[test]
fn a_client_does_not_accept_them_either() {
    for version in [Version::V7, Version::V8, Version::V13] {
        for answer in ["deflate-stream", "x-webkit-deflate-frame"] {
            let request = ClientRequest::new("ws://h/").expect("good").with_version(version);
            let request = request.with_key("dGhlIHNhbXBsZSBub25jZQ==").expect("good");
            let request = request.with_deflate(DeflateConfig::default());
            let mut client =
                ClientHandshake::new(request, Config::default(), BoxEntropy::new(|_: &mut [u8]| {}));
            let text = format!(
                "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: {answer}\r\n\r\n"
            );
            assert_eq!(client.receive(text.as_bytes()), text.len());
            let outcome = client.poll_event();
            let refused = HandshakeError::UnacceptableExtensions(AgreeError::NotOffered);
            assert!(matches!(outcome, Some(Outcome::Failed(error)) if error == refused), "{outcome:?}");
        }
    }
}

#[test]
fn a_client_fails_on_a_subprotocol_that_it_did_not_offer() {
    // From draft 13 on; done in all versions.
    for version in DRAFTS {
        let request = ClientRequest::new("ws://h/").expect("good").with_version(version);
        let request = request.with_key("dGhlIHNhbXBsZSBub25jZQ==").expect("good");
        let mut client = ClientHandshake::new(request, Config::default(), BoxEntropy::new(|_: &mut [u8]| {}));
        let text = "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v1\r\n\r\n";
        assert_eq!(client.receive(text.as_bytes()), text.len());
        assert!(matches!(client.poll_event(), Some(Outcome::Failed(HandshakeError::BadProtocol))));
    }
}

#[test]
fn the_application_may_refuse_with_any_status() {
    // 401 and 3xx are described from draft 13 on; HTTP has them for all.
    for status in [301, 401, 403] {
        let mut server = asked(all(), &request("8", "")).0;
        server.reject(Answer::new(status)).expect("good");
        assert!(server.transmit().starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
    }
}
