//! The way through an HTTP proxy (RFC 6455 §4.1, item 3; RFC 9110 §9.3.6): the octets of a CONNECT request out;
//! those of the proxy's answer in; a tunnel, or why there is none, out.
//!
//! ```text
//!   Proxy, Uri ──▶ ConnectProxy ── transmit ──▶ CONNECT server.example:443 HTTP/1.1
//!                      │      ◀── receive ──── HTTP/1.1 200 Connection established
//!                      ▼
//!                ClientHandshake, with what came behind the answer
//! ```
//!
//! Which proxy, if any, is in `proxies`. Nothing of the request that goes through the tunnel is shown to the
//! proxy but host and port; nothing that is meant for the proxy goes into the tunnel.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, str};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client::{ClientHandshake, Outcome};
use super::client_request::{ClientRequest, RequestError};
use super::exchange::Exchange;
use super::is_reserved;
use super::response::Response;
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::error::HandshakeError;
use crate::http::fields::Fields;
use crate::http::head::HeadScanner;
use crate::http::uri::{Uri, UriError};
use crate::time::Instant;

/// An HTTP proxy: where it is, and what to tell it.
///
/// ```
/// use hybi::handshake::Proxy;
/// let proxy = Proxy::parse("http://ada:love@proxy.example:3128")?.with_header("X-Team", "blue")?;
/// assert_eq!((proxy.host(), proxy.port(), proxy.is_secure()), ("proxy.example", 3128, false));
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
/// assert!(Proxy::parse("https://proxy.example")?.is_secure()); // TLS to the proxy itself, on port 443
/// # Ok::<(), hybi::handshake::RequestError>(())
/// ```
///
/// User and password in the address become basic authorization (RFC 7617). `Display` and `Debug` leave them
/// out.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its path is not used.
    uri: Uri,
    /// `user:password`, given apart from the address.
    basic: Option<Box<[u8]>>,
    fields: Fields,
}

impl Proxy {
    /// A proxy at an `http://` or `https://` address. Without a port it is 80 or 443; the path means nothing.
    ///
    /// # Errors
    /// [`UriError`]; [`UriError::Scheme`] for any other scheme.
    pub fn parse(address: &str) -> Result<Self, UriError> {
        let scheme = address.split("://").next().unwrap_or_default();
        if !["http", "https"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours)) {
            return Err(UriError::Scheme);
        }
        Ok(Self { uri: Uri::parse(address)?, basic: None, fields: Fields::default() })
    }

    /// The same with basic authorization. User and password in the address win over these, and a header
    /// `Proxy-Authorization` wins over both.
    #[must_use]
    pub fn with_basic_auth(mut self, user: &str, password: &str) -> Self {
        self.basic = Some(format!("{user}:{password}").into_bytes().into());
        self
    }

    /// The same with one more header of the CONNECT request. The server behind the proxy does not see it.
    ///
    /// # Errors
    /// [`RequestError::BadHeader`]: the name is no token, the value has a control character, it is one of the
    /// request's own (`Host`, `Connection`, `Proxy-Connection`, `Upgrade`, `Content-Length`,
    /// `Transfer-Encoding`, `Sec-WebSocket-*`), or a second `Proxy-Authorization`.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, RequestError> {
        let is = |own: &str| name.eq_ignore_ascii_case(own);
        let is_own = is_reserved(name) || is("Host") || is("Proxy-Connection");
        if is_own || (is("Proxy-Authorization") && self.fields.contains(name)) {
            return Err(RequestError::BadHeader);
        }
        self.fields.push(name, value.as_ref())?;
        Ok(self)
    }

    /// Whether TLS comes first on the way to the proxy.
    pub fn is_secure(&self) -> bool {
        self.uri.is_secure()
    }

    /// The host to connect to: a name in lower case, or an IP address without brackets.
    pub fn host(&self) -> &str {
        self.uri.host()
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.uri.port()
    }

    /// The octets of the request for a tunnel to this host and port.
    fn encode(&self, target: &str) -> Vec<u8> {
        let mut fields = Fields::default();
        fields.push_own("Host", target.as_bytes());
        fields.push_own("Connection", b"keep-alive");
        fields.push_own("Proxy-Connection", b"keep-alive"); // for proxies that know HTTP/1.0 alone
        if let Some(credentials) = self.credentials() {
            let value = format!("Basic {}", STANDARD.encode(credentials));
            fields.push_own("Proxy-Authorization", value.as_bytes());
        }
        let mut out = format!("CONNECT {target} HTTP/1.1\r\n").into_bytes();
        fields.encode(&mut out);
        self.fields.encode(&mut out);
        out.extend_from_slice(b"\r\n");
        out
    }

    fn credentials(&self) -> Option<&[u8]> {
        if self.fields.contains("Proxy-Authorization") {
            return None;
        }
        self.uri.userinfo().or(self.basic.as_deref())
    }
}

