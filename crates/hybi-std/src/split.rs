//! Two halves of a WebSocket for two threads.
//!
//! The halves of the core share nothing. Here they share one slot, in which the reader leaves what it wants
//! said, and the writing half of the transport. The reader takes the latter only if it is free, so it never
//! waits for a writer; a writer that has finished looks into the slot once more before it leaves.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use hybi::{
    CloseCause, CloseCode, CloseInfo, Connection, Delivery, Event, Instant, Message, Payload, Prepared,
    Receiver, Reply, Sender, State, TransportAction,
};

use crate::error::Error;
use crate::transport::{Timed, Transport, Waited};

/// The receiving half of a [`WebSocket`](crate::WebSocket).
#[derive(Debug)]
pub struct Reader<S: Transport> {
    transport: Timed<S>,
    receiver: Receiver,
    shared: Arc<Shared<S>>,
}

/// The sending half of a [`WebSocket`](crate::WebSocket). Dropping it does not end the connection.
#[derive(Debug)]
pub struct Writer<S: Transport> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    desk: Arc<Desk>,
    outward: Mutex<Outward<S>>,
}

/// What the two sides leave for one another.
#[derive(Debug, Default)]
struct Desk {
    /// What the receiving half wants said.
    replies: Mutex<Vec<Reply>>,
    /// Why the writing side gave the connection up: written before it ends the transport, so that the reader,
    /// whom the end wakes, finds it.
    gave_up: Mutex<Option<CloseCause>>,
}

/// The writing side: whoever holds it transmits.
#[derive(Debug)]
struct Outward<S> {
    transport: Timed<S>,
    sender: Sender,
    desk: Arc<Desk>,
}

/// Both sides look at the desk and at the deadlines at least so often.
const TICK: Duration = Duration::from_millis(500);
/// How long a reader waits for the transport to take what it has to say.
const PATIENCE: Duration = Duration::from_millis(1);

pub(crate) fn split<S: Transport>(
    transport: Timed<S>,
    connection: Connection,
) -> io::Result<(Reader<S>, Writer<S>)> {
    let (receiver, sender) = connection.into_split();
    let desk = Arc::new(Desk::default());
    let outward = Outward { transport: transport.try_clone()?, sender, desk: desk.clone() };
    let shared = Arc::new(Shared { desk, outward: Mutex::new(outward) });
    Ok((Reader { transport, receiver, shared: shared.clone() }, Writer { shared }))
}

impl<S: Transport> Reader<S> {
    /// Waits for the next event; `None` when the connection is over. The event lends its payload until the
    /// next call.
    pub fn recv(&mut self) -> Option<Event<'_>> {
        loop {
            let ready = self.receiver.prepare_event();
            self.pass_replies();
            if ready {
                break;
            }
            if self.receiver.close_info().is_some() {
                self.end_transport();
                return None;
            }
            self.fill();
        }
        self.receiver.poll_event()
    }

    /// The connection is over: the server ends the transport, a client waits for that (RFC 6455 §7.1.1).
    fn end_transport(&mut self) {
        loop {
            self.pass_replies();
            if self.shared.outward().sender.transport_action() == TransportAction::Close {
                return self.transport.end();
            }
            self.fill();
        }
    }

    /// Waits for the next whole message and owns it; `None` when the connection is over.
    pub fn recv_message(&mut self) -> Option<Message> {
        loop {
            let event = self.recv()?;
            if let Some(message) = event.into_message() {
                return Some(message);
            }
        }
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.receiver.close_info()
    }

    /// How messages are delivered from the next one on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.receiver.set_delivery(delivery);
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.transport.stream
    }

    fn fill(&mut self) {
        let tick = self.transport.now() + TICK;
        let deadline = self.shared.try_outward().and_then(|outward| outward.sender.poll_timeout());
        let deadline = deadline.map_or(tick, |deadline| deadline.min(tick));
        let space = self.receiver.recv_space();
        if space.is_empty() {
            return; // something waits to be told, or only time is left
        }
        match self.transport.read(space, Some(deadline)) {
            Ok(Waited::Moved(0)) | Err(_) => self.ended(),
            Ok(Waited::Moved(n)) => self.receiver.received(n),
            Ok(Waited::Elapsed) => {}
        }
    }

    /// The transport ended; perhaps because the other half gave the connection up, and then it knows why.
    fn ended(&mut self) {
        match self.shared.desk.take_gave_up() {
            Some(cause) => self.receiver.give_up(cause),
            None => self.receiver.receive_eof(),
        }
    }

    /// Leaves in the slot what the receiving half wants said, and says it if nobody else is at it.
    fn pass_replies(&mut self) {
        while let Some(reply) = self.receiver.poll_reply() {
            self.shared.desk.leave(reply);
        }
        self.shared.serve_if_free();
        if let Some(cause) = self.shared.desk.take_gave_up() {
            self.receiver.give_up(cause);
        }
    }
}

