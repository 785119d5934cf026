//! The client: how tokio dials. `hybi-futures` does the rest.

use std::io;
use std::net::SocketAddr;

use hybi::handshake::Place;
use hybi_futures::adapter::first_of;
use hybi_futures::{Admission, Dial};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::runtime::Tokio;
use crate::stream::Stream;
use crate::{ClientRequest, ConnectError, Connector, Response, WebSocket};

/// Connects to a `ws://`, `wss://` or `ws+unix:` address, and returns the open WebSocket with the server's answer.
///
/// Cancel safety: dropping the future ends the attempt, and nothing of it is left.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(url: &str) -> Result<(WebSocket<Stream>, Response), ConnectError> {
    Connector::default().connect(ClientRequest::new(url)?).await
}

impl Dial for Tokio {
    type Stream = Stream;
    type Tls = crate::tls::Tls;

    async fn dial(place: Place<'_>, admission: &Admission) -> io::Result<Stream> {
        match place {
            Place::Tcp(host, port) => {
                let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await?;
                let connect = |address: SocketAddr| admission.connect(address, TcpStream::connect(address));
                let stream = first_of::<Self, _, _>(addresses, connect).await?;
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
            #[cfg(unix)]
            Place::Unix(path) => Ok(UnixStream::connect(path).await?.into()),
            #[cfg(not(unix))]
            Place::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn default_tls() -> Option<io::Result<crate::tls::Tls>> {
        crate::tls::default_client()
    }

    async fn start_tls(stream: Stream, tls: crate::tls::Tls, server_name: &str) -> io::Result<Stream> {
        crate::tls::start(stream, tls, server_name).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn an_address_that_refuses_is_followed_by_the_next() {
        let dial =
            |addresses: Vec<SocketAddr>| first_of::<Tokio, _, _>(addresses, TcpStream::connect::<SocketAddr>);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let there = listener.local_addr().expect("bound");
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let not_there = gone.local_addr().expect("bound");
        drop(gone);
        let stream = dial(vec![not_there, there]).await.expect("one answers");
        assert_eq!(stream.peer_addr().expect("connected"), there);
        let refused = dial(vec![not_there]).await.expect_err("nobody");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(dial(vec![]).await.expect_err("nobody").kind(), ErrorKind::NotFound);
    }
}
