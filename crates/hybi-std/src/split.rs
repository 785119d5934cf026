//! Two halves of a WebSocket for two threads.
//!
//! The halves of the core share nothing. Here they share one slot, in which the reader leaves what it wants
//! said, and the writing half of the transport. The reader takes the latter only if it is free, so it never
//! waits for a writer; a writer that has finished looks into the slot once more before it leaves. The same goes
//! for messages that a [`Handle`] leaves without waiting.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use hybi::{
    CloseCause, CloseCode, CloseFrame, CloseInfo, Connection, Delivery, Event, Instant, Message, Payload,
    Prepared, Receiver, Reply, Sender, State, TransportAction, UsageError,
};

use crate::error::Error;
use crate::ping::{Pings, Pongs, RoundTrip};
use crate::transport::{LONG, SLICES, Timed, Transport, Waited};

/// The receiving half of a [`WebSocket`](crate::WebSocket).
#[derive(Debug)]
pub struct Reader<S: Transport> {
    transport: Timed<S>,
    receiver: Receiver,
    pongs: Pongs,
    io_error: Option<io::Error>,
    shared: Arc<Shared<S>>,
}

/// The sending half of a [`WebSocket`](crate::WebSocket). Dropping it does not end the connection.
#[derive(Debug)]
pub struct Writer<S: Transport> {
    shared: Arc<Shared<S>>,
}

/// One of many owners of a sending half: it can be cloned, is for any thread, and knows no type of transport.
/// [`Writer::handle`] gives the first. Dropping it does not end the connection.
///
/// Sending waits for its turn and then until the transport has taken what was sent, so that memory stays
/// bounded however many threads send; [`Self::try_send_prepared`] waits for nothing.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<dyn Voice>,
}

#[derive(Debug)]
struct Shared<S> {
    desk: Arc<Desk>,
    high_water: usize,
    outward: Mutex<Outward<S>>,
}

/// What the two sides leave for one another.
#[derive(Debug, Default)]
struct Desk {
    /// What the receiving half wants said.
    replies: Mutex<Vec<Reply>>,
    /// Messages that nobody waits for, and their octets: never more than the high water mark and one message.
    messages: Mutex<(VecDeque<Prepared>, usize)>,
    /// How somebody who does not wait wants the connection to end.
    ending: Mutex<Option<Ending>>,
    pings: Arc<Pings>,
    /// Why the writing side gave the connection up: written before it ends the transport, so that the reader,
    /// whom the end wakes, finds it.
    gave_up: Mutex<Option<CloseCause>>,
}

/// An end that was asked for: the later ones are the stronger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    GoAway,
    Abort,
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
/// And so often while output waits that nobody waits for.
const SHORT_TICK: Duration = Duration::from_millis(50);
/// How long a reader waits for the transport to take what it has to say.
const PATIENCE: Duration = Duration::from_millis(1);

pub(crate) fn split<S: Transport>(
    transport: Timed<S>,
    connection: Connection,
    pongs: Pongs,
) -> io::Result<(Reader<S>, Writer<S>)> {
    let high_water = connection.config().water.high;
    let (receiver, sender) = connection.into_split();
    let desk = Arc::new(Desk { pings: pongs.0.clone(), ..Desk::default() });
    let outward = Outward { transport: transport.try_clone()?, sender, desk: desk.clone() };
    let shared = Arc::new(Shared { desk, high_water, outward: Mutex::new(outward) });
    Ok((Reader { transport, receiver, pongs, io_error: None, shared: shared.clone() }, Writer { shared }))
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
        let event = self.receiver.poll_event();
        self.pongs.look(event.as_ref());
        event
    }

    /// The connection is over: the server ends the transport, a client waits for that (RFC 6455 §7.1.1).
    fn end_transport(&mut self) {
        let before = self.io_error.take();
        loop {
            self.pass_replies();
            if self.shared.outward().sender.transport_action() == TransportAction::Close {
                break;
            }
            self.fill();
        }
        self.io_error = before; // how the transport ends behind the end is nobody's error
        self.transport.end();
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

    /// The whole messages that arrive, each waited for and owned, until the connection is over.
    pub fn messages(&mut self) -> impl Iterator<Item = Message> {
        std::iter::from_fn(|| self.recv_message())
    }

    /// How messages are delivered from the next one on: whole, or in pieces as they arrive.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.receiver.set_delivery(delivery);
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.receiver.close_info()
    }

    /// The error that ended reading, if it was an error. One of writing is the result of what was written.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.io_error.as_ref()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.transport.stream
    }

    fn fill(&mut self) {
        let (waits, deadline) = match self.shared.try_outward() {
            Some(outward) => (outward.sender.buffered_len() > 0, outward.sender.poll_timeout()),
            None => (false, None), // whoever holds it does what is due
        };
        let tick = self.transport.now() + if waits { SHORT_TICK } else { TICK };
        let deadline = deadline.map_or(tick, |deadline| deadline.min(tick));
        let space = self.receiver.recv_space();
        if space.is_empty() {
            return; // something waits to be told, or only time is left
        }
        match self.transport.read(space, Some(deadline)) {
            Ok(Waited::Moved(0)) => self.ended(),
            Ok(Waited::Moved(n)) => self.receiver.received(n),
            Ok(Waited::Elapsed) => {}
            Err(error) => {
                self.io_error.get_or_insert(error);
                self.ended();
            }
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
        self.shared.serve_if_free(Outward::flush_patiently);
        if let Some(cause) = self.shared.desk.take_gave_up() {
            self.receiver.give_up(cause);
        }
    }
}

