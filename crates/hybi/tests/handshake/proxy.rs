//! The way through a proxy: what it is asked, which answers open a tunnel, and what is behind them.

use hybi::handshake::{ConnectProxy, Outcome, Proxy, RequestError, Response, Uri, UriError};
use hybi::{Config, Event, HandshakeError};

use crate::{cuts, entropy, request_with, response_with};
use HandshakeError::*;

fn proxy(address: &str) -> Proxy {
    Proxy::parse(address).expect(address)
}

fn tunnel(proxy: &Proxy, target: &str) -> ConnectProxy {
    ConnectProxy::new(proxy, &Uri::parse(target).expect(target), Config::default())
}

fn octets(proxy: &Proxy, target: &str) -> String {
    String::from_utf8(tunnel(proxy, target).transmit().to_vec()).expect("text")
}

/// The state of a tunnel that has got this, in these pieces.
fn answered(config: &Config, pieces: &[&[u8]]) -> (ConnectProxy, Option<Outcome>) {
    let target = Uri::parse("ws://h/").expect("an address");
    let mut tunnel = ConnectProxy::new(&proxy("http://p"), &target, config.clone());
    tunnel.transmitted(tunnel.transmit().len());
    for piece in pieces {
        assert_eq!(tunnel.receive(piece), piece.len());
    }
    let outcome = tunnel.poll_event();
    assert!(tunnel.poll_event().is_none(), "once");
    (tunnel, outcome)
}

#[test]
fn the_request_names_host_and_port() {
    // RFC 9110 §9.3.6, RFC 9112 §3.2.3: there is always a port.
    assert_eq!(
        octets(&proxy("http://p:3128"), "wss://Server.Example/feed?a=1"),
        "CONNECT server.example:443 HTTP/1.1\r\nHost: server.example:443\r\nConnection: keep-alive\r\n\
         Proxy-Connection: keep-alive\r\n\r\n"
    );
    for (target, named) in [
        ("ws://h/", "h:80"),
        ("ws://h:443/", "h:443"),
        ("wss://h:8443/x", "h:8443"),
        ("ws://[::1]/", "[::1]:80"),
        ("wss://[2001:DB8::1]:99/", "[2001:db8::1]:99"),
        ("ws://ada:hush@h/", "h:80"),
    ] {
        let text = octets(&proxy("http://p"), target);
        assert!(text.starts_with(&format!("CONNECT {named} HTTP/1.1\r\nHost: {named}\r\n")), "{text}");
        assert!(!text.contains("Authorization"), "what is for the server is not for the proxy: {text}");
    }
}

#[test]
fn an_address_of_a_proxy() {
    for (address, host, port, secure, shown) in [
        ("http://p", "p", 80, false, "http://p"),
        ("HTTP://P.Example:3128/", "p.example", 3128, false, "http://p.example:3128"),
        ("https://p/ignored?q", "p", 443, true, "https://p"),
        ("https://[::1]:8443", "::1", 8443, true, "https://[::1]:8443"),
        ("http://ada:hush@p:1", "p", 1, false, "http://p:1"),
    ] {
        let proxy = proxy(address);
        assert_eq!((proxy.host(), proxy.port(), proxy.is_secure()), (host, port, secure), "{address}");
        assert_eq!(proxy.to_string(), shown);
        assert!(!format!("{proxy:?}").contains("hush"), "{proxy:?}");
    }
    for (address, error) in [
        ("", UriError::Scheme),
        ("p:3128", UriError::Scheme),
        ("ws://p", UriError::Scheme),
        ("wss://p", UriError::Scheme),
        ("socks5://p", UriError::Scheme),
        ("ws+unix:/s", UriError::Scheme),
        ("http:p", UriError::Scheme),
        ("http://", UriError::Host),
        ("http://p:0", UriError::Port),
        ("http://a@b@p", UriError::Userinfo),
        ("http://p/#x", UriError::Fragment),
        ("http://p\r\nX: 1", UriError::Control),
    ] {
        assert_eq!(Proxy::parse(address), Err(error), "{address:?}");
    }
}

