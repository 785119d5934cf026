//! The way of a client to an open connection: which steps it takes, for each kind of address, and where they end.
//! The network is a list of answers for each transport, and the trace is what an adapter would do.

use core::time::Duration;

use hybi::handshake::{
    ClientRequest, Destination, Hop, Journey, JourneyError, Place, Proxies, Proxy, RedirectError, Redirects,
    Response, Step,
};
use hybi::{Config, Connection, Event, HandshakeError, Instant, Version, Versions};

use crate::{client_request, entropy, response_with};

const TUNNEL: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

fn journey(uri: &str) -> Journey {
    Journey::new(client_request(uri), Config::default(), entropy())
}

fn proxy(address: &str) -> Proxy {
    Proxy::parse(address).expect(address)
}

fn moved(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n")
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// What an adapter is told to do, in a few words.
fn show(step: Step<'_>) -> String {
    match step {
        Step::Dial(Place::Tcp(host, port)) => format!("dial {host} {port}"),
        Step::Dial(Place::Unix(path)) => format!("dial {path}"),
        Step::StartTls { server_name, hop: Hop::Proxy } => format!("tls with proxy {server_name}"),
        Step::StartTls { server_name, hop: Hop::Server } => format!("tls with server {server_name}"),
        Step::Exchange => "exchange".to_owned(),
        Step::Ask(request) => format!("ask {}", request.uri()),
        Step::Redirect(request) => format!("redirect {}", request.uri()),
        Step::Over => "over".to_owned(),
    }
}

/// Runs a journey through a network that gives these answers, one for each request that it gets, in pieces of
/// `step` octets. What was done: the steps, with requests by their first line.
fn run(journey: &mut Journey, answers: &[&str], step: usize) -> Vec<String> {
    let (mut trace, mut answers) = (Vec::new(), answers.iter());
    loop {
        match journey.step() {
            Step::Dial(_) => {
                trace.push(show(journey.step()));
                journey.dialed();
            }
            Step::StartTls { .. } => {
                trace.push(show(journey.step()));
                journey.secured();
            }
            Step::Exchange if !journey.transmit().is_empty() => {
                let line = journey.transmit().split(|octet| *octet == b'\r').next().unwrap_or_default();
                trace.push(String::from_utf8(line.to_vec()).expect("text").replace(" HTTP/1.1", ""));
                journey.transmitted(journey.transmit().len());
            }
            Step::Exchange => match answers.next() {
                Some(answer) => {
                    for piece in answer.as_bytes().chunks(step) {
                        assert_eq!(journey.receive(piece), piece.len());
                    }
                }
                None => journey.receive_eof(),
            },
            Step::Ask(request) => {
                trace.push(show(journey.step()));
                journey.ask(request.clone().with_header("Authorization", "Bearer tide").expect("a header"));
            }
            Step::Redirect(request) => {
                let request = request.clone();
                journey.follow(request);
            }
            Step::Over => return trace,
        }
    }
}

/// The same for each way to cut the answers; all have to give the same trace.
fn trace(
    start: impl Fn() -> Journey,
    answers: &[&str],
) -> (Vec<String>, Result<(Connection, Response), JourneyError>) {
    let mut journey = start();
    let whole = run(&mut journey, answers, usize::MAX);
    for step in [1, 2, 7] {
        assert_eq!(run(&mut start(), answers, step), whole, "in pieces of {step}");
    }
    (whole, journey.into_connection())
}

#[test]
fn each_address_takes_its_steps() {
    let open = response_with(&[]);
    for (uri, by, answers, expected) in [
        ("ws://h/chat", None, vec![&*open], vec!["dial h 80", "GET /chat"]),
        ("wss://h/chat", None, vec![&open], vec!["dial h 443", "tls with server h", "GET /chat"]),
        ("ws://[::1]:81/", None, vec![&open], vec!["dial ::1 81", "GET /"]),
        ("ws+unix:/run/s:/chat", None, vec![&open], vec!["dial /run/s", "GET /chat"]),
        ("ws+unix:/run/s", Some("http://p"), vec![&open], vec!["dial /run/s", "GET /"]),
        (
            "ws://h/chat",
            Some("http://p:3128"),
            vec![TUNNEL, &open],
            vec!["dial p 3128", "CONNECT h:80", "GET /chat"],
        ),
        (
            "wss://h/chat",
            Some("http://p"),
            vec![TUNNEL, &open],
            vec!["dial p 80", "CONNECT h:443", "tls with server h", "GET /chat"],
        ),
        (
            "ws://h/chat",
            Some("https://p"),
            vec![TUNNEL, &open],
            vec!["dial p 443", "tls with proxy p", "CONNECT h:80", "GET /chat"],
        ),
        (
            "wss://h/chat",
            Some("https://p"),
            vec![TUNNEL, &open],
            vec!["dial p 443", "tls with proxy p", "CONNECT h:443", "tls with server h", "GET /chat"],
        ),
    ] {
        let start = || match by {
            Some(address) => journey(uri).with_proxies(proxy(address)),
            None => journey(uri),
        };
        let (steps, result) = trace(start, &answers);
        assert_eq!(steps, expected, "{uri} by {by:?}");
        let (_, response) = result.expect("it is open");
        assert_eq!(response.status(), 101);
    }
}

/// §4.1, item 2: behind a proxy each name counts as another host.
#[test]
fn behind_a_proxy_a_destination_is_a_name() {
    let proxies = Proxies::all(proxy("http://p")).except("direct.example");
    let hidden = |uri| journey(uri).with_proxies(proxies.clone()).hidden_destination();
    assert_eq!(hidden("wss://h/"), Some(Destination::Name("h".into(), 443)));
    assert_eq!(hidden("wss://direct.example/"), None);
}

#[test]
fn a_server_behind_a_proxy_is_known_by_name_alone() {
    // RFC 6455 §4.1, item 2: whom to take turns with
    let proxies = || Proxies::all(proxy("http://p")).except("direct.example");
    for (uri, expected) in [
        ("ws://h/chat", Some(("h", 80))),
        ("wss://h:81/", Some(("h", 81))),
        ("ws://direct.example/", None),
        ("ws+unix:/run/s", None),
    ] {
        let expected = expected.map(|(host, port)| Destination::Name(host.into(), port));
        assert_eq!(journey(uri).with_proxies(proxies()).hidden_destination(), expected, "{uri}");
        assert_eq!(journey(uri).hidden_destination(), None, "{uri} without a proxy");
    }
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let mut journey = journey("ws://h/");
    let other = || client_request("ws://i/");
    for _ in 0..2 {
        let before = (show(journey.step()), journey.transmit().to_vec());
        journey.ask(other());
        journey.follow(other());
        journey.stop();
        journey.secured();
        assert_eq!((show(journey.step()), journey.transmit().to_vec()), before);
        assert_eq!(journey.request().uri().to_string(), "ws://h/");
        journey.dialed();
    }
    assert_eq!(show(journey.step()), "exchange");
}

#[test]
fn a_redirect_begins_anew() {
    let open = response_with(&[]);
    let start = || journey("wss://h/a").with_redirects(Redirects::default());
    let (steps, result) = trace(start, &[&moved("//i:99/b"), &moved("c?d"), &open]);
    let expected = [
        ["dial h 443", "tls with server h", "GET /a"],
        ["dial i 99", "tls with server i", "GET /b"],
        ["dial i 99", "tls with server i", "GET /c?d"],
    ];
    assert_eq!(steps, expected.concat());
    assert!(result.is_ok());
}

#[test]
fn each_address_has_its_own_proxy() {
    let open = response_with(&[]);
    let start = || {
        let proxies = Proxies::all(proxy("http://p")).except("direct.example");
        let redirects = {
            let mut redirects = Redirects::default();
            redirects.allow_unix = true;
            redirects
        };
        journey("ws://h/").with_proxies(proxies).with_redirects(redirects)
    };
    let answers = [TUNNEL, &moved("wss://i/"), TUNNEL, &moved("wss://direct.example/"), &open];
    let (steps, result) = trace(start, &answers);
    let expected = [
        &["dial p 80", "CONNECT h:80", "GET /"][..],
        &["dial p 80", "CONNECT i:443", "tls with server i", "GET /"],
        &["dial direct.example 443", "tls with server direct.example", "GET /"],
    ];
    assert_eq!(steps, expected.concat());
    assert!(result.is_ok());
    let (steps, _) = trace(start, &[TUNNEL, &moved("ws+unix:/s"), &open]);
    assert_eq!(steps, ["dial p 80", "CONNECT h:80", "GET /", "dial /s", "GET /"]);
}

#[test]
fn redirects_are_followed_only_where_they_are_wanted() {
    let (steps, result) = trace(|| journey("ws://h/"), &[&moved("/b")]);
    assert_eq!(steps, ["dial h 80", "GET /"]);
    let error = result.expect_err("nobody follows");
    assert!(matches!(error, JourneyError::Handshake(HandshakeError::UnexpectedStatus(302), _)), "{error}");
    assert_eq!(error.response().and_then(|r| r.fields().get_str("location")), Some("/b"));

    let once = || {
        let mut redirects = Redirects::default();
        redirects.limit = 1;
        journey("wss://h/").with_redirects(redirects)
    };
    let (_, result) = trace(once, &[&moved("/b"), &moved("/c")]);
    assert!(matches!(result, Err(JourneyError::Redirect(RedirectError::TooMany, _))));
    let (_, result) = trace(once, &[&moved("ws://h/")]);
    let error = result.expect_err("not without TLS");
    assert!(matches!(error, JourneyError::Redirect(RedirectError::Insecure, _)));
    assert_eq!(error.response().map(Response::status), Some(302));
}

/// A journey that has come to a redirect.
fn at_redirect(request: ClientRequest, location: &str) -> Journey {
    let mut journey =
        Journey::new(request, Config::default(), entropy()).with_redirects(Redirects::default());
    journey.dialed();
    journey.transmitted(journey.transmit().len());
    let answer = moved(location);
    assert_eq!(journey.receive(answer.as_bytes()), answer.len());
    journey
}

#[test]
fn the_caller_sees_each_redirect_and_may_change_it() {
    let request = client_request("ws://h/").with_header("Cookie", "s=1").expect("good");
    let mut journey = at_redirect(request, "ws://i/b");
    let Step::Redirect(next) = journey.step() else { panic!("{:?}", journey.step()) };
    assert_eq!(next.uri().to_string(), "ws://i/b");
    let next = next.clone().with_header("X-Hop", "2").expect("good");
    journey.follow(next);
    assert_eq!(journey.step(), Step::Dial(Place::Tcp("i", 80)));
    journey.dialed();
    let text = String::from_utf8(journey.transmit().to_vec()).expect("text");
    assert!(text.contains("\r\nX-Hop: 2\r\n") && !text.contains("Cookie"), "{text}");
}

#[test]
fn the_caller_may_stop_at_a_redirect() {
    let mut journey = at_redirect(client_request("ws://h/"), "/b");
    assert_eq!(journey.poll_timeout(), None, "the caller thinks as long as it likes");
    journey.stop();
    assert_eq!(journey.step(), Step::Over);
    let error = journey.into_connection().expect_err("stopped");
    assert!(matches!(error, JourneyError::Handshake(HandshakeError::UnexpectedStatus(302), Some(_))));
}

#[test]
fn a_version_that_both_know_is_tried() {
    // RFC 6455 §4.4
    let versions = Versions::default().with(Version::V8).with(Version::V7);
    let start = || journey("ws://h/").with_versions(versions);
    let refusal = "HTTP/1.1 426 \r\nSec-WebSocket-Version: 25, 8\r\nSec-WebSocket-Version: 7\r\n\r\n";
    let (steps, result) = trace(start, &[refusal, &response_with(&[])]);
    assert_eq!(steps, ["dial h 80", "GET /", "dial h 80", "GET /"]);
    assert_eq!(result.expect("open").0.agreement().version(), Version::V8);

    let (steps, result) = trace(start, &[refusal, refusal, refusal]);
    assert_eq!(steps.len(), 6, "13, 8, 7, and then no more: {steps:?}");
    assert!(matches!(result, Err(JourneyError::Handshake(HandshakeError::UnexpectedStatus(426), _))));

    for answer in [
        "HTTP/1.1 426 \r\nSec-WebSocket-Version: 25\r\n\r\n",
        "HTTP/1.1 426 \r\nSec-WebSocket-Version: 13\r\n\r\n",
        "HTTP/1.1 426 \r\nSec-WebSocket-Version: 80, 07, 8 7\r\n\r\n",
        "HTTP/1.1 426 \r\n\r\n",
        "HTTP/1.1 503 \r\nSec-WebSocket-Version: 8\r\n\r\n",
    ] {
        assert_eq!(trace(start, &[answer]).0.len(), 2, "{answer}");
    }
    assert_eq!(trace(|| journey("ws://h/"), &[refusal]).0.len(), 2, "only where it is wanted");
    let eight = || journey("ws://h/").with_versions(Versions::default().with(Version::V8));
    let mut attempt = eight();
    run(&mut attempt, &[refusal], usize::MAX);
    assert_eq!(attempt.request().version(), Version::V8, "7 is not ours");
}

#[test]
fn a_proxy_that_refuses_ends_the_journey() {
    let start = || journey("wss://h/").with_proxies(proxy("http://p")).with_redirects(Redirects::default());
    let refusal = "HTTP/1.1 407 \r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?";
    let (steps, result) = trace(start, &[refusal]);
    assert_eq!(steps, ["dial p 80", "CONNECT h:443"]);
    let error = result.expect_err("refused");
    assert!(matches!(error, JourneyError::Proxy(HandshakeError::UnexpectedStatus(407), _)), "{error}");
    assert_eq!(error.response().map(Response::body), Some(&b"who?"[..]));
    // A proxy cannot send us elsewhere.
    let (steps, result) = trace(start, &[&moved("http://q/")]);
    assert_eq!(steps.len(), 2);
    assert!(matches!(result, Err(JourneyError::Proxy(HandshakeError::UnexpectedStatus(302), _))));
}

#[test]
fn what_comes_with_the_proxys_answer_is_not_lost() {
    let octets = [TUNNEL.as_bytes(), response_with(&[]).as_bytes(), b"\x81\x02hi"].concat();
    for step in [1, 3, octets.len()] {
        let mut journey = journey("ws://h/").with_proxies(proxy("http://p"));
        journey.dialed();
        journey.transmitted(journey.transmit().len());
        for piece in octets.chunks(step) {
            assert_eq!(journey.receive(piece), piece.len());
        }
        let (mut connection, _) = journey.into_connection().expect("open");
        assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_str() == "hi"));
    }
}

