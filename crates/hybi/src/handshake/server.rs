//! The server's side: octets of a request in; the request, or why it was refused, out; the octets of the
//! answer out.
//!
//! ```text
//!           head complete            accept
//!   Head ──────────────▶ Deciding ──────────▶ a connection
//!    │                      │
//!    │ broken, too large,   │ reject, respond, eof, timeout
//!    │ too late, eof        ▼
//!    └───────────────────▶ Over: transmit what waits, then close the transport
//! ```
//!
//! The rules for requests are in `request`, the answers in `answer`; here is the order of things in time.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::answer::{Answer, AnswerError};
use super::request::{Accept, Acceptance, Refusal, Request, RequestHead, Terms};
use super::{Deadline, Opening, Output, keep};
use crate::config::Config;
use crate::error::HandshakeError;
use crate::http::head::HeadScanner;
use crate::role::Role;
use crate::time::Instant;
use crate::version::Versions;

/// What a server wants to see.
///
/// ```
/// use hybi::handshake::ServerSettings;
/// use hybi::Version;
/// let mut settings = ServerSettings::default();
/// settings.versions = settings.versions.with(Version::V8);
/// settings.plain_requests = true; // the same port also serves a web page
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerSettings {
    /// The versions that are spoken. Default 13 alone.
    pub versions: Versions,
    /// Whether the application sees requests that ask for no WebSocket, as [`Incoming::Plain`]. Off, which is
    /// the default, they are answered with 426 Upgrade Required.
    pub plain_requests: bool,
}

/// What came. There is one for each handshake; but a [`Failed`](Self::Failed) may follow, when time or
/// transport end before the application has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A good request for a WebSocket: accept it or [reject](ServerHandshake::reject) it.
    Upgrade(Request),
    /// A request for something else, to be [answered](ServerHandshake::respond). Only with
    /// [`ServerSettings::plain_requests`].
    Plain(RequestHead),
    /// The handshake failed. The answer waits to be transmitted, if there is one.
    Failed(HandshakeError),
}

/// The opening handshake of a server. The [module](super) has an example.
///
/// *In*: [`receive`](Self::receive), [`receive_eof`](Self::receive_eof),
/// [`handle_timeout`](Self::handle_timeout). *Say*: accept, [`reject`](Self::reject),
/// [`respond`](Self::respond). *Out*: [`poll_event`](Self::poll_event), [`transmit`](Self::transmit),
/// [`poll_timeout`](Self::poll_timeout), [`wants_close`](Self::wants_close).
///
/// A request that breaks a rule is answered here and at once:
///
/// | status | when |
/// |---|---|
/// | 400 | not HTTP/1.1, or with a body; malformed `Host`, `Connection`, key, version, lists |
/// | 405 | the method is not GET |
/// | 408 | [`Timeouts::handshake`](crate::Timeouts) passed |
/// | 426 | `Upgrade` does not name `websocket`, or the version is not spoken |
/// | 431 | the head passes [`Limits`](crate::Limits) |
pub struct ServerHandshake {
    config: Arc<Config>,
    settings: ServerSettings,
    state: State,
    event: Option<Incoming>,
    output: Output,
    /// What came behind the head while the application has not answered.
    leftover: Vec<u8>,
    deadline: Deadline,
    error: Option<HandshakeError>,
    /// Whether the answer is to a HEAD request, and has no body.
    to_head_request: bool,
}

enum State {
    Head(HeadScanner),
    Deciding(Asked),
    Over,
}

/// What the application has to answer.
enum Asked {
    Upgrade(Terms),
    Plain,
}

impl ServerHandshake {
    /// A handshake that waits for a request.
    pub fn new(config: impl Into<Arc<Config>>, settings: ServerSettings) -> Self {
        let config = config.into();
        Self {
            state: State::Head(HeadScanner::request(&config.limits)),
            deadline: Deadline::new(config.timeouts.handshake),
            config,
            settings,
            event: None,
            output: Output::default(),
            leftover: Vec::new(),
            error: None,
            to_head_request: false,
        }
    }

