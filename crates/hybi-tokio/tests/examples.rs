//! The examples do what they say: each is started and talked to.
#![allow(clippy::panic, reason = "that is how a test fails")]

/// An example as a module of this program.
macro_rules! examples {
    ($($file:literal as $name:ident),* $(,)?) => {$(
        #[path = $file]
        #[allow(dead_code, reason = "its `main` is a program of its own")]
        mod $name;
    )*};
}

examples!(
    "../examples/authentication.rs" as authentication,
    "../examples/axum-tls.rs" as axum_tls,
    "../examples/broadcast.rs" as broadcast,
    "../examples/byte-stream.rs" as byte_stream,
    "../examples/chat.rs" as chat,
    "../examples/echo-server.rs" as echo_server,
    "../examples/hyper-pages.rs" as hyper_pages,
    "../examples/paths.rs" as paths,
    "../examples/proxy-client.rs" as proxy_client,
    "../examples/redirect.rs" as redirect,
    "../examples/split.rs" as split,
    "../examples/unix-socket.rs" as unix_socket,
);

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum_tls::{plain as axum_pages, tls as tls_server};
use hybi_test::foreign::{expect_ok, peer};
use hybi_test::proxy::{Manner, Proxy as TestProxy};
use hybi_test::tls::Authority;
use hybi_tokio::{
    ClientRequest, CloseCode, ConnectError, Connector, Listener, Message, Proxies, Proxy, Response, Stream,
    WebSocket, connect,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// No test takes longer. It is no expectation: it turns a hang into a failure.
const BOUND: Duration = Duration::from_secs(90);

fn bounded(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads can be started");
    runtime.block_on(async { tokio::time::timeout(BOUND, test).await.expect("it comes to an end") });
    runtime.shutdown_background(); // servers end with their test
}

/// A free port, and a listener there.
async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

async fn open(url: &str) -> WebSocket<Stream> {
    connect(url).await.expect("it opens").0
}

/// The answer with which a WebSocket was refused.
fn refused<T>(result: Result<T, ConnectError>) -> Response {
    match result {
        Err(ConnectError::Handshake(_, Some(response))) => *response,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it should be refused"),
    }
}

async fn hears(socket: &mut WebSocket<Stream>, text: &str) {
    assert_eq!(socket.recv_message().await, Some(text.into()));
}

async fn close(mut socket: WebSocket<Stream>) {
    socket.close(CloseCode::NORMAL, "").await.expect("the first close");
    while socket.recv().await.is_some() {}
    assert!(socket.close_info().expect("it is over").is_clean());
}

/// Messages come back, and the end is an orderly one.
async fn echoes(mut socket: WebSocket<Stream>) {
    for message in [Message::from("high water?"), Message::from(vec![7; 70_000]), Message::from("")] {
        socket.send(&message).await.expect("it is open");
        assert!(socket.recv_message().await == Some(message));
    }
    close(socket).await;
}

#[test]
fn echo() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(echo_server::serve(listener));
        let (first, second) =
            (open(&format!("ws://{address}/")).await, open(&format!("ws://{address}/")).await);
        tokio::join!(echoes(first), echoes(second));
    });
}

#[test]
fn chat_of_two_and_its_page() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(chat::serve(listener));
        let page = get(address, "/").await;
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("new WebSocket("), "{page}");
        assert!(get(address, "/other").await.starts_with("HTTP/1.1 404 "));

        let url = format!("ws://{address}/");
        let mut ada = open(&url).await;
        ada.send("Ada").await.expect("it is open");
        hears(&mut ada, "Ada has come").await;
        let mut charles = open(&url).await;
        charles.send("Charles").await.expect("it is open");
        hears(&mut charles, "Charles has come").await;
        hears(&mut ada, "Charles has come").await;
        ada.send("good morning").await.expect("it is open");
        hears(&mut charles, "Ada: good morning").await;
        hears(&mut ada, "Ada: good morning").await;
        close(charles).await;
        hears(&mut ada, "Charles has left").await;

        let mut nameless = open(&url).await;
        nameless.send("").await.expect("it is open");
        assert_eq!(nameless.recv_message().await, None);
        assert_eq!(nameless.close_info().expect("it is over").code(), 1008);

        let elsewhere = ClientRequest::new(&*url).expect("an address");
        let elsewhere = elsewhere.with_origin("https://evil.example").expect("an origin");
        assert_eq!(refused(Connector::default().connect(elsewhere).await).status(), 403);
        let own = ClientRequest::new(&*url).expect("an address");
        let own = own.with_origin(&format!("http://{address}")).expect("an origin");
        close(Connector::default().connect(own).await.expect("it opens").0).await;
    });
}

