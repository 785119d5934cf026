//! What the README of the npm package `ws` shows, with one side in Rust: each example against the other side on `ws`
//! itself. The Rust side is what `docs/coming-from-ws.md` puts beside it.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use common::{bounded, drain};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, CloseInfo, Config, ConnectError, Connector, Event,
    Kind, Stream, WebSocket, accept, connect,
};
use hybi_test::foreign::{Server, expect_ok, peer};

/// A server on `ws`, and its address.
fn server(name: &str) -> Option<(Server, String)> {
    let mut command = peer("ws-readme")?;
    command.arg(name);
    let server = Server::start(command, &[]);
    let url = format!("ws://127.0.0.1:{}", server.port());
    Some((server, url))
}

fn open(url: &str) -> WebSocket<Stream> {
    connect(url).expect("it opens").0
}

fn close(mut socket: WebSocket<Stream>) {
    socket.close(CloseCode::NORMAL, "").expect("the first close");
    assert!(drain(&mut socket).1.is_clean());
}

/// A client on `ws` meets a server of ours, which serves one; what the client says, and what the server returns.
fn client<T: Send + 'static>(
    name: &str,
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> Option<(String, T)> {
    let mut command = peer("ws-readme")?;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let serving = thread::spawn(move || serve(listener.accept().expect("it connects").0));
    let said = expect_ok(command.args([name, &url, "--timeout=50"]));
    Some((said, serving.join().expect("it does not panic")))
}

fn echo(stream: TcpStream) -> CloseInfo {
    common::echo(accept(stream).expect("a good request"))
}

// ---- clients of ours

#[test]
fn a_simple_server() {
    bounded(|| {
        let Some((server, url)) = server("simple") else { return };
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
        let Some((_server, url)) = server("paths") else { return };
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
        let Some((_server, url)) = server("authentication") else { return };
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
        let Some((server, url)) = server("broadcast") else { return };
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
        let Some((server, url)) = server("heartbeat") else { return };
        let mut socket = open(&url);
        assert!(matches!(socket.recv(), Some(Event::Ping(_))));
        socket.flush().expect("it is open");
        assert_eq!(server.line(), "alive");
        close(socket);
    });
}

// ---- servers of ours

#[test]
fn sending_and_receiving_text() {
    bounded(|| {
        let Some((said, ())) = client("text", |stream| {
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
        let Some((said, octets)) = client("binary", |stream| {
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
        let Some((said, _)) = client("round-trip", echo) else { return };
        assert_eq!(said, "ok round trip");
    });
}

#[test]
fn the_streams_api() {
    bounded(|| {
        let Some((said, ())) = client("stream", |stream| {
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
        let Some((said, end)) = client("listening", |stream| {
            let mut config = Config::default();
            config.timeouts.keepalive = Some(Duration::from_millis(10));
            let acceptor = Acceptor::new(config, Default::default());
            let Arrival::Upgrade(pending) = acceptor.read(stream).expect("a good request") else {
                panic!("an upgrade was requested")
            };
            common::echo(pending.accept(Accept::new()).expect("accepted"))
        }) else {
            return;
        };
        assert_eq!((said.as_str(), end.reason()), ("ok closed 1000", "heard a ping"));
    });
}
