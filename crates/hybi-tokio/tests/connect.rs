//! The way to a server: addresses, Unix sockets, TLS, proxies, redirects, and what each failure says.
#![allow(clippy::panic, reason = "that is how a test fails")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hybi::HandshakeError;
use hybi_tokio::{
    Accept, Acceptor, Answer, Arrival, ClientRequest, CloseCode, CloseInfo, Config, ConnectError,
    ConnectGate, Connector, Event, Proxy, Redirects, ServerSettings, WebSocket, accept, connect,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server for one connection.
async fn serve<T, F>(handler: impl FnOnce(TcpStream) -> F + Send + 'static) -> (SocketAddr, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (address, tokio::spawn(async move { handler(listener.accept().await.expect("it connects").0).await }))
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> CloseInfo {
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text).expect("it is taken"),
            Event::Binary(data) => sender.send(&data).expect("it is taken"),
            _ => {}
        }
    }
    socket.close_info().expect("it is over").clone()
}

async fn say_and_close<S: AsyncRead + AsyncWrite + Unpin>(mut client: WebSocket<S>) {
    for text in ["high water?", &"x".repeat(300_000)] {
        client.send(text).await.expect("sent");
        assert!(client.recv_message().await == Some(text.into()));
    }
    client.close(CloseCode::NORMAL, "ebb").await.expect("it is open");
    while client.recv().await.is_some() {}
    assert!(client.close_info().is_some_and(CloseInfo::is_clean));
    assert!(client.io_error().is_none(), "{:?}", client.io_error());
}

fn request(address: &str) -> ClientRequest {
    ClientRequest::new(address).expect("an address")
}

async fn bounded(test: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(60), test).await.expect("it comes to an end");
}

