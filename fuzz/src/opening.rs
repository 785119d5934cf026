//! Opening handshakes: the same verdict in every cut, answers that are bounded, and no event behind the last.

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{ClientHandshake, ClientRequest, Incoming, ServerHandshake, ServerSettings};
use hybi::{BoxEntropy, Config, Version, Versions};
use hybi_test::dice::Dice;
use hybi_test::endpoint::{config, fixed_entropy};

/// The key of [`client`], and what a server has to answer to it: the example of RFC 6455 §1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn limits(dice: &mut Dice<'_>) -> Config {
    config(|config| {
        config.limits.head_bytes = dice.pick(&[16 << 10, 512, 200]);
        config.limits.head_fields = dice.pick(&[100, 12, 5]);
    })
}

/// What a server makes of reads: the event, the answer, and the request as the application sees it.
fn serve(config: &Config, settings: &ServerSettings, octets: &[u8], n: usize) -> (String, Vec<u8>) {
    let mut handshake = ServerHandshake::new(config.clone(), settings.clone());
    for read in octets.chunks(n) {
        assert!(handshake.receive(read) <= read.len());
    }
    let seen = match handshake.poll_event() {
        Some(Incoming::Upgrade(request)) => {
            assert_eq!(request.head().method(), "GET");
            assert!(!request.host().is_empty(), "a request has a host");
            assert!(!request.head().fields().contains("transfer-encoding"), "and no body");
            format!("{request:?} {:?} {:?}", request.extensions(), request.origin())
        }
        event => format!("{event:?}"),
    };
    assert!(handshake.poll_event().is_none(), "one event");
    assert!(handshake.transmit().len() <= 1024, "an answer of ours is short");
    (seen, handshake.transmit().to_vec())
}

/// A request.
pub fn request(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let config = limits(&mut dice);
    let mut settings = ServerSettings::default();
    settings.plain_requests = dice.one_in(4);
    if dice.one_in(4) {
        settings.versions = Versions::default().with(Version::V8).with(Version::V7);
    }
    let n = 1 + dice.below(64);
    let head = dice.rest();
    let whole = serve(&config, &settings, head, head.len().max(1));
    assert_eq!(serve(&config, &settings, head, n), whole, "reads of {n}");
    assert_eq!(serve(&config, &settings, head, 1), whole, "octet by octet");
}

fn client() -> ClientRequest {
    let request = ClientRequest::new("ws://example.com/chat").and_then(|request| request.with_key(KEY));
    request.and_then(|request| request.with_subprotocol("chat")).expect("a good request")
}

fn connect(config: &Config, deflate: bool, octets: &[u8], n: usize) -> String {
    let request = if deflate { client().with_deflate(DeflateConfig::default()) } else { client() };
    let mut handshake = ClientHandshake::new(request, config.clone(), BoxEntropy::new(fixed_entropy));
    for read in octets.chunks(n) {
        assert!(handshake.receive(read) <= read.len());
    }
    let seen = format!("{:?}", handshake.poll_event());
    assert!(handshake.poll_event().is_none(), "one event");
    let body = handshake.response().map(|response| response.body().to_vec());
    assert!(body.as_ref().is_none_or(|body| body.len() <= 64 << 10), "what is kept of a body is bounded");
    format!("{seen} {body:?}")
}

/// A response.
pub fn response(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let config = limits(&mut dice);
    let deflate = dice.one_in(2);
    let n = 1 + dice.below(64);
    let head = dice.rest();
    let whole = connect(&config, deflate, head, head.len().max(1));
    assert_eq!(connect(&config, deflate, head, n), whole, "reads of {n}");
    assert_eq!(connect(&config, deflate, head, 1), whole, "octet by octet");
}
