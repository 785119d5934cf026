//! A stream and a clock, and the steps that every wait is made of: read once, transmit, end, look at the time.
//!
//! Each step is a poll: it does what can be done now, and holds nothing that was not done.

use std::io::{self, ErrorKind, IoSlice};
use std::marker::PhantomData;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant as StdInstant};

use hybi::{Connection, Instant, Payload, Receiver, Sender, State, UsageError};

use crate::runtime::{Io, Runtime};
use crate::scratch;

#[derive(Debug)]
pub(crate) struct Wire<S, R: Runtime> {
    pub(crate) stream: S,
    /// Why the transport is over, if it was an error.
    pub(crate) io_error: Option<io::Error>,
    /// Octets that the transport ever took.
    pub(crate) transmitted: u64,
    clock: Clock<R>,
    /// Something was written, and the stream was not flushed since.
    unflushed: bool,
    write_ended: bool,
    /// When to stop waiting for the end of the writing direction.
    patience: Option<Instant>,
    /// A buffer is lent to the connection.
    lent: bool,
    /// Reads without a look at the time.
    reads: u8,
}

/// The time since the wire was made, and one timer.
#[derive(Debug)]
pub(crate) struct Clock<R: Runtime> {
    start: StdInstant,
    /// And the moment it is set to.
    timer: Option<(R::Timer, Instant)>,
    runtime: PhantomData<fn() -> R>,
}

/// What a read came to.
pub(crate) enum Filled {
    /// Octets, or the end of the stream.
    Some,
    /// The connection has no room for any.
    NoRoom,
    /// The transport broke.
    Lost(io::Error),
}

/// What receives: a connection, or its receiving half.
pub(crate) trait Inward {
    fn lend_buffer(&mut self, buffer: Vec<u8>) -> Result<(), Vec<u8>>;
    fn reclaim_buffer(&mut self) -> Option<Vec<u8>>;
    fn recv_space(&mut self) -> &mut [u8];
    fn received(&mut self, n: usize);
    fn receive_eof(&mut self);
}

macro_rules! inward {
    ($($receiving:ty)*) => {$(
        impl Inward for $receiving {
            fn lend_buffer(&mut self, buffer: Vec<u8>) -> Result<(), Vec<u8>> {
                Self::lend_buffer(self, buffer)
            }
            fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
                Self::reclaim_buffer(self)
            }
            fn recv_space(&mut self) -> &mut [u8] {
                Self::recv_space(self)
            }
            fn received(&mut self, n: usize) {
                Self::received(self, n);
            }
            fn receive_eof(&mut self) {
                Self::receive_eof(self);
            }
        }
    )*};
}

inward!(Connection Receiver);

/// As many pieces of output as are written at once.
const SLICES: usize = 16;
/// Payloads from here on are written from where they lie rather than copied.
const LONG: usize = 16 * 1024;
/// Small pieces are put together to so much where the stream takes one at a time.
const GATHERED: usize = 4096;
/// So many reads that need not wait are followed by a look at the time.
const LOOK_EVERY: u8 = 64;
/// How long the end of the writing direction may take when nothing else is to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

impl<S, R: Runtime> Wire<S, R> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            io_error: None,
            transmitted: 0,
            clock: Clock::new(),
            unflushed: false,
            write_ended: false,
            patience: None,
            lent: false,
            reads: 0,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Ready, with the time, when a deadline has passed.
    pub(crate) fn poll_time(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<Instant> {
        self.reads = 0;
        self.clock.poll(cx, deadline)
    }

    /// Whether it was not looked at the time for long, because there was no need to wait.
    pub(crate) fn is_time_to_look(&self) -> bool {
        self.reads >= LOOK_EVERY
    }

    /// Remembers the first error, and tells its kind.
    pub(crate) fn failed(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.io_error.get_or_insert(error);
        kind.into()
    }

    /// Gives a lent buffer back, unless an event lies in it.
    pub(crate) fn reclaim(&mut self, inward: &mut impl Inward) {
        if self.lent
            && let Some(buffer) = inward.reclaim_buffer()
        {
            self.lent = false;
            scratch::give_back(buffer);
        }
    }
}

