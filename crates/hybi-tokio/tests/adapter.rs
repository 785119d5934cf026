//! The tests of all adapters (`hybi-futures/tests/suite`) over tokio: in memory with a clock that jumps, and over Unix
//! sockets with a real one.
#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

#[macro_use]
#[path = "../../hybi-futures/tests/suite/mod.rs"]
mod suite;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hybi_tokio::Tokio;
use suite::Adapter;
use suite::torn::Torn;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Streams in memory; the clock jumps when nobody can go on.
pub(crate) enum Paused {}

impl Adapter for Paused {
    type R = Tokio;
    type S = DuplexStream;

    fn run(test: impl Future<Output = ()> + 'static) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            tokio::time::timeout(Duration::from_secs(3600), test).await.expect("it comes to an end");
        });
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> impl Future<Output = T> {
        let task = tokio::task::spawn_local(task);
        async { task.await.expect("it is well") }
    }

    fn pair() -> (DuplexStream, DuplexStream) {
        tokio::io::duplex(64 * 1024)
    }

    fn short() -> Duration {
        Duration::from_secs(5)
    }
}

/// Sockets.
#[cfg(unix)]
pub(crate) enum Unix {}

#[cfg(unix)]
impl Adapter for Unix {
    type R = Tokio;
    type S = tokio::net::UnixStream;

    fn run(test: impl Future<Output = ()> + 'static) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            tokio::time::timeout(Duration::from_secs(120), test).await.expect("it comes to an end");
        });
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> impl Future<Output = T> {
        Paused::spawn(task)
    }

    fn pair() -> (Self::S, Self::S) {
        Self::S::pair().expect("two sockets")
    }

    fn short() -> Duration {
        Duration::from_millis(50)
    }
}

mod paused {
    use super::*;
    suite!(Paused);
}

#[cfg(unix)]
mod unix {
    use super::*;
    suite!(Unix);
}

impl AsyncRead for Torn {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = std::task::ready!(Self::poll_read(self.get_mut(), cx, buf.initialize_unfilled()))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Torn {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(self.get_mut(), cx, octets)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(self.get_mut(), cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_close(self.get_mut(), cx)
    }
}
