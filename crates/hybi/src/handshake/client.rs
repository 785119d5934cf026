//! The client's side: the octets of the request out; octets of the response in; an open connection, or why
//! there is none, out.
//!
//! ```text
//!          100, 102..199
//!           ┌──────┐
//!           ▼      │   101, and all rules kept
//!         Head ────┴──────────────────────────▶ Open ──▶ a connection
//!           │
//!           │ another status; a rule broken; too large, too late, eof
//!           ▼
//!         Failed: the start of the body is collected, then the transport is to be closed
//! ```
//!
//! The request is in `client_request`, the rules for the response are in `response`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::client_request::ClientRequest;
use super::key::{AcceptValue, accept_value, encode_nonce};
use super::response::Response;
use super::{Deadline, Opening, Output, keep};
use crate::agreement::Agreement;
use crate::config::{Config, Limits};
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
    config: Arc<Config>,
    entropy: BoxEntropy,
    request: ClientRequest,
    accept: AcceptValue,
    state: State,
    event: Option<Outcome>,
    /// The answer of a server that refused.
    response: Option<Response>,
    output: Output,
    leftover: Vec<u8>,
    deadline: Deadline,
}

enum State {
    /// How many octets of heads may still come, and the one that is coming.
    Head(usize, HeadScanner),
    Open(Agreement),
    Failed,
}

impl ClientHandshake {
    /// A handshake whose request waits to be transmitted. The nonce and the masking keys of the connection
    /// are from `entropy`.
    pub fn new(request: ClientRequest, config: impl Into<Arc<Config>>, mut entropy: BoxEntropy) -> Self {
        let config = config.into();
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
            output: Output::of(request.encode(key)),
            state: State::Head(config.limits.head_bytes, HeadScanner::response(&config.limits)),
            deadline: Deadline::new(config.timeouts.handshake),
            config,
            entropy,
            request,
            event: None,
            response: None,
            leftover: Vec::new(),
        }
    }

    /// Takes octets from the transport and returns how many: all of them, unless 64 KiB that belong to the
    /// connection wait already. The rest is to be received by the connection.
    #[must_use = "what is not taken has to be received by the connection"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        let mut rest = octets;
        while let State::Head(room, scanner) = &mut self.state {
            match scanner.receive(rest) {
                Ok(None) => return octets.len(),
                Ok(Some(end)) => {
                    *room -= scanner.head_len();
                    rest = &rest[end..];
                    self.head_is_complete();
                }
                Err(error) => self.fail(error),
            }
        }
        let before = octets.len() - rest.len();
        match &mut self.state {
            State::Open(_) => before + keep(&mut self.leftover, rest),
            State::Head(..) | State::Failed => {
                if let Some(response) = &mut self.response {
                    response.body_mut().receive(rest);
                }
                octets.len()
            }
        }
    }

    /// The transport ended.
    pub fn receive_eof(&mut self) {
        self.end_body();
        if let State::Head(..) = self.state {
            self.fail(HandshakeError::TransportEnded);
        }
    }

    /// Looks at the clock. The first call starts [`Timeouts::handshake`](crate::Timeouts), which ends with the
    /// answer and, where the server refuses, with the part of the body that is kept.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_over(now) {
            self.end_body();
            if let State::Head(..) = self.state {
                self.fail(HandshakeError::TimedOut);
            }
        }
    }

    /// How it ended, once.
    pub fn poll_event(&mut self) -> Option<Outcome> {
        self.event.take()
    }

    /// The octets to write to the transport, until [`transmitted`](Self::transmitted) says so: the request.
    pub fn transmit(&self) -> &[u8] {
        self.output.waiting()
    }

    /// So many octets of [`transmit`](Self::transmit) went to the transport.
    pub fn transmitted(&mut self, len: usize) {
        self.output.transmitted(len);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Open(_) => None,
            State::Failed if self.wants_close() => None,
            State::Head(..) | State::Failed => self.deadline.poll(),
        }
    }

    /// Whether there is nothing left to do but to close the transport: the handshake failed, and no more of the
    /// body of the answer is to come or to be kept. Whoever does not care for the body need not wait.
    pub fn wants_close(&self) -> bool {
        matches!(self.state, State::Failed) && self.response.as_ref().is_none_or(Response::body_is_over)
    }

    /// What was requested.
    pub fn request(&self) -> &ClientRequest {
        &self.request
    }

    /// The answer that opened no connection, with as much of its body as was received.
    pub fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// The same, to keep.
    pub fn into_response(self) -> Option<Response> {
        self.response
    }

    /// What the connection is made of, if it is open.
    pub(crate) fn into_opening(self) -> Option<Opening> {
        let State::Open(agreement) = self.state else { return None };
        Some(Opening {
            role: Role::Client,
            agreement,
            config: self.config,
            entropy: Some(self.entropy),
            output: self.output.into_waiting(),
            leftover: self.leftover,
        })
    }

    fn head_is_complete(&mut self) {
        let State::Head(room, scanner) = mem::replace(&mut self.state, State::Failed) else { return };
        let response = match scanner.into_response() {
            Ok(parts) => Response::new(parts),
            Err(error) => return self.fail(error),
        };
        if matches!(response.status(), 100 | 102..=199) {
            // An interim answer (RFC 9110 §15.2). All heads together have the room of one.
            let limits = Limits { head_bytes: room, ..self.config.limits.clone() };
            self.state = State::Head(room, HeadScanner::response(&limits));
            return;
        }
        match response.judge(&self.request, &self.accept) {
            Ok(agreement) => {
                self.state = State::Open(agreement);
                self.event = Some(Outcome::Opened(response));
            }
            Err(error) => {
                self.response = Some(response);
                self.fail(error);
            }
        }
    }

    fn fail(&mut self, error: HandshakeError) {
        self.state = State::Failed;
        self.output = Output::default();
        self.event = Some(Outcome::Failed(error));
    }

    fn end_body(&mut self) {
        if let Some(response) = &mut self.response {
            response.body_mut().end();
        }
    }
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Head(..) => "Head",
            State::Open(_) => "Open",
            State::Failed => "Failed",
        };
        f.debug_struct("ClientHandshake")
            .field("state", &format_args!("{state}"))
            .field("request", &self.request)
            .field("response", &self.response)
            .field("transmit_len", &self.transmit().len())
            .field("leftover_len", &self.leftover.len())
            .finish_non_exhaustive()
    }
}
