//! One request and the answer to it: what the handshake with a server and the one with a proxy have in common.
//!
//! ```text
//!          interim answers (1xx, but not 101)
//!           ┌──────┐
//!           ▼      │   the judge says yes
//!         Head ────┴──────────────────────────▶ Open ──▶ what comes behind is kept
//!           │
//!           │ the judge says no; no HTTP; too large, too late, eof
//!           ▼
//!         Failed: the start of the body is collected, then the transport is to be closed
//! ```
//!
//! In come the octets of the request, once, and those of the answer, in any pieces. What the answer means is
//! the caller's to say: it hands a judge to [`Exchange::receive`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::client::Outcome;
use super::response::Response;
use super::{Deadline, Output, keep};
use crate::config::{Config, Limits};
use crate::error::HandshakeError;
use crate::http::head::HeadScanner;
use crate::time::Instant;

pub(super) struct Exchange<T> {
    pub(super) config: Arc<Config>,
    pub(super) output: Output,
    pub(super) leftover: Vec<u8>,
    pub(super) event: Option<Outcome>,
    /// The answer that said no.
    pub(super) response: Option<Response>,
    scanner: fn(&Limits) -> HeadScanner,
    state: State<T>,
    deadline: Deadline,
}

enum State<T> {
    /// How many octets of heads may still come, and the one that is coming.
    Head(usize, HeadScanner),
    /// With what the judge made of the answer.
    Open(T),
    Failed,
}

impl<T> Exchange<T> {
    /// An exchange whose request waits to be transmitted.
    pub(super) fn new(request: Vec<u8>, scanner: fn(&Limits) -> HeadScanner, config: Arc<Config>) -> Self {
        Self {
            output: Output::of(request),
            state: State::Head(config.limits.head_bytes, scanner(&config.limits)),
            deadline: Deadline::new(config.timeouts.handshake),
            config,
            scanner,
            event: None,
            response: None,
            leftover: Vec::new(),
        }
    }

    /// Takes octets of the answer and of what is behind it, and returns how many.
    pub(super) fn receive(
        &mut self,
        octets: &[u8],
        judge: impl Fn(&Response) -> Result<T, HandshakeError>,
    ) -> usize {
        let mut rest = octets;
        while let State::Head(room, scanner) = &mut self.state {
            match scanner.receive(rest) {
                Ok(None) => return octets.len(),
                Ok(Some(end)) => {
                    *room -= scanner.head_len();
                    rest = &rest[end..];
                    self.head_is_complete(&judge);
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

    pub(super) fn receive_eof(&mut self) {
        self.end(HandshakeError::TransportEnded);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_over(now) {
            self.end(HandshakeError::TimedOut);
        }
    }

    /// No more is to come, for this reason: it is an error only while the head is not complete.
    pub(super) fn end(&mut self, error: HandshakeError) {
        if let Some(response) = &mut self.response {
            response.body_mut().end();
        }
        if let State::Head(..) = self.state {
            self.fail(error);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Open(_) => None,
            State::Failed if self.wants_close() => None,
            State::Head(..) | State::Failed => self.deadline.poll(),
        }
    }

    pub(super) fn wants_close(&self) -> bool {
        matches!(self.state, State::Failed) && self.response.as_ref().is_none_or(Response::body_is_over)
    }

    pub(super) fn opened(&self) -> Option<&T> {
        match &self.state {
            State::Open(opened) => Some(opened),
            State::Head(..) | State::Failed => None,
        }
    }

    fn head_is_complete(&mut self, judge: impl Fn(&Response) -> Result<T, HandshakeError>) {
        let State::Head(room, scanner) = mem::replace(&mut self.state, State::Failed) else { return };
        let response = match scanner.into_response() {
            Ok(parts) => Response::new(parts),
            Err(error) => return self.fail(error),
        };
        if matches!(response.status(), 100 | 102..=199) {
            // An interim answer (RFC 9110 §15.2). All heads together have the room of one.
            let limits = Limits { head_bytes: room, ..self.config.limits.clone() };
            self.state = State::Head(room, (self.scanner)(&limits));
            return;
        }
        match judge(&response) {
            Ok(opened) => {
                self.state = State::Open(opened);
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
}

impl<T> fmt::Debug for Exchange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Head(..) => "Head",
            State::Open(_) => "Open",
            State::Failed => "Failed",
        };
        f.debug_struct("Exchange")
            .field("state", &format_args!("{state}"))
            .field("response", &self.response)
            .field("transmit_len", &self.output.waiting().len())
            .field("leftover_len", &self.leftover.len())
            .finish_non_exhaustive()
    }
}
