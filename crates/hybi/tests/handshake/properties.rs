//! What holds for any input: no panic, bounded memory, the same outcome however it is cut; and what is written
//! reads back.

use hybi::Config;
use hybi::extension::{format_offers, parse_offers};
use hybi::handshake::{ClientHandshake, Outcome, ServerHandshake, ServerSettings, Subprotocols, Uri};
use proptest::prelude::*;

use crate::{client_request, entropy, request_with, response_with};

/// A good head with a few octets written over, taken out or put in.
fn disturbed(good: String) -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n\t :,;=\"\\\0".to_vec())];
    let change = (any::<proptest::sample::Index>(), octet, 0..3u8);
    proptest::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut text = good.clone().into_bytes();
        for (index, octet, what) in changes {
            let at = index.index(text.len());
            match what {
                0 => text[at] = octet,
                1 => text.insert(at, octet),
                _ => drop(text.remove(at)),
            }
        }
        text
    })
}

fn serve(pieces: &[&[u8]]) -> String {
    let mut config = Config::default();
    config.limits.head_bytes = 1_000;
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let mut server = ServerHandshake::new(config, settings);
    for piece in pieces {
        assert_eq!(server.receive(piece), piece.len());
    }
    format!("{:?} {}", server.poll_event(), server.transmit().escape_ascii())
}

fn connect(pieces: &[&[u8]]) -> String {
    let request = client_request("ws://h/").with_subprotocol("a").expect("good");
    let mut client = ClientHandshake::new(request, Config::default(), entropy());
    for piece in pieces {
        assert_eq!(client.receive(piece), piece.len());
    }
    match client.poll_event() {
        Some(Outcome::Opened(response)) => format!("{response:?}"),
        outcome => format!("{outcome:?} {:?}", client.response().map(|r| (r.status(), r.body()))),
    }
}

const LISTS: [&str; 2] = ["Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: c; d=\"e\""];

proptest! {
    #[test]
    fn a_request_is_judged_the_same_however_it_is_cut(
        text in disturbed(request_with(&LISTS)),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (left, right) = text.split_at(cut.index(text.len()));
        let whole = serve(&[&text]);
        prop_assert_eq!(&serve(&[left, right]), &whole);
        prop_assert_eq!(&serve(&text.chunks(1).collect::<Vec<_>>()), &whole);
    }

    #[test]
    fn a_response_is_judged_the_same_however_it_is_cut(
        text in disturbed(response_with(&["Sec-WebSocket-Protocol: a", "Content-Length: 2"]) + "hello"),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (left, right) = text.split_at(cut.index(text.len()));
        let whole = connect(&[&text]);
        prop_assert_eq!(&connect(&[left, right]), &whole);
        prop_assert_eq!(&connect(&text.chunks(1).collect::<Vec<_>>()), &whole);
    }

    #[test]
    fn an_address_that_is_shown_reads_back(
        text in "(ws|wss|ws\\+unix|http):[/a-z@:%0-9\\[\\]?\u{e4} .]{0,20}",
        reference in ".{0,12}",
    ) {
        let is_target = |text: &str| text.starts_with('/') && text.bytes().all(|octet| octet.is_ascii_graphic());
        if let Ok(uri) = Uri::parse(&text) {
            let shown = uri.to_string();
            prop_assert!(shown.bytes().all(|octet| octet.is_ascii_graphic()) || uri.unix_path().is_some());
            prop_assert_eq!(Uri::parse(&shown).map(|uri| uri.to_string()), Ok(shown));
            prop_assert!(is_target(uri.target()), "{uri}");
            if let Ok(next) = uri.resolve(&reference) {
                prop_assert!(is_target(next.target()), "{next}");
                prop_assert_eq!(Uri::parse(&next.to_string()).map(|uri| uri.to_string()), Ok(next.to_string()));
            }
        }
    }

    #[test]
    fn lists_that_are_written_read_back(text in "[ab;=, \"\\\\]{0,16}") {
        if let Ok(offers) = parse_offers([text.as_bytes()]) {
            prop_assert_eq!(parse_offers([format_offers(&offers).as_bytes()]), Ok(offers));
        }
        if let Ok(list) = Subprotocols::parse([text.as_bytes()]) {
            prop_assert_eq!(Subprotocols::parse([list.to_string().as_bytes()]), Ok(list));
        }
    }

    #[test]
    fn no_octets_are_too_strange(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        serve(&[&octets]);
        connect(&[&octets]);
        connect(&[b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", &octets]);
    }
}
