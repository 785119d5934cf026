//! Against peers that other people wrote, over TLS: the npm packages `ws` and `faye-websocket` and the Python package
//! `websockets`, each as
//! client and as server. Clients run on smol, servers on async-std.
#![cfg(any(feature = "deflate", feature = "zlib-rs"))]

#[path = "../../hybi-futures/tests/foreign/mod.rs"]
mod foreign;

use std::sync::Arc;

use foreign::{Task, serve_client, use_server};
use hybi_async_std::rustls::{ClientConfig, ServerConfig};
use hybi_async_std::{AsyncStd, CloseInfo, TlsAcceptor};

fn block_on(task: Task) {
    smol::block_on(task);
}

fn serve(listener: std::net::TcpListener, config: Arc<ServerConfig>) -> CloseInfo {
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::from(listener);
        let (stream, _) = listener.accept().await.expect("it connects");
        let stream = TlsAcceptor::new(config).accept(stream).await.expect("it trusts us");
        foreign::echo::<_, AsyncStd>(stream).await
    })
}

#[test]
fn our_client_and_the_server_of_ws() {
    use_server::<AsyncStd>("ws-server", block_on);
}

#[test]
fn our_client_and_the_server_of_websockets() {
    use_server::<AsyncStd>("websockets-server", block_on);
}

#[test]
fn our_client_and_the_server_of_faye_websocket() {
    use_server::<AsyncStd>("faye-server", block_on);
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
