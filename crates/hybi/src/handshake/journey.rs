//! All that a client does on the way to an open connection, in order: a request and settings in; what to dial,
//! when to put TLS on top and which octets to exchange, out; at its end a connection, or why there is none.
//!
//! ```text
//!               ┌───────────────────────────────────────────────────────┐
//!               ▼                                                       │ follow, or another version
//!             Dial ──▶ StartTls ──▶ Exchange ──▶ StartTls ──▶ Exchange ─┴▶ Redirect
//!                   (https proxy)   (proxy)       (wss)      (server) │       │ stop
//!                                                                     ▼       ▼
//!                                                                        Over
//! ```
//!
//! Steps that an address does not need are left out: for `ws://` without a proxy it is dial, exchange, over.
//! This file knows the order and nothing else: addresses are in `http::uri`, proxies in `proxies`, the
//! exchange with a proxy in `proxy`, the one with the server in `client`, redirects in `redirect`.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use core::{fmt, mem};

use super::client::{ClientHandshake, Outcome};
use super::client_request::ClientRequest;
use super::proxies::Proxies;
use super::proxy::{ConnectProxy, Proxy};
use super::redirect::{RedirectError, Redirects};
use super::response::Response;
use super::turns::Destination;
use super::{Deadline, Opening};
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::error::HandshakeError;
use crate::time::Instant;
use crate::version::Versions;

