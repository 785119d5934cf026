//! Two halves of a WebSocket for two tasks, and handles for many.
//!
//! The halves of the core share nothing. Here they share one slot: the transport, the sending half, the timer. Its
//! lock is held while somebody polls, and never while somebody waits. Whoever comes, for whatever reason, first
//! does what the slot can do: says what the reader wants said, transmits, serves the deadlines.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use hybi::{
    CloseCause, CloseCode, CloseFrame, CloseInfo, Delivery, Event, Instant, Message, Payload, Prepared,
    Receiver, Sender, State, TransportAction, UsageError,
};

use crate::bell::{Bell, Ticket, Until};
use crate::error::Error;
use crate::round_trip::{Pings, RoundTrip};
use crate::runtime::{Io, Runtime};
use crate::sync::{Mutex, MutexGuard};
use crate::websocket::{Open, WebSocket};
use crate::wire::{Filled, Wire, lend_out};

/// The receiving half of a [`WebSocket`](crate::WebSocket).
///
/// While it waits, it also transmits what the writers left, and serves the deadlines. Without it nobody receives:
/// dropping it does not end the connection, but a closing handshake is then never answered.
pub struct Reader<S, R: Runtime> {
    /// In a box, as everything of a [`WebSocket`] is.
    receiver: Box<Receiver>,
    shared: Arc<Shared<S, R>>,
    told: bool,
}

/// The sending half of a [`WebSocket`](crate::WebSocket). Dropping it does not end the connection.
pub struct Writer<S, R: Runtime> {
    shared: Arc<Shared<S, R>>,
    ticket: Ticket,
    /// What a flush that is under way waits for.
    flushing: Option<u64>,
}

/// Sends on a connection whose halves are elsewhere: [`Writer::handle`]. There may be any number, on any thread.
#[derive(Clone)]
pub struct Handle(Arc<dyn Door + Send + Sync>);

struct Shared<S, R: Runtime> {
    slot: Mutex<Slot<S, R>>,
    bell: Arc<Bell>,
    /// Of the bell.
    waker: Waker,
}

struct Slot<S, R: Runtime> {
    wire: Wire<S, R>,
    out: Outward,
    /// Why the connection was given up, until the reader has been told.
    gave_up: Option<CloseCause>,
}

/// What can be said to.
struct Outward {
    sender: Sender,
    pings: Pings,
}

/// Something to say, said at most once.
type Call<'a> = dyn FnMut(&mut Outward) -> Result<(), Error> + Send + 'a;

/// What a writer wants said.
enum Say<'a> {
    /// A message, a long one from where it lies.
    Message(Payload<'a>),
    /// Whatever the call says.
    Call(&'a mut Call<'a>),
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Unsaid,
    /// It is transmitted when so much is.
    Said(u64),
}

/// A slot without its type.
trait Door {
    fn poll_say(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        progress: &mut Progress,
        say: &mut Say<'_>,
    ) -> Poll<Result<(), Error>>;
    fn try_say(&self, say: &mut Call<'_>) -> Result<(), Error>;
    fn abort(&self);
    fn state(&self) -> State;
    fn ticket(&self) -> Ticket;
}

pub(crate) fn split<S, R: Io<S>>(socket: WebSocket<S, R>) -> (Reader<S, R>, Writer<S, R>) {
    let Open { wire, link, pings, .. } = *socket.0;
    let (receiver, sender) = link.into_connection().into_split();
    let bell = Arc::new(Bell::default());
    let slot = Mutex::new(Slot { wire, out: Outward { sender, pings }, gave_up: None });
    let shared = Arc::new(Shared { slot, waker: bell.clone().into(), bell });
    let ticket = Ticket::new(shared.bell.clone());
    (
        Reader { receiver: Box::new(receiver), shared: shared.clone(), told: false },
        Writer { shared, ticket, flushing: None },
    )
}

impl<S, R: Io<S>> Reader<S, R> {
    /// Waits for the next event; `None` when the connection is over. The event lends its payload until the
    /// next call.
    ///
    /// Cancel safety: an event that was not returned is returned by the next call. Nothing is lost.
    pub async fn recv(&mut self) -> Option<Event<'_>> {
        poll_fn(|cx| self.poll_ready(cx)).await;
        self.take_event()
    }

