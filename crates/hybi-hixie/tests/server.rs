//! Rows F3 to F21 and R120 to R132.

use std::time::Duration;

use hybi::Instant;
use hybi_hixie::{Accept, Error, Event, Server, Settings, State, Version};

/// The example of draft 76, section 1.2.
const EXAMPLE: &str = "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nSec-WebSocket-Protocol: sample\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n";
const CHALLENGE: &[u8] = b"^n:ds[4U";
const ANSWER: &[u8] = b"8jKS'y:G*Co,Wxa-";

const OLDER: &str = "GET /demo?a=b HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\n\
    Origin: http://example.com\r\nWebSocket-Protocol: sample\r\n\r\n";

fn give(server: &mut Server, octets: &[u8]) {
    assert_eq!(server.receive(octets), octets.len());
}

fn take(server: &mut Server) -> Vec<u8> {
    let output = server.transmit().to_vec();
    server.transmitted(output.len());
    output
}

fn events(server: &mut Server) -> Vec<Event> {
    std::iter::from_fn(|| server.poll_event()).collect()
}

/// An open connection of this draft.
fn open(version: Version) -> Server {
    Server::open(version, Settings::default())
}

#[test]
fn draft_75() {
    let mut server = Server::new(Settings::default());
    give(&mut server, OLDER.as_bytes());
    give(&mut server, b"\x00early\xff");
    let Some(Event::Request(request)) = server.poll_event() else { unreachable!("it is a request") };
    assert_eq!(request.version().as_str(), "hixie-75");
    assert_eq!((request.host(), request.target()), ("example.com", "/demo?a=b"));
    assert_eq!(request.origin(), Some("http://example.com"));
    assert_eq!(request.subprotocols().collect::<Vec<_>>(), ["sample"]);

    let mut accept = Accept::default();
    accept.subprotocol = Some("other".to_owned());
    assert_eq!(server.accept(&accept), Err(Error::BadSubprotocol));
    assert_eq!(server.transmit(), b"");
    accept.subprotocol = Some("sample".to_owned());
    accept.secure = true;
    server.accept(&accept).expect("it waits");
    assert_eq!(server.accept(&accept), Err(Error::NotOpen));
    let expected = "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        WebSocket-Origin: http://example.com\r\nWebSocket-Location: wss://example.com/demo?a=b\r\n\
        WebSocket-Protocol: sample\r\n\r\n";
    assert_eq!(String::from_utf8(take(&mut server)).as_deref(), Ok(expected));
    assert_eq!((server.state(), server.version()), (State::Open, Some(Version::Hixie75)));
    assert_eq!(events(&mut server), [Event::Text("early".to_owned())]);

    give(&mut server, b"\xff\x00\x00still there\xff");
    assert_eq!(events(&mut server), [Event::Text("still there".to_owned())]);
    server.close();
    assert_eq!(server.transmit(), b"", "it has no words for the end");
    assert!(server.wants_close());
    assert_eq!(events(&mut server), [Event::Closed]);
}

#[test]
fn draft_76_at_every_cut() {
    let mut accept = Accept::default();
    accept.subprotocol = Some("sample".to_owned());
    let whole = [EXAMPLE.as_bytes(), CHALLENGE, b"\x00ack\xff"].concat();
    let head = "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Origin: http://example.com\r\nSec-WebSocket-Location: ws://example.com/demo\r\n\
        Sec-WebSocket-Protocol: sample\r\n\r\n";
    let expected = [head.as_bytes(), ANSWER, b"\x00ahoy\xff", b"\xff\x00"].concat();
    for cut in 0..=whole.len() {
        let mut server = Server::new(Settings::default());
        let mut seen = Vec::new();
        let mut written = Vec::new();
        for piece in [&whole[..cut], &whole[cut..], b"\xff", b"\x00\x00late\xff"] {
            give(&mut server, piece);
            while let Some(event) = server.poll_event() {
                if let Event::Request(_) = &event {
                    server.accept(&accept).expect("it waits");
                    // Nothing that is sent may overtake the answer to the challenge, however late that comes.
                    server.send("ahoy").expect("it is queued");
                } else {
                    seen.push(event);
                }
            }
            written.extend(take(&mut server));
        }
        assert_eq!(written, expected, "cut at {cut}");
        assert_eq!(seen, [Event::Text("ack".to_owned()), Event::Closed], "cut at {cut}");
        assert!(server.wants_close());
    }
}

#[test]
fn the_head_of_the_answer_does_not_wait_for_the_challenge() {
    let mut server = Server::new(Settings::default());
    give(&mut server, EXAMPLE.as_bytes());
    assert!(matches!(server.poll_event(), Some(Event::Request(_))));
    server.accept(&Accept::default()).expect("it waits");
    assert!(take(&mut server).ends_with(b"\r\n\r\n"));
    assert_eq!((server.state(), server.version()), (State::Connecting, Some(Version::Hixie76)));
    give(&mut server, &CHALLENGE[..7]);
    assert_eq!(server.transmit(), b"");
    give(&mut server, &CHALLENGE[7..]);
    assert_eq!(take(&mut server), ANSWER);
    assert_eq!(server.state(), State::Open);
}

