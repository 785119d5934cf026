//! WebSockets on the port of a hyper server: a request that hyper has read in; the response for hyper and, once it
//! went out, a WebSocket. Over HTTP/1.1 by upgrade (RFC 6455), over HTTP/2 by extended CONNECT (RFC 8441).
//!
//! The rules are those of the core, which judges the request and says what the response has in it; what is here
//! carries headers from one type to another.
//!
//! ```no_run
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use hybi_tokio::hyper::Upgrade;
//! use hybi_tokio::{Accept, Event};
//! use hyper::body::{Bytes, Incoming};
//!
//! async fn serve(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
//!     if request.uri().path() != "/feed" {
//!         return Ok(Response::new(Full::from("a page")));
//!     }
//!     let upgrade = match Upgrade::of(&mut request) {
//!         Ok(upgrade) => upgrade,
//!         Err(refused) => return Ok(refused.into_response()),
//!     };
//!     let Ok((response, opening)) = upgrade.accept(Accept::new()) else { unreachable!("nothing is asked for") };
//!     tokio::spawn(async move {
//!         let Ok(mut socket) = opening.open().await else { return };
//!         while let Some((event, sender)) = socket.recv_with().await {
//!             if let Event::Text(text) = event {
//!                 let _ = sender.send(&text);
//!             }
//!         }
//!     });
//!     Ok(response)
//! }
//! ```
//!
//! For HTTP/1.1 the server has to be told to allow upgrades (`with_upgrades`), for HTTP/2 to allow extended CONNECT
//! (`enable_connect_protocol`).

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::hyper::body::Body;
use ::hyper::client::conn::http2;
use ::hyper::ext::Protocol;
use ::hyper::rt::bounds::Http2ClientConnExec;
use ::hyper::rt::{Read, Write};
use ::hyper::upgrade::{self, OnUpgrade};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, request, response,
};
use hybi::handshake::{Accept, Answer, AnswerError, ClientRequest, Fields, Refusal, Request};
use hybi::{Agreement, Config, Connection, HandshakeError, SystemEntropy, Versions};
use hybi_futures::adapter::in_time;
use hyper_util::rt::TokioIo;

use crate::{ConnectError, Error, Tokio, WebSocket};

/// What a WebSocket that hyper has opened runs over: a connection of HTTP/1.1, or a stream of HTTP/2.
pub type Upgraded = TokioIo<upgrade::Upgraded>;

/// A good request for a WebSocket, which waits for an answer.
#[derive(Debug)]
pub struct Upgrade {
    request: Request,
    is_stream: bool,
    on_upgrade: OnUpgrade,
    config: Arc<Config>,
}

/// A request that breaks a rule, and the response that it should get.
#[derive(Clone, Debug)]
pub struct Refused {
    refusal: Refusal,
    is_stream: bool,
}

/// An accepted request, whose WebSocket opens when the response has gone out.
#[derive(Debug)]
pub struct Opening {
    on_upgrade: OnUpgrade,
    agreement: Agreement,
    config: Arc<Config>,
}

impl Upgrade {
    /// Judges a request, and takes out of it what hyper needs to hand the transport over later.
    ///
    /// # Errors
    /// [`Refused`]: the rule that the request breaks, with the response.
    pub fn of<B>(request: &mut http::Request<B>) -> Result<Self, Refused> {
        let on_upgrade = request.extensions_mut().remove();
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        head.upgrade(on_upgrade, Versions::default())
    }

    /// The same for the parts of a request, and with the versions of the protocol that are spoken.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_parts(parts: &mut request::Parts, versions: Versions) -> Result<Self, Refused> {
        let on_upgrade = parts.extensions.remove();
        let head = Head {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            extensions: &parts.extensions,
        };
        head.upgrade(on_upgrade, versions)
    }

    /// The same with a configuration for the connection.
    #[must_use]
    pub fn with_config(self, config: impl Into<Arc<Config>>) -> Self {
        Self { config: config.into(), ..self }
    }

    /// The request: for the origin, the subprotocols, the headers.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Accepts it: the response for hyper, and the WebSocket to come.
    ///
    /// # Errors
    /// [`AnswerError`]: the subprotocol was not offered, a header may not be sent. The response is 500 then.
    pub fn accept<B: Default>(self, accept: Accept) -> Result<(http::Response<B>, Opening), AnswerError> {
        let acceptance = self.request.accept(accept)?;
        let response = response(acceptance.status, &acceptance.fields, B::default());
        let Self { on_upgrade, config, .. } = self;
        Ok((response, Opening { on_upgrade, agreement: acceptance.agreement, config }))
    }

    /// Rejects it.
    pub fn reject<B: From<Vec<u8>>>(self, answer: &Answer) -> http::Response<B> {
        respond(answer, self.is_stream)
    }
}

