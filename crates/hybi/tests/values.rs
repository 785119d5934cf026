//! What values say of themselves: errors in words, `Debug` without what is secret, and how values are made of one
//! another.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::error::Error;

use bytes::Bytes;
use hybi::extension::AgreeError;
use hybi::{
    BoxEntropy, CloseCode, CloseFrame, Config, Data, Event, Fragment, Instant, Kind, Message, NotUtf8,
    Payload, Prepared, ProtocolError, Role, SendError, Text, UsageError, Utf8Bytes,
};
use hybi_test::endpoint::{config, fixed_entropy, open, open_with};
use hybi_test::frames::{first, to};

/// One line in lower case or with a name in front, without a full stop: it may stand behind a colon.
fn is_a_complaint(error: &dyn Error) -> String {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text:?}");
    text
}

#[test]
fn the_callers_mistakes() {
    let mistakes = [
        (UsageError::NotOpen, "the connection is not open"),
        (UsageError::QueueFull, "too much output is waiting"),
        (UsageError::MessageInProgress, "another message is not finished"),
        (UsageError::ControlTooLong, "the payload of a control frame is longer than 125 octets"),
        (UsageError::ReasonTooLong, "the reason is longer than 123 octets"),
        (UsageError::NotUtf8, "text that is not UTF-8"),
        (UsageError::ExtensionFailed, "an extension failed on this message or an earlier one"),
        (UsageError::OutOfMemory, "out of memory"),
    ];
    for (error, text) in mistakes {
        assert_eq!(is_a_complaint(&error), text);
        let refused = SendError { error, payload: Message::from("secret") };
        assert_eq!(is_a_complaint(&refused), text);
        assert_eq!(refused.source().map(ToString::to_string).as_deref(), Some(text));
    }
    assert_eq!(is_a_complaint(&NotUtf8), "text that is not UTF-8");
}

#[test]
fn the_peers_mistakes_name_the_section() {
    for (error, section) in [
        (ProtocolError::InvalidDeflate, "RFC 7692 §7.2.2"),
        (ProtocolError::MaskedFrame, "RFC 6455 §5.1"),
        (ProtocolError::InvalidUtf8, "RFC 6455 §8.1"),
    ] {
        assert_eq!(error.section(), section);
        assert!(is_a_complaint(&error).contains(section), "{error}");
    }
    for error in [AgreeError::NotOffered, AgreeError::RsvConflict, AgreeError::Unacceptable] {
        assert!(is_a_complaint(&error).contains("RFC 6455 §"), "{error}");
    }
}

#[cfg(feature = "handshake")]
mod handshake {
    use hybi::handshake::{
        Accept, Answer, AnswerError, Backoff, ClientHandshake, ClientRequest, ConnectProxy, InvalidField,
        Journey, JourneyError, Outcome, Proxy, RedirectError, Redirects, RequestError, Response,
        ServerHandshake, ServerSettings, Subprotocols, Uri, UriError,
    };
    use hybi::{Config, HandshakeError};

    use super::*;

