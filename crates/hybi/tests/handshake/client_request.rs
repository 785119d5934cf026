//! What a client requests (RFC 6455 §4.1, items 1 to 12).

use hybi::handshake::{ClientHandshake, ClientRequest, Outcome, RequestError, UriError};
use hybi::{BoxEntropy, Config, Version};

use crate::{client_request, entropy, response_with};

fn octets(request: ClientRequest) -> String {
    let handshake = ClientHandshake::new(request, Config::default(), entropy());
    String::from_utf8(handshake.transmit().to_vec()).expect("text")
}

fn lines(request: ClientRequest, name: &str) -> Vec<String> {
    let octets = octets(request);
    let of_name = |line: &&str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
    octets.lines().filter(of_name).map(str::to_owned).collect()
}

#[test]
fn a_request_on_the_wire() {
    assert_eq!(
        octets(client_request("wss://Example.com:9443/chat?room=7")),
        "GET /chat?room=7 HTTP/1.1\r\nHost: example.com:9443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    let request = client_request("ws://h/")
        .with_version(Version::V8)
        .with_subprotocol("v2")
        .and_then(|r| r.with_subprotocol("v1"))
        .and_then(|r| r.with_origin("https://o.example"))
        .and_then(|r| r.with_header("X-b", "2"))
        .and_then(|r| r.with_header("Cookie", "s=1"))
        .and_then(|r| r.with_header("x-B", " 3 "))
        .expect("good");
    assert_eq!(
        octets(request),
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\
         Sec-WebSocket-Protocol: v2, v1\r\nSec-WebSocket-Origin: https://o.example\r\n\
         X-b: 2\r\nCookie: s=1\r\nx-B: 3\r\n\r\n"
    );
}

#[test]
fn host_has_the_port_unless_it_is_the_default() {
    for (uri, host) in [
        ("ws://h/", "h"),
        ("ws://h:80/", "h"),
        ("ws://h:443/", "h:443"),
        ("wss://h:443/", "h"),
        ("wss://h:80/", "h:80"),
        ("https://h/", "h"),
        ("ws://[::1]:81/", "[::1]:81"),
        ("ws://[::1]/", "[::1]"),
        ("ws+unix:/run/x:/live", "localhost"),
    ] {
        assert_eq!(lines(client_request(uri), "Host"), [format!("Host: {host}")], "{uri}");
    }
}

#[test]
fn the_name_of_the_origin_depends_on_the_version() {
    for (version, name) in [
        (Version::V13, "Origin"),
        (Version::V8, "Sec-WebSocket-Origin"),
        (Version::V7, "Sec-WebSocket-Origin"),
    ] {
        let request = client_request("ws://h/").with_version(version).with_origin("null").expect("good");
        assert_eq!(lines(request.clone(), name), [format!("{name}: null")]);
        assert_eq!(octets(request).matches("null").count(), 1);
    }
}

#[test]
fn credentials_have_an_order() {
    let authorization = |request| lines(request, "Authorization");
    assert_eq!(
        authorization(client_request("ws://ada:lo%76e@h/").with_basic_auth("x", "y")),
        ["Authorization: Basic YWRhOmxvdmU="]
    );
    assert_eq!(
        authorization(client_request("ws://h/").with_basic_auth("ada", "love:lace")),
        ["Authorization: Basic YWRhOmxvdmU6bGFjZQ=="]
    );
    let request = client_request("ws://ada:love@h/").with_header("authorization", "Bearer t").expect("good");
    assert_eq!(authorization(request.with_basic_auth("x", "y")), ["authorization: Bearer t"]);
    assert_eq!(authorization(client_request("ws://h/")), [""; 0]);
}

#[test]
fn an_address_that_is_none() {
    for (uri, error) in [
        ("gopher://h/", UriError::Scheme),
        ("ws://h/#a", UriError::Fragment),
        ("ws://h/a\r\nX-Evil: 1", UriError::Control),
        ("ws://a\r\nX: 1/", UriError::Control),
        ("ws://a b/", UriError::Host),
        ("ws+unix::/x", UriError::UnixPath),
    ] {
        assert_eq!(ClientRequest::new(uri).err(), Some(RequestError::BadUri(error)), "{uri:?}");
    }
}

#[test]
fn subprotocols_are_tokens_each_once() {
    let request = client_request("ws://h/").with_subprotocol("a").expect("good");
    for name in ["", "a", "a b", "a,b", "a\r\nX: 1", "\u{e4}", "(a)"] {
        assert_eq!(request.clone().with_subprotocol(name).err(), Some(RequestError::BadProtocol), "{name:?}");
    }
}

#[test]
fn headers_stay_in_their_line_and_the_handshakes_own_stay_ours() {
    for (name, value) in [
        ("X", "a\r\nX-Evil: 1"),
        ("X", "b\nc"),
        ("X", "\0"),
        ("X\r\nX-Evil", "1"),
        ("X:", "1"),
        ("", "1"),
        ("upgrade", "h2c"),
        ("Connection", "close"),
        ("Sec-WebSocket-Key", "x"),
        ("sec-websocket-version", "8"),
        ("Sec-WebSocket-Protocol", "x"),
        ("Sec-WebSocket-Extensions", "x"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Host", "a b"),
        ("Host", ""),
        ("Host", "h\r\nX-Evil: 1"),
    ] {
        let refused = client_request("ws://h/").with_header(name, value).err();
        assert_eq!(refused, Some(RequestError::BadHeader), "{name:?}: {value:?}");
    }
    for origin in ["a\r\nX: 1", "\x01"] {
        assert_eq!(client_request("ws://h/").with_origin(origin).err(), Some(RequestError::BadHeader));
    }
}

#[test]
fn some_headers_are_there_once() {
    let both = |a: (&str, &str), b: (&str, &str)| {
        client_request("ws://h/").with_header(a.0, a.1).and_then(|r| r.with_header(b.0, b.1)).map(octets)
    };
    for name in ["Host", "Origin", "Authorization"] {
        assert_eq!(both((name, "a"), (&name.to_lowercase(), "b")), Err(RequestError::BadHeader), "{name}");
    }
    assert!(both(("Cookie", "a"), ("Cookie", "b")).is_ok());
    let request = client_request("ws://h/").with_header("Origin", "a").expect("good");
    assert_eq!(request.with_origin("b").err(), Some(RequestError::BadHeader));
    let request = client_request("ws://h/").with_origin("a").expect("good");
    assert_eq!(request.clone().with_origin("b").err(), Some(RequestError::BadHeader));
    assert_eq!(request.with_header("origin", "b").err(), Some(RequestError::BadHeader));
    let request = client_request("ws://h/").with_header("host", "other:1").expect("good");
    assert_eq!(lines(request, "Host"), ["Host: other:1"]);
}

#[test]
fn each_request_has_a_nonce_of_its_own() {
    let mut count = 0;
    let mut entropy = move || {
        count += 1;
        let value = count;
        BoxEntropy::new(move |out: &mut [u8]| out.fill(value))
    };
    let mut key = |request| {
        let handshake = ClientHandshake::new(request, Config::default(), entropy());
        let text = String::from_utf8(handshake.transmit().to_vec()).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).map(str::to_owned);
        line.expect("a key")
    };
    let (a, b) = (key(client_request("ws://h/")), key(client_request("ws://h/")));
    assert_eq!((a.as_str(), b.as_str()), ("AQEBAQEBAQEBAQEBAQEBAQ==", "AgICAgICAgICAgICAgICAg=="));
    assert_eq!(key(client_request("ws://h/").with_key("short").expect("good")), "short");
    for bad in ["", "a b", "a\r\n", "\u{e4}", "a-b"] {
        assert_eq!(client_request("ws://h/").with_key(bad).err(), Some(RequestError::BadHeader), "{bad:?}");
    }
}

#[test]
fn the_request_is_transmitted_in_any_pieces() {
    let mut handshake = ClientHandshake::new(client_request("ws://h/"), Config::default(), entropy());
    let whole = handshake.transmit().to_vec();
    let mut out = Vec::new();
    while let Some(octet) = handshake.transmit().first() {
        out.push(*octet);
        handshake.transmitted(1);
    }
    assert_eq!(out, whole);
}

/// §4.1: "Once the client's opening handshake has been sent, the client MUST wait for a response".
#[test]
fn nothing_follows_the_request_before_the_answer() {
    let mut client = ClientHandshake::new(client_request("ws://h/"), Config::default(), entropy());
    let request_len = client.transmit().len();
    client.transmitted(request_len);
    let answer = response_with(&[]);
    for octet in answer.as_bytes() {
        assert!(client.transmit().is_empty() && client.poll_event().is_none());
        assert_eq!(client.receive(&[*octet]), 1);
    }
    assert!(matches!(client.poll_event(), Some(Outcome::Opened(_))));
    let connection = client.into_connection().expect("it is open");
    assert!(connection.transmit().is_empty());
    let unanswered = ClientHandshake::new(client_request("ws://h/"), Config::default(), entropy());
    assert!(unanswered.into_connection().is_none(), "and there is nothing to send with");
}

#[test]
fn debug_shows_no_secret() {
    let request = client_request("ws://ada:hush@h/")
        .with_basic_auth("x", "hush")
        .with_header("Cookie", "hush")
        .and_then(|r| r.with_header("Proxy-Authorization", "hush"))
        .and_then(|r| r.with_key("hush"))
        .expect("good");
    let handshake = ClientHandshake::new(request.clone(), Config::default(), entropy());
    let shown = format!("{request:?} {handshake:?}");
    assert!(!shown.contains("hush"), "{shown}");
}
