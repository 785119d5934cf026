//! The states of a connection, and the one table of how they follow one another: RFC 6455 §7.1.
//! It knows neither octets nor role nor time.
//!
//! ```text
//!              close sent                close received
//!      Open ──────────────▶ CloseSent ───────────────────▶ Finished
//!        │ ╲                    │                              ▲
//!        │  ╲  close received (and answered at once)           │
//!        │   ╲─────────────────────────────────────────────────╯
//!        │ failed               │ failed
//!        ▼                      ▼            transport ended
//!      Failed ────────────── Failed ─────────────────────▶ Ended   (from any state but Finished)
//! ```

/// The state of a connection as an application sees it. The numbers are those of the WebSocket API of
/// browsers.
///
/// ```
/// use hybi::State;
/// assert_eq!(State::Open as u8, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The opening handshake is not over.
    Connecting = 0,
    /// Messages can be sent.
    Open = 1,
    /// A close frame was sent, or the connection failed, and the end has not come.
    Closing = 2,
    /// Both sides sent a close frame, or the transport ended.
    Closed = 3,
}

/// The state in detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// We sent a close frame, the peer did not.
    CloseSent,
    /// Both sides sent a close frame: the closing handshake is over, the transport may still be there.
    Finished,
    /// The peer broke a rule, and was told so.
    Failed,
    /// The transport ended, or was given up, without a closing handshake.
    Ended,
}

/// What changes the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    CloseSent,
    CloseReceived,
    Failed,
    TransportEnded,
}

impl Phase {
    /// The table.
    #[must_use]
    pub(crate) const fn after(self, change: Change) -> Self {
        match (self, change) {
            (Self::Open, Change::CloseSent) => Self::CloseSent,
            (Self::Open | Self::CloseSent, Change::CloseReceived) => Self::Finished,
            (Self::Open | Self::CloseSent, Change::Failed) => Self::Failed,
            (Self::Open | Self::CloseSent | Self::Failed, Change::TransportEnded) => Self::Ended,
            (phase, _) => phase,
        }
    }

    pub(crate) const fn state(self) -> State {
        match self {
            Self::Open => State::Open,
            Self::CloseSent | Self::Failed => State::Closing,
            Self::Finished | Self::Ended => State::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        use Change::{CloseReceived, CloseSent, TransportEnded};
        use Phase::{Ended, Failed, Finished, Open};
        let changes = [CloseSent, CloseReceived, Change::Failed, TransportEnded];
        let rows = [
            (Open, [Phase::CloseSent, Finished, Failed, Ended]),
            (Phase::CloseSent, [Phase::CloseSent, Finished, Failed, Ended]),
            (Finished, [Finished; 4]),
            (Failed, [Failed, Failed, Failed, Ended]),
            (Ended, [Ended; 4]),
        ];
        for (from, to) in rows {
            for (change, to) in changes.into_iter().zip(to) {
                assert_eq!(from.after(change), to, "{from:?} after {change:?}");
            }
        }
    }
}
