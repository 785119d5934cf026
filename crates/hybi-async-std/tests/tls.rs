//! TLS over the streams of these runtimes, with a certificate authority of the tests' own.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use common::{BOUND, bounded, echo, request, talk};
use hybi_async_std::rustls::{self, CertificateError, ServerConfig};
use hybi_async_std::{Accept, Arrival, CloseInfo, ConnectError, Connector, Listener, Proxy, TlsAcceptor};
use hybi_test::proxy::{Manner, Proxy as TestProxy};
use hybi_test::tls::Authority;
use smol::net::{TcpListener, TcpStream};

/// Takes one connection, and sends back what it gets.
async fn serve_echo(config: Arc<ServerConfig>) -> (u16, smol::Task<CloseInfo>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let task = smol::spawn(async move {
        let (stream, _) = listener.accept().await.expect("one");
        let stream = TlsAcceptor::new(config).accept(stream).await.expect("TLS");
        assert_eq!(stream.get_ref().1.server_name(), Some("localhost"));
        echo(stream).await
    });
    (port, task)
}

#[test]
fn an_address_with_wss() {
    bounded(async {
        let authority = Authority::new();
        let (port, serving) = serve_echo(authority.server_config(&["localhost"])).await;
        let connector = Connector::default().with_tls(authority.client_config());
        let url = format!("wss://localhost:{port}/");
        let (client, _) = connector.connect(request(&url)).await.expect("it is trusted");
        let stream = client.get_ref();
        assert!(stream.is_encrypted() && stream.tcp().expect("TCP").nodelay().expect("TCP has it"));
        assert_eq!(stream.peer_addr().expect("connected").port(), port);
        let certificates = stream.tls().and_then(|tls| tls.get_ref().1.peer_certificates());
        assert_eq!(certificates.map(<[_]>::len), Some(1));
        assert_eq!(format!("{stream:?}"), "Stream { encrypted: true, .. }");
        talk(client).await;
        assert!(serving.await.is_clean());
    });
}

#[test]
fn a_whole_server_inside_tls() {
    bounded(async {
        let authority = Authority::new();
        let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let listener = listener.with_tls(authority.server_config(&["localhost"]));
        let stopper = listener.stopper();
        let running = smol::spawn(listener.run_with(
            |task| smol::spawn(task).detach(),
            async |arrival, clients| {
                let Arrival::Upgrade(pending) = arrival else { return };
                let socket = pending.accept(Accept::new()).await.expect("accepted");
                assert!(socket.get_ref().is_encrypted());
                let (mut reader, mut writer) = socket.into_split();
                let _me = clients.join(writer.handle());
                writer.send("inside").await.expect("it is open");
                while reader.recv().await.is_some() {}
            },
        ));
        let connector = Connector::default().with_tls(authority.client_config());
        let url = format!("wss://localhost:{}/", address.port());
        let (mut client, _) = connector.connect(request(&url)).await.expect("it listens");
        assert_eq!(client.recv_message().await, Some("inside".into()));

        // Who speaks no TLS hears nothing in the clear, and nobody else minds.
        let plain = Connector::default().connect(request(&format!("ws://{address}/"))).await;
        let error = plain.expect_err("that is no answer");
        assert!(matches!(error, ConnectError::Handshake(..) | ConnectError::Io(_)), "{error:?}");

        let leaving = smol::spawn(async move {
            while client.recv().await.is_some() {}
            client.close_info().expect("it is over").clone()
        });
        let stopped = stopper.stop(BOUND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        running.await;
        let end = leaving.await;
        assert_eq!((end.code(), end.is_clean()), (1001, true));
    });
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it_before_the_opening_handshake() {
    bounded(async {
        let (ours, theirs) = (Authority::new(), Authority::new());
        for config in [theirs.server_config(&["localhost"]), ours.server_config(&["other.test"])] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
            let serving = smol::spawn(async move {
                let (stream, _) = listener.accept().await.expect("one");
                TlsAcceptor::new(config).accept(stream).await.map(drop)
            });
            let connector = Connector::default().with_tls(ours.client_config());
            let error = connector.connect(request(&url)).await.expect_err("it is not to be trusted");
            let ConnectError::Tls(error) = error else { panic!("{error:?}") };
            match error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::NotValidForNameContext { .. },
                )) => {}
                other => panic!("{other:?}"),
            }
            serving.await.expect_err("not an octet of a request");
        }
    });
}

#[test]
fn tls_through_an_encrypted_proxy() {
    bounded(async {
        let authority = Authority::new();
        let (port, serving) = serve_echo(authority.server_config(&["localhost"])).await;
        let there = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let proxy = TestProxy::start(Some(authority.server_config(&["localhost"])), Manner::Tunnel(there));
        let through = format!("https://localhost:{}", proxy.address().port());
        let connector = Connector::default()
            .with_tls(authority.client_config())
            .with_proxy(Proxy::parse(&through).expect("an address"));
        let (client, _) = connector.connect(request("wss://localhost/")).await.expect("it is open");
        let inner = client.get_ref().tls().expect("to the server").get_ref().0;
        assert!(inner.is_encrypted(), "and to the proxy");
        assert_eq!(client.get_ref().peer_addr().expect("connected"), proxy.address());
        talk(client).await;
        assert!(serving.await.is_clean());
        assert!(proxy.head().starts_with("CONNECT localhost:443 HTTP/1.1\r\n"));
    });
}

#[test]
fn a_tls_handshake_that_takes_too_long() {
    bounded(async {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let silent = TcpStream::connect(address).await.expect("it listens");
        let (stream, _) = listener.accept().await.expect("one");
        let acceptor =
            TlsAcceptor::new(authority.server_config(&["localhost"])).with_time_limit(Some(Duration::ZERO));
        assert_eq!(format!("{acceptor:?}"), "TlsAcceptor { time_limit: Some(0ns), .. }");
        let error = acceptor.accept(stream).await.expect_err("nothing was said");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(silent);
    });
}
