//! WebSockets over HTTP/2, seen from the stream (RFC 8441): what the other side of a connection of HTTP/2 gets, and
//! what becomes of what it does. The other side is the crate h2, which hyper is built on too, but here it has no part
//! of ours.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream, client, server};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{Empty, Full};
use hybi_tokio::hyper::{Upgrade, Upgraded, allowed, connect_http2};
use hybi_tokio::{Accept, ClientRequest, CloseCause, CloseCode, CloseInfo, Config, WebSocket};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// No test takes longer. It is no expectation: it turns a hang into a failure.
const BOUND: Duration = Duration::from_secs(60);

/// Frames of a client, masked with zeros, and of a server.
const HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";
const HELLO_BACK: &[u8] = b"\x81\x05hello";
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";
const CLOSE_BACK: &[u8] = b"\x88\x02\x03\xe8";

async fn bounded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, test).await.expect("it comes to an end")
}

// ---- a server of ours, and h2 as its client

/// Each WebSocket is used like this.
fn serve<F, R>(stream: DuplexStream, allow: bool, behave: F)
where
    F: Fn(WebSocket<Upgraded>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        let behave = behave.clone();
        async move {
            let upgrade = match Upgrade::of(&mut request) {
                Ok(upgrade) => upgrade,
                Err(refused) => return Ok::<Response<Full<Bytes>>, Infallible>(refused.into_response()),
            };
            let (response, opening) = upgrade.accept(Accept::new()).expect("nothing is wrong with it");
            tokio::spawn(async move { behave(opening.open().await.expect("it opens")).await });
            Ok(response)
        }
    });
    let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    if allow {
        http.enable_connect_protocol();
    }
    tokio::spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
}

/// A client whose server's settings have come: an answer came behind them.
async fn client(stream: DuplexStream) -> client::SendRequest<Bytes> {
    let (sender, connection) = client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut sender = sender.ready().await.expect("it is open");
    let plain = Request::get("http://tide.example/").body(()).expect("a request");
    let (response, _) = sender.send_request(plain, true).expect("it may be sent");
    assert_eq!(response.await.expect("an answer").status(), StatusCode::BAD_REQUEST);
    sender
}

fn extended_connect(uri: &str) -> Request<()> {
    let request = Request::builder().method(Method::CONNECT).uri(uri).version(Version::HTTP_2);
    let request = request.extension(Protocol::from_static("websocket")).header("sec-websocket-version", "13");
    request.body(()).expect("a request")
}

/// A WebSocket as a stream of octets.
async fn open(sender: &mut client::SendRequest<Bytes>, uri: &str) -> (SendStream<Bytes>, RecvStream) {
    let (response, send) = sender.send_request(extended_connect(uri), false).expect("it may be sent");
    let response = response.await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK); // 101 does not exist in HTTP/2
    (send, response.into_body())
}

fn say(send: &mut SendStream<Bytes>, octets: &'static [u8]) {
    send.send_data(octets.into(), false).expect("the stream is open");
}

/// So many octets of the stream.
async fn hear(recv: &mut RecvStream, len: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    while heard.len() < len {
        let data = recv.data().await.expect("no end yet").expect("no reset yet");
        recv.flow_control().release_capacity(data.len()).expect("it was taken");
        heard.extend_from_slice(&data);
    }
    heard
}

/// Waits for the end of the other direction, which is no reset.
async fn end_of(recv: &mut RecvStream) {
    while let Some(data) = recv.data().await {
        assert_eq!(data.expect("no reset"), ""); // END_STREAM may stand on a frame without octets
    }
    assert!(recv.is_end_stream());
}

async fn reset_of(send: &mut SendStream<Bytes>) -> Reason {
    std::future::poll_fn(|cx| send.poll_reset(cx)).await.expect("the connection goes on")
}

async fn echo(mut socket: WebSocket<Upgraded>) {
    while let Some(message) = socket.recv_message().await {
        socket.send(&message).await.expect("it is open");
    }
}

/// Tells how it ended.
async fn tell(mut socket: WebSocket<Upgraded>, ends: mpsc::UnboundedSender<CloseInfo>) {
    while socket.recv().await.is_some() {}
    ends.send(socket.close_info().expect("it is over").clone()).expect("somebody waits for it");
}

#[tokio::test]
async fn a_server_allows_extended_connect_by_a_setting() {
    for allow in [true, false] {
        let (ours, theirs) = duplex(65_536);
        serve(ours, allow, echo);
        let sender = bounded(client(theirs)).await;
        assert_eq!(sender.is_extended_connect_protocol_enabled(), allow); // RFC 8441 §3
    }
}

/// `:authority` says whom the client means. It is no place to go to, as it is for CONNECT alone (§4).
#[tokio::test]
async fn a_server_does_not_connect_to_the_authority() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        serve(ours, true, echo);
        let mut sender = client(theirs).await;
        let (mut send, mut recv) = open(&mut sender, "https://nowhere.invalid:1/feed").await;
        say(&mut send, HELLO);
        assert_eq!(hear(&mut recv, HELLO_BACK.len()).await, HELLO_BACK);
    })
    .await;
}

