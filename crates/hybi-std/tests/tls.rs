//! TLS: certificates, ends, two threads, and the way through proxies.
#![cfg(feature = "tls")]
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::error::Error as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::*;
use hybi::{Agreement, Connection, HandshakeError, Timeout};
use hybi_std::rustls::{self, AlertDescription, CertificateError, ServerConfig};
use hybi_std::{
    Accept, Acceptor, Answer, Arrival, ClientRequest, CloseCause, CloseCode, CloseInfo, Config, ConnectError,
    Connector, Event, Kind, Proxies, RedirectError, Redirects, State, Stream, SystemEntropy, TlsAcceptor,
    TlsStream, Transport, WebSocket, accept,
};
use hybi_test::proxy::{Manner, Proxy};
use hybi_test::tls::Authority;

const SHORT: Duration = Duration::from_millis(50);

/// A server for one connection.
fn serve<T: Send + 'static>(
    handler: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    (address, thread::spawn(move || handler(listener.accept().expect("it connects").0)))
}

fn serve_echo(config: Arc<ServerConfig>) -> (SocketAddr, JoinHandle<CloseInfo>) {
    serve(move |stream| {
        echo(accept(TlsAcceptor::new(config).accept(stream).expect("TLS")).expect("a request"))
    })
}

fn request(address: &str) -> ClientRequest {
    ClientRequest::new(address).expect("an address")
}

fn say_and_close<S: Transport>(mut client: WebSocket<S>) {
    for text in ["high water?", &some_text(300_000)] {
        client.send(text).expect("sent");
        assert!(client.recv_message() == Some(text.into()));
    }
    client.close(CloseCode::NORMAL, "ebb").expect("it is open");
    let (_, end) = drain(&mut client);
    assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "ebb", true));
    assert!(client.io_error().is_none(), "{:?}", client.io_error());
}

/// Why no connection came about, and whether the server saw anything of the opening handshake.
fn no_connection(connector: &Connector, url: &str, config: Arc<ServerConfig>) -> (rustls::Error, io::Error) {
    let (address, serving) = serve(move |stream| TlsAcceptor::new(config).accept(stream));
    let url = url.replace("PORT", &address.port().to_string());
    let error = connector.connect(request(&url)).expect_err("it is not to be trusted");
    let ConnectError::Tls(error) = error else { panic!("{error:?}") };
    let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    let source = source.unwrap_or_else(|| panic!("{error:?}")).clone();
    (source, serving.join().expect("well").expect_err("the client was not content"))
}

fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

// ---- certificates

#[test]
fn an_address_with_wss_is_connected_over_tls() {
    bounded(|| {
        let authority = Authority::new();
        for host in ["localhost", "127.0.0.1"] {
            let (address, serving) = serve_echo(authority.server_config(&["localhost", "127.0.0.1"]));
            let connector = Connector::default().with_tls(authority.client_config());
            let url = format!("wss://{host}:{}/tide", address.port());
            let (client, response) = connector.connect(request(&url)).expect("it is trusted");
            assert_eq!(response.status(), 101);
            let stream = client.get_ref();
            assert!(
                stream.is_encrypted() && stream.tcp().is_some_and(|tcp| tcp.nodelay().expect("TCP has it"))
            );
            assert_eq!(stream.peer_addr().expect("it is connected"), address);
            let tls = stream.tls().expect("it is encrypted");
            assert_eq!(tls.with_connection(|tls| tls.peer_certificates().map(<[_]>::len)), Some(1));
            say_and_close(client);
            assert!(serving.join().expect("well").is_clean());
        }
    });
}

