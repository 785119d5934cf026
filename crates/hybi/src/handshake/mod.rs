//! The opening handshake (RFC 6455 §4): how an HTTP/1.1 request becomes a connection.
//!
//! ```text
//!      client                                                  server
//!   ClientRequest                                          ServerSettings
//!        │                                                       │
//!   ClientHandshake ── transmit ────── GET, key ──── receive ─▶ ServerHandshake
//!        │                                                       │ Incoming::Upgrade(Request)
//!        │                                                   accept, or reject
//!        ◀─── receive ──────── 101, accept value ── transmit ────┤
//!   Outcome::Opened(Response)                                    │
//!        ▼                                                       ▼
//!    Connection                                              Connection
//! ```
//!
//! Both sides are pure, like the connection: octets in, events out, octets out; time is a number that
//! `handle_timeout` brings. **After any call, drain `poll_event` and `transmit`; then wait.** What the peer
//! sends never makes a call fail: it makes an event, and the HTTP answer owed to it waits in `transmit`.
//! Octets that come behind the handshake are kept and move into the connection.
//!
//! What comes before, on the side of the client, is a [`Journey`]: what to dial, a tunnel through a proxy
//! ([`ConnectProxy`]), when to put TLS on top, redirects. An adapter is a loop over its steps.
//!
//! A request that an HTTP library has read is judged by [`Request::from_parts`], by the same rules.
//!
//! Over HTTP/2 and HTTP/3 the same request is an extended CONNECT, of which an HTTP library has the header list:
//! [`ClientRequest::extended_connect`], [`Request::from_extended_connect`].
//!
//! # A server
//!
//! The check of the origin is what keeps foreign web pages from using their visitors' cookies against this
//! server (§10.2). It belongs into every server that browsers can reach.
//!
//! ```
//! use hybi::Config;
//! use hybi::handshake::{Incoming, Answer, ServerHandshake, ServerSettings};
//!
//! let mut handshake = ServerHandshake::new(Config::default(), ServerSettings::default());
//! let taken = handshake.receive(b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
//!     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//!     Sec-WebSocket-Version: 13\r\nOrigin: https://evil.test\r\n\r\n");
//! while let Some(event) = handshake.poll_event() {
//!     match event {
//!         Incoming::Upgrade(request) if request.origin_allowed(&["https://example.com"]) => {
//!             // accept
//!         }
//!         Incoming::Upgrade(_) => handshake.reject(Answer::new(403))?,
//!         Incoming::Plain(_) | Incoming::Failed(_) => {} // a `Failed` is answered already
//!     }
//! }
//! assert!(handshake.transmit().starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
//! # Ok::<(), hybi::handshake::AnswerError>(())
//! ```

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::agreement::Agreement;
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::role::Role;
use crate::time::Instant;

mod answer;
mod backoff;
mod client;
mod client_request;
mod exchange;
mod extended;
mod forwarded;
mod journey;
mod key;
mod proxies;
mod proxy;
mod redirect;
mod request;
mod response;
mod server;
mod subprotocol;
#[cfg(test)]
mod tests;
mod turns;

pub use crate::http::fields::{Fields, InvalidField};
pub use crate::http::uri::{Uri, UriError};
pub use answer::{Answer, AnswerError};
pub use backoff::Backoff;
pub use client::{ClientHandshake, Outcome};
pub use client_request::{ClientRequest, RequestError};
pub use journey::{Hop, Journey, JourneyError, Place, Step};
pub use proxies::Proxies;
pub use proxy::{ConnectProxy, Proxy};
pub use redirect::{RedirectError, Redirects};
pub use request::{Accept, Acceptance, Refusal, Request, RequestHead};
pub use response::Response;
pub use server::{Incoming, ServerHandshake, ServerSettings};
pub use subprotocol::{SubprotocolSyntax, Subprotocols};
pub use turns::{Destination, Turn, Turns};

/// A handshake that is over and well: what a connection is made of.
pub(crate) struct Opening {
    pub(crate) role: Role,
    pub(crate) agreement: Agreement,
    pub(crate) config: Arc<Config>,
    /// A client's source of masking keys; a server needs none.
    pub(crate) entropy: Option<BoxEntropy>,
    /// What of the handshake is not transmitted yet: the answer of a server.
    pub(crate) output: Vec<u8>,
    /// What came behind the handshake: frames.
    pub(crate) leftover: Vec<u8>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("role", &self.role)
            .field("agreement", &self.agreement)
            .field("output_len", &self.output.len())
            .field("leftover_len", &self.leftover.len())
            .finish_non_exhaustive()
    }
}

