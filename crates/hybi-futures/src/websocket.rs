//! A WebSocket over an asynchronous transport.
//!
//! All waiting is done by `poll_..` methods over `&mut self`; the futures are nothing but calls of them. So a
//! future that is dropped takes nothing along.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use hybi::{
    Agreement, CloseCode, CloseFrame, CloseInfo, Connection, Delivery, Event, Kind, Message, MessageWriter,
    Payload, Prepared, Sender, State, TransportAction,
};

use crate::error::Error;
use crate::link::Link;
use crate::round_trip::{Pings, RoundTrip};
use crate::runtime::{Io, Runtime};
use crate::stream::ByteStream;
use crate::wire::{Filled, Wire, lend_out};
use crate::{Reader, Writer};

/// An open WebSocket. `connect` and `accept` make one.
///
/// Receive in a loop until there is nothing more: that is also what answers pings, serves deadlines and
/// brings the closing handshake to its end.
///
/// Sending waits until the transport has taken what was sent, and reads nothing meanwhile: two peers that both
/// send more than the transport between them holds, and do not read, wait for one another. Whoever sends much
/// should [`into_split`](Self::into_split), or set [`Timeouts::write_stall`](hybi::Timeouts).
///
/// Errors of the transport are not errors of receiving: they end the connection, the last event
/// ([`Event::Closed`]) says how, and [`Self::io_error`] says why.
///
/// It is also a [`Stream`] of messages, which says by an error that the connection did not end in order, and a
/// `Sink` for them (feature `sink`).
pub struct WebSocket<S, R: Runtime>(pub(crate) Box<Open<S, R>>);

/// All of it. In one box: it is moved from future to future, each of which has room for what it holds.
pub(crate) struct Open<S, R: Runtime> {
    pub(crate) wire: Wire<S, R>,
    pub(crate) link: Link,
    pub(crate) pings: Pings,
    /// The stream has told how the connection ended.
    told: bool,
}

impl<S, R: Io<S>> WebSocket<S, R> {
    /// A WebSocket whose opening handshake was made elsewhere.
    pub fn new(stream: S, connection: Connection) -> Self {
        Self::from_wire(Wire::new(stream), connection)
    }

    pub(crate) fn from_wire(wire: Wire<S, R>, connection: Connection) -> Self {
        Self(Box::new(Open { wire, link: Link::new(connection), pings: Pings::new(R::now), told: false }))
    }

    // ---- receiving