#[test]
fn the_server_is_told_which_name_was_asked_for() {
    bounded(|| {
        let authority = Authority::new();
        let config = authority.server_config(&["tide.test", "127.0.0.1"]);
        for (name, expected) in [("tide.test", Some("tide.test")), ("127.0.0.1", None)] {
            let config = config.clone();
            let (address, serving) = serve(move |stream| {
                let stream = TlsAcceptor::new(config).accept(stream).expect("TLS");
                stream.with_connection(|tls| match tls {
                    rustls::Connection::Server(tls) => tls.server_name().map(str::to_owned),
                    rustls::Connection::Client(_) => None,
                })
            });
            let stream = TcpStream::connect(address).expect("it listens");
            let name = name.try_into().expect("a name");
            TlsStream::client(stream, authority.client_config(), name, Some(BOUND)).expect("it is trusted");
            assert_eq!(serving.join().expect("well").as_deref(), expected);
        }
    });
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it_before_the_opening_handshake() {
    bounded(|| {
        let (ours, theirs) = (Authority::new(), Authority::new());
        let connector = Connector::default().with_tls(ours.client_config());
        let (error, seen) =
            no_connection(&connector, "wss://localhost:PORT/", theirs.server_config(&["localhost"]));
        assert_eq!(error, CertificateError::UnknownIssuer.into());
        assert_eq!(alert(&seen), Some(AlertDescription::UnknownCA));

        let (error, seen) =
            no_connection(&connector, "wss://localhost:PORT/", ours.server_config(&["other.test"]));
        assert!(
            matches!(
                error,
                rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })
            ),
            "{error:?}"
        );
        assert_eq!(alert(&seen), Some(AlertDescription::BadCertificate));

        let expired = ours.issue_expired(&["localhost"]).server_config();
        let (error, seen) = no_connection(&connector, "wss://localhost:PORT/", expired);
        assert!(
            matches!(error, rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })),
            "{error:?}"
        );
        assert_eq!(alert(&seen), Some(AlertDescription::CertificateExpired));
    });
}

#[test]
fn nothing_is_dialed_where_nobody_is_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let direct = Connector::default();
    let through =
        Connector::default().with_proxy(hybi_std::Proxy::parse(&format!("https://{address}")).expect("one"));
    for (connector, url) in [(direct, format!("wss://{address}/")), (through, "ws://tide.test/".to_owned())] {
        let result = connector.connect(request(&url));
        #[cfg(not(any(feature = "tls-webpki-roots", feature = "tls-platform-roots")))]
        {
            assert!(matches!(result, Err(ConnectError::NoTls)), "{result:?}");
            listener.set_nonblocking(true).expect("it can be");
            assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
        }
        #[cfg(any(feature = "tls-webpki-roots", feature = "tls-platform-roots"))]
        drop((result, &listener, ErrorKind::Other));
    }
}

#[test]
fn a_tls_handshake_has_a_time_limit() {
    bounded(|| {
        let (address, serving) = serve(|stream| stream); // which says nothing
        let mut config = Config::default();
        config.timeouts.handshake = Some(SHORT);
        let connector = Connector::new(config).with_tls(Authority::new().client_config());
        let error = connector.connect(request(&format!("wss://{address}/"))).expect_err("nobody answers");
        assert!(
            matches!(&error, ConnectError::Tls(error) if error.kind() == ErrorKind::TimedOut),
            "{error:?}"
        );
        drop(serving.join().expect("well"));

        let (client, server) = TcpStream::pair();
        let acceptor =
            TlsAcceptor::new(Authority::new().server_config(&["localhost"])).with_time_limit(Some(SHORT));
        assert_eq!(acceptor.accept(server).expect_err("nobody says anything").kind(), ErrorKind::TimedOut);
        drop(client);
    });
}

#[test]
fn what_is_no_tls_is_an_error() {
    bounded(|| {
        let (address, serving) = serve(|mut stream| {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("written");
            stream
        });
        let connector = Connector::default().with_tls(Authority::new().client_config());
        let error = connector.connect(request(&format!("wss://{address}/"))).expect_err("it is not TLS");
        assert!(error.source().is_some() && matches!(error, ConnectError::Tls(_)), "{error:?}");
        drop(serving.join().expect("well"));

        let (mut client, server) = TcpStream::pair();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
        let acceptor = TlsAcceptor::new(Authority::new().server_config(&["localhost"]));
        assert_eq!(acceptor.accept(server).expect_err("it is not TLS").kind(), ErrorKind::InvalidData);

        let (client, server) = TcpStream::pair();
        drop(client);
        assert_eq!(acceptor.accept(server).expect_err("nobody is there").kind(), ErrorKind::UnexpectedEof);
    });
}

// ---- ends

