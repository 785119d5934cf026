//! A whole server: connections that are admitted and opening handshakes that are bounded, in; a thread with an
//! arrival for each, and the set of those who are there, out.
//!
//! It decides who may come in and when everybody goes. What is said on a connection it does not know.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hybi::handshake::{Answer, ServerSettings};
use hybi::{Config, Prepared, UsageError};

use crate::accept::{Acceptor, Arrival};
use crate::dial::Stream;
use crate::error::Error;
use crate::split::Handle;

/// Listens on TCP or a Unix socket, and gives each connection that asks for something a thread.
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_std::{Accept, Arrival, Event, Listener, Prepared, Slow};
///
/// let listener = Listener::bind("127.0.0.1:9001")?;
/// let stopper = listener.stopper(); // for whoever decides that it is over
/// listener.run(|arrival, clients| {
///     let Arrival::Upgrade(pending) = arrival else { return };
///     let Ok(socket) = pending.accept(Accept::new()) else { return };
///     let Ok((mut reader, writer)) = socket.into_split() else { return };
///     let me = clients.join(writer.handle());
///     while let Some(event) = reader.recv() {
///         if let Event::Text(text) = event {
///             clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Disconnect);
///         }
///     }
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// - So many opening handshakes (and TLS handshakes) are in progress at once as
///   [`with_handshake_limit`](Self::with_handshake_limit) says; more wait in the queue of the operating system. Each
///   has the time of [`Timeouts::handshake`](hybi::Timeouts). One that fails ends its own connection alone.
/// - An accept that fails does not end it; when files run out it waits a moment and tries again.
/// - A panic of a handler ends its own connection, whose [`Membership`] leaves.
/// - [`Stopper::stop`] ends it in order.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    acceptor: Acceptor,
    #[cfg(feature = "tls")]
    time_limit: Option<Duration>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ServerConfig>>,
    handshake_limit: usize,
    clients: Clients,
    gate: Arc<Gate>,
}

/// What is listened on.
#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// How to reach a listener.
#[derive(Clone, Debug)]
enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(std::os::unix::net::SocketAddr),
}

/// Ends a [`Listener`]; can be cloned, for any thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    address: Address,
    clients: Clients,
    gate: Arc<Gate>,
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

/// Who comes in, and whether anybody still may.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    listening: bool,
    stopping: bool,
    handshakes: usize,
    connections: usize,
}

/// How long to wait when there are no files left for another connection, and between two attempts to wake the
/// thread that accepts.
const PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Listens at this address.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::new(TcpListener::bind(address)?))
    }

    /// Listens on a Unix socket at this path. Its file stays when the listener is gone; until then it has to stay where
    /// it is, for [`Stopper::stop`] connects to it.
    ///
    /// # Errors
    /// Those of the operating system.
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Ok(Self::with_socket(Socket::Unix(UnixListener::bind(path)?)))
    }

    /// A listener that was bound elsewhere.
    pub fn new(listener: TcpListener) -> Self {
        Self::with_socket(Socket::Tcp(listener))
    }

    fn with_socket(socket: Socket) -> Self {
        Self {
            socket,
            acceptor: Acceptor::default(),
            #[cfg(feature = "tls")]
            time_limit: Config::default().timeouts.handshake,
            #[cfg(feature = "tls")]
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
        Self {
            #[cfg(feature = "tls")]
            time_limit: config.timeouts.handshake,
            acceptor: Acceptor::new(config, settings),
            ..self
        }
    }

    /// The same inside TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(self, config: impl Into<Arc<rustls::ServerConfig>>) -> Self {
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
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr(),
            #[cfg(unix)]
            Socket::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Who is there.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What ends it.
    ///
    /// # Panics
    /// If the operating system has forgotten where the listener is bound.
    pub fn stopper(&self) -> Stopper {
        let address = self.socket.address().expect("it is bound");
        Stopper { address, clients: self.clients.clone(), gate: self.gate.clone() }
    }

    /// Accepts connections until [`Stopper::stop`], and then waits until all handlers have returned. Each
    /// connection has a thread on which the handler gets what arrived; only those who [`join`](Clients::join) are
    /// told when it stops.
    ///
    /// # Errors
    /// That of starting a thread.
    pub fn run(self, handler: impl Fn(Arrival<Stream>, &Clients) + Send + Sync + 'static) -> io::Result<()> {
        let door = Arc::new(Door {
            acceptor: self.acceptor,
            #[cfg(feature = "tls")]
            tls: self.tls.map(|config| crate::TlsAcceptor::new(config).with_time_limit(self.time_limit)),
            clients: self.clients,
        });
        let handler = Arc::new(handler);
        self.gate.lock().listening = true;
        let result = loop {
            let Some(place) = self.gate.admit(self.handshake_limit) else { break Ok(()) };
            match self.socket.accept() {
                Ok(_) if self.gate.lock().stopping => break Ok(()),
                Ok(stream) => {
                    let (door, handler) = (door.clone(), handler.clone());
                    let thread = thread::Builder::new().name("hybi-connection".to_owned());
                    if let Err(error) = thread.spawn(move || door.open(stream, place, &*handler)) {
                        break Err(error);
                    }
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                Err(_) => self.gate.pause(),
            }
        };
        drop(self.socket);
        self.gate.change(|state| (state.listening, state.stopping) = (false, true));
        self.gate.wait_until(None, |state| state.connections == 0);
        result
    }
}

impl Socket {
    /// The next connection, which holds nothing back.
    fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                let _ = stream.set_nodelay(true); // a connection that is gone has no options
                Ok(stream.into())
            }
            #[cfg(unix)]
            Self::Unix(listener) => Ok(listener.accept()?.0.into()),
        }
    }

    fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(listener) => listener.local_addr().map(Address::Unix),
        }
    }
}

