//! The same as `axum-pages` inside TLS, where browsers speak HTTP/2: page and WebSockets then share one connection
//! (RFC 8441).
//!
//!     cargo run -p hybi-tokio --features axum,tls --example axum-tls -- certificate.pem key.pem
//!
//! Then open https://localhost:9443/ in a browser that trusts the certificate.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

#[path = "axum-pages.rs"]
#[allow(dead_code, reason = "its `main` is another program")]
pub(crate) mod plain;
#[path = "tls-server.rs"]
#[allow(dead_code, reason = "likewise")]
pub(crate) mod tls;

use std::error::Error;
use std::io;
use std::sync::Arc;

use axum::Router;
use hybi_tokio::TlsAcceptor;
use hybi_tokio::rustls::ServerConfig;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(certificate), Some(key)) = (arguments.next(), arguments.next()) else {
        println!("axum-tls CERTIFICATE KEY");
        return Ok(());
    };
    let listener = TcpListener::bind("127.0.0.1:9443").await?;
    println!("https://localhost:{}/", listener.local_addr()?.port());
    Ok(serve(listener, tls::read(&certificate, &key)?, plain::app()).await?)
}

pub(crate) async fn serve(listener: TcpListener, config: Arc<ServerConfig>, app: Router) -> io::Result<()> {
    // Client and server agree on the version of HTTP within the TLS handshake.
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = TlsAcceptor::new(config);
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http2().enable_connect_protocol(); // without it, browsers open another connection for WebSockets
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, http, service) = (tls.clone(), http.clone(), TowerToHyperService::new(app.clone()));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
}
