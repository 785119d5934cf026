//! The payloads of a connection as one stream of octets.
//!
//! It is made of the two halves, so reading and writing may be polled by different tasks. The traits of runtimes
//! are implemented here, each behind a feature: an adapter could not, for both the type and the trait are foreign
//! to it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hybi::{CloseCause, CloseInfo, Kind, Payload};

use crate::error::Error;
use crate::runtime::Runtime;
use crate::{Io, Reader, Writer};

/// Octets in, octets out: [`WebSocket::into_byte_stream`](crate::WebSocket::into_byte_stream).
///
/// A write is a message, at most 64 KiB of a binary one; it waits above high water, so memory stays bounded. Reads
/// give the payloads that arrive, one after another, of whatever kind. The end of writing closes the connection with
/// 1000, and a connection that was closed in order reads as an end.
pub struct ByteStream<S, R: Runtime> {
    reader: Reader<S, R>,
    writer: Writer<S, R>,
    kind: Kind,
    /// What was received and not yet read.
    rest: Bytes,
}

/// The longest binary message: whoever copies much should not need much memory.
const LONGEST: usize = 64 * 1024;

impl<S, R: Io<S>> ByteStream<S, R> {
    pub(crate) fn new((reader, writer): (Reader<S, R>, Writer<S, R>), kind: Kind) -> Self {
        Self { reader, writer, kind, rest: Bytes::new() }
    }

    /// Reads to the front of `space`; 0 is the end.
    ///
    /// # Errors
    /// The connection ended without a closing handshake.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        if space.is_empty() {
            return Poll::Ready(Ok(0));
        }
        while self.rest.is_empty() {
            let Some(event) = ready!(self.reader.poll_event(cx)) else { return Poll::Ready(self.end()) };
            let Some(data) = event.into_data() else { continue };
            let n = data.len().min(space.len());
            space[..n].copy_from_slice(&data[..n]);
            if n < data.len() {
                self.rest = data.into_bytes();
                self.rest.advance(n);
            }
            if n > 0 {
                self.reader.release();
                return Poll::Ready(Ok(n));
            }
        }
        let n = self.rest.len().min(space.len());
        self.rest.copy_to_slice(&mut space[..n]);
        Poll::Ready(Ok(n))
    }

    /// Sends a message of the front of `octets`.
    ///
    /// # Errors
    /// The connection is over, or the octets are no text and should be.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if octets.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.writer.poll_turn(cx)).map_err(into_io)?;
        let payload = match self.kind {
            Kind::Binary => Payload::binary(&octets[..octets.len().min(LONGEST)]),
            Kind::Text => {
                Payload::text(octets).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?
            }
        };
        let n = payload.as_bytes().len();
        self.writer.send_now(payload).map_err(into_io)?;
        Poll::Ready(Ok(n))
    }

    /// Ready when the transport has taken what was written.
    ///
    /// # Errors
    /// The transport failed.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.poll_flush(cx).map_err(into_io)
    }

    /// Closes the connection with 1000, behind what was written.
    ///
    /// # Errors
    /// The transport failed.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.begin_close().map_err(into_io)?;
        self.poll_flush(cx)
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.reader.close_info()
    }

    fn end(&self) -> io::Result<usize> {
        match self.reader.close_info() {
            Some(info) if !info.is_clean() => Err(into_io(Error::Ended(info.clone()))),
            _ => Ok(0),
        }
    }
}

/// What a stream of messages says at its end, once.
pub(crate) fn ended(told: &mut bool, info: Option<&CloseInfo>) -> Option<Error> {
    let info = info.filter(|info| !std::mem::replace(told, true) && !info.is_clean())?;
    Some(Error::Ended(info.clone()))
}

fn into_io(error: Error) -> io::Error {
    let kind = match &error {
        Error::Usage(_) => ErrorKind::BrokenPipe,
        Error::Ended(info) => match info.cause() {
            CloseCause::TransportEnded => ErrorKind::UnexpectedEof,
            CloseCause::TimedOut(_) => ErrorKind::TimedOut,
            CloseCause::Failed(_) => ErrorKind::InvalidData,
            _ => ErrorKind::ConnectionAborted,
        },
        _ => ErrorKind::Other,
    };
    match error {
        Error::Io(error) => error,
        error => io::Error::new(kind, error),
    }
}

/// Nothing in it is ever pinned.
impl<S, R: Runtime> Unpin for ByteStream<S, R> {}

impl<S, R: Runtime> fmt::Debug for ByteStream<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("reader", &self.reader)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tokio")]
mod tokio_io {
    use super::{ByteStream, Context, Io, Poll, io, ready};
    use std::pin::Pin;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    impl<S, R: Io<S>> AsyncRead for ByteStream<S, R> {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let n = ready!(Self::poll_read(self.get_mut(), cx, buf.initialize_unfilled()))?;
            buf.advance(n);
            Poll::Ready(Ok(()))
        }
    }

    impl<S, R: Io<S>> AsyncWrite for ByteStream<S, R> {
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
}

#[cfg(feature = "futures-io")]
mod futures_io {
    use super::{ByteStream, Context, Io, Poll, io};
    use ::futures_io::{AsyncRead, AsyncWrite};
    use std::pin::Pin;

    impl<S, R: Io<S>> AsyncRead for ByteStream<S, R> {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            space: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Self::poll_read(self.get_mut(), cx, space)
        }
    }

    impl<S, R: Io<S>> AsyncWrite for ByteStream<S, R> {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
            Self::poll_write(self.get_mut(), cx, octets)
        }
        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Self::poll_flush(self.get_mut(), cx)
        }
        fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Self::poll_close(self.get_mut(), cx)
        }
    }
}