    /// Takes octets from the transport and returns how many: all of them, unless 64 KiB that belong to the
    /// connection wait already. The rest is to be received by the connection.
    #[must_use = "what is not taken has to be received by the connection"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        match &mut self.state {
            State::Head(scanner) => match scanner.receive(octets) {
                Ok(None) => octets.len(),
                Ok(Some(end)) => {
                    self.head_is_complete();
                    end + self.receive(&octets[end..])
                }
                Err(error) => {
                    self.refuse(Refusal::of(error, status_of(error)));
                    octets.len()
                }
            },
            State::Deciding(Asked::Upgrade(_)) => keep(&mut self.leftover, octets),
            State::Deciding(Asked::Plain) | State::Over => octets.len(), // never looked at
        }
    }

    /// The transport ended. A client that does not wait for its answer gets none.
    pub fn receive_eof(&mut self) {
        if !self.is_over() {
            self.fail(HandshakeError::TransportEnded);
        }
    }

    /// Looks at the clock. The first call starts [`Timeouts::handshake`](crate::Timeouts), which ends with
    /// the answer; when it has passed, the client gets 408, and as much time again to take it.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.deadline.is_over(now) {
            return;
        }
        if self.is_over() {
            self.output = Output::default();
        } else {
            let error = HandshakeError::TimedOut;
            self.refuse(Refusal::of(error, status_of(error)));
        }
    }

    /// What came, once.
    pub fn poll_event(&mut self) -> Option<Incoming> {
        self.event.take()
    }

    /// The octets to write to the transport, until [`transmitted`](Self::transmitted) says so: an answer that
    /// opens no connection.
    pub fn transmit(&self) -> &[u8] {
        self.output.waiting()
    }

    /// So many octets of [`transmit`](Self::transmit) went to the transport.
    pub fn transmitted(&mut self, len: usize) {
        self.output.transmitted(len);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.wants_close() { None } else { self.deadline.poll() }
    }

    /// Whether there is nothing left to do but to close the transport: the handshake opened no connection, and
    /// the answer is transmitted.
    ///
    /// The peer may still be writing; a transport that answers that with a reset can destroy the answer on
    /// its way. So it is best to end the own direction first, and to read for a moment more (RFC 9112 §9.6).
    pub fn wants_close(&self) -> bool {
        self.is_over() && self.transmit().is_empty()
    }

    /// Why the handshake opened no connection; also when the application rejected it.
    pub fn error(&self) -> Option<HandshakeError> {
        self.error
    }

    /// Rejects the request for a WebSocket, with a status of 300 to 599.
    ///
    /// # Errors
    /// There is no such request to answer, or the answer may not be. Nothing was written.
    pub fn reject(&mut self, answer: Answer) -> Result<(), AnswerError> {
        let State::Deciding(Asked::Upgrade(_)) = self.state else { return Err(AnswerError::NoRequest) };
        answer.check(300)?;
        self.fail(HandshakeError::Refused(answer.status()));
        self.event = None; // the application knows
        self.output = Output::of(answer.encode(self.to_head_request));
        Ok(())
    }

    /// Answers a plain request, with a status of 200 to 599.
    ///
    /// # Errors
    /// There is no such request to answer, or the answer may not be. Nothing was written.
    pub fn respond(&mut self, answer: Answer) -> Result<(), AnswerError> {
        let State::Deciding(Asked::Plain) = self.state else { return Err(AnswerError::NoRequest) };
        answer.check(200)?;
        self.state = State::Over;
        self.event = None;
        self.output = Output::of(answer.encode(self.to_head_request));
        Ok(())
    }

    /// Accepts the request for a WebSocket: what the connection is made of. After that the handshake is
    /// empty. On an error it is as it was, and nothing was written.
    pub(crate) fn accept_opening(&mut self, accept: Accept) -> Result<Opening, AnswerError> {
        let State::Deciding(Asked::Upgrade(terms)) = &self.state else { return Err(AnswerError::NoRequest) };
        let Acceptance { fields, agreement, .. } = terms.accept(accept)?;
        let mut output = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
        fields.encode(&mut output);
        output.extend_from_slice(b"\r\n");
        self.state = State::Over;
        self.event = None;
        self.deadline.clear();
        Ok(Opening {
            role: Role::Server,
            agreement,
            config: Arc::clone(&self.config),
            entropy: None,
            output,
            leftover: mem::take(&mut self.leftover),
        })
    }

    fn head_is_complete(&mut self) {
        let State::Head(scanner) = mem::replace(&mut self.state, State::Over) else { return };
        match scanner.into_request().map_err(|error| Refusal::of(error, status_of(error))) {
            Ok(parts) => {
                self.to_head_request = &*parts.method == "HEAD";
                self.judge(RequestHead::new(parts));
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn judge(&mut self, head: Result<RequestHead, Refusal>) {
        let judged = head.and_then(|head| {
            if self.settings.plain_requests && !head.asks_for_websocket() {
                head.check_host().map_err(|error| Refusal::of(error, status_of(error)))?;
                return Ok((Asked::Plain, Incoming::Plain(head)));
            }
            let request = Request::judge(head, self.settings.versions)?;
            Ok((Asked::Upgrade(request.terms().clone()), Incoming::Upgrade(request)))
        });
        match judged {
            Ok((asked, event)) => {
                self.state = State::Deciding(asked);
                self.event = Some(event);
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Ends the handshake with an answer of ours.
    fn refuse(&mut self, refusal: Refusal) {
        self.fail(refusal.error);
        self.output = Output::of(refusal.answer.encode(self.to_head_request));
    }

    /// Ends the handshake. A request that was not polled yet is never seen.
    fn fail(&mut self, error: HandshakeError) {
        self.state = State::Over;
        self.leftover = Vec::new();
        self.error = Some(error);
        self.event = Some(Incoming::Failed(error));
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

/// The status for what fails before there is a request to judge, or instead.
const fn status_of(error: HandshakeError) -> u16 {
    match error {
        HandshakeError::HeadTooLarge => 431,
        HandshakeError::TimedOut => 408,
        _ => 400,
    }
}

impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Head(_) => "Head",
            State::Deciding(_) => "Deciding",
            State::Over => "Over",
        };
        f.debug_struct("ServerHandshake")
            .field("state", &format_args!("{state}"))
            .field("error", &self.error)
            .field("transmit_len", &self.transmit().len())
            .field("leftover_len", &self.leftover.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_keeps_nothing_of_the_peer() {
        let text = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
        assert_eq!(server.receive(&[text, &[0; 9_000][..]].concat()), text.len() + 9_000);
        assert_eq!(server.leftover.len(), 9_000);
        server.reject(Answer::new(403)).expect("good");
        assert_eq!(server.receive(&[0; 9_000]), 9_000);
        assert_eq!(server.leftover.capacity(), 0);
    }
}
