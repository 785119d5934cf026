//! What adapters have in common besides the two traits: which address to dial first, how long to wait, whom TLS
//! trusts. Applications have no use for it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::runtime::Runtime;

/// The next address is tried when the one before has failed, or after this time (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address that answers: the families in turn, one after the other, without giving up the
/// ones before (RFC 8305).
///
/// # Errors
/// The error of the address that failed last, or `NotFound` where there is no address.
pub async fn first_of<R, S, F>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<S>
where
    R: Runtime,
    F: Future<Output = io::Result<S>>,
{
    let mut addresses = interleaved(addresses);
    let mut attempts: Vec<Pin<Box<F>>> = Vec::new();
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    loop {
        if let Some(address) = addresses.pop_front() {
            attempts.push(Box::pin(connect(address)));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let mut stagger = (!addresses.is_empty()).then(|| R::timer(R::now() + STAGGER));
        let connected = poll_fn(|cx| {
            for at in 0..attempts.len() {
                match attempts[at].as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Some(Ok(stream))),
                    Poll::Ready(Err(error)) => {
                        drop(attempts.swap_remove(at));
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Pending => {}
                }
            }
            let Some(stagger) = &mut stagger else { return Poll::Pending };
            R::poll_timer(stagger, cx).map(|()| None)
        });
        match connected.await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None => {}
        }
    }
}

/// The families in turn, beginning with the one that the resolver prefers (RFC 8305 §4).
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let all: Vec<_> = addresses.into_iter().collect();
    let prefers_v6 = all.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| a.is_ipv6() == prefers_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut out = VecDeque::new();
    while let Some(address) = preferred.next().or_else(|| other.next()) {
        out.push_back(address);
        out.extend(other.next());
    }
    out
}

/// Waits for something, but not for longer than that.
///
/// # Errors
/// `TimedOut`, or those of what is waited for.
pub async fn in_time<R: Runtime, T>(
    limit: Option<Duration>,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let mut timer = limit.and_then(|limit| R::now().checked_add(limit)).map(R::timer);
    let mut future = pin!(future);
    poll_fn(|cx| match (future.as_mut().poll(cx), &mut timer) {
        (Poll::Pending, Some(timer)) => R::poll_timer(timer, cx).map(|()| Err(ErrorKind::TimedOut.into())),
        (polled, _) => polled,
    })
    .await
}

/// TLS by rustls, as far as it needs no runtime.
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls {
    use std::io::{self, ErrorKind};
    use std::sync::Arc;

    use rustls::ClientConfig;
    use rustls::pki_types::ServerName;

    /// The name that the certificate of a server has to be for, of the host of an address.
    ///
    /// # Errors
    /// `InvalidInput`: it is no name that a certificate can have.
    pub fn server_name(host: &str) -> io::Result<ServerName<'static>> {
        ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))
    }

    /// What a client trusts unless it is told what to: by the features `tls-platform-roots` and `tls-webpki-roots`
    /// the roots of the operating system, or else those of Mozilla. `None` without either.
    pub fn default_client_config() -> Option<io::Result<Arc<ClientConfig>>> {
        #[cfg(any(feature = "tls-platform-roots", feature = "tls-webpki-roots"))]
        return Some(with_roots().map_err(|error| io::Error::new(ErrorKind::InvalidData, error)));
        #[cfg(not(any(feature = "tls-platform-roots", feature = "tls-webpki-roots")))]
        None
    }

    #[cfg(any(feature = "tls-platform-roots", feature = "tls-webpki-roots"))]
    fn with_roots() -> Result<Arc<ClientConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        #[cfg(feature = "tls-platform-roots")]
        let builder = {
            let verifier = rustls_platform_verifier::Verifier::new(provider)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        };
        #[cfg(not(feature = "tls-platform-roots"))]
        let builder = {
            drop(provider);
            let roots = webpki_roots::TLS_SERVER_ROOTS.into();
            builder.with_root_certificates(rustls::RootCertStore { roots })
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
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
        assert_eq!(Vec::from(interleaved(resolved)), expected);
        let resolved = addresses(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1", "[::2]:1", "[::3]:1"]);
        let expected = addresses(&["127.0.0.1:1", "[::1]:1", "127.0.0.2:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(Vec::from(interleaved(resolved)), expected);
    }
}
