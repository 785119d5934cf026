//! What a connection runs over.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant as StdInstant};

use hybi::{Instant, Payload, Sender, State, UsageError};

/// A blocking byte stream that can wait for a limited time and end one direction.
///
/// It is implemented for TCP and Unix sockets, which have to be in blocking mode: on one that is not, waiting is
/// turning in circles. [`Plain`] makes one of any `Read + Write`, without deadlines.
pub trait Transport: Read + Write {
    /// Reads fail with `WouldBlock` or `TimedOut` once they have waited for so long.
    ///
    /// # Errors
    /// Those of the operating system.
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// The same for writes.
    ///
    /// # Errors
    /// Those of the operating system.
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// Whether calls wait at all. It is switched off for a moment by
    /// [`Handle::try_send_prepared`](crate::Handle::try_send_prepared), which a reader on another thread may
    /// notice as a read that did not wait.
    ///
    /// # Errors
    /// `Unsupported`: such a call waits a millisecond then, if the transport has deadlines. Or those of the
    /// operating system.
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        let _ = nonblocking;
        Err(ErrorKind::Unsupported.into())
    }

    /// Ends the writing direction; the peer reads an end of stream.
    ///
    /// # Errors
    /// Those of the operating system.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Ends both directions.
    ///
    /// # Errors
    /// Those of the operating system.
    fn shutdown(&mut self) -> io::Result<()>;

    /// A second owner of the same stream, for [`WebSocket::into_split`](crate::WebSocket::into_split).
    ///
    /// # Errors
    /// `Unsupported`, or those of the operating system.
    fn try_clone(&self) -> io::Result<Self>
    where
        Self: Sized;
}