    /// Waits for the next whole message and owns it; `None` when the connection is over.
    ///
    /// Cancel safety: as [`recv`](Self::recv).
    pub async fn recv_message(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// As [`recv_message`](Self::recv_message).
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            let Some(event) = ready!(self.poll_event(cx)) else { return Poll::Ready(None) };
            if let Some(message) = event.into_message() {
                self.release();
                return Poll::Ready(Some(message));
            }
        }
    }

    /// As [`recv`](Self::recv).
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<'_>>> {
        ready!(self.poll_ready(cx));
        Poll::Ready(self.take_event())
    }

    fn take_event(&mut self) -> Option<Event<'_>> {
        let event = self.receiver.poll_event()?;
        if matches!(event, Event::Pong(_) | Event::Closed(_)) {
            self.shared.lock().out.pings.see(&event);
        }
        Some(event)
    }

    /// Nothing is lent any more, and it may be long until the next call.
    pub(crate) fn release(&mut self) {
        if self.receiver.held_len() == 0 {
            self.shared.lock().wire.reclaim(self.receiver.as_mut());
        }
    }

    /// Ready when there is an event, or when there will never be one.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let ready = self.receiver.prepare_event();
            let reply = self.receiver.poll_reply();
            if ready && reply.is_none() {
                return Poll::Ready(());
            }
            if !ready {
                self.shared.bell.set_reader(cx.waker());
            }
            let mut slot = self.shared.lock();
            if let Some(reply) = reply {
                slot.out.sender.handle_reply(reply);
            }
            slot.pass_replies(self.receiver.as_mut());
            slot.drive(&self.shared);
            if let Some(cause) = slot.gave_up.take() {
                self.receiver.give_up(cause);
                continue;
            }
            if ready {
                return Poll::Ready(());
            }
            if self.receiver.close_info().is_some()
                && slot.out.sender.transport_action() == TransportAction::Close
            {
                return slot.wire.poll_end(&mut Context::from_waker(&self.shared.waker));
            }
            ready!(slot.poll_fill(cx, &self.shared, self.receiver.as_mut()));
        }
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.receiver.close_info()
    }

    /// The kind of error that ended the transport, if it was an error.
    pub fn io_error(&self) -> Option<ErrorKind> {
        self.shared.lock().wire.io_error.as_ref().map(io::Error::kind)
    }

    /// How messages are delivered from the next one on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.receiver.set_delivery(delivery);
    }
}

