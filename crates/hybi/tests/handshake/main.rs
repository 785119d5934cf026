//! The opening handshake by its public face (RFC 6455 §4). Rows of text and outcome; each row is run whole,
//! cut after every octet, and with octets behind it.
#![cfg(feature = "handshake")]
#![allow(clippy::panic, reason = "the way a test says what it saw")]

mod backoff;
mod client_request;
mod extended;
mod forwarded;
mod journey;
mod properties;
mod proxy;
mod redirect;
mod request;
mod response;
mod time;

use hybi::BoxEntropy;
use hybi::handshake::ClientRequest;

/// The key of the requests in these tests and the accept value that belongs to it: the example of §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request as a client would make it, with these lines changed: a line whose name is there already takes its
/// place, a line without a value takes it away, others are added.
fn request_with(lines: &[&str]) -> String {
    let good = ["Host: h", "Upgrade: websocket", "Connection: Upgrade", &format!("Sec-WebSocket-Key: {KEY}")];
    head_with("GET /chat HTTP/1.1", &[&good[..], &["Sec-WebSocket-Version: 13"]].concat(), lines)
}

/// A response to it, in the same way.
fn response_with(lines: &[&str]) -> String {
    let good = ["Upgrade: websocket", "Connection: Upgrade", &format!("Sec-WebSocket-Accept: {ACCEPT}")];
    head_with("HTTP/1.1 101 Switching Protocols", &good, lines)
}

fn head_with(first: &str, good: &[&str], lines: &[&str]) -> String {
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let stays = |line: &&&str| !lines.iter().any(|other| name(other) == name(line));
    let added = lines.iter().filter(|line| line.contains(':'));
    let all: String = good.iter().filter(stays).chain(added).map(|line| format!("{line}\r\n")).collect();
    format!("{first}\r\n{all}\r\n")
}

/// The ways to cut a text: whole, after each octet, and octet by octet.
fn cuts(text: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let halves = (1..text.len()).map(move |at| vec![&text[..at], &text[at..]]);
    [vec![text], text.chunks(1).collect()].into_iter().chain(halves)
}

fn entropy() -> BoxEntropy {
    BoxEntropy::new(|out: &mut [u8]| out.copy_from_slice(&b"the sample nonce"[..out.len()]))
}

fn client_request(uri: &str) -> ClientRequest {
    ClientRequest::new(uri).expect(uri)
}
