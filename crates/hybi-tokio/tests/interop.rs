//! Against peers that other people wrote, over TLS: the npm packages `ws` and `faye-websocket` and the Python package
//! `websockets`, each as
//! client and as server; and Chromium. In Chromium the examples for axum are used as well: `examples.rs`.
#![cfg(any(feature = "deflate", feature = "zlib-rs"))]

#[path = "../../hybi-futures/tests/foreign/mod.rs"]
mod foreign;

use std::sync::Arc;

use foreign::{Task, serve_client, use_server};
use hybi_test::foreign::{expect_ok, peer};
use hybi_test::tls::Authority;
use hybi_tokio::rustls::{ClientConfig, ServerConfig};
use hybi_tokio::{
    Accept, Acceptor, Answer, Arrival, CloseInfo, Config, Error, Event, ServerSettings, TlsAcceptor, Tokio,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("nothing is missing")
}

fn block_on(task: Task) {
    runtime().block_on(task);
}

fn serve(listener: std::net::TcpListener, config: Arc<ServerConfig>) -> CloseInfo {
    runtime().block_on(async {
        listener.set_nonblocking(true).expect("TCP can");
        let listener = TcpListener::from_std(listener).expect("it does not block");
        let (stream, _) = listener.accept().await.expect("it connects");
        let stream = TlsAcceptor::new(config).accept(stream).await.expect("it trusts us");
        foreign::echo::<_, Tokio>(stream).await
    })
}

#[test]
fn our_client_and_the_server_of_ws() {
    use_server::<Tokio>("ws-server", block_on);
}

#[test]
fn our_client_and_the_server_of_websockets() {
    use_server::<Tokio>("websockets-server", block_on);
}

#[test]
fn our_client_and_the_server_of_faye_websocket() {
    use_server::<Tokio>("faye-server", block_on);
}

#[test]
fn our_server_and_the_client_of_faye_websocket() {
    serve_client("faye-client", serve);
}

#[test]
fn our_server_and_the_client_of_ws() {
    serve_client("ws-client", serve);
}

#[test]
fn our_server_and_the_client_of_websockets() {
    serve_client("websockets-client", serve);
}

/// A browser that trusts this one key loads a page from the acceptor over `https://` and uses it over `wss://`.
#[test]
fn our_server_and_chromium() {
    let Some(mut page) = peer("page") else { return };
    foreign::bounded(move || {
        let identity = Authority::new().issue(&["localhost"]);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("TCP can");
        let url = format!("https://localhost:{}/", listener.local_addr().expect("bound").port());
        let tls = TlsAcceptor::new(identity.server_config());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let (tell, mut told) = mpsc::unbounded_channel();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("it does not block");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(page_or_echo(tls.clone(), stream, tell.clone()));
            }
        });
        let trust = format!("--trust-key={}", identity.public_key_hash());
        let said = expect_ok(page.args([&*url, "--timeout=80", "--many=100", &trust]));
        assert!(said.starts_with("ok text=1 binary=1 ") && said.ends_with(" closed"), "{said}");
        assert!(told.blocking_recv().expect("it was used").is_clean());
    });
}

async fn page_or_echo(
    tls: TlsAcceptor,
    stream: TcpStream,
    tell: mpsc::UnboundedSender<CloseInfo>,
) -> Result<(), Error> {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let stream = tls.accept(stream).await?; // a browser connects at a venture, too
    let mut socket = match Acceptor::new(Config::default(), settings).read(stream).await? {
        Arrival::Plain(plain) => {
            let page = Answer::new(200).with_body(include_str!("../examples/page.html"));
            return plain.respond(page.with_header("Content-Type", "text/html; charset=utf-8")).await;
        }
        Arrival::Upgrade(pending) => pending.accept(Accept::new()).await?,
    };
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text)?,
            Event::Binary(data) => sender.send(&data)?,
            Event::Closed(end) => tell.send(end).expect("somebody waits for it"),
            _ => {}
        }
    }
    Ok(())
}