impl<S, R: Io<S>> Writer<S, R> {
    /// Sends a message, and waits until it is transmitted. Above high water it waits for its turn before. What the
    /// stream takes at once of 16 KiB and more is not copied by a server, and by a client 64 KiB at a time.
    ///
    /// Cancel safety: a future that is dropped has sent the message whole or not at all: not while it waited for
    /// its turn, whole after that. What was sent goes out with whatever is polled next, the reader included.
    ///
    /// # Errors
    /// [`Error::Usage`] (nothing was sent) or [`Error::Io`].
    pub async fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.run(Say::Message(payload.into())).await
    }

    /// Sends a message that is handed over.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_message(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        self.run(Say::Call(&mut |out| out.send_message(&mut message))).await
    }

    /// Sends a message that was framed once for many.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.run(Say::Call(&mut |out| Ok(out.sender.send_prepared(message)?))).await
    }

    /// Sends a message without waiting until it is transmitted: several of them and one [`Self::flush`] are one
    /// write. Above high water it waits for its turn.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn feed<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        let payload = payload.into();
        poll_fn(|cx| self.poll_turn(cx)).await?;
        Ok(self.shared.lock().out.sender.send(payload)?)
    }

    /// Waits until all that was sent is transmitted.
    ///
    /// Cancel safety: there is nothing to lose.
    ///
    /// # Errors
    /// [`Error::Io`]: what waited is lost.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.run(Say::Call(&mut |_| Ok(()))).await
    }

    /// Sends a ping of up to 125 octets. The reader receives the pong as an event too.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn ping(&mut self, payload: &[u8]) -> Result<RoundTrip, Error> {
        let mut round_trip = None;
        self.run(Say::Call(&mut |out| out.ping(payload, &mut round_trip))).await?;
        Ok(round_trip.expect("it was said"))
    }

    /// Begins the closing handshake. The reader goes on until there is nothing more.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.run(Say::Call(&mut |out| Ok(out.sender.close(code, reason)?))).await
    }

    /// The same with a frame that exists, or with none: a close frame without a body.
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.run(Say::Call(&mut |out| Ok(out.sender.close_with(frame)?))).await
    }

    /// Whatever else a [`Sender`] can say, then as [`send`](Self::send).
    ///
    /// Cancel safety: as [`send`](Self::send).
    ///
    /// # Errors
    /// What `say` returns, or [`Error::Io`].
    pub async fn say<F>(&mut self, say: F) -> Result<(), Error>
    where
        F: FnOnce(&mut Sender) -> Result<(), Error> + Send,
    {
        let mut say = Some(say);
        self.run(Say::Call(&mut |out| say.take().map_or(Ok(()), |say| say(&mut out.sender)))).await
    }

    /// Drops the connection at once.
    pub fn abort(&mut self) {
        self.shared.abort();
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    async fn run(&mut self, mut say: Say<'_>) -> Result<(), Error> {
        let mut progress = Progress::Unsaid;
        poll_fn(|cx| self.shared.poll_say(cx, &mut self.ticket, &mut progress, &mut say)).await
    }

    /// Ready when there is room in the queue, or nothing can be sent any more.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let shared = &self.shared;
        if !shared.lock().is_full() {
            return Poll::Ready(Ok(()));
        }
        self.ticket.wait(Until::Turn, cx.waker());
        let mut slot = shared.lock();
        slot.drive(shared);
        if slot.is_full() {
            return Poll::Pending;
        }
        self.ticket.leave();
        Poll::Ready(Ok(()))
    }

    /// As [`flush`](Self::flush): what was sent when it was first polled, however much others send meanwhile.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let position = self.flushing.unwrap_or_else(|| self.shared.lock().queued());
        let mut progress = Progress::Said(position);
        let flushed =
            self.shared.poll_say(cx, &mut self.ticket, &mut progress, &mut Say::Call(&mut |_| Ok(())));
        self.flushing = flushed.is_pending().then_some(position);
        flushed
    }

    /// Sends without waiting.
    fn say_now(&mut self, say: &mut Call<'_>) -> Result<(), Error> {
        let mut slot = self.shared.lock();
        say(&mut slot.out)
    }
}

impl<S: Send + 'static, R: Io<S>> Writer<S, R>
where
    R::Timer: Send,
{
    /// A handle to send with, from anywhere.
    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }
}

impl Handle {
    /// As [`Writer::send`].
    ///
    /// Cancel safety: as there.
    ///
    /// # Errors
    /// As there.
    pub async fn send<'p>(&self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.run(Say::Message(payload.into())).await
    }

    /// As [`Writer::send_message`].
    ///
    /// Cancel safety: as there.
    ///
    /// # Errors
    /// As there.
    pub async fn send_message(&self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        self.run(Say::Call(&mut |out| out.send_message(&mut message))).await
    }

    /// As [`Writer::send_prepared`].
    ///
    /// Cancel safety: as there.
    ///
    /// # Errors
    /// As there.
    pub async fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.run(Say::Call(&mut |out| Ok(out.sender.send_prepared(message)?))).await
    }

    /// Sends a message that was framed once for many, if there is room in the queue, and waits for nothing: one
    /// slow receiver does not hold up the others. What the transport does not take at once goes out while the
    /// reader waits.
    ///
    /// # Errors
    /// [`UsageError::QueueFull`] above high water; [`Error::Usage`] as it may be.
    pub fn try_send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.0.try_say(&mut |out| {
            if out.sender.is_above_high_water() {
                return Err(UsageError::QueueFull.into());
            }
            Ok(out.sender.send_prepared(message)?)
        })
    }

    /// As [`Writer::ping`].
    ///
    /// Cancel safety: as there.
    ///
    /// # Errors
    /// As there.
    pub async fn ping(&self, payload: &[u8]) -> Result<RoundTrip, Error> {
        let mut round_trip = None;
        self.run(Say::Call(&mut |out| out.ping(payload, &mut round_trip))).await?;
        Ok(round_trip.expect("it was said"))
    }

    /// As [`Writer::close`].
    ///
    /// Cancel safety: as there.
    ///
    /// # Errors
    /// As there.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.run(Say::Call(&mut |out| Ok(out.sender.close(code, reason)?))).await
    }

    /// Drops the connection at once.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// Begins the closing handshake with 1001, and waits for nothing. Whoever is closing already is left alone.
    pub(crate) fn go_away(&self) {
        let _ = self.0.try_say(&mut |out| Ok(out.sender.close(CloseCode::GOING_AWAY, "")?));
    }

    async fn run(&self, mut say: Say<'_>) -> Result<(), Error> {
        let (mut ticket, mut progress) = (self.0.ticket(), Progress::Unsaid);
        poll_fn(|cx| self.0.poll_say(cx, &mut ticket, &mut progress, &mut say)).await
    }
}

