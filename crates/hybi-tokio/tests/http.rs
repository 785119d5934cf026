//! Pages and WebSockets on one port: hyper and axum, over HTTP/1.1 and HTTP/2.
#![allow(clippy::panic, reason = "that is how a test fails")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::Response as AxumResponse;
use axum::routing::{any, get};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hybi_tokio::axum::WebSocketUpgrade;
use hybi_tokio::hyper::{Upgrade, allowed, connect_http2};
use hybi_tokio::{
    Accept, Answer, ClientRequest, CloseCode, Config, ConnectError, Connector, Event, Message, WebSocket,
};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// No wait is longer. It is no expectation: it turns a hang into a failure.
const BOUND: Duration = Duration::from_secs(240);

type Requests = http2::SendRequest<Empty<Bytes>>;

// ---- servers

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) {
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        assert_eq!(sent, Ok(()));
    }
    assert!(socket.close_info().expect("it is over").is_clean());
}

/// A page at `/`; everything else is for WebSockets, `/closed` for nobody.
async fn pages_and_sockets(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/" {
        return Ok(Response::new(Full::from("a page")));
    }
    let upgrade = match Upgrade::of(&mut request) {
        Ok(upgrade) => upgrade,
        Err(refused) => return Ok(refused.into_response()),
    };
    if upgrade.request().path() == "/closed" {
        return Ok(upgrade.reject(&Answer::new(403).with_body("not today")));
    }
    let mut accept = Accept::new().with_header("Set-Cookie", "seen=1");
    if let Some(name) = upgrade.request().select_subprotocol(&["tide"]) {
        let name = name.to_owned();
        accept = accept.with_subprotocol(&name);
    }
    let (response, opening) = upgrade.accept(accept).expect("nothing is wrong with it");
    tokio::spawn(async move { echo(opening.open().await.expect("it opens")).await });
    Ok(response)
}

fn app() -> Router {
    async fn feed(upgrade: WebSocketUpgrade) -> AxumResponse {
        if !upgrade.request().origin_allowed(&["https://tide.example"]) {
            return upgrade.reject(&Answer::new(403));
        }
        let upgrade = upgrade.with_subprotocols(&["tide", "moon"]);
        if upgrade.request().subprotocols().is_empty() {
            assert_eq!(upgrade.subprotocol(), None);
        }
        upgrade.with_config(Config::default()).on_upgrade(echo)
    }
    async fn mistaken(upgrade: WebSocketUpgrade) -> AxumResponse {
        upgrade.with_accept(Accept::new().with_subprotocol("not offered")).on_upgrade(echo)
    }
    Router::new().route("/", get("a page")).route("/feed", any(feed)).route("/mistaken", any(mistaken))
}

/// Serves HTTP/1.1 and HTTP/2 as clients like; connections go on until the runtime ends.
async fn serve<S, F, B>(service: S) -> SocketAddr
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future = F>
        + Clone
        + Send
        + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("somebody");
            let service = service.clone();
            tokio::spawn(async move {
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder.http2().enable_connect_protocol();
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn serve_hyper() -> SocketAddr {
    serve(service_fn(pages_and_sockets)).await
}

async fn serve_axum() -> SocketAddr {
    serve(TowerToHyperService::new(app())).await
}

// ---- clients

fn request(address: SocketAddr, target: &str) -> ClientRequest {
    ClientRequest::new(&*format!("ws://{address}{target}")).expect("an address")
}

/// A response over HTTP/1.1 to a request that says nothing of WebSockets.
async fn get_page(address: SocketAddr, target: &str) -> (StatusCode, http::HeaderMap, Bytes) {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let request = Request::get(target).header("Host", "tide.example").body(Empty::<Bytes>::new());
    let response = sender.send_request(request.expect("a request")).await.expect("an answer");
    let (head, body) = response.into_parts();
    (head.status, head.headers, body.collect().await.expect("all of it").to_bytes())
}

/// A connection of HTTP/2, and that the server allows WebSockets on it.
async fn open_http2(address: SocketAddr) -> (Requests, hybi_tokio::hyper::Allowed) {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (sender, mut connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    let allowed = allowed(&mut connection, BOUND).await.expect("it is allowed");
    tokio::spawn(connection);
    (sender, allowed)
}

/// Messages of all sizes come back, and both sides close in order.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) {
    for len in [0, 1, 125, 126, 65_536, 1 << 20] {
        let octets = vec![len as u8; len];
        socket.send(&octets[..]).await.expect("it is open");
        let back = socket.recv_message().await.expect("it comes back");
        assert!(back == Message::from(octets), "{len}");
    }
    socket.send("high water?").await.expect("it is open");
    assert_eq!(socket.recv_message().await, Some("high water?".into()));
    socket.close(CloseCode::NORMAL, "").await.expect("the first close");
    while socket.recv().await.is_some() {}
    assert!(socket.close_info().expect("it is over").is_clean());
}

/// The status with which a WebSocket was refused over HTTP/2.
fn refused(result: Result<impl std::fmt::Debug, ConnectError>) -> u16 {
    match result.expect_err("it is refused") {
        ConnectError::Handshake(hybi::HandshakeError::UnexpectedStatus(status), _) => status,
        other => panic!("{other:?}"),
    }
}

// ---- tests

#[tokio::test]
async fn hyper_over_http_1_1() {
    let address = serve_hyper().await;
    let (status, _, body) = get_page(address, "/").await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"a page"[..]));

    let asked = request(address, "/feed?from=1").with_subprotocol("tide").expect("a token");
    let (socket, response) = Connector::default().connect(asked).await.expect("it is open");
    assert_eq!(response.subprotocol(), Some("tide"));
    assert_eq!(response.fields().get("Set-Cookie"), Some(&b"seen=1"[..]));
    assert_eq!(socket.agreement().subprotocol(), Some("tide"));
    talk(socket).await;
}

