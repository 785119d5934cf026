//! WebSockets over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220): header lists in and out.

use hybi::extension::AgreeError;
use hybi::handshake::{Accept, AnswerError, ClientRequest, Refusal, Request};
use hybi::{HandshakeError, Version, Versions};

use crate::client_request;
use HandshakeError::*;

fn pairs(list: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    list.iter().map(|(name, value)| (&**name, &**value))
}

fn text(request: &ClientRequest) -> Vec<String> {
    pairs(&request.extended_connect())
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .collect()
}

/// A good request, with these lines changed, taken away (no value) or added.
fn judged(lines: &[(&str, Option<&str>)]) -> Result<Request, Refusal> {
    let mut list = vec![
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "h"),
        (":path", "/chat?a=1"),
        ("sec-websocket-version", "13"),
    ];
    for (name, value) in lines {
        let at = list.iter().position(|(n, _)| n == name);
        match (at, value) {
            (Some(at), Some(value)) => list[at].1 = value,
            (Some(at), None) => drop(list.remove(at)),
            (None, value) => list.extend(value.map(|value| (*name, value))),
        }
    }
    let headers = list.into_iter().map(|(name, value)| (name, value.as_bytes()));
    Request::from_extended_connect(Versions::default(), (2, 0), headers)
}

#[test]
fn the_request_is_an_extended_connect() {
    // RFC 8441 §4 and §5
    let request = client_request("wss://Server.Example:8443/chat?a=1")
        .with_subprotocol("v2")
        .and_then(|r| r.with_subprotocol("v1"))
        .and_then(|r| r.with_origin("https://o"))
        .and_then(|r| r.with_header("Cookie", "s=1"))
        .expect("good");
    assert_eq!(
        text(&request),
        [
            ":method: CONNECT",
            ":protocol: websocket",
            ":scheme: https",
            ":authority: server.example:8443",
            ":path: /chat?a=1",
            "sec-websocket-version: 13",
            "sec-websocket-protocol: v2, v1",
            "origin: https://o",
            "cookie: s=1",
        ]
    );
    let plain = text(&client_request("ws://ada:love@h"));
    for line in [":scheme: http", ":authority: h", ":path: /", "authorization: Basic YWRhOmxvdmU="] {
        assert!(plain.contains(&line.to_owned()), "{plain:?}");
    }
}

#[test]
fn nothing_of_a_connection_goes_along() {
    let request = client_request("ws://h/").with_key("dGhlIHNhbXBsZSBub25jZQ==");
    let request = request
        .and_then(|r| r.with_header("Keep-Alive", "1"))
        .and_then(|r| r.with_header("TE", "gzip"))
        .and_then(|r| r.with_header("Proxy-Connection", "close"))
        .and_then(|r| r.with_header("Host", "alias"));
    let list = request.expect("good").extended_connect();
    for name in ["connection", "upgrade", "host", "keep-alive", "te", "proxy-connection", "sec-websocket-key"]
    {
        assert!(list.iter().all(|(n, _)| n != name), "{name}");
    }
    assert!(list.iter().all(|(name, _)| *name == name.to_ascii_lowercase()));
    assert!(list.contains(&(":authority".to_owned(), b"alias".to_vec())));
}

#[test]
fn a_server_accepts_with_200_and_no_accept_value() {
    let request =
        judged(&[("sec-websocket-protocol", Some("v2, v1")), ("origin", Some("https://o"))]).expect("good");
    assert_eq!((request.path(), request.query(), request.host()), ("/chat", Some("a=1"), "h"));
    assert_eq!((request.head().method(), request.head().http_version()), ("CONNECT", (2, 0)));
    assert_eq!((request.version(), request.origin()), (Version::V13, Some("https://o")));
    let accept = Accept::new().with_subprotocol("v1").with_header("Set-Cookie", "a=1");
    let acceptance = request.accept(accept).expect("good");
    let fields: Vec<_> = acceptance.fields.iter().collect();
    assert_eq!(fields, [("sec-websocket-protocol", &b"v1"[..]), ("set-cookie", b"a=1")]);
    assert_eq!((acceptance.status, acceptance.agreement.subprotocol()), (200, Some("v1")));
    assert_eq!(request.accept(Accept::new().with_subprotocol("v3")), Err(AnswerError::BadProtocol));
}