    /// Waits for the next event; `None` when the connection is over. The event lends its payload until the
    /// next call.
    ///
    /// Cancel safety: an event that was not returned is returned by the next call. Nothing is lost.
    pub async fn recv(&mut self) -> Option<Event<'_>> {
        poll_fn(|cx| self.poll_ready(cx)).await;
        let event = self.0.link.awake().poll_event()?;
        self.0.pings.see(&event);
        Some(event)
    }

    /// Waits for the next event, and lends the sending half beside it: so that an answer is sent while the
    /// payload is still lent. What it sends is transmitted before the next wait, many answers in one write.
    ///
    /// Cancel safety: as [`recv`](Self::recv).
    pub async fn recv_with(&mut self) -> Option<(Event<'_>, &mut Sender)> {
        poll_fn(|cx| self.poll_ready(cx)).await;
        lend_out(self.0.link.awake().sender());
        let (event, sender) = self.0.link.awake().poll_event_with()?;
        self.0.pings.see(&event);
        Some((event, sender))
    }

    /// Waits for the next whole message and owns it; `None` when the connection is over. Pings and pongs are
    /// passed over.
    ///
    /// Cancel safety: as [`recv`](Self::recv).
    pub async fn recv_message(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// As [`recv_message`](Self::recv_message).
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            if !ready!(self.poll_ready(cx)) {
                return Poll::Ready(None);
            }
            let Some(event) = self.0.link.awake().poll_event() else { continue };
            self.0.pings.see(&event);
            if let Some(message) = event.into_message() {
                if self.0.link.awake().held_len() == 0 {
                    self.0.wire.reclaim(self.0.link.awake()); // nothing is lent, and it may be long until the next
                }
                return Poll::Ready(Some(message));
            }
        }
    }

    /// Ready when there is an event, or (false) when there will never be one.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.0.link.awake().is_above_high_water() {
            ready!(self.poll_settle(cx)); // many answers to what one read brought
        }
        loop {
            if self.0.link.awake().prepare_event() {
                if self.0.link.awake().state() != State::Open {
                    let _ = self.poll_settle(cx); // the answer to a close frame does not wait for the next call
                }
                return Poll::Ready(true);
            }
            if self.0.link.close_info().is_some() {
                return self.poll_end(cx).map(|()| false);
            }
            let _ = self.poll_settle(cx);
            if self.poll_fill(cx).is_pending() {
                self.0.link.rest();
                return Poll::Pending;
            }
        }
    }

    /// Reads once. Ready when something has happened.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let filled = self.0.wire.poll_fill(cx, self.0.link.awake());
        if (filled.is_pending() || self.0.wire.is_time_to_look())
            && let Poll::Ready(now) = self.0.wire.poll_time(cx, self.0.link.awake().poll_timeout())
        {
            self.0.link.awake().handle_timeout(now);
            return Poll::Ready(());
        }
        if let Filled::Lost(error) = ready!(filled) {
            let _ = self.0.wire.failed(error);
            self.0.link.awake().transport_lost();
        }
        Poll::Ready(())
    }

    /// Transmits what waits, and does what the connection asks of the transport. Ready when nothing waits.
    fn poll_settle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.0.wire.poll_transmit(cx, self.0.link.awake().sender()) {
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(error)) => {
                    let _ = self.lose_output(error); // the connection knows, and the last event says so
                    break;
                }
                Poll::Pending => {
                    let now = ready!(self.0.wire.poll_time(cx, self.0.link.awake().poll_timeout()));
                    self.0.link.awake().handle_timeout(now);
                }
            }
        }
        match self.0.link.awake().transport_action() {
            TransportAction::None => {}
            TransportAction::ShutdownWrite => {
                let _ = self.0.wire.poll_end_writing(cx); // and the reading goes on meanwhile
            }
            TransportAction::Close => {
                let _ = self.0.wire.poll_end(cx);
                self.0.link.awake().receive_eof();
            }
        }
        Poll::Ready(())
    }

    /// The connection is over: the server ends the transport, a client waits for that (RFC 6455 §7.1.1), with
    /// the deadline of the core.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let _ = self.poll_settle(cx);
            if self.0.link.awake().transport_action() == TransportAction::Close {
                return self.0.wire.poll_end(cx);
            }
            ready!(self.poll_fill_at_end(cx));
        }
    }

    /// As [`Self::poll_fill`], where it may be that nothing is left but time.
    fn poll_fill_at_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.link.awake().recv_space().is_empty() {
            let now = ready!(self.0.wire.poll_time(cx, self.0.link.awake().poll_timeout()));
            self.0.link.awake().handle_timeout(now);
            return Poll::Ready(());
        }
        self.poll_fill(cx)
    }

    // ---- sending

    /// Sends a message and flushes: a `&str` or lent text as text, bytes as binary. What the
    /// stream takes at once of 16 KiB and more is not copied by a server, and by a client 64 KiB at a time.
    ///
    /// Cancel safety: once polled, the message is queued, whole; a future that is dropped then leaves it to the
    /// next call of any method that waits. Never polled, it has done nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] (nothing was sent) or [`Error::Io`].
    pub async fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        let mut payload = Some(payload.into());
        poll_fn(|cx| {
            if let Some(payload) = payload.take() {
                self.begin_to_send(cx, payload)?;
            }
            self.poll_flush(cx)
        })
        .await
    }

    fn begin_to_send(&mut self, cx: &mut Context<'_>, payload: Payload<'_>) -> Result<(), Error> {
        let sender = self.0.link.awake().sender();
        lend_out(sender);
        self.0.wire.send(cx, sender, payload)?.map_err(|error| self.lose_output(error))
    }

    /// Sends a message that is handed over, large ones without a copy where that can be, and flushes.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_message(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.0.link.awake().send_message(message).map_err(|refused| refused.error)?;
        self.flush().await
    }

    /// Sends a message that was framed once for many, and flushes.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        lend_out(self.0.link.awake().sender());
        self.0.link.awake().send_prepared(message)?;
        self.flush().await
    }

    /// Sends a message without flushing: several of them and one [`Self::flush`] are one write. Above high water
    /// it flushes, so memory stays bounded.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn feed<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        lend_out(self.0.link.awake().sender());
        self.0.link.awake().send(payload)?;
        if self.0.link.awake().is_above_high_water() { self.flush().await } else { Ok(()) }
    }

    /// Begins a message in pieces; see [`Sender::start`]. Flush when it should go out.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn start(&mut self, kind: Kind) -> Result<MessageWriter<'_>, Error> {
        Ok(self.0.link.awake().start(kind)?)
    }

    /// The writer of the message in pieces that is not finished.
    pub fn writer(&mut self) -> Option<MessageWriter<'_>> {
        self.0.link.awake().writer()
    }

    /// Sends a ping of up to 125 octets and flushes. The pong arrives as an event too.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn ping(&mut self, payload: &[u8]) -> Result<RoundTrip, Error> {
        lend_out(self.0.link.awake().sender());
        self.0.link.awake().ping(payload)?;
        let round_trip = self.0.pings.sent(payload);
        self.flush().await?;
        Ok(round_trip)
    }

    /// Begins the closing handshake, and flushes. Go on receiving until there is nothing more.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.link.awake().close(code, reason)?;
        self.flush().await
    }

    /// The same with a frame that exists, or with none: a close frame without a body.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.0.link.awake().close_with(frame)?;
        self.flush().await
    }

    /// Drops the connection at once: what waits is not transmitted, the transport is ended.
    pub fn abort(&mut self) {
        self.0.link.awake().abort();
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = self.0.wire.poll_end_writing(cx); // if that has to wait, the next call that receives does
    }

    /// Transmits until nothing waits.
    ///
    /// Cancel safety: what was not transmitted waits for the next call.
    ///
    /// # Errors
    /// [`Error::Io`]: what waited is lost, or its time was over.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// As [`flush`](Self::flush).
    ///
    /// # Errors
    /// As there.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.0.wire.poll_transmit(cx, self.0.link.awake().sender()) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lose_output(error))),
                Poll::Pending => {}
            }
            let now = ready!(self.0.wire.poll_time(cx, self.0.link.awake().poll_timeout()));
            self.0.link.awake().handle_timeout(now);
            if self.0.link.awake().buffered_len() == 0 {
                // The connection was given up, and what waited with it.
                return Poll::Ready(Err(self.lose_output(ErrorKind::TimedOut.into())));
            }
        }
    }

    /// Nothing can be written any more; but why may still be there to be read.
    fn lose_output(&mut self, error: io::Error) -> Error {
        self.0.link.awake().transmit_lost();
        self.0.wire.failed(error).into()
    }

    // ---- looking

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.0.link.state()
    }

    /// What the opening handshake agreed on.
    pub fn agreement(&self) -> &Agreement {
        self.0.link.agreement()
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.0.link.close_info()
    }

    /// The error that ended the transport, if it was an error.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.wire.io_error.as_ref()
    }

    /// The connection, for what this type has no method for. Flush after having said something.
    pub fn connection(&mut self) -> &mut Connection {
        self.0.link.awake()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.0.wire.stream
    }

    /// How messages are delivered from the next one on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.0.link.awake().set_delivery(delivery);
    }

    // ---- other shapes

    /// The transport and the connection. What was received and not yet delivered is in the connection: take it
    /// out as events, or as octets with [`Connection::take_unread`].
    pub fn into_parts(mut self) -> (S, Connection) {
        self.0.wire.reclaim(self.0.link.awake());
        let Open { wire, link, .. } = *self.0;
        (wire.stream, link.into_connection())
    }

    /// Two halves, for two tasks or threads.
    pub fn into_split(self) -> (Reader<S, R>, Writer<S, R>) {
        crate::split::split(self)
    }

    /// The payloads as one stream of octets: each write makes a message of that kind, reads give the octets of
    /// the messages that arrive.
    pub fn into_byte_stream(self, kind: Kind) -> ByteStream<S, R> {
        ByteStream::new(self.into_split(), kind)
    }
}

/// Messages until the connection is over; then an error, unless it ended by a closing handshake.
impl<S, R: Io<S>> Stream for WebSocket<S, R> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(message) = ready!(this.poll_message(cx)) {
            return Poll::Ready(Some(Ok(message)));
        }
        Poll::Ready(crate::stream::ended(&mut this.0.told, this.0.link.close_info()).map(Err))
    }
}

/// Ready below high water. Closing the sink begins the closing handshake; receive to bring it to its end.
/// Nothing in it is ever pinned.
impl<S, R: Runtime> Unpin for WebSocket<S, R> {}

impl<S, R: Runtime> fmt::Debug for WebSocket<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("link", &self.0.link).finish_non_exhaustive()
    }
}