#[tokio::test]
async fn hyper_refuses_over_http_1_1() {
    let address = serve_hyper().await;
    let (status, headers, _) = get_page(address, "/feed").await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(headers["upgrade"], "websocket");
    let Err(ConnectError::Handshake(_, Some(response))) =
        Connector::default().connect(request(address, "/closed")).await
    else {
        panic!("it is refused, with an answer")
    };
    assert_eq!((response.status(), response.body()), (403, &b"not today"[..]));
}

#[tokio::test]
async fn hyper_over_http_2() {
    let address = serve_hyper().await;
    let (mut sender, allowed) = open_http2(address).await;
    let asked = request(address, "/feed").with_subprotocol("tide").expect("a token");
    let (socket, head) =
        connect_http2(&mut sender, allowed, &asked, Config::default()).await.expect("it is open");
    assert_eq!((head.status, head.headers.contains_key("sec-websocket-accept")), (StatusCode::OK, false));
    assert_eq!(socket.agreement().subprotocol(), Some("tide"));
    // A page and a second WebSocket go over the same connection.
    let page = Request::get(format!("http://{address}/")).body(Empty::new()).expect("a request");
    let page = sender.send_request(page).await.expect("an answer").into_body().collect().await;
    assert_eq!(&page.expect("all of it").to_bytes()[..], b"a page");
    let (other, _) = connect_http2(&mut sender, allowed, &request(address, "/other"), Config::default())
        .await
        .expect("it is open");
    tokio::join!(talk(socket), talk(other));
}

#[tokio::test]
async fn hyper_refuses_over_http_2() {
    let address = serve_hyper().await;
    let (mut sender, allowed) = open_http2(address).await;
    let closed = request(address, "/closed");
    assert_eq!(refused(connect_http2(&mut sender, allowed, &closed, Config::default()).await), 403);

    let mut other = Request::new(Empty::new());
    *other.method_mut() = Method::CONNECT;
    *other.uri_mut() = format!("http://{address}/feed").parse().expect("an address");
    other.extensions_mut().insert(Protocol::from_static("gopher"));
    let response = sender.send_request(other).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED); // RFC 9220 §3
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_not_allowed_it_is_not_asked() {
    let (client, server) = tokio::io::duplex(65_536);
    tokio::spawn(async move {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection(TokioIo::new(server), service_fn(pages_and_sockets)).await;
    });
    let (_sender, mut connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(client))
            .await
            .expect("HTTP/2");
    let error = allowed(&mut connection, BOUND).await.expect_err("it is not");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_connection_that_ends_allows_nothing() {
    let (client, server) = tokio::io::duplex(65_536);
    let (_sender, mut connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(client))
            .await
            .expect("HTTP/2");
    drop(server);
    let error = allowed(&mut connection, BOUND).await.expect_err("it is not");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn axum_over_http_1_1() {
    let address = serve_axum().await;
    let (status, _, body) = get_page(address, "/").await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"a page"[..]));
    let (status, headers, _) = get_page(address, "/feed").await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(headers["upgrade"], "websocket");

    for (offered, chosen) in [(&["sun", "moon", "tide"][..], Some("moon")), (&["sun"], None), (&[], None)] {
        let mut asked = request(address, "/feed").with_origin("https://tide.example").expect("an origin");
        for name in offered {
            asked = asked.with_subprotocol(name).expect("a token");
        }
        let (socket, response) = Connector::default().connect(asked).await.expect("it is open");
        assert_eq!(response.subprotocol(), chosen);
        talk(socket).await;
    }
}

#[tokio::test]
async fn axum_refuses() {
    let address = serve_axum().await;
    for (target, origin, status) in
        [("/feed", "https://evil.example", 403), ("/mistaken", "https://tide.example", 500)]
    {
        let asked = request(address, target).with_origin(origin).expect("an origin");
        let Err(ConnectError::Handshake(_, Some(response))) =
            Connector::default().connect(asked.clone()).await
        else {
            panic!("{target} is refused, with an answer")
        };
        assert_eq!(response.status(), status);
        let (mut sender, allowed) = open_http2(address).await;
        assert_eq!(refused(connect_http2(&mut sender, allowed, &asked, Config::default()).await), status);
    }
}

#[tokio::test]
async fn axum_over_http_2() {
    let address = serve_axum().await;
    let (mut sender, allowed) = open_http2(address).await;
    let asked = request(address, "/feed").with_subprotocol("moon").expect("a token");
    let (socket, _) =
        connect_http2(&mut sender, allowed, &asked, Config::default()).await.expect("it is open");
    assert_eq!(socket.agreement().subprotocol(), Some("moon"));
    talk(socket).await;
}
