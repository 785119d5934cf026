//! §9: extensions, as they stand in the opening handshake. The language of the header is tested beside its parser,
//! the parameters of permessage-deflate in `rfc7692`.

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::extension::{AgreeError, Extensions};
use hybi::handshake::{Accept, ClientHandshake, ClientRequest, Outcome, Request};
use hybi::{BoxEntropy, Config, HandshakeError, Versions};

fn request(extensions: &str) -> Request {
    let headers = [
        ("Host", "h"),
        ("Upgrade", "websocket"),
        ("Connection", "upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Extensions", extensions),
    ];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    Request::from_parts(Versions::default(), "GET", (1, 1), "/", headers).unwrap()
}

/// Also those that mean something in somebody's language.
#[test]
fn names_are_nothing_but_names() {
    for name in
        ["constructor", "__proto__", "toString", "prototype", "hasOwnProperty", "None", "self", "eval"]
    {
        let offered = format!("{name}; {name}; {name}={name}");
        let request = request(&offered);
        assert_eq!(request.extensions()[0].name(), name);
        assert!(Extensions::default().answer(&request.extensions()).0.is_empty());
        let acceptance = request.accept(Accept::new()).unwrap();
        assert!(!acceptance.fields.contains("Sec-WebSocket-Extensions"), "{name}");
    }
}

/// §4.2.2 item 5, §9.1: one line, whatever came in several.
#[test]
fn a_server_names_what_was_offered_and_nothing_else() {
    let answer = |offers: &str| {
        let accept = Accept::new().with_deflate(DeflateConfig::default());
        let acceptance = request(offers).accept(accept).unwrap();
        let lines = acceptance.fields.get_all("Sec-WebSocket-Extensions").map(<[u8]>::to_vec);
        let names: Vec<String> = acceptance.agreement.extensions().map(str::to_owned).collect();
        (lines.map(|line| String::from_utf8(line).unwrap()).collect::<Vec<_>>(), names)
    };
    assert_eq!(answer("x-unknown; a=1"), (vec![], vec![]));
    for offers in
        ["permessage-deflate", "x-unknown, permessage-deflate", "permessage-deflate, permessage-deflate"]
    {
        let (lines, names) = answer(offers);
        assert_eq!((lines.len(), names), (1, vec!["permessage-deflate".to_owned()]), "{offers}");
        assert!(lines[0].starts_with("permessage-deflate") && !lines[0].contains(','), "{lines:?}");
    }
}

/// §4.1 item 11, §11.3.2; and of an answer several lines are read as one list, in which a name stands once.
#[test]
fn what_a_client_offers_stands_in_one_line() {
    let open = |lines: &str| {
        let entropy =
            BoxEntropy::new(|out: &mut [u8]| out.copy_from_slice(&b"the sample nonce"[..out.len()]));
        let request = ClientRequest::new("ws://h/").unwrap().with_deflate(DeflateConfig::default());
        let mut client = ClientHandshake::new(request, Config::default(), entropy);
        let text = String::from_utf8(client.transmit().to_vec()).unwrap();
        let offered = text.lines().filter(|line| line.starts_with("Sec-WebSocket-Extensions: "));
        assert_eq!(offered.collect::<Vec<_>>().len(), 1, "{text}");
        let answer = format!(
            "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{lines}\r\n"
        );
        assert_eq!(client.receive(answer.as_bytes()), answer.len());
        match client.poll_event().unwrap() {
            Outcome::Opened(_) => Ok(client.into_connection().unwrap().agreement().extensions().count()),
            Outcome::Failed(error) => Err(error),
        }
    };
    assert_eq!(open(""), Ok(0), "a server may decline");
    assert_eq!(open("Sec-WebSocket-Extensions: permessage-deflate\r\n"), Ok(1));
    let twice = "Sec-WebSocket-Extensions: permessage-deflate\r\n".repeat(2);
    assert_eq!(open(&twice), Err(HandshakeError::UnacceptableExtensions(AgreeError::RsvConflict)));
    let other = "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: x\r\n";
    assert_eq!(open(other), Err(HandshakeError::UnacceptableExtensions(AgreeError::NotOffered)));
}
