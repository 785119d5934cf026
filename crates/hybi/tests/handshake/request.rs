//! What a server makes of a request (RFC 6455 §4.2).

use hybi::handshake::{Answer, AnswerError, Incoming, Request, ServerHandshake, ServerSettings};
use hybi::{Config, HandshakeError, Version, Versions};

use crate::{KEY, cuts, head_with, request_with};
use HandshakeError::*;

/// What came of octets.
#[derive(Debug, PartialEq)]
struct Seen {
    event: Option<Incoming>,
    answer: Vec<u8>,
    wants_close: bool,
}

fn receive(pieces: &[&[u8]], config: &Config, settings: &ServerSettings) -> Seen {
    let mut server = ServerHandshake::new(config.clone(), settings.clone());
    for piece in pieces {
        assert_eq!(server.receive(piece), piece.len());
    }
    let event = server.poll_event();
    assert_eq!(server.poll_event(), None, "one event");
    let answer = server.transmit().to_vec();
    for _ in &answer {
        assert!(!server.wants_close(), "not before the answer is out");
        server.transmitted(1);
    }
    Seen { event, answer, wants_close: server.wants_close() }
}

/// The same for every cut, and with octets behind the request.
fn outcome(text: &str, config: &Config, settings: &ServerSettings) -> Seen {
    let whole = receive(&[text.as_bytes()], config, settings);
    for pieces in cuts(text.as_bytes()) {
        assert_eq!(receive(&pieces, config, settings), whole, "{text:?} cut into {:?}", pieces.len());
    }
    let trailed = [text.as_bytes(), request_with(&[]).as_bytes()].concat();
    assert_eq!(receive(&[&trailed], config, settings), whole, "{text:?} and more");
    whole
}

