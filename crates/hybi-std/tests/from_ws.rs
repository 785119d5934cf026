//! What the README of the npm package `ws` shows, with one side in Rust: each example against the other side on `ws`
//! itself. The Rust side is what `docs/coming-from-ws.md` puts beside it. Where an example is a server, or a client
//! that any server serves, there are two tests: the server is ours in one and that of the README in the other.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::readme::{Readme, request};
use common::{bounded, drain, pending};
use hybi::{Timeout, Version};
use hybi_std::{
    Accept, Acceptor, Answer, Arrival, ClientRequest, Clients, CloseCause, CloseCode, CloseInfo, Config,
    ConnectError, Connector, Event, Kind, Listener, Prepared, ServerSettings, Slow, Stream, WebSocket,
    accept, connect,
};
use hybi_test::foreign::{expect_ok, peer};
use hybi_test::proxy::{Manner, Proxy};

const WS: Readme = Readme("ws-readme");

fn open(url: &str) -> WebSocket<Stream> {
    connect(url).expect("it opens").0
}

fn close(mut socket: WebSocket<Stream>) {
    socket.close(CloseCode::NORMAL, "").expect("the first close");
    assert!(drain(&mut socket).1.is_clean());
}

/// A client on `ws` meets a whole server of ours, with as many connections as it likes; what the client says.
fn visitor(
    name: &str,
    path: &str,
    handler: impl Fn(Arrival<Stream>, &Clients) + Send + Sync + 'static,
) -> Option<String> {
    let mut command = peer(WS.0)?;
    let listener = Listener::bind("127.0.0.1:0").expect("a free port");
    let (url, stopper) =
        (format!("ws://{}{path}", listener.local_addr().expect("bound")), listener.stopper());
    let serving = thread::spawn(move || listener.run(handler));
    let said = expect_ok(command.args([name, &url, "--timeout=50"]));
    stopper.stop(common::BOUND);
    serving.join().expect("it does not panic").expect("it is stopped");
    Some(said)
}

fn echo(stream: TcpStream) -> CloseInfo {
    common::echo(accept(stream).expect("a good request"))
}

// ---- clients of ours

#[test]
fn a_simple_server() {
    bounded(|| {
        let Some((server, url)) = WS.server("simple") else { return };
        let mut socket = open(&url);
        assert_eq!(socket.recv_message(), Some("something".into()));
        socket.send("high water?").expect("it is open");
        assert_eq!(server.line(), "received: high water?");
        close(socket);
    });
}

#[test]
fn several_servers_on_one_port() {
    bounded(|| {
        let Some((_server, url)) = WS.server("paths") else { return };
        for name in ["foo", "bar"] {
            let mut socket = open(&format!("{url}/{name}"));
            assert_eq!(socket.recv_message(), Some((&*format!("this is {name}")).into()));
            close(socket);
        }
        let error = connect(&format!("{url}/tide")).expect_err("there is no such server");
        assert!(matches!(error, ConnectError::Handshake(_, None) | ConnectError::Io(_)), "{error:?}");
    });
}

#[test]
fn client_authentication() {
    bounded(|| {
        let Some((_server, url)) = WS.server("authentication") else { return };
        match connect(&url) {
            Err(ConnectError::Handshake(_, Some(response))) => assert_eq!(response.status(), 401),
            other => panic!("{other:?}"),
        }
        let request = ClientRequest::new(&*url).expect("an address").with_header("Cookie", "session=7");
        let (mut socket, _) = Connector::default().connect(request.expect("a header")).expect("it may");
        assert_eq!(socket.recv_message(), Some("welcome, 7".into()));
        close(socket);
    });
}

#[test]
fn broadcast() {
    bounded(|| {
        let Some((server, url)) = WS.server("broadcast") else { return };
        let mut sockets = [open(&url), open(&url), open(&url)];
        while server.line() != "here 3" {}
        sockets[0].send("high water").expect("it is open");
        sockets[0].send(b"\x01\x02").expect("it is open");
        for socket in &mut sockets[1..] {
            assert_eq!(socket.recv_message(), Some("high water".into()));
            assert_eq!(socket.recv_message(), Some(b"\x01\x02"[..].into()));
        }
        for socket in sockets {
            close(socket); // and the first has heard nothing
        }
    });
}