impl<S, R: Io<S>> Wire<S, R> {
    /// Reads once, to memory of this thread or to where the octets are to stay. Holds none of it while it waits.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, inward: &mut impl Inward) -> Poll<Filled> {
        if !self.lent {
            match inward.lend_buffer(scratch::take()) {
                Ok(()) => self.lent = true,
                Err(buffer) => scratch::give_back(buffer),
            }
        }
        let read = loop {
            let space = inward.recv_space();
            if space.is_empty() {
                self.reclaim(inward);
                return Poll::Ready(Filled::NoRoom);
            }
            match R::poll_read(&mut self.stream, cx, space) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let filled = match read {
            Poll::Ready(Ok(n @ 1..)) => {
                self.reads = self.reads.saturating_add(1);
                inward.received(n);
                return Poll::Ready(Filled::Some); // events lie in the buffer
            }
            Poll::Ready(Ok(0)) => {
                inward.receive_eof();
                Poll::Ready(Filled::Some)
            }
            Poll::Ready(Err(error)) => Poll::Ready(Filled::Lost(error)),
            Poll::Pending => Poll::Pending,
        };
        self.reclaim(inward);
        filled
    }

    /// Reads once to a slice, for whoever has no connection yet.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut buffer = scratch::take();
        let read = loop {
            match R::poll_read(&mut self.stream, cx, &mut buffer) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        if let Poll::Ready(Ok(n)) = read {
            take(&buffer[..n]);
        }
        scratch::give_back(buffer);
        read
    }

    /// Sends a message, as much of a long one as the stream takes now from where it lies. What it has not taken waits
    /// then like any other.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context<'_>,
        sender: &mut Sender,
        payload: Payload<'_>,
    ) -> Result<io::Result<()>, UsageError> {
        if payload.as_bytes().len() < LONG {
            return sender.send(payload).map(Ok);
        }
        let mut outgoing = sender.send_lent(payload)?;
        let written = loop {
            let mut pieces = [&[][..]; SLICES];
            let used = outgoing.transmit_slices(&mut pieces);
            if used == 0 {
                break Ok(());
            }
            match self.poll_write(cx, &pieces[..used]) {
                Poll::Ready(Ok(n)) => outgoing.transmitted(n),
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => break Ok(()),
            }
        };
        drop(outgoing);
        if written.is_ok() && sender.state() == State::Closed {
            return Ok(Err(ErrorKind::OutOfMemory.into())); // there is none for the rest
        }
        Ok(written)
    }

    /// Transmits until nothing waits, and flushes the stream. What was queued together is written together.
    pub(crate) fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        sender: &mut Sender,
    ) -> Poll<io::Result<()>> {
        let transmitted = self.poll_transmit_all(cx, sender);
        if let Some(buffer) = sender.reclaim_buffer() {
            scratch::give_back_out(buffer);
        }
        transmitted
    }

    fn poll_transmit_all(&mut self, cx: &mut Context<'_>, sender: &mut Sender) -> Poll<io::Result<()>> {
        while sender.buffered_len() > 0 {
            let n = ready!(self.poll_write_waiting(cx, sender))?;
            sender.transmitted(n);
        }
        self.poll_flush(cx)
    }

    /// One write of what waits, which lies in one piece as a rule.
    fn poll_write_waiting(&mut self, cx: &mut Context<'_>, sender: &Sender) -> Poll<io::Result<usize>> {
        let front = sender.transmit();
        if front.len() == sender.buffered_len() {
            return self.poll_write(cx, &[front]);
        }
        let mut pieces = [&[][..]; SLICES];
        let used = sender.transmit_slices(&mut pieces);
        self.poll_write(cx, &pieces[..used])
    }

    /// The same for octets that are no sender's. Not flushed.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, pieces: &[&[u8]]) -> Poll<io::Result<usize>> {
        let written = loop {
            match self.poll_write_once(cx, pieces) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                written => break ready!(written)?,
            }
        };
        if written == 0 {
            return Poll::Ready(Err(ErrorKind::WriteZero.into()));
        }
        self.transmitted += written as u64;
        self.unflushed = true;
        Poll::Ready(Ok(written))
    }

    fn poll_write_once(&mut self, cx: &mut Context<'_>, pieces: &[&[u8]]) -> Poll<io::Result<usize>> {
        if let [piece] = pieces {
            return R::poll_write(&mut self.stream, cx, &[IoSlice::new(piece)]);
        }
        if pieces[0].len() < GATHERED && !R::is_write_vectored(&self.stream) {
            return self.poll_write_gathered(cx, pieces);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
        }
        R::poll_write(&mut self.stream, cx, &slices[..pieces.len()])
    }

    #[inline(never)]
    fn poll_write_gathered(&mut self, cx: &mut Context<'_>, pieces: &[&[u8]]) -> Poll<io::Result<usize>> {
        let mut gathered = [0; GATHERED];
        let n = gather(pieces, &mut gathered);
        R::poll_write(&mut self.stream, cx, &[IoSlice::new(&gathered[..n])])
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(R::poll_flush(&mut self.stream, cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the writing direction. A transport that is gone needs no end.
    pub(crate) fn poll_end_writing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.write_ended {
            let _ = ready!(R::poll_close(&mut self.stream, cx));
            self.write_ended = true;
        }
        Poll::Ready(())
    }

    /// The same when nothing else is waited for: it must not take for ever.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_end_writing(cx).is_pending() {
            let now = self.now();
            let patience = *self.patience.get_or_insert(now + PATIENCE);
            ready!(self.poll_time(cx, Some(patience)));
            self.write_ended = true;
        }
        Poll::Ready(())
    }
}