    #[test]
    fn what_went_wrong_in_an_opening_handshake() {
        let errors = [
            HandshakeError::BadHttp,
            HandshakeError::HeadTooLarge,
            HandshakeError::BadMethod,
            HandshakeError::BadHost,
            HandshakeError::BadUpgrade,
            HandshakeError::BadConnection,
            HandshakeError::BadKey,
            HandshakeError::BadVersion,
            HandshakeError::BadAccept,
            HandshakeError::BadProtocol,
            HandshakeError::BadExtensions,
            HandshakeError::UnacceptableExtensions(AgreeError::NotOffered),
            HandshakeError::UnexpectedStatus(404),
            HandshakeError::EarlyOctets,
            HandshakeError::Refused(403),
            HandshakeError::TimedOut,
            HandshakeError::TransportEnded,
        ];
        let mut texts: Vec<String> = errors.iter().map(|error| is_a_complaint(error)).collect();
        assert_eq!(texts[11], AgreeError::NotOffered.to_string());
        assert!(texts[12].ends_with("404") && texts[14].ends_with("403"), "{texts:?}");
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), errors.len(), "each says something else");
    }

    #[test]
    fn what_is_wrong_with_an_address_or_a_request() {
        assert!(is_a_complaint(&InvalidField).contains("token"));
        let wrong = [
            ("http", UriError::Scheme),
            ("ws://%zz@h/", UriError::Userinfo),
            ("ws://", UriError::Host),
            ("ws://h:x/", UriError::Port),
            ("ws+unix:", UriError::UnixPath),
            ("ws://h/#f", UriError::Fragment),
            ("ws://h/\n", UriError::Control),
        ];
        for (text, error) in wrong {
            assert_eq!(Uri::parse(text), Err(error), "{text}");
            assert_eq!(text.parse::<Uri>(), Err(error), "{text}");
            assert_eq!(Uri::try_from(&text.to_owned()), Err(error), "{text}");
            assert_eq!(Uri::try_from(text.to_owned()), Err(error), "{text}");
            let refused = ClientRequest::new(text).unwrap_err();
            assert_eq!(refused, RequestError::BadUri(error));
            assert_eq!(is_a_complaint(&refused), is_a_complaint(&error));
            assert_eq!(refused.source().map(ToString::to_string), Some(error.to_string()));
        }
        for refused in [RequestError::BadProtocol, RequestError::BadHeader] {
            is_a_complaint(&refused);
            assert!(refused.source().is_none());
        }
        let syntax = Subprotocols::parse([&b"a b"[..]]).unwrap_err();
        assert_eq!(is_a_complaint(&syntax), is_a_complaint(&RequestError::BadProtocol));
        assert_eq!("http://p".parse::<Proxy>().map(|proxy| proxy.to_string()), Ok("http://p".to_owned()));
        assert_eq!("ws://p".parse::<Proxy>().unwrap_err(), UriError::Scheme);
    }

    #[test]
    fn what_is_wrong_with_an_answer_or_a_redirect() {
        for error in
            [AnswerError::BadProtocol, AnswerError::BadHeader, AnswerError::BadStatus, AnswerError::NoRequest]
        {
            is_a_complaint(&error);
        }
        for error in [RedirectError::TooMany, RedirectError::Insecure, RedirectError::Unix] {
            is_a_complaint(&error);
            assert!(error.source().is_none());
        }
        let nowhere = RedirectError::BadUri(UriError::Host);
        assert!(is_a_complaint(&nowhere).ends_with(&UriError::Host.to_string()));
        assert_eq!(nowhere.source().map(ToString::to_string), Some(UriError::Host.to_string()));
    }

    #[test]
    fn why_a_journey_came_to_nothing() {
        let request = || ClientRequest::new("ws://h/").unwrap();
        let entropy = || BoxEntropy::new(fixed_entropy);
        let end = |journey: Journey| journey.into_connection().map(|_| ()).unwrap_err();

        let error = end(Journey::new(request(), Config::default(), entropy()));
        assert!(
            matches!(error, JourneyError::NotOver) && error.response().is_none() && error.source().is_none()
        );
        is_a_complaint(&error);

        let mut journey = Journey::new(request(), Config::default(), entropy());
        journey.receive_eof();
        journey.receive_eof(); // there is nothing more to end
        assert_eq!(journey.transmit(), b"");
        let error = end(journey);
        assert_eq!(is_a_complaint(&error), HandshakeError::TransportEnded.to_string());
        assert_eq!(error.source().map(ToString::to_string), Some(error.to_string()));

        let proxy = Proxy::parse("http://p").unwrap();
        let mut journey = Journey::new(request(), Config::default(), entropy()).with_proxies(proxy);
        journey.dialed();
        journey.transmitted(journey.transmit().len());
        let refusal = b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(journey.receive(refusal), refusal.len());
        let error = end(journey);
        assert!(is_a_complaint(&error).starts_with("proxy: "), "{error}");
        assert_eq!(error.response().map(Response::status), Some(502));
        assert_eq!(
            error.source().map(ToString::to_string),
            Some(HandshakeError::UnexpectedStatus(502).to_string())
        );

        let mut redirects = Redirects::default();
        redirects.limit = 0;
        let mut journey = Journey::new(request(), Config::default(), entropy()).with_redirects(redirects);
        journey.dialed();
        journey.transmitted(journey.transmit().len());
        let moved = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(journey.receive(moved), moved.len());
        let error = end(journey);
        assert_eq!(is_a_complaint(&error), RedirectError::TooMany.to_string());
        assert_eq!(error.source().map(ToString::to_string), Some(error.to_string()));
    }

    #[test]
    fn handshakes_say_where_they_are() {
        let shown = |value: &dyn std::fmt::Debug| format!("{value:?}");
        let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
        assert!(shown(&server).contains("Head"), "{server:?}");
        let request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCookie: hush\r\n\r\n";
        assert_eq!(server.receive(request.as_bytes()), request.len());
        assert!(!shown(&server).contains("hush"), "{server:?}");
        server.reject(Answer::new(403)).unwrap();
        assert!(shown(&server).contains("Over"), "{server:?}");

        let request =
            ClientRequest::new("ws://h/").and_then(|request| request.with_key("dGhlIHNhbXBsZSBub25jZQ=="));
        let mut client =
            ClientHandshake::new(request.unwrap(), Config::default(), BoxEntropy::new(fixed_entropy));
        assert!(shown(&client).contains("Head"), "{client:?}");
        let answer = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(client.receive(answer.as_bytes()), answer.len());
        assert!(shown(&client).contains("Open"), "{client:?}");

        assert!(Answer::new(200).fields().is_empty());
        let answer = Answer::new(401).with_header("Set-Cookie", "hush").with_body("hush");
        assert_eq!((answer.status(), answer.fields().get("set-cookie")), (401, Some(&b"hush"[..])));
        assert!(shown(&answer).contains("body_len: 4") && !shown(&answer).contains("hush"), "{answer:?}");
        assert!(shown(&Backoff::new(fixed_entropy)).contains("limit"));
        assert!(Accept::new().with_subprotocol("x") != Accept::new());
    }

    /// Of people who look at the wire.
    #[test]
    fn statuses_have_their_phrases() {
        let phrases = [
            (200, "OK"),
            (204, "No Content"),
            (301, "Moved Permanently"),
            (302, "Found"),
            (303, "See Other"),
            (304, "Not Modified"),
            (307, "Temporary Redirect"),
            (308, "Permanent Redirect"),
            (400, "Bad Request"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (404, "Not Found"),
            (405, "Method Not Allowed"),
            (408, "Request Timeout"),
            (410, "Gone"),
            (426, "Upgrade Required"),
            (429, "Too Many Requests"),
            (431, "Request Header Fields Too Large"),
            (500, "Internal Server Error"),
            (501, "Not Implemented"),
            (502, "Bad Gateway"),
            (503, "Service Unavailable"),
            (504, "Gateway Timeout"),
            (599, ""),
        ];
        for (status, phrase) in phrases {
            let mut settings = ServerSettings::default();
            settings.plain_requests = true;
            let mut server = ServerHandshake::new(Config::default(), settings);
            let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
            assert_eq!(server.receive(request), request.len());
            server.poll_event();
            server.respond(Answer::new(status)).unwrap();
            let line = format!("HTTP/1.1 {status} {phrase}\r\n");
            assert!(server.transmit().starts_with(line.as_bytes()), "{status}");
        }
    }

    #[test]
    fn a_tunnel_ends_with_its_transport_or_in_time() {
        let proxy = Proxy::parse("http://p").unwrap();
        let tunnel =
            || ConnectProxy::new(&proxy, ClientRequest::new("ws://h/").unwrap().uri(), Config::default());
        let mut ended = tunnel();
        ended.receive_eof();
        assert!(matches!(ended.poll_event(), Some(Outcome::Failed(HandshakeError::TransportEnded))));
        assert!(ended.wants_close());

        let mut late = tunnel();
        late.handle_timeout(Instant::from_nanos(0));
        let deadline = late.poll_timeout().expect("10 s by default");
        assert_eq!(deadline.nanos(), 10_000_000_000);
        late.handle_timeout(deadline);
        assert!(matches!(late.poll_event(), Some(Outcome::Failed(HandshakeError::TimedOut))));
    }
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[test]
fn what_compression_says() {
    use hybi::extension::permessage_deflate::{
        Deflate, DeflateConfig, DeflateError, Deflater, InflateError, Inflater, Level, Params, WindowBits,
    };
    use hybi::extension::{Offer, TransformError, parse_offers};

    for error in [InflateError::Corrupt, InflateError::TooBig, InflateError::OutOfMemory] {
        is_a_complaint(&error);
    }
    assert_eq!(is_a_complaint(&DeflateError::OutOfMemory), "out of memory");
    for error in [TransformError::Invalid, TransformError::TooBig, TransformError::OutOfMemory] {
        is_a_complaint(&error);
    }
    assert!(is_a_complaint(&WindowBits::new(16).unwrap_err()).contains("8 to 15"));
    assert!(is_a_complaint(&Level::new(10).unwrap_err()).contains("0 to 9"));
    assert_eq!(WindowBits::MAX.to_string(), "15");
    assert!(is_a_complaint(&Offer::new("a b").unwrap_err()).contains("tokens"));
    assert!(is_a_complaint(&parse_offers([&b"a;"[..]]).unwrap_err()).contains("malformed"));
    let answer = Offer::new("permessage-deflate").and_then(|offer| offer.with_param("x", None)).unwrap();
    let refused = DeflateConfig::default().agree(&answer).unwrap_err();
    assert!(is_a_complaint(&refused).contains("RFC 7692 §7.1"));

    let params = Params { server_no_context_takeover: true, ..Params::default() };
    assert_eq!(*Deflate::new(DeflateConfig::default(), params).params(), params);
    let shown = format!("{:?}", Deflater::new(WindowBits::MAX, true, Level::default()));
    assert!(shown.contains("allocated: false"), "{shown}");
    let mut inflater = Inflater::new(WindowBits::MAX, true);
    assert!(inflater.finish(b"\x07", &mut Vec::new(), 10).is_err());
    assert!(format!("{inflater:?}").contains("failed: Some(Corrupt)"), "{inflater:?}");
}

/// Sets of three: each pair of them.
#[test]
fn reserved_bits_are_sets() {
    use hybi::extension::Rsv;
    for (a, b) in (0..8u8).flat_map(|a| (0..8u8).map(move |b| (a, b))) {
        let (these, those) = (Rsv::from_bits(a), Rsv::from_bits(b));
        assert_eq!(these.with(those).bits(), a | b);
        assert_eq!(these.and(those).bits(), a & b);
        assert_eq!(these.without(those).bits(), a & !b);
        assert_eq!(these.contains(those), a & b == b);
        assert_eq!(these.overlaps(those), a & b > 0);
    }
}

#[test]
fn names_of_small_things() {
    assert_eq!(format!("{:?}", CloseCode::NORMAL), "CloseCode(1000)");
    assert_eq!(CloseCode::NORMAL.to_string(), "1000");
    assert_eq!(format!("{:?}", BoxEntropy::new(fixed_entropy)), "BoxEntropy");
    assert_eq!(Instant::from_nanos(7).nanos(), 7);
}

#[test]
fn the_marks_of_the_queue_are_what_is_documented() {
    let water = Config::default().water;
    assert_eq!((water.high, water.low, water.limit), (256 * 1024, 64 * 1024, 16 * 1024 * 1024));
}

#[test]
fn messages_are_made_of_text_and_of_octets() {
    let text = Utf8Bytes::from("tide");
    assert_eq!((text.to_string(), format!("{text:?}")), ("tide".to_owned(), "\"tide\"".to_owned()));
    assert_eq!(text.clone().into_bytes(), Bytes::from_static(b"tide"));
    assert_eq!(Utf8Bytes::try_from(Bytes::from_static(b"tide")), Ok(text));
    assert_eq!(Utf8Bytes::try_from(Bytes::from_static(b"\xFF")), Err(NotUtf8));

    assert_eq!(Message::from(&b"\xFF"[..]), Message::Binary(Bytes::from_static(b"\xFF")));
    assert_eq!(Message::from("tide").as_str(), Some("tide"));
    assert_eq!(Message::from(vec![1]).as_str(), None);

    assert_eq!(
        Payload::text(b"tide").map(|payload| (payload.kind(), payload.as_bytes())),
        Ok((Kind::Text, &b"tide"[..]))
    );
    assert_eq!(Payload::text(b"\xFF"), Err(NotUtf8));
    let octets = Bytes::from_static(b"\xFF");
    assert_eq!(Payload::from(&octets), Payload::binary(b"\xFF"));
    assert_eq!(Prepared::new(&octets).kind(), Kind::Binary);
}

/// What a connection was told, and its own view of it.
fn one<T>(role: Role, config: Config, frames: &[Vec<u8>], see: impl Fn(Event<'_>) -> Option<T>) -> Option<T> {
    let mut connection = open_with(role, config);
    assert_eq!(connection.receive_copy(&frames.concat()), frames.concat().len());
    connection.poll_event().and_then(see)
}

#[test]
fn what_an_event_lends_can_be_kept_changed_and_sent_back() {
    for role in [Role::Client, Role::Server] {
        let text = [to(role, first::TEXT, b"tide")];
        let joined = [to(role, 0x02, b"ti"), to(role, first::CONTINUATION, b"de")];
        let ping = [to(role, first::PING, b"tide")];
        let unchecked = config(|config| config.strictness.utf8 = false);
        let pieces = config(|config| config.delivery = hybi::Delivery::Fragments);

        let owned = |data: Data<'_>| data.into_bytes();
        let data = |event: Event<'_>| event.into_data().map(owned);
        for (config, frames) in [
            (Config::default(), &text[..]),
            (Config::default(), &joined[..]),
            (unchecked, &text[..]),
            (pieces, &text[..]),
        ] {
            assert_eq!(one(role, config, frames, data).as_deref(), Some(&b"tide"[..]), "{role:?}");
        }
        assert_eq!(one(role, Config::default(), &ping, data), None);
        let message = |event: Event<'_>| event.into_message();
        assert_eq!(one(role, Config::default(), &text, message), Some(Message::from("tide")));
        assert_eq!(one(role, Config::default(), &joined, message), Some(Message::from(&b"tide"[..])));
        assert_eq!(one(role, Config::default(), &ping, message), None);

        // In place, wherever it lies.
        for frames in [&[to(role, first::BINARY, b"tide")][..], &joined] {
            let changed = one(role, Config::default(), frames, |event| {
                let Event::Binary(mut data) = event else { return None };
                data.as_bytes_mut().reverse();
                assert_eq!(Payload::from(&data), Payload::binary(b"edit"));
                Some(format!("{data:?}"))
            });
            assert_eq!(changed.as_deref(), Some("[101, 100, 105, 116]"));
        }
        let shown = one(role, Config::default(), &text, |event| match event {
            Event::Text(text) => Some((format!("{text:?}"), Text::to_string(&text))),
            _ => None,
        });
        assert_eq!(shown, Some(("\"tide\"".to_owned(), "tide".to_owned())));
    }
}

/// Of a message that was joined the memory itself is handed over.
#[test]
fn a_joined_message_is_kept_without_a_copy() {
    for role in [Role::Client, Role::Server] {
        let mut octets = [to(role, 0x02, &[7; 40_000]), to(role, first::CONTINUATION, &[7; 40_000])].concat();
        let mut connection = open(role);
        let mut input = connection.receive(&mut octets);
        let data = input.poll_event().and_then(Event::into_data).expect("a whole one");
        let place = data.as_ptr();
        assert_eq!(data.into_bytes().as_ptr(), place, "{role:?}");
    }
}

/// A message that was joined holds no more than twice of what it needs, whatever was joined there before it.
#[test]
fn a_joined_message_that_is_kept_is_as_large_as_it_is() {
    for role in [Role::Client, Role::Server] {
        let message = |len| [to(role, 0x02, &vec![7; len]), to(role, first::CONTINUATION, b"!")].concat();
        for (before, len) in [(0, 40_000), (0, 100), (40_000, 100), (3000, 10)] {
            let mut connection = open(role);
            let mut octets = [message(before), message(len)].concat();
            let mut input = connection.receive(&mut octets);
            assert!(input.poll_event().is_some_and(|event| event.into_data().is_some()));
            let message = input.poll_event().and_then(Event::into_message).expect("a whole one");
            let octets = Vec::from(message.into_bytes());
            assert!(octets.capacity() <= 2 * octets.len(), "{role:?}: {} for {len}", octets.capacity());
            assert_eq!(octets.len(), len + 1);
        }
    }
}

#[test]
fn a_connection_can_be_looked_at() {
    let small = config(|config| (config.water.high, config.limits.message) = (100, 5000));
    let mut connection = open_with(Role::Server, small.clone());
    assert_eq!(*connection.config(), small);
    assert_eq!((connection.role(), connection.sender().role()), (Role::Server, Role::Server));
    connection.send(&[7; 98]).unwrap();
    assert_eq!(
        (connection.buffered_len(), connection.is_above_high_water()),
        (100, false),
        "not above, but there"
    );
    connection.send(&[7; 200]).unwrap();
    assert!(connection.is_above_high_water());
    connection.transmitted(connection.transmit().len());
    assert!(!connection.is_above_high_water());

    let frame = to(Role::Server, first::BINARY, &[7; 300]);
    assert_eq!(connection.receive_copy(&frame[..100]), 100);
    assert!(matches!(connection.poll_event(), Some(Event::Writable)));
    assert!(connection.poll_event().is_none());
    assert!(connection.held_len() > 0);
    assert_eq!(connection.receive_copy(&frame[100..]), frame.len() - 100);
    assert!(connection.prepare_event());
    assert!(matches!(connection.poll_event(), Some(Event::Binary(_))));
    let close = CloseFrame::new(CloseCode::NORMAL, "").unwrap();
    connection.close_with(Some(&close)).unwrap();

    let mut memory = frame.clone();
    let input = connection.receive(&mut memory);
    assert!(format!("{input:?}").contains("len: 308"), "{input:?}");
    drop(input);
    let (receiver, sender) = open_with(Role::Client, small.clone()).into_split();
    assert_eq!(*sender.config(), small);
    assert!(!sender.is_above_high_water());
    drop(receiver);
}

/// An event that was decided is lent when it is asked for, with the sending half beside it or without.
#[test]
fn events_are_prepared_and_come_with_the_sender() {
    for role in [Role::Client, Role::Server] {
        let (text, ping) = (to(role, first::TEXT, b"tide"), to(role, first::PING, b"?"));
        let mut connection = open(role);
        assert!(connection.poll_event_with().is_none());
        assert!(!connection.prepare_event());
        for (frame, is_text) in [(&text, true), (&ping, false)] {
            for prepared in [false, true] {
                assert_eq!(connection.receive_copy(frame), frame.len());
                assert!(!prepared || connection.prepare_event() && connection.prepare_event());
                let (event, sender) = connection.poll_event_with().expect("it came");
                match event {
                    Event::Text(text) => assert!(is_text && sender.send(&text).is_ok()),
                    event => assert!(!is_text && matches!(event, Event::Ping(_)), "{event:?}"),
                }
            }
        }
        let (mut receiver, _) = connection.into_split();
        assert!(!receiver.prepare_event());
        receiver.recv_space()[..text.len()].copy_from_slice(&text);
        receiver.received(text.len());
        assert!(receiver.prepare_event());
        assert!(matches!(receiver.poll_event(), Some(Event::Text(_))));
        receiver.recv_space()[..text.len()].copy_from_slice(&text);
        receiver.received(text.len());
        assert!(matches!(receiver.poll_event(), Some(Event::Text(text)) if text.as_bytes() == b"tide"));
    }
}

/// A fragment is shown as what it is.
#[test]
fn a_fragment_is_shown() {
    let pieces = config(|config| config.delivery = hybi::Delivery::Fragments);
    let shown = one(Role::Server, pieces, &[to(Role::Server, 0x02, b"\x01")], |event| match event {
        Event::Fragment(Fragment { kind, data, first, last }) => Some((kind, data.to_vec(), first, last)),
        _ => None,
    });
    assert_eq!(shown, Some((Kind::Binary, vec![1], true, false)));
}
