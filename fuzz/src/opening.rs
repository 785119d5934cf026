//! Opening handshakes: the same verdict in any cut, answers that are bounded, no event behind the last, and no secret
//! that goes where it was not given for.

use std::sync::LazyLock;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{
    Accept, ClientHandshake, ClientRequest, ConnectProxy, Fields, Hop, Incoming, Journey, Outcome, Place,
    Proxy, Redirects, Request, Response, ServerHandshake, ServerSettings, Step,
};
use hybi::{BoxEntropy, Config, HandshakeError, Version, Versions};
use hybi_test::dice::Dice;
use hybi_test::endpoint::{self, fixed_entropy};

/// The key of [`client`], and what a server has to answer to it: the example of RFC 6455 §1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn limits(dice: &mut Dice<'_>) -> Config {
    endpoint::config(|config| {
        config.limits.head_bytes = dice.pick(&[16 << 10, 512, 200]);
        config.limits.head_fields = dice.pick(&[100, 12, 5]);
    })
}

/// What a server makes of reads: the event, and the answer.
fn serve(config: &Config, settings: &ServerSettings, octets: &[u8], n: usize) -> (Option<Incoming>, Vec<u8>) {
    let mut handshake = ServerHandshake::new(config.clone(), settings.clone());
    for read in octets.chunks(n) {
        assert!(handshake.receive(read) <= read.len());
    }
    let event = handshake.poll_event();
    assert!(handshake.poll_event().is_none(), "one event");
    assert!(handshake.transmit().len() <= 1024, "an answer of ours is short");
    (event, handshake.transmit().to_vec())
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
    if let (Some(Incoming::Upgrade(request)), _) = &whole {
        assert_eq!(request.head().method(), "GET");
        assert!(!request.host().is_empty(), "a request has a host");
        assert!(!request.fields().contains("transfer-encoding"), "and no body");
        is_clean(request.fields());
        accept(request);
    }
}

/// What is read of a request is what an answer may be made of.
fn accept(request: &Request) {
    let mut accept = Accept::new().with_deflate(DeflateConfig::default());
    if let Some(name) = request.subprotocols().iter().next() {
        accept = accept.with_subprotocol(name);
    }
    let acceptance = request.accept(accept).expect("a subprotocol that was offered");
    is_clean(&acceptance.fields);
    let _ = request.origin_allowed(&["https://example.com"]);
}

/// Nothing leaves its line.
fn is_clean(fields: &Fields) {
    for (name, value) in fields.iter() {
        assert!(!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':'));
        assert!(!value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)));
    }
}

static CLIENT: LazyLock<ClientRequest> = LazyLock::new(|| {
    let request = ClientRequest::new("ws://example.com/chat").and_then(|request| request.with_key(KEY));
    request.and_then(|request| request.with_subprotocol("chat")).expect("a good request")
});

fn client() -> ClientRequest {
    CLIENT.clone()
}

/// An answer as the caller sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    error: Option<HandshakeError>,
    answer: Option<(u16, Fields, Vec<u8>)>,
}

fn seen(event: Option<Outcome>, refused: Option<&Response>) -> Option<Seen> {
    let show = |response: &Response| {
        assert!(response.body().len() <= 64 << 10, "what is kept of a body is bounded");
        is_clean(response.fields());
        (response.status(), response.fields().clone(), response.body().to_vec())
    };
    Some(match event? {
        Outcome::Opened(response) => Seen { error: None, answer: Some(show(&response)) },
        Outcome::Failed(error) => Seen { error: Some(error), answer: refused.map(show) },
    })
}