/// A page by HTTP/1.1, head and body.
async fn get(address: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("taken");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("a whole response");
    response
}

#[test]
fn broadcast_to_three() {
    bounded(async {
        let (listener, address) = listen().await;
        let listener = Listener::new(listener);
        let clients = listener.clients().clone();
        tokio::spawn(broadcast::serve(listener));
        let url = format!("ws://{address}/");
        let mut listeners = vec![open(&url).await, open(&url).await, open(&url).await];
        // Who is connected joins a moment later: until all have, say something else.
        while broadcast::tell(&clients, "soon").await < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(broadcast::tell(&clients, "high water").await, 3);
        for listener in &mut listeners {
            let mut message = listener.recv_message().await;
            while message == Some("soon".into()) {
                message = listener.recv_message().await;
            }
            assert_eq!(message, Some("high water".into()));
        }
        close(listeners.pop().expect("there are three")).await;
        while broadcast::tell(&clients, "low water").await == 3 {
            tokio::task::yield_now().await;
        }
        hears(&mut listeners[0], "low water").await;
    });
}

#[test]
fn authentication_before_the_websocket_opens() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(authentication::serve(listener));
        let url = format!("ws://{address}/");
        let response = refused(connect(&url).await);
        assert_eq!(response.status(), 401);
        assert_eq!(response.fields().get("WWW-Authenticate"), Some(&b"Basic realm=\"tide\""[..]));
        for wrong in ["ada:wrong", "eve:enchantress"] {
            assert_eq!(refused(connect(&format!("ws://{wrong}@{address}/")).await).status(), 401);
        }

        let (mut socket, response) =
            connect(&format!("ws://ada:enchantress@{address}/")).await.expect("she may");
        hears(&mut socket, "welcome, ada").await;
        close(socket).await;
        let cookie = response.fields().get_str("Set-Cookie").expect("a session begins");
        let (cookie, _) = cookie.split_once(';').expect("it has attributes");

        let with = |cookie: &str| {
            let request = ClientRequest::new(&*url).expect("an address");
            request.with_header("Cookie", cookie).expect("a header")
        };
        let again = Connector::default().connect(with(&format!("theme=dark; {cookie}"))).await;
        let (mut socket, response) = again.expect("it is known");
        assert_eq!(response.fields().get("Set-Cookie"), None);
        hears(&mut socket, "welcome, ada").await;
        close(socket).await;
        let guessed = Connector::default().connect(with("session=AAAAAAAAAAAAAAAAAAAAAA")).await;
        assert_eq!(refused(guessed).status(), 401);
    });
}

#[test]
fn servers_by_path() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(paths::serve(Listener::new(listener)));
        let mut upper = open(&format!("ws://{address}/upper?loudly")).await;
        let mut count = open(&format!("ws://{address}/count")).await;
        for (said, shouted, number) in [("tide", "TIDE", "1"), ("flut", "FLUT", "2")] {
            upper.send(said).await.expect("it is open");
            count.send(said).await.expect("it is open");
            hears(&mut upper, shouted).await;
            hears(&mut count, number).await;
        }
        close(upper).await;
        close(count).await;
        let response = refused(connect(&format!("ws://{address}/")).await);
        assert_eq!((response.status(), response.body()), (404, &b"there are /upper and /count\n"[..]));
    });
}

