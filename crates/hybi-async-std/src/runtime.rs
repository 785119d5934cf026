//! The traits of futures-io as `hybi-futures` wants a runtime, and a timer that needs no runtime.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_io::{AsyncRead, AsyncWrite};
use futures_timer::Delay;
use hybi_futures::{Io, Runtime};

/// The runtime, which may be any: streams bring their own, and the timer is of none. It has no values.
#[derive(Clone, Copy, Debug)]
pub enum AsyncStd {}

impl Runtime for AsyncStd {
    type Timer = Delay;

    fn now() -> Instant {
        Instant::now()
    }

    fn timer(at: Instant) -> Self::Timer {
        Delay::new(at.saturating_duration_since(Instant::now()))
    }

    fn reset(timer: &mut Self::Timer, at: Instant) {
        timer.reset(at.saturating_duration_since(Instant::now()));
    }

    fn poll_timer(timer: &mut Self::Timer, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(timer).poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Io<S> for AsyncStd {
    fn poll_read(stream: &mut S, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_read(cx, space)
    }

    fn poll_write(stream: &mut S, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match slices {
            [octets] => Pin::new(stream).poll_write(cx, octets),
            slices => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    /// The traits do not say. Streams that write one slice at a time are common, so small ones are put together;
    /// what is large goes out by vectored writes all the same.
    fn is_write_vectored(_: &S) -> bool {
        false
    }

    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_close(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_close(cx)
    }
}
