//! The end of the transport: who ends it, when, and how long we wait. RFC 6455 §7.1.1.
//!
//! The server ends the transport first, as soon as both close frames are out. A client waits for it, with a
//! deadline. After a failure we end our side and let the peer read why: to close at once, with octets of the
//! peer unread, would make most transports throw away the close frame that is under way.

use core::time::Duration;

use super::keepalive::Deadline;
use crate::role::Role;
use crate::state::Phase;
use crate::time::Instant;

/// What the transport is to do, once all output has been transmitted.
///
/// It is an answer, not an order: asking again gives the same until something changes, so an adapter that
/// has shut its writing side down need not do it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportAction {
    /// Nothing: go on reading.
    None,
    /// End the writing side, and go on reading until the peer ends its own.
    ShutdownWrite,
    /// End it. Nothing more is to be read or written.
    Close,
}

#[derive(Debug, Default)]
pub(super) struct Closing {
    deadline: Deadline,
    /// The transport ended, or we waited for long enough.
    transport_over: bool,
}

impl Closing {
    /// A close frame was sent or the connection failed: from now on there is a deadline.
    pub(super) fn begin(&mut self, timeout: Option<Duration>) {
        if self.deadline == Deadline::OFF && timeout.is_some() && !self.transport_over {
            self.deadline = Deadline::UNARMED;
        }
    }

    pub(super) fn transport_ended(&mut self) {
        self.transport_over = true;
    }

    /// After the end of the transport there is a deadline as long as output waits: the peer may have ended its
    /// side only.
    pub(super) fn poll(&self, output_waits: bool) -> Option<Instant> {
        if self.transport_over && !output_waits { None } else { self.deadline.poll() }
    }

    /// Whether the wait is over just now.
    pub(super) fn handle(&mut self, now: Instant, timeout: Option<Duration>) -> bool {
        let Some(timeout) = timeout else { return false };
        self.deadline.arm(now, timeout);
        let due = self.deadline.is_due(now);
        if due {
            self.deadline = Deadline::OFF;
        }
        due
    }

    pub(super) fn action(&self, role: Role, phase: Phase, output_waits: bool) -> TransportAction {
        match phase {
            _ if output_waits => TransportAction::None,
            _ if self.transport_over => TransportAction::Close,
            Phase::Finished if role == Role::Server => TransportAction::Close,
            Phase::Failed => TransportAction::ShutdownWrite,
            _ => TransportAction::None,
        }
    }
}