#[test]
fn client_through_a_proxy() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(echo_server::serve(listener));
        let proxy = TestProxy::start(None, Manner::Tunnel(address));
        let proxies = |url: &str| Proxies::all(Proxy::parse(url).expect("an address"));
        // Only the proxy knows where that is.
        let url = "ws://tide.invalid:9001/";
        let said =
            proxy_client::ask(proxies(&format!("http://{}", proxy.address())), url, "high water?").await;
        assert_eq!(said.expect("it comes back"), "high water?");
        assert!(proxy.head().starts_with("CONNECT tide.invalid:9001 HTTP/1.1\r\n"));

        let refusal = "HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n".to_owned();
        let proxy = TestProxy::start(None, Manner::Refuse(refusal));
        let said =
            proxy_client::ask(proxies(&format!("http://{}", proxy.address())), url, "high water?").await;
        let error = said.expect_err("it is refused").to_string();
        assert!(error.starts_with("the proxy does not want to (407)"), "{error}");
    });
}

#[test]
fn redirect_followed() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(redirect::serve(listener));
        let url = format!("ws://{address}/old");
        assert_eq!(redirect::greeting(&url).await.expect("it is found"), "you found us");
        let response = refused(connect(&url).await); // without the policy
        assert_eq!((response.status(), response.fields().get_str("Location")), (308, Some("/new")));
    });
}

#[test]
fn reader_and_writer_in_two_tasks() {
    bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(echo_server::serve(listener));
        let (reader, writer) = open(&format!("ws://{address}/")).await.into_split();
        let (typed, lines) = mpsc::channel(1);
        let speaking = tokio::spawn(split::speak(writer, lines));
        let (print, mut printed) = mpsc::unbounded_channel();
        let listening = tokio::spawn(split::listen(reader, move |text| {
            print.send(text.to_owned()).expect("somebody reads it");
        }));
        for line in ["high water?", "low water?"] {
            typed.send(line.to_owned()).await.expect("it speaks");
            assert_eq!(printed.recv().await.as_deref(), Some(line));
        }
        drop(typed); // no more lines
        speaking.await.expect("no panic").expect("it closes");
        let end = listening.await.expect("no panic").expect("it is over");
        assert!(end.is_clean());
        assert_eq!((end.code(), end.reason()), (1000, "that was all"));
    });
}

#[test]
fn octets_through_a_tunnel() {
    bounded(async {
        let ((target, target_address), (server, server_address), (client, address)) =
            (listen().await, listen().await, listen().await);
        tokio::spawn(byte_stream::serve(server, target_address.to_string()));
        tokio::spawn(byte_stream::forward(client, format!("ws://{server_address}/")));
        // What is behind the tunnel reads to the end, and only then answers: so the end goes through, too.
        let target = tokio::spawn(async move {
            let (mut stream, _) = target.accept().await.expect("the tunnel connects");
            let mut octets = Vec::new();
            stream.read_to_end(&mut octets).await.expect("an orderly end");
            octets
        });
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| ((n * 31) >> 3) as u8).collect();
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(&sent).await.expect("taken");
        stream.shutdown().await.expect("an end");
        assert!(target.await.expect("no panic") == sent);
    });
}

