//! The client: how async-net dials, which runs on any runtime. `hybi-futures` does the rest.

use std::io;

use hybi::handshake::Place;
use hybi_futures::{Admission, Dial};

use crate::runtime::AsyncStd;
use crate::stream::Stream;
#[cfg(feature = "net")]
use crate::{ClientRequest, ConnectError, Connector, Response, WebSocket};

/// Connects to a `ws://`, `wss://` or `ws+unix:` address, and returns the open WebSocket with the server's answer.
///
/// Cancel safety: dropping the future ends the attempt, and nothing of it is left.
///
/// # Errors
/// [`ConnectError`].
#[cfg(feature = "net")]
pub async fn connect(url: &str) -> Result<(WebSocket<Stream>, Response), ConnectError> {
    Connector::default().connect(ClientRequest::new(url)?).await
}

impl Dial for AsyncStd {
    type Stream = Stream;
    type Tls = crate::tls::Tls;

    async fn dial(place: Place<'_>, admission: &Admission) -> io::Result<Stream> {
        dial(place, admission).await
    }

    fn default_tls() -> Option<io::Result<crate::tls::Tls>> {
        crate::tls::default_client()
    }

    async fn start_tls(stream: Stream, tls: crate::tls::Tls, server_name: &str) -> io::Result<Stream> {
        crate::tls::start(stream, tls, server_name).await
    }
}

#[cfg(feature = "net")]
async fn dial(place: Place<'_>, admission: &Admission) -> io::Result<Stream> {
    match place {
        Place::Tcp(host, port) => {
            let addresses = async_net::resolve((host.trim_matches(['[', ']']), port)).await?;
            let connect = |address: std::net::SocketAddr| {
                admission.connect(address, async_net::TcpStream::connect(address))
            };
            let stream = hybi_futures::adapter::first_of::<AsyncStd, _, _>(addresses, connect).await?;
            stream.set_nodelay(true)?;
            Ok(stream.into())
        }
        #[cfg(unix)]
        Place::Unix(path) => Ok(async_net::unix::UnixStream::connect(path).await?.into()),
        #[cfg(not(unix))]
        Place::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(not(feature = "net"))]
#[allow(clippy::unused_async, reason = "the same as with sockets")]
async fn dial(_: Place<'_>, _: &Admission) -> io::Result<Stream> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "without the feature `net` nobody dials: connect, then `handshake`",
    ))
}
