//! A network in memory, on tokio's timers: so a listener can be tested with a clock that jumps.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hybi::handshake::Place;
use hybi_futures::{Admission, Dial, Io, Listen, Runtime, Spawn};
use hybi_tokio::Tokio;
use tokio::io::DuplexStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// tokio, but for its sockets.
#[derive(Debug)]
pub(crate) enum Net {}

/// Who connects.
pub(crate) struct Caller(UnboundedSender<io::Result<DuplexStream>>);

/// What listens.
pub(crate) struct Socket(Mutex<UnboundedReceiver<io::Result<DuplexStream>>>);

pub(crate) fn listen() -> (Caller, Socket) {
    let (caller, socket) = unbounded_channel();
    (Caller(caller), Socket(Mutex::new(socket)))
}

impl Caller {
    /// Connects, by a stream that holds so much in each direction.
    pub(crate) fn call(&self, holds: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(holds);
        self.0.send(Ok(theirs)).expect("it listens");
        ours
    }

    /// The next accept fails.
    pub(crate) fn fail(&self, error: io::Error) {
        self.0.send(Err(error)).expect("it listens");
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn is_closed(&self) {
        self.0.closed().await;
    }
}

impl Runtime for Net {
    type Timer = <Tokio as Runtime>::Timer;

    fn now() -> Instant {
        Tokio::now()
    }
    fn timer(at: Instant) -> Self::Timer {
        Tokio::timer(at)
    }
    fn reset(timer: &mut Self::Timer, at: Instant) {
        Tokio::reset(timer, at);
    }
    fn poll_timer(timer: &mut Self::Timer, cx: &mut Context<'_>) -> Poll<()> {
        Tokio::poll_timer(timer, cx)
    }
}

impl Io<DuplexStream> for Net {
    fn poll_read(s: &mut DuplexStream, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Tokio::poll_read(s, cx, space)
    }
    fn poll_write(
        s: &mut DuplexStream,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Tokio::poll_write(s, cx, slices)
    }
    fn is_write_vectored(s: &DuplexStream) -> bool {
        Tokio::is_write_vectored(s)
    }
    fn poll_flush(s: &mut DuplexStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Tokio::poll_flush(s, cx)
    }
    fn poll_close(s: &mut DuplexStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Tokio::poll_close(s, cx)
    }
}

impl Dial for Net {
    type Stream = DuplexStream;
    type Tls = std::convert::Infallible;

    async fn dial(_: Place<'_>, _: &Admission) -> io::Result<DuplexStream> {
        Err(ErrorKind::Unsupported.into())
    }
    fn default_tls() -> Option<io::Result<Self::Tls>> {
        None
    }
    async fn start_tls(_: DuplexStream, tls: Self::Tls, _: &str) -> io::Result<DuplexStream> {
        match tls {}
    }
}

impl Listen for Net {
    type Socket = Socket;
    type ServerTls = std::convert::Infallible;

    async fn bind(_: &str) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }
    #[cfg(unix)]
    fn bind_unix(_: &std::path::Path) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }
    fn local_addr(_: &Socket) -> io::Result<SocketAddr> {
        Err(ErrorKind::Unsupported.into())
    }
    async fn accept(socket: &Socket) -> io::Result<DuplexStream> {
        match socket.0.lock().await.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }
    async fn accept_tls(
        _: DuplexStream,
        tls: &Self::ServerTls,
        _: Option<Duration>,
    ) -> io::Result<DuplexStream> {
        match *tls {}
    }
}

impl Spawn for Net {
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        Tokio::spawn(task);
    }
}
