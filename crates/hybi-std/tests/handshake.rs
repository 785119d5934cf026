//! The opening handshake over sockets: who decides what, what either side sees, and what may go wrong.
#![allow(clippy::panic, reason = "that is how a test fails")]

#[macro_use]
mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::*;
use hybi::HandshakeError;
use hybi::handshake::{Answer, AnswerError, RequestError, ServerSettings, UriError};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, Config, ConnectError, ConnectGate, Connector, Error,
    Event, Message, accept, connect,
};

const SHORT: Duration = Duration::from_millis(50);

/// A request by hand. Its key is that of RFC 6455 §1.3.
const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// Its answer.
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn request() -> ClientRequest {
    ClientRequest::new("ws://test/chat").expect("an address")
}

/// The request by hand, as a client of ours makes it.
fn fixed_request() -> ClientRequest {
    request().with_key("dGhlIHNhbXBsZSBub25jZQ==").expect("a key")
}

fn plain_too() -> ServerSettings {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    settings
}

fn impatient() -> Config {
    let mut config = Config::default();
    config.timeouts.handshake = Some(SHORT);
    config
}

/// A request for a WebSocket, and nothing else.
fn upgrade<S: Pair>(stream: S) -> hybi_std::Pending<S> {
    pending(stream, &Acceptor::default())
}

