//! The client: where to connect and what to ask for in, an open WebSocket out.
//!
//! The core says what comes next ([`Journey`]): dial, TLS, a tunnel through a proxy, the opening handshake,
//! redirects. The runtime does it, and this file waits.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hybi::handshake::{ClientRequest, Hop, Journey, Proxies, Proxy, Redirects, Response, Step};
use hybi::{BoxEntropy, Config, Instant, SystemEntropy};

use crate::error::ConnectError;
use crate::runtime::{Dial, Io, Runtime};
use crate::turns::{Admission, ConnectGate};
use crate::websocket::WebSocket;
use crate::wire::{Clock, Wire};

/// Connects with a configuration of one's own.
///
/// `wss://` needs to know whom to trust: some features of an adapter bring that along, without them it comes by
/// [`with_tls`](Self::with_tls).
pub struct Connector<R: Dial> {
    config: Arc<Config>,
    proxies: Proxies,
    redirects: Option<Redirects>,
    on_redirect: Option<Arc<OnRedirect>>,
    before_request: Option<Arc<BeforeRequest<R>>>,
    gate: Option<ConnectGate>,
    tls: Option<R::Tls>,
    proxy_tls: Option<R::Tls>,
}

type BeforeRequest<R> = dyn Fn(&<R as Dial>::Stream, ClientRequest) -> ClientRequest + Send + Sync;
type OnRedirect = dyn Fn(&ClientRequest) -> Option<ClientRequest> + Send + Sync;

/// A journey, and what it goes by.
struct Way<S, R: Runtime> {
    journey: Journey,
    clock: Clock<R>,
    wire: Option<Wire<S, R>>,
    /// Why the transport ended.
    broken: Option<io::Error>,
}

impl<R: Dial> Connector<R> {
    /// A connector whose connections have this configuration.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        Self {
            config: config.into(),
            proxies: Proxies::default(),
            redirects: None,
            on_redirect: None,
            before_request: None,
            gate: None,
            tls: None,
            proxy_tls: None,
        }
    }

    /// The same with this configuration of TLS, for servers and for proxies.
    #[must_use]
    pub fn with_tls(self, tls: impl Into<R::Tls>) -> Self {
        Self { tls: Some(tls.into()), ..self }
    }

    /// The same with another configuration of TLS for proxies.
    #[must_use]
    pub fn with_proxy_tls(self, tls: impl Into<R::Tls>) -> Self {
        Self { proxy_tls: Some(tls.into()), ..self }
    }

    /// The same through a [`Proxy`], or through whichever [`Proxies`] says for each address.
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
        hook: impl Fn(&R::Stream, ClientRequest) -> ClientRequest + Send + Sync + 'static,
    ) -> Self {
        Self { before_request: Some(Arc::new(hook)), ..self }
    }

    /// The same waiting at this gate until nobody else who does is connecting to the same address (RFC 6455 §4.1).
    #[must_use]
    pub fn with_gate(self, gate: ConnectGate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Connects. Each attempt (one, and one for each redirect) has the time of
    /// [`Timeouts::handshake`](hybi::Timeouts), from looking the host up to the open connection.
    ///
    /// Cancel safety: dropping the future ends the attempt, and nothing of it is left.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(
        &self,
        request: ClientRequest,
    ) -> Result<(WebSocket<R::Stream, R>, Response), ConnectError>
    where
        R: Io<<R as Dial>::Stream>,
    {
        let mut journey = self.journey(request).with_proxies(self.proxies.clone());
        if let Some(redirects) = &self.redirects {
            journey = journey.with_redirects(redirects.clone());
        }
        if self.before_request.is_some() {
            journey = journey.stopping_to_ask();
        }
        let mut way = Way::new(journey);
        let mut admission = None;
        loop {
            let now = way.clock.now();
            way.journey.handle_timeout(now);
            let deadline = way.journey.poll_timeout();
            match way.journey.step() {
                Step::Dial(place) => {
                    self.check_tls(way.journey.request())?;
                    way.wire = None;
                    drop(admission.take()); // of what was dialed before
                    let admitting = Admission::to(self.gate.clone(), way.journey.hidden_destination());
                    let Some(admitted) = within(&mut way.clock, deadline, admitting).await else { continue };
                    let admission = admission.insert(admitted);
                    if let Some(stream) = within(&mut way.clock, deadline, R::dial(place, admission)).await {
                        way.wire = Some(Wire::new(stream?));
                        way.journey.dialed();
                    }
                }
                Step::StartTls { server_name, hop } => {
                    let tls = self.tls(hop)?;
                    let stream = way.wire.take().expect("it was dialed").stream;
                    let secured =
                        within(&mut way.clock, deadline, R::start_tls(stream, tls, server_name)).await;
                    if let Some(stream) = secured {
                        way.wire = Some(Wire::new(stream.map_err(ConnectError::Tls)?));
                        way.journey.secured();
                    }
                }
                Step::Exchange => poll_fn(|cx| way.poll_exchange(cx)).await?,
                Step::Ask(request) => {
                    let (hook, wire) = (self.before_request.as_ref(), way.wire.as_ref());
                    let stream = &wire.expect("it was dialed").stream;
                    let request = hook.expect("it stops for that")(stream, request.clone());
                    way.journey.ask(request);
                }
                Step::Redirect(request) => match self.next(request) {
                    Some(request) => way.journey.follow(request),
                    None => way.journey.stop(),
                },
                Step::Over => return way.arrive().await,
            }
        }
    }

    /// Makes the opening handshake over a transport that is connected already, whatever it is; for `wss://` it
    /// is encrypted already.
    ///
    /// Cancel safety: the stream belongs to the future; dropping that ends the connection.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn handshake<S>(
        &self,
        stream: S,
        request: ClientRequest,
    ) -> Result<(WebSocket<S, R>, Response), ConnectError>
    where
        R: Io<S>,
    {
        let mut way = Way::new(self.journey(request));
        way.wire = Some(Wire::new(stream));
        way.journey.handle_timeout(way.clock.now());
        way.journey.dialed();
        way.journey.secured();
        while way.journey.step() == Step::Exchange {
            poll_fn(|cx| way.poll_exchange(cx)).await?;
        }
        way.arrive().await
    }

    fn journey(&self, request: ClientRequest) -> Journey {
        Journey::new(request, self.config.clone(), BoxEntropy::new(SystemEntropy))
    }

    /// Before anything is dialed: whether there is TLS where it will be asked for.
    fn check_tls(&self, request: &ClientRequest) -> Result<(), ConnectError> {
        let uri = request.uri();
        if uri.is_secure() {
            self.tls(Hop::Server)?;
        }
        if self.proxies.select(uri).is_some_and(Proxy::is_secure) {
            self.tls(Hop::Proxy)?;
        }
        Ok(())
    }

    fn tls(&self, hop: Hop) -> Result<R::Tls, ConnectError> {
        let for_proxy = self.proxy_tls.as_ref().filter(|_| hop == Hop::Proxy);
        match for_proxy.or(self.tls.as_ref()) {
            Some(tls) => Ok(tls.clone()),
            None => R::default_tls().ok_or(ConnectError::NoTls)?.map_err(ConnectError::Tls),
        }
    }

    fn next(&self, request: &ClientRequest) -> Option<ClientRequest> {
        self.on_redirect.as_ref().map_or_else(|| Some(request.clone()), |hook| hook(request))
    }
}