impl str::FromStr for Proxy {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

/// The address without user, password and path.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.uri.authority())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &format_args!("{self}"))
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// The opening of a tunnel through a proxy. It comes before [`ClientHandshake`] and has the same families of
/// methods; [`Journey`](super::Journey) puts the two in order.
///
/// ```
/// use hybi::handshake::{ClientRequest, ConnectProxy, Outcome, Proxy};
/// use hybi::{BoxEntropy, Config};
///
/// let request = ClientRequest::new("ws://server.example/chat")?;
/// let proxy = Proxy::parse("http://proxy.example:3128")?;
/// let mut tunnel = ConnectProxy::new(&proxy, request.uri(), Config::default());
///
/// assert!(tunnel.transmit().starts_with(b"CONNECT server.example:80 HTTP/1.1\r\n"));
/// tunnel.transmitted(tunnel.transmit().len());
/// let taken = tunnel.receive(b"HTTP/1.1 200 Connection established\r\n\r\n");
/// let Some(Outcome::Opened(_)) = tunnel.poll_event() else { panic!() };
///
/// // The handshake goes through the tunnel; for `wss://`, TLS with the server comes first.
/// let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7)); // the operating system's, in earnest
/// let handshake = tunnel.into_handshake(request, entropy).expect("the tunnel is open");
/// assert!(handshake.transmit().starts_with(b"GET /chat HTTP/1.1\r\n"));
/// # Ok::<(), hybi::handshake::RequestError>(())
/// ```
///
/// Any status of 2xx opens the tunnel, and what follows the head belongs to it, whatever the head says of a
/// body (RFC 9110 §9.3.6). Interim answers are skipped. Every other answer is a refusal:
/// [`response`](Self::response) has status, headers and the start of the body.
pub struct ConnectProxy {
    exchange: Exchange<()>,
}

impl ConnectProxy {
    /// A CONNECT request for the host and port of this address, which waits to be transmitted.
    ///
    /// A Unix domain socket is no place that a proxy can reach; its address reads as `localhost:80` here.
    pub fn new(proxy: &Proxy, target: &Uri, config: impl Into<Arc<Config>>) -> Self {
        let request = proxy.encode(&host_and_port(target));
        Self { exchange: Exchange::new(request, HeadScanner::proxy_response, config.into()) }
    }

    /// Takes octets from the transport and returns how many: all of them, unless 64 KiB that belong to the
    /// tunnel wait already.
    #[must_use = "what is not taken belongs to the tunnel"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        self.exchange.receive(octets, |response| match response.status() {
            200..=299 => Ok(()),
            status => Err(HandshakeError::UnexpectedStatus(status)),
        })
    }

    /// The transport ended.
    pub fn receive_eof(&mut self) {
        self.exchange.receive_eof();
    }

    /// Looks at the clock. The first call starts [`Timeouts::handshake`](crate::Timeouts), which ends with the
    /// answer and, where the proxy refuses, with the part of the body that is kept.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.exchange.handle_timeout(now);
    }

    /// How it ended, once. [`Outcome::Opened`]: the tunnel is open.
    pub fn poll_event(&mut self) -> Option<Outcome> {
        self.exchange.event.take()
    }

    /// The octets to write to the transport, until [`transmitted`](Self::transmitted) says so: the request.
    pub fn transmit(&self) -> &[u8] {
        self.exchange.output.waiting()
    }

    /// So many octets of [`transmit`](Self::transmit) went to the transport.
    pub fn transmitted(&mut self, len: usize) {
        self.exchange.output.transmitted(len);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.exchange.poll_timeout()
    }

    /// Whether there is nothing left to do but to close the transport: there is no tunnel, and no more of the
    /// body of the answer is to come or to be kept.
    pub fn wants_close(&self) -> bool {
        self.exchange.wants_close()
    }

    /// The answer that opened no tunnel, with as much of its body as was received.
    pub fn response(&self) -> Option<&Response> {
        self.exchange.response.as_ref()
    }

    /// The same, to keep.
    pub fn into_response(self) -> Option<Response> {
        self.exchange.response
    }

    /// No more is to come, for this reason.
    pub(super) fn end(&mut self, error: HandshakeError) {
        self.exchange.end(error);
    }

    /// Octets of the tunnel that came behind the answer. [`into_handshake`](Self::into_handshake) hands them
    /// on. If TLS with the server comes first there must be none, for in TLS the client speaks first: what
    /// came so early is not from the server, or not for us.
    pub fn leftover(&self) -> &[u8] {
        &self.exchange.leftover
    }

    /// The opening handshake through the tunnel, with what came behind the proxy's answer. `None` unless the
    /// tunnel is open and the request to the proxy is transmitted; and where octets came in front of TLS.
    pub fn into_handshake(self, request: ClientRequest, entropy: BoxEntropy) -> Option<ClientHandshake> {
        self.exchange.opened().filter(|()| self.transmit().is_empty())?;
        let leftover = self.exchange.leftover;
        if !leftover.is_empty() && request.uri().is_secure() {
            return None;
        }
        let mut handshake = ClientHandshake::new(request, self.exchange.config, entropy);
        let taken = handshake.receive(&leftover);
        debug_assert_eq!(taken, leftover.len(), "no more was kept than a handshake has room for");
        Some(handshake)
    }
}

impl fmt::Debug for ConnectProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProxy").field("exchange", &self.exchange).finish()
    }
}

/// The target of a CONNECT request always has a port (RFC 9112 §3.2.3).
fn host_and_port(uri: &Uri) -> String {
    let (host, port) = (uri.host(), uri.port());
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