impl Outward {
    fn send_message(&mut self, message: &mut Option<Message>) -> Result<(), Error> {
        let Some(message) = message.take() else { return Ok(()) };
        Ok(self.sender.send_message(message).map_err(|refused| refused.error)?)
    }

    fn ping(&mut self, payload: &[u8], round_trip: &mut Option<RoundTrip>) -> Result<(), Error> {
        self.sender.ping(payload)?;
        *round_trip = Some(self.pings.sent(payload));
        Ok(())
    }
}

impl<S, R: Runtime> Shared<S, R> {
    fn lock(&self) -> MutexGuard<'_, Slot<S, R>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, R: Io<S>> Door for Shared<S, R> {
    /// First as if there were no need to wait; then once more with a place among those who do.
    fn poll_say(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        progress: &mut Progress,
        say: &mut Say<'_>,
    ) -> Poll<Result<(), Error>> {
        let mut place = None;
        loop {
            let said = self.lock().poll_say(self, progress, say);
            if said.is_ready() {
                ticket.leave();
                return said;
            }
            let until = match *progress {
                Progress::Unsaid => Until::Turn,
                Progress::Said(position) => Until::Sent(position),
            };
            if place.replace(until) == Some(until) {
                return Poll::Pending;
            }
            ticket.wait(until, cx.waker());
        }
    }

    fn try_say(&self, say: &mut Call<'_>) -> Result<(), Error> {
        let mut slot = self.lock();
        lend_out(&mut slot.out.sender);
        say(&mut slot.out)?;
        slot.drive(self);
        Ok(())
    }

    fn abort(&self) {
        let mut slot = self.lock();
        slot.out.sender.abort();
        slot.drive(self);
    }

    fn state(&self) -> State {
        self.lock().out.sender.state()
    }

    fn ticket(&self) -> Ticket {
        Ticket::new(self.bell.clone())
    }
}

impl<S, R: Io<S>> Slot<S, R> {
    /// Everything that was queued, ever.
    fn queued(&self) -> u64 {
        self.wire.transmitted + self.out.sender.buffered_len() as u64
    }

    /// Whether somebody who wants to say something has to wait. Where nothing can be said, there is no waiting.
    fn is_full(&self) -> bool {
        self.out.sender.is_above_high_water() && self.out.sender.state() == State::Open
    }

    fn poll_say(
        &mut self,
        shared: &Shared<S, R>,
        progress: &mut Progress,
        say: &mut Say<'_>,
    ) -> Poll<Result<(), Error>> {
        if *progress == Progress::Unsaid {
            if self.is_full() {
                self.drive(shared);
                if self.is_full() {
                    return Poll::Pending;
                }
            }
            lend_out(&mut self.out.sender);
            match say {
                Say::Message(payload) => self.send(shared, *payload)?,
                Say::Call(call) => call(&mut self.out)?,
            }
            *progress = Progress::Said(self.queued());
        }
        let Progress::Said(position) = *progress else { return Poll::Pending };
        self.drive(shared);
        if self.wire.transmitted >= position {
            return Poll::Ready(Ok(()));
        }
        if self.out.sender.buffered_len() > 0 {
            return Poll::Pending;
        }
        let kind = self.wire.io_error.as_ref().map_or(ErrorKind::TimedOut, io::Error::kind);
        Poll::Ready(Err(io::Error::from(kind).into())) // what waited is lost
    }

    /// Queues a message, and transmits of a long one what the stream takes now. Where that fails, whoever waits is told
    /// as well.
    fn send(&mut self, shared: &Shared<S, R>, payload: Payload<'_>) -> Result<(), Error> {
        let cx = &mut Context::from_waker(&shared.waker);
        let Err(error) = self.wire.send(cx, &mut self.out.sender, payload)? else { return Ok(()) };
        let error = self.wire.failed(error);
        self.out.sender.transmit_lost();
        self.drive(shared);
        Err(error.into())
    }

