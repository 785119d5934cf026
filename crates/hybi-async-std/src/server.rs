//! The server: how sockets of async-net listen. `hybi-futures` does the rest; tasks are started by whoever runs it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_net::TcpListener;
#[cfg(unix)]
use async_net::unix::UnixListener;
use hybi_futures::Listen;

use crate::runtime::AsyncStd;
use crate::stream::Stream;

/// What is listened on.
#[derive(Debug)]
pub struct Socket(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }
}

#[cfg(unix)]
impl From<UnixListener> for Socket {
    fn from(listener: UnixListener) -> Self {
        Self(Kind::Unix(listener))
    }
}

impl Listen for AsyncStd {
    type Socket = Socket;
    type ServerTls = crate::tls::ServerTls;

    async fn bind(address: &str) -> io::Result<Socket> {
        Ok(TcpListener::bind(address).await?.into())
    }

    #[cfg(unix)]
    fn bind_unix(path: &std::path::Path) -> io::Result<Socket> {
        Ok(UnixListener::bind(path)?.into())
    }

    fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
        match &socket.0 {
            Kind::Tcp(listener) => listener.local_addr(),
            #[cfg(unix)]
            Kind::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    async fn accept(socket: &Socket) -> io::Result<Stream> {
        match &socket.0 {
            Kind::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let _ = stream.set_nodelay(true); // one that is gone already says so when it is read
                Ok(stream.into())
            }
            #[cfg(unix)]
            Kind::Unix(listener) => Ok(listener.accept().await?.0.into()),
        }
    }

    async fn accept_tls(
        stream: Stream,
        tls: &crate::tls::ServerTls,
        limit: Option<Duration>,
    ) -> io::Result<Stream> {
        crate::tls::accept(stream, tls, limit).await
    }
}
