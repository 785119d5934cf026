//! The server: read the request, let the application decide, answer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hybi::handshake::{Accept, Answer, Incoming, Request, RequestHead, ServerHandshake, ServerSettings};
use hybi::{Config, HandshakeError, Instant};

use crate::error::Error;
use crate::runtime::{Io, Runtime};
use crate::websocket::WebSocket;
use crate::wire::{PATIENCE, Wire};

/// Reads requests, with a configuration of one's own.
pub struct Acceptor<R> {
    config: Arc<Config>,
    settings: ServerSettings,
    runtime: PhantomData<fn() -> R>,
}

/// What arrived.
#[derive(Debug)]
pub enum Arrival<S, R: Runtime> {
    /// A good request for a WebSocket.
    Upgrade(Pending<S, R>),
    /// A request for something else: only with [`ServerSettings::plain_requests`].
    Plain(PlainRequest<S, R>),
}

/// A good request that waits for an answer.
pub struct Pending<S, R: Runtime> {
    /// In a box, like the request: the future of whoever answers has room for it as long as it lives.
    door: Box<Door<S, R>>,
    request: Box<Request>,
}

/// A request for something else that waits for an answer.
pub struct PlainRequest<S, R: Runtime> {
    door: Box<Door<S, R>>,
    head: Box<RequestHead>,
}

/// A handshake and its transport.
struct Door<S, R: Runtime> {
    wire: Wire<S, R>,
    handshake: ServerHandshake,
    closing: Closing,
}

/// How far a refusal has come.
#[derive(Default)]
struct Closing {
    /// When to stop waiting for the peer.
    until: Option<Instant>,
    /// Octets of the peer that were read and dropped.
    dropped: usize,
}

/// Whoever goes on sending after a refusal does not keep us.
const MOST_DROPPED: usize = 64 * 1024;

impl<R: Runtime> Acceptor<R> {
    /// An acceptor whose connections have this configuration.
    pub fn new(config: impl Into<Arc<Config>>, settings: ServerSettings) -> Self {
        Self { config: config.into(), settings, runtime: PhantomData }
    }

    /// Reads a request. One that is no good is answered here.
    ///
    /// Cancel safety: the stream belongs to the future; dropping that ends the connection.
    ///
    /// # Errors
    /// [`Error::Handshake`] or [`Error::Io`].
    pub async fn read<S>(&self, stream: S) -> Result<Arrival<S, R>, Error>
    where
        R: Io<S>,
    {
        let handshake = ServerHandshake::new(self.config.clone(), self.settings.clone());
        let mut door = Box::new(Door { wire: Wire::new(stream), handshake, closing: Closing::default() });
        match poll_fn(|cx| door.poll_incoming(cx)).await? {
            Incoming::Upgrade(request) => Ok(Arrival::Upgrade(Pending { door, request: Box::new(request) })),
            Incoming::Plain(head) => Ok(Arrival::Plain(PlainRequest { door, head: Box::new(head) })),
            Incoming::Failed(error) => {
                door.finish().await?;
                Err(Error::Handshake(error))
            }
        }
    }

    /// Reads a request, and accepts whatever good one comes, from any origin.
    ///
    /// Cancel safety: as [`read`](Self::read).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn accept<S>(&self, stream: S) -> Result<WebSocket<S, R>, Error>
    where
        R: Io<S>,
    {
        match self.read(stream).await? {
            Arrival::Upgrade(pending) => pending.accept(Accept::new()).await,
            Arrival::Plain(plain) => {
                plain.respond(Answer::new(426)).await?;
                Err(Error::Handshake(HandshakeError::BadUpgrade))
            }
        }
    }
}