fn connect(config: &Config, deflate: bool, octets: &[u8], n: usize) -> Option<Seen> {
    let request = if deflate { client().with_deflate(DeflateConfig::default()) } else { client() };
    let mut handshake = ClientHandshake::new(request, config.clone(), BoxEntropy::new(fixed_entropy));
    for read in octets.chunks(n) {
        assert!(handshake.receive(read) <= read.len());
    }
    let event = handshake.poll_event();
    assert!(handshake.poll_event().is_none(), "one event");
    seen(event, handshake.response())
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
    if let Some(Seen { error: None, answer }) = whole {
        let accept = answer.as_ref().and_then(|(_, fields, _)| fields.get("Sec-WebSocket-Accept"));
        assert_eq!(accept, Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    }
}

fn tunnel(config: &Config, octets: &[u8], n: usize) -> (Option<Seen>, Vec<u8>) {
    let proxy = Proxy::parse("http://user:secret@proxy.example").expect("a good address");
    let mut tunnel = ConnectProxy::new(&proxy, client().uri(), config.clone());
    for read in octets.chunks(n) {
        assert!(tunnel.receive(read) <= read.len());
    }
    let event = tunnel.poll_event();
    assert!(tunnel.poll_event().is_none(), "one event");
    let (seen, leftover) = (seen(event, tunnel.response()), tunnel.leftover().to_vec());
    tunnel.transmitted(tunnel.transmit().len());
    let is_open = matches!(seen, Some(Seen { error: None, .. }));
    assert_eq!(tunnel.into_handshake(client(), BoxEntropy::new(fixed_entropy)).is_some(), is_open);
    (seen, leftover)
}

/// What a proxy answers to CONNECT.
pub fn proxy(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let config = limits(&mut dice);
    let n = 1 + dice.below(64);
    let answer = dice.rest();
    let whole = tunnel(&config, answer, answer.len().max(1));
    assert_eq!(tunnel(&config, answer, n), whole, "reads of {n}");
    let (seen, leftover) = whole;
    let is_open = match seen {
        Some(Seen { error: None, answer: Some((status, ..)) }) => (200..300).contains(&status),
        Some(Seen { error: None, answer: None }) => unreachable!("a tunnel that nobody opened"),
        _ => false,
    };
    assert!(is_open && answer.ends_with(&leftover) || leftover.is_empty());
}

/// Header lists of HTTP/2: a request and the answer to one, names and values by line, split at the last colon.
pub fn extended(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let status = 198 + dice.below(4) as u16;
    let mut versions = Versions::default();
    if dice.one_in(4) {
        versions = versions.with(Version::V8);
    }
    let lines = dice.rest().split(|octet| *octet == b'\n');
    let list: Vec<(&str, &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().skip(1).position(|octet| *octet == b':')? + 1;
            Some((str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
        })
        .collect();
    let one = |name| list.iter().filter(|(n, _)| *n == name).map(|(_, value)| *value).collect::<Vec<_>>();
    match Request::from_extended_connect(versions, (2, 0), list.iter().copied()) {
        Ok(request) => {
            assert_eq!(one(":method"), [b"CONNECT"]);
            assert!(one(":protocol")[0].eq_ignore_ascii_case(b"websocket"));
            assert_eq!(one(":authority"), [request.host().as_bytes()]);
            assert!(one(":path")[0].starts_with(request.path().as_bytes()));
            is_clean(request.fields());
            accept(&request);
        }
        Err(refusal) => assert!((400..=501).contains(&refusal.answer.status())),
    }
    let request = client().with_deflate(DeflateConfig::default());
    if let Ok(agreement) = request.judge_extended(status, list.iter().copied()) {
        assert!((200..300).contains(&status));
        assert!(agreement.subprotocol().is_none_or(|name| name == "chat"));
    }
}

/// The network of a journey: one answer behind the other, each behind its length in two octets.
struct Answers<'o>(&'o [u8]);

impl<'o> Answers<'o> {
    fn next(&mut self) -> &'o [u8] {
        let [high, low, rest @ ..] = self.0 else { return &[] };
        let (answer, rest) = rest.split_at(rest.len().min(usize::from(*high) << 8 | usize::from(*low)));
        self.0 = rest;
        answer
    }
}

/// What a client did on its way.
struct Travelled {
    /// What it dialed and wrote.
    trace: Vec<String>,
    /// How it ended.
    end: String,
    /// A read came where TLS was to begin: it goes there, so here the cut matters.
    is_early: bool,
}