    /// Hands over what the receiving half wants said.
    fn pass_replies(&mut self, receiver: &mut Receiver) {
        while let Some(reply) = receiver.poll_reply() {
            self.out.sender.handle_reply(reply);
        }
    }

    /// Transmits what the transport takes, serves the deadlines, and wakes whoever has come to what it waits for.
    /// What has to be waited for rings the bell.
    fn drive(&mut self, shared: &Shared<S, R>) {
        let cx = &mut Context::from_waker(&shared.waker);
        loop {
            match self.wire.poll_transmit(cx, &mut self.out.sender) {
                Poll::Ready(Err(error)) => {
                    let _ = self.wire.failed(error);
                    self.out.sender.transmit_lost();
                }
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            match self.poll_time(cx) {
                Poll::Ready(now) => self.out.sender.handle_timeout(now),
                Poll::Pending => break,
            }
        }
        match self.out.sender.transport_action() {
            TransportAction::None => {}
            TransportAction::ShutdownWrite => {
                let _ = self.wire.poll_end_writing(cx);
            }
            TransportAction::Close => {
                let _ = self.wire.poll_end(cx);
            }
        }
        if let Some(cause) = self.out.sender.poll_gave_up() {
            self.gave_up = Some(cause);
            shared.bell.wake_reader();
        }
        let (transmitted, nothing_waits) = (self.wire.transmitted, self.out.sender.buffered_len() == 0);
        let is_full = self.is_full();
        shared.bell.wake_writers(|until| match until {
            Until::Turn => !is_full,
            Until::Sent(position) => nothing_waits || position <= transmitted,
        });
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        self.wire.poll_time(cx, self.out.sender.poll_timeout())
    }

    /// Reads once, with the reader's own waker.
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared<S, R>,
        receiver: &mut Receiver,
    ) -> Poll<()> {
        if receiver.recv_space().is_empty() {
            // The end was received, and nothing but time or the writing side is left: the bell tells.
            return Poll::Pending;
        }
        match ready!(self.wire.poll_fill(cx, receiver)) {
            Filled::Lost(error) => {
                let _ = self.wire.failed(error);
                self.out.sender.transmit_lost();
                receiver.receive_eof();
            }
            Filled::Some | Filled::NoRoom => {}
        }
        self.pass_replies(receiver);
        self.drive_lost(shared);
        Poll::Ready(())
    }

    /// The transport may be lost: those who wait for it have to know.
    fn drive_lost(&mut self, shared: &Shared<S, R>) {
        if self.out.sender.state() == State::Closed {
            self.drive(shared);
        }
    }
}

/// Messages until the connection is over; then an error, unless it ended by a closing handshake.
impl<S, R: Io<S>> Stream for Reader<S, R> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(message) = ready!(this.poll_message(cx)) {
            return Poll::Ready(Some(Ok(message)));
        }
        Poll::Ready(crate::stream::ended(&mut this.told, this.receiver.close_info()).map(Err))
    }
}

/// Ready below high water. Closing the sink begins the closing handshake.
impl<S, R: Io<S>> Writer<S, R> {
    #[cfg(feature = "sink")]
    pub(crate) fn send_message_now(&mut self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        self.say_now(&mut |out| out.send_message(&mut message))
    }

    pub(crate) fn begin_close(&mut self) -> Result<(), Error> {
        self.say_now(&mut |out| Ok(out.sender.close(CloseCode::NORMAL, "")?))
    }

    /// Queues one message, and transmits what can be.
    pub(crate) fn send_now(&mut self, payload: Payload<'_>) -> Result<(), Error> {
        self.shared.try_say(&mut |out| Ok(out.sender.send(payload)?))
    }
}

/// Nothing in it is ever pinned.
impl<S, R: Runtime> Unpin for Reader<S, R> {}
/// Nothing in it is ever pinned.
impl<S, R: Runtime> Unpin for Writer<S, R> {}

impl<S, R: Runtime> fmt::Debug for Reader<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

impl<S, R: Runtime> fmt::Debug for Writer<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("sender", &self.shared.lock().out.sender).finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("state", &self.state()).finish()
    }
}
