//! Rows F88 to F94 and R178 to R191: the octets of a stream, as a reader by the rules of HTML §9.2.6 takes them.

use std::time::Duration;

use hybi::Instant;
use hybi::handshake::{Incoming, RequestHead, ServerHandshake, ServerSettings};
use hybi_eventsource::{Event, EventStream, PING, SendError, Settings, is_requested, last_event_id, url};

/// What a reader dispatches: type, data, and the id that it knows then.
type Dispatched = (String, String, String);

/// HTML §9.2.6, word for word.
fn read(body: &str) -> Vec<Dispatched> {
    let (mut dispatched, mut kind, mut data, mut id) =
        (Vec::new(), String::new(), String::new(), String::new());
    let unified = body.replace("\r\n", "\n").replace('\r', "\n");
    for line in unified.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break }; // the stream broke in the middle
        if line.is_empty() {
            if let Some(whole) = data.strip_suffix('\n') {
                let kind = if kind.is_empty() { "message" } else { &kind };
                dispatched.push((kind.to_owned(), whole.to_owned(), id.clone()));
            }
            (kind, data) = (String::new(), String::new());
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut kind),
            "data" => data += &format!("{value}\n"),
            "id" if !value.contains('\0') => value.clone_into(&mut id),
            _ => {}
        }
    }
    dispatched
}

fn all_of(stream: &mut EventStream) -> String {
    let out = String::from_utf8(stream.transmit().to_vec()).expect("UTF-8");
    stream.transmitted(out.len());
    out
}

/// A stream whose head is written.
fn open() -> EventStream {
    let mut stream = EventStream::new(Settings::default());
    all_of(&mut stream);
    stream
}

fn request(text: &str) -> RequestHead {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let mut handshake = ServerHandshake::new(hybi::Config::default(), settings);
    assert_eq!(handshake.receive(text.as_bytes()), text.len());
    let Some(Incoming::Plain(head)) = handshake.poll_event() else { unreachable!("it is a good request") };
    head
}

#[test]
fn the_head_and_the_time_to_wait() {
    let mut settings = Settings::default();
    settings.retry = Duration::from_micros(2_500_900);
    let settings = settings.with_header("X-Node", " b7 ").expect("a good header");
    let mut stream = EventStream::new(settings);
    assert_eq!(
        all_of(&mut stream),
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache, no-store\r\n\
         X-Node: b7\r\nConnection: close\r\n\r\nretry: 2500\n\n"
    );
}