impl<R: Runtime> Clock<R> {
    pub(crate) fn new() -> Self {
        Self { start: R::now(), timer: None, runtime: PhantomData }
    }

    pub(crate) fn now(&self) -> Instant {
        let nanos = R::now().saturating_duration_since(self.start).as_nanos();
        Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The timer is set again only when it has to fire earlier; one that fires too early is no harm. The clock is
    /// looked at beside it, because a runtime may make a busy task wait without looking at its timers.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<Instant> {
        let Some(deadline) = deadline else { return Poll::Pending };
        let now = self.now();
        if deadline <= now {
            return Poll::Ready(now);
        }
        let Some(at) = self.start.checked_add(Duration::from_nanos(deadline.nanos())) else {
            return Poll::Pending; // no clock will ever say so
        };
        let (timer, set) = self.timer.get_or_insert_with(|| (R::timer(at), deadline));
        if *set > deadline {
            R::reset(timer, at);
            *set = deadline;
        }
        ready!(R::poll_timer(timer, cx));
        if *set < deadline {
            R::reset(timer, at); // it was for a deadline that is none any more
            *set = deadline;
            ready!(R::poll_timer(timer, cx));
        }
        Poll::Ready(self.now().max(deadline))
    }
}

/// Lends the sending half a buffer of this thread, for what is about to be said. [`Wire::poll_transmit`] takes it
/// back.
pub(crate) fn lend_out(sender: &mut Sender) {
    if sender.buffered_len() == 0
        && let Err(buffer) = sender.lend_buffer(scratch::take_out())
    {
        scratch::give_back_out(buffer);
    }
}

/// Copies as many pieces as fit, the last perhaps in part.
fn gather(pieces: &[&[u8]], gathered: &mut [u8]) -> usize {
    let mut len = 0;
    for piece in pieces {
        let n = piece.len().min(gathered.len() - len);
        gathered[len..len + n].copy_from_slice(&piece[..n]);
        len += n;
    }
    len
}
