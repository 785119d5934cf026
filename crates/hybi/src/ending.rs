//! How a connection ended: what the last event of every connection says.

use crate::close::CloseFrame;
use crate::error::ProtocolError;

/// How a connection ended: the last event has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInfo {
    pub(crate) frame: Option<CloseFrame>,
    pub(crate) cause: CloseCause,
}

impl CloseInfo {
    /// The code as RFC 6455 §7.1.5 defines it: the one in the peer's close frame, 1005 when that frame had
    /// none, 1006 when no close frame came.
    pub fn code(&self) -> u16 {
        match (&self.frame, &self.cause) {
            (Some(frame), _) => frame.code().value(),
            (None, CloseCause::Handshake) => 1005,
            (None, _) => 1006,
        }
    }

    /// The reason in the peer's close frame, or nothing (§7.1.6).
    pub fn reason(&self) -> &str {
        self.frame.as_ref().map_or("", CloseFrame::reason)
    }

    /// The peer's close frame, if one came and it had a code.
    pub fn frame(&self) -> Option<&CloseFrame> {
        self.frame.as_ref()
    }

    /// Whether both sides sent a close frame (§7.1.4).
    pub fn is_clean(&self) -> bool {
        self.cause == CloseCause::Handshake
    }

    /// Why the connection ended.
    pub fn cause(&self) -> &CloseCause {
        &self.cause
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCause {
    /// The closing handshake was completed: the clean end.
    Handshake,
    /// The transport ended without a close frame from the peer.
    TransportEnded,
    /// The peer broke a rule, and the connection was failed (RFC 6455 §7.1.7).
    Failed(ProtocolError),
    /// A deadline passed.
    TimedOut(Timeout),
    /// The application dropped the connection.
    Aborted,
}

/// The deadlines of a connection. [`Config`](crate::Config) sets each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timeout {
    /// A keepalive ping went out, and nothing at all came back in time.
    Pong,
    /// Nothing was received for too long.
    Idle,
    /// The closing handshake, or the end of the transport after it, did not come in time.
    Close,
    /// Output waited, and the transport took none of it for too long.
    WriteStall,
}