/// Waits for something, but no longer than until then.
async fn within<T, R: Runtime>(
    clock: &mut Clock<R>,
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => clock.poll(cx, deadline).map(|_| None),
    })
    .await
}

impl<S, R: Runtime> Way<S, R> {
    fn new(journey: Journey) -> Self {
        Self { journey, clock: Clock::new(), wire: None, broken: None }
    }
}

impl<S, R: Io<S>> Way<S, R> {
    /// Writes and reads until the journey wants something else.
    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.journey.step() == Step::Exchange {
            match self.poll_step(cx) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::OutOfMemory => {
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Err(error)) => {
                    self.broken = Some(error);
                    self.journey.receive_eof();
                }
                Poll::Ready(Ok(())) => {}
                Poll::Pending => {
                    let now = ready!(self.clock.poll(cx, self.journey.poll_timeout()));
                    self.journey.handle_timeout(now);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Transmits what waits; then reads once.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { journey, wire: Some(wire), .. } = self else { return Poll::Ready(Ok(())) };
        if !journey.transmit().is_empty() {
            let n = ready!(wire.poll_write(cx, &[journey.transmit()]))?;
            journey.transmitted(n);
            return Poll::Ready(Ok(()));
        }
        ready!(wire.poll_flush(cx))?;
        let mut is_full = false;
        // One read, and there is room for many, unless there is no memory.
        if ready!(wire.poll_read(cx, |octets| is_full = journey.receive(octets) < octets.len()))? == 0 {
            journey.receive_eof();
        }
        Poll::Ready(if is_full { Err(ErrorKind::OutOfMemory.into()) } else { Ok(()) })
    }

    /// The end of the journey.
    async fn arrive(mut self) -> Result<(WebSocket<S, R>, Response), ConnectError> {
        match (self.journey.into_connection(), &mut self.wire) {
            (Ok((connection, response)), _) => {
                let wire = self.wire.expect("a connection was made over it");
                Ok((WebSocket::from_wire(wire, connection), response))
            }
            (Err(error), wire) => {
                if let Some(wire) = wire {
                    poll_fn(|cx| wire.poll_end(cx)).await;
                }
                match self.broken {
                    Some(broken) if error.response().is_none() => Err(broken.into()),
                    _ => Err(error.into()),
                }
            }
        }
    }
}

impl<R: Dial> Default for Connector<R> {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl<R: Dial> Clone for Connector<R> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            proxies: self.proxies.clone(),
            redirects: self.redirects.clone(),
            on_redirect: self.on_redirect.clone(),
            before_request: self.before_request.clone(),
            gate: self.gate.clone(),
            tls: self.tls.clone(),
            proxy_tls: self.proxy_tls.clone(),
        }
    }
}

impl<R: Dial> fmt::Debug for Connector<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("config", &self.config)
            .field("proxies", &self.proxies)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}
