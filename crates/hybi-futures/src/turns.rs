//! One connection at a time to one address, while it is being opened: whoever connects waits for its turn.
//!
//! Whose turn it is, the core knows ([`Turns`]); here it is waited for.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use hybi::handshake::{Destination, Turn, Turns};

/// A gate that lets one connection at a time through to one address: RFC 6455 §4.1, item 2, wants it of a client that
/// opens connections for others, as a browser does for scripts. Connectors that share a clone of it
/// ([`Connector::with_gate`](crate::Connector::with_gate)) wait for one another: from dialing an address until the
/// connection is open or has failed.
///
/// Behind a proxy, host and port take the place of the address. Unix sockets are not waited for. Waiting is a part of
/// the time of [`Timeouts::handshake`](hybi::Timeouts).
#[derive(Clone, Debug, Default)]
pub struct ConnectGate(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    turns: Turns,
    waiting: BTreeMap<u64, Waker>,
}

/// A place in the queue, until it is dropped.
#[derive(Debug)]
struct Held {
    gate: ConnectGate,
    turn: Turn,
}

/// What dialing goes by: an adapter asks it before each address, and it keeps the turn of the one that was connected
/// to.
#[derive(Debug, Default)]
pub struct Admission {
    gate: Option<ConnectGate>,
    held: Mutex<Option<Held>>,
}

impl ConnectGate {
    async fn enter(&self, destination: Destination) -> Held {
        let turn = self.lock().turns.ask(destination);
        let held = Held { gate: self.clone(), turn };
        poll_fn(|cx| {
            let mut queue = self.lock();
            if queue.turns.is_next(&held.turn) {
                return Poll::Ready(());
            }
            queue.waiting.insert(held.turn.number(), cx.waker().clone());
            Poll::Pending
        })
        .await;
        held
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut queue = self.gate.lock();
        queue.waiting.remove(&self.turn.number());
        let next = queue.turns.leave(&self.turn).and_then(|next| queue.waiting.remove(&next));
        drop(queue);
        next.into_iter().for_each(Waker::wake);
    }
}

impl Admission {
    /// Where a proxy hides the server, waits for the turn of that; the proxy itself is nobody's destination.
    pub(crate) async fn to(gate: Option<ConnectGate>, hidden: Option<Destination>) -> Self {
        match (gate, hidden) {
            (Some(gate), Some(hidden)) => {
                Self { gate: None, held: Mutex::new(Some(gate.enter(hidden).await)) }
            }
            (gate, _) => Self { gate, held: Mutex::default() },
        }
    }

    /// Connects to this address when its turn has come.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn connect<T>(
        &self,
        address: SocketAddr,
        connecting: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let Some(gate) = &self.gate else { return connecting.await };
        let held = gate.enter(address.into()).await;
        let connected = connecting.await?;
        let before = self.held.lock().unwrap_or_else(PoisonError::into_inner).replace(held);
        drop(before);
        Ok(connected)
    }
}
