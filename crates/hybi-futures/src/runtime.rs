//! What a runtime is bound by: how to move octets, and how to wait for a moment.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hybi::handshake::Place;

use crate::turns::Admission;

/// A runtime: its clock, and one kind of timer. Implemented by a type without values, `hybi_tokio::Tokio` for
/// one.
pub trait Runtime: Sized + 'static {
    /// A registration with the clock. A connection has at most one, and none before it has a deadline.
    type Timer: Unpin + fmt::Debug;

    /// What time it is.
    fn now() -> Instant;

    /// A timer that fires at a moment.
    fn timer(at: Instant) -> Self::Timer;

    /// Sets it to another moment, whether it has fired or not.
    fn reset(timer: &mut Self::Timer, at: Instant);

    /// Ready when it has fired.
    fn poll_timer(timer: &mut Self::Timer, cx: &mut Context<'_>) -> Poll<()>;
}

/// A runtime that can move octets over a stream `S`.
///
/// Each method that is pending has registered the waker for its own direction: [`poll_read`](Self::poll_read) for
/// reading, the others for writing. The two directions may be polled with different wakers.
pub trait Io<S>: Runtime {
    /// Reads to `space`, which is not empty; 0 is the end.
    ///
    /// # Errors
    /// Those of the stream.
    fn poll_read(stream: &mut S, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from the slices, of which there is at least one, and the first is not empty.
    ///
    /// # Errors
    /// Those of the stream.
    fn poll_write(stream: &mut S, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Whether a write takes more than the first slice.
    fn is_write_vectored(stream: &S) -> bool;

    /// Hands on what the stream itself holds back.
    ///
    /// # Errors
    /// Those of the stream.
    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the writing direction, in order.
    ///
    /// # Errors
    /// Those of the stream.
    fn poll_close(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A runtime that can make connections.
pub trait Dial: Runtime {
    /// Whatever was dialed, encrypted or not.
    type Stream: Send;

    /// Whom to trust, and all else that TLS wants to know.
    type Tls: Clone + fmt::Debug + Send + Sync;

    /// Connects to a place, trying each of its addresses, for which the admission is asked
    /// ([`Admission::connect`]). It is dropped when its time is over.
    fn dial(place: Place<'_>, admission: &Admission)
    -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// What is trusted where nobody has said; `None`: nobody.
    fn default_tls() -> Option<io::Result<Self::Tls>>;

    /// Encrypts a stream, whose other end has to prove that it is `server_name`.
    fn start_tls(
        stream: Self::Stream,
        tls: Self::Tls,
        server_name: &str,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A runtime that can listen.
pub trait Listen: Dial + Runtime<Timer: Send> + Io<<Self as Dial>::Stream> {
    /// What is listened on, TCP or Unix.
    type Socket: Send + Sync;

    /// The certificate of a server, and all else that TLS wants to know.
    type ServerTls: Send + Sync;

    /// Listens on TCP at an address with a port.
    fn bind(address: &str) -> impl Future<Output = io::Result<Self::Socket>> + Send;

    /// Listens on a Unix socket.
    ///
    /// # Errors
    /// Those of the operating system.
    #[cfg(unix)]
    fn bind_unix(path: &std::path::Path) -> io::Result<Self::Socket>;

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the operating system; `Unsupported` for a Unix socket.
    fn local_addr(socket: &Self::Socket) -> io::Result<SocketAddr>;

    /// The next connection, which holds nothing back (`TCP_NODELAY`). Dropping the future loses none.
    fn accept(socket: &Self::Socket) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Encrypts a stream, as the server, within a time.
    fn accept_tls(
        stream: Self::Stream,
        tls: &Self::ServerTls,
        limit: Option<Duration>,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A runtime that can start tasks from anywhere inside it.
pub trait Spawn: Runtime {
    /// Starts a task, which nobody waits for.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}
