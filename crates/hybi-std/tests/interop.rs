//! Against peers that other people wrote: the npm package `ws` and the Python package `websockets`, each as
//! client and as server.
#![cfg(any(feature = "deflate", feature = "zlib-rs"))]
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::net::TcpListener;
use std::process::Command;
use std::thread;

use common::{bounded, drain, echo, pending, some_octets, some_text};
use hybi::Agreement;
use hybi::extension::permessage_deflate::{DeflateConfig, Takeover, Window, WindowBits};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, Config, Connector, Event, Kind, Message, Stream,
    WebSocket,
};
use hybi_test::foreign::{Server, expect_ok, peer};

// ---- servers

/// A client of ours uses a foreign echo server in all ways, and both agree on how it ended.
fn use_server(name: &str, arguments: &[&str], deflate: Option<DeflateConfig>) {
    let Some(command) = peer(name) else { return };
    let server = Server::start(command, &[arguments, &["--subprotocol=tide"]].concat());
    let request = ClientRequest::new(&*format!("ws://127.0.0.1:{}/", server.port())).expect("an address");
    let request = request.with_subprotocol("other").and_then(|request| request.with_subprotocol("tide"));
    let mut request = request.expect("tokens");
    let extensions = if deflate.is_some() { "permessage-deflate" } else { "-" };
    if let Some(config) = deflate {
        request = request.with_deflate(config);
    }
    let (mut client, response) = Connector::default().connect(request).expect("it is open");
    assert_eq!(response.subprotocol(), Some("tide"));
    assert_eq!(server.line(), format!("open {extensions} tide"));

    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
        expect_back(&mut client, Message::from(some_text(len)));
        expect_back(&mut client, Message::from(some_octets(len)));
        let text = some_text(len);
        let mut writer = client.start(Kind::Text).expect("it is open");
        for piece in text.as_bytes().chunks(len / 3 + 1) {
            writer.write(piece).expect("taken");
        }
        writer.finish(b"").expect("whole characters");
        client.flush().expect("flushed");
        assert!(client.recv_message() == Some(Message::from(text)), "{len}");
    }
    for n in 0..100 {
        expect_back(&mut client, Message::from(report(n)));
    }
    client.ping(b"depth").expect("sent");
    while !matches!(client.recv().expect("the pong comes before the end"), Event::Pong(b"depth")) {}

    client.close(CloseCode::new(4000).expect("a code"), "all told").expect("it is open");
    let (_, end) = drain(&mut client);
    assert_eq!((end.code(), end.is_clean()), (4000, true), "{end:?}");
    assert_eq!(server.line(), "closed 4000 all told");
}