/// The pings of the server are answered by whoever receives.
#[test]
fn broken_connections_as_the_server_finds_them() {
    bounded(|| {
        let Some((server, url)) = WS.server("heartbeat") else { return };
        let mut socket = open(&url);
        assert!(matches!(socket.recv(), Some(Event::Ping(_))));
        socket.flush().expect("it is open");
        assert_eq!(server.line(), "alive");
        close(socket);
    });
}

#[test]
fn sending_binary_data_to_a_server() {
    bounded(|| {
        let Some((_server, url)) = WS.server("echo") else { return };
        let mut socket = open(&url);
        let array: Vec<u8> = (0..5).map(|i| i as f32 / 2.0).flat_map(f32::to_le_bytes).collect();
        socket.send(&array).expect("it is open");
        assert_eq!(socket.recv_message(), Some((&array[..]).into()));
        close(socket);
    });
}

#[test]
fn the_round_trip_time_of_a_message_and_of_a_ping() {
    bounded(|| {
        let Some((_server, url)) = WS.server("echo") else { return };
        let mut socket = open(&url);
        let sent = format!("{:?}", Instant::now());
        socket.send(&*sent).expect("it is open");
        assert_eq!(socket.recv_message(), Some((&*sent).into()));

        let (mut reader, mut writer) = socket.into_split().expect("a socket");
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        let start = Instant::now();
        let took = writer.ping(b"").expect("it is open").wait(common::BOUND).expect("it is answered");
        assert!(took <= start.elapsed());
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        reading.join().expect("well");
    });
}

#[test]
fn the_streams_api_of_a_client() {
    bounded(|| {
        let Some((_server, url)) = WS.server("echo") else { return };
        let (mut reader, mut writer) =
            open(&url).into_byte_stream(Kind::Text).into_split().expect("it is a socket");
        writer.write_all(b"high ").expect("it is open");
        writer.write_all(b"water?").expect("it is open");
        writer.flush().expect("it is open");
        let mut heard = [0; 11];
        reader.read_exact(&mut heard).expect("it comes back");
        writer.shutdown().expect("it is open");
        assert_eq!((&heard, reader.read(&mut [0]).expect("an orderly end")), (b"high water?", 0));
    });
}

/// `protocolVersion: 8`, which a server on `ws` takes unasked.
#[test]
fn drafts_07_to_12() {
    bounded(|| {
        let Some((_server, url)) = WS.server("echo") else { return };
        let request = request(&url).with_version(Version::V8);
        let (mut socket, _) = Connector::default().connect(request).expect("it opens");
        assert_eq!(socket.agreement().version(), Version::V8);
        socket.send("high water?").expect("it is open");
        assert_eq!(socket.recv_message(), Some("high water?".into()));
        close(socket);
    });
}

/// The settings of the README, and what is agreed on by them.
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[test]
fn compression_as_the_server_sets_it() {
    use hybi::extension::permessage_deflate::DeflateConfig;
    bounded(|| {
        let Some((server, url)) = WS.server("compression") else { return };
        let request = request(&url).with_deflate(DeflateConfig::default());
        let (mut socket, response) = Connector::default().connect(request).expect("it opens");
        assert_eq!(
            response.fields().get_str("Sec-WebSocket-Extensions"),
            Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                  server_max_window_bits=10"
            )
        );
        let text = "high water ".repeat(200);
        for _ in 0..2 {
            socket.send(&*text).expect("it is open");
            assert_eq!(socket.recv_message(), Some((&*text).into()));
        }
        close(socket);
        assert_eq!(server.line(), "extensions: permessage-deflate");

        let socket = open(&url); // it is off where nobody asks for it: `perMessageDeflate: false`
        assert_eq!(socket.agreement().extensions().count(), 0);
        close(socket);
        assert_eq!(server.line(), "extensions: ");
    });
}

