//! The client: where to connect and what to ask for in, an open WebSocket out.
//!
//! The core says what comes next ([`Journey`]): dial, TLS, a tunnel through a proxy, the opening handshake,
//! redirects. This file does it and waits.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use hybi::handshake::{
    ClientRequest, Destination, Journey, JourneyError, Place, Proxies, RedirectError, Redirects,
    RequestError, Response, Step,
};
use hybi::{BoxEntropy, Config, HandshakeError, SystemEntropy};

use crate::dial::Stream;
use crate::transport::{Timed, Transport, Waited};
use crate::turns::{ConnectGate, Held};
use crate::websocket::WebSocket;

/// Connects to a `ws://`, `wss://` or `ws+unix:` address, and returns the open WebSocket with the server's answer.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(url: &str) -> Result<(WebSocket<Stream>, Response), ConnectError> {
    Connector::default().connect(ClientRequest::new(url)?)
}

/// Connects with a configuration of one's own.
///
/// ```no_run
/// use hybi_std::{ClientRequest, Connector, Proxy, Redirects};
///
/// let connector = Connector::default()
///     .with_proxy(Proxy::parse("http://proxy.example:3128").expect("an address"))
///     .with_redirects(Redirects::default());
/// let request = ClientRequest::new("ws://127.0.0.1:9001/chat")?.with_subprotocol("v2.feed")?;
/// let (socket, response) = connector.connect(request)?;
/// # Ok::<(), hybi_std::ConnectError>(())
/// ```
///
/// `wss://` needs to know whom to trust: the features `tls-platform-roots` and `tls-webpki-roots` bring that along,
/// with `tls` alone it comes by `with_tls`.
#[derive(Clone, Default)]
pub struct Connector {
    config: Arc<Config>,
    proxies: Proxies,
    redirects: Option<Redirects>,
    on_redirect: Option<Arc<OnRedirect>>,
    before_request: Option<Arc<BeforeRequest>>,
    gate: Option<ConnectGate>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
    #[cfg(feature = "tls")]
    proxy_tls: Option<Arc<rustls::ClientConfig>>,
}

type BeforeRequest = dyn Fn(&Stream, ClientRequest) -> ClientRequest + Send + Sync;
type OnRedirect = dyn Fn(&ClientRequest) -> Option<ClientRequest> + Send + Sync;