#[test]
fn octets_in_front_of_tls_end_the_journey() {
    for step in [1, usize::MAX] {
        let mut journey = journey("wss://h/").with_proxies(proxy("http://p"));
        journey.dialed();
        journey.transmitted(journey.transmit().len());
        let early = [TUNNEL, "HTTP/1.1 101 "].concat();
        assert_eq!(journey.receive(early.as_bytes()), early.len());
        assert_eq!(journey.step(), Step::Over, "{step}");
        let error = journey.into_connection().expect_err("not from the server");
        assert!(matches!(error, JourneyError::Proxy(HandshakeError::EarlyOctets, None)));
    }
}

#[test]
fn a_proxy_that_answers_early_gets_the_rest_of_the_request() {
    let mut journey = journey("wss://h/").with_proxies(proxy("http://p"));
    journey.dialed();
    journey.transmitted(10);
    assert_eq!(journey.receive(TUNNEL.as_bytes()), TUNNEL.len());
    assert_eq!(journey.step(), Step::Exchange, "TLS does not begin inside of a request");
    journey.transmitted(journey.transmit().len());
    assert_eq!(show(journey.step()), "tls with server h");
}

#[test]
fn one_attempt_has_the_time_of_a_handshake() {
    let mut config = Config::default();
    config.timeouts.handshake = Some(Duration::from_secs(3));
    let begin = |uri: &str| {
        let mut journey = Journey::new(client_request(uri), config.clone(), entropy())
            .with_proxies(proxy("https://p"))
            .with_redirects(Redirects::default());
        assert_eq!(journey.poll_timeout(), Some(Instant::ZERO), "look at the clock first");
        journey.handle_timeout(at(5));
        assert_eq!(journey.poll_timeout(), Some(at(8)));
        journey
    };
    // It counts through all the steps up to the open connection; whichever is the one, it ends there.
    let steps: [&dyn Fn(&mut Journey); 6] = [
        &|_| {},
        &Journey::dialed,
        &Journey::secured,
        &|journey| assert_eq!(journey.receive(TUNNEL.as_bytes()), TUNNEL.len()),
        &|journey| journey.transmitted(journey.transmit().len()),
        &Journey::secured,
    ];
    for n in 0..steps.len() {
        let mut journey = begin("wss://h/");
        steps[..=n].iter().for_each(|step| step(&mut journey));
        journey.handle_timeout(at(7));
        assert_ne!(journey.step(), Step::Over);
        journey.handle_timeout(at(8));
        assert_eq!((journey.step(), journey.poll_timeout()), (Step::Over, None), "after {n}");
        match journey.into_connection().expect_err("too late") {
            JourneyError::Handshake(HandshakeError::TimedOut, None)
            | JourneyError::Proxy(HandshakeError::TimedOut, None) => {}
            error => panic!("{error}"),
        }
    }
}