#[cfg(feature = "tls")]
#[test]
fn an_https_server() {
    bounded(|| {
        let Some((server, mut socket)) = WS.server_with_tls("simple") else { return };
        assert!(socket.get_ref().is_encrypted());
        assert_eq!(socket.recv_message(), Some("something".into()));
        socket.send("high water?").expect("it is open");
        assert_eq!(server.line(), "received: high water?");
        close(socket);
    });
}

#[test]
fn the_address_of_the_client_as_the_server_finds_it() {
    bounded(|| {
        let Some((server, url)) = WS.server("address") else { return };
        let request = request(&url).with_header("X-Forwarded-For", "203.0.113.7 , 10.0.0.2");
        let (socket, _) = Connector::default().connect(request.expect("a header")).expect("it opens");
        assert_eq!(server.line(), "127.0.0.1 for 203.0.113.7");
        close(socket);
    });
}

#[test]
fn a_client_through_a_proxy() {
    bounded(|| {
        let Some((server, url)) = WS.server("simple") else { return };
        let proxy = Proxy::start(None, Manner::Tunnel(([127, 0, 0, 1], server.port()).into()));
        let via = hybi_std::Proxy::parse(&format!("http://{}", proxy.address())).expect("an address");
        let connector = Connector::default().with_proxy(via);
        let (mut socket, _) = connector.connect(request(&url)).expect("it opens");
        assert_eq!(socket.recv_message(), Some("something".into()));
        socket.send("high water?").expect("it is open");
        assert_eq!(server.line(), "received: high water?");
        close(socket);
        let asked = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", server.port());
        assert!(proxy.head().starts_with(&asked) && !proxy.was_asked());
    });
}

/// The server pings once and never again, as if it were gone. Here it is not, and answers the close frame.
#[test]
fn broken_connections_as_our_client_finds_them() {
    bounded(|| {
        let Some((server, url)) = WS.server("heartbeat") else { return };
        let mut config = Config::default();
        config.timeouts.idle = Some(Duration::from_millis(400));
        let (mut socket, _) = Connector::new(config).connect(request(&url)).expect("it opens");
        assert!(matches!(socket.recv(), Some(Event::Ping(_))));
        assert_eq!(drain(&mut socket).1.code(), 1001);
        assert_eq!(server.line(), "alive");
    });
}

// ---- servers of ours

#[test]
fn sending_and_receiving_text() {
    bounded(|| {
        let Some((said, ())) = WS.client("text", |stream| {
            let mut socket = accept(stream).expect("a good request");
            assert_eq!(socket.recv_message(), Some("something".into()));
            socket.send("high water").expect("it is open");
            while socket.recv().is_some() {}
        }) else {
            return;
        };
        assert_eq!(said, "ok received: high water");
    });
}

#[test]
fn sending_binary_data() {
    bounded(|| {
        let Some((said, octets)) = WS.client("binary", |stream| {
            let mut socket = accept(stream).expect("a good request");
            let message = socket.recv_message().expect("it sends one");
            socket.send(&message).expect("it is open");
            while socket.recv().is_some() {}
            message.into_bytes()
        }) else {
            return;
        };
        let numbers: Vec<u8> = (0..5).map(|i| i as f32 / 2.0).flat_map(f32::to_le_bytes).collect();
        assert_eq!((said.as_str(), &octets[..]), ("ok 20 octets", &numbers[..]));
    });
}

#[test]
fn round_trip_time() {
    bounded(|| {
        let Some((said, _)) = WS.client("round-trip", echo) else { return };
        assert_eq!(said, "ok round trip");
    });
}

#[test]
fn the_streams_api() {
    bounded(|| {
        let Some((said, ())) = WS.client("stream", |stream| {
            let socket = accept(stream).expect("a good request");
            let (mut reader, mut writer) =
                socket.into_byte_stream(Kind::Text).into_split().expect("it is a socket");
            std::io::copy(&mut reader, &mut writer).expect("an orderly end");
            writer.shutdown().expect("an orderly end");
        }) else {
            return;
        };
        assert_eq!(said, "ok heard: high water?");
    });
}