impl Connector {
    /// A connector whose connections have this configuration.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        Self { config: config.into(), ..Self::default() }
    }

    /// The same with this configuration of TLS, for servers and for proxies.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        Self { tls: Some(config.into()), ..self }
    }

    /// The same with another configuration of TLS for proxies.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_proxy_tls(self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        Self { proxy_tls: Some(config.into()), ..self }
    }

    /// The same through a [`Proxy`](crate::Proxy), or through whichever [`Proxies`] says for each address.
    #[must_use]
    pub fn with_proxy(self, proxies: impl Into<Proxies>) -> Self {
        Self { proxies: proxies.into(), ..self }
    }

    /// The same following redirects as far as this policy goes. Without it a redirect is a refusal.
    #[must_use]
    pub fn with_redirects(self, redirects: Redirects) -> Self {
        Self { redirects: Some(redirects), ..self }
    }

    /// The same asking before each redirect is followed: with the request that comes back, or not at all. What
    /// was meant for another place, credentials and cookies, is gone from it already.
    #[must_use]
    pub fn on_redirect(
        self,
        hook: impl Fn(&ClientRequest) -> Option<ClientRequest> + Send + Sync + 'static,
    ) -> Self {
        Self { on_redirect: Some(Arc::new(hook)), ..self }
    }

    /// The same asking when a server is reached, and nothing was said to it: with the stream, and for the request that
    /// it will get. Another address in that does not lead elsewhere.
    #[must_use]
    pub fn before_request(
        self,
        hook: impl Fn(&Stream, ClientRequest) -> ClientRequest + Send + Sync + 'static,
    ) -> Self {
        Self { before_request: Some(Arc::new(hook)), ..self }
    }

    /// The same waiting at this gate until nobody else who does is connecting to the same address (RFC 6455 §4.1).
    #[must_use]
    pub fn with_gate(self, gate: ConnectGate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Connects. A host is tried at each of its addresses, `TCP_NODELAY` is set. Each attempt (one, and one for
    /// each redirect) has the time of [`Timeouts::handshake`](hybi::Timeouts), from dialing to the open
    /// connection; looking the host up is the operating system's, and has its time.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(&self, request: ClientRequest) -> Result<(WebSocket<Stream>, Response), ConnectError> {
        let mut journey = self.journey(request).with_proxies(self.proxies.clone());
        if let Some(redirects) = &self.redirects {
            journey = journey.with_redirects(redirects.clone());
        }
        if self.before_request.is_some() {
            journey = journey.stopping_to_ask();
        }
        let start = StdInstant::now();
        let mut transport: Option<Timed<Stream>> = None;
        let mut broken = None;
        let mut turn = None;
        loop {
            let now = Timed::<Stream>::since(start);
            match journey.step() {
                Step::Dial(place) => {
                    self.check_tls(journey.request())?;
                    drop(transport.take());
                    drop(turn.take());
                    let limit = self.config.timeouts.handshake;
                    let (stream, held) = self.dial(place, limit, journey.hidden_destination())?;
                    (transport, turn) = (Some(Timed::started(stream, start)), held);
                    journey.handle_timeout(now); // its time began when we did
                    journey.dialed();
                }
                #[cfg(feature = "tls")]
                Step::StartTls { server_name, hop } => {
                    let limit = journey.poll_timeout().map(|deadline| deadline.since(now));
                    let stream = transport.take().expect("it was dialed").into_stream();
                    let stream = self.start_tls(stream, server_name, hop, limit)?;
                    transport = Some(Timed::started(stream, start));
                    journey.secured();
                }
                #[cfg(not(feature = "tls"))]
                Step::StartTls { .. } => return Err(ConnectError::NoTls),
                Step::Exchange => {
                    exchange(&mut journey, transport.as_mut().expect("it was dialed"), &mut broken)?;
                }
                Step::Ask(request) => {
                    let stream = &transport.as_ref().expect("it was dialed").stream;
                    let hook = self.before_request.as_ref().expect("it stops for that");
                    let request = hook(stream, request.clone());
                    journey.ask(request);
                }
                Step::Redirect(request) => {
                    let next = match &self.on_redirect {
                        Some(hook) => hook(request),
                        None => Some(request.clone()),
                    };
                    match next {
                        Some(request) => journey.follow(request),
                        None => journey.stop(),
                    }
                }
                Step::Over => return arrive(journey, transport.expect("it was dialed"), broken),
            }
        }
    }

    /// Makes the opening handshake over a transport that is connected already, whatever it is; for `wss://` it
    /// is encrypted already.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn handshake<S: Transport>(
        &self,
        stream: S,
        request: ClientRequest,
    ) -> Result<(WebSocket<S>, Response), ConnectError> {
        let mut journey = self.journey(request);
        let mut transport = Timed::new(stream);
        let mut broken = None;
        journey.handle_timeout(transport.now());
        journey.dialed();
        journey.secured();
        while journey.step() == Step::Exchange {
            exchange(&mut journey, &mut transport, &mut broken)?;
        }
        arrive(journey, transport, broken)
    }

    /// Dials when its turn has come: that of the server, if a proxy is what is dialed.
    fn dial(
        &self,
        place: Place<'_>,
        limit: Option<Duration>,
        hidden: Option<Destination>,
    ) -> io::Result<(Stream, Option<Held>)> {
        let (Some(gate), Some(hidden)) = (&self.gate, hidden) else {
            return Stream::dial(place, limit, self.gate.as_ref());
        };
        let deadline = limit.and_then(|limit| StdInstant::now().checked_add(limit));
        let held = gate.enter(hidden, deadline)?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(StdInstant::now()));
        let (stream, _) = Stream::dial(place, left, None)?;
        Ok((stream, Some(held)))
    }

    fn journey(&self, request: ClientRequest) -> Journey {
        Journey::new(request, self.config.clone(), BoxEntropy::new(SystemEntropy))
    }

    /// Before anything is dialed: whether there is TLS where it will be asked for.
    fn check_tls(&self, request: &ClientRequest) -> Result<(), ConnectError> {
        let uri = request.uri();
        let needs_tls =
            uri.is_secure() || self.proxies.select(uri).is_some_and(hybi::handshake::Proxy::is_secure);
        #[cfg(feature = "tls")]
        let has_tls = self.tls.is_some() || crate::tls::HAS_ROOTS;
        #[cfg(not(feature = "tls"))]
        let has_tls = false;
        if needs_tls && !has_tls { Err(ConnectError::NoTls) } else { Ok(()) }
    }

    #[cfg(feature = "tls")]
    fn start_tls(
        &self,
        stream: Stream,
        name: &str,
        hop: hybi::handshake::Hop,
        limit: Option<Duration>,
    ) -> Result<Stream, ConnectError> {
        let name = rustls::pki_types::ServerName::try_from(name.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|error| ConnectError::Tls(io::Error::new(ErrorKind::InvalidInput, error)))?;
        let for_proxy = self.proxy_tls.as_ref().filter(|_| hop == hybi::handshake::Hop::Proxy);
        let config = match for_proxy.or(self.tls.as_ref()) {
            Some(config) => config.clone(),
            None => crate::tls::default_client_config().map_err(ConnectError::Tls)?,
        };
        let stream = crate::tls::TlsStream::client(stream, config, name, limit).map_err(ConnectError::Tls)?;
        Ok(stream.into())
    }
}

