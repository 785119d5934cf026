//! Offers, answers, and what both ends then have (RFC 6455 §9.1).

use hybi::extension::{AgreeError, Agreed, Extensions, parse_offers};
use hybi::handshake::{Accept, ClientHandshake, ClientRequest, Outcome, Request};
use hybi::{
    Agreement, BoxEntropy, Config, Connection, HandshakeError, ProtocolError, Role, UsageError, Versions,
};
use hybi_test::endpoint::{fixed_entropy, open_agreed, receive, transmit_all};
use hybi_test::frames::{first, read_all, to};
use hybi_test::record::Record;

use crate::{compressing, extensions, open, request, try_open};

/// The value of the header with the offers of a request.
fn offered(request: ClientRequest) -> Option<String> {
    let handshake = ClientHandshake::new(request, Config::default(), BoxEntropy::new(fixed_entropy));
    let text = String::from_utf8(handshake.transmit().to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    line.map(str::to_owned)
}

const DEFLATE: &str = "permessage-deflate; client_max_window_bits";
const SIGN: &str = "x-sign; alg=strong, x-sign; alg=sum";

#[test]
fn offers_stand_in_the_order_of_registration() {
    assert_eq!(offered(request(Extensions::new())), None);
    assert_eq!(offered(request(extensions(&["x-sign", "deflate"]))), Some(format!("{SIGN}, {DEFLATE}")));
    assert_eq!(offered(request(extensions(&["deflate", "x-runs"]))), Some(format!("{DEFLATE}, x-runs")));
}

#[test]
fn with_deflate_registers_it_behind_the_others_or_changes_its_settings() {
    let plain = ClientRequest::new("ws://h/").unwrap();
    assert_eq!(offered(plain.with_deflate(compressing())), Some(DEFLATE.to_owned()));
    let after = request(extensions(&["x-runs"])).with_deflate(compressing());
    assert_eq!(offered(after), Some(format!("x-runs, {DEFLATE}")));
    let mut full = compressing();
    full.client_max_window_bits = hybi::extension::permessage_deflate::Window::Full;
    let twice = request(extensions(&["deflate", "x-runs"])).with_deflate(full);
    assert_eq!(offered(twice), Some("permessage-deflate, x-runs".to_owned()));
    let replaced = request(extensions(&["x-runs"])).with_extensions(extensions(&["deflate"]));
    assert_eq!(offered(replaced), Some(DEFLATE.to_owned()));
}

#[test]
fn the_server_answers_in_its_own_order_what_was_offered() {
    let client = request(extensions(&["deflate", "x-sign"]));
    let server = Accept::new().with_extensions(extensions(&["x-runs", "x-sign"])).with_deflate(compressing());
    for end in try_open(client, server, &Config::default()).unwrap() {
        assert_eq!(end.agreement().extensions().collect::<Vec<_>>(), ["x-sign", "permessage-deflate"]);
        assert!(end.agreement().deflate().is_some());
    }
}

#[test]
fn nothing_in_common_is_a_connection_without_extensions() {
    for [client, server] in [[&["x-sign"][..], &["x-runs"]], [&[], &["x-runs"]], [&["x-sign"], &[]]] {
        let accept = Accept::new().with_extensions(extensions(server));
        let [mut client, server] = try_open(request(extensions(client)), accept, &Config::default()).unwrap();
        assert_eq!([&client, &server].map(Connection::agreement), [&Agreement::default(); 2]);
        client.send("!").unwrap();
        assert_eq!(transmit_all(&mut client).len(), 7);
    }
}

/// §4.1, §9.1: no answer that was not offered, no bit for two, no parameters that the extension refuses.
#[test]
fn a_client_fails_on_answers_that_cannot_be() {
    use HandshakeError::{BadExtensions, UnacceptableExtensions as Unacceptable};
    let outcome = |names: &[&str], answer: &str| {
        let request = request(extensions(names)).with_key("dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        let mut client = ClientHandshake::new(request, Config::default(), BoxEntropy::new(fixed_entropy));
        let response = format!(
            "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: {answer}\r\n\r\n"
        );
        assert_eq!(client.receive(response.as_bytes()), response.len());
        match client.poll_event() {
            Some(Outcome::Opened(_)) => Ok(()),
            Some(Outcome::Failed(error)) => Err(error),
            None => panic!("the response was whole"),
        }
    };
    let rows: &[(&[&str], &str, Result<(), HandshakeError>)] = &[
        (&["x-sign"], "x-sign; alg=sum", Ok(())),
        (&["x-sign", "deflate", "x-runs"], "x-runs, x-sign; alg=sum, permessage-deflate", Ok(())),
        (&["x-sign"], "x-runs", Err(Unacceptable(AgreeError::NotOffered))),
        (&[], "x-runs", Err(Unacceptable(AgreeError::NotOffered))),
        (&["x-sign"], "X-Sign; alg=sum", Err(Unacceptable(AgreeError::NotOffered))),
        (&["x-runs"], "x-runs, x-runs", Err(Unacceptable(AgreeError::RsvConflict))),
        (&["deflate"], "permessage-deflate, permessage-deflate", Err(Unacceptable(AgreeError::RsvConflict))),
        (&["x-sign"], "x-sign", Err(Unacceptable(AgreeError::Unacceptable))),
        (&["x-sign"], "x-sign; alg=strong", Err(Unacceptable(AgreeError::Unacceptable))),
        (&["deflate"], "permessage-deflate; a", Err(Unacceptable(AgreeError::Unacceptable))),
        (&["x-runs"], "x-runs;", Err(BadExtensions)),
        (&["x-runs"], "", Err(BadExtensions)),
    ];
    for (names, answer, expected) in rows {
        assert_eq!(outcome(names, answer), *expected, "{names:?} and {answer:?}");
    }
}

/// Both ends of a handshake that somebody else made; and one agreement serves any number of connections, each of which
/// begins anew.
#[test]
fn an_agreement_made_elsewhere_carries_the_extensions() {
    let client = extensions(&["x-sign", "deflate"]);
    let header = hybi::extension::format_offers(&client.offers());
    let headers = [
        ("host", &b"h"[..]),
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", b"13"),
        ("sec-websocket-extensions", header.as_bytes()),
    ];
    let request = Request::from_parts(Versions::default(), "GET", (1, 1), "/", headers).unwrap();
    let acceptance =
        request.accept(Accept::new().with_extensions(extensions(&["deflate", "x-sign"]))).unwrap();
    let answer = acceptance.fields.get("Sec-WebSocket-Extensions").unwrap();
    assert_eq!(answer, b"permessage-deflate, x-sign; alg=sum");
    assert_eq!(acceptance, acceptance.clone());

    let agreed = client.agree(&client.offers(), &parse_offers([answer]).unwrap()).unwrap();
    let agreement = Agreement::default().with_extensions(agreed);
    assert!(agreement.extensions().eq(acceptance.agreement.extensions()));
    for _ in 0..2 {
        let mut server = Connection::server(acceptance.agreement.clone(), Config::default());
        let mut client = open_agreed(Role::Client, agreement.clone(), Config::default());
        server.send("high water").unwrap();
        assert_eq!(receive(&mut client, &transmit_all(&mut server)), [Record::text("high water")]);
    }
    assert_eq!(agreement, agreement.clone());
    assert_ne!(agreement, Agreement::default());
    let other = extensions(&["x-sign", "deflate"]);
    let agreed = other.agree(&other.offers(), &parse_offers([answer]).unwrap()).unwrap();
    assert_ne!(agreement, Agreement::default().with_extensions(agreed), "who answers there is another value");
    assert_eq!(Agreement::default().with_extensions(Agreed::default()), Agreement::default());
}

/// §5.2, §9.1: the bits of extensions that were agreed on, on the first frame of a message, and no others.
#[test]
fn reserved_bits_are_those_of_the_agreement() {
    let illegal = |names: &[&str], frames: &[(u8, &[u8])]| {
        for (index, role) in [Role::Client, Role::Server].into_iter().enumerate() {
            let octets: Vec<u8> =
                frames.iter().flat_map(|(first, payload)| to(role, *first, payload)).collect();
            let events = receive(&mut open(names)[index], &octets);
            let failed = Record::Failed(ProtocolError::ReservedBits);
            assert!(events.contains(&failed), "{names:?} {frames:x?} {events:?}");
        }
    };
    illegal(&["x-runs"], &[(first::TEXT | 0x10, b"")]);
    illegal(&["x-sign"], &[(first::TEXT | 0x40, b"")]);
    illegal(&["x-sign"], &[(first::TEXT | 0x30, b"")]);
    illegal(&["x-sign"], &[(0x11, b"a"), (first::CONTINUATION | 0x10, b"")]);
    illegal(&["x-sign"], &[(first::PING | 0x10, b"")]);
    illegal(&["x-sign", "permessage-deflate"], &[(first::CLOSE | 0x40, b"")]);
    illegal(&["permessage-deflate"], &[(first::TEXT | 0x10, b"")]);
}

/// §7.4.1: a client that cannot do without an extension says which.
#[test]
fn a_client_that_misses_extensions_closes_with_1010() {
    let [mut client, mut server] =
        try_open(request(extensions(&["x-sign", "x-runs"])), Accept::new(), &Config::default()).unwrap();
    let frame = client.agreement().missing_extensions(&["x-sign", "x-runs"]).unwrap();
    client.close_with(Some(&frame)).unwrap();
    let events = receive(&mut server, &transmit_all(&mut client));
    assert_eq!(events[0], Record::Close(Some((1010, b"x-sign, x-runs".to_vec()))));
    assert_eq!(client.send("!"), Err(UsageError::NotOpen));

    let agreement = open(&["x-sign", "permessage-deflate"])[0].agreement().clone();
    assert_eq!(agreement.missing_extensions(&[]), None);
    assert_eq!(agreement.missing_extensions(&["permessage-deflate", "x-sign"]), None);
    let frame = agreement.missing_extensions(&["x-runs", "x-sign"]).unwrap();
    assert_eq!((frame.code().value(), frame.reason()), (1010, "x-runs"));
    let long = ["a".repeat(121), "b".into(), "c".into(), "d".into()];
    let frame = Agreement::default().missing_extensions(&long.each_ref().map(String::as_str)).unwrap();
    assert_eq!(frame.reason(), long[0], "a name that does not fit is left out");
    let long = ["a".repeat(120), "b".repeat(2), "c".into(), "d".into()];
    let frame = Agreement::default().missing_extensions(&long.each_ref().map(String::as_str)).unwrap();
    assert_eq!(frame.reason(), format!("{}, c", long[0]), "and so is not a shorter one behind it");
}

#[test]
fn the_close_frame_needs_no_extension() {
    let [mut client, mut server] = open(&["x-sign"]);
    client.ping(b"!").unwrap();
    client.close(hybi::CloseCode::NORMAL, "!").unwrap();
    let octets = transmit_all(&mut client);
    assert_eq!(read_all(Role::Client, &octets).unwrap().len(), 2);
    let events = receive(&mut server, &octets);
    assert_eq!(events[..2], [Record::Ping(b"!".to_vec()), Record::Close(Some((1000, b"!".to_vec())))]);
}