#[test]
fn octets_back_through_a_tunnel() {
    bounded(async {
        let ((target, target_address), (server, server_address), (client, address)) =
            (listen().await, listen().await, listen().await);
        tokio::spawn(byte_stream::serve(server, target_address.to_string()));
        tokio::spawn(byte_stream::forward(client, format!("ws://{server_address}/")));
        tokio::spawn(async move {
            let (mut stream, _) = target.accept().await.expect("the tunnel connects");
            let (mut reader, mut writer) = stream.split();
            tokio::io::copy(&mut reader, &mut writer).await
        });
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        for line in [&b"high water?"[..], b"low water?"] {
            stream.write_all(line).await.expect("taken");
            let mut back = vec![0; line.len()];
            stream.read_exact(&mut back).await.expect("it comes back");
            assert_eq!(back, line);
        }
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets() {
    bounded(async {
        let path = std::env::temp_dir().join(format!("hybi-example-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = tokio::net::UnixListener::bind(&path).expect("a path of its own");
        tokio::spawn(unix_socket::serve(listener));
        echoes(open(&format!("ws+unix:{}:/", path.display())).await).await;
        std::fs::remove_file(&path).expect("it is there");
    });
}

#[test]
fn server_with_tls() {
    bounded(async {
        let authority = Authority::new();
        let files = authority.issue(&["localhost"]).write(&authority);
        let path = |path: std::path::PathBuf| path.to_str().expect("a plain name").to_owned();
        let config = tls_server::read(&path(files.certificate()), &path(files.key())).expect("good files");
        let (listener, address) = listen().await;
        tokio::spawn(tls_server::serve(listener, config));
        let connector = Connector::default().with_tls(authority.client_config());
        let url = format!("wss://localhost:{}/", address.port());
        let request = ClientRequest::new(&*url).expect("an address");
        let (socket, _) = connector.connect(request.clone()).await.expect("it is trusted");
        assert!(socket.get_ref().is_encrypted());
        echoes(socket).await;
        let stranger = Connector::default().with_tls(Authority::new().client_config());
        let error = stranger.connect(request).await.expect_err("it is not trusted");
        assert!(matches!(error, ConnectError::Tls(_)), "{error:?}");
    });
}

#[test]
fn pages_of_axum_and_of_hyper() {
    bounded(async {
        let ((axum, axum_address), (hyper, hyper_address)) = (listen().await, listen().await);
        tokio::spawn(async { axum::serve(axum, axum_pages::app()).await });
        tokio::spawn(hyper_pages::serve(hyper));
        for address in [axum_address, hyper_address] {
            let page = get(address, "/").await;
            assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("new WebSocket("), "{page}");
            assert!(get(address, "/other").await.starts_with("HTTP/1.1 404 "));
            assert!(get(address, "/echo").await.starts_with("HTTP/1.1 426 "));
            let url = format!("ws://{address}/echo");
            echoes(open(&url).await).await;
            let elsewhere = ClientRequest::new(&*url).expect("an address");
            let elsewhere = elsewhere.with_origin("https://evil.example").expect("an origin");
            assert_eq!(refused(Connector::default().connect(elsewhere).await).status(), 403);
        }
    });
}

// ---- in a browser

/// What asked for a WebSocket: method and version of HTTP.
type Asked = Arc<Mutex<Vec<(http::Method, http::Version)>>>;

/// The application of the example, watched.
fn watched(asked: &Asked) -> axum::Router {
    let asked = asked.clone();
    axum_pages::app().layer(axum::middleware::from_fn(
        move |request: axum::extract::Request, next: axum::middleware::Next| {
            if request.uri().path() == "/echo" {
                let how = (request.method().clone(), request.version());
                asked.lock().expect("nobody panics").push(how);
            }
            next.run(request)
        },
    ))
}

/// The page is loaded and used: a text and a binary message come back, and it closes.
async fn use_page(mut page: std::process::Command, arguments: Vec<String>) {
    let used = tokio::task::spawn_blocking(move || expect_ok(page.args(arguments).arg("--timeout=80")));
    let said = used.await.expect("the page works");
    assert!(said.starts_with("ok text=1 binary=1 octets=16 ") && said.ends_with(" closed"), "{said}");
}

#[test]
fn axum_in_chromium_over_http_1_1() {
    let Some(page) = peer("page") else { return };
    bounded(async {
        let (listener, address) = listen().await;
        let asked = Asked::default();
        let app = watched(&asked);
        tokio::spawn(async { axum::serve(listener, app).await });
        use_page(page, vec![format!("http://{address}/")]).await;
        assert_eq!(*asked.lock().expect("nobody panics"), [(http::Method::GET, http::Version::HTTP_11)]);
    });
}

/// The browser may be told to trust one key. It opens the WebSocket on the connection that the page came by.
#[test]
fn axum_in_chromium_over_http_2() {
    let Some(page) = peer("page") else { return };
    bounded(async {
        let identity = Authority::new().issue(&["localhost"]);
        let (listener, address) = listen().await;
        let asked = Asked::default();
        tokio::spawn(axum_tls::serve(listener, identity.server_config(), watched(&asked)));
        let trust = format!("--trust-key={}", identity.public_key_hash());
        use_page(page, vec![format!("https://localhost:{}/", address.port()), trust]).await;
        assert_eq!(*asked.lock().expect("nobody panics"), [(http::Method::CONNECT, http::Version::HTTP_2)]);
    });
}