#[test]
fn keys() {
    let rows = [
        ("4 @1  46546xW%0l 1 5", true),
        ("4294967295 ", true),
        ("42949672950  ", false), // a remainder
        ("4294967296 ", false),   // above 32 bits
        ("8589934590  ", true),
        ("99999999999999999999999 ", false),
        ("12", false),  // no blanks
        ("a b", false), // no digits
        ("", false),
        ("3 1", true),
        ("3  2", true),
        ("3  1", false),
    ];
    for (key, is_good) in rows {
        for name in ["Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5", "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00"] {
            let (field, _) = name.split_once(':').expect("a header");
            // Blanks at the ends of a header are not its own.
            let mut server = Server::new(Settings::default());
            give(&mut server, EXAMPLE.replace(name, &format!("{field}: x{key}x")).as_bytes());
            match server.poll_event() {
                Some(Event::Request(_)) => assert!(is_good, "{field}: {key:?}"),
                Some(Event::Failed(Error::BadRequest)) => {
                    assert!(!is_good, "{field}: {key:?}");
                    assert!(take(&mut server).starts_with(b"HTTP/1.1 400 \r\nConnection: close\r\n"));
                    assert_eq!(events(&mut server), [Event::Closed]);
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
}

#[test]
fn what_is_of_no_such_draft_is_given_back_whole() {
    let rfc = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let rows = [
        rfc.to_owned(),
        rfc.replace("Sec-WebSocket-Version: 13\r\n", ""),
        rfc.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
        OLDER.replace("GET", "POST"),
        OLDER.replace("HTTP/1.1", "HTTP/1.0"),
        OLDER.replace("Connection: Upgrade", "Connection: keep-alive"),
        OLDER.replace("WebSocket\r\n", "h2c\r\n"),
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        "\0\0\0 no HTTP\r\n\r\n".to_owned(),
        "x".repeat(16 << 10),
    ];
    for row in rows {
        for cut in [0, 1, row.len() / 2, row.len() - 1] {
            let mut server = Server::new(Settings::default());
            give(&mut server, &row.as_bytes()[..cut]);
            give(&mut server, &row.as_bytes()[cut..]);
            assert_eq!(events(&mut server), [Event::Other], "{row}");
            assert_eq!(server.transmit(), b"");
            assert_eq!(server.take_unread(), row.as_bytes());
        }
    }
}

#[test]
fn a_broken_request_is_answered() {
    let rows = [
        OLDER.replace("Host: example.com\r\n", ""),
        OLDER.replace("Host: example.com\r\n", "Host: example.com\r\nHost: example.org\r\n"),
        OLDER.replace("Host: example.com\r\n", "Host:\r\n"),
        OLDER.replace("Host: example.com\r\n", "Host: exam ple\r\n"),
        OLDER.replace("Origin: http://example.com\r\n", "Origin: a\r\nOrigin: b\r\n"),
        EXAMPLE.replace("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n", ""),
        EXAMPLE.replace("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n", ""),
    ];
    for row in rows {
        let mut server = Server::new(Settings::default());
        give(&mut server, row.as_bytes());
        assert_eq!(events(&mut server), [Event::Failed(Error::BadRequest), Event::Closed], "{row}");
        assert!(take(&mut server).starts_with(b"HTTP/1.1 400 "));
    }
}

#[test]
fn a_request_is_rejected() {
    let mut server = Server::new(Settings::default());
    assert_eq!(server.reject(403, ""), Err(Error::NotOpen));
    give(&mut server, OLDER.as_bytes());
    assert_eq!(server.reject(200, ""), Err(Error::BadStatus));
    server.reject(403, "no\n").expect("it waits");
    let expected = "HTTP/1.1 403 \r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Length: 3\r\n\r\nno\n";
    assert_eq!(String::from_utf8(take(&mut server)).as_deref(), Ok(expected));
    assert!(server.wants_close());
}

#[test]
fn frames_at_every_cut() {
    let text = |text: &str| Event::Text(text.to_owned());
    let rows: &[(&[u8], Vec<Event>)] = &[
        (b"\x00\xff", vec![text("")]),
        (b"\x00caf\xc3\xa9\xff\x00x\xff", vec![text("caf\u{e9}"), text("x")]),
        (b"\x00a\x00b\xff", vec![text("a\0b")]),
        (b"\x00\xc3\x28\xff", vec![text("\u{fffd}(")]),
        (b"\x05passed over\xff\x00x\xff", vec![text("x")]),
        (b"\x7f\xff\x00x\xff", vec![text("x")]),
        (b"\x80\x05\x00abc\xff\x00x\xff", vec![text("x")]),
        (b"\x80\x00\x00x\xff", vec![text("x")]),
        (b"\xfe\x81\x00", vec![]), // 128 octets to pass over, and none there
        (b"\xff\x01z\x00x\xff", vec![text("x")]),
        (b"\xff\x80\x80\x01z\x00x\xff", vec![text("x")]),
    ];
    for (octets, expected) in rows {
        for version in [Version::Hixie75, Version::Hixie76] {
            for cut in 0..=octets.len() {
                let mut server = open(version);
                give(&mut server, &octets[..cut]);
                give(&mut server, &octets[cut..]);
                assert_eq!(events(&mut server), *expected, "{octets:?} cut at {cut}");
                assert_eq!((server.transmit(), server.state()), (&[][..], State::Open));
            }
        }
    }
}

#[test]
fn limits() {
    let mut settings = Settings::default();
    settings.message = 32;
    let rows: [(&[u8], bool); 8] = [
        (&[&[0][..], &[b'b'; 32], &[0xff]].concat(), false),
        (&[&[0][..], &[b'b'; 33]].concat(), true),
        (&[&[1][..], &[b'b'; 32], &[0xff]].concat(), false),
        (&[&[1][..], &[b'b'; 33]].concat(), true),
        (&[0x80, 32], false),
        (&[0x80, 33], true),
        (&[0x80, 0xff, 0xff], true), // before it ends
        (&[&[0x80][..], &[0x80; 4000]].concat(), false),
    ];
    for (octets, is_too_big) in rows {
        let mut server = Server::open(Version::Hixie76, settings.clone());
        give(&mut server, octets);
        let failed = [Event::Failed(Error::MessageTooBig), Event::Closed];
        let seen = events(&mut server);
        assert_eq!(seen.ends_with(&failed), is_too_big, "{octets:?}: {seen:?}");
        assert_eq!(server.transmit(), if is_too_big { &b"\xff\x00"[..] } else { b"" });
    }

    // Events that nobody takes, and a request that nobody answers.
    let mut server = open(Version::Hixie75);
    let many = b"\x00\xff".repeat(1000);
    let (mut rest, mut count) = (&many[..], 0);
    while !rest.is_empty() {
        rest = &rest[server.receive(rest)..];
        let taken = events(&mut server).len();
        assert!((1..=64).contains(&taken));
        count += taken;
    }
    assert_eq!(count, 1000);
    let mut server = Server::new(Settings::default());
    give(&mut server, OLDER.as_bytes());
    assert_eq!(server.receive(&vec![0; 1 << 20]), 16 << 10);
}

#[test]
fn what_waits_to_be_written_is_bounded() {
    let mut settings = Settings::default();
    settings.write_buffer = 10;
    let mut server = Server::open(Version::Hixie76, settings);
    server.send("123456").expect("there is room");
    assert_eq!(server.send("1"), Err(Error::QueueFull));
    server.transmitted(1);
    server.send("1").expect("there is room");
    assert_eq!(take(&mut server), b"123456\xff\x001\xff");
}

#[test]
fn the_end_is_told_once_and_is_final() {
    for version in [Version::Hixie75, Version::Hixie76] {
        for end in [Server::close, Server::receive_eof] {
            let mut server = open(version);
            give(&mut server, b"\x00half");
            end(&mut server);
            assert_eq!(events(&mut server), [Event::Closed]);
            take(&mut server);
            assert!(server.wants_close());
            assert_eq!((server.state(), server.version()), (State::Closed, Some(version)));
            give(&mut server, b"\xff\x00late\xff\xff\x00");
            server.close();
            server.receive_eof();
            assert_eq!(server.send("x"), Err(Error::NotOpen));
            assert_eq!((events(&mut server), server.transmit()), (vec![], &[][..]));
        }
    }
    let mut server = open(Version::Hixie76);
    server.close();
    assert_eq!(take(&mut server), b"\xff\x00");
}

#[test]
fn a_handshake_has_its_time() {
    let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
    for stage in 0..3 {
        let mut server = Server::new(Settings::default());
        assert_eq!(server.poll_timeout(), Some(Instant::ZERO));
        server.handle_timeout(at(5));
        give(&mut server, &EXAMPLE.as_bytes()[..if stage == 0 { 40 } else { EXAMPLE.len() }]);
        if stage == 2 {
            server.accept(&Accept::default()).expect("it waits");
        }
        assert_eq!(server.poll_timeout(), Some(at(15)));
        server.handle_timeout(at(14));
        assert_ne!(server.state(), State::Closed);
        server.handle_timeout(at(15));
        assert!(events(&mut server).ends_with(&[Event::Failed(Error::HandshakeTimeout), Event::Closed]));
        assert_eq!(server.poll_timeout(), None);
    }
    let mut server = Server::new(Settings::default());
    give(&mut server, OLDER.as_bytes());
    server.accept(&Accept::default()).expect("it waits");
    assert_eq!(server.poll_timeout(), None);
}