#[test]
fn basic_authorization() {
    let authorization = |proxy: &Proxy| {
        let text = octets(proxy, "ws://h/");
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Proxy-Authorization: "));
        let found = lines.next().map(str::to_owned);
        assert_eq!(lines.next(), None, "{text}");
        found
    };
    let ada = Some("Basic YWRhOmxvdmU=".to_owned());
    assert_eq!(authorization(&proxy("http://p")), None);
    assert_eq!(authorization(&proxy("http://ada:lo%76e@p")), ada);
    assert_eq!(authorization(&proxy("http://p").with_basic_auth("ada", "love")), ada);
    assert_eq!(
        authorization(&proxy("http://ada:love@p").with_basic_auth("eve", "x")),
        ada,
        "the address wins"
    );
    assert_eq!(authorization(&proxy("http://ada@p")), Some("Basic YWRhOg==".to_owned()));
    let own = proxy("http://ada:love@p").with_header("proxy-authorization", "Bearer t").expect("good");
    let text = octets(&own, "ws://h/");
    assert!(text.contains("\r\nproxy-authorization: Bearer t\r\n") && !text.contains("Basic"), "{text}");
}

#[test]
fn headers_for_the_proxy() {
    let named = proxy("http://p").with_header("X-Team", " blue").and_then(|p| p.with_header("X-Team", "red"));
    let text = octets(&named.expect("good"), "ws://h/");
    assert!(text.ends_with("\r\nX-Team: blue\r\nX-Team: red\r\n\r\n"), "{text}");
    for (name, value) in [
        ("Host", "x"),
        ("connection", "close"),
        ("Proxy-Connection", "close"),
        ("Upgrade", "websocket"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Sec-WebSocket-Key", "x"),
        ("X", "a\r\nY: 1"),
        ("X\n", "a"),
        ("", "a"),
    ] {
        assert_eq!(
            proxy("http://p").with_header(name, value).err(),
            Some(RequestError::BadHeader),
            "{name:?}"
        );
    }
    let twice = proxy("http://p").with_header("Proxy-Authorization", "a").expect("good");
    assert!(twice.with_header("Proxy-Authorization", "b").is_err());
}

#[test]
fn any_success_opens_the_tunnel() {
    // RFC 9110 §9.3.6; the head may say what it likes of a body (RFC 9112 §6.3).
    for answer in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nProxy-Agent: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 204 \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 299\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 201 Made\r\n\r\n",
    ] {
        let text = [answer.as_bytes(), b"abc"].concat();
        for pieces in cuts(&text) {
            let (tunnel, outcome) = answered(&Config::default(), &pieces);
            assert!(matches!(outcome, Some(Outcome::Opened(_))), "{answer} {outcome:?}");
            assert_eq!(tunnel.leftover(), b"abc", "{answer}");
            assert!(!tunnel.wants_close() && tunnel.poll_timeout().is_none());
        }
    }
}

#[test]
fn everything_else_opens_none() {
    for (answer, error) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
            UnexpectedStatus(407),
        ),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n", UnexpectedStatus(502)),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", UnexpectedStatus(101)),
        ("HTTP/1.1 302 Found\r\nLocation: http://q/\r\n\r\n", UnexpectedStatus(302)),
        ("SSH-2.0-OpenSSH\r\n", BadHttp),
        ("HTTP/1.1 20\r\n\r\n", BadHttp),
        ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", BadHttp),
        ("HTTP/1.1 200 OK\nA: b\n\n", BadHttp),
        ("HTTP/2 200\r\n\r\n", BadHttp),
    ] {
        for pieces in cuts(answer.as_bytes()) {
            let (tunnel, outcome) = answered(&Config::default(), &pieces);
            assert!(
                matches!(outcome, Some(Outcome::Failed(found)) if found == error),
                "{answer} {outcome:?}"
            );
            assert!(tunnel.transmit().is_empty() && tunnel.leftover().is_empty());
            assert!(tunnel.into_handshake(crate::client_request("ws://h/"), entropy()).is_none());
        }
    }
}