#[test]
fn a_redirect_has_its_own_time() {
    let mut journey = at_redirect(client_request("ws://h/"), "/b");
    journey.handle_timeout(at(100));
    let Step::Redirect(next) = journey.step() else { panic!("{:?}", journey.step()) };
    let next = next.clone();
    journey.follow(next);
    assert_eq!(journey.poll_timeout(), Some(Instant::ZERO));
    journey.handle_timeout(at(100));
    assert_eq!(journey.poll_timeout(), Some(at(110)));
}

#[test]
fn a_body_that_does_not_end_is_given_up_soon() {
    for timeout in [None, Some(Duration::from_secs(60))] {
        let mut config = Config::default();
        config.timeouts.handshake = timeout;
        let mut journey = Journey::new(client_request("ws://h/"), config, entropy());
        journey.dialed();
        journey.transmitted(journey.transmit().len());
        let answer = b"HTTP/1.1 500 \r\n\r\nabc";
        assert_eq!(journey.receive(answer), answer.len());
        assert_eq!(journey.step(), Step::Exchange);
        journey.handle_timeout(at(1));
        assert_eq!(journey.poll_timeout(), Some(at(3)));
        journey.handle_timeout(at(3));
        assert_eq!(journey.step(), Step::Over);
        let error = journey.into_connection().expect_err("refused");
        assert!(matches!(error, JourneyError::Handshake(HandshakeError::UnexpectedStatus(500), _)));
        assert_eq!(error.response().map(Response::body), Some(&b"abc"[..]));
    }
}