/// One write or one read.
fn exchange<S: Transport>(
    journey: &mut Journey,
    transport: &mut Timed<S>,
    broken: &mut Option<io::Error>,
) -> Result<(), ConnectError> {
    let mut scratch = [0; 4096];
    let deadline = journey.poll_timeout();
    let waited = match journey.transmit() {
        [] => transport.read(&mut scratch, deadline),
        output => match transport.write(&[IoSlice::new(output)], deadline) {
            Ok(Waited::Moved(n)) => {
                journey.transmitted(n);
                return Ok(());
            }
            other => other,
        },
    };
    match waited {
        Ok(Waited::Moved(0)) => journey.receive_eof(),
        // One read, and there is room for many, unless there is no memory.
        Ok(Waited::Moved(n)) if journey.receive(&scratch[..n]) < n => {
            return Err(io::Error::from(ErrorKind::OutOfMemory).into());
        }
        Ok(Waited::Moved(_)) => {}
        Ok(Waited::Elapsed) => journey.handle_timeout(transport.now()),
        Err(error) => {
            *broken = Some(error);
            journey.receive_eof();
        }
    }
    Ok(())
}

/// The end of the journey.
fn arrive<S: Transport>(
    journey: Journey,
    mut transport: Timed<S>,
    broken: Option<io::Error>,
) -> Result<(WebSocket<S>, Response), ConnectError> {
    match journey.into_connection() {
        Ok((connection, response)) => Ok((WebSocket::from_timed(transport, connection), response)),
        Err(error) => {
            transport.end();
            match broken {
                Some(broken) if error.response().is_none() => Err(broken.into()),
                _ => Err(error.into()),
            }
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("config", &self.config)
            .field("proxies", &self.proxies)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}

/// Why no connection came about.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address or something else in the request cannot be.
    Request(RequestError),
    /// The address, or that of the proxy, asks for TLS, and nobody said whom to trust. Nothing was dialed.
    NoTls,
    /// The transport failed.
    Io(io::Error),
    /// TLS did not come about: the server's certificate is not trusted or is for another name, or the two have
    /// nothing in common. Nothing was asked of the server. The source is a `rustls::Error`, if it is not time or
    /// the transport.
    Tls(io::Error),
    /// There is no tunnel through the proxy; its answer is beside the reason, if one came.
    Proxy(HandshakeError, Option<Box<Response>>),
    /// The opening handshake failed; the server's answer is beside the reason, if one came.
    Handshake(HandshakeError, Option<Box<Response>>),
    /// The server's answer is a redirect that is not followed.
    Redirect(RedirectError, Box<Response>),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::NoTls => f.write_str("the address asks for TLS, and there is no configuration for it"),
            Self::Io(error) => error.fmt(f),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Proxy(error, _) => write!(f, "proxy: {error}"),
            Self::Handshake(error, _) => error.fmt(f),
            Self::Redirect(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::NoTls => None,
            Self::Io(error) | Self::Tls(error) => Some(error),
            Self::Proxy(error, _) | Self::Handshake(error, _) => Some(error),
            Self::Redirect(error, _) => Some(error),
        }
    }
}

impl From<RequestError> for ConnectError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<JourneyError> for ConnectError {
    fn from(error: JourneyError) -> Self {
        match error {
            JourneyError::Proxy(error, response) => Self::Proxy(error, response),
            JourneyError::Handshake(error, response) => Self::Handshake(error, response),
            JourneyError::Redirect(error, response) => Self::Redirect(error, response),
            other => Self::Io(io::Error::other(other)),
        }
    }
}
