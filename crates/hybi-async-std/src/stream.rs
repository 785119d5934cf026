//! What `connect` connects over, and a `Listener` accepts: one type for TCP, Unix sockets, and TLS over either. Without
//! the feature `net` nobody dials, and there is no value of it.

use std::fmt;
use std::io::{self, IoSlice};
#[cfg(feature = "net")]
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(feature = "net")]
use async_net::TcpStream;
#[cfg(all(unix, feature = "net"))]
use async_net::unix::UnixStream;
use futures_io::{AsyncRead, AsyncWrite};

#[cfg(not(feature = "net"))]
use crate::no_net::TcpStream;

/// What `connect` connects over, and a `Listener` accepts: TCP or a Unix socket, and TLS over it if the address or
/// the listener asks for that.
pub struct Stream(Kind);

enum Kind {
    Tcp(TcpStream),
    #[cfg(all(unix, feature = "net"))]
    Unix(UnixStream),
    /// TLS inside TLS is what an encrypted proxy on the way to an encrypted server makes.
    #[cfg(feature = "tls")]
    Tls(Box<futures_rustls::TlsStream<Stream>>),
}

impl Stream {
    /// Whether there is TLS.
    pub fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls().is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// The address of whoever the socket is connected to, which may be a proxy; `Unsupported` for a Unix socket.
    ///
    /// # Errors
    /// Those of the operating system.
    #[cfg(feature = "net")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().map_or_else(|| Err(io::ErrorKind::Unsupported.into()), TcpStream::peer_addr)
    }

    /// The TCP socket at the bottom, if it is one: for its options.
    #[cfg(feature = "net")]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Kind::Tcp(stream) => Some(stream),
            #[cfg(all(unix, feature = "net"))]
            Kind::Unix(_) => None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.get_ref().0.tcp(),
        }
    }

    /// The TLS on top, if there is: for the certificates of the peer.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&futures_rustls::TlsStream<Self>> {
        match &self.0 {
            Kind::Tls(stream) => Some(stream),
            _ => None,
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self(Kind::Tcp(stream))
    }
}

#[cfg(all(unix, feature = "net"))]
impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self(Kind::Unix(stream))
    }
}

#[cfg(feature = "tls")]
impl From<futures_rustls::TlsStream<Self>> for Stream {
    fn from(stream: futures_rustls::TlsStream<Self>) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }
}

/// The same call on whichever it is.
macro_rules! each {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Kind::Tcp($inner) => $call,
            #[cfg(all(unix, feature = "net"))]
            Kind::Unix($inner) => $call,
            #[cfg(feature = "tls")]
            Kind::Tls($inner) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(&mut self.get_mut().0, stream => Pin::new(stream).poll_read(cx, space))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        each!(&mut self.get_mut().0, stream => Pin::new(stream).poll_write(cx, octets))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(&mut self.get_mut().0, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.get_mut().0, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.get_mut().0, stream => Pin::new(stream).poll_close(cx))
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("encrypted", &self.is_encrypted()).finish_non_exhaustive()
    }
}