#[tokio::test]
async fn a_server_ends_the_stream_when_both_have_closed() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let (told, mut ends) = mpsc::unbounded_channel();
        serve(ours, true, move |socket| tell(socket, told.clone()));
        let mut sender = client(theirs).await;
        let (mut send, mut recv) = open(&mut sender, "https://tide.example/feed").await;
        say(&mut send, CLOSE);
        assert_eq!(hear(&mut recv, CLOSE_BACK.len()).await, CLOSE_BACK);
        end_of(&mut recv).await; // END_STREAM (§5)
        assert!(ends.recv().await.expect("it ended").is_clean());
        // The connection goes on.
        drop(open(&mut sender, "https://tide.example/other").await);
    })
    .await;
}

/// An application that drops a connection would like RST_STREAM with CANCEL (§5). hyper has no way to say so: it ends
/// the stream, and then resets what the other side might still send. There is no close frame, and that tells.
#[tokio::test]
async fn a_server_that_drops_a_connection() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        serve(ours, true, |mut socket| async move { socket.abort() });
        let mut sender = client(theirs).await;
        let (mut send, mut recv) = open(&mut sender, "https://tide.example/feed").await;
        end_of(&mut recv).await;
        assert_eq!(reset_of(&mut send).await, Reason::NO_ERROR);
        drop(open(&mut sender, "https://tide.example/other").await);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_resets_the_stream_is_gone() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let (told, mut ends) = mpsc::unbounded_channel();
        serve(ours, true, move |socket| tell(socket, told.clone()));
        let mut sender = client(theirs).await;
        for end in [true, false] {
            let (mut send, _recv) = open(&mut sender, "https://tide.example/feed").await;
            say(&mut send, HELLO);
            if end {
                send.send_data(Bytes::new(), true).expect("our direction is open"); // without a close frame
            } else {
                send.send_reset(Reason::CANCEL);
            }
            let info = ends.recv().await.expect("it ended");
            assert_eq!((info.code(), info.cause()), (1006, &CloseCause::TransportEnded), "{end}");
        }
    })
    .await;
}

// ---- a client of ours, and h2 as its server

/// A connection whose first request is for a WebSocket, which is accepted; the request, and the stream.
async fn accept(stream: DuplexStream) -> (Request<()>, SendStream<Bytes>, RecvStream) {
    let mut http = server::Builder::new();
    let mut connection = http.enable_connect_protocol().handshake(stream).await.expect("HTTP/2");
    let (request, mut respond) = connection.accept().await.expect("a request").expect("a good one");
    tokio::spawn(async move { while connection.accept().await.is_some() {} });
    let send = respond.send_response(Response::new(()), false).expect("it waits for one");
    let (head, recv) = request.into_parts();
    (Request::from_parts(head, ()), send, recv)
}

async fn connect(stream: DuplexStream, request: &ClientRequest) -> WebSocket<Upgraded> {
    let (mut sender, mut connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .expect("HTTP/2");
    let allowed = allowed(&mut connection, BOUND).await.expect("it is allowed");
    tokio::spawn(connection);
    connect_http2(&mut sender, allowed, request, Config::default()).await.expect("it opens").0
}

fn request() -> ClientRequest {
    ClientRequest::new("wss://tide.example/feed?from=1").expect("an address")
}

#[tokio::test]
async fn the_request_of_a_client() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let asked = request().with_subprotocol("tide").expect("a token");
        let ((request, ..), _socket) = tokio::join!(accept(theirs), connect(ours, &asked));
        assert_eq!((request.method(), request.version()), (&Method::CONNECT, Version::HTTP_2));
        assert_eq!(request.extensions().get::<Protocol>().map(Protocol::as_str), Some("websocket"));
        assert_eq!(request.uri(), "https://tide.example/feed?from=1");
        let headers = request.headers();
        assert_eq!(headers["sec-websocket-version"], "13");
        assert_eq!(headers["sec-websocket-protocol"], "tide");
        for name in ["connection", "upgrade", "host", "sec-websocket-key"] {
            assert!(!headers.contains_key(name), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_ends_the_stream_when_both_have_closed() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let asked = request();
        let ((_, mut send, mut recv), mut socket) = tokio::join!(accept(theirs), connect(ours, &asked));
        socket.close(CloseCode::NORMAL, "").await.expect("the first close");
        let close = hear(&mut recv, 8).await;
        assert_eq!(close[..2], [0x88, 0x82], "masked all the same");
        say(&mut send, CLOSE_BACK);
        // It is the server who ends first (RFC 6455 §7.1.1).
        send.send_data(Bytes::new(), true).expect("our direction is open");
        while socket.recv().await.is_some() {}
        assert!(socket.close_info().expect("it is over").is_clean());
        end_of(&mut recv).await;
    })
    .await;
}

/// RST_STREAM with CANCEL (§5).
#[tokio::test]
async fn a_client_that_drops_a_connection() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let asked = request();
        let ((_, _send, mut recv), mut socket) = tokio::join!(accept(theirs), connect(ours, &asked));
        socket.abort();
        drop(socket);
        let error = recv.data().await.expect("no end").expect_err("no octets");
        assert_eq!(error.reason(), Some(Reason::CANCEL));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_resets_the_stream_is_gone() {
    bounded(async {
        let (ours, theirs) = duplex(65_536);
        let asked = request();
        let ((_, mut send, _recv), mut socket) = tokio::join!(accept(theirs), connect(ours, &asked));
        send.send_reset(Reason::CANCEL);
        while socket.recv().await.is_some() {}
        let info = socket.close_info().expect("it is over");
        assert_eq!((info.code(), info.cause()), (1006, &CloseCause::TransportEnded));
    })
    .await;
}