/// The heartbeat is a setting: the client hears a ping and closes.
#[test]
fn broken_connections_as_the_client_finds_them() {
    bounded(|| {
        let Some((said, end)) = WS.client("listening", |stream| {
            let mut config = Config::default();
            config.timeouts.keepalive = Some(Duration::from_millis(10));
            common::echo(
                pending(stream, &Acceptor::new(config, Default::default()))
                    .accept(Accept::new())
                    .expect("accepted"),
            )
        }) else {
            return;
        };
        assert_eq!((said.as_str(), end.reason()), ("ok closed 1000", "heard a ping"));
    });
}

/// A client that does not answer pings is dropped, not asked: `terminate()`.
#[test]
fn broken_connections_as_our_server_finds_them() {
    bounded(|| {
        let Some((said, end)) = WS.client("silent", |stream| {
            let mut config = Config::default();
            config.timeouts.keepalive = Some(Duration::from_millis(30));
            config.timeouts.pong = Some(Duration::from_millis(20));
            common::echo(
                pending(stream, &Acceptor::new(config, Default::default()))
                    .accept(Accept::new())
                    .expect("accepted"),
            )
        }) else {
            return;
        };
        assert_eq!((said.as_str(), end.cause()), ("ok closed 1006", &CloseCause::TimedOut(Timeout::Pong)));
    });
}

#[test]
fn our_several_servers_on_one_port() {
    bounded(|| {
        let said = visitor("paths", "/foo", |arrival, _| {
            let Arrival::Upgrade(pending) = arrival else { return };
            let name = match pending.request().path() {
                "/foo" => "foo",
                "/bar" => "bar",
                _ => return pending.reject(Answer::new(404)).expect("it is there"),
            };
            let mut socket = pending.accept(Accept::new()).expect("it is there");
            socket.send(&*format!("this is {name}")).expect("it is open");
            while socket.recv().is_some() {}
        });
        assert!(said.is_none_or(|said| said == "ok this is foo, this is bar, 404"));
    });
}

#[test]
fn our_client_authentication() {
    bounded(|| {
        let said = visitor("authentication", "/", |arrival, _| {
            let Arrival::Upgrade(pending) = arrival else { return };
            let cookie = pending.request().fields().get_str("Cookie").map(str::to_owned);
            let Some(client) = cookie.as_deref().and_then(|cookie| cookie.strip_prefix("session=")) else {
                return pending.reject(Answer::new(401)).expect("it is there");
            };
            let mut socket = pending.accept(Accept::new()).expect("it is there");
            socket.send(&*format!("welcome, {client}")).expect("it is open");
            while socket.recv().is_some() {}
        });
        assert!(said.is_none_or(|said| said == "ok 401, then welcome, 7"));
    });
}