#[test]
fn a_header_that_may_not_be_is_refused() {
    let rows = [
        ("X", "a\r\nY: b"),
        ("X", "a\nb"),
        ("X", "a\0"),
        ("X", "a\u{7f}"),
        ("X Y", "a"),
        ("X:", "a"),
        ("", "a"),
        ("content-type", "text/plain"),
        ("Cache-Control", "public"),
        ("connection", "keep-alive"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
    ];
    for (name, value) in rows {
        assert_eq!(Settings::default().with_header(name, value), None, "{name}: {value:?}");
    }
}

#[test]
fn what_is_sent_is_what_a_reader_dispatches() {
    let rows: &[(&str, Option<&str>, Option<&str>, &str)] = &[
        ("Hello", None, None, "Hello"),
        ("", None, None, ""),
        ("\n", None, None, "\n"),
        (" leading", None, None, " leading"),
        ("one\ntwo\r\nthree\rfour", None, None, "one\ntwo\nthree\nfour"),
        ("ends\n", None, None, "ends\n"),
        ("\u{feff}caf\u{e9} \u{1f600}", None, None, "\u{feff}caf\u{e9} \u{1f600}"),
        (": no comment\nid: 7\nretry: 1", None, None, ": no comment\nid: 7\nretry: 1"),
        ("x", Some("note"), Some("8"), "x"),
        ("x", Some(" note"), Some(""), "x"),
    ];
    let mut all = Vec::new();
    let mut expected = Vec::new();
    let mut last_id = String::new();
    let mut stream = open();
    for (text, kind, id, data) in rows {
        let mut event = Event::from(*text);
        if let Some(kind) = kind {
            event = event.with_type(kind);
        }
        if let Some(id) = id {
            event = event.with_id(id);
            (*id).clone_into(&mut last_id);
        }
        stream.send(&event).expect("it is open");
        stream.ping().expect("it is open"); // a comment between two changes nothing
        all.extend_from_slice(all_of(&mut stream).as_bytes());
        expected.push((kind.unwrap_or("message").to_owned(), (*data).to_owned(), last_id.clone()));
    }
    let all = String::from_utf8(all).expect("UTF-8");
    assert_eq!(read(&all), expected);
    for cut in (0..all.len()).filter(|cut| all.is_char_boundary(*cut)) {
        let part = read(&all[..cut]);
        assert_eq!(part, expected[..part.len()], "cut at {cut}");
    }
}

#[test]
fn a_field_that_would_break_the_line_is_refused_and_nothing_is_written() {
    let mut stream = open();
    let text = Event::new("x");
    for event in [
        text.with_id("8\nevent: fake"),
        text.with_id("8\r"),
        text.with_id("\0"),
        text.with_type("a\nb"),
        text.with_type("a\rb"),
    ] {
        assert_eq!(stream.send(&event), Err(SendError::BadField), "{event:?}");
        assert_eq!(stream.transmit(), b"");
    }
}

#[test]
fn a_comment_at_every_interval() {
    let mut settings = Settings::default();
    settings.ping = Some(Duration::from_secs(15));
    let mut stream = EventStream::new(settings);
    all_of(&mut stream);
    let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
    assert_eq!(stream.poll_timeout(), Some(Instant::ZERO));
    stream.handle_timeout(at(100));
    assert_eq!(stream.poll_timeout(), Some(at(115)));
    stream.handle_timeout(at(114));
    assert_eq!(stream.transmit(), b"");
    stream.handle_timeout(at(115));
    assert_eq!(all_of(&mut stream), PING);
    assert_eq!(stream.poll_timeout(), Some(at(130)));
    stream.handle_timeout(at(130));
    stream.handle_timeout(at(145));
    assert_eq!(all_of(&mut stream), PING, "for a transport that takes nothing one is enough");
    stream.close();
    assert_eq!(stream.poll_timeout(), None);
}

#[test]
fn the_end() {
    let mut stream = open();
    stream.send(&Event::new("last")).expect("it is open");
    stream.close();
    assert!(stream.is_closed() && !stream.wants_close());
    assert_eq!(stream.send(&Event::new("late")), Err(SendError::Closed));
    assert_eq!(stream.ping(), Err(SendError::Closed));
    assert_eq!(all_of(&mut stream), "data: last\n\n");
    assert!(stream.wants_close());

    let mut stream = open();
    stream.send(&Event::new("lost")).expect("it is open");
    stream.receive_eof();
    assert!(stream.wants_close() && stream.transmit().is_empty());
}

#[test]
fn what_waits_is_bounded_and_leaves_in_any_pieces() {
    let mut settings = Settings::default();
    settings.max_buffered = 64;
    let mut stream = EventStream::new(settings);
    all_of(&mut stream);
    let (mut sent, mut written, mut refused) = (String::new(), String::new(), 0);
    for number in 0..200_usize {
        let text = format!("{number:0width$}", width = number % 40);
        match stream.send(&Event::new(&text)) {
            Ok(()) => sent += &format!("data: {text}\n\n"),
            Err(SendError::QueueFull) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(stream.transmit().len() <= 64);
        let n = stream.transmit().len().min(number % 31);
        written += str::from_utf8(&stream.transmit()[..n]).expect("ASCII");
        stream.transmitted(n);
    }
    written += &all_of(&mut stream);
    assert_eq!(written, sent);
    assert!(refused > 0);
}

#[test]
fn which_request_is_for_a_stream() {
    let with =
        |lines: &str| request(&format!("GET /news?since=3 HTTP/1.1\r\nHost: example.com\r\n{lines}\r\n"));
    let rows = [
        ("Accept: text/event-stream\r\n", true),
        ("Accept: application/json, text/event-stream\r\n", true),
        ("Accept: application/json\r\nAccept: TEXT/Event-Stream; q=0.1\r\n", true),
        ("Accept: text/event-stream2\r\n", false),
        ("Accept: x;text/event-stream\r\n", false),
        ("Accept: */*\r\n", false),
        ("", false),
    ];
    for (lines, is) in rows {
        assert_eq!(is_requested(&with(lines)), is, "{lines}");
    }
    assert!(!is_requested(&request("POST / HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")));

    let head = with("Last-Event-ID: n-17\r\n");
    assert_eq!(last_event_id(&head), "n-17");
    assert_eq!(last_event_id(&with("")), "");
    assert_eq!(url(&head, false), "http://example.com/news?since=3");
    assert_eq!(url(&head, true), "https://example.com/news?since=3");
    let absolute = request("GET http://example.com:81/a HTTP/1.1\r\nHost: example.com:81\r\n\r\n");
    assert_eq!(url(&absolute, false), "http://example.com:81/a");
}