fn handshake_error<T>(result: Result<T, Error>) -> HandshakeError {
    match result {
        Err(Error::Handshake(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it cannot have succeeded"),
    }
}

over_each_socket! {
    fn what_the_client_asks_and_the_server_answers<S>() {
        let (client, server) = S::pair();
        let accepting = thread::spawn(move || {
            let pending = upgrade(server);
            let request = pending.request();
            assert_eq!((request.path(), request.query(), request.host()), ("/chat", Some("room=7"), "test:8080"));
            assert_eq!(request.origin(), Some("https://test"));
            assert!(request.origin_allowed(&["https://test"]) && !request.origin_allowed(&["https://other"]));
            assert_eq!(request.fields().get_str("Cookie"), Some("tide=high"));
            let chosen = request.select_subprotocol(&["v1", "v2"]).expect("one of them").to_owned();
            let accept = Accept::new().with_subprotocol(&chosen).with_header("Set-Cookie", "tide=low");
            let mut server = pending.accept(accept).expect("accepted");
            assert_eq!(server.agreement().subprotocol(), Some("v2"));
            drain(&mut server).1
        });
        let request = ClientRequest::new("ws://test:8080/chat?room=7")
            .and_then(|request| request.with_subprotocol("v3"))
            .and_then(|request| request.with_subprotocol("v2"))
            .and_then(|request| request.with_origin("https://test"))
            .and_then(|request| request.with_header("Cookie", "tide=high"))
            .expect("a good request");
        let (mut client, response) = Connector::default().handshake(client, request).expect("accepted");
        assert_eq!((response.status(), response.subprotocol()), (101, Some("v2")));
        assert_eq!(response.fields().get_str("Set-Cookie"), Some("tide=low"));
        assert_eq!(client.agreement().subprotocol(), Some("v2"));
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert!(accepting.join().expect("well").is_clean());
    }

    fn a_refusal_and_its_body_reach_the_client<S>() {
        let (client, server) = S::pair();
        let rejecting = thread::spawn(move || {
            let body = "who are you?\n".repeat(500);
            upgrade(server).reject(Answer::new(403).with_header("X-Tide", "low").with_body(body)).expect("answered");
        });
        let refused = Connector::default().handshake(client, request()).expect_err("it is refused");
        assert_eq!(refused.to_string(), "the server answered with status 403");
        let ConnectError::Handshake(HandshakeError::UnexpectedStatus(403), Some(response)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(response.status(), 403);
        assert_eq!(response.fields().get_str("X-Tide"), Some("low"));
        assert_eq!(response.body(), "who are you?\n".repeat(500).as_bytes());
        rejecting.join().expect("well");
    }

    // Whoever ends a transport at once may destroy what is under way on it: RFC 9112 §9.6.
    fn a_client_that_goes_on_sending_can_read_its_refusal<S>() {
        let (mut client, server) = S::pair();
        let rejecting = thread::spawn(move || upgrade(server).reject(Answer::new(403)));
        client.write_all(REQUEST).expect("written");
        client.write_all(&masked(0x82, &[0; 10_000])).expect("written"); // hastily
        let answer = read_to_end(&mut client);
        assert!(answer.starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
        for _ in 0..10 {
            client.write_all(&masked(0x82, &[0; 1000])).expect("somebody reads");
        }
        drop(client);
        rejecting.join().expect("well").expect("answered");
    }

    fn an_answer_that_may_not_be<S>() {
        let (mut client, server) = S::pair();
        client.write_all(REQUEST).expect("written");
        let error = upgrade(server).accept(Accept::new().with_subprotocol("never offered")).expect_err("no");
        assert!(matches!(error, Error::Answer(AnswerError::BadProtocol)), "{error:?}");
        assert_eq!(read_to_end(&mut client), b"", "nothing was written");
    }

    fn a_plain_request_is_the_applications<S>() {
        let (mut client, server) = S::pair();
        let responding = thread::spawn(move || {
            let arrival = Acceptor::new(Config::default(), plain_too()).read(server).expect("a good request");
            let Arrival::Plain(plain) = arrival else { panic!("no upgrade was requested") };
            assert_eq!((plain.head().method(), plain.head().path()), ("GET", "/tide"));
            plain.respond(Answer::new(200).with_body("high water at four\n")).expect("answered");
        });
        client.write_all(b"GET /tide HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
        let answer = String::from_utf8(read_to_end(&mut client)).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nConnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhigh water at four\n"), "{answer}");
        drop(client);
        responding.join().expect("well");
    }

    fn an_upgrade_is_no_plain_request<S>() {
        let (mut client, server) = S::pair();
        client.write_all(REQUEST).expect("written");
        let arrival = Acceptor::new(Config::default(), plain_too()).read(server).expect("a good request");
        assert!(matches!(arrival, Arrival::Upgrade(_)));
    }

    fn a_plain_request_that_is_not_wished_is_426<S>() {
        let (mut client, server) = S::pair();
        let accepting = thread::spawn(move || handshake_error(accept(server)));
        client.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
        let answer = read_to_end(&mut client);
        assert!(answer.starts_with(b"HTTP/1.1 426 Upgrade Required\r\n"));
        drop(client);
        assert_eq!(accepting.join().expect("well"), HandshakeError::BadUpgrade);
    }

    fn garbage_to_a_server_is_400<S>() {
        for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], b"SSH-2.0-x\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
            let (mut client, server) = S::pair();
            let accepting = thread::spawn(move || handshake_error(accept(server)));
            client.write_all(garbage).expect("written");
            let answer = read_to_end(&mut client);
            assert!(answer.starts_with(b"HTTP/1.1 400 Bad Request\r\n"), "{}", answer.escape_ascii());
            drop(client);
            assert_eq!(accepting.join().expect("well"), HandshakeError::BadHttp);
        }
    }

    fn a_head_above_the_limit_is_431<S>() {
        let (mut client, server) = S::pair();
        let accepting = thread::spawn(move || handshake_error(accept(server)));
        client.write_all(b"GET / HTTP/1.1\r\nX: ").expect("written");
        client.write_all(&[b'x'; 20_000]).expect("written");
        assert!(read_to_end(&mut client).starts_with(b"HTTP/1.1 431 "));
        drop(client);
        assert_eq!(accepting.join().expect("well"), HandshakeError::HeadTooLarge);
    }

    fn garbage_to_a_client<S>() {
        for garbage in [&b"SSH-2.0-x\r\n\r\n"[..], b"HTTP/1.0 101 no\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
            let (client, mut server) = S::pair();
            server.write_all(garbage).expect("written");
            drop(server);
            let error = Connector::default().handshake(client, request()).expect_err("garbage");
            assert!(
                matches!(error, ConnectError::Handshake(HandshakeError::BadHttp, None) | ConnectError::Io(_)),
                "{error:?}" // a broken pipe, when the server is gone before the request is written
            );
        }
    }

    fn a_wrong_accept_value<S>() {
        let (client, mut server) = S::pair();
        server.write_all(RESPONSE).expect("written"); // to another key
        let error = Connector::default().handshake(client, request()).expect_err("it is not ours");
        assert!(matches!(error, ConnectError::Handshake(HandshakeError::BadAccept, Some(_))), "{error:?}");
    }

    fn a_client_that_says_nothing_is_408<S>() {
        let (mut client, server) = S::pair();
        let accepting = thread::spawn(move || handshake_error(Acceptor::new(impatient(), plain_too()).read(server)));
        client.write_all(&REQUEST[..40]).expect("written");
        assert!(read_to_end(&mut client).starts_with(b"HTTP/1.1 408 "));
        drop(client);
        assert_eq!(accepting.join().expect("well"), HandshakeError::TimedOut);
    }

    fn a_server_that_says_nothing<S>() {
        let (client, mut server) = S::pair();
        server.write_all(b"HTTP/1.1 101 ").expect("written");
        let error = Connector::new(impatient()).handshake(client, request()).expect_err("it takes too long");
        assert!(matches!(error, ConnectError::Handshake(HandshakeError::TimedOut, None)), "{error:?}");
        assert!(read_to_end(&mut server).starts_with(b"GET /chat HTTP/1.1\r\n"));
    }

    fn a_client_that_goes_away<S>() {
        let (mut client, server) = S::pair();
        client.write_all(&REQUEST[..40]).expect("written");
        client.shutdown_write().expect("it is open");
        assert_eq!(handshake_error(accept(server)), HandshakeError::TransportEnded);
        assert_eq!(read_to_end(&mut client), b"");
    }

    fn a_server_that_goes_away<S>() {
        let (client, mut server) = S::pair();
        server.write_all(&RESPONSE[..40]).expect("written");
        server.shutdown_write().expect("it is open");
        let error = Connector::default().handshake(client, request()).expect_err("nobody answers");
        assert!(matches!(error, ConnectError::Handshake(HandshakeError::TransportEnded, None)), "{error:?}");
    }

    fn frames_behind_the_request_are_the_connections<S>() {
        for (messages, len) in [(1, 5), (3, 1000), (3, 50_000)] { // with 150,000 octets the client is far ahead
            let (mut client, server) = S::pair();
            let writing = thread::spawn(move || {
                let message = masked(0x82, &some_octets(len));
                let hasty = [REQUEST, &message.repeat(messages), &masked(0x88, &[])].concat();
                client.write_all(&hasty).expect("written");
                read_to_end(&mut client)
            });
            let mut server = upgrade(server).accept(Accept::new()).expect("accepted");
            for _ in 0..messages {
                assert!(server.recv_message() == Some(Message::from(some_octets(len))), "{len}");
            }
            assert!(matches!(server.recv(), Some(Event::Close(None))));
            assert!(drain(&mut server).1.is_clean());
            let answer = writing.join().expect("well");
            assert!(answer.starts_with(RESPONSE) && answer.ends_with(&unmasked(0x88, &[])));
        }
    }

    fn frames_behind_the_response_are_the_connections<S>() {
        for (messages, len) in [(1, 5), (3, 1000), (3, 50_000)] {
            let (client, mut server) = S::pair();
            let writing = thread::spawn(move || {
                let message = unmasked(0x82, &some_octets(len));
                let hasty = [RESPONSE, &message.repeat(messages), &unmasked(0x88, &[])].concat();
                server.write_all(&hasty).expect("written");
                server.shutdown_write().expect("it is open");
                read_to_end(&mut server)
            });
            let (mut client, _) = Connector::default().handshake(client, fixed_request()).expect("accepted");
            for _ in 0..messages {
                assert!(client.recv_message() == Some(Message::from(some_octets(len))), "{len}");
            }
            assert!(matches!(client.recv(), Some(Event::Close(None))));
            assert!(drain(&mut client).1.is_clean());
            assert!(writing.join().expect("well").starts_with(b"GET /chat HTTP/1.1\r\n"));
        }
    }
}

/// A server that answers one request by hand, and its address.
fn server_that_says(answer: &'static [u8]) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.write_all(answer).expect("written");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    (format!("ws://{address}/"), serving)
}

#[test]
fn connecting_by_address() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let echoing = thread::spawn(move || {
            echo(accept(listener.accept().expect("somebody connects").0).expect("well"))
        });
        let (mut client, response) = connect(&format!("ws://{address}/")).expect("it listens");
        assert_eq!(response.status(), 101);
        let tcp = client.get_ref().tcp().expect("it is TCP");
        assert!(tcp.nodelay().expect("TCP has it"));
        assert!(!client.get_ref().is_encrypted());
        client.send("hello").expect("sent");
        assert_eq!(client.recv_message(), Some(Message::from("hello")));
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert!(echoing.join().expect("well").is_clean());
    });
}

