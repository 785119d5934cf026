//! §9: extensions, as far as a server that knows none is concerned. The language of the header is tested beside
//! its parser, permessage-deflate in `rfc7692`.

use hybi::Versions;
use hybi::extension::Extensions;
use hybi::handshake::{Accept, Request};

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
