//! A whole server: connections that are admitted and opening handshakes that are bounded, in; a task with an arrival
//! for each, and the set of those who are there, out.
//!
//! It decides who may come in and when everybody goes. What is said on a connection it does not know.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hybi::Config;
use hybi::handshake::{Answer, ServerSettings};

use crate::accept::{Acceptor, Arrival};
use crate::clients::Clients;
use crate::error::Error;
use crate::gate::{Gate, Handshake, Place};
use crate::runtime::{Listen, Runtime, Spawn};
use crate::wire::PATIENCE;

/// Listens, and gives each connection that asks for something a task.
///
/// - So many opening handshakes (and TLS handshakes) are in progress at once as
///   [`with_handshake_limit`](Self::with_handshake_limit) says; more wait in the queue of the operating system. Each
///   has the time of [`Timeouts::handshake`](hybi::Timeouts). One that fails ends its own connection alone.
/// - An accept that fails does not end it; when files run out it waits a moment and tries again.
/// - A panic of a handler ends its own connection, whose [`Membership`](crate::Membership) leaves, where the runtime
///   survives a panic of a task.
/// - A peer that has vanished without a word is noticed by [`Timeouts::keepalive`](hybi::Timeouts), which is off unless
///   it is configured.
/// - [`Stopper::stop`] ends it in order.
pub struct Listener<R: Listen> {
    socket: R::Socket,
    acceptor: Acceptor<R>,
    time_limit: Option<Duration>,
    tls: Option<R::ServerTls>,
    handshake_limit: usize,
    clients: Clients,
    gate: Arc<Gate>,
}

/// Ends a [`Listener`]; can be cloned, for any thread.
pub struct Stopper<R> {
    clients: Clients,
    gate: Arc<Gate>,
    runtime: PhantomData<fn() -> R>,
}

/// What came of [`Stopper::stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Members of [`Clients`] that were there when the deadline had passed, and were dropped.
    pub aborted: usize,
    /// Whether all handlers had returned by the deadline.
    pub is_empty: bool,
}

/// One connection, for whoever starts tasks: what [`Listener::run_with`] hands over.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long to wait when there are no files left for another connection.
const PAUSE: Duration = Duration::from_millis(100);

impl<R: Listen> Listener<R> {
    /// Listens on TCP at this address: a `SocketAddr`, or a text with a port such as `"[::]:9001"`.
    ///
    /// Cancel safety: dropping the future leaves nothing.
    ///
    /// # Errors
    /// Those of the operating system.
    pub async fn bind(address: impl fmt::Display) -> io::Result<Self> {
        let address = address.to_string();
        Ok(Self::new(R::bind(&address).await?))
    }

    /// Listens on a Unix socket at this path. Its file stays when the listener is gone.
    ///
    /// # Errors
    /// Those of the operating system.
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Ok(Self::new(R::bind_unix(path.as_ref())?))
    }

    /// A listener of the runtime, TCP or Unix, that was bound elsewhere.
    pub fn new(listener: impl Into<R::Socket>) -> Self {
        Self {
            socket: listener.into(),
            acceptor: Acceptor::default(),
            time_limit: Config::default().timeouts.handshake,
            tls: None,
            handshake_limit: 64,
            clients: Clients::default(),
            gate: Arc::default(),
        }
    }

    /// The same with this configuration of its connections and of their opening handshake.
    #[must_use]
    pub fn with_config(self, config: impl Into<Arc<Config>>, settings: ServerSettings) -> Self {
        let config = config.into();
        let time_limit = config.timeouts.handshake;
        Self { time_limit, acceptor: Acceptor::new(config, settings), ..self }
    }

    /// The same inside TLS: with a `rustls::ServerConfig`, by the feature `tls` of the adapter.
    #[must_use]
    pub fn with_tls(self, config: impl Into<R::ServerTls>) -> Self {
        Self { tls: Some(config.into()), ..self }
    }

    /// The same with another limit on handshakes in progress than 64; at least one.
    #[must_use]
    pub fn with_handshake_limit(self, limit: usize) -> Self {
        Self { handshake_limit: limit.max(1), ..self }
    }

    /// Where it listens; `Unsupported` for a Unix socket.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        R::local_addr(&self.socket)
    }

    /// Who is there.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What ends it.
    pub fn stopper(&self) -> Stopper<R> {
        Stopper { clients: self.clients.clone(), gate: self.gate.clone(), runtime: PhantomData }
    }

    /// As `run`, for a runtime that is not known here: `spawn` starts a task.
    ///
    /// Cancel safety: as `run`.
    pub async fn run_with<H, F>(self, spawn: impl Fn(Task) + Send + Sync, handler: H)
    where
        H: Fn(Arrival<R::Stream, R>, Clients) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.serve(Boxed(spawn), handler).await;
    }

    async fn serve<H, F>(self, spawner: impl Spawner, handler: H)
    where
        H: Fn(Arrival<R::Stream, R>, Clients) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { socket, acceptor, time_limit, tls, handshake_limit, clients, gate } = self;
        let door = Arc::new(Door { acceptor, time_limit, tls, clients, handler });
        let listening = gate.listening(socket);
        while gate.admits(handshake_limit).await {
            match gate.unless_stopping(R::accept(&listening.socket)).await {
                None => break,
                Some(Ok(stream)) => spawner.spawn(attend(door.clone(), stream, gate.enter())),
                Some(Err(error))
                    if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                Some(Err(_)) => pause::<R>(&gate).await,
            }
        }
        drop(listening);
        gate.is_empty().await;
    }
}