impl<S, R: Io<S>> Pending<S, R> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The transport: for the peer's address.
    pub fn get_ref(&self) -> &S {
        &self.door.wire.stream
    }

    /// Accepts it: as an `async fn` would, in a future that is no larger than what waits for the transport.
    ///
    /// Cancel safety: the stream belongs to the future; dropping that ends the connection.
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub fn accept(
        mut self,
        accept: Accept,
    ) -> impl Future<Output = Result<WebSocket<S, R>, Error>> + use<S, R> {
        let accepted = self.door.handshake.accept(accept);
        let mut socket = Some(accepted.map(|connection| WebSocket::from_wire(self.door.wire, connection)));
        poll_fn(move |cx| {
            if let Some(Ok(socket)) = &mut socket {
                ready!(socket.poll_flush(cx))?;
            }
            Poll::Ready(Ok(socket.take().expect("it is polled no more when it was ready")?))
        })
    }

    /// Rejects it.
    ///
    /// Cancel safety: as [`accept`](Self::accept).
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub async fn reject(mut self, answer: Answer) -> Result<(), Error> {
        self.door.handshake.reject(answer)?;
        Ok(self.door.finish().await?)
    }
}

impl<S, R: Io<S>> PlainRequest<S, R> {
    /// The request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Answers it and ends the transport.
    ///
    /// Cancel safety: the stream belongs to the future; dropping that ends the connection.
    ///
    /// # Errors
    /// [`Error::Answer`] (nothing was written) or [`Error::Io`].
    pub async fn respond(mut self, answer: Answer) -> Result<(), Error> {
        self.door.handshake.respond(answer)?;
        Ok(self.door.finish().await?)
    }

    /// The request and the transport, for an answer that the core has no words for, a stream for one. It ends the
    /// transport (`Connection: close`): what the peer wrote behind its request is gone.
    pub fn into_parts(self) -> (RequestHead, S) {
        (*self.head, self.door.wire.stream)
    }
}

impl<S, R: Io<S>> Door<S, R> {
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        loop {
            if let Some(incoming) = self.handshake.poll_event() {
                return Poll::Ready(Ok(incoming));
            }
            let (handshake, mut is_full) = (&mut self.handshake, false);
            // One read, and there is room for many, unless there is no memory.
            match self.wire.poll_read(cx, |octets| is_full = handshake.receive(octets) < octets.len())? {
                Poll::Ready(0) => self.handshake.receive_eof(),
                Poll::Ready(_) if is_full => return Poll::Ready(Err(ErrorKind::OutOfMemory.into())),
                Poll::Ready(_) => {}
                Poll::Pending => {
                    let now = ready!(self.wire.poll_time(cx, self.handshake.poll_timeout()));
                    self.handshake.handle_timeout(now);
                }
            }
        }
    }

    /// Transmits the answer, ends our side, and lets the peer read it before the transport goes.
    async fn finish(mut self: Box<Self>) -> io::Result<()> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let until = *self.closing.until.get_or_insert_with(|| self.wire.now() + PATIENCE);
        match self.poll_finish_in_time(cx) {
            Poll::Pending => self.wire.poll_time(cx, Some(until)).map(|_| Ok(())),
            finished => finished,
        }
    }

    fn poll_finish_in_time(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.handshake.transmit().is_empty() {
            let n = ready!(self.wire.poll_write(cx, &[self.handshake.transmit()]))?;
            self.handshake.transmitted(n);
        }
        ready!(self.wire.poll_flush(cx))?;
        ready!(self.wire.poll_end_writing(cx));
        while self.closing.dropped < MOST_DROPPED {
            match ready!(self.wire.poll_read(cx, |_| {})) {
                Ok(n @ 1..) => self.closing.dropped += n,
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: Runtime> Default for Acceptor<R> {
    fn default() -> Self {
        Self::new(Config::default(), ServerSettings::default())
    }
}

impl<R> Clone for Acceptor<R> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), settings: self.settings.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for Acceptor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("config", &self.config).field("settings", &self.settings).finish()
    }
}

impl<S, R: Runtime> fmt::Debug for Pending<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("request", &self.request).finish_non_exhaustive()
    }
}

impl<S, R: Runtime> fmt::Debug for PlainRequest<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainRequest").field("head", &self.head).finish_non_exhaustive()
    }
}