/// What to do next on a [`Journey`]. Asking again gives the same answer until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Drop the transport, if there is one, and make one to here; then [`Journey::dialed`].
    Dial(Place<'a>),
    /// Put TLS over the transport, with this name (or IP address) of the one at the other end; then
    /// [`Journey::secured`]. No octet may go before that.
    StartTls {
        /// What the certificate has to be for, and what SNI says unless it is an address.
        server_name: &'a str,
        /// Who is at the other end.
        hop: Hop,
    },
    /// Write what [`Journey::transmit`] has; where it has nothing, read and [`Journey::receive`].
    Exchange,
    /// The server is reached, and nothing was said to it: the last moment to change what it will be asked. Ask by
    /// [`Journey::ask`]. Only for a journey [that stops there](Journey::stopping_to_ask).
    Ask(&'a ClientRequest),
    /// The server sends us to another address, by this request: [`Journey::follow`] it, perhaps with other
    /// headers, or [`Journey::stop`]. Only for a journey [`with_redirects`](Journey::with_redirects).
    Redirect(&'a ClientRequest),
    /// It is over: [`Journey::into_connection`](Journey::into_connection) has what came of it.
    Over,
}

/// What to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place<'a> {
    /// A port of a host: a name, or an IP address without brackets.
    Tcp(&'a str, u16),
    /// A Unix domain socket.
    Unix(&'a str),
}

/// Who is at the other end of a transport. They may need different settings for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hop {
    /// The proxy.
    Proxy,
    /// The server that was asked for.
    Server,
}

/// A client's way to an open connection, over proxies and redirects.
///
/// It has the same families of methods as [`ClientHandshake`], and one more: [`step`](Self::step) says what to
/// do with the transport. So an adapter is a loop, and the same loop for everything that can be on the way:
///
/// ```
/// use hybi::handshake::{ClientRequest, Journey, Place, Proxy, Redirects, Step};
/// use hybi::{BoxEntropy, Config};
/// # use hybi::handshake::Hop;
/// # struct Stream { tls: u8, answers: std::vec::IntoIter<&'static [u8]> }
/// # impl Stream {
/// #     fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> { Ok(octets.len()) }
/// #     fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
/// #         let answer = self.answers.next().unwrap_or_default();
/// #         space[..answer.len()].copy_from_slice(answer);
/// #         Ok(answer.len())
/// #     }
/// # }
/// # fn dial(_: Place<'_>) -> std::io::Result<Stream> {
/// #     let answers = vec![&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"];
/// #     Ok(Stream { tls: 0, answers: answers.into_iter() })
/// # }
/// # fn start_tls(stream: Stream, _: &str) -> std::io::Result<Stream> { Ok(Stream { tls: stream.tls + 1, ..stream }) }
///
/// let request = ClientRequest::new("wss://server.example/chat")?;
/// let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7)); // the operating system's, in earnest
/// let mut journey = Journey::new(request, Config::default(), entropy)
///     .with_proxies(Proxy::parse("http://proxy.example:3128")?)
///     .with_redirects(Redirects::default());
///
/// # assert_eq!(journey.step(), Step::Dial(Place::Tcp("proxy.example", 3128)));
/// let mut stream = None;
/// loop {
///     match journey.step() {
///         Step::Dial(place) => {
///             stream = Some(dial(place)?);
///             journey.dialed();
///         }
///         Step::StartTls { server_name, .. } => {
///             stream = Some(start_tls(stream.take().expect("it was dialed"), server_name)?);
///             journey.secured();
///         }
///         Step::Exchange => {
///             let stream = stream.as_mut().expect("it was dialed");
///             if !journey.transmit().is_empty() {
///                 let n = stream.write(journey.transmit())?;
///                 journey.transmitted(n);
///                 continue;
///             }
///             let mut scratch = [0; 1024];
///             match stream.read(&mut scratch)? {
///                 0 => journey.receive_eof(),
///                 n => assert_eq!(journey.receive(&scratch[..n]), n),
///             }
///         }
///         Step::Redirect(request) => {
///             let request = request.clone(); // the place to look at it, and to change it
///             journey.follow(request);
///         }
///         Step::Ask(request) => {
///             let request = request.clone(); // only where it was told to stop here
///             journey.ask(request);
///         }
///         Step::Over => break,
///     }
/// }
/// # assert_eq!(stream.as_ref().map(|stream| stream.tls), Some(1));
/// match journey.into_connection() {
///     Ok((connection, response)) => println!("open: {:?}", response.fields()),
///     Err(error) => println!("{error}, {:?}", error.response()), // here: status 403
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What dialing and TLS come to is the adapter's to know: when they fail, the journey is dropped.
///
/// [`Timeouts::handshake`](crate::Timeouts) is for one attempt, from dialing to the open connection, and
/// begins anew when a redirect is followed. It counts in dialing and TLS as well: wait for them until
/// [`poll_timeout`](Self::poll_timeout), then call [`handle_timeout`](Self::handle_timeout). Once a server
/// has refused, no more than two seconds are spent on the body of its answer.
///
/// RFC 6455 §4.1, item 2, wants a client to open one connection at a time to one address. Who keeps to that has
/// [`Turns`](super::Turns), and waits for one before it dials an address, until the journey is over; before it dials a
/// proxy, for that of [`hidden_destination`](Self::hidden_destination). (§10.1 says what for: a script cannot flood a
/// server with connections by one handshake after the other.)
pub struct Journey {
    config: Arc<Config>,
    proxies: Proxies,
    redirects: Option<Redirects>,
    versions: Option<Versions>,
    stops_to_ask: bool,
    deadline: Deadline,
    request: ClientRequest,
    stage: Stage,
}

/// The source of randomness goes along from stage to stage, until a handshake has it.
enum Stage {
    Dial(BoxEntropy),
    ProxyTls(BoxEntropy),
    Proxy(Box<ConnectProxy>, BoxEntropy),
    ServerTls(BoxEntropy),
    /// The server is reached; with what the proxy's answer brought along.
    Ask(BoxEntropy, Vec<u8>),
    Server(Box<ClientHandshake>),
    /// The next request, and the answer that brought it.
    Redirect(Box<ClientRequest>, Box<Response>, BoxEntropy),
    Open(Box<ClientHandshake>, Box<Response>),
    /// The rest of a refusal's body is to come from this exchange.
    Failing(Refused, HandshakeError),
    Failed(JourneyError),
}

/// An exchange that came to nothing.
enum Refused {
    Proxy(Box<ConnectProxy>),
    Server(Box<ClientHandshake>),
}

/// Why a journey led to no connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JourneyError {
    /// There is no tunnel through the proxy; with its answer, if one came.
    Proxy(HandshakeError, Option<Box<Response>>),
    /// The opening handshake failed, or it was not over in time; with the server's answer, if one came.
    Handshake(HandshakeError, Option<Box<Response>>),
    /// The server's answer is a redirect that is not followed.
    Redirect(RedirectError, Box<Response>),
    /// [`Journey::into_connection`] was called before [`Step::Over`].
    NotOver,
}

impl JourneyError {
    /// The last answer that came.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Proxy(_, response) | Self::Handshake(_, response) => response.as_deref(),
            Self::Redirect(_, response) => Some(response),
            Self::NotOver => None,
        }
    }
}

impl fmt::Display for JourneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(error, _) => write!(f, "proxy: {error}"),
            Self::Handshake(error, _) => error.fmt(f),
            Self::Redirect(error, _) => error.fmt(f),
            Self::NotOver => f.write_str("the opening handshake is not over"),
        }
    }
}

