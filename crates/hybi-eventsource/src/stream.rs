//! One stream: events, comments and time, in; octets, out.

use alloc::vec::Vec;
use core::fmt;

use hybi::Instant;

use crate::event::{Event, PING};
use crate::settings::Settings;

/// The answer to one request for events, and all that follows it.
///
/// Whoever has the transport writes what [`transmit`](Self::transmit) shows, calls
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has come, and ends the transport
/// when [`wants_close`](Self::wants_close) says so. The reader says nothing more; when its transport ends, so does the
/// stream: [`receive_eof`](Self::receive_eof).
#[derive(Debug)]
pub struct EventStream {
    settings: Settings,
    output: Vec<u8>,
    transmitted: usize,
    next_ping: NextPing,
    is_closed: bool,
}

/// Before anybody has told the time there is no telling when an interval ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextPing {
    Unknown,
    At(Instant),
    Never,
}

/// Why something is not sent. Nothing of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The stream has ended.
    Closed,
    /// The type or the id of an event is of more than one line, or the id has a null octet.
    BadField,
    /// More would wait to be written than [`Settings::max_buffered`].
    QueueFull,
}

impl EventStream {
    /// A stream whose head waits to be written.
    pub fn new(settings: Settings) -> Self {
        let mut output = settings.head();
        output.extend_from_slice(settings.opening().as_bytes());
        let next_ping = if settings.ping.is_some() { NextPing::Unknown } else { NextPing::Never };
        Self { settings, output, transmitted: 0, next_ping, is_closed: false }
    }

    /// Sends an event: queues it.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&mut self, event: &Event<'_>) -> Result<(), SendError> {
        self.check_open()?;
        let lines = event.encode()?;
        self.queue(&lines)
    }

    /// Sends a comment, which no reader shows anybody.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn ping(&mut self) -> Result<(), SendError> {
        self.check_open()?;
        self.queue(PING)
    }

    /// Ends the stream when all that waits is written. The reader comes back after [`Settings::retry`], unless it is
    /// answered with 204 then.
    pub fn close(&mut self) {
        self.is_closed = true;
        self.next_ping = NextPing::Never;
    }

    /// The transport has ended, and the stream with it.
    pub fn receive_eof(&mut self) {
        self.close();
        (self.output, self.transmitted) = (Vec::new(), 0);
    }

    /// Whether nothing can be sent any more.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the transport should be ended now: all is written, and no more will come.
    pub fn wants_close(&self) -> bool {
        self.is_closed && self.transmit().is_empty()
    }

    /// What waits to be written.
    pub fn transmit(&self) -> &[u8] {
        &self.output[self.transmitted..]
    }

    /// So much of it was written. An idle stream holds no buffer.
    ///
    /// # Panics
    /// If that is more than was waiting.
    pub fn transmitted(&mut self, len: usize) {
        assert!(len <= self.transmit().len(), "more was transmitted than there was");
        self.transmitted += len;
        if self.transmitted == self.output.len() {
            (self.output, self.transmitted) = (Vec::new(), 0);
        } else if self.transmitted > self.output.len() / 2 {
            self.output.drain(..self.transmitted); // so rarely that each octet moves once at the most
            self.transmitted = 0;
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; [`Instant::ZERO`] is at once.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.next_ping {
            NextPing::Unknown => Some(Instant::ZERO),
            NextPing::At(at) => Some(at),
            NextPing::Never => None,
        }
    }

    /// It is so late. May be called at any time; the first call begins the first interval.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(interval) = self.settings.ping else { return };
        match self.next_ping {
            NextPing::Unknown => self.next_ping = NextPing::At(now + interval),
            NextPing::At(at) if at <= now => {
                self.next_ping = NextPing::At(now + interval);
                // A reader for whom something waits already is not kept alive by more.
                if self.transmit().is_empty() {
                    self.output.extend_from_slice(PING.as_bytes());
                }
            }
            NextPing::At(_) | NextPing::Never => {}
        }
    }

    fn check_open(&self) -> Result<(), SendError> {
        if self.is_closed { Err(SendError::Closed) } else { Ok(()) }
    }

    fn queue(&mut self, lines: &str) -> Result<(), SendError> {
        if lines.len() > self.settings.max_buffered.saturating_sub(self.transmit().len()) {
            return Err(SendError::QueueFull);
        }
        self.output.extend_from_slice(lines.as_bytes());
        Ok(())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the stream has ended",
            Self::BadField => "the type or the id of an event is more than a line",
            Self::QueueFull => "too much waits to be written",
        })
    }
}

impl core::error::Error for SendError {}