impl<R: Listen + Spawn> Listener<R> {
    /// Accepts connections until [`Stopper::stop`], and then waits until all handlers have returned. Each connection
    /// has a task in which the handler gets what arrived; only those who [`join`](Clients::join) are told when it
    /// stops.
    ///
    /// Cancel safety: dropping the future ends accepting. The connections that are there go on, and `stop` still ends
    /// them.
    pub async fn run<H, F>(self, handler: H)
    where
        H: Fn(Arrival<R::Stream, R>, Clients) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.serve(Runtimes(PhantomData::<fn() -> R>), handler).await;
    }
}

/// Starts tasks.
trait Spawner {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

struct Boxed<S>(S);

impl<S: Fn(Task)> Spawner for Boxed<S> {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        (self.0)(Box::pin(task));
    }
}

/// By the runtime's own means.
struct Runtimes<R>(PhantomData<fn() -> R>);

impl<R: Spawn> Spawner for Runtimes<R> {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        R::spawn(task);
    }
}

/// What each connection goes through.
struct Door<R: Listen, H> {
    acceptor: Acceptor<R>,
    time_limit: Option<Duration>,
    tls: Option<R::ServerTls>,
    clients: Clients,
    handler: H,
}

/// The task of one connection, which ends when everybody is dropped. It is what each connection costs as long as it
/// lives, so it holds nothing but what the handler does.
fn attend<R, H, F>(
    door: Arc<Door<R, H>>,
    stream: R::Stream,
    (mut place, handshake): (Place, Handshake),
) -> impl Future<Output = ()> + Send
where
    R: Listen,
    H: Fn(Arrival<R::Stream, R>, Clients) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let shaking_hands = Box::pin(shake_hands(door.clone(), stream)); // freed when it is over
    async move {
        let arrival = match (place.unless_lost(shaking_hands).await, handshake.over()) {
            (None | Some(Err(_)), _) => return, // it was answered, if it could be
            (Some(Ok(Arrival::Upgrade(pending))), true) => {
                let answer = Answer::new(503).with_body("the server is stopping\n");
                place.unless_lost(Box::pin(pending.reject(answer))).await;
                return;
            }
            (Some(Ok(arrival)), _) => arrival,
        };
        place.unless_lost(pin!((door.handler)(arrival, door.clients.clone()))).await;
    }
}

async fn shake_hands<R: Listen, H>(
    door: Arc<Door<R, H>>,
    stream: R::Stream,
) -> Result<Arrival<R::Stream, R>, Error> {
    let Some(tls) = &door.tls else { return door.acceptor.read(stream).await };
    let stream = R::accept_tls(stream, tls, door.time_limit).await?;
    door.acceptor.read(stream).await
}

async fn pause<R: Runtime>(gate: &Gate) {
    let mut timer = R::timer(R::now() + PAUSE);
    gate.unless_stopping(poll_fn(|cx| R::poll_timer(&mut timer, cx))).await;
}

impl<R: Runtime> Stopper<R> {
    /// Ends the listener in order: no more connections are accepted, every member of [`Clients`] is told 1001, and
    /// all have so long to leave. Whoever is there after that is dropped. A handler that has not returned two seconds
    /// after its connection was dropped is dropped as well, wherever it waits.
    ///
    /// Cancel safety: dropping the future takes nothing back: nobody is accepted any more, and who was told to go was
    /// told. Nobody is dropped then; another `stop` goes on waiting.
    pub async fn stop(&self, deadline: Duration) -> Stopped {
        self.gate.stop();
        self.clients.go_away();
        let (mut aborted, is_empty) = (0, self.is_empty_within(deadline).await);
        if !is_empty {
            self.clients.for_each(|_, handle| {
                handle.abort();
                aborted += 1;
            });
            if !self.is_empty_within(PATIENCE).await {
                self.gate.drop_all();
            }
        }
        Stopped { aborted, is_empty }
    }

    async fn is_empty_within(&self, limit: Duration) -> bool {
        let mut timer = R::now().checked_add(limit).map(R::timer);
        let mut is_empty = pin!(self.gate.is_empty());
        poll_fn(|cx| match (is_empty.as_mut().poll(cx), &mut timer) {
            (Poll::Ready(()), _) => Poll::Ready(true),
            (Poll::Pending, Some(timer)) => R::poll_timer(timer, cx).map(|()| false),
            (Poll::Pending, None) => Poll::Pending,
        })
        .await
    }
}

impl<R> Clone for Stopper<R> {
    fn clone(&self) -> Self {
        Self { clients: self.clients.clone(), gate: self.gate.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for Stopper<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<R: Listen> fmt::Debug for Listener<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.local_addr().ok())
            .field("acceptor", &self.acceptor)
            .field("encrypted", &self.tls.is_some())
            .field("handshake_limit", &self.handshake_limit)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
