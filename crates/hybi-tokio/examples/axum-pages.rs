//! Pages and WebSockets on one port, with axum.
//!
//!     cargo run -p hybi-tokio --features axum --example axum-pages
//!
//! Then open http://127.0.0.1:9001/ in a browser.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use axum::Router;
use axum::response::{Html, Response};
use axum::routing::{any, get};
use hybi_tokio::axum::WebSocketUpgrade;
use hybi_tokio::hyper::Upgraded;
use hybi_tokio::{Answer, Event, WebSocket};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app()).await
}

pub(crate) fn app() -> Router {
    // `any`, for over HTTP/2 the method is CONNECT.
    Router::new().route("/", get(page)).route("/echo", any(upgrade))
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

/// The extractor answers requests that are no good for a WebSocket by itself.
async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    // Any page on the web can make a browser connect to here: only our own may (RFC 6455 §10.2).
    let host = upgrade.request().host().to_owned();
    if !upgrade.request().origin_allowed(&[&format!("http://{host}"), &format!("https://{host}")]) {
        return upgrade.reject(&Answer::new(403));
    }
    upgrade.on_upgrade(echo)
}

async fn echo(mut socket: WebSocket<Upgraded>) {
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        if sent.is_err() {
            break;
        }
    }
}
