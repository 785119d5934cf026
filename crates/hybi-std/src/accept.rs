//! The server: read the request, let the application decide, answer.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use hybi::Config;
use hybi::handshake::{
    Accept, Answer, AnswerError, Incoming, Request, RequestHead, ServerHandshake, ServerSettings,
};

use crate::error::Error;
use crate::transport::{Timed, Transport, Waited};
use crate::websocket::WebSocket;

/// Makes the opening handshake on a connected stream and accepts whatever good request comes, from any
/// origin. To look at the request first, use an [`Acceptor`].
///
/// # Errors
/// [`Error::Handshake`] if the request is no good (it was answered), [`Error::Io`].
pub fn accept<S: Transport>(stream: S) -> Result<WebSocket<S>, Error> {
    Acceptor::default().accept(stream)
}

/// Reads requests, with a configuration of one's own.
///
/// ```no_run
/// use hybi_std::{Accept, Acceptor, Arrival, Answer};
/// # let stream = std::net::TcpStream::connect("127.0.0.1:1")?;
/// if let Arrival::Upgrade(pending) = Acceptor::default().read(stream)? {
///     if pending.request().origin_allowed(&["https://example.com"]) {
///         let socket = pending.accept(Accept::new())?;
///     } else {
///         pending.reject(Answer::new(403))?;
///     }
/// }
/// # Ok::<(), hybi_std::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    config: Arc<Config>,
    settings: ServerSettings,
}

/// What arrived.
#[derive(Debug)]
pub enum Arrival<S> {
    /// A good request for a WebSocket.
    Upgrade(Pending<S>),
    /// A request for something else: only with [`ServerSettings::plain_requests`].
    Plain(PlainRequest<S>),
}

/// A good request that waits for an answer.
#[derive(Debug)]
pub struct Pending<S> {
    door: Door<S>,
    request: Request,
}

/// A request for something else that waits for an answer.
#[derive(Debug)]
pub struct PlainRequest<S> {
    door: Door<S>,
    head: RequestHead,
}

/// A handshake and its transport.
#[derive(Debug)]
struct Door<S> {
    transport: Timed<S>,
    handshake: ServerHandshake,
}

impl Acceptor {
    /// An acceptor whose connections have this configuration.
    pub fn new(config: impl Into<Arc<Config>>, settings: ServerSettings) -> Self {
        Self { config: config.into(), settings }
    }

    /// Reads a request. One that is no good is answered here.
    ///
    /// # Errors
    /// [`Error::Handshake`] or [`Error::Io`].
    pub fn read<S: Transport>(&self, stream: S) -> Result<Arrival<S>, Error> {
        let handshake = ServerHandshake::new(self.config.clone(), self.settings.clone());
        let mut door = Door { transport: Timed::new(stream), handshake };
        match door.wait()? {
            Incoming::Upgrade(request) => Ok(Arrival::Upgrade(Pending { door, request })),
            Incoming::Plain(head) => Ok(Arrival::Plain(PlainRequest { door, head })),
            Incoming::Failed(error) => {
                door.finish()?;
                Err(Error::Handshake(error))
            }
        }
    }
}

impl Acceptor {
    /// Reads a request and accepts it if it is good, from any origin. A request for something else is answered
    /// with 426.
    ///
    /// # Errors
    /// [`Error::Handshake`] if the request is no good (it was answered), [`Error::Io`].
    pub fn accept<S: Transport>(&self, stream: S) -> Result<WebSocket<S>, Error> {
        match self.read(stream)? {
            Arrival::Upgrade(pending) => pending.accept(Accept::new()),
            Arrival::Plain(plain) => {
                plain.respond(Answer::new(426))?;
                Err(Error::Handshake(hybi::HandshakeError::BadUpgrade))
            }
        }
    }
}

impl<S: Transport> Pending<S> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The transport: for the peer's address.
    pub fn get_ref(&self) -> &S {
        &self.door.transport.stream
    }

    /// Accepts it.
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub fn accept(mut self, accept: Accept) -> Result<WebSocket<S>, Error> {
        let connection = self.door.handshake.accept(accept)?;
        let mut socket = WebSocket::from_timed(self.door.transport, connection);
        socket.flush()?;
        Ok(socket)
    }

    /// Rejects it.
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub fn reject(mut self, answer: Answer) -> Result<(), Error> {
        self.door.handshake.reject(answer)?;
        Ok(self.door.finish()?)
    }
}

impl<S: Transport> PlainRequest<S> {
    /// The request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Answers it and ends the transport.
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub fn respond(mut self, answer: Answer) -> Result<(), Error> {
        self.door.handshake.respond(answer)?;
        Ok(self.door.finish()?)
    }

    /// The request and the transport, for an answer that the core has no words for, a stream for one. It ends the
    /// transport (`Connection: close`): what the peer wrote behind its request is gone.
    pub fn into_parts(self) -> (RequestHead, S) {
        (self.head, self.door.transport.into_stream())
    }
}

impl<S: Transport> Door<S> {
    fn wait(&mut self) -> io::Result<Incoming> {
        let mut scratch = [0; 4096];
        loop {
            if let Some(incoming) = self.handshake.poll_event() {
                return Ok(incoming);
            }
            match self.transport.read(&mut scratch, self.handshake.poll_timeout())? {
                Waited::Moved(0) => self.handshake.receive_eof(),
                // One read, and there is room for many, unless there is no memory.
                Waited::Moved(n) if self.handshake.receive(&scratch[..n]) < n => {
                    return Err(ErrorKind::OutOfMemory.into());
                }
                Waited::Moved(_) => {}
                Waited::Elapsed => self.handshake.handle_timeout(self.transport.now()),
            }
        }
    }

    /// Transmits the answer, ends our side, and lets the peer read it before the transport goes.
    fn finish(&mut self) -> io::Result<()> {
        let patience = self.transport.now() + std::time::Duration::from_secs(2);
        loop {
            let output = self.handshake.transmit();
            if output.is_empty() {
                break;
            }
            match self.transport.write(&[IoSlice::new(output)], Some(patience))? {
                Waited::Moved(n) => self.handshake.transmitted(n),
                Waited::Elapsed if self.transport.now() >= patience => break,
                Waited::Elapsed => {}
            }
        }
        self.transport.end_writing();
        let mut scratch = [0; 4096];
        let mut left = 64 * 1024; // whoever goes on sending does not keep us here
        while let Ok(Waited::Moved(n @ 1..)) = self.transport.read(&mut scratch, Some(patience)) {
            left -= n.min(left);
            if left == 0 {
                break;
            }
        }
        self.transport.end();
        Ok(())
    }
}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Self {
        Self::Answer(error)
    }
}
