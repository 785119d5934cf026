//! For streams whose `poll_close` does not end the writing direction: those of async-std only flush. Then a peer that
//! was failed would wait for an end that does not come before the deadline.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

/// A stream together with what ends its writing direction.
///
/// ```
/// use std::net::Shutdown;
/// use hybi_async_std::WithShutdown;
///
/// # fn wrap(stream: async_std::net::TcpStream) -> impl futures_io::AsyncWrite {
/// let stream = WithShutdown::new(stream, |stream| stream.shutdown(Shutdown::Write));
/// # stream
/// # }
/// ```
#[derive(Debug)]
pub struct WithShutdown<S> {
    stream: S,
    shutdown: fn(&S) -> io::Result<()>,
}

impl<S> WithShutdown<S> {
    /// This stream, ended like that.
    pub fn new(stream: S, shutdown: fn(&S) -> io::Result<()>) -> Self {
        Self { stream, shutdown }
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream alone.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WithShutdown<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, space)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WithShutdown<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready((self.shutdown)(&self.stream))
    }
}