#[test]
fn a_request_that_breaks_a_rule_is_refused() {
    for (line, error, status) in [
        ((":method", Some("GET")), BadMethod, 400),
        ((":method", None), BadHttp, 400),
        ((":protocol", None), BadHttp, 400),
        ((":protocol", Some("webtransport")), BadUpgrade, 501),
        ((":protocol", Some("")), BadUpgrade, 501),
        ((":scheme", None), BadHttp, 400),
        ((":scheme", Some("wss")), BadHttp, 400),
        ((":authority", None), BadHttp, 400),
        ((":authority", Some("a b")), BadHttp, 400),
        ((":authority", Some("u@h")), BadHttp, 400),
        ((":authority", Some("h/x")), BadHttp, 400),
        ((":path", None), BadHttp, 400),
        ((":path", Some("*")), BadHttp, 400),
        ((":path", Some("/a#b")), BadHttp, 400),
        ((":status", Some("200")), BadHttp, 400),
        (("connection", Some("upgrade")), BadHttp, 400),
        (("upgrade", Some("websocket")), BadHttp, 400),
        (("host", Some("h")), BadHttp, 400),
        (("transfer-encoding", Some("chunked")), BadHttp, 400),
        (("content-length", Some("3")), BadHttp, 400),
        (("x", Some("a\r\nb: c")), BadHttp, 400),
        (("sec-websocket-version", None), BadVersion, 400),
        (("sec-websocket-version", Some("8")), BadVersion, 400),
        (("sec-websocket-protocol", Some("a b")), BadProtocol, 400),
        (("sec-websocket-extensions", Some("=")), BadExtensions, 400),
    ] {
        let refusal = judged(&[line]).expect_err("it breaks a rule");
        assert_eq!((refusal.error, refusal.answer.status()), (error, status), "{line:?}");
        let fields = refusal.answer.stream_fields();
        assert!(!fields.contains("connection") && !fields.contains("upgrade"), "{fields:?}");
        assert!(fields.iter().all(|(name, _)| name == name.to_ascii_lowercase()));
        let lists = fields.get_str("sec-websocket-version");
        assert_eq!(lists, (error == BadVersion).then_some("13"));
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    let twice = [":method", ":protocol", ":scheme", ":authority", ":path"];
    for name in twice {
        let list = client_request("ws://h/").extended_connect();
        let again = list.iter().find(|(n, _)| n == name).expect("it is there").clone();
        let list = [list, vec![again]].concat();
        let refusal = Request::from_extended_connect(Versions::default(), (3, 0), pairs(&list));
        assert_eq!(refusal.expect_err("twice").error, BadHttp, "{name}");
    }
}

#[test]
fn key_and_accept_value_mean_nothing() {
    assert!(judged(&[("sec-websocket-key", Some("nonsense"))]).is_ok());
    let request = client_request("wss://h/");
    assert!(request.judge_extended(200, [("sec-websocket-accept", &b"nonsense"[..])]).is_ok());
}

#[test]
fn a_client_judges_the_answer() {
    let request = client_request("wss://h/").with_subprotocol("v1").expect("good");
    let judge = |status, name, value: &str| request.judge_extended(status, [(name, value.as_bytes())]);
    for status in [200, 204, 299] {
        let agreement = judge(status, "sec-websocket-protocol", "v1").expect("any 2xx");
        assert_eq!((agreement.subprotocol(), agreement.version()), (Some("v1"), Version::V13));
    }
    for status in [101, 100, 300, 403, 501] {
        assert_eq!(judge(status, "x", "y"), Err(UnexpectedStatus(status)));
    }
    assert_eq!(judge(200, "sec-websocket-protocol", "v2"), Err(BadProtocol));
    let not_offered = UnacceptableExtensions(AgreeError::NotOffered);
    assert_eq!(judge(200, "sec-websocket-extensions", "x-any"), Err(not_offered));
    assert_eq!(judge(200, "sec-websocket-extensions", "x-any;"), Err(BadExtensions));
    assert_eq!(judge(200, "x", "a\r\nb"), Err(BadHttp));
    let required = request.clone().requiring_subprotocol();
    assert_eq!(required.judge_extended(200, []), Err(BadProtocol));
}

#[test]
fn two_sides_agree() {
    for http_version in [(2, 0), (3, 0)] {
        let client = client_request("wss://h/chat").with_subprotocol("v1").expect("good");
        #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
        let client = client.with_deflate(hybi::extension::permessage_deflate::DeflateConfig::default());
        let list = client.extended_connect();
        let request =
            Request::from_extended_connect(Versions::default(), http_version, pairs(&list)).expect("good");
        let accept = Accept::new().with_subprotocol("v1");
        #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
        let accept = accept.with_deflate(hybi::extension::permessage_deflate::DeflateConfig::default());
        let acceptance = request.accept(accept).expect("good");
        let agreement = client.judge_extended(acceptance.status, acceptance.fields.iter()).expect("good");
        assert_eq!(agreement.subprotocol(), acceptance.agreement.subprotocol());
        assert!(agreement.extensions().eq(acceptance.agreement.extensions()));
    }
}