/// Messages that have much in common.
fn report(n: usize) -> String {
    format!(r#"{{"station":{},"tide":"{}","depths":[{},{},{}]}}"#, n % 7, some_text(n), n * 31, n * 17, n)
}

/// What compresses every message, as the foreign peers do.
fn deflate(change: impl FnOnce(&mut DeflateConfig)) -> Option<DeflateConfig> {
    let mut config = DeflateConfig::default();
    config.threshold = 0;
    change(&mut config);
    Some(config)
}

fn without_takeover(config: &mut DeflateConfig) {
    (config.server_no_context_takeover, config.client_no_context_takeover) = (Takeover::None, Takeover::None);
}

fn small_windows(config: &mut DeflateConfig) {
    let window = Window::AtMost(WindowBits::new(9).expect("there is one"));
    (config.server_max_window_bits, config.client_max_window_bits) = (window, window);
}

fn expect_back(client: &mut WebSocket<Stream>, message: Message) {
    client.send(&message).expect("sent");
    assert!(client.recv_message() == Some(message));
}

#[test]
fn our_client_and_the_server_of_ws() {
    bounded(|| use_server("ws-server", &["--deflate=off"], None));
}

#[test]
fn our_client_and_the_server_of_faye_websocket() {
    bounded(|| use_server("faye-server", &["--deflate=off"], None));
}

#[test]
fn our_client_and_the_server_of_ws_that_would_compress() {
    bounded(|| use_server("ws-server", &["--deflate=on"], None));
}

#[test]
fn our_client_and_the_server_of_websockets() {
    bounded(|| use_server("websockets-server", &["--deflate=off"], None));
}

#[test]
fn our_client_and_the_server_of_websockets_that_would_compress() {
    bounded(|| use_server("websockets-server", &["--deflate=on"], None));
}

#[test]
fn our_client_and_the_server_of_ws_compress() {
    bounded(|| use_server("ws-server", &["--deflate=on"], deflate(|_| {})));
}

#[test]
fn our_client_and_the_server_of_websockets_compress() {
    bounded(|| use_server("websockets-server", &["--deflate=on"], deflate(|_| {})));
}

#[test]
fn our_client_and_the_servers_compress_without_context() {
    bounded(|| use_server("ws-server", &["--deflate=on"], deflate(without_takeover)));
    bounded(|| use_server("websockets-server", &["--deflate=on"], deflate(without_takeover)));
}

#[test]
fn our_client_and_the_servers_compress_in_small_windows() {
    bounded(|| use_server("ws-server", &["--deflate=on"], deflate(small_windows)));
    bounded(|| use_server("websockets-server", &["--deflate=on"], deflate(small_windows)));
}

// ---- a thousand messages each way, whatever was agreed on

/// What either side may ask for: whether no context is taken over, and the window of both directions.
type Wish = (bool, Option<u8>);

const WISHES: [Wish; 4] = [(false, None), (true, None), (false, Some(9)), (false, Some(15))];

fn flags(wish: Wish) -> Vec<String> {
    let no_takeover = wish.0.then(|| "--no-context-takeover".to_owned());
    no_takeover.into_iter().chain(wish.1.map(|bits| format!("--window-bits={bits}"))).collect()
}

fn settings(wish: Wish) -> DeflateConfig {
    let change = |config: &mut DeflateConfig| {
        if wish.0 {
            without_takeover(config);
        }
        if let Some(bits) = wish.1 {
            let window = Window::AtMost(WindowBits::new(bits).expect("there is one"));
            (config.server_max_window_bits, config.client_max_window_bits) = (window, window);
        }
    };
    deflate(change).expect("it compresses")
}

/// What comes of both wishes is the narrower of each.
fn expect_agreed(agreement: &Agreement, ours: Wish, theirs: Wish) {
    let params = agreement.deflate().expect("both wish it").params();
    let no_takeover = ours.0 || theirs.0;
    let takeovers = (params.server_no_context_takeover, params.client_no_context_takeover);
    assert_eq!(takeovers, (no_takeover, no_takeover), "{ours:?} {theirs:?}");
    let bits = ours.1.unwrap_or(15).min(theirs.1.unwrap_or(15));
    let windows = (params.server_max_window_bits.get(), params.client_max_window_bits.get());
    assert_eq!(windows, (bits, bits), "{ours:?} {theirs:?}");
}

fn a_thousand_messages(name: &'static str) {
    for theirs in WISHES {
        let Some(command) = peer(name) else { return };
        let flags = flags(theirs);
        let server = Server::start(command, &flags.iter().map(String::as_str).collect::<Vec<_>>());
        for ours in WISHES {
            if name == "ws-server" && ours.1.is_some() && ours.1 < theirs.1 {
                continue; // it does not go below the window that it was given
            }
            let url = format!("ws://127.0.0.1:{}/", server.port());
            bounded(move || converse(&url, ours, theirs));
            assert_eq!(server.line(), "open permessage-deflate -");
            assert_eq!(server.line(), "closed 1000");
        }
    }
}

fn converse(url: &str, ours: Wish, theirs: Wish) {
    let request = ClientRequest::new(url).expect("an address").with_deflate(settings(ours));
    let (mut client, _) = Connector::default().connect(request).expect("it is open");
    expect_agreed(client.agreement(), ours, theirs);
    let count = if ours == WISHES[0] || theirs == WISHES[0] { 1000 } else { 200 };
    let message = |n| match n % 2 {
        0 => Message::from(report(n)),
        _ => Message::from(report(n).into_bytes()),
    };
    for first in (0..count).step_by(20) {
        (first..first + 20).for_each(|n| client.send(&message(n)).expect("sent"));
        for n in first..first + 20 {
            assert!(client.recv_message() == Some(message(n)), "{n} {ours:?} {theirs:?}");
        }
    }
    client.close(CloseCode::NORMAL, "").expect("it is open");
    assert!(drain(&mut client).1.is_clean());
}

#[test]
fn our_client_and_the_server_of_ws_compress_a_thousand_messages() {
    a_thousand_messages("ws-server");
}

#[test]
fn our_client_and_the_server_of_websockets_compress_a_thousand_messages() {
    a_thousand_messages("websockets-server");
}

// ---- clients

/// A foreign client uses an echo server of ours in all ways; it checks everything itself.
fn serve_client(name: &str, arguments: &[&str], deflate: Option<DeflateConfig>) {
    let Some(mut command) = peer(name) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let extensions = if deflate.is_some() { "permessage-deflate" } else { "-" };
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("it connects");
        stream.set_nodelay(true).expect("TCP has it");
        let pending = pending(stream, &Acceptor::default());
        assert_eq!(pending.request().select_subprotocol(&["tide"]), Some("tide"));
        let mut accept = Accept::new().with_subprotocol("tide");
        if let Some(config) = deflate {
            accept = accept.with_deflate(config);
        }
        echo(pending.accept(accept).expect("accepted"))
    });
    let rounds = "24"; // each of its sizes, whole and in fragments
    let said = expect_ok(
        command
            .args([&format!("ws://{address}/"), rounds, "--subprotocol=tide", "--timeout=50"])
            .args(arguments),
    );
    assert!(said.contains(" messages=48 pings=24 "), "{said}");
    let expected = format!(" close=1000 extensions={extensions} subprotocol=tide");
    assert!(said.ends_with(&expected), "{said}");
    let end = serving.join().expect("well");
    assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "done", true));
}

