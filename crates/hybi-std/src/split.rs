//! Two halves of a WebSocket for two threads.
//!
//! The halves of the core share nothing. Here they share one slot, in which the reader leaves what it wants
//! said, and the writing half of the transport. The reader takes the latter only if it is free, so it never
//! waits for a writer; a writer that has finished looks into the slot once more before it leaves.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use hybi::{
    CloseCause, CloseCode, Connection, Event, Instant, Message, Payload, Receiver, Reply, Sender, State,
    TransportAction,
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
    slot: Mutex<Vec<Reply>>,
    gave_up: GaveUp,
    outward: Mutex<Outward<S>>,
}

/// Why the writing side gave the connection up: written before it ends the transport, so that the reader,
/// whom the end wakes, finds it.
type GaveUp = Arc<Mutex<Option<CloseCause>>>;

/// The writing side: whoever holds it transmits.
#[derive(Debug)]
struct Outward<S> {
    transport: Timed<S>,
    sender: Sender,
    gave_up: GaveUp,
}

/// A reader looks at the deadlines at least so often: they may have changed on the other thread.
const TICK: Duration = Duration::from_millis(500);
/// How long a reader waits for the transport to take what it has to say.
const PATIENCE: Duration = Duration::from_millis(1);

pub(crate) fn split<S: Transport>(
    transport: Timed<S>,
    connection: Connection,
) -> io::Result<(Reader<S>, Writer<S>)> {
    let (receiver, sender) = connection.into_split();
    let gave_up = GaveUp::default();
    let outward = Outward { transport: transport.try_clone()?, sender, gave_up: gave_up.clone() };
    let shared = Arc::new(Shared { slot: Mutex::default(), gave_up, outward: Mutex::new(outward) });
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
        match self.shared.take_gave_up() {
            Some(cause) => self.receiver.give_up(cause),
            None => self.receiver.receive_eof(),
        }
    }

    /// Leaves in the slot what the receiving half wants said, and says it if nobody else is at it.
    fn pass_replies(&mut self) {
        while let Some(reply) = self.receiver.poll_reply() {
            self.shared.leave(reply);
        }
        self.shared.serve_if_free(Some(self.transport.now()));
        if let Some(cause) = self.shared.take_gave_up() {
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
            self.shared.answer(&mut outward.sender);
            let said = say(&mut outward.sender);
            let flushed = outward.flush(None);
            said.and(flushed.map_err(Error::Io))
        };
        self.shared.serve_if_free(None);
        said
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.shared.outward().sender.state()
    }
}

impl<S: Transport> Shared<S> {
    fn slot(&self) -> MutexGuard<'_, Vec<Reply>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

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

    /// Leaves a reply. One that is superseded gives way, so there are never more than a few.
    fn leave(&self, reply: Reply) {
        let mut slot = self.slot();
        slot.retain(|waiting| !reply.supersedes(waiting));
        slot.push(reply);
    }

    fn answer(&self, sender: &mut Sender) {
        for reply in std::mem::take(&mut *self.slot()) {
            sender.handle_reply(reply);
        }
    }

    /// Says what is in the slot if the writing side is free, as much as the transport takes at once. If it is
    /// not free, whoever holds it comes here when he has finished.
    fn serve_if_free(&self, now: Option<Instant>) {
        while let Some(mut outward) = self.try_outward() {
            self.answer(&mut outward.sender);
            if let (Some(now), Some(deadline)) = (now, outward.sender.poll_timeout())
                && deadline <= now
            {
                outward.sender.handle_timeout(now);
            }
            outward.flush_patiently();
            drop(outward);
            if self.slot().is_empty() {
                return;
            }
        }
    }

    fn take_gave_up(&self) -> Option<CloseCause> {
        self.gave_up.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Transport> Outward<S> {
    /// Transmits what the transport takes within a moment; the rest goes with what is sent next.
    fn flush_patiently(&mut self) {
        if self.sender.buffered_len() > 0 {
            let patience = self.transport.now() + PATIENCE;
            let _ = self.flush(Some(patience)); // the reader reads the end of the transport
        }
        self.act();
    }

    /// Transmits until nothing waits, or until it is time to stop.
    fn flush(&mut self, stop: Option<Instant>) -> io::Result<()> {
        while self.sender.buffered_len() > 0 {
            let mut pieces = [&[][..]; 16];
            let used = self.sender.transmit_slices(&mut pieces);
            let slices = pieces.map(IoSlice::new);
            let deadline = stop.or(self.sender.poll_timeout());
            match self.transport.write(&slices[..used], deadline) {
                Ok(Waited::Moved(n)) => self.sender.transmitted(n),
                Ok(Waited::Elapsed) if stop.is_some_and(|stop| stop <= self.transport.now()) => return Ok(()),
                Ok(Waited::Elapsed) => self.sender.handle_timeout(self.transport.now()),
                Err(error) => {
                    self.sender.transport_lost();
                    return Err(error);
                }
            }
        }
        self.act();
        self.transport.stream.flush()
    }

    fn act(&mut self) {
        if let Some(cause) = self.sender.poll_gave_up() {
            *self.gave_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
        }
        match self.sender.transport_action() {
            TransportAction::None => {}
            TransportAction::ShutdownWrite => self.transport.end_writing(),
            TransportAction::Close => self.transport.end(),
        }
    }
}
