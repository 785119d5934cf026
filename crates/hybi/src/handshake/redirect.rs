//! Redirects: a request and the answer that sends it elsewhere in; the next request out (RFC 9110 §15.4).
//!
//! Nothing is followed unless the caller asks for it, by making a [`Redirects`] and another handshake on
//! another transport. What the policy guards are the caller's credentials: `ClientRequest::moved_to` says
//! which of them go along.

use core::{fmt, str};

use super::client_request::ClientRequest;
use super::response::Response;
use crate::http::uri::{Uri, UriError};

/// Follows redirects, for one connection.
///
/// ```
/// use hybi::handshake::{ClientHandshake, ClientRequest, Redirects};
/// # use hybi::{BoxEntropy, Config};
/// # let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7));
/// let request = ClientRequest::new("wss://example.com/feed")?.with_header("Cookie", "session=7")?;
/// let mut handshake = ClientHandshake::new(request, Config::default(), entropy);
/// let taken = handshake.receive(b"HTTP/1.1 302 Found\r\nLocation: //mirror.example.org/feed\r\n\r\n");
///
/// let mut redirects = Redirects::default();
/// let response = handshake.response().expect("one came");
/// let next = redirects.next(handshake.request(), response).expect("it is a redirect")?;
/// assert_eq!(next.uri().to_string(), "wss://mirror.example.org/feed"); // and without the cookie
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A request to another host or port loses `Authorization`, `Cookie`, a `Host` of its own and the user and
/// password of the address; credentials in the redirect itself are not used there either. The nonce is always
/// a fresh one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirects {
    /// How many are still followed. Default 10.
    pub limit: u32,
    /// Whether to follow from `wss` to `ws`. The request then loses `Authorization` and `Cookie`, also on the
    /// same host. Default off.
    pub allow_insecure: bool,
    /// Whether to follow from the network to a Unix domain socket. Default off: a server should not choose
    /// among the sockets of this machine.
    pub allow_unix: bool,
}

impl Default for Redirects {
    fn default() -> Self {
        Self { limit: 10, allow_insecure: false, allow_unix: false }
    }
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedirectError {
    /// One more than [`Redirects::limit`].
    TooMany,
    /// `Location` is doubled or no address of a WebSocket.
    BadUri(UriError),
    /// From `wss` to `ws`, without [`Redirects::allow_insecure`].
    Insecure,
    /// From the network to a Unix domain socket, without [`Redirects::allow_unix`].
    Unix,
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("too many redirects"),
            Self::BadUri(error) => write!(f, "redirect to what is no address: {error}"),
            Self::Insecure => f.write_str("redirect from wss to ws"),
            Self::Unix => f.write_str("redirect to a Unix domain socket"),
        }
    }
}

impl core::error::Error for RedirectError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::BadUri(error) => Some(error),
            _ => None,
        }
    }
}

impl Redirects {
    /// The request to make next, or why it is not made; `None` where the response is no redirect: its
    /// status is none of 301, 302, 303, 307 and 308, or it has no `Location`.
    pub fn next(
        &mut self,
        request: &ClientRequest,
        response: &Response,
    ) -> Option<Result<ClientRequest, RedirectError>> {
        let is_redirect = matches!(response.status(), 301 | 302 | 303 | 307 | 308);
        (is_redirect && response.fields().contains("Location")).then(|| {
            self.limit = self.limit.checked_sub(1).ok_or(RedirectError::TooMany)?;
            let uri = location(request.uri(), response).map_err(RedirectError::BadUri)?;
            if request.uri().is_secure() && !uri.is_secure() && !self.allow_insecure {
                return Err(RedirectError::Insecure);
            }
            if request.uri().unix_path().is_none() && uri.unix_path().is_some() && !self.allow_unix {
                return Err(RedirectError::Unix);
            }
            Ok(request.moved_to(uri))
        })
    }
}

/// Where the response points. Two places are none.
fn location(base: &Uri, response: &Response) -> Result<Uri, UriError> {
    let location = response.fields().exactly_one("Location").and_then(|value| str::from_utf8(value).ok());
    base.resolve(location.ok_or(UriError::Host)?)
}