/// A journey of this kind.
fn set_out(choice: u8) -> Journey {
    let address = if choice & 1 == 0 { "ws://a.example/x?y" } else { "wss://user:secret@a.example/x/y" };
    let request = ClientRequest::new(address)
        .and_then(|request| request.with_key(KEY)?.with_header("Cookie", "secret")?.with_subprotocol("chat"))
        .expect("a good request");
    let mut redirects = Redirects::default();
    (redirects.limit, redirects.allow_insecure, redirects.allow_unix) =
        (3, choice & 8 != 0, choice & 16 != 0);
    let config = endpoint::config(|config| config.limits.head_bytes = 1024);
    let mut journey = Journey::new(request, config, BoxEntropy::new(fixed_entropy)).with_redirects(redirects);
    if choice & 2 != 0 {
        let address = if choice & 4 != 0 { "https://proxy.example" } else { "http://p:q@proxy.example" };
        journey = journey.with_proxies(Proxy::parse(address).expect("a good address"));
    }
    if choice & 32 != 0 {
        journey = journey.with_versions(Versions::default().with(Version::V8).with(Version::V7));
    }
    journey
}

fn travel(choice: u8, answers: &[u8], n: usize) -> Travelled {
    let mut journey = set_out(choice);
    let (mut trace, mut answers, mut is_secure, mut dialed) = (Vec::new(), Answers(answers), false, 0);
    let mut is_early = false;
    for _ in 0..200 {
        match journey.step() {
            Step::Dial(place) => {
                assert!(choice & 16 != 0 || matches!(place, Place::Tcp(..)), "no socket of this machine");
                trace.push(format!("{place:?}"));
                journey.dialed();
                (is_secure, dialed) = (false, dialed + 1);
                assert!(dialed <= (1 + 3) * 3, "redirects have a limit, and versions only go down");
            }
            Step::StartTls { server_name, hop } => {
                trace.push(format!("{hop:?} {server_name}"));
                is_secure |= hop == Hop::Server;
                journey.secured();
            }
            Step::Exchange if !journey.transmit().is_empty() => {
                let sent = String::from_utf8_lossy(journey.transmit()).into_owned();
                if sent.starts_with("GET") {
                    let uri = journey.request().uri();
                    assert_eq!(uri.is_secure(), is_secure);
                    assert!(is_secure || choice & 1 == 0 || choice & 8 != 0, "from wss to ws without leave");
                    assert!(
                        !sent.contains("Cookie") || uri.host() == "a.example",
                        "a secret for another host"
                    );
                    assert!(
                        is_secure || choice & 1 == 0 || !sent.contains("Cookie"),
                        "a secret in the clear"
                    );
                    assert_eq!(sent.matches("\r\n\r\n").count(), 1, "one head");
                }
                trace.push(sent);
                journey.transmitted(journey.transmit().len());
            }
            Step::Exchange => {
                for read in answers.next().chunks(n) {
                    match journey.step() {
                        Step::Exchange => drop(journey.receive(read)),
                        Step::StartTls { .. } => is_early = true,
                        _ => {}
                    }
                }
                if journey.step() == Step::Exchange && journey.transmit().is_empty() {
                    journey.receive_eof();
                }
            }
            Step::Ask(_) => unreachable!("it does not stop there"),
            Step::Redirect(request) => {
                let request = request.clone();
                journey.follow(request);
            }
            Step::Over => {
                let end = match journey.into_connection() {
                    Ok((_, response)) => format!("open {}", response.status()),
                    Err(error) => format!("{error} {:?}", error.response().map(Response::status)),
                };
                return Travelled { trace, end, is_early };
            }
        }
    }
    unreachable!("no end is in sight: {trace:?}")
}

/// A client's way over proxies and redirects.
pub fn journey(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let (choice, n) = (dice.octet(), 1 + dice.below(64));
    let answers = dice.rest();
    let whole = travel(choice, answers, usize::MAX);
    let cut = travel(choice, answers, n);
    if !cut.is_early {
        assert_eq!((cut.trace, cut.end), (whole.trace, whole.end), "reads of {n}");
    }
}