/// The two ends of a TLS stream over a socket.
fn pair<S: Pair>(versions: &[&'static rustls::SupportedProtocolVersion]) -> (TlsStream<S>, TlsStream<S>) {
    let authority = Authority::new();
    let (client, server) = S::pair();
    let config = authority.server_config(&["tide.test"]);
    let accepting = thread::spawn(move || TlsAcceptor::new(config).accept(server).expect("TLS"));
    let config = authority.client_config_with(versions);
    let name = "tide.test".try_into().expect("a name");
    let client = TlsStream::client(client, config, name, Some(BOUND)).expect("it is trusted");
    (client, accepting.join().expect("well"))
}

/// Each test with each version of TLS, over TCP and (where there are any) Unix sockets.
macro_rules! over_tls {
    ($($(#[$meta:meta])* fn $name:ident($client:ident, $server:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn check<S: Pair>(versions: &[&'static rustls::SupportedProtocolVersion]) {
                let ($client, $server) = pair::<S>(versions);
                $body
            }

            #[test]
            fn version_1_2() {
                bounded(|| check::<TcpStream>(&[&rustls::version::TLS12]));
            }

            #[test]
            fn version_1_3() {
                bounded(|| check::<TcpStream>(&[&rustls::version::TLS13]));
            }

            #[cfg(unix)]
            #[test]
            fn over_a_unix_socket() {
                bounded(|| check::<std::os::unix::net::UnixStream>(&[&rustls::version::TLS13]));
            }
        }
    )*};
}

fn server_of<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    WebSocket::new(stream, Connection::server(Agreement::default(), config))
}

fn client_of<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    WebSocket::new(stream, Connection::client(Agreement::default(), config, SystemEntropy))
}

fn closing_in(timeout: Duration) -> Config {
    let mut config = Config::default();
    config.timeouts.close = Some(timeout);
    config
}