#[test]
fn our_broadcast() {
    bounded(|| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let counted = told.clone();
        let said = visitor("broadcast", "/", move |arrival, clients| {
            let Arrival::Upgrade(pending) = arrival else { return };
            let socket = pending.accept(Accept::new()).expect("it is there");
            let (mut reader, writer) = socket.into_split().expect("a socket");
            let me = clients.join(writer.handle());
            if clients.len() == 3 {
                clients.broadcast(&Prepared::new("all are here"), Slow::Disconnect);
            }
            while let Some(event) = reader.recv() {
                let message = match event {
                    Event::Text(text) => Prepared::new(&text),
                    Event::Binary(data) => Prepared::new(&data),
                    _ => continue,
                };
                let sent = clients.broadcast_except(me.id(), &message, Slow::Disconnect).sent;
                counted.lock().expect("nobody panics").push(sent);
            }
        });
        let Some(said) = said else { return };
        assert_eq!(said, r#"ok [[],["high water",[1,2]],["high water",[1,2]]]"#);
        assert_eq!(*told.lock().expect("nobody panics"), [2, 2]);
    });
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[test]
fn compression_as_our_server_sets_it() {
    use hybi::extension::permessage_deflate::{DeflateConfig, Level, Takeover, Window, WindowBits};
    bounded(|| {
        for (name, agreed) in [("compressed", "permessage-deflate"), ("plain", "")] {
            let Some((said, answer)) = WS.client(name, |stream| {
                let mut config = DeflateConfig::default();
                config.level = Level::new(3).expect("0 to 9");
                config.client_no_context_takeover = Takeover::None;
                config.server_no_context_takeover = Takeover::None;
                config.server_max_window_bits = Window::AtMost(WindowBits::new(10).expect("8 to 15"));
                config.threshold = 1024;
                let accept = Accept::new().with_deflate(config);
                let mut socket = pending(stream, &Acceptor::default()).accept(accept).expect("accepted");
                let message = socket.recv_message().expect("it sends one");
                socket.send(&message).expect("it is open");
                while socket.recv().is_some() {}
                socket.agreement().extensions().map(str::to_owned).collect::<Vec<_>>().join(", ")
            }) else {
                return;
            };
            assert_eq!((said.trim_end(), &*answer), (format!("ok extensions: {agreed}").trim_end(), agreed));
        }
    });
}

#[cfg(feature = "tls")]
#[test]
fn our_https_server() {
    bounded(|| {
        let authority = hybi_test::tls::Authority::new();
        let identity = authority.issue(&["127.0.0.1"]);
        let ca = identity.write(&authority);
        let config = identity.server_config();
        let Some((said, text)) = WS.client_with("text", "wss", &[&ca.client_argument()], move |stream| {
            let tls = hybi_std::TlsAcceptor::new(config);
            let mut socket = accept(tls.accept(stream).expect("TLS")).expect("a good request");
            let text = socket.recv_message();
            socket.send("high water").expect("it is open");
            while socket.recv().is_some() {}
            text
        }) else {
            return;
        };
        assert_eq!((said.as_str(), text), ("ok received: high water", Some("something".into())));
    });
}

#[test]
fn the_address_of_a_client() {
    bounded(|| {
        let forwarded = ["--forwarded-for=203.0.113.7 , 10.0.0.2"];
        let Some((_, addresses)) = WS.client_with("text", "ws", &forwarded, |stream| {
            let there = stream.peer_addr().expect("it is connected");
            let pending = pending(stream, &Acceptor::default());
            let addresses = (
                pending.get_ref().peer_addr().expect("it is connected") == there && there.ip().is_loopback(),
                pending.request().head().forwarded_for().map(str::to_owned),
            );
            let mut socket = pending.accept(Accept::new()).expect("accepted");
            socket.send("high water").expect("it is open");
            while socket.recv().is_some() {}
            addresses
        }) else {
            return;
        };
        assert_eq!(addresses, (true, Some("203.0.113.7".to_owned())));
    });
}

/// A server of ours takes what it is told to take.
#[test]
fn drafts_07_to_12_where_the_server_wants_them() {
    bounded(|| {
        let option = ["--protocol-version=8"];
        let Some((said, version)) = WS.client_with("text", "ws", &option, |stream| {
            let mut settings = ServerSettings::default();
            settings.versions = settings.versions.with(Version::V8);
            let pending = pending(stream, &Acceptor::new(Config::default(), settings));
            let socket = pending.accept(Accept::new()).expect("accepted");
            let version = socket.agreement().version();
            common::echo(socket);
            version
        }) else {
            return;
        };
        assert_eq!((said.as_str(), version), ("ok received: something", Version::V8));
    });
}

/// A server of ours does not see that there is a proxy, whoever comes through it.
#[test]
fn a_client_on_ws_through_a_proxy() {
    bounded(|| {
        let Some(mut command) = peer(WS.0) else { return };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let proxy = Proxy::start(None, Manner::Tunnel(listener.local_addr().expect("bound")));
        let serving = thread::spawn(move || echo(listener.accept().expect("it connects").0));
        let option = format!("--proxy={}", proxy.address());
        let said = expect_ok(command.args(["text", "ws://www.example.com/", "--timeout=50", &option]));
        assert_eq!(said, "ok received: something");
        serving.join().expect("well");
        assert!(proxy.head().starts_with("CONNECT www.example.com:80 HTTP/1.1\r\n"));
    });
}
