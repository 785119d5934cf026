//! The client: how tokio dials. `hybi-futures` does the rest.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use hybi::handshake::Place;
use hybi_futures::Dial;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::sleep;

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

/// The next address is tried when the one before has failed, or after this time (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

impl Dial for Tokio {
    type Stream = Stream;
    type Tls = crate::tls::Tls;

    async fn dial(place: Place<'_>) -> io::Result<Stream> {
        match place {
            Place::Tcp(host, port) => {
                let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await?;
                let stream = first_of(interleaved(addresses)).await?;
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
            #[cfg(unix)]
            Place::Unix(path) => Ok(UnixStream::connect(path).await?.into()),
            #[cfg(not(unix))]
            Place::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn default_tls() -> Option<io::Result<crate::tls::Tls>> {
        crate::tls::default_client()
    }

    async fn start_tls(stream: Stream, tls: crate::tls::Tls, server_name: &str) -> io::Result<Stream> {
        crate::tls::start(stream, tls, server_name).await
    }
}

/// The families in turn, beginning with the one that the resolver prefers (RFC 8305 §4).
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let all: Vec<_> = addresses.collect();
    let prefers_v6 = all.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| a.is_ipv6() == prefers_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut out = VecDeque::new();
    while let (Some(address), rest) = (preferred.next().or_else(|| other.next()), &mut other) {
        out.push_back(address);
        out.extend(rest.next());
    }
    out
}

/// Tries one address after the other, without giving up the ones before, and takes the first that answers.
async fn first_of(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts: Vec<Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>> = Vec::new();
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    loop {
        if let Some(address) = addresses.pop_front() {
            attempts.push(Box::pin(TcpStream::connect(address)));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let mut stagger = pin!(sleep(STAGGER));
        let connected = poll_fn(|cx| {
            let mut at = 0;
            while at < attempts.len() {
                match attempts[at].as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Some(Ok(stream))),
                    Poll::Ready(Err(error)) => {
                        drop(attempts.swap_remove(at));
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Pending => at += 1,
                }
            }
            if addresses.is_empty() { Poll::Pending } else { stagger.as_mut().poll(cx).map(|()| None) }
        });
        match connected.await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().expect("an address")).collect()
    }

    #[test]
    fn families_take_turns() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"]);
        let expected = addresses(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(Vec::from(interleaved(resolved.into_iter())), expected);
        let resolved = addresses(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1", "[::2]:1", "[::3]:1"]);
        let expected = addresses(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(Vec::from(interleaved(resolved.into_iter())), expected);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_followed_by_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let there = listener.local_addr().expect("bound");
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let not_there = gone.local_addr().expect("bound");
        drop(gone);
        let stream = first_of([not_there, there].into()).await.expect("one answers");
        assert_eq!(stream.peer_addr().expect("connected"), there);
        assert_eq!(
            first_of([not_there].into()).await.expect_err("nobody").kind(),
            ErrorKind::ConnectionRefused
        );
        assert_eq!(first_of(VecDeque::new()).await.expect_err("nobody").kind(), ErrorKind::NotFound);
    }
}