over_tls! {
    fn messages_of_all_sizes_come_back(client, server) {
        let echoing = thread::spawn(|| echo(server_of(server, Config::default())));
        let mut client = client_of(client, Config::default());
        for size in SIZES {
            let octets = some_octets(size);
            client.send(&octets).expect("sent");
            assert!(client.recv_message() == Some(octets.into()), "{size}");
        }
        for n in 0..1000_u32 {
            client.feed(&n.to_be_bytes()).expect("taken");
        }
        client.flush().expect("flushed");
        for n in 0..1000_u32 {
            assert!(client.recv_message() == Some(n.to_be_bytes().to_vec().into()), "{n}");
        }
        say_and_close(client);
        assert!(echoing.join().expect("well").is_clean());
    }

    fn both_directions_at_once_on_two_threads(client, server) {
        const LEN: usize = 1 << 20; // neither side could write that without somebody reading
        let sides = [
            client_of(client, Config::default()).into_split().expect("it can be cloned"),
            server_of(server, Config::default()).into_split().expect("it can be cloned"),
        ];
        let threads = sides.map(|(mut reader, mut writer)| {
            let writing = thread::spawn(move || {
                for n in 0..16_u8 {
                    writer.send(&vec![n; LEN]).expect("sent");
                    writer.ping(&[n]).expect("sent");
                }
                writer
            });
            thread::spawn(move || {
                for n in 0..16_u8 {
                    let message = reader.recv_message().expect("it was sent");
                    assert!(message.as_bytes().len() == LEN && message.as_bytes().iter().all(|octet| *octet == n));
                }
                let mut writer = writing.join().expect("well");
                writer.close(CloseCode::NORMAL, "").expect("open, or closing");
                while reader.recv().is_some() {}
                assert!(reader.io_error().is_none(), "{:?}", reader.io_error());
                reader.close_info().expect("over").clone()
            })
        });
        for thread in threads {
            assert!(thread.join().expect("well").is_clean());
        }
    }

    fn octets_as_a_stream(client, server) {
        let echoing = thread::spawn(|| echo(server_of(server, Config::default())));
        let stream = client_of(client, Config::default()).into_byte_stream(Kind::Binary);
        let (mut reading, mut writing) = stream.into_split().expect("it can be cloned");
        let copying = thread::spawn(move || {
            io::copy(&mut &*some_octets(1 << 20), &mut writing).expect("taken");
            writing.shutdown().expect("it is open");
        });
        let mut back = Vec::new();
        reading.read_to_end(&mut back).expect("an orderly end");
        assert!(back == some_octets(1 << 20));
        copying.join().expect("well");
        assert!(echoing.join().expect("well").is_clean());
    }

    fn the_end_is_announced_and_an_end_that_is_announced_is_none_of_errors(client, server) {
        let (mut client, mut server) = (client_of(client, Config::default()), server);
        server.write_all(&unmasked(0x81, b"goodbye")).expect("written");
        server.shutdown_write().expect("it is open");
        let (events, end) = drain(&mut client);
        assert_eq!(events, [r#"Text("goodbye")"#]);
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert!(client.io_error().is_none(), "{:?}", client.io_error());
        assert_eq!(read_to_end(&mut server), b"", "ours is announced too");
    }

    fn an_end_that_was_not_announced_is_an_error(client, server) {
        let mut client = client_of(client, Config::default());
        drop(server); // as if somebody had cut
        let (_, end) = drain(&mut client);
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(client.io_error().map(io::Error::kind), Some(ErrorKind::UnexpectedEof));
    }

    fn behind_the_closing_handshake_an_end_needs_no_announcement(client, server) {
        let (mut client, mut server) = (client_of(client, Config::default()), server);
        client.close(CloseCode::NORMAL, "").expect("it is open");
        let closing = thread::spawn(move || (drain(&mut client).1, client.io_error().map(io::Error::kind)));
        assert_eq!(read_masked(&mut server), (0x88, close_body(1000, "")));
        server.write_all(&unmasked(0x88, &close_body(1000, ""))).expect("written");
        drop(server);
        let (end, error) = closing.join().expect("well");
        assert!(end.is_clean());
        assert_eq!(error, None);
    }

    fn a_cut_inside_a_frame(client, server) {
        let (mut client, mut server) = (client_of(client, Config::default()), server);
        server.write_all(&unmasked(0x82, &[7; 1000])[..500]).expect("written");
        drop(server);
        let (events, end) = drain(&mut client);
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(client.io_error().map(io::Error::kind), Some(ErrorKind::UnexpectedEof));
    }

    fn octets_that_are_no_tls(client, server) {
        let mut client = client_of(client, Config::default());
        let mut below = server.get_ref().try_clone().expect("sockets can be cloned");
        below.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("written");
        let (events, end) = drain(&mut client);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(client.io_error().map(io::Error::kind), Some(ErrorKind::InvalidData));
        // The other side is told by an alert.
        let (_, end) = { let mut server = server_of(server, Config::default()); let end = drain(&mut server);
            let alert = server.io_error().and_then(alert);
            assert!(alert.is_some(), "{:?}", server.io_error());
            end };
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
    }

    fn a_peer_that_never_answers_our_close(client, server) {
        let mut server = server_of(server, closing_in(SHORT));
        server.close(CloseCode::NORMAL, "").expect("it is open");
        let (events, end) = drain(&mut server);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Close)));
        let mut client = client;
        assert_eq!(read_to_end(&mut client), unmasked(0x88, &close_body(1000, "")));
    }

    fn a_peer_that_never_reads(client, server) {
        let mut config = Config::default();
        config.timeouts.write_stall = Some(SHORT);
        let mut server = server_of(server, config);
        let payload = vec![0; 1 << 20];
        while server.send(&payload).is_ok() && server.state() == State::Open {}
        let (events, end) = drain(&mut server);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
        drop(client);
    }

    fn a_peer_that_never_reads_and_two_threads(client, server) {
        let mut config = Config::default();
        config.timeouts.write_stall = Some(SHORT);
        let (mut reader, mut writer) = server_of(server, config).into_split().expect("it can be cloned");
        let reading = thread::spawn(move || { while reader.recv().is_some() {} reader.close_info().expect("over").clone() });
        let payload = vec![0; 1 << 20];
        while writer.send(&payload).is_ok() && writer.state() == State::Open {}
        let end = reading.join().expect("well");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
        drop(client);
    }

    // Deadlines that pass while a write waits: nothing is written twice or left out.
    fn a_write_that_is_interrupted_goes_on(client, server) {
        let mut config = Config::default();
        (config.timeouts.keepalive, config.timeouts.pong) = (Some(Duration::from_millis(5)), None);
        let mut server = server_of(server, config);
        let (go, wait) = mpsc::channel();
        let octets = some_octets(8 << 20);
        let expected = octets.clone();
        let sending = thread::spawn(move || {
            let sent = (0..2).all(|_| server.send(&octets).is_ok());
            go.send(()).expect("somebody waits for it");
            assert!(sent);
            drain(&mut server).1
        });
        assert!(wait.recv_timeout(10 * SHORT).is_err(), "no transport takes that by itself");
        let mut client = client_of(client, Config::default());
        for _ in 0..2 {
            assert!(client.recv_message().expect("it was sent").as_bytes() == expected);
        }
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert!(sending.join().expect("well").is_clean());
    }

    fn a_message_for_many_waits_for_nobody(client, server) {
        let (mut reader, writer) = server_of(server, Config::default()).into_split().expect("it can be cloned");
        let handle = writer.handle();
        let news = hybi_std::Prepared::new(&some_octets(10_000));
        let mut taken = 0;
        while handle.try_send_prepared(&news).is_ok() {
            taken += 1;
            assert!(taken < 10_000, "nobody reads");
        }
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        let mut client = client_of(client, Config::default());
        for n in 0..taken {
            let message = client.recv_message().expect("it was taken");
            assert!(message.as_bytes() == news.as_bytes(), "{n}");
        }
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        reading.join().expect("well");
    }
}

