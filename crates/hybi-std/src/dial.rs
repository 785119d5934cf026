//! From a place to a connected stream: TCP, Unix, TLS over either, and the one type that all of them are.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use hybi::handshake::Place;

#[cfg(feature = "tls")]
use crate::tls::TlsStream;
use crate::transport::Transport;
use crate::turns::{ConnectGate, Held};

/// What [`connect`](crate::connect) connects over: TCP or a Unix socket, and TLS over it if the address asks for
/// that.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS inside TLS is what an encrypted proxy on the way to an encrypted server makes.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// Dials, trying each address of a host; all of them together have this time. With a gate, each waits for its
    /// turn, which belongs to the stream until the handshake is over.
    pub(crate) fn dial(
        place: Place<'_>,
        limit: Option<Duration>,
        gate: Option<&ConnectGate>,
    ) -> io::Result<(Self, Option<Held>)> {
        match place {
            Place::Tcp(host, port) => {
                let (stream, held) = dial_tcp((host, port), limit, gate)?;
                stream.set_nodelay(true)?;
                Ok((Self(Kind::Tcp(stream)), held))
            }
            #[cfg(unix)]
            Place::Unix(path) => Ok((Self(Kind::Unix(UnixStream::connect(path)?)), None)),
            #[cfg(not(unix))]
            Place::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

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
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().map_or_else(|| Err(ErrorKind::Unsupported.into()), TcpStream::peer_addr)
    }

    /// The TCP socket at the bottom, if it is one: for its options. Octets that are read from it or written to it
    /// are missing elsewhere.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Kind::Tcp(stream) => Some(stream),
            #[cfg(unix)]
            Kind::Unix(_) => None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.get_ref().tcp(),
        }
    }

    /// The TLS on top, if there is: for the certificates of the server.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&TlsStream<Self>> {
        match &self.0 {
            Kind::Tls(stream) => Some(stream),
            _ => None,
        }
    }
}

/// An encrypted stream.
#[cfg(feature = "tls")]
impl From<TlsStream<Self>> for Stream {
    fn from(stream: TlsStream<Self>) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self(Kind::Tcp(stream))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self(Kind::Unix(stream))
    }
}

impl Stream {
    /// Whatever it is.
    fn inner(&self) -> &dyn Transport {
        match &self.0 {
            Kind::Tcp(stream) => stream,
            #[cfg(unix)]
            Kind::Unix(stream) => stream,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => &**stream,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Transport {
        match &mut self.0 {
            Kind::Tcp(stream) => stream,
            #[cfg(unix)]
            Kind::Unix(stream) => stream,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => &mut **stream,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner_mut().read(buf)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner_mut().write(buf)
    }
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner_mut().write_vectored(bufs)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner_mut().flush()
    }
}

impl Transport for Stream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner().set_read_timeout(timeout)
    }
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.inner().set_write_timeout(timeout)
    }
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.inner().set_nonblocking(nonblocking)
    }
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.inner_mut().shutdown_write()
    }
    fn shutdown(&mut self) -> io::Result<()> {
        self.inner_mut().shutdown()
    }
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(match &self.0 {
            Kind::Tcp(stream) => Kind::Tcp(stream.try_clone()?),
            #[cfg(unix)]
            Kind::Unix(stream) => Kind::Unix(stream.try_clone()?),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => Kind::Tls(Box::new(stream.try_clone()?)),
        }))
    }
}

fn dial_tcp(
    address: (&str, u16),
    limit: Option<Duration>,
    gate: Option<&ConnectGate>,
) -> io::Result<(TcpStream, Option<Held>)> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        let held = gate.map(|gate| gate.enter(address, deadline)).transpose()?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let connected = match left {
            None => TcpStream::connect(address),
            Some(left) if left.is_zero() => return Err(ErrorKind::TimedOut.into()),
            Some(left) => TcpStream::connect_timeout(&address, left),
        };
        match connected {
            Ok(stream) => return Ok((stream, held)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