#[test]
fn a_transport_that_ends_ends_the_journey() {
    for steps in 0..3 {
        let mut journey = journey("wss://h/");
        (steps > 0).then(|| journey.dialed());
        (steps > 1).then(|| journey.secured());
        journey.receive_eof();
        assert_eq!(journey.step(), Step::Over);
        let error = journey.into_connection().expect_err("it ended");
        assert!(matches!(error, JourneyError::Handshake(HandshakeError::TransportEnded, None)), "{error}");
    }
}

#[test]
fn calls_that_no_step_asked_for_do_nothing() {
    let mut journey = journey("wss://h/");
    journey.secured();
    journey.transmitted(9);
    journey.stop();
    journey.follow(client_request("ws://other/"));
    assert_eq!(journey.receive(b"abc"), 3);
    assert_eq!(show(journey.step()), "dial h 443");
    journey.dialed();
    journey.dialed();
    assert_eq!((show(journey.step()), journey.transmit()), ("tls with server h".to_owned(), &b""[..]));
    journey.secured();
    journey.secured();
    assert_eq!(journey.step(), Step::Exchange);
    assert!(journey.transmit().starts_with(b"GET / "));
    assert!(matches!(journey.into_connection(), Err(JourneyError::NotOver)));
}

#[test]
fn debug_shows_no_secret() {
    let proxy = proxy("http://ada:hush@p").with_header("Proxy-Authorization", "hush").expect("good");
    let request = client_request("wss://ada:hush@h/").with_header("Cookie", "hush").expect("good");
    let mut journey = Journey::new(request, Config::default(), entropy()).with_proxies(proxy);
    for _ in 0..3 {
        let shown = format!("{journey:?} {:?}", journey.step());
        assert!(!shown.contains("hush") && !shown.contains("aHVza"), "{shown}");
        journey.dialed();
        journey.secured();
    }
}

