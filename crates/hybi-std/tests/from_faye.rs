//! What the README of the npm package `faye-websocket` shows, with one side in Rust: each example against the other
//! side on faye-websocket itself. The Rust side is what `docs/coming-from-faye-websocket.md` puts beside it.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use common::readme::{Readme, request};
use common::{bounded, drain, pending};
use hybi::ProtocolError;
use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_std::{
    Accept, Acceptor, CloseCause, CloseCode, Config, Connector, Event, Kind, Stream, WebSocket, accept,
    connect,
};
use hybi_test::foreign::{expect_ok, peer};
use hybi_test::proxy::{Manner, Proxy};

const FAYE: Readme = Readme("faye-readme");

fn close(mut socket: WebSocket<Stream>) {
    socket.close(CloseCode::NORMAL, "ebb").expect("the first close");
    assert!(drain(&mut socket).1.is_clean());
}

// ---- clients of ours

#[test]
fn an_echo_server() {
    bounded(|| {
        let Some((server, url)) = FAYE.server("echo") else { return };
        let (mut socket, _) = connect(&url).expect("it opens");
        socket.send("high water?").expect("it is open");
        assert_eq!(socket.recv_message(), Some("high water?".into()));
        close(socket);
        assert_eq!(server.line(), "close 1000 ebb");
    });
}

#[test]
fn an_echo_server_by_a_pipe() {
    bounded(|| {
        let Some((_server, url)) = FAYE.server("pipe") else { return };
        let (socket, _) = connect(&url).expect("it opens");
        let (mut reader, mut writer) = socket.into_byte_stream(Kind::Binary).into_split().expect("a socket");
        let octets = vec![7; 100_000];
        let writing = thread::spawn(move || {
            std::io::copy(&mut &octets[..], &mut writer).expect("it is open");
            writer
        });
        let mut back = vec![0; 100_000];
        std::io::Read::read_exact(&mut reader, &mut back).expect("all of it");
        assert!(back.iter().all(|octet| *octet == 7));
        writing.join().expect("well").shutdown().expect("it is open");
        std::io::copy(&mut reader, &mut std::io::sink()).expect("an orderly end");
    });
}

#[test]
fn a_ping_with_a_callback() {
    bounded(|| {
        let Some((server, url)) = FAYE.server("ping") else { return };
        let (mut socket, _) = connect(&url).expect("it opens");
        assert!(matches!(socket.recv(), Some(Event::Ping(b"Mic check, one, two"))));
        socket.flush().expect("it is open");
        assert_eq!(server.line(), "pong");
        close(socket);
    });
}

#[test]
fn subprotocols_of_a_server() {
    bounded(|| {
        let Some((_server, url)) = FAYE.server("subprotocols") else { return };
        for (offers, chosen) in [(["amqp", "irc"], Some("amqp")), (["stomp", "irc"], Some("irc"))] {
            let request = offers
                .iter()
                .fold(request(&url), |request, name| request.with_subprotocol(name).expect("a token"));
            let (mut socket, _) = Connector::default().connect(request).expect("it opens");
            assert_eq!(socket.agreement().subprotocol(), chosen);
            assert_eq!(socket.recv_message(), chosen.map(|name| (&*format!("speaking {name}")).into()));
            close(socket);
        }
    });
}

#[test]
fn a_server_with_permessage_deflate() {
    bounded(|| {
        let Some((_server, url)) = FAYE.server("deflate") else { return };
        let request = request(&url).with_deflate(DeflateConfig::default());
        let (mut socket, _) = Connector::default().connect(request).expect("it opens");
        assert_eq!(socket.agreement().extensions().collect::<Vec<_>>(), ["permessage-deflate"]);
        let text = "high water ".repeat(1000);
        for _ in 0..3 {
            socket.send(&*text).expect("it is open");
            assert_eq!(socket.recv_message(), Some((&*text).into()));
        }
        close(socket);
    });
}

#[test]
fn the_options_of_a_server() {
    bounded(|| {
        let Some((_server, url)) = FAYE.server("options") else { return };
        let (mut socket, response) = connect(&url).expect("it opens");
        assert_eq!(response.fields().get_str("X-Tide"), Some("high")); // headers
        assert!(matches!(socket.recv(), Some(Event::Ping(_)))); // ping
        socket.send(&*"x".repeat(1001)).expect("it is open"); // maxLength
        assert_eq!(drain(&mut socket).1.code(), 1009);
    });
}