#[test]
fn our_server_and_the_client_of_ws() {
    bounded(|| serve_client("ws-client", &["--deflate=off"], None));
}

#[test]
fn our_server_and_the_client_of_faye_websocket() {
    bounded(|| serve_client("faye-client", &["--deflate=off"], None));
}

#[test]
fn our_server_and_the_client_of_ws_that_would_compress() {
    bounded(|| serve_client("ws-client", &["--deflate=on"], None));
}

#[test]
fn our_server_and_the_client_of_websockets_that_would_compress() {
    bounded(|| serve_client("websockets-client", &["--deflate=on"], None));
}

#[test]
fn our_server_and_the_client_of_ws_compress() {
    bounded(|| serve_client("ws-client", &["--deflate=on"], deflate(|_| {})));
}

#[test]
fn our_server_and_the_client_of_websockets_compress() {
    bounded(|| serve_client("websockets-client", &["--deflate=on"], deflate(|_| {})));
}

#[test]
fn our_server_and_the_clients_compress_without_context() {
    for name in ["ws-client", "websockets-client"] {
        bounded(move || serve_client(name, &["--deflate=on", "--no-context-takeover"], deflate(|_| {})));
    }
}

/// The client checks what comes back; what was agreed on, and the end, are checked here.
fn serve_a_thousand_messages(name: &'static str) {
    let (none, no_takeover, bits_9, bits_15) = (WISHES[0], WISHES[1], WISHES[2], WISHES[3]);
    let each = WISHES.map(|theirs| (none, theirs));
    let ours = [(no_takeover, none), (bits_9, none), (bits_15, none), (bits_9, bits_15), (bits_15, bits_9)];
    for (ours, theirs) in each.into_iter().chain(ours) {
        let Some(command) = peer(name) else { return };
        bounded(move || serve_one(command, ours, theirs));
    }
}

fn serve_one(mut client: Command, ours: Wish, theirs: Wish) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("it connects");
        let pending = pending(stream, &Acceptor::default());
        let socket = pending.accept(Accept::new().with_deflate(settings(ours))).expect("accepted");
        expect_agreed(socket.agreement(), ours, theirs);
        echo(socket)
    });
    let said = expect_ok(client.args([&*url, "1", "--short=1000", "--timeout=25"]).args(flags(theirs)));
    assert!(said.contains(" messages=1002 ") && said.contains(" extensions=permessage-deflate "), "{said}");
    let end = serving.join().expect("well");
    assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "done", true));
}

#[test]
fn our_server_and_the_client_of_ws_compress_a_thousand_messages() {
    serve_a_thousand_messages("ws-client");
}

#[test]
fn our_server_and_the_client_of_websockets_compress_a_thousand_messages() {
    serve_a_thousand_messages("websockets-client");
}

#[test]
fn our_server_and_the_clients_compress_in_small_windows() {
    for name in ["ws-client", "websockets-client"] {
        bounded(move || serve_client(name, &["--deflate=on", "--window-bits=9"], deflate(|_| {})));
    }
}

// ---- over TLS, with a certificate authority that exists for one test

#[cfg(feature = "tls")]
mod over_tls {
    use std::net::TcpStream;

    use hybi_std::{Answer, PlainRequest, ServerSettings, TlsAcceptor, TlsStream};
    use hybi_test::tls::Authority;

    use super::*;

