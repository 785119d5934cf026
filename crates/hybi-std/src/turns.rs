//! One connection at a time to one address, while it is being opened: whoever connects waits for its turn.
//!
//! Whose turn it is, the core knows ([`Turns`]); here it is waited for.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hybi::handshake::{Destination, Turn, Turns};

/// A gate that lets one connection at a time through to one address: RFC 6455 §4.1, item 2, wants it of a client that
/// opens connections for others, as a browser does for scripts. Connectors that share a clone of it
/// ([`Connector::with_gate`](crate::Connector::with_gate)) wait for one another: from dialing an address until the
/// connection is open or has failed.
///
/// Behind a proxy, host and port take the place of the address. Unix sockets are not waited for. Waiting is a part of
/// the time of [`Timeouts::handshake`](hybi::Timeouts).
#[derive(Clone, Debug, Default)]
pub struct ConnectGate(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    turns: Mutex<Turns>,
    changed: Condvar,
}

/// A place in the queue, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    queue: Arc<Queue>,
    turn: Turn,
}

impl ConnectGate {
    /// Waits for a turn; `TimedOut` if none has come until then.
    pub(crate) fn enter(
        &self,
        destination: impl Into<Destination>,
        deadline: Option<Instant>,
    ) -> io::Result<Held> {
        let mut turns = self.0.lock();
        let held = Held { queue: self.0.clone(), turn: turns.ask(destination) };
        while !turns.is_next(&held.turn) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            turns = match left {
                None => self.0.changed.wait(turns).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => {
                    drop(turns);
                    return Err(ErrorKind::TimedOut.into());
                }
                Some(left) => {
                    self.0.changed.wait_timeout(turns, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        drop(turns);
        Ok(held)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.queue.lock().leave(&self.turn).is_some() {
            self.queue.changed.notify_all();
        }
    }
}