/// `headers`, `maxLength` and `ping`; and the server hears with which code the client ended.
#[test]
fn the_options_of_our_client() {
    bounded(|| {
        let Some((server, url)) = FAYE.server("headers") else { return };
        let mut config = Config::default();
        config.limits.message = 1000;
        config.timeouts.keepalive = Some(Duration::from_millis(50));
        let request = request(&url).with_header("Cookie", "a=1").expect("a header");
        let (mut socket, _) = Connector::new(config).connect(request).expect("it opens");
        assert_eq!(server.line(), "cookie a=1");
        assert!(matches!(socket.recv(), Some(Event::Pong(b"1"))));
        socket.send(&*"x".repeat(1001)).expect("it is open");
        let end = drain(&mut socket).1;
        assert_eq!(end.cause(), &CloseCause::Failed(ProtocolError::MessageTooBig));
        assert!(server.line().starts_with("close 1009 "));
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_client_with_an_authority_of_its_own() {
    bounded(|| {
        let Some((_server, mut socket)) = FAYE.server_with_tls("echo") else { return };
        socket.send("high water?").expect("it is open");
        assert_eq!(socket.recv_message(), Some("high water?".into()));
        close(socket);
    });
}

// ---- servers of ours

#[test]
fn a_client_and_the_answer_it_got() {
    bounded(|| {
        let Some((said, ())) = FAYE.client("hello", |stream| {
            let accept = Accept::new().with_header("X-Tide", "high");
            let mut socket = pending(stream, &Acceptor::default()).accept(accept).expect("accepted");
            let message = socket.recv_message().expect("it says something");
            socket.send(&message).expect("it is open");
            while socket.recv().is_some() {}
        }) else {
            return;
        };
        assert_eq!(said, "ok 101 high message Hello, world! close 1000 heard");
    });
}

#[test]
fn a_ping_of_a_client() {
    bounded(|| {
        let Some((said, _)) = FAYE.client("ping", |stream| {
            let mut socket = accept(stream).expect("a good request");
            while socket.recv().is_some() {}
        }) else {
            return;
        };
        assert_eq!(said, "ok pong");
    });
}

#[test]
fn subprotocols_of_a_client() {
    bounded(|| {
        let Some((said, _)) = FAYE.client("subprotocols", |stream| {
            let pending = pending(stream, &Acceptor::default());
            let name = pending.request().select_subprotocol(&["amqp", "stomp"]).expect("it offers that");
            let accept = Accept::new().with_subprotocol(name);
            let mut socket = pending.accept(accept).expect("accepted");
            while socket.recv().is_some() {}
        }) else {
            return;
        };
        assert_eq!(said, "ok speaking amqp");
    });
}

#[test]
fn a_client_with_permessage_deflate() {
    bounded(|| {
        let Some((said, extensions)) = FAYE.client("deflate", |stream| {
            let accept = Accept::new().with_deflate(DeflateConfig::default());
            let mut socket = pending(stream, &Acceptor::default()).accept(accept).expect("accepted");
            while let Some(message) = socket.recv_message() {
                socket.send(&message).expect("it is open");
            }
            socket.agreement().extensions().count()
        }) else {
            return;
        };
        assert_eq!((said.as_str(), extensions), ("ok the same", 1));
    });
}

#[test]
fn the_options_of_a_client() {
    bounded(|| {
        let Some((said, (cookie, code))) = FAYE.client("options", |stream| {
            let pending = pending(stream, &Acceptor::default());
            let cookie = pending.request().fields().get_str("Cookie").map(str::to_owned); // headers
            let mut socket = pending.accept(Accept::new()).expect("accepted");
            assert!(matches!(socket.recv(), Some(Event::Ping(_)))); // ping
            socket.send(&*"x".repeat(1001)).expect("it is open"); // maxLength
            (cookie, drain(&mut socket).1.code())
        }) else {
            return;
        };
        assert_eq!((said.as_str(), cookie.as_deref(), code), ("ok hybi-13 close 1009", Some("a=1"), 1009));
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_client_with_tls() {
    bounded(|| {
        let authority = hybi_test::tls::Authority::new();
        let identity = authority.issue(&["127.0.0.1"]);
        let (files, config) = (identity.write(&authority), identity.server_config());
        let Some((said, ())) = FAYE.client_with("ping", "wss", &[&files.client_argument()], move |stream| {
            let tls = hybi_std::TlsAcceptor::new(config);
            let mut socket = accept(tls.accept(stream).expect("TLS")).expect("a good request");
            while socket.recv().is_some() {}
        }) else {
            return;
        };
        assert_eq!(said, "ok pong");
    });
}

// Both sides behind a proxy, and what the proxy is asked.
#[test]
fn a_client_through_a_proxy() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let proxy = Proxy::start(None, Manner::Tunnel(listener.local_addr().expect("bound")));
        let Some(mut command) = peer(FAYE.0) else { return };
        let serving = thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut socket = accept(stream.expect("it connects")).expect("a good request");
                while socket.recv().is_some() {}
            }
        });
        let proxied = format!("--proxy=http://username:password@{}", proxy.address());
        let said = expect_ok(command.args(["ping", "ws://www.example.com/", "--timeout=50", &proxied]));
        assert_eq!(said, "ok pong");
        let theirs = proxy.head();

        let via = hybi_std::Proxy::parse(&format!("http://username:password@{}", proxy.address()))
            .expect("an address")
            .with_header("User-Agent", "node")
            .expect("a header");
        let connector = Connector::default().with_proxy(via);
        let (mut socket, _) = connector.connect(request("ws://www.example.com/")).expect("it opens");
        let (mut reader, mut writer) = {
            socket.flush().expect("it is open");
            socket.into_split().expect("a socket")
        };
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        let round_trip = writer.ping(b"Mic check, one, two").expect("it is open");
        assert!(round_trip.wait(Duration::from_secs(30)).is_some());
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        reading.join().expect("well");
        serving.join().expect("well");
        for head in [theirs, proxy.head()] {
            assert!(head.starts_with("CONNECT www.example.com:80 HTTP/1.1\r\n"), "{head}");
            for line in ["Proxy-Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=", "User-Agent: node"] {
                assert!(
                    head.lines().any(|found| found.eq_ignore_ascii_case(line) || found == line),
                    "{head}"
                );
            }
        }
    });
}
