//! The client's side: the octets of the request out; octets of the response in; an open connection, or why
//! there is none, out.
//!
//! The request is in `client_request`, the order of things in time in `exchange`, the rules for the response
//! are in `response`.

use alloc::sync::Arc;
use core::fmt;

use super::Opening;
use super::client_request::ClientRequest;
use super::exchange::Exchange;
use super::key::{AcceptValue, accept_value, encode_nonce};
use super::response::Response;
use crate::agreement::Agreement;
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::error::HandshakeError;
use crate::http::head::HeadScanner;
use crate::role::Role;
use crate::time::Instant;

/// How the handshake of a client ended. There is one for each.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The server agreed; here is its answer, with the cookies it set.
    Opened(Response),
    /// It came to nothing. [`ClientHandshake::response`] has the answer, if one came.
    Failed(HandshakeError),
}

/// The opening handshake of a client.
///
/// *In*: [`receive`](Self::receive), [`receive_eof`](Self::receive_eof),
/// [`handle_timeout`](Self::handle_timeout). *Out*: [`poll_event`](Self::poll_event),
/// [`transmit`](Self::transmit), [`poll_timeout`](Self::poll_timeout), [`wants_close`](Self::wants_close).
///
/// ```
/// use hybi::handshake::{ClientHandshake, ClientRequest, Outcome};
/// use hybi::{BoxEntropy, Config, HandshakeError};
///
/// let request = ClientRequest::new("ws://example.com/chat")?;
/// let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7)); // the operating system's, in earnest
/// let mut handshake = ClientHandshake::new(request, Config::default(), entropy);
///
/// assert!(handshake.transmit().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
/// let len = handshake.transmit().len();
/// handshake.transmitted(len);
///
/// let taken = handshake.receive(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\ncome back");
/// let Some(Outcome::Failed(HandshakeError::UnexpectedStatus(503))) = handshake.poll_event() else { panic!() };
/// let response = handshake.response().expect("one came");
/// assert_eq!((response.status(), response.body()), (503, &b"come back"[..]));
/// # Ok::<(), hybi::handshake::RequestError>(())
/// ```
pub struct ClientHandshake {
    exchange: Exchange<Agreement>,
    entropy: BoxEntropy,
    request: ClientRequest,
    accept: AcceptValue,
}

impl ClientHandshake {
    /// A handshake whose request waits to be transmitted. The nonce and the masking keys of the connection
    /// are from `entropy`.
    pub fn new(request: ClientRequest, config: impl Into<Arc<Config>>, mut entropy: BoxEntropy) -> Self {
        let nonce;
        let key = match request.key() {
            Some(key) => key.as_bytes(),
            None => {
                nonce = encode_nonce(entropy.nonce());
                &nonce
            }
        };
        Self {
            accept: accept_value(key),
            exchange: Exchange::new(request.encode(key), HeadScanner::response, config.into()),
            entropy,
            request,
        }
    }

    /// Takes octets from the transport and returns how many: all of them, unless 64 KiB that belong to the
    /// connection wait already. The rest is to be received by the connection.
    #[must_use = "what is not taken has to be received by the connection"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        let Self { exchange, request, accept, .. } = self;
        exchange.receive(octets, |response| response.judge(request, accept))
    }

    /// The transport ended.
    pub fn receive_eof(&mut self) {
        self.exchange.receive_eof();
    }

    /// Looks at the clock. The first call starts [`Timeouts::handshake`](crate::Timeouts), which ends with the
    /// answer and, where the server refuses, with the part of the body that is kept.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.exchange.handle_timeout(now);
    }

    /// How it ended, once.
    pub fn poll_event(&mut self) -> Option<Outcome> {
        self.exchange.event.take()
    }

    /// The octets to write to the transport, until [`transmitted`](Self::transmitted) says so: the request.
    pub fn transmit(&self) -> &[u8] {
        self.exchange.output.waiting()
    }

    /// So many octets of [`transmit`](Self::transmit) went to the transport.
    pub fn transmitted(&mut self, len: usize) {
        self.exchange.output.transmitted(len);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.exchange.poll_timeout()
    }

    /// Whether there is nothing left to do but to close the transport: the handshake failed, and no more of the
    /// body of the answer is to come or to be kept. Whoever does not care for the body need not wait.
    pub fn wants_close(&self) -> bool {
        self.exchange.wants_close()
    }

    /// What was requested.
    pub fn request(&self) -> &ClientRequest {
        &self.request
    }

    /// The answer that opened no connection, with as much of its body as was received.
    pub fn response(&self) -> Option<&Response> {
        self.exchange.response.as_ref()
    }

    /// The same, to keep.
    pub fn into_response(self) -> Option<Response> {
        self.exchange.response
    }

    /// No more is to come, for this reason.
    pub(super) fn end(&mut self, error: HandshakeError) {
        self.exchange.end(error);
    }

    /// The source of randomness, for another attempt.
    pub(super) fn into_entropy(self) -> BoxEntropy {
        self.entropy
    }

    /// What the connection is made of, if it is open.
    pub(crate) fn into_opening(self) -> Option<Opening> {
        let agreement = self.exchange.opened()?.clone();
        Some(Opening {
            role: Role::Client,
            agreement,
            config: self.exchange.config,
            entropy: Some(self.entropy),
            output: self.exchange.output.into_waiting(),
            leftover: self.exchange.leftover,
        })
    }
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("request", &self.request)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
