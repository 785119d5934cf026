//! Who is there: handles of connections, in; one message to many of them, out.
//!
//! Nothing is sent while the set is locked, and nobody waits for a slow member unless told to ([`Slow::Wait`]).

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use hybi::{Prepared, UsageError};

use crate::error::Error;
use crate::split::Handle;

/// The set of those who are there: can be cloned, for any thread.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    members: Arc<Mutex<Members>>,
}

/// After so many members other tasks have a turn. Besides, a runtime may let a task that has written often write no
/// more before it has given way; then a reader would have to be woken for each member that is left.
const AT_ONCE: usize = 64;

type Handles = BTreeMap<ClientId, Handle>;

#[derive(Debug, Default)]
struct Members {
    /// Whoever sends to all holds it too; a change meanwhile makes another map.
    handles: Arc<Handles>,
    next: u64,
    /// Whoever joins is told at once to go.
    going_away: bool,
}

/// Who is who in [`Clients`]: no two members ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

/// A membership in [`Clients`]: whoever drops it has left.
#[derive(Debug)]
#[must_use = "whoever drops it has left"]
pub struct Membership {
    clients: Clients,
    id: ClientId,
}

/// What to do about a member that does not keep up: more waits for it than [`Water::high`](hybi::Water) already. In no
/// case does more wait for one than that and one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It does not get this message.
    Drop,
    /// It is dropped.
    Disconnect,
    /// Wait for it, and let the others wait behind it: for as long as it takes, or until its
    /// [`Timeouts::write_stall`](hybi::Timeouts).
    Wait,
}

/// What became of one message to many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broadcast {
    /// Members that it was sent to.
    pub sent: usize,
    /// Members that did not keep up, and did not get it.
    pub slow: usize,
    /// Members whose connection is not open any more.
    pub gone: usize,
}

impl Clients {
    /// Joins with the handle of one's own connection.
    pub fn join(&self, handle: Handle) -> Membership {
        let mut members = self.lock();
        let id = ClientId(members.next);
        members.next += 1;
        Arc::make_mut(&mut members.handles).insert(id, handle.clone());
        let going_away = members.going_away;
        drop(members);
        if going_away {
            handle.go_away();
        }
        Membership { clients: self.clone(), id }
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.lock().handles.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    pub fn get(&self, id: ClientId) -> Option<Handle> {
        self.lock().handles.get(&id).cloned()
    }

    /// All who are there now, in the order in which they came. Others may join and leave meanwhile.
    pub fn for_each(&self, mut each: impl FnMut(ClientId, &Handle)) {
        for (id, handle) in &*self.handles() {
            each(*id, handle);
        }
    }

    /// Sends a message that was framed once to all who are there now. With [`Slow::Wait`] it may wait for one of them,
    /// else it waits for nobody, and only gives way to other tasks now and then; what a transport does not take at once
    /// goes out while the reader of that connection waits.
    ///
    /// Cancel safety: a future that is dropped while it waits for a slow member has sent the message, whole, to those
    /// who came before, and not to those who come after; to that member whole or not at all.
    pub async fn broadcast(&self, message: &Prepared, slow: Slow) -> Broadcast {
        send_to(&self.handles(), None, message, slow).await
    }

    /// The same to all but one: who said it, as a rule.
    ///
    /// Cancel safety: as [`broadcast`](Self::broadcast).
    pub async fn broadcast_except(&self, except: ClientId, message: &Prepared, slow: Slow) -> Broadcast {
        send_to(&self.handles(), Some(except), message, slow).await
    }

    /// Tells everybody to go, and whoever joins from now on.
    pub(crate) fn go_away(&self) {
        self.lock().going_away = true;
        self.for_each(|_, handle| handle.go_away());
    }

    /// Who is there now.
    fn handles(&self) -> Arc<Handles> {
        self.lock().handles.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send_to(handles: &Handles, except: Option<ClientId>, message: &Prepared, slow: Slow) -> Broadcast {
    let mut told = Broadcast::default();
    for (n, (_, handle)) in handles.iter().filter(|(id, _)| Some(**id) != except).enumerate() {
        if n > 0 && n % AT_ONCE == 0 {
            give_way().await;
        }
        let mut sent = handle.try_send_prepared(message);
        if matches!(sent, Err(Error::Usage(UsageError::QueueFull))) {
            match slow {
                Slow::Wait => sent = handle.send_prepared(message).await,
                Slow::Disconnect => handle.abort(),
                Slow::Drop => {}
            }
        }
        match sent {
            Ok(()) => told.sent += 1,
            Err(Error::Usage(UsageError::QueueFull)) => told.slow += 1,
            Err(_) => told.gone += 1,
        }
    }
    told
}

/// Lets other tasks go on, and goes on itself as soon as it may.
async fn give_way() {
    let mut given = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Membership {
    /// Who this is.
    pub fn id(&self) -> ClientId {
        self.id
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut members = self.clients.lock();
        let left = Arc::make_mut(&mut members.handles).remove(&self.id);
        drop(members);
        drop(left); // outside of the lock
    }
}