/// Status and error, both of a refusal; `None` for a good request.
fn verdict_with(text: &str, config: &Config, settings: &ServerSettings) -> Option<(u16, HandshakeError)> {
    let Seen { event, answer, wants_close } = outcome(text, config, settings);
    let answer = String::from_utf8(answer).expect("text");
    match event {
        Some(Incoming::Failed(error)) => {
            assert!(wants_close);
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "one answer: {answer}");
            assert!(answer.len() <= 512, "{} octets", answer.len());
            check_answer(&answer);
            Some((answer[9..12].parse().expect("a status"), error))
        }
        Some(Incoming::Upgrade(_)) => {
            assert_eq!((answer.as_str(), wants_close), ("", false));
            None
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

/// Every answer of ours is whole, says its length, and ends the transport.
fn check_answer(answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let has = |line: &str| head.lines().any(|l| l == line);
    assert!(has(&format!("Content-Length: {}", body.len())), "{answer}");
    assert!(has("Content-Type: text/plain; charset=utf-8"), "{answer}");
    assert!(has("Connection: close") || has("Connection: upgrade, close"), "{answer}");
    assert_eq!(has("Connection: upgrade, close"), has("Upgrade: websocket"), "{answer}");
    assert!(body.ends_with('\n') && body.lines().count() == 1, "{answer}");
}

fn verdict(text: &str) -> Option<(u16, HandshakeError)> {
    verdict_with(text, &Config::default(), &ServerSettings::default())
}

/// Lines that change a good request, and the refusal if there is one.
type Row<'a> = (&'a [&'a str], Option<(u16, HandshakeError)>);

fn check(rows: &[Row<'_>]) {
    for (lines, expected) in rows {
        assert_eq!(verdict(&request_with(lines)), *expected, "{lines:?}");
    }
}

fn first_line(line: &str) -> String {
    request_with(&[]).replacen("GET /chat HTTP/1.1", line, 1)
}

fn good(text: &str) -> Request {
    good_with(text, &ServerSettings::default())
}

fn good_with(text: &str, settings: &ServerSettings) -> Request {
    match outcome(text, &Config::default(), settings).event {
        Some(Incoming::Upgrade(request)) => request,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn drafts() -> ServerSettings {
    let mut settings = ServerSettings::default();
    settings.versions = Versions::default().with(Version::V8).with(Version::V7);
    settings
}

#[test]
fn a_request_line_is_get_and_http_1_1() {
    for (line, expected) in [
        ("GET / HTTP/1.1", None),
        ("GET /a?b=c HTTP/1.1", None),
        ("GET http://h/chat HTTP/1.1", None),
        ("POST / HTTP/1.1", Some((405, BadMethod))),
        ("get / HTTP/1.1", Some((405, BadMethod))),
        ("CONNECT / HTTP/1.1", Some((405, BadMethod))),
        ("GET / HTTP/1.0", Some((400, BadHttp))),
        ("GET / HTTP/2.0", Some((400, BadHttp))),
        ("GET / HTTP/1.12", Some((400, BadHttp))),
        ("GET / http/1.1", Some((400, BadHttp))),
        ("GET /", Some((400, BadHttp))),
        ("GET  / HTTP/1.1", Some((400, BadHttp))),
        ("GET / HTTP/1.1 ", Some((400, BadHttp))),
        ("GET /a b HTTP/1.1", Some((400, BadHttp))),
        ("GET /a#b HTTP/1.1", Some((400, BadHttp))),
        ("GET /\u{e4} HTTP/1.1", Some((400, BadHttp))),
        ("GET * HTTP/1.1", Some((400, BadHttp))),
        ("GET chat HTTP/1.1", Some((400, BadHttp))),
        ("GET ftp://h/ HTTP/1.1", Some((400, BadHttp))),
        (" GET / HTTP/1.1", Some((400, BadHttp))),
        ("\r\nGET / HTTP/1.1", None), // RFC 9112 §2.2
        ("\r\n\r\nGET / HTTP/1.1", Some((400, BadHttp))),
    ] {
        assert_eq!(verdict(&first_line(line)), expected, "{line:?}");
    }
}

#[test]
fn there_is_one_host() {
    check(&[
        (&["Host: example.com:8080"], None),
        (&["host: [::1]:80"], None),
        (&["Host"], Some((400, BadHost))),
        (&["Host:"], Some((400, BadHost))),
        (&["Host: h", "Host: h"], Some((400, BadHost))),
        (&["Host: h", "HOST: i"], Some((400, BadHost))),
        (&["Host: [::1"], Some((400, BadHost))),
        (&["Host: a%2Db"], None),
        (&["Host: a%2"], Some((400, BadHost))),
        (&["Host: a%x0"], Some((400, BadHost))),
        (&["Host: a%0x"], Some((400, BadHost))),
        (&["Host: a b"], Some((400, BadHost))),
        (&["Host: a/b"], Some((400, BadHost))),
        (&["Host: a@b"], Some((400, BadHost))),
        (&["Host: a:b"], Some((400, BadHost))),
        (&["Host: h\u{fc}"], Some((400, BadHost))),
    ]);
}

#[test]
fn upgrade_names_websocket_and_connection_names_upgrade() {
    check(&[
        (&["Upgrade: WebSocket"], None),
        (&["Upgrade: h2c, websocket"], None),
        (&["Upgrade: h2c", "upgrade: ,websocket"], None),
        (&["Upgrade"], Some((426, BadUpgrade))),
        (&["Upgrade:"], Some((426, BadUpgrade))),
        (&["Upgrade: h2c"], Some((426, BadUpgrade))),
        (&["Upgrade: websockets"], Some((426, BadUpgrade))),
        (&["Upgrade: websocket/13"], Some((426, BadUpgrade))),
        (&["Connection: keep-alive, upgrade"], None),
        (&["Connection: keep-alive", "Connection:\tUPGRADE"], None),
        (&["Connection"], Some((400, BadConnection))),
        (&["Connection: close"], Some((400, BadConnection))),
        (&["Connection: upgraded"], Some((400, BadConnection))),
    ]);
}

#[test]
fn there_is_one_key_of_sixteen_octets() {
    check(&[
        (&["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="], None), // §4.1, with its stray bits
        (&["sec-websocket-KEY:   AQIDBAUGBwgJCgsMDQ4PEA==\t "], None),
        (&["Sec-WebSocket-Key"], Some((400, BadKey))),
        (&["Sec-WebSocket-Key:"], Some((400, BadKey))),
        (&["Sec-WebSocket-Key: too short"], Some((400, BadKey))),
        (&["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE="], Some((400, BadKey))),
        (&["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P"], Some((400, BadKey))),
        (&["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4-EA=="], Some((400, BadKey))),
        (
            &["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="],
            Some((400, BadKey)),
        ),
    ]);
}

#[test]
fn a_version_that_is_not_spoken_is_told_which_are() {
    for (lines, status) in [
        (&["Sec-WebSocket-Version: 8"][..], 426),
        (&["Sec-WebSocket-Version: 7"], 426),
        (&["Sec-WebSocket-Version: 9"], 426),
        (&["Sec-WebSocket-Version: 0"], 426),
        (&["Sec-WebSocket-Version: 255"], 426),
        (&["Sec-WebSocket-Version: 14", "Sec-WebSocket-Key: another form"], 426),
        (&["Sec-WebSocket-Version"], 400),
        (&["Sec-WebSocket-Version:"], 400),
        (&["Sec-WebSocket-Version: 256"], 400),
        (&["Sec-WebSocket-Version: 013"], 400),
        (&["Sec-WebSocket-Version: +13"], 400),
        (&["Sec-WebSocket-Version: 13.0"], 400),
        (&["Sec-WebSocket-Version: 13, 8"], 400),
        (&["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"], 400),
    ] {
        let text = request_with(lines);
        assert_eq!(verdict(&text), Some((status, BadVersion)), "{lines:?}");
        let answer = outcome(&text, &Config::default(), &ServerSettings::default()).answer;
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{answer}");
        assert_eq!(answer.contains("\r\nUpgrade: websocket\r\n"), status == 426, "{answer}");
    }
    for (number, version) in [(7, Version::V7), (8, Version::V8), (13, Version::V13)] {
        let text = request_with(&[&format!("Sec-WebSocket-Version: {number}")]);
        assert_eq!(good_with(&text, &drafts()).version(), version);
    }
    let text = request_with(&["Sec-WebSocket-Version: 9"]);
    let answer = outcome(&text, &Config::default(), &drafts()).answer;
    assert!(String::from_utf8(answer).expect("text").contains("\r\nSec-WebSocket-Version: 13, 8, 7\r\n"));
}

#[test]
fn refusals_name_what_would_do() {
    for (text, line) in [
        (first_line("PUT / HTTP/1.1"), "Allow: GET"),
        (request_with(&["Upgrade"]), "Upgrade: websocket"),
        (request_with(&["Upgrade"]), "Connection: upgrade, close"),
    ] {
        let answer = outcome(&text, &Config::default(), &ServerSettings::default()).answer;
        assert!(String::from_utf8(answer).expect("text").contains(&format!("\r\n{line}\r\n")), "{line}");
    }
}

#[test]
fn an_upgrade_has_no_body() {
    check(&[
        (&["Content-Length: 0"], None),
        (&["Content-Length: 5"], Some((400, BadHttp))),
        (&["Content-Length: +5"], Some((400, BadHttp))),
        (&["Content-Length: +0"], Some((400, BadHttp))),
        (&["Content-Length: 0x0"], Some((400, BadHttp))),
        (&["Content-Length:"], Some((400, BadHttp))),
        (&["Content-Length: 0, 5"], Some((400, BadHttp))),
        (&["Content-Length: 0", "Content-Length: 5"], Some((400, BadHttp))),
        (&["Content-Length: 99999999999999999999999"], Some((400, BadHttp))),
        (&["Transfer-Encoding: chunked"], Some((400, BadHttp))),
        (&["Transfer-Encoding: identity"], Some((400, BadHttp))),
        (&["transfer-encoding:"], Some((400, BadHttp))),
    ]);
}

#[test]
fn lines_are_lines_of_http() {
    let after_host = |line: &str| request_with(&[]).replacen("Host: h\r\n", &format!("Host: h\r\n{line}"), 1);
    for line in [
        " folded\r\n",
        "\tfolded\r\n",
        "X : 1\r\n",
        "X\t: 1\r\n",
        "X\r\n",
        ": 1\r\n",
        "X: 1\n",
        "X: a\rb\r\n",
        "X: \0\r\n",
        "X: \x1b\r\n",
        "X: \x7f\r\n",
        "\u{e4}: 1\r\n",
        "X Y: 1\r\n",
        "(X): 1\r\n",
        "\n",
        "\r\r\n",
    ] {
        assert_eq!(verdict(&after_host(line)), Some((400, BadHttp)), "{line:?}");
    }
    for line in
        ["", "X:\r\n", "X: \t a\u{e4}\tb \r\n", "x-unknown: 1\r\nX-Unknown: 2\r\n", "!#$%&'*+-.^_`|~: 1\r\n"]
    {
        assert_eq!(verdict(&after_host(line)), None, "{line:?}");
    }
    assert_eq!(verdict("\x16\x03\x01\x02"), Some((400, BadHttp)), "a TLS hello");
}

#[test]
fn subprotocols_are_one_list_of_tokens() {
    check(&[
        (&["Sec-WebSocket-Protocol: a"], None),
        (&["Sec-WebSocket-Protocol: a,, b"], None),
        (&["Sec-WebSocket-Protocol:"], Some((400, BadProtocol))),
        (&["Sec-WebSocket-Protocol: ,"], Some((400, BadProtocol))),
        (&["Sec-WebSocket-Protocol: a b"], Some((400, BadProtocol))),
        (&["Sec-WebSocket-Protocol: a, a"], Some((400, BadProtocol))),
        (&["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"], Some((400, BadProtocol))),
        (&["Sec-WebSocket-Protocol: a(b)"], Some((400, BadProtocol))),
    ]);
    let request = good(&request_with(&["Sec-WebSocket-Protocol: c, b", "sec-websocket-protocol: a"]));
    assert_eq!(request.subprotocols().iter().collect::<Vec<_>>(), ["c", "b", "a"]);
    assert_eq!(request.select_subprotocol(&["a", "b"]), Some("b"));
    assert!(good(&request_with(&[])).subprotocols().is_empty());
}

#[test]
fn extensions_are_read_and_none_is_agreed() {
    check(&[
        (&["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"], None),
        (&["Sec-WebSocket-Extensions: deflate-stream", "Sec-WebSocket-Extensions: x; y=\"z\""], None),
        (&["Sec-WebSocket-Extensions:"], Some((400, BadExtensions))),
        (&["Sec-WebSocket-Extensions: a; =3"], Some((400, BadExtensions))),
        (&["Sec-WebSocket-Extensions: a;"], Some((400, BadExtensions))),
        (&["Sec-WebSocket-Extensions: a; b=\"c d\""], Some((400, BadExtensions))),
        (&["Sec-WebSocket-Extensions: a", "Sec-WebSocket-Extensions: b c"], Some((400, BadExtensions))),
    ]);
    let request = good(&request_with(&["Sec-WebSocket-Extensions: a; b=1", "Sec-WebSocket-Extensions: c"]));
    let names: Vec<_> = request.extensions().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a; b=1", "c"]);
    assert!(good(&request_with(&[])).extensions().is_empty());
    let acceptance = request.accept(Default::default()).expect("good");
    assert!(!acceptance.fields.contains("Sec-WebSocket-Extensions"));
}

#[test]
fn the_application_sees_what_was_asked() {
    let text =
        first_line("GET /chat/1?room=7&x=? HTTP/1.1").replacen("Host: h", "X-Trace: 9\r\nHOST: H:81", 1);
    let request = good(&text);
    assert_eq!((request.path(), request.query()), ("/chat/1", Some("room=7&x=?")));
    assert_eq!((request.host(), request.target()), ("H:81", "/chat/1?room=7&x=?"));
    assert_eq!((request.head().method(), request.head().http_version()), ("GET", (1, 1)));
    assert_eq!(request.fields().get_str("x-trace"), Some("9"));
    assert_eq!(request.fields().iter().next(), Some(("X-Trace", &b"9"[..])));
    // RFC 9112 §3.2.2: an address as target wins over Host.
    assert_eq!(good(&first_line("GET ws://other:1/a HTTP/1.1")).host(), "other:1");
}

#[test]
fn origins_are_held_against_a_list() {
    let allowed = |lines: &[&str]| {
        good_with(&request_with(lines), &drafts()).origin_allowed(&["https://a.example", "https://b.example"])
    };
    assert!(allowed(&[]), "not from a browser");
    assert!(allowed(&["Origin: https://b.example"]) && allowed(&["origin: HTTPS://A.EXAMPLE"]));
    for bad in [
        "https://evil.test",
        "http://a.example",
        "https://a.example:444",
        "null",
        "",
        "https://a.example.evil.test",
        "https://\u{e4}",
    ] {
        assert!(!allowed(&[&format!("Origin: {bad}")]), "{bad}");
    }
    assert!(!allowed(&["Origin: https://a.example", "Origin: https://evil.test"]));
    // Version 8 had two names for it (drafts 08 to 10, and 11 and 12); version 13 has one.
    for version in ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 7"] {
        assert!(!allowed(&[version, "Sec-WebSocket-Origin: https://evil.test"]));
        assert!(!allowed(&[version, "Origin: https://evil.test"]));
        assert!(!allowed(&[version, "Origin: https://a.example", "Sec-WebSocket-Origin: https://evil.test"]));
        assert!(allowed(&[version, "Origin: https://a.example", "Sec-WebSocket-Origin: https://b.example"]));
    }
    assert!(allowed(&["Sec-WebSocket-Origin: https://evil.test"]));
    let origin = |lines: &[&str]| good_with(&request_with(lines), &drafts()).origin().map(str::to_owned);
    assert_eq!(origin(&["Origin: null"]).as_deref(), Some("null"));
    assert_eq!(origin(&["Sec-WebSocket-Version: 8", "Sec-WebSocket-Origin: x"]).as_deref(), Some("x"));
    assert_eq!(origin(&["Sec-WebSocket-Origin: x"]), None);
}

#[test]
fn limits_are_for_octets_and_fields() {
    let mut config = Config::default();
    config.limits.head_bytes = request_with(&[]).len();
    config.limits.head_fields = 5;
    let settings = ServerSettings::default();
    assert_eq!(verdict_with(&request_with(&[]), &config, &settings), None);
    assert_eq!(verdict_with(&request_with(&["Host: hh"]), &config, &settings), Some((431, HeadTooLarge)));
    config.limits.head_bytes = 1 << 20;
    assert_eq!(verdict_with(&request_with(&["X: 1"]), &config, &settings), Some((431, HeadTooLarge)));
    // Neither limit waits for the end of what passes it.
    let mut server = ServerHandshake::new(Config::default(), settings);
    let mut taken = server.receive(b"GET / HTTP/1.1\r\nX: ");
    while server.poll_event().is_none() {
        taken += server.receive(&[b'x'; 100]);
    }
    assert!(taken <= (16 << 10) + 100 && server.error() == Some(HeadTooLarge));
}

#[test]
fn the_application_rejects() {
    let ready = || {
        let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
        assert_eq!(server.reject(Answer::new(403)), Err(AnswerError::NoRequest));
        let text = request_with(&[]) + "GET /smuggled HTTP/1.1\r\n\r\n";
        assert_eq!(server.receive(text.as_bytes()), text.len());
        server
    };
    let mut server = ready();
    for status in [101, 200, 299, 600] {
        assert_eq!(server.reject(Answer::new(status)), Err(AnswerError::BadStatus));
    }
    let answer = Answer::new(401).with_header("WWW-Authenticate", "a\r\nX-Evil: 1");
    assert_eq!(server.reject(answer), Err(AnswerError::BadHeader));
    assert_eq!(server.respond(Answer::new(404)), Err(AnswerError::NoRequest));
    assert_eq!((server.transmit(), server.error()), (&b""[..], None), "nothing was written");
    let answer =
        Answer::new(401).with_header("WWW-Authenticate", "Basic").with_header("www-authenticate", "Digest");
    server.reject(answer).expect("good");
    assert_eq!(
        server.transmit(),
        b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\
          WWW-Authenticate: Basic\r\nwww-authenticate: Digest\r\n\r\n"
    );
    assert_eq!((server.error(), server.poll_event()), (Some(Refused(401)), None));
    assert_eq!(server.reject(Answer::new(403)), Err(AnswerError::NoRequest), "once");
    assert_eq!(server.receive(b"more"), 4);
    let len = server.transmit().len();
    server.transmitted(len);
    assert!(server.wants_close() && server.poll_timeout().is_none());
}

#[test]
fn other_requests_are_answered_when_the_application_wants_them() {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let plain = |text: &str| {
        let mut server = ServerHandshake::new(Config::default(), settings.clone());
        assert_eq!(server.receive(text.as_bytes()), text.len());
        (server.poll_event(), server)
    };
    let (event, mut server) = plain("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\n");
    let Some(Incoming::Plain(head)) = event else { panic!("{event:?}") };
    assert_eq!((head.method(), head.path(), head.query()), ("GET", "/a", Some("b")));
    assert_eq!(server.reject(Answer::new(404)), Err(AnswerError::NoRequest));
    assert_eq!(server.respond(Answer::new(199)), Err(AnswerError::BadStatus));
    server.respond(Answer::new(200).with_header("Content-Type", "text/html").with_body("<p>")).expect("good");
    assert!(server.transmit().starts_with(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"));
    assert!(server.transmit().ends_with(b"\r\n\r\n<p>"));
    assert_eq!((server.error(), server.poll_event()), (None, None));

    let (_, mut server) = plain("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    server.respond(Answer::new(200).with_body("<p>")).expect("good");
    assert!(server.transmit().ends_with(b"Content-Length: 3\r\n\r\n"), "RFC 9110 §9.3.2");

    let seen = |text: &str| match plain(text).0 {
        Some(Incoming::Plain(_)) => "plain",
        Some(Incoming::Upgrade(_)) => "upgrade",
        Some(Incoming::Failed(_)) => "failed",
        None => "nothing",
    };
    assert_eq!(seen("OPTIONS / HTTP/1.0\r\n\r\n"), "plain", "a look of a load balancer");
    assert_eq!(seen("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"), "plain");
    assert_eq!(seen("GET / HTTP/1.1\r\n\r\n"), "failed", "RFC 9112 §3.2");
    assert_eq!(seen("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), "failed");
    assert_eq!(seen("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), "failed");
    assert_eq!(seen(&request_with(&[])), "upgrade");
    assert_eq!(seen(&request_with(&["Upgrade"])), "failed", "somebody ate the Upgrade of a client");
    assert_eq!(seen(&first_line("POST / HTTP/1.1")), "failed");
}

#[test]
fn a_refused_head_request_gets_a_head() {
    let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
    let text = first_line("HEAD / HTTP/1.1");
    assert_eq!(server.receive(text.as_bytes()), text.len());
    assert!(server.transmit().starts_with(b"HTTP/1.1 405 ") && server.transmit().ends_with(b"\r\n\r\n"));
}

#[test]
fn what_comes_behind_the_request_is_kept_up_to_a_limit() {
    let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
    let text = request_with(&[]);
    assert_eq!(server.receive(text.as_bytes()), text.len());
    let flood = vec![0; 1 << 20];
    assert_eq!(server.receive(&flood), 64 << 10);
    assert_eq!(server.receive(&flood), 0);
    server.reject(Answer::new(503)).expect("good");
    assert_eq!(server.receive(&flood), flood.len(), "dropped");
}

#[test]
fn parts_of_another_library_are_judged_by_the_same_rules() {
    let judge = |method: &str, version, target: &str, text: &str| {
        let head = text.split_once("\r\n").expect("a line").1;
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let lines: Vec<(String, Vec<u8>)> =
            lines.map(|(name, value)| (name.to_ascii_lowercase(), value.into())).collect();
        let headers = lines.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        Request::from_parts(Versions::default(), method, version, target, headers)
    };
    for lines in [
        &["Host"][..],
        &["Upgrade: h2c"],
        &["Connection: close"],
        &["Sec-WebSocket-Key: x"],
        &["Sec-WebSocket-Version: 8"],
        &["Sec-WebSocket-Version: x"],
        &["Sec-WebSocket-Protocol: a a"],
        &["Sec-WebSocket-Extensions: ;"],
        &["Content-Length: 1"],
        &[],
    ] {
        let text = request_with(lines);
        let judged =
            judge("GET", (1, 1), "/", &text).err().map(|refusal| (refusal.answer.status(), refusal.error));
        assert_eq!(judged, verdict(&text), "{lines:?}");
    }
    let text = request_with(&[]);
    assert_eq!(judge("POST", (1, 1), "/", &text).err().map(|r| r.error), Some(BadMethod));
    assert_eq!(judge("GET", (1, 0), "/", &text).err().map(|r| r.error), Some(BadHttp));
    assert_eq!(judge("GET", (1, 1), "", &text).err().map(|r| r.error), Some(BadHttp));
    assert_eq!(judge("GET", (1, 1), "/", &request_with(&["X: a\x01"])).err().map(|r| r.error), Some(BadHttp));
    let refusal = judge("GET", (1, 1), "/", &request_with(&["Upgrade"])).expect_err("bad");
    let fields = refusal.answer.all_fields();
    assert_eq!(fields.get_str("Connection"), Some("upgrade, close"));
    assert_eq!(fields.get_str("content-length"), Some(refusal.answer.body().len().to_string().as_str()));
}

#[test]
fn debug_shows_no_secret() {
    let text = request_with(&["Cookie: hush", "Authorization: hush"]);
    let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
    assert_eq!(server.receive(text.as_bytes()), text.len());
    let shown = format!("{server:?} {:?} {server:?}", server.poll_event());
    assert!(!shown.contains("hush") && !shown.contains(KEY), "{shown}");
    let text = head_with("GET / HTTP/1.1", &["Host: h", "Cookie: hush"], &[]);
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    assert!(!format!("{:?}", outcome(&text, &Config::default(), &settings)).contains("hush"));
}