    fn use_server(name: &str) {
        let Some(command) = peer(name) else { return };
        let authority = Authority::new();
        let files = authority.issue(&["localhost"]).write(&authority);
        let [certificate, key] = files.server_arguments();
        let server = Server::start(command, &[&certificate, &key, "--deflate=on"]);
        let request =
            ClientRequest::new(&*format!("wss://localhost:{}/", server.port())).expect("an address");
        let connector = Connector::default().with_tls(authority.client_config());
        let (mut client, _) =
            connector.connect(request.with_deflate(DeflateConfig::default())).expect("open");
        assert!(client.get_ref().is_encrypted());
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
            expect_back(&mut client, Message::from(some_text(len)));
            expect_back(&mut client, Message::from(some_octets(len)));
        }
        client.ping(b"depth").expect("sent");
        while !matches!(client.recv().expect("the pong comes before the end"), Event::Pong(b"depth")) {}
        client.close(CloseCode::new(4000).expect("a code"), "all told").expect("it is open");
        let (_, end) = drain(&mut client);
        assert_eq!((end.code(), end.is_clean()), (4000, true), "{end:?}");
        assert!(client.io_error().is_none(), "{:?}", client.io_error());
        assert_eq!(server.line(), "open permessage-deflate -");
        assert_eq!(server.line(), "closed 4000 all told");
    }

    #[test]
    fn our_client_and_the_server_of_ws() {
        bounded(|| use_server("ws-server"));
    }

    #[test]
    fn our_client_and_the_server_of_websockets() {
        bounded(|| use_server("websockets-server"));
    }

    fn serve_client(name: &str) {
        let Some(mut command) = peer(name) else { return };
        let authority = Authority::new();
        let identity = authority.issue(&["localhost"]);
        let files = identity.write(&authority);
        let tls = TlsAcceptor::new(identity.server_config());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
        let serving = thread::spawn(move || {
            let stream = tls.accept(listener.accept().expect("it connects").0).expect("it trusts us");
            let pending = pending(stream, &Acceptor::default());
            echo(pending.accept(Accept::new().with_deflate(DeflateConfig::default())).expect("accepted"))
        });
        let said = expect_ok(command.args([&*url, "24", "--timeout=50", &files.client_argument()]));
        assert!(said.contains(" messages=48 pings=24 ") && said.contains(" close=1000 "), "{said}");
        let end = serving.join().expect("well");
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "done", true));
    }

    #[test]
    fn our_server_and_the_client_of_ws() {
        bounded(|| serve_client("ws-client"));
    }

    #[test]
    fn our_server_and_the_client_of_websockets() {
        bounded(|| serve_client("websockets-client"));
    }

    /// A browser that trusts this one key loads the page of `hybi echo` over `https://` and uses it over `wss://`.
    #[test]
    fn our_server_and_chromium() {
        const PAGE: &str = include_str!("../../hybi-cli/src/page.html");
        let Some(mut command) = peer("page") else { return };
        let authority = Authority::new();
        let identity = authority.issue(&["localhost"]);
        let tls = TlsAcceptor::new(identity.server_config());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("https://localhost:{}/", listener.local_addr().expect("bound").port());
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, tell) = (tls.clone(), tell.clone());
                thread::spawn(move || {
                    let Ok(stream) = tls.accept(stream) else { return }; // a browser connects at a venture, too
                    match Acceptor::new(Config::default(), with_plain_requests()).read(stream) {
                        Ok(Arrival::Upgrade(pending)) => {
                            let end = echo(pending.accept(Accept::new()).expect("accepted"));
                            tell.send(end).expect("somebody waits for it");
                        }
                        Ok(Arrival::Plain(plain)) => respond(plain),
                        Err(_) => {}
                    }
                });
            }
        });
        fn with_plain_requests() -> ServerSettings {
            let mut settings = ServerSettings::default();
            settings.plain_requests = true;
            settings
        }
        fn respond(plain: PlainRequest<TlsStream<TcpStream>>) {
            let answer =
                Answer::new(200).with_header("Content-Type", "text/html; charset=utf-8").with_body(PAGE);
            let _ = plain.respond(answer); // it may have been at a venture
        }
        let trust = format!("--trust-key={}", identity.public_key_hash());
        let said = expect_ok(command.args([&*url, "--timeout=80", "--many=100", &trust]));
        assert!(
            said.starts_with("ok text=1 binary=1 ") && said.ends_with(" many=100 extensions=- closed"),
            "{said}"
        );
        assert!(told.recv_timeout(common::BOUND).expect("it was used").is_clean());
    }
}