/// What each connection goes through.
struct Door {
    acceptor: Acceptor,
    #[cfg(feature = "tls")]
    tls: Option<crate::TlsAcceptor>,
    clients: Clients,
}

impl Door {
    fn open(&self, stream: Stream, mut place: Place, handler: &dyn Fn(Arrival<Stream>, &Clients)) {
        let Ok(arrival) = self.shake_hands(stream) else { return }; // it was answered, if it could be
        place.handshake_is_over();
        match arrival {
            Arrival::Upgrade(pending) if place.gate.lock().stopping => {
                drop(pending.reject(Answer::new(503).with_body("the server is stopping\n")));
            }
            arrival => handler(arrival, &self.clients),
        }
    }

    fn shake_hands(&self, stream: Stream) -> Result<Arrival<Stream>, Error> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return self.acceptor.read(tls.accept(stream)?.into());
        }
        self.acceptor.read(stream)
    }
}

/// The place of one connection. It is free again when this is dropped, by a panic too.
struct Place {
    gate: Arc<Gate>,
    in_handshake: bool,
}

impl Place {
    fn handshake_is_over(&mut self) {
        self.in_handshake = false;
        self.gate.change(|state| state.handshakes -= 1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.change(|state| {
            state.handshakes -= usize::from(self.in_handshake);
            state.connections -= 1;
        });
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, GateState> {
        lock(&self.state)
    }

    fn change(&self, change: impl FnOnce(&mut GateState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until one more handshake may begin; `None` if none may any more.
    fn admit(self: &Arc<Self>, limit: usize) -> Option<Place> {
        self.wait_until(None, |state| state.stopping || state.handshakes < limit);
        let mut state = self.lock();
        if state.stopping {
            return None;
        }
        state.handshakes += 1; // nobody else adds any
        state.connections += 1;
        Some(Place { gate: self.clone(), in_handshake: true })
    }

    fn pause(&self) {
        self.wait_until(Some(PAUSE), |state| state.stopping);
    }

    /// Waits for it, at most so long; whether it came.
    fn wait_until(&self, timeout: Option<Duration>, is: impl Fn(&GateState) -> bool) -> bool {
        let until = timeout.map(|timeout| Instant::now() + timeout);
        let mut state = self.lock();
        while !is(&state) {
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }
}

impl Stopper {
    /// Ends the listener in order: no more connections are accepted, every member of [`Clients`] is told 1001, and
    /// all have so long to leave. Whoever is there after that is dropped.
    pub fn stop(&self, deadline: Duration) -> Stopped {
        let until = Instant::now() + deadline;
        self.gate.change(|state| state.stopping = true);
        self.wake();
        self.clients.go_away();
        let left = until.saturating_duration_since(Instant::now());
        let is_empty = self.gate.wait_until(Some(left), |state| state.connections == 0);
        let rest = if is_empty { Vec::new() } else { self.clients.handles(None) };
        for (_, handle) in &rest {
            handle.abort();
        }
        Stopped { aborted: rest.len(), is_empty }
    }

    /// The thread that accepts waits for a connection: it gets one. A listener on all addresses is reached at the
    /// one that is always there.
    fn wake(&self) {
        while self.gate.lock().listening {
            self.address.knock();
            self.gate.wait_until(Some(PAUSE), |state| !state.listening);
        }
    }
}

impl Address {
    /// Connects, and goes.
    fn knock(&self) {
        match self {
            Self::Tcp(address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                    ip => ip,
                };
                drop(TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), PAUSE));
            }
            #[cfg(unix)]
            Self::Unix(address) => drop(UnixStream::connect_addr(address)),
        }
    }
}

/// The set of those who are there: can be cloned, for any thread.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    members: Arc<Mutex<Members>>,
}

#[derive(Debug, Default)]
struct Members {
    handles: BTreeMap<ClientId, Handle>,
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
/// case does more wait for one than twice that and two messages.
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
        if members.going_away {
            handle.go_away();
        }
        members.handles.insert(id, handle);
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
        for (id, handle) in self.handles(None) {
            each(id, &handle);
        }
    }

    /// Sends a message that was framed once to all.
    pub fn broadcast(&self, message: &Prepared, slow: Slow) -> Broadcast {
        send_to(self.handles(None), message, slow)
    }

    /// Sends a message that was framed once to all but one: who said it, as a rule.
    pub fn broadcast_except(&self, except: ClientId, message: &Prepared, slow: Slow) -> Broadcast {
        send_to(self.handles(Some(except)), message, slow)
    }

    fn go_away(&self) {
        self.lock().going_away = true;
        for (_, handle) in self.handles(None) {
            handle.go_away();
        }
    }

    /// Who is there now: nothing is sent while the set is locked.
    fn handles(&self, except: Option<ClientId>) -> Vec<(ClientId, Handle)> {
        let members = self.lock();
        let wanted = members.handles.iter().filter(|(id, _)| Some(**id) != except);
        wanted.map(|(id, handle)| (*id, handle.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        lock(&self.members)
    }
}

fn send_to(handles: Vec<(ClientId, Handle)>, message: &Prepared, slow: Slow) -> Broadcast {
    let mut told = Broadcast::default();
    for (_, handle) in handles {
        let mut sent = handle.try_send_prepared(message);
        if matches!(sent, Err(Error::Usage(UsageError::QueueFull))) {
            match slow {
                Slow::Wait => sent = handle.send_prepared(message),
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

impl Membership {
    /// Who this is.
    pub fn id(&self) -> ClientId {
        self.id
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let left = self.clients.lock().handles.remove(&self.id);
        drop(left); // outside of the lock
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