impl<S: Transport> Writer<S> {
    /// Sends a message and flushes.
    ///
    /// # Errors
    /// [`Error::Usage`] (nothing was sent) or [`Error::Io`].
    pub fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.say(|sender| Ok(sender.send(payload)?))
    }

    /// Sends a ping and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.say(|sender| Ok(sender.ping(payload)?))
    }

    /// Begins the closing handshake and flushes. The reader goes on until there is nothing more.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.say(|sender| Ok(sender.close(code, reason)?))
    }

    /// Sends a message that is handed over, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_message(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.say(|sender| Ok(sender.send_message(message).map_err(|refused| refused.error)?))
    }

    /// Sends a message that was framed once for many, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.say(|sender| Ok(sender.send_prepared(message)?))
    }

    /// Drops the connection at once.
    pub fn abort(&mut self) {
        let mut outward = self.shared.outward();
        outward.sender.abort();
        outward.act();
    }

    /// Whatever else a [`Sender`] can say, then a flush.
    ///
    /// # Errors
    /// What `say` returns, or [`Error::Io`].
    pub fn say(&mut self, say: impl FnOnce(&mut Sender) -> Result<(), Error>) -> Result<(), Error> {
        let said = {
            let mut outward = self.shared.outward();
            outward.serve();
            let said = say(&mut outward.sender);
            let flushed = outward.flush(None);
            said.and(flushed.map_err(Error::Io))
        };
        self.shared.serve_if_free();
        said
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        let state = self.shared.outward().sender.state();
        self.shared.serve_if_free(); // the reader may have found the door closed
        state
    }
}

impl Desk {
    fn replies(&self) -> MutexGuard<'_, Vec<Reply>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a reply. One that is superseded gives way, so there are never more than a few.
    fn leave(&self, reply: Reply) {
        let mut replies = self.replies();
        replies.retain(|waiting| !reply.supersedes(waiting));
        replies.push(reply);
    }

    fn gave_up(&self, cause: CloseCause) {
        *self.gave_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
    }

    fn take_gave_up(&self) -> Option<CloseCause> {
        self.gave_up.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Transport> Shared<S> {
    fn outward(&self) -> MutexGuard<'_, Outward<S>> {
        self.outward.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_outward(&self) -> Option<MutexGuard<'_, Outward<S>>> {
        match self.outward.try_lock() {
            Ok(outward) => Some(outward),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Says what is on the desk if the writing side is free, as much as the transport takes at once. If it is
    /// not free, whoever holds it looks at the desk while it waits, and once more when it has finished.
    fn serve_if_free(&self) {
        while let Some(mut outward) = self.try_outward() {
            outward.serve();
            outward.flush_patiently();
            drop(outward);
            if self.desk.replies().is_empty() {
                return;
            }
        }
    }
}

impl<S: Transport> Outward<S> {
    /// Says what is on the desk, and serves the deadlines that have passed.
    fn serve(&mut self) {
        for reply in std::mem::take(&mut *self.desk.replies()) {
            self.sender.handle_reply(reply);
        }
        let now = self.transport.now();
        if self.sender.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.sender.handle_timeout(now);
        }
    }

    /// Transmits what the transport takes within a moment; the rest goes with what is sent next.
    fn flush_patiently(&mut self) {
        let patience = self.transport.now() + PATIENCE;
        let _ = self.flush(Some(patience)); // the reader reads the end of the transport
    }

    /// Transmits until nothing waits, or until it is time to stop.
    fn flush(&mut self, stop: Option<Instant>) -> io::Result<()> {
        while self.sender.buffered_len() > 0 {
            if let Err(error) = self.transmit(stop) {
                self.sender.transmit_lost();
                self.act();
                return Err(error);
            }
            if stop.is_some_and(|stop| stop <= self.transport.now()) {
                return Ok(());
            }
        }
        self.act();
        self.transport.stream.flush()
    }

    /// One write. While it waits, the other half may have something said, and time goes on.
    fn transmit(&mut self, stop: Option<Instant>) -> io::Result<()> {
        let tick = self.transport.now() + TICK;
        let deadline = [Some(tick), stop, self.sender.poll_timeout()].into_iter().flatten().min();
        let mut pieces = [&[][..]; 16];
        let used = self.sender.transmit_slices(&mut pieces);
        let slices = pieces.map(IoSlice::new);
        match self.transport.write(&slices[..used], deadline)? {
            Waited::Moved(n) => self.sender.transmitted(n),
            Waited::Elapsed => {
                self.serve();
                if self.sender.buffered_len() == 0 {
                    return Err(ErrorKind::TimedOut.into()); // given up, and what waited with it
                }
            }
        }
        Ok(())
    }

    fn act(&mut self) {
        if let Some(cause) = self.sender.poll_gave_up() {
            self.desk.gave_up(cause);
        }
        match self.sender.transport_action() {
            TransportAction::None => {}
            TransportAction::ShutdownWrite => self.transport.end_writing(),
            TransportAction::Close => self.transport.end(),
        }
    }
}