impl<S: Transport> Writer<S> {
    /// Sends a message and flushes: a `&str` or lent text as text, bytes as binary. What the
    /// transport takes of 16 KiB and more within half a second is not copied by a server, and by a client 64 KiB
    /// at a time.
    ///
    /// # Errors
    /// [`Error::Usage`] (nothing was sent) or [`Error::Io`].
    pub fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.shared.send(payload.into())
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

    /// Sends a message without flushing: several of them and one [`Self::flush`] are one write.
    ///
    /// # Errors
    /// As [`Self::send`]. Above high water it flushes, so memory stays bounded.
    pub fn feed<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        let is_above = {
            let mut outward = self.shared.outward();
            outward.catch_up();
            outward.sender.send(payload)?;
            outward.sender.is_above_high_water()
        };
        if is_above { self.flush() } else { Ok(()) }
    }

    /// Transmits until nothing waits.
    ///
    /// # Errors
    /// [`Error::Io`]: what waited is lost, or its time was over.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.say(|_| Ok(()))
    }

    /// Whatever else a [`Sender`] can say, then a flush.
    ///
    /// # Errors
    /// What `say` returns, or [`Error::Io`].
    pub fn say(&mut self, say: impl FnOnce(&mut Sender) -> Result<(), Error>) -> Result<(), Error> {
        self.shared.say(say)
    }

    /// Sends a ping of up to 125 octets and flushes. The reader gets the pong; how long that took, the
    /// [`RoundTrip`] tells, which may be dropped.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<RoundTrip, Error> {
        self.shared.ping(payload)
    }

    /// Begins the closing handshake and flushes. The reader goes on until there is nothing more.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.say(|sender| Ok(sender.close(code, reason)?))
    }

    /// The same with a frame that exists, or with none: a close frame without a body.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.say(|sender| Ok(sender.close_with(frame)?))
    }

    /// Drops the connection, without waiting: at once, or within half a second if another thread is waiting for
    /// the peer.
    pub fn abort(&mut self) {
        self.shared.abort();
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// One more owner of the sending half, for any thread.
    pub fn handle(&self) -> Handle
    where
        S: Send + 'static,
    {
        Handle { shared: self.shared.clone() }
    }
}