#[test]
fn a_refusal_can_be_read() {
    let text =
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Digest realm=\"x\"\r\nContent-Length: 4\r\n\r\nwho?";
    for pieces in cuts(text) {
        let (tunnel, _) = answered(&Config::default(), &pieces);
        let response = tunnel.response().expect("one came");
        assert_eq!((response.status(), response.body()), (407, &b"who?"[..]));
        assert_eq!(response.fields().get_str("proxy-authenticate"), Some("Digest realm=\"x\""));
        assert!(tunnel.wants_close());
        assert_eq!(tunnel.into_response().as_ref().map(Response::status), Some(407));
    }
}

#[test]
fn the_head_has_its_limits() {
    let mut config = Config::default();
    config.limits.head_bytes = 60;
    config.limits.head_fields = 2;
    for (text, fits) in [
        (format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(36)), true),
        (format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(37)), false),
        ("HTTP/1.1 200 OK\r\nA:b\r\nC:d\r\n\r\n".to_owned(), true),
        ("HTTP/1.1 200 OK\r\nA:b\r\nC:d\r\nE:f\r\n\r\n".to_owned(), false),
        // All heads together have the room of one.
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".to_owned(),
            false,
        ),
    ] {
        let (_, outcome) = answered(&config, &[text.as_bytes()]);
        match outcome {
            Some(Outcome::Opened(_)) => assert!(fits, "{text}"),
            Some(Outcome::Failed(error)) => assert_eq!((error, fits), (HeadTooLarge, false), "{text}"),
            None => panic!("{text}"),
        }
    }
}

#[test]
fn what_is_behind_the_answer_goes_into_the_handshake() {
    let text = [b"HTTP/1.1 200 OK\r\n\r\n", response_with(&[]).as_bytes(), b"\x81\x02hi"].concat();
    for pieces in cuts(&text) {
        let (tunnel, _) = answered(&Config::default(), &pieces);
        let mut handshake =
            tunnel.into_handshake(crate::client_request("ws://h/chat"), entropy()).expect("it is open");
        assert_eq!(handshake.transmit(), request_with(&[]).as_bytes());
        assert!(matches!(handshake.poll_event(), Some(Outcome::Opened(_))));
        let mut connection = handshake.into_connection().expect("it is open");
        assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_str() == "hi"));
    }
}

#[test]
fn nothing_may_come_in_front_of_tls() {
    // What is not encrypted is not from the server, and must not be taken for what it said inside of TLS.
    let secure = || crate::client_request("wss://h/");
    let (tunnel, _) = answered(&Config::default(), &[b"HTTP/1.1 200 OK\r\n\r\n"]);
    assert!(tunnel.into_handshake(secure(), entropy()).is_some());
    let (tunnel, _) = answered(&Config::default(), &[b"HTTP/1.1 200 OK\r\n\r\nH"]);
    assert!(tunnel.into_handshake(secure(), entropy()).is_none());
}

#[test]
fn a_tunnel_is_used_when_the_request_is_out() {
    let mut early = tunnel(&proxy("http://p"), "ws://h/");
    assert_eq!(early.receive(b"HTTP/1.1 200 OK\r\n\r\n"), 19);
    assert!(matches!(early.poll_event(), Some(Outcome::Opened(_))));
    assert!(!early.transmit().is_empty(), "the proxy still waits for the rest");
    assert!(early.into_handshake(crate::client_request("ws://h/"), entropy()).is_none());
}

#[test]
fn debug_shows_no_secret() {
    let proxy = proxy("http://ada:hush@p").with_basic_auth("ada", "hush");
    let proxy = proxy.with_header("Proxy-Authorization", "hush").expect("good");
    let mut tunnel = tunnel(&proxy, "ws://ada:hush@h/");
    let answer = b"HTTP/1.1 407 \r\nSet-Cookie: hush\r\n\r\nhush";
    assert_eq!(tunnel.receive(answer), answer.len());
    let shown = format!("{proxy:?} {proxy} {tunnel:?}");
    assert!(!shown.contains("hush") && !shown.contains("aHVza"), "{shown}");
}