#[cfg(unix)]
#[test]
fn connecting_to_a_unix_socket() {
    bounded(|| {
        let path = std::env::temp_dir().join(format!("hybi-std-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("a free path");
        let echoing = thread::spawn(move || {
            let pending = upgrade(listener.accept().expect("somebody connects").0);
            assert_eq!(pending.request().path(), "/chat");
            echo(pending.accept(Accept::new()).expect("accepted"))
        });
        let uri = format!("ws+unix:{}:/chat", path.to_str().expect("text"));
        let request = ClientRequest::new(&*uri).expect("an address");
        let (mut client, _) = Connector::default().connect(request).expect("it listens");
        assert!(client.get_ref().tcp().is_none());
        std::fs::remove_file(&path).expect("it was there");
        client.send("hello").expect("sent");
        assert_eq!(client.recv_message(), Some(Message::from("hello")));
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert!(echoing.join().expect("well").is_clean());
    });
}

#[test]
fn where_nobody_listens() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let Err(ConnectError::Io(error)) = connect(&format!("ws://{address}/")) else {
            panic!("nobody listens")
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn addresses_that_cannot_be_connected_to() {
    #[cfg(not(any(feature = "tls-webpki-roots", feature = "tls-platform-roots")))]
    assert!(matches!(connect("wss://127.0.0.1/"), Err(ConnectError::NoTls)));
    for (address, reason) in
        [("ftp://127.0.0.1/", UriError::Scheme), ("ws://", UriError::Host), ("ws://h/#a", UriError::Fragment)]
    {
        let Err(ConnectError::Request(RequestError::BadUri(error))) = connect(address) else {
            panic!("{address}")
        };
        assert_eq!(error, reason, "{address}");
    }
}

#[test]
fn a_refusal_whose_body_never_ends() {
    bounded(|| {
        // The connection stays open, and less comes than was announced: what came is what the client sees.
        let (address, serving) =
            server_that_says(b"HTTP/1.1 503 busy\r\nContent-Length: 100\r\n\r\ncome back");
        let Err(ConnectError::Handshake(HandshakeError::UnexpectedStatus(503), Some(response))) =
            connect(&address)
        else {
            panic!("it is refused")
        };
        assert_eq!(response.body(), b"come back");
        serving.join().expect("the client ended the transport");
    });
}

#[test]
fn one_acceptor_serves_many_connections() {
    bounded(|| {
        let acceptor = Acceptor::new(Config::default(), plain_too());
        for _ in 0..3 {
            let (mut client, server) = <TcpStream as Pair>::pair();
            client.write_all(REQUEST).expect("written");
            let Ok(Arrival::Upgrade(pending)) = acceptor.clone().read(server) else { panic!("an upgrade") };
            assert_eq!(
                pending.get_ref().peer_addr().expect("connected"),
                client.local_addr().expect("connected")
            );
            pending.accept(Accept::new()).expect("accepted");
        }
    });
}

// ---- one at a time (RFC 6455 §4.1, item 2)

/// Four connect at once, by two names of one host; how many of them were asking at once at most. So many have to have
/// come before the first is answered.
fn most_at_once(connector: &Connector, together: usize) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (asking, most, came) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(together));
    let names = ["127.0.0.1", "localhost"].map(|name| format!("ws://{name}:{}/", address.port()));
    thread::scope(|scope| {
        for name in names.iter().cycle().take(4) {
            scope.spawn(move || {
                let request = ClientRequest::new(name).expect("an address");
                connector.connect(request).expect("it is open");
            });
        }
        for stream in listener.incoming().take(4) {
            let stream = stream.expect("it connects");
            most.fetch_max(asking.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let (asking, came) = (&asking, &came);
            scope.spawn(move || {
                let pending = upgrade(stream);
                came.wait();
                asking.fetch_sub(1, Ordering::SeqCst);
                pending.accept(Accept::new()).expect("accepted");
            });
        }
    });
    most.into_inner()
}

#[test]
fn a_gate_lets_one_at_a_time_connect_to_an_address() {
    bounded(|| {
        assert_eq!(most_at_once(&Connector::default(), 4), 4);
        assert_eq!(most_at_once(&Connector::default().with_gate(ConnectGate::default()), 1), 1);
    });
}

#[test]
fn who_waits_at_a_gate_waits_no_longer_than_told() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("ws://{}/", listener.local_addr().expect("bound"));
        let request = || ClientRequest::new(&address).expect("an address");
        let gate = ConnectGate::default();
        thread::scope(|scope| {
            let first = scope.spawn(|| Connector::default().with_gate(gate.clone()).connect(request()));
            let (held, _) = listener.accept().expect("it connects"); // and is not answered
            let late = Connector::new(impatient()).with_gate(gate.clone()).connect(request());
            let Err(ConnectError::Io(error)) = late else { panic!("it is not its turn: {late:?}") };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let waiting = scope.spawn(|| Connector::default().with_gate(gate.clone()).connect(request()));
            drop(held);
            assert!(first.join().expect("well").is_err());
            let (stream, _) = listener.accept().expect("the next one's turn");
            upgrade(stream).accept(Accept::new()).expect("accepted");
            waiting.join().expect("well").expect("it is open");
        });
    });
}

#[test]
fn the_request_may_depend_on_the_stream() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let request = ClientRequest::new(format!("ws://{}/", listener.local_addr().expect("bound")));
        let serving = thread::spawn(move || {
            let (stream, peer) = listener.accept().expect("it connects");
            let pending = upgrade(stream);
            let told = pending.request().fields().get_str("X-From") == Some(&*peer.to_string());
            pending.accept(Accept::new()).expect("accepted");
            told
        });
        let connector = Connector::default().before_request(|stream, request| {
            let local = stream.tcp().expect("it is TCP").local_addr().expect("connected");
            request.with_header("X-From", local.to_string()).expect("a header")
        });
        connector.connect(request.expect("an address")).expect("it is open");
        assert!(serving.join().expect("well"), "it was told");
    });
}