macro_rules! socket {
    ($socket:ty) => {
        impl Transport for $socket {
            fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_read_timeout(self, timeout)
            }
            fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_write_timeout(self, timeout)
            }
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                <$socket>::set_nonblocking(self, nonblocking)
            }
            fn shutdown_write(&mut self) -> io::Result<()> {
                <$socket>::shutdown(self, Shutdown::Write)
            }
            fn shutdown(&mut self) -> io::Result<()> {
                <$socket>::shutdown(self, Shutdown::Both)
            }
            fn try_clone(&self) -> io::Result<Self> {
                <$socket>::try_clone(self)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(UnixStream);

/// Any `Read + Write` as a transport. Its reads wait for ever: no deadline is served while one waits.
#[derive(Clone, Debug)]
pub struct Plain<S>(pub S);

impl<S: Read> Read for Plain<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<S: Write> Write for Plain<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(bufs)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Transport for Plain<S> {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.flush()
    }
    fn shutdown(&mut self) -> io::Result<()> {
        self.0.flush()
    }
    fn try_clone(&self) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// A transport together with what the core must be told about it: the time, and how long it may wait.
#[derive(Debug)]
pub(crate) struct Timed<S> {
    pub(crate) stream: S,
    start: StdInstant,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    write_ended: bool,
}

/// As many pieces of output as are written at once.
pub(crate) const SLICES: usize = 16;
/// Payloads from here on are written from where they lie rather than copied.
pub(crate) const LONG: usize = 16 * 1024;
/// How long a write waits that should not wait, where the transport cannot do without.
const PATIENCE: Duration = Duration::from_millis(1);

/// How a wait for the transport ended.
pub(crate) enum Waited {
    /// So many octets went in or out.
    Moved(usize),
    /// The time is over.
    Elapsed,
}

impl<S: Transport> Timed<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self::started(stream, StdInstant::now())
    }

    /// The same whose clock began earlier.
    pub(crate) fn started(stream: S, start: StdInstant) -> Self {
        Self { stream, start, read_timeout: None, write_timeout: None, write_ended: false }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let stream = self.stream.try_clone()?;
        Ok(Self { stream, write_ended: self.write_ended, ..*self })
    }

    pub(crate) fn now(&self) -> Instant {
        Self::since(self.start)
    }

    pub(crate) fn since(start: StdInstant) -> Instant {
        let nanos = start.elapsed().as_nanos();
        Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Reads until the deadline, or somewhat less: the timeout of the socket is touched only when it is far off.
    pub(crate) fn read(&mut self, space: &mut [u8], deadline: Option<Instant>) -> io::Result<Waited> {
        loop {
            let Some(left) = self.until(deadline) else { return Ok(Waited::Elapsed) };
            if !is_near(self.read_timeout, left) {
                self.stream.set_read_timeout(left)?;
                self.read_timeout = left;
            }
            if let Some(waited) = waited(self.stream.read(space))? {
                return Ok(waited);
            }
        }
    }

    /// Writes what the slices hold, or a part of it, until the deadline.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>], deadline: Option<Instant>) -> io::Result<Waited> {
        loop {
            let Some(left) = self.until(deadline) else { return Ok(Waited::Elapsed) };
            if !is_near(self.write_timeout, left) {
                self.stream.set_write_timeout(left)?;
                self.write_timeout = left;
            }
            match waited(self.stream.write_vectored(slices))? {
                Some(Waited::Moved(0)) => return Err(ErrorKind::WriteZero.into()),
                Some(waited) => return Ok(waited),
                None => {}
            }
        }
    }

    /// Sends a message from where it lies, until the transport takes no more, a deadline passes or it is time to stop.
    /// What it has not taken waits then like any other.
    pub(crate) fn send_lent(
        &mut self,
        sender: &mut Sender,
        payload: Payload<'_>,
        stop: Option<Instant>,
    ) -> Result<io::Result<()>, UsageError> {
        // The deadline of what is about to be said can only be asked for behind it.
        let stall = sender.config().timeouts.write_stall.map(|limit| self.now() + limit);
        let deadline = [stop, stall, sender.poll_timeout()].into_iter().flatten().min();
        let mut outgoing = sender.send_lent(payload)?;
        let written = loop {
            let mut pieces = [&[][..]; SLICES];
            let used = outgoing.transmit_slices(&mut pieces);
            if used == 0 {
                break Ok(());
            }
            match self.write(&pieces.map(IoSlice::new)[..used], deadline) {
                Ok(Waited::Moved(n)) => outgoing.transmitted(n),
                Ok(Waited::Elapsed) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(outgoing);
        if written.is_ok() && sender.state() == State::Closed {
            return Ok(Err(ErrorKind::OutOfMemory.into())); // there is none for the rest
        }
        Ok(written)
    }

    /// Writes what the transport takes without waiting; `Elapsed` if that is nothing.
    pub(crate) fn write_at_once(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Waited> {
        if self.stream.set_nonblocking(true).is_err() {
            let patience = self.now() + PATIENCE;
            return self.write(slices, Some(patience));
        }
        let written = loop {
            match waited(self.stream.write_vectored(slices)) {
                Ok(None) => {}
                Ok(Some(Waited::Moved(0))) => break Err(ErrorKind::WriteZero.into()),
                Ok(Some(waited)) => break Ok(waited),
                Err(error) => break Err(error),
            }
        };
        self.stream.set_nonblocking(false)?;
        written
    }

    /// The stream, without any timeout of ours.
    pub(crate) fn into_stream(self) -> S {
        if self.read_timeout.is_some() {
            let _ = self.stream.set_read_timeout(None); // a socket that is gone has none
        }
        if self.write_timeout.is_some() {
            let _ = self.stream.set_write_timeout(None);
        }
        self.stream
    }

    pub(crate) fn end_writing(&mut self) {
        if !self.write_ended {
            self.write_ended = true;
            let _ = self.stream.shutdown_write(); // a transport that is gone needs no end
        }
    }

    pub(crate) fn end(&mut self) {
        self.write_ended = true;
        let _ = self.stream.shutdown();
    }

    /// How long to wait; `None` if not at all.
    fn until(&self, deadline: Option<Instant>) -> Option<Option<Duration>> {
        let Some(deadline) = deadline else { return Some(None) };
        let left = deadline.since(self.now());
        (!left.is_zero()).then_some(Some(left.max(Duration::from_micros(1))))
    }
}

/// Whether a timeout that is set will do for what is left: waking early costs a turn, and setting it a call.
fn is_near(set: Option<Duration>, left: Option<Duration>) -> bool {
    match (set, left) {
        (None, None) => true,
        (Some(set), Some(left)) => left / 2 <= set && set <= left,
        _ => false,
    }
}

/// `None`: a signal came between, and nothing was waited for.
fn waited(result: io::Result<usize>) -> io::Result<Option<Waited>> {
    match result {
        Ok(n) => Ok(Some(Waited::Moved(n))),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(Some(Waited::Elapsed)),
            ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        },
    }
}