impl core::error::Error for JourneyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Proxy(error, _) | Self::Handshake(error, _) => Some(error),
            Self::Redirect(error, _) => Some(error),
            Self::NotOver => None,
        }
    }
}

impl Journey {
    /// A journey straight to the address of this request. Nonces, and the masking keys of the connection, are
    /// from `entropy`.
    pub fn new(request: ClientRequest, config: impl Into<Arc<Config>>, entropy: BoxEntropy) -> Self {
        let config = config.into();
        Self {
            deadline: Deadline::new(config.timeouts.handshake),
            config,
            proxies: Proxies::default(),
            redirects: None,
            versions: None,
            stops_to_ask: false,
            request,
            stage: Stage::Dial(entropy),
        }
    }

    /// The same through a proxy, or through whichever [`Proxies`] says for each address.
    #[must_use]
    pub fn with_proxies(self, proxies: impl Into<Proxies>) -> Self {
        Self { proxies: proxies.into(), ..self }
    }

    /// The same following redirects, as far as this policy goes: each is a [`Step::Redirect`].
    #[must_use]
    pub fn with_redirects(self, redirects: Redirects) -> Self {
        Self { redirects: Some(redirects), ..self }
    }

    /// The same trying again where the server refuses the version and names another one that is among these (RFC
    /// 6455 §4.4). Each attempt asks for a lower version, so there are few.
    #[must_use]
    pub fn with_versions(self, versions: Versions) -> Self {
        Self { versions: Some(versions), ..self }
    }

    /// The same with a stop at [`Step::Ask`], for each server that is reached.
    #[must_use]
    pub fn stopping_to_ask(self) -> Self {
        Self { stops_to_ask: true, ..self }
    }

    // ---- look