impl Refused {
    /// The rule.
    pub fn error(&self) -> HandshakeError {
        self.refusal.error
    }

    /// The response, with a body of any type that octets can become.
    pub fn into_response<B: From<Vec<u8>>>(self) -> http::Response<B> {
        respond(&self.refusal.answer, self.is_stream)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.refusal.error.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl Opening {
    /// What was agreed on.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Waits until hyper has sent the response, and gives the WebSocket. Run it in a task of its own: the response
    /// goes out after the service has returned it.
    ///
    /// Cancel safety: the connection belongs to the future; dropping that ends it.
    ///
    /// # Errors
    /// [`Error::Io`]: the response could not be sent, or the server does not allow upgrades.
    pub async fn open(self) -> Result<WebSocket<Upgraded>, Error> {
        let upgraded = self.on_upgrade.await.map_err(io::Error::other)?;
        Ok(WebSocket::new(TokioIo::new(upgraded), Connection::server(self.agreement, self.config)))
    }
}

/// What only a server can allow: WebSockets on its connections of HTTP/2 (RFC 8441 §3).
#[derive(Clone, Copy, Debug)]
pub struct Allowed(());

/// The longest pause between two looks at the settings.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Drives a new connection of HTTP/2 until the server's settings have come, and allow WebSockets. Then the connection
/// can go into a task of its own.
///
/// Cancel safety: a connection that was driven for some time can be driven on.
///
/// # Errors
/// `TimedOut`: within the limit the server has not said so; `ConnectionAborted`: the connection ended.
pub async fn allowed<T, B, E>(
    connection: &mut http2::Connection<T, B, E>,
    limit: Duration,
) -> io::Result<Allowed>
where
    T: Read + Write + Unpin + 'static,
    B: Body + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: Http2ClientConnExec<B, T> + Unpin,
{
    let settings = async {
        let mut pause = Duration::from_millis(1);
        loop {
            // The settings come to a task of hyper's own, which tells nobody: so they are looked for again and again.
            let mut look_again = std::pin::pin!(tokio::time::sleep(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
            let ended = poll_fn(|cx| match Pin::new(&mut *connection).poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if connection.is_extended_connect_protocol_enabled() => Poll::Ready(None),
                Poll::Pending => look_again.as_mut().poll(cx).map(|()| None),
            });
            match ended.await {
                _ if connection.is_extended_connect_protocol_enabled() => return Ok(Allowed(())),
                Some(Err(error)) => return Err(io::Error::new(ErrorKind::ConnectionAborted, error)),
                Some(Ok(())) => return Err(ErrorKind::ConnectionAborted.into()),
                None => {}
            }
        }
    };
    in_time::<Tokio, _>(Some(limit), settings).await
}

/// Opens a WebSocket on a connection of HTTP/2 (RFC 8441), beside whatever else goes over it; with the head of the
/// server's answer.
///
/// ```no_run
/// # async fn open(stream: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use http_body_util::Empty;
/// use hybi_tokio::{ClientRequest, Config};
/// use hybi_tokio::hyper::{allowed, connect_http2};
/// use hyper::{body::Bytes, client::conn::http2};
/// use hyper_util::rt::{TokioExecutor, TokioIo};
///
/// let (mut sender, mut connection) =
///     http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await?;
/// let allowed = allowed(&mut connection, Duration::from_secs(10)).await?;
/// tokio::spawn(connection);
///
/// let request = ClientRequest::new("wss://server.example/feed")?;
/// let (mut socket, _head) = connect_http2(&mut sender, allowed, &request, Config::default()).await?;
/// socket.send("high water?").await?;
/// # Ok(())
/// # }
/// ```
///
/// Cancel safety: dropping the future ends the stream; the connection goes on.
///
/// # Errors
/// [`ConnectError::Handshake`]: the answer breaks a rule, or refuses; [`ConnectError::Io`].
pub async fn connect_http2<B>(
    sender: &mut http2::SendRequest<B>,
    _: Allowed,
    request: &ClientRequest,
    config: impl Into<Arc<Config>>,
) -> Result<(WebSocket<Upgraded>, response::Parts), ConnectError>
where
    B: Body + Default + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answered = sender.send_request(extended_connect(request)?).await.map_err(io::Error::other)?;
    let pairs = answered.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let agreement = request
        .judge_extended(answered.status().as_u16(), pairs)
        .map_err(|error| ConnectError::Handshake(error, None))?;
    let head = answered.headers().clone();
    let status = answered.status();
    let upgraded = upgrade::on(answered).await.map_err(io::Error::other)?;
    let connection = Connection::client(agreement, config, SystemEntropy);
    let (mut parts, ()) = http::Response::new(()).into_parts();
    (parts.status, parts.headers, parts.version) = (status, head, Version::HTTP_2);
    Ok((WebSocket::new(TokioIo::new(upgraded), connection), parts))
}

fn extended_connect<B: Default>(request: &ClientRequest) -> Result<http::Request<B>, ConnectError> {
    let mut made = http::Request::new(B::default());
    let (mut scheme, mut authority, mut path) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in request.extended_connect() {
        match &*name {
            ":method" | ":protocol" => {}
            ":scheme" => scheme = value,
            ":authority" => authority = value,
            ":path" => path = value,
            name => drop(made.headers_mut().append(header_name(name), header_value(&value))),
        }
    }
    let uri = Uri::builder().scheme(&*scheme).authority(&*authority).path_and_query(&*path).build();
    *made.uri_mut() = uri.map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    *made.method_mut() = Method::CONNECT;
    *made.version_mut() = Version::HTTP_2;
    made.extensions_mut().insert(Protocol::from_static("websocket"));
    Ok(made)
}

/// The head of a request, wherever it is.
struct Head<'r> {
    method: &'r Method,
    uri: &'r Uri,
    version: Version,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
}

impl Head<'_> {
    fn upgrade(&self, on_upgrade: Option<OnUpgrade>, versions: Versions) -> Result<Upgrade, Refused> {
        let is_stream = self.version >= Version::HTTP_2;
        let judged = if is_stream { self.judge_stream(versions) } else { self.judge(versions) };
        let request = judged.map_err(|refusal| Refused { refusal, is_stream })?;
        let on_upgrade = on_upgrade.ok_or_else(|| {
            let answer = Answer::new(500).with_body("upgrades are not possible here");
            Refused { refusal: Refusal { error: HandshakeError::BadUpgrade, answer }, is_stream }
        })?;
        Ok(Upgrade { request, is_stream, on_upgrade, config: Arc::default() })
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn judge(&self, versions: Versions) -> Result<Request, Refusal> {
        let version = if self.version == Version::HTTP_11 { (1, 1) } else { (1, 0) };
        let target = self.uri.to_string();
        Request::from_parts(versions, self.method.as_str(), version, &target, self.fields())
    }

    fn judge_stream(&self, versions: Versions) -> Result<Request, Refusal> {
        let protocol = self.extensions.get::<Protocol>().map(Protocol::as_str);
        let pseudo = [
            (":method", Some(self.method.as_str())),
            (":protocol", protocol),
            (":scheme", self.uri.scheme_str()),
            (":authority", self.uri.authority().map(http::uri::Authority::as_str)),
            (":path", self.uri.path_and_query().map(http::uri::PathAndQuery::as_str)),
        ];
        let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name, value?.as_bytes())));
        let version = if self.version == Version::HTTP_2 { (2, 0) } else { (3, 0) };
        Request::from_extended_connect(versions, version, pseudo.chain(self.fields()))
    }
}

fn respond<B: From<Vec<u8>>>(answer: &Answer, is_stream: bool) -> http::Response<B> {
    let fields = if is_stream { answer.stream_fields() } else { answer.all_fields() };
    response(answer.status(), &fields, answer.body().to_vec().into())
}

fn response<B>(status: u16, fields: &Fields, body: B) -> http::Response<B> {
    let mut response = http::Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in fields.iter() {
        response.headers_mut().append(header_name(name), header_value(value));
    }
    response
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).expect("the core lets none but tokens be names")
}

fn header_value(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).expect("the core lets no control characters be in values")
}