#[test]
fn a_reset_inside_a_frame() {
    bounded(|| {
        let (client, mut server) = pair::<TcpStream>(rustls::DEFAULT_VERSIONS);
        let mut client = client_of(client, Config::default());
        client.send("to be left unread").expect("sent");
        client.send("this too").expect("sent");
        server.write_all(&unmasked(0x81, b"before")).expect("written");
        assert_eq!(client.recv_message(), Some("before".into()));
        server.write_all(&unmasked(0x82, &[7; 1000])[..500]).expect("written");
        let mut below = server.get_ref().try_clone().expect("sockets can be cloned");
        below.read_exact(&mut [0]).expect("something arrived, and more is unread");
        drop((below, server)); // TCP resets a connection that is dropped with octets unread
        let (events, end) = drain(&mut client);
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(client.io_error().map(io::Error::kind), Some(ErrorKind::ConnectionReset));
    });
}

// ---- proxies and redirects

#[test]
fn through_each_proxy_to_each_server() {
    bounded(|| {
        let authority = Authority::new();
        let connector = Connector::default().with_tls(authority.client_config());
        for proxy_scheme in ["http", "https"] {
            for scheme in ["ws", "wss"] {
                let config = authority.server_config(&["tide.test"]);
                let (server, serving) = match scheme {
                    "wss" => serve_echo(config),
                    _ => serve(|stream| echo(accept(stream).expect("a request"))),
                };
                let tls = (proxy_scheme == "https").then(|| authority.server_config(&["localhost"]));
                let proxy = Proxy::start(tls, Manner::Tunnel(server));
                let port = proxy.address().port();
                let through =
                    hybi_std::Proxy::parse(&format!("{proxy_scheme}://localhost:{port}")).expect("one");
                let connector = connector.clone().with_proxy(through.with_basic_auth("user", "secret"));
                // A name that only the proxy knows.
                let (client, _) =
                    connector.connect(request(&format!("{scheme}://tide.test:7/"))).expect("a tunnel");
                let head = proxy.head();
                assert!(head.starts_with("CONNECT tide.test:7 HTTP/1.1\r\n"), "{head}");
                assert!(head.contains("Proxy-Authorization: Basic dXNlcjpzZWNyZXQ="), "{head}");
                assert_eq!(client.get_ref().is_encrypted(), (proxy_scheme, scheme) != ("http", "ws"));
                assert_eq!(client.get_ref().peer_addr().expect("connected"), proxy.address());
                say_and_close(client);
                assert!(serving.join().expect("well").is_clean());
            }
        }
    });
}

#[test]
fn a_proxy_that_refuses() {
    bounded(|| {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\nwho?\r\n";
        let proxy = Proxy::start(None, Manner::Refuse(answer.to_owned()));
        let through = hybi_std::Proxy::parse(&format!("http://{}", proxy.address())).expect("one");
        let connector = Connector::default().with_tls(Authority::new().client_config()).with_proxy(through);
        let error = connector.connect(request("wss://tide.test/")).expect_err("refused");
        let ConnectError::Proxy(HandshakeError::UnexpectedStatus(407), Some(response)) = error else {
            panic!("{error:?}")
        };
        assert_eq!(response.body(), b"who?\r\n");
    });
}

#[test]
fn a_proxy_whose_certificate_is_not_trusted_is_asked_nothing() {
    bounded(|| {
        let authority = Authority::new();
        let proxy =
            Proxy::start(Some(Authority::new().server_config(&["localhost"])), Manner::Refuse(String::new()));
        let through =
            hybi_std::Proxy::parse(&format!("https://localhost:{}", proxy.address().port())).expect("one");
        let connector = Connector::default().with_tls(authority.client_config()).with_proxy(through);
        let error = connector.connect(request("ws://tide.test/")).expect_err("not trusted");
        assert!(matches!(error, ConnectError::Tls(_)), "{error:?}");
        assert!(!proxy.was_asked());
    });
}