#[test]
fn the_last_moment_to_change_a_request_is_when_the_server_is_reached() {
    let open = response_with(&[]);
    for (uri, by, answers, expected) in [
        ("ws://h/", None, vec![&*open], vec!["dial h 80", "ask ws://h/", "GET /"]),
        ("wss://h/", None, vec![&open], vec!["dial h 443", "tls with server h", "ask wss://h/", "GET /"]),
        (
            "ws://h/",
            Some("http://p:3128"),
            vec![TUNNEL, &open],
            vec!["dial p 3128", "CONNECT h:80", "ask ws://h/", "GET /"],
        ),
    ] {
        let (trace, end) = trace(
            || {
                let journey = journey(uri).stopping_to_ask();
                match by {
                    Some(by) => journey.with_proxies(proxy(by)),
                    None => journey,
                }
            },
            &answers,
        );
        assert_eq!(trace, expected, "{uri}");
        end.expect("it is open");
    }
    let mut journey = journey("ws://h/").stopping_to_ask();
    journey.dialed();
    let Step::Ask(request) = journey.step() else { unreachable!("{:?}", journey.step()) };
    journey.ask(request.clone().with_header("Authorization", "Bearer tide").expect("a header"));
    assert!(String::from_utf8_lossy(journey.transmit()).contains("Authorization: Bearer tide\r\n"));
    // The time of the attempt goes on, and the end of the transport is the end.
    for end in [Journey::receive_eof as fn(&mut Journey), |journey| journey.handle_timeout(at(11))] {
        let mut journey = self::journey("ws://h/").stopping_to_ask();
        journey.handle_timeout(at(0));
        journey.dialed();
        end(&mut journey);
        assert_eq!(journey.step(), Step::Over);
        journey.into_connection().expect_err("it was not asked");
    }
}
