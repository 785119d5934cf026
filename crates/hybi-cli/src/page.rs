//! The web page of the echo server, and the answers to requests that ask for no WebSocket.

use hybi::handshake::{Answer, RequestHead};

/// The page: one file that asks for nothing else.
const PAGE: &str = include_str!("page.html");

/// What the page may do: run what is in it, and connect to WebSockets.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
    connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a plain request.
pub(crate) fn answer(head: &RequestHead) -> Answer {
    match (head.path(), head.method()) {
        ("/", "GET" | "HEAD") => Answer::new(200)
            .with_header("Content-Type", "text/html; charset=utf-8")
            .with_header("Content-Security-Policy", POLICY)
            .with_header("X-Content-Type-Options", "nosniff")
            .with_header("Cache-Control", "no-store")
            .with_body(PAGE),
        ("/", _) => Answer::new(405).with_header("Allow", "GET, HEAD").with_body("this page can be read\n"),
        _ => Answer::new(404).with_body("there is one page here: /\n"),
    }
}
