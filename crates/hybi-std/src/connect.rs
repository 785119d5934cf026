//! The client: resolve, connect, shake hands.

use std::io::{self, ErrorKind, IoSlice};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, net};

use hybi::handshake::{ClientHandshake, ClientRequest, Outcome, RequestError, Response};
use hybi::{BoxEntropy, Config, HandshakeError, SystemEntropy};

use crate::transport::{Timed, Transport, Waited};
use crate::websocket::WebSocket;

/// Connects to a `ws://` address over TCP, and returns the open WebSocket with the server's answer.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(url: &str) -> Result<(WebSocket<TcpStream>, Response), ConnectError> {
    Connector::default().connect(ClientRequest::new(url)?)
}

/// Connects with a configuration of one's own.
///
/// ```no_run
/// use hybi_std::{ClientRequest, Connector};
/// let request = ClientRequest::new("ws://127.0.0.1:9001/chat")?.with_subprotocol("v2.feed")?;
/// let (socket, response) = Connector::default().connect(request)?;
/// # Ok::<(), hybi_std::ConnectError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connector {
    config: Arc<Config>,
}

impl Connector {
    /// A connector whose connections have this configuration.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        Self { config: config.into() }
    }

    /// Connects over TCP, trying each address of the host in turn. `TCP_NODELAY` is set. Connecting and the
    /// opening handshake each have the time of [`Timeouts::handshake`](hybi::Timeouts).
    ///
    /// # Errors
    /// [`ConnectError`]; addresses that ask for TLS or a Unix socket are `Unsupported` here.
    pub fn connect(&self, request: ClientRequest) -> Result<(WebSocket<TcpStream>, Response), ConnectError> {
        let uri = request.uri();
        if uri.is_secure() || uri.unix_path().is_some() {
            return Err(io::Error::new(ErrorKind::Unsupported, "neither TLS nor a Unix socket").into());
        }
        let stream = self.dial((uri.host().trim_matches(['[', ']']), uri.port()))?;
        stream.set_nodelay(true)?;
        self.handshake(stream, request)
    }

    /// Connects over the Unix socket that a `ws+unix:` address names.
    ///
    /// # Errors
    /// [`ConnectError`]; other addresses are `Unsupported` here.
    #[cfg(unix)]
    pub fn connect_unix(
        &self,
        request: ClientRequest,
    ) -> Result<(WebSocket<UnixStream>, Response), ConnectError> {
        let Some(path) = request.uri().unix_path() else {
            return Err(io::Error::new(ErrorKind::Unsupported, "not the address of a Unix socket").into());
        };
        let stream = UnixStream::connect(path)?;
        self.handshake(stream, request)
    }

    /// Makes the opening handshake over a transport that is connected already, whatever it is.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn handshake<S: Transport>(
        &self,
        stream: S,
        request: ClientRequest,
    ) -> Result<(WebSocket<S>, Response), ConnectError> {
        let mut transport = Timed::new(stream);
        let entropy = BoxEntropy::new(SystemEntropy);
        let mut handshake = ClientHandshake::new(request, self.config.clone(), entropy);
        let mut scratch = [0; 4096];
        let outcome = loop {
            if let Some(outcome) = handshake.poll_event() {
                break outcome;
            }
            let deadline = handshake.poll_timeout();
            let waited = match handshake.transmit() {
                [] => transport.read(&mut scratch, deadline)?,
                output => {
                    if let Waited::Moved(n) = transport.write(&[IoSlice::new(output)], deadline)? {
                        handshake.transmitted(n);
                        continue;
                    }
                    Waited::Elapsed
                }
            };
            match waited {
                Waited::Moved(0) => handshake.receive_eof(),
                // One read, and there is room for many, unless there is no memory.
                Waited::Moved(n) if handshake.receive(&scratch[..n]) < n => {
                    return Err(io::Error::from(ErrorKind::OutOfMemory).into());
                }
                Waited::Moved(_) => {}
                Waited::Elapsed => handshake.handle_timeout(transport.now()),
            }
        };
        match outcome {
            Outcome::Opened(response) => {
                let connection = handshake.into_connection().expect("it was opened just now");
                Ok((WebSocket::from_timed(transport, connection), response))
            }
            Outcome::Failed(error) => {
                read_body(&mut transport, &mut handshake);
                transport.end();
                Err(ConnectError::Handshake(error, handshake.into_response().map(Box::new)))
            }
        }
    }

    /// Tries each address of the host; all of them together have the time of a handshake.
    fn dial(&self, address: (&str, u16)) -> io::Result<TcpStream> {
        let Some(limit) = self.config.timeouts.handshake else { return TcpStream::connect(address) };
        let deadline = Instant::now() + limit;
        let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for address in net::ToSocketAddrs::to_socket_addrs(&address)? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Reads what the server says about its refusal, as far as the limits go and it comes in time.
fn read_body<S: Transport>(transport: &mut Timed<S>, handshake: &mut ClientHandshake) {
    let patience = transport.now() + std::time::Duration::from_secs(2);
    let mut scratch = [0; 4096];
    while !handshake.wants_close() {
        match transport.read(&mut scratch, Some(patience)) {
            Ok(Waited::Moved(n)) if n > 0 && handshake.receive(&scratch[..n]) > 0 => {}
            _ => handshake.receive_eof(),
        }
    }
}

/// Why no connection came about.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address or something else in the request cannot be.
    Request(RequestError),
    /// The transport failed.
    Io(io::Error),
    /// The opening handshake failed; the server's answer is beside the reason, if one came.
    Handshake(HandshakeError, Option<Box<Response>>),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::Handshake(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Handshake(error, _) => Some(error),
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