impl Handle {
    /// As [`Writer::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send<'p>(&self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.shared.send(payload.into())
    }

    /// Sends a message that is handed over, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_message(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.say(|sender| Ok(sender.send_message(message).map_err(|refused| refused.error)?))
    }

    /// Sends a message that was framed once for many, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.say(|sender| Ok(sender.send_prepared(message)?))
    }

    /// The same without waiting, neither for the peer nor for other threads: for one message to many. It is
    /// queued, and as much is written as the transport takes at once; the rest goes out with what is sent next,
    /// or when the reader looks.
    ///
    /// # Errors
    /// [`UsageError::QueueFull`] (in [`Error::Usage`]) if more than [`Water::high`](hybi::Water) waits already:
    /// the peer does not keep up, and nothing was queued. [`UsageError::NotOpen`].
    pub fn try_send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.shared.try_send_prepared(message)
    }

    /// Sends a ping of up to 125 octets and flushes. See [`Writer::ping`].
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn ping(&self, payload: &[u8]) -> Result<RoundTrip, Error> {
        self.shared.ping(payload)
    }

    /// Begins the closing handshake and flushes. The reader goes on until there is nothing more.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.say(|sender| Ok(sender.close(code, reason)?))
    }

    /// Drops the connection, without waiting: at once, or within half a second if another thread is waiting for
    /// the peer.
    pub fn abort(&self) {
        self.shared.end(Ending::Abort);
    }

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// Begins the closing handshake with 1001, without waiting for anybody.
    pub(crate) fn go_away(&self) {
        self.shared.end(Ending::GoAway);
    }

    fn say(&self, say: impl FnOnce(&mut Sender) -> Result<(), Error>) -> Result<(), Error> {
        let mut say = Some(say);
        self.shared.say_dyn(&mut |sender| say.take().map_or(Ok(()), |say| say(sender)))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// A writing side whose transport is not named.
trait Voice: Send + Sync {
    fn send(&self, payload: Payload<'_>) -> Result<(), Error>;
    fn say_dyn(&self, say: &mut dyn FnMut(&mut Sender) -> Result<(), Error>) -> Result<(), Error>;
    fn try_send_prepared(&self, message: &Prepared) -> Result<(), Error>;
    fn ping(&self, payload: &[u8]) -> Result<RoundTrip, Error>;
    fn end(&self, ending: Ending);
    fn state(&self) -> State;
}

impl<S: Transport + Send> Voice for Shared<S> {
    fn send(&self, payload: Payload<'_>) -> Result<(), Error> {
        self.send(payload)
    }

    fn say_dyn(&self, say: &mut dyn FnMut(&mut Sender) -> Result<(), Error>) -> Result<(), Error> {
        self.say(say)
    }

    fn try_send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        match self.try_outward() {
            Some(mut outward) => {
                outward.serve();
                if outward.sender.is_above_high_water() {
                    return Err(UsageError::QueueFull.into());
                }
                outward.sender.send_prepared(message)?;
                outward.flush_at_once();
            }
            None => self.desk.leave_message(message, self.high_water)?,
        }
        self.serve_if_free(Outward::flush_at_once); // whoever held it may just have left
        Ok(())
    }

    fn ping(&self, payload: &[u8]) -> Result<RoundTrip, Error> {
        self.ping(payload)
    }

    fn end(&self, ending: Ending) {
        self.end(ending);
    }

    fn state(&self) -> State {
        self.state()
    }
}

impl Desk {
    fn replies(&self) -> MutexGuard<'_, Vec<Reply>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn messages(&self) -> MutexGuard<'_, (VecDeque<Prepared>, usize)> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a message, if not too much is left already.
    fn leave_message(&self, message: &Prepared, high_water: usize) -> Result<(), UsageError> {
        let (messages, octets) = &mut *self.messages();
        if *octets > high_water {
            return Err(UsageError::QueueFull);
        }
        *octets += message.as_bytes().len();
        messages.push_back(message.clone());
        Ok(())
    }

    fn ask_for(&self, ending: Ending) {
        let mut asked = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = asked.take().max(Some(ending));
    }

    fn take_ending(&self) -> Option<Ending> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Nothing is left that could be said now.
    fn is_clear(&self, is_full: bool) -> bool {
        self.replies().is_empty()
            && (is_full || self.messages().0.is_empty())
            && self.ending.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn take_message(&self) -> Option<Prepared> {
        let (messages, octets) = &mut *self.messages();
        let message = messages.pop_front()?;
        *octets -= message.as_bytes().len();
        Some(message)
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
    fn serve_if_free(&self, flush: fn(&mut Outward<S>)) {
        while let Some(mut outward) = self.try_outward() {
            outward.serve();
            flush(&mut outward);
            let is_full = outward.sender.is_above_high_water();
            drop(outward);
            if self.desk.is_clear(is_full) {
                return;
            }
        }
    }

    fn say(&self, say: impl FnOnce(&mut Sender) -> Result<(), Error>) -> Result<(), Error> {
        self.say_outward(|outward| say(&mut outward.sender))
    }

    fn send(&self, payload: Payload<'_>) -> Result<(), Error> {
        self.say_outward(|outward| outward.send(payload))
    }

    fn say_outward(&self, say: impl FnOnce(&mut Outward<S>) -> Result<(), Error>) -> Result<(), Error> {
        let said = {
            let mut outward = self.outward();
            outward.catch_up();
            let said = say(&mut outward);
            let flushed = outward.flush(None);
            said.and(flushed.map_err(Error::Io))
        };
        self.serve_if_free(Outward::flush_patiently);
        said
    }

    fn ping(&self, payload: &[u8]) -> Result<RoundTrip, Error> {
        let mut trip = None;
        self.say(|sender| {
            sender.ping(payload)?;
            trip = Some(self.desk.pings.sent(payload));
            Ok(())
        })?;
        Ok(trip.expect("it was sent"))
    }

    fn abort(&self) {
        self.end(Ending::Abort);
    }

    /// Asks for an end, and begins it if nobody is writing.
    fn end(&self, ending: Ending) {
        self.desk.ask_for(ending);
        self.serve_if_free(Outward::flush_at_once);
    }

    fn state(&self) -> State {
        let state = self.outward().sender.state();
        self.serve_if_free(Outward::flush_patiently); // the reader may have found the door closed
        state
    }
}

impl<S: Transport> Outward<S> {
    /// Says what is on the desk, and serves the deadlines that have passed.
    fn serve(&mut self) {
        for reply in std::mem::take(&mut *self.desk.replies()) {
            self.sender.handle_reply(reply);
        }
        while !self.sender.is_above_high_water()
            && let Some(message) = self.desk.take_message()
        {
            let _ = self.sender.send_prepared(&message); // as if it had been sent and the connection had ended
        }
        match self.desk.take_ending() {
            // It says nothing if the connection is closing already, or where there is no memory to say it.
            Some(Ending::GoAway) => drop(self.sender.close(CloseCode::GOING_AWAY, "")),
            Some(Ending::Abort) => {
                self.sender.abort();
                self.act();
            }
            None => {}
        }
        let now = self.transport.now();
        if self.sender.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.sender.handle_timeout(now);
        }
    }

    /// Queues a message; a long one goes out from where it lies, as much as the transport takes within a tick. What is
    /// left then waits like any other.
    fn send(&mut self, payload: Payload<'_>) -> Result<(), Error> {
        if payload.as_bytes().len() < LONG {
            return Ok(self.sender.send(payload)?);
        }
        let tick = self.transport.now() + TICK;
        let mut written = self.transport.send_lent(&mut self.sender, payload, Some(tick))?;
        if written.is_ok() && self.sender.buffered_len() > 0 {
            written = self.look();
        }
        written.map_err(|error| {
            self.sender.transmit_lost();
            self.act();
            Error::Io(error)
        })
    }

    /// Takes over all messages that were left, so that what is said next comes behind them.
    fn catch_up(&mut self) {
        self.serve();
        while !self.desk.messages().0.is_empty() {
            let _ = self.flush(None); // if it fails, what is left cannot be sent and is dropped
            self.serve();
        }
    }

    /// Transmits what the transport takes within a moment; the rest goes with what is sent next.
    fn flush_patiently(&mut self) {
        let patience = self.transport.now() + PATIENCE;
        let _ = self.flush(Some(patience)); // the reader reads the end of the transport
    }

    /// Transmits what the transport takes without waiting.
    fn flush_at_once(&mut self) {
        while self.sender.buffered_len() > 0 {
            let mut pieces = [&[][..]; SLICES];
            let used = self.sender.transmit_slices(&mut pieces);
            let slices = pieces.map(IoSlice::new);
            match self.transport.write_at_once(&slices[..used]) {
                Ok(Waited::Moved(n)) => self.sender.transmitted(n),
                Ok(Waited::Elapsed) => return,
                Err(_) => {
                    self.sender.transmit_lost(); // the reader reads the end of the transport
                    break;
                }
            }
        }
        self.act();
    }

    /// Transmits until nothing waits, or until it is time to stop.
    fn flush(&mut self, stop: Option<Instant>) -> io::Result<()> {
        let mut tick = self.transport.now() + TICK;
        while self.sender.buffered_len() > 0 {
            if let Err(error) = self.transmit(&mut tick, stop) {
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

    /// One write. While it waits, or is one of many, the other half may have something said, and time goes on.
    fn transmit(&mut self, tick: &mut Instant, stop: Option<Instant>) -> io::Result<()> {
        let deadline = [Some(*tick), stop, self.sender.poll_timeout()].into_iter().flatten().min();
        let mut pieces = [&[][..]; SLICES];
        let used = self.sender.transmit_slices(&mut pieces);
        let slices = pieces.map(IoSlice::new);
        match self.transport.write(&slices[..used], deadline)? {
            Waited::Moved(n) => self.sender.transmitted(n),
            Waited::Elapsed => {
                *tick = self.transport.now() + TICK;
                self.look()?;
            }
        }
        Ok(())
    }

    /// Serves while output waits, which that may give up; then it is lost.
    fn look(&mut self) -> io::Result<()> {
        let waited = self.sender.buffered_len() > 0;
        self.serve();
        if waited && self.sender.buffered_len() == 0 { Err(ErrorKind::TimedOut.into()) } else { Ok(()) }
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

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_said_comes_behind_what_was_left_while_much_waits() {
        let (end, mut peer) = UnixStream::pair().expect("two sockets");
        let connection = Connection::server(hybi::Agreement::default(), hybi::Config::default());
        let (_reader, mut writer) =
            split(Timed::new(end), connection, Pongs::default()).expect("it can be cloned");
        let shared = writer.shared.clone();
        shared.outward().sender.send(&[0; 300_000]).expect("it is open"); // above high water: nothing is taken over
        shared.desk.leave_message(&Prepared::new("left"), shared.high_water).expect("it is the first");
        let saying = std::thread::spawn(move || writer.send("said").expect("sent"));
        let mut octets = vec![0; 300_000 + 10 + 2 * 6];
        peer.read_exact(&mut octets).expect("all of it comes");
        assert_eq!(octets[300_010..], *b"\x81\x04left\x81\x04said");
        saying.join().expect("well");
    }
}