/// Octets that wait to be transmitted.
#[derive(Default)]
struct Output {
    octets: Vec<u8>,
    transmitted: usize,
}

impl Output {
    fn of(octets: Vec<u8>) -> Self {
        Self { octets, transmitted: 0 }
    }

    fn waiting(&self) -> &[u8] {
        &self.octets[self.transmitted..]
    }

    /// Forgets what was transmitted; saying more than there was is the same as saying all.
    fn transmitted(&mut self, len: usize) {
        self.transmitted += len.min(self.waiting().len());
        if self.waiting().is_empty() {
            *self = Self::default();
        }
    }

    fn into_waiting(mut self) -> Vec<u8> {
        self.octets.drain(..self.transmitted);
        self.octets
    }
}

/// The timeout of the handshake, which begins with the first look at the clock.
struct Deadline {
    timeout: Option<Duration>,
    at: Option<Instant>,
}

impl Deadline {
    fn new(timeout: Option<Duration>) -> Self {
        Self { timeout, at: None }
    }

    /// When to look at the clock: at once, as long as it has not begun.
    fn poll(&self) -> Option<Instant> {
        self.timeout.map(|_| self.at.unwrap_or(Instant::ZERO))
    }

    /// Looks at the clock. True once the time is over; the timeout then begins anew.
    fn is_over(&mut self, now: Instant) -> bool {
        let over = self.at.is_some_and(|at| now >= at);
        if self.at.is_none() || over {
            self.at = self.timeout.map(|timeout| now + timeout);
        }
        over
    }

    fn clear(&mut self) {
        *self = Self::new(None);
    }
}

/// Octets behind the handshake that it holds for the connection. Frames may come in the same read as the
/// end of the handshake; but nobody has to hold a megabyte while the application makes up its mind.
const LEFTOVER_LEN: usize = 64 << 10;

/// Keeps what the limit allows, and says how much that is.
fn keep(leftover: &mut Vec<u8>, octets: &[u8]) -> usize {
    let taken = octets.len().min(LEFTOVER_LEN - leftover.len());
    if leftover.try_reserve_exact(taken).is_err() {
        return 0; // the caller keeps them, as above the limit
    }
    leftover.extend_from_slice(&octets[..taken]);
    taken
}

/// Fields that are the handshake's own or would give a message a body: no caller sets them.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 4] = ["Upgrade", "Connection", "Content-Length", "Transfer-Encoding"];
    const PREFIX: &str = "Sec-WebSocket-";
    RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
        || name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

#[cfg(test)]
mod parts {
    use super::*;

    #[test]
    fn output_is_forgotten_as_it_is_transmitted() {
        let mut output = Output::of(b"abc".into());
        output.transmitted(1);
        assert_eq!(output.waiting(), b"bc");
        output.transmitted(9);
        assert_eq!((output.waiting(), output.octets.capacity()), (&b""[..], 0));
        let mut output = Output::of(b"abc".into());
        output.transmitted(2);
        assert_eq!(output.into_waiting(), b"c");
    }

    #[test]
    fn the_timeout_begins_with_the_first_look_at_the_clock() {
        let mut deadline = Deadline::new(Some(Duration::from_nanos(3)));
        assert_eq!(deadline.poll(), Some(Instant::ZERO));
        assert!(!deadline.is_over(Instant::from_nanos(7)));
        assert_eq!(deadline.poll(), Some(Instant::from_nanos(10)));
        assert!(!deadline.is_over(Instant::from_nanos(9)));
        assert!(deadline.is_over(Instant::from_nanos(11)));
        assert_eq!(deadline.poll(), Some(Instant::from_nanos(14)));
        deadline.clear();
        assert!(!deadline.is_over(Instant::from_nanos(99)) && deadline.poll().is_none());
    }

    #[test]
    fn leftover_is_bounded() {
        let mut leftover = Vec::new();
        assert_eq!(keep(&mut leftover, b"abc"), 3);
        assert_eq!(keep(&mut leftover, &[0; LEFTOVER_LEN]), LEFTOVER_LEN - 3);
        assert_eq!(keep(&mut leftover, b"abc"), 0);
    }

    #[test]
    fn the_handshakes_own_fields_are_reserved() {
        for name in [
            "upgrade",
            "CONNECTION",
            "content-length",
            "Transfer-Encoding",
            "sec-websocket-accept",
            "Sec-WebSocket-",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "Host",
            "Origin",
            "Set-Cookie",
            "Sec-WebSocke",
            "X-Upgrade",
            "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
