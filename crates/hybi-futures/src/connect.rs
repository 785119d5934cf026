//! The client: shake hands over a transport that is connected already.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hybi::handshake::{ClientHandshake, ClientRequest, Outcome, Response};
use hybi::{BoxEntropy, Config, Instant, SystemEntropy};

use crate::error::ConnectError;
use crate::runtime::Io;
use crate::websocket::WebSocket;
use crate::wire::{PATIENCE, Wire};

/// Makes the opening handshake over a transport that is connected already, whatever it is.
///
/// Cancel safety: the stream belongs to the future; dropping that ends the connection.
///
/// # Errors
/// [`ConnectError`].
pub async fn handshake<S, R: Io<S>>(
    stream: S,
    config: Arc<Config>,
    request: ClientRequest,
) -> Result<(WebSocket<S, R>, Response), ConnectError> {
    let handshake = ClientHandshake::new(request, config, BoxEntropy::new(SystemEntropy));
    let mut knock = Knock { wire: Wire::new(stream), handshake };
    match poll_fn(|cx| knock.poll_outcome(cx)).await? {
        Outcome::Opened(response) => {
            let connection = knock.handshake.into_connection().expect("it was opened just now");
            Ok((WebSocket::from_wire(knock.wire, connection), response))
        }
        Outcome::Failed(error) => {
            let until = knock.wire.now() + PATIENCE;
            poll_fn(|cx| knock.poll_body(cx, until)).await;
            Err(ConnectError::Handshake(error, knock.handshake.into_response().map(Box::new)))
        }
    }
}

struct Knock<S, R: Io<S>> {
    wire: Wire<S, R>,
    handshake: ClientHandshake,
}

impl<S, R: Io<S>> Knock<S, R> {
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Outcome>> {
        loop {
            if let Some(outcome) = self.handshake.poll_event() {
                return Poll::Ready(Ok(outcome));
            }
            match self.poll_step(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    let now = ready!(self.wire.poll_time(cx, self.handshake.poll_timeout()));
                    self.handshake.handle_timeout(now);
                }
            }
        }
    }

    /// Transmits what waits; then reads once.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.handshake.transmit().is_empty() {
            let n = ready!(self.wire.poll_write(cx, &[self.handshake.transmit()]))?;
            self.handshake.transmitted(n);
        }
        ready!(self.wire.poll_flush(cx))?;
        let (handshake, mut is_full) = (&mut self.handshake, false);
        // One read, and there is room for many, unless there is no memory.
        if ready!(self.wire.poll_read(cx, |octets| is_full = handshake.receive(octets) < octets.len()))? == 0
        {
            self.handshake.receive_eof();
        }
        Poll::Ready(if is_full { Err(ErrorKind::OutOfMemory.into()) } else { Ok(()) })
    }

    /// Reads what the server says about its refusal, as far as the limits go and it comes in time.
    fn poll_body(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        while !self.handshake.wants_close() {
            let (handshake, mut taken) = (&mut self.handshake, 0);
            match self.wire.poll_read(cx, |octets| taken = handshake.receive(octets)) {
                Poll::Ready(Ok(1..)) if taken > 0 => {}
                Poll::Ready(_) => self.handshake.receive_eof(),
                Poll::Pending => {
                    ready!(self.wire.poll_time(cx, Some(until)));
                    self.handshake.receive_eof();
                }
            }
        }
        self.wire.poll_end(cx)
    }
}
