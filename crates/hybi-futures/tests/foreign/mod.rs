//! Against peers that other people wrote, over TLS: what every asynchronous adapter has to do. Each includes this file
//! in a test of its own and brings a runtime.
#![allow(clippy::panic, reason = "that is how a test fails")]

use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::{ClientConfig, ServerConfig};
use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_futures::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, CloseInfo, Connector, Dial, Event, Io, Message,
    WebSocket,
};
use hybi_test::foreign::{Server, expect_ok, peer};
use hybi_test::tls::{Authority, Identity};

/// No test takes longer. It is no expectation: it turns a hang into a failure.
pub(crate) const BOUND: Duration = Duration::from_secs(90);

/// A future that a runtime runs to its end.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs something on a thread of its own, for as long as it may take.
pub(crate) fn bounded(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(BOUND) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not over after {BOUND:?}"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// A client of ours uses a foreign echo server, and both agree on how it ended.
pub(crate) fn use_server<R>(name: &'static str, block_on: fn(Task))
where
    R: Dial + Io<<R as Dial>::Stream>,
    R::Tls: From<Arc<ClientConfig>>,
{
    bounded(move || {
        let Some(command) = peer(name) else { return };
        let authority = Authority::new();
        let files = authority.issue(&["localhost"]).write(&authority);
        let [certificate, key] = files.server_arguments();
        let (flag, extensions) = deflate(name);
        let server = Server::start(command, &[&certificate, &key, flag, "--subprotocol=tide"]);
        let connector = Connector::<R>::default().with_tls(authority.client_config());
        let url = format!("wss://localhost:{}/", server.port());
        let request = ClientRequest::new(&*url).expect("an address").with_subprotocol("tide");
        let request = request.expect("a token").with_deflate(DeflateConfig::default());
        block_on(Box::pin(async move {
            let (socket, response) = connector.connect(request).await.expect("it opens");
            assert_eq!(response.subprotocol(), Some("tide"));
            talk(socket, !name.starts_with("faye")).await;
        }));
        assert_eq!(server.line(), format!("open {extensions} tide"));
        assert_eq!(server.line(), "closed 4000 all told");
    });
}

/// Whether a peer compresses: as an option for it, and as it says so.
fn deflate(name: &str) -> (&'static str, &'static str) {
    if name.starts_with("faye") { ("--deflate=off", "-") } else { ("--deflate=on", "permessage-deflate") }
}

/// Messages of all sizes come back, a ping is answered, and both sides close in order. Behind the closing handshake it
/// is up to the peer whether it announces the end of TLS.
async fn talk<S, R: Io<S>>(mut socket: WebSocket<S, R>, announces_end: bool) {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
        let text: String = ('a'..='z').cycle().take(len).collect();
        let octets: Vec<u8> = (0..len).map(|n| ((n * 31) >> 3) as u8).collect();
        for message in [Message::from(text), Message::from(octets)] {
            socket.send(&message).await.expect("it is open");
            assert!(socket.recv_message().await == Some(message), "{len}");
        }
    }
    socket.ping(b"depth").await.expect("it is open");
    while !matches!(socket.recv().await.expect("the pong comes before the end"), Event::Pong(b"depth")) {}
    socket.close(CloseCode::new(4000).expect("a code"), "all told").await.expect("it is open");
    while socket.recv().await.is_some() {}
    let end = socket.close_info().expect("it is over");
    assert_eq!((end.code(), end.is_clean()), (4000, true), "{end:?}");
    assert!(!announces_end || socket.io_error().is_none(), "{:?}", socket.io_error());
}

/// A foreign client uses an echo server of ours; it checks everything itself.
pub(crate) fn serve_client(
    name: &'static str,
    serve: impl FnOnce(TcpListener, Arc<ServerConfig>) -> CloseInfo + Send + 'static,
) {
    bounded(move || {
        let Some(mut command) = peer(name) else { return };
        let authority = Authority::new();
        let identity: Identity = authority.issue(&["localhost"]);
        let files = identity.write(&authority);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
        let config = identity.server_config();
        let serving = thread::spawn(move || serve(listener, config));
        let (flag, extensions) = deflate(name);
        let said = expect_ok(command.args([&*url, "24", "--timeout=50", flag, &files.client_argument()]));
        assert!(said.contains(" messages=48 pings=24 ") && said.contains(" close=1000 "), "{said}");
        assert!(said.contains(&format!(" extensions={extensions} ")), "{said}");
        let end = serving.join().expect("it does not panic");
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "done", true));
    });
}

/// Reads a request, and sends back what comes.
pub(crate) async fn echo<S, R: Io<S>>(stream: S) -> CloseInfo {
    let Arrival::Upgrade(pending) = Acceptor::<R>::default().read(stream).await.expect("a good request")
    else {
        panic!("an upgrade was requested")
    };
    let accept = Accept::new().with_deflate(DeflateConfig::default());
    let mut socket = pending.accept(accept).await.expect("nothing is wrong with it");
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        assert_eq!(sent, Ok(()));
    }
    socket.close_info().expect("it is over").clone()
}