#[tokio::test]
async fn an_address_with_a_name() {
    bounded(async {
        let (address, serving) =
            serve(async |stream| echo(accept(stream).await.expect("a request")).await).await;
        let (client, response) =
            connect(&format!("ws://localhost:{}/", address.port())).await.expect("it is open");
        assert_eq!(response.status(), 101);
        assert!(client.get_ref().tcp().is_some_and(|tcp| tcp.nodelay().expect("TCP has it")));
        assert!(!client.get_ref().is_encrypted());
        say_and_close(client).await;
        assert!(serving.await.expect("well").is_clean());
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn an_address_of_a_unix_socket() {
    bounded(async {
        let folder = std::env::temp_dir().join(format!("hybi-tokio-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("it can be written to");
        let path = folder.join("socket");
        let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
        let serving = tokio::spawn(async move {
            echo(accept(listener.accept().await.expect("it connects").0).await.expect("a request")).await
        });
        let (client, _) = connect(&format!("ws+unix:{}:/tide", path.display())).await.expect("it is open");
        assert!(client.get_ref().tcp().is_none());
        say_and_close(client).await;
        assert!(serving.await.expect("well").is_clean());
        std::fs::remove_dir_all(folder).expect("it is ours");
    })
    .await;
}

#[tokio::test]
async fn where_nobody_listens() {
    bounded(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let error = connect(&format!("ws://{address}/")).await.expect_err("nobody");
        assert!(
            matches!(error, ConnectError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
        );
        assert!(matches!(connect("http://[::1").await, Err(ConnectError::Request(_))));
    })
    .await;
}

#[cfg(not(any(feature = "tls-platform-roots", feature = "tls-webpki-roots")))]
#[tokio::test]
async fn an_address_with_wss_where_nobody_is_trusted() {
    bounded(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        assert!(matches!(connect(&format!("wss://{address}/")).await, Err(ConnectError::NoTls)));
        let none = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(none.is_err(), "nothing was dialed");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_can_be_read() {
    bounded(async {
        let (address, serving) = serve(async |stream| {
            let acceptor = Acceptor::new(Config::default(), ServerSettings::default());
            let Arrival::Upgrade(pending) = acceptor.read(stream).await.expect("a request") else {
                panic!("an upgrade")
            };
            pending.reject(Answer::new(403).with_body("not from there")).await.expect("told");
        })
        .await;
        let error = connect(&format!("ws://{address}/")).await.expect_err("refused");
        let ConnectError::Handshake(HandshakeError::UnexpectedStatus(403), Some(response)) = error else {
            panic!("{error:?}")
        };
        assert_eq!(response.body(), b"not from there");
        serving.await.expect("well");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    bounded(async {
        let (address, serving) =
            serve(async |mut stream| stream.read_to_end(&mut Vec::new()).await.is_ok()).await;
        let mut config = Config::default();
        config.timeouts.handshake = Some(Duration::from_millis(50));
        let connected = Connector::new(config).connect(request(&format!("ws://{address}/"))).await;
        assert!(matches!(connected, Err(ConnectError::Handshake(HandshakeError::TimedOut, None))));
        assert!(serving.await.expect("well"));
    })
    .await;
}

#[tokio::test]
async fn redirects_are_followed_if_that_is_wished() {
    async fn redirecting(to: SocketAddr) -> SocketAddr {
        let (address, _) = serve(async move |mut stream| {
            let answer = format!("HTTP/1.1 307 T\r\nLocation: ws://{to}/there\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("written");
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        address
    }
    bounded(async {
        let (there, serving) = serve(async |stream| {
            let Arrival::Upgrade(pending) = Acceptor::default().read(stream).await.expect("a request") else {
                panic!("an upgrade")
            };
            assert_eq!(pending.request().target(), "/there");
            assert_eq!(pending.request().fields().get("x-hook"), Some(&b"yes"[..]));
            echo(pending.accept(Accept::new()).await.expect("accepted")).await
        })
        .await;
        let here = redirecting(there).await;
        let connector = Connector::default()
            .with_redirects(Redirects::default())
            .on_redirect(|request| request.clone().with_header("X-Hook", "yes").ok());
        let (client, _) = connector.connect(request(&format!("ws://{here}/"))).await.expect("it is open");
        say_and_close(client).await;
        assert!(serving.await.expect("well").is_clean());

        let here = redirecting(there).await;
        let refused = Connector::default().connect(request(&format!("ws://{here}/"))).await;
        assert!(matches!(
            refused,
            Err(ConnectError::Handshake(HandshakeError::UnexpectedStatus(307), Some(_)))
        ));

        let here = redirecting(there).await;
        let stopping = Connector::default().with_redirects(Redirects::default()).on_redirect(|_| None);
        let stopped = stopping.connect(request(&format!("ws://{here}/"))).await;
        assert!(matches!(
            stopped,
            Err(ConnectError::Handshake(HandshakeError::UnexpectedStatus(307), Some(_)))
        ));
    })
    .await;
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;

    use std::io;
    use std::sync::Arc;

    use hybi::{Agreement, Connection};
    use hybi_test::proxy::{Manner, Proxy};
    use hybi_test::tls::Authority;
    use hybi_tokio::rustls::{self, CertificateError, ServerConfig};
    use hybi_tokio::{CloseCause, TlsAcceptor};

    async fn serve_echo(config: Arc<ServerConfig>) -> (SocketAddr, JoinHandle<CloseInfo>) {
        serve(async move |stream| {
            let stream = TlsAcceptor::new(config).accept(stream).await.expect("TLS");
            assert_eq!(stream.get_ref().1.server_name(), Some("localhost"));
            echo(accept(stream).await.expect("a request")).await
        })
        .await
    }

    #[tokio::test]
    async fn an_address_with_wss() {
        bounded(async {
            let authority = Authority::new();
            let (address, serving) = serve_echo(authority.server_config(&["localhost"])).await;
            let connector = Connector::default().with_tls(authority.client_config());
            let url = format!("wss://localhost:{}/", address.port());
            let (client, _) = connector.connect(request(&url)).await.expect("it is trusted");
            let stream = client.get_ref();
            assert!(
                stream.is_encrypted() && stream.tcp().is_some_and(|tcp| tcp.nodelay().expect("TCP has it"))
            );
            assert_eq!(
                stream.tls().and_then(|tls| tls.get_ref().1.peer_certificates()).map(<[_]>::len),
                Some(1)
            );
            say_and_close(client).await;
            assert!(serving.await.expect("well").is_clean());
        })
        .await;
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_trusted_ends_it_before_the_opening_handshake() {
        bounded(async {
            let (ours, theirs) = (Authority::new(), Authority::new());
            let bad = [
                theirs.server_config(&["localhost"]),
                ours.server_config(&["other.test"]),
                ours.issue_expired(&["localhost"]).server_config(),
            ];
            for (number, config) in bad.into_iter().enumerate() {
                let (address, serving) = serve(async move |stream| {
                    TlsAcceptor::new(config).accept(stream).await.map(drop).map_err(|error| error.kind())
                })
                .await;
                let url = format!("wss://localhost:{}/", address.port());
                let connector = Connector::default().with_tls(ours.client_config());
                let error = connector.connect(request(&url)).await.expect_err("it is not to be trusted");
                let ConnectError::Tls(error) = error else { panic!("{error:?}") };
                let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
                match (number, source) {
                    (0, Some(error)) => assert_eq!(*error, CertificateError::UnknownIssuer.into()),
                    (_, Some(rustls::Error::InvalidCertificate(_))) => {}
                    other => panic!("{other:?}"),
                }
                assert!(serving.await.expect("well").is_err(), "not an octet of a request");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn through_proxies() {
        bounded(async {
            let authority = Authority::new();
            for encrypted in [false, true] {
                let (address, serving) = serve_echo(authority.server_config(&["localhost"])).await;
                let config = encrypted.then(|| authority.server_config(&["localhost"]));
                let proxy = Proxy::start(config, Manner::Tunnel(address));
                let scheme = if encrypted { "https" } else { "http" };
                let through = format!("{scheme}://ada:love@localhost:{}", proxy.address().port());
                let connector = Connector::default()
                    .with_tls(authority.client_config())
                    .with_proxy(hybi_tokio::Proxy::parse(&through).expect("an address"));
                let (client, _) = connector.connect(request("wss://localhost/")).await.expect("it is open");
                say_and_close(client).await;
                assert!(serving.await.expect("well").is_clean());
                assert!(proxy.head().starts_with("CONNECT localhost:443 HTTP/1.1\r\n"));
            }
            let proxy =
                Proxy::start(None, Manner::Refuse("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n".into()));
            let through =
                hybi_tokio::Proxy::parse(&format!("http://{}", proxy.address())).expect("an address");
            let refused = Connector::default().with_proxy(through).connect(request("ws://test/")).await;
            assert!(matches!(
                refused,
                Err(ConnectError::Proxy(HandshakeError::UnexpectedStatus(407), Some(_)))
            ));
        })
        .await;
    }

    async fn encrypted_pair()
    -> (tokio_rustls::client::TlsStream<TcpStream>, tokio_rustls::server::TlsStream<TcpStream>) {
        let authority = Authority::new();
        let config = authority.server_config(&["localhost"]);
        let (address, serving) =
            serve(async move |stream| TlsAcceptor::new(config).accept(stream).await.expect("TLS")).await;
        let connector = tokio_rustls::TlsConnector::from(authority.client_config());
        let stream = TcpStream::connect(address).await.expect("it listens");
        let client =
            connector.connect("localhost".try_into().expect("a name"), stream).await.expect("it is trusted");
        (client, serving.await.expect("well"))
    }

    fn server<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocket<S> {
        WebSocket::new(stream, Connection::server(Agreement::default(), Config::default()))
    }

    #[tokio::test]
    async fn an_orderly_end_is_announced_and_a_cut_is_none() {
        bounded(async {
            // The client reads an end only if the server announced it: without, rustls says `UnexpectedEof`.
            let (mut peer, stream) = encrypted_pair().await;
            let mut socket = server(stream);
            peer.write_all(&hybi_test::frames::masked(0x88, &[])).await.expect("written");
            while socket.recv().await.is_some() {}
            assert!(socket.close_info().is_some_and(CloseInfo::is_clean));
            let mut read = Vec::new();
            peer.read_to_end(&mut read).await.expect("the end was announced");
            assert_eq!(read, hybi_test::frames::unmasked(0x88, &[]));

            // A stream that is cut.
            let (peer, stream) = encrypted_pair().await;
            let mut socket = server(stream);
            let (mut below, _) = peer.into_inner();
            below.shutdown().await.expect("an end below TLS");
            let Some(Event::Closed(info)) = socket.recv().await else { panic!("an end") };
            assert_eq!(info.cause(), &CloseCause::TransportEnded);
            assert!(socket.recv().await.is_none());
            assert_eq!(socket.io_error().map(io::Error::kind), Some(io::ErrorKind::UnexpectedEof));
        })
        .await;
    }

    #[tokio::test]
    async fn two_halves_over_tls() {
        bounded(async {
            let (peer, stream) = encrypted_pair().await;
            let connection = Connection::client(Agreement::default(), Config::default(), hybi::SystemEntropy);
            let (mut reader, mut writer) = WebSocket::new(peer, connection).into_split();
            let echoing = tokio::spawn(echo(server(stream)));
            let sending = tokio::spawn(async move {
                for n in 0..200_u32 {
                    writer.send(&vec![n as u8; 20_000]).await.expect("sent");
                }
                writer
            });
            for n in 0..200_u32 {
                let message = reader.recv_message().await.expect("it comes back");
                assert!(message.as_bytes() == vec![n as u8; 20_000], "{n}");
            }
            let mut writer = sending.await.expect("well");
            writer.close(CloseCode::NORMAL, "").await.expect("it is open");
            while reader.recv().await.is_some() {}
            assert!(reader.close_info().is_some_and(CloseInfo::is_clean));
            assert!(echoing.await.expect("well").is_clean());
        })
        .await;
    }
}

// ---- one at a time (RFC 6455 §4.1, item 2)

/// Answers each request, every second one with a refusal, when it has given everybody else the time to come. How many
/// were asking at once at most is what it counts.
async fn busy_server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let most = Arc::new(AtomicUsize::new(0));
    let (asking, at_most) = (Arc::new(AtomicUsize::new(0)), most.clone());
    tokio::spawn(async move {
        for n in 0.. {
            let (stream, _) = listener.accept().await.expect("it connects");
            let (asking, at_most) = (asking.clone(), at_most.clone());
            at_most.fetch_max(asking.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::spawn(async move {
                let arrival = Acceptor::default().read(stream).await.expect("a request");
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
                let Arrival::Upgrade(pending) = arrival else { panic!("it asks for a WebSocket") };
                asking.fetch_sub(1, Ordering::SeqCst);
                if n % 2 == 0 {
                    pending.reject(Answer::new(403)).await.expect("written");
                } else {
                    echo(pending.accept(Accept::new()).await.expect("written")).await;
                }
            });
        }
    });
    (address, most)
}

/// As many at once; how many of them were accepted.
async fn connect_all(connector: &Connector, addresses: &[String]) -> usize {
    let attempts: Vec<_> = addresses
        .iter()
        .map(|address| {
            let (connector, request) = (connector.clone(), request(address));
            tokio::spawn(async move { connector.connect(request).await.is_ok() })
        })
        .collect();
    let mut accepted = 0;
    for attempt in attempts {
        accepted += usize::from(attempt.await.expect("well"));
    }
    accepted
}

#[tokio::test]
async fn a_gate_lets_one_at_a_time_connect_to_an_address() {
    bounded(async {
        let gated = Connector::default().with_gate(ConnectGate::default());
        for (connector, is_gated) in [(Connector::default(), false), (gated, true)] {
            let (address, most) = busy_server().await;
            // Two names of one host are one destination.
            let names = ["127.0.0.1", "localhost"].map(|name| format!("ws://{name}:{}/", address.port()));
            let addresses: Vec<_> = names.iter().cycle().take(10).cloned().collect();
            assert_eq!(connect_all(&connector, &addresses).await, 5);
            let most = most.load(Ordering::SeqCst);
            assert_eq!(most == 1, is_gated, "{most} at once");
        }
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_each_name_is_another_host() {
    bounded(async {
        let (address, most) = busy_server().await;
        let proxy = hybi_test::proxy::Proxy::start(None, hybi_test::proxy::Manner::Tunnel(address));
        let connector = Connector::default()
            .with_gate(ConnectGate::default())
            .with_proxy(Proxy::parse(&format!("http://{}", proxy.address())).expect("an address"));
        let one = vec!["ws://a.example/".to_owned(); 6];
        assert_eq!(connect_all(&connector, &one).await, 3);
        assert_eq!(most.load(Ordering::SeqCst), 1);
        let others: Vec<_> = (0..6).map(|n| format!("ws://{n}.example/")).collect();
        assert_eq!(connect_all(&connector, &others).await, 3);
        assert!(most.load(Ordering::SeqCst) > 1);
    })
    .await;
}

#[tokio::test]
async fn who_waits_at_a_gate_waits_no_longer_than_told() {
    bounded(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("ws://{}/", listener.local_addr().expect("bound"));
        let gate = ConnectGate::default();
        let patient = Connector::default().with_gate(gate.clone());
        let mut config = Config::default();
        config.timeouts.handshake = Some(Duration::from_millis(50));
        let impatient = Connector::new(config).with_gate(gate);

        let first = tokio::spawn({
            let (patient, request) = (patient.clone(), request(&address));
            async move { patient.connect(request).await.map(|_| ()) }
        });
        let (held, _) = listener.accept().await.expect("it connects"); // and is not answered
        let late = impatient.connect(request(&address)).await.expect_err("it is not its turn");
        assert!(matches!(late, ConnectError::Handshake(HandshakeError::TimedOut, None)), "{late:?}");
        let waiting = tokio::spawn(async move { patient.connect(request(&address)).await.map(|_| ()) });
        first.abort();
        drop(held);
        let (stream, _) = listener.accept().await.expect("the next one's turn");
        accept(stream).await.expect("a request");
        waiting.await.expect("well").expect("it is open");
    })
    .await;
}

#[tokio::test]
async fn the_request_may_depend_on_the_stream() {
    bounded(async {
        let (address, serving) = serve(async |stream| {
            let peer = stream.peer_addr().expect("connected");
            let Ok(Arrival::Upgrade(pending)) = Acceptor::default().read(stream).await else {
                panic!("it asks for a WebSocket")
            };
            let told = pending.request().fields().get_str("X-From").map(str::to_owned);
            echo(pending.accept(Accept::new()).await.expect("written")).await;
            told == Some(peer.to_string())
        })
        .await;
        let connector = Connector::default().before_request(|stream, request| {
            let local = stream.tcp().expect("it is TCP").local_addr().expect("connected");
            request.with_header("X-From", local.to_string()).expect("a header")
        });
        let (client, _) = connector.connect(request(&format!("ws://{address}/"))).await.expect("it is open");
        say_and_close(client).await;
        assert!(serving.await.expect("well"), "it was told");
    })
    .await;
}