    /// What to do next.
    pub fn step(&self) -> Step<'_> {
        let uri = self.request.uri();
        match &self.stage {
            Stage::Dial(_) => Step::Dial(self.place()),
            Stage::ProxyTls(_) => {
                let server_name = self.proxies.select(uri).map_or(uri.host(), Proxy::host);
                Step::StartTls { server_name, hop: Hop::Proxy }
            }
            Stage::ServerTls(_) => Step::StartTls { server_name: uri.host(), hop: Hop::Server },
            Stage::Proxy(..) | Stage::Server(_) | Stage::Failing(..) => Step::Exchange,
            Stage::Ask(..) => Step::Ask(&self.request),
            Stage::Redirect(request, ..) => Step::Redirect(request),
            Stage::Open(..) | Stage::Failed(_) => Step::Over,
        }
    }

    /// The server, if a proxy is on the way, which alone knows its address.
    pub fn hidden_destination(&self) -> Option<Destination> {
        let uri = self.request.uri();
        self.proxies.select(uri)?;
        Some(Destination::Name(uri.host().into(), uri.port()))
    }

    /// What is requested; after a redirect, what is requested now.
    pub fn request(&self) -> &ClientRequest {
        &self.request
    }

    // ---- in

    /// The transport that [`Step::Dial`] asked for is there.
    pub fn dialed(&mut self) {
        match self.take_stage() {
            Stage::Dial(entropy) => match self.proxies.select(self.request.uri()) {
                Some(proxy) if proxy.is_secure() => self.stage = Stage::ProxyTls(entropy),
                Some(_) => self.ask_proxy(entropy),
                None => self.reach_server(entropy, &[]),
            },
            other => self.stage = other,
        }
    }

    /// TLS, which [`Step::StartTls`] asked for, is there.
    pub fn secured(&mut self) {
        match self.take_stage() {
            Stage::ProxyTls(entropy) => self.ask_proxy(entropy),
            Stage::ServerTls(entropy) => self.arrive(entropy, &[]),
            other => self.stage = other,
        }
    }

    /// Takes octets from the transport and returns how many: all of them, unless 64 KiB that belong to the
    /// connection wait already. The rest is to be received by the connection.
    #[must_use = "what is not taken has to be received by the connection"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        let taken = match &mut self.stage {
            Stage::Proxy(exchange, _) | Stage::Failing(Refused::Proxy(exchange), _) => {
                exchange.receive(octets)
            }
            Stage::Server(exchange) | Stage::Failing(Refused::Server(exchange), _) => {
                exchange.receive(octets)
            }
            Stage::Open(exchange, _) => exchange.receive(octets),
            _ => octets.len(), // nobody asked for them
        };
        self.advance();
        taken
    }

    /// The transport ended.
    pub fn receive_eof(&mut self) {
        self.end(HandshakeError::TransportEnded);
    }

    /// Looks at the clock. The first call of an attempt starts its timeout.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some() && self.deadline.is_over(now) {
            self.end(HandshakeError::TimedOut);
        }
    }

    // ---- say

    /// Answers a [`Step::Ask`]: asks by this request. It is the one that the step has, perhaps with other headers; the
    /// transport is there already, so another address does not lead elsewhere.
    pub fn ask(&mut self, request: ClientRequest) {
        match self.take_stage() {
            Stage::Ask(entropy, leftover) => {
                self.request = request;
                self.shake_hands(entropy, &leftover);
            }
            other => self.stage = other,
        }
    }

    /// Answers a [`Step::Redirect`]: goes there, by this request. It is the one that the step has, perhaps with
    /// other headers; the credentials that were for another place are gone from it already.
    pub fn follow(&mut self, request: ClientRequest) {
        match self.take_stage() {
            Stage::Redirect(.., entropy) => self.restart(request, entropy),
            other => self.stage = other,
        }
    }

    /// Answers a [`Step::Redirect`]: does not go there. The journey is over, with the redirect as the answer.
    pub fn stop(&mut self) {
        self.stage = match self.take_stage() {
            Stage::Redirect(_, response, _) => {
                let error = HandshakeError::UnexpectedStatus(response.status());
                Stage::Failed(JourneyError::Handshake(error, Some(response)))
            }
            other => other,
        };
    }

    // ---- out

    /// The octets to write to the transport, until [`transmitted`](Self::transmitted) says so.
    pub fn transmit(&self) -> &[u8] {
        match &self.stage {
            Stage::Proxy(exchange, _) => exchange.transmit(),
            Stage::Server(exchange) => exchange.transmit(),
            _ => &[],
        }
    }

    /// So many octets of [`transmit`](Self::transmit) went to the transport.
    pub fn transmitted(&mut self, len: usize) {
        match &mut self.stage {
            Stage::Proxy(exchange, _) => exchange.transmitted(len),
            Stage::Server(exchange) => exchange.transmitted(len),
            _ => {}
        }
        self.advance();
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, whatever the step is.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Redirect(..) | Stage::Open(..) | Stage::Failed(_) => None,
            _ => self.deadline.poll(),
        }
    }

    /// What the connection is made of and the answer that opened it, or why there is none.
    pub(crate) fn into_opening(self) -> Result<(Opening, Response), JourneyError> {
        match self.stage {
            Stage::Open(handshake, response) => {
                let opening = handshake.into_opening().ok_or(JourneyError::NotOver)?;
                Ok((opening, *response))
            }
            Stage::Failed(error) => Err(error),
            _ => Err(JourneyError::NotOver),
        }
    }

    // ---- from stage to stage

    /// Leaves nothing in its place but what no journey comes to.
    fn take_stage(&mut self) -> Stage {
        mem::replace(&mut self.stage, Stage::Failed(JourneyError::NotOver))
    }

    fn place(&self) -> Place<'_> {
        let uri = self.request.uri();
        match (uri.unix_path(), self.proxies.select(uri)) {
            (Some(path), _) => Place::Unix(path),
            (None, Some(proxy)) => Place::Tcp(proxy.host(), proxy.port()),
            (None, None) => Place::Tcp(uri.host(), uri.port()),
        }
    }

    fn ask_proxy(&mut self, entropy: BoxEntropy) {
        let uri = self.request.uri();
        match self.proxies.select(uri) {
            Some(proxy) => {
                let tunnel = ConnectProxy::new(proxy, uri, self.config.clone());
                self.stage = Stage::Proxy(Box::new(tunnel), entropy);
            }
            None => self.reach_server(entropy, &[]),
        }
    }

    /// A transport to the server is there, and octets of it perhaps that came with the proxy's answer.
    fn reach_server(&mut self, entropy: BoxEntropy, leftover: &[u8]) {
        if !self.request.uri().is_secure() {
            self.arrive(entropy, leftover);
        } else if leftover.is_empty() {
            self.stage = Stage::ServerTls(entropy);
        } else {
            self.stage = Stage::Failed(JourneyError::Proxy(HandshakeError::EarlyOctets, None));
        }
    }

    /// The server is reached, through whatever is on the way.
    fn arrive(&mut self, entropy: BoxEntropy, leftover: &[u8]) {
        if self.stops_to_ask {
            self.stage = Stage::Ask(entropy, leftover.to_vec());
        } else {
            self.shake_hands(entropy, leftover);
        }
    }

    fn shake_hands(&mut self, entropy: BoxEntropy, leftover: &[u8]) {
        let mut handshake = ClientHandshake::new(self.request.clone(), self.config.clone(), entropy);
        let taken = handshake.receive(leftover);
        debug_assert_eq!(taken, leftover.len(), "a tunnel keeps no more than a handshake has room for");
        self.stage = Stage::Server(Box::new(handshake));
        self.advance();
    }

    /// Goes on if an exchange is over.
    fn advance(&mut self) {
        match self.take_stage() {
            // The proxy may have answered before it has the whole request; it gets the rest first.
            Stage::Proxy(mut tunnel, entropy) if tunnel.transmit().is_empty() => match tunnel.poll_event() {
                None => self.stage = Stage::Proxy(tunnel, entropy),
                Some(Outcome::Opened(_)) => self.reach_server(entropy, tunnel.leftover()),
                Some(Outcome::Failed(error)) => self.fail(Refused::Proxy(tunnel), error),
            },
            Stage::Server(mut handshake) => match handshake.poll_event() {
                None => self.stage = Stage::Server(handshake),
                Some(Outcome::Opened(response)) => self.stage = Stage::Open(handshake, Box::new(response)),
                Some(Outcome::Failed(error)) => self.refused(handshake, error),
            },
            Stage::Failing(refused, error) if refused.wants_close() => {
                self.stage = Stage::Failed(refused.into_error(error));
            }
            other => self.stage = other,
        }
    }

    /// The server said no; but there may be another address, or another version, to try.
    fn refused(&mut self, handshake: Box<ClientHandshake>, error: HandshakeError) {
        let Some(response) = handshake.response() else {
            return self.fail(Refused::Server(handshake), error);
        };
        let redirect = self.redirects.as_mut().and_then(|redirects| redirects.next(&self.request, response));
        let older = self.versions.and_then(|versions| self.request.in_older_version(response, versions));
        let response = Box::new(response.clone());
        match (redirect, older) {
            (Some(Ok(request)), _) => {
                self.stage = Stage::Redirect(Box::new(request), response, handshake.into_entropy());
            }
            (Some(Err(error)), _) => self.stage = Stage::Failed(JourneyError::Redirect(error, response)),
            (None, Some(request)) => self.restart(request, handshake.into_entropy()),
            (None, None) => self.fail(Refused::Server(handshake), error),
        }
    }

    /// Comes to nothing; but first waits a moment for the rest of the body, which often says why.
    fn fail(&mut self, refused: Refused, error: HandshakeError) {
        self.deadline = Deadline::new(Some(BODY_TIMEOUT));
        self.stage = Stage::Failing(refused, error);
        self.advance();
    }

    fn restart(&mut self, request: ClientRequest, entropy: BoxEntropy) {
        self.request = request;
        self.deadline = Deadline::new(self.config.timeouts.handshake);
        self.stage = Stage::Dial(entropy);
    }

    /// No more is to come, for this reason.
    fn end(&mut self, error: HandshakeError) {
        match &mut self.stage {
            Stage::Proxy(exchange, _) | Stage::Failing(Refused::Proxy(exchange), _) => exchange.end(error),
            Stage::Server(exchange) | Stage::Failing(Refused::Server(exchange), _) => exchange.end(error),
            Stage::Dial(_) | Stage::ProxyTls(_) | Stage::ServerTls(_) | Stage::Ask(..) => {
                self.stage = Stage::Failed(JourneyError::Handshake(error, None));
            }
            Stage::Redirect(..) | Stage::Open(..) | Stage::Failed(_) => {}
        }
        self.advance();
        if let Stage::Proxy(..) = self.stage {
            // It answered, and does not take the rest of the request.
            self.stage = Stage::Failed(JourneyError::Proxy(error, None));
        }
    }
}

impl Refused {
    fn wants_close(&self) -> bool {
        match self {
            Self::Proxy(exchange) => exchange.wants_close(),
            Self::Server(exchange) => exchange.wants_close(),
        }
    }

    fn into_error(self, error: HandshakeError) -> JourneyError {
        match self {
            Self::Proxy(exchange) => JourneyError::Proxy(error, exchange.into_response().map(Box::new)),
            Self::Server(exchange) => JourneyError::Handshake(error, exchange.into_response().map(Box::new)),
        }
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journey")
            .field("step", &self.step())
            .field("request", &self.request)
            .field("proxies", &self.proxies)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}

/// For the rest of a refusal's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