#[test]
fn the_proxy_may_have_a_trust_of_its_own() {
    bounded(|| {
        let (for_proxy, for_server) = (Authority::new(), Authority::new());
        let (server, serving) = serve_echo(for_server.server_config(&["tide.test"]));
        let proxy = Proxy::start(Some(for_proxy.server_config(&["localhost"])), Manner::Tunnel(server));
        let through =
            hybi_std::Proxy::parse(&format!("https://localhost:{}", proxy.address().port())).expect("one");
        let connector = Connector::default()
            .with_tls(for_server.client_config())
            .with_proxy_tls(for_proxy.client_config())
            .with_proxy(Proxies::all(through).except("direct.test"));
        say_and_close(connector.connect(request("wss://tide.test/")).expect("both are trusted").0);
        assert!(serving.join().expect("well").is_clean());
    });
}

/// A server that sends its only client elsewhere.
fn serve_redirect(location: String) -> (SocketAddr, JoinHandle<()>) {
    serve(move |stream| {
        let Arrival::Upgrade(pending) = Acceptor::default().read(stream).expect("a request") else {
            panic!("a good one")
        };
        let answer = Answer::new(302).with_header("Location", &location);
        pending.reject(answer).expect("answered");
    })
}

#[test]
fn a_redirect_is_followed_only_if_asked_for() {
    bounded(|| {
        let authority = Authority::new();
        let (address, serving) = serve_echo(authority.server_config(&["localhost"]));
        let target = format!("wss://localhost:{}/", address.port());
        let connector = Connector::default().with_tls(authority.client_config());
        let first = |location: &str| {
            let (address, serving) = serve_redirect(location.to_owned());
            (request(&format!("ws://{address}/")), serving)
        };

        let (to, redirecting) = first(&target);
        let error = connector.connect(to).expect_err("nobody asked for it");
        assert!(
            matches!(error, ConnectError::Handshake(HandshakeError::UnexpectedStatus(302), _)),
            "{error:?}"
        );
        redirecting.join().expect("well");

        let following = connector.with_redirects(Redirects::default());
        let (to, redirecting) = first(&target);
        let error = following.clone().on_redirect(|_| None).connect(to).expect_err("the hook says no");
        assert!(
            matches!(error, ConnectError::Handshake(HandshakeError::UnexpectedStatus(302), _)),
            "{error:?}"
        );
        redirecting.join().expect("well");

        let mut none = Redirects::default();
        none.limit = 0;
        let (to, redirecting) = first(&target);
        let error = following.clone().with_redirects(none).connect(to).expect_err("one too many");
        assert!(matches!(error, ConnectError::Redirect(RedirectError::TooMany, _)), "{error:?}");
        redirecting.join().expect("well");

        let (to, redirecting) = first(&target);
        let (tell, told) = mpsc::channel();
        let following = following.on_redirect(move |request| {
            tell.send(request.uri().to_string()).expect("somebody listens");
            Some(request.clone())
        });
        let (client, _) = following.connect(to).expect("it is followed");
        assert_eq!(told.recv().expect("the hook was asked"), target);
        assert!(client.get_ref().is_encrypted());
        say_and_close(client);
        redirecting.join().expect("well");
        assert!(serving.join().expect("well").is_clean());
    });
}

#[test]
fn a_redirect_to_tls_without_a_trust_is_not_dialed() {
    #[cfg(not(any(feature = "tls-webpki-roots", feature = "tls-platform-roots")))]
    bounded(|| {
        let (address, redirecting) = serve_redirect("wss://127.0.0.1:1/".to_owned());
        let connector = Connector::default().with_redirects(Redirects::default());
        let error = connector.connect(request(&format!("ws://{address}/"))).expect_err("no trust");
        assert!(matches!(error, ConnectError::NoTls), "{error:?}");
        redirecting.join().expect("well");
    });
}

#[test]
fn the_type_of_the_stream_is_for_all() {
    bounded(|| {
        let (client, server) = TcpStream::pair();
        let serving = thread::spawn(move || {
            let Arrival::Upgrade(pending) =
                Acceptor::default().read(Stream::from(server)).expect("a request")
            else {
                panic!("a good one")
            };
            echo(pending.accept(Accept::new()).expect("accepted"))
        });
        let (mut client, _) =
            Connector::default().handshake(Stream::from(client), request("ws://a/")).expect("open");
        assert!(!client.get_ref().is_encrypted() && client.get_ref().tls().is_none());
        client.ping(b"1").expect("sent");
        assert!(matches!(client.recv(), Some(Event::Pong(b"1"))));
        say_and_close(client);
        assert!(serving.join().expect("well").is_clean());
    });
}
