//! Inflating messages (RFC 7692 §7.2.2): compressed payloads go in as they arrive, messages come out.
//!
//! Who calls: the inward line. It appends straight to the message, and stops at a limit. What a later message
//! may refer to is kept here: as much as was inflated, at most the agreed window, and nothing at all where no
//! context is taken over. It does not know frames.
//!
//! It is our own, and serves with either back end, because none of them does all that is asked here: a window
//! of N bits takes memory of N bits and is enforced, a failed allocation is an error, and the work for a
//! received octet is bounded whatever the blocks are.

mod history;
mod stream;
mod tables;

use alloc::vec::Vec;
use core::fmt;

use self::history::History;
use self::stream::{Sink, Stop, Stream};
use super::WindowBits;

/// Inflates the messages of one direction.
///
/// ```
/// use hybi::extension::permessage_deflate::{Inflater, WindowBits};
/// let mut inflater = Inflater::new(WindowBits::MAX, true);
/// let mut message = Vec::new();
/// inflater.inflate(&[0xF2, 0x48, 0xCD, 0xC9], &mut message, 1000)?; // RFC 7692 §7.2.3.2
/// inflater.finish(&[0xC9, 0x07, 0x00], &mut message, 1000)?;
/// assert_eq!(message, b"Hello");
///
/// message.clear();
/// inflater.finish(&[0xF2, 0x00, 0x11, 0x00, 0x00], &mut message, 1000)?; // the same, by the context
/// assert_eq!(message, b"Hello");
/// # Ok::<(), hybi::extension::permessage_deflate::InflateError>(())
/// ```
///
/// Memory is allocated when it is needed: about 5 KiB for the codes of a block, and the window as far as it is
/// filled. After an error every further call gives the same error.
pub struct Inflater {
    stream: Stream,
    history: History,
    takeover: bool,
    /// Something of the current message has arrived.
    begun: bool,
    /// Octets of [`TAIL`] that were inflated.
    tail: usize,
    failed: Option<InflateError>,
}

/// What the sender dropped from the end of the message (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Why a message cannot be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InflateError {
    /// No deflate stream, one that ends inside a block, or one that refers beyond the agreed window or its own
    /// beginning (RFC 7692 §7.2.2, RFC 1951 §3.2).
    Corrupt,
    /// The message is larger than the limit (RFC 7692 §8).
    TooBig,
    /// No memory for the window, the codes or the message.
    OutOfMemory,
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "invalid compressed data (RFC 7692 §7.2.2)",
            Self::TooBig => "message too big (RFC 7692 §8)",
            Self::OutOfMemory => "out of memory",
        })
    }
}

impl core::error::Error for InflateError {}

/// How far [`Inflater::inflate_some`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Octets of the input that were used.
    pub consumed: usize,
    /// All of it was, and nothing waits for room: the call need not be repeated.
    pub done: bool,
}

impl Inflater {
    /// An inflater for a peer that promised this window (§7.1.2), and to take over its context or not
    /// (§7.1.1). Allocates nothing.
    pub const fn new(window: WindowBits, takeover: bool) -> Self {
        Self {
            stream: Stream::new(),
            history: History::new(window.len()),
            takeover,
            begun: false,
            tail: 0,
            failed: None,
        }
    }

    /// Inflates a part of a message and appends it to `out`, which must not become longer than `limit`. The
    /// message may be cut anywhere.
    ///
    /// # Errors
    /// See [`InflateError`]; `out` then has what came before.
    pub fn inflate(&mut self, input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
        self.whole(input, false, out, limit)
    }

    /// Inflates the rest of a message, perhaps empty, and ends it.
    ///
    /// # Errors
    /// See [`InflateError`]; `out` then has what came before.
    pub fn finish(&mut self, input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
        self.whole(input, true, out, limit)
    }

    /// Inflates as [`Self::inflate`] or, with `last`, [`Self::finish`] does, and stops when `out` has `len`
    /// octets: for messages that are delivered in fragments. Until it is done, call it again with more room,
    /// the rest of the input and the same `last`.
    ///
    /// # Errors
    /// See [`InflateError`]; it is never [`InflateError::TooBig`].
    pub fn inflate_some(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Vec<u8>,
        len: usize,
    ) -> Result<Progress, InflateError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let progress = self.step(input, last, out, len);
        self.failed = progress.err();
        progress
    }

    /// Whether a message has begun and not ended.
    pub fn is_in_message(&self) -> bool {
        self.begun
    }

    /// Gives back, between two messages, the memory that no later message needs: everything if no context is
    /// taken over.
    pub fn release(&mut self) {
        if !self.begun {
            self.stream.release();
            if !self.takeover {
                self.history.release();
            }
        }
    }

    /// Octets of memory held.
    pub fn heap_len(&self) -> usize {
        self.history.capacity() + self.stream.heap_len()
    }

    fn whole(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), InflateError> {
        if self.inflate_some(input, last, out, limit)?.done {
            return Ok(());
        }
        self.failed = Some(InflateError::TooBig);
        Err(InflateError::TooBig)
    }

    fn step(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Vec<u8>,
        len: usize,
    ) -> Result<Progress, InflateError> {
        self.begun |= !input.is_empty();
        let mut rest = input;
        let start = out.len();
        let mut done = self.run(&mut rest, start, out, len)?;
        // A message that ends with a last block needs no tail; one without any octet is empty.
        if done && last && self.begun && (self.tail > 0 || !self.stream.is_at_end()) {
            let mut tail = &TAIL[self.tail..];
            done = self.run(&mut tail, start, out, len)?;
            self.tail = TAIL.len() - tail.len();
        }
        let ended = done && last;
        if ended && self.begun && !self.stream.is_at_boundary() {
            return Err(InflateError::Corrupt);
        }
        if self.takeover || !ended {
            self.history.push(&out[start..]).map_err(|_| InflateError::OutOfMemory)?;
        }
        if ended {
            self.end();
        }
        Ok(Progress { consumed: input.len() - rest.len(), done })
    }

    /// The message is over.
    fn end(&mut self) {
        (self.begun, self.tail) = (false, 0);
        if !self.takeover {
            self.history.clear();
        }
    }

    /// Appends what the input gives. Answers whether that was all of it.
    fn run(
        &mut self,
        input: &mut &[u8],
        start: usize,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<bool, InflateError> {
        let mut room =
            room_for(input.len()).min(out.capacity() - out.len()).min(max.saturating_sub(out.len()));
        loop {
            let len = out.len();
            out.resize(len + room, 0);
            let mut sink = Sink::new(&mut out[start..], len - start, &self.history);
            let stop = self.stream.run(input, &mut sink);
            let len = start + sink.len();
            out.truncate(len);
            match stop? {
                Stop::Input => return Ok(true),
                Stop::Room if len >= max => return Ok(false),
                Stop::Room => room = grow(out, room_for(input.len()).min(max - len), max)?,
            }
        }
    }
}

/// The room that is made for so much input.
fn room_for(input: usize) -> usize {
    /// What an octet usually becomes.
    const RATIO: usize = 5;
    const MOST: usize = 32 * 1024;
    input.saturating_mul(RATIO).saturating_add(stream::ROOM).min(MOST)
}

/// Sees to it that so many octets can be appended without growing; memory doubles, and never goes above `max`.
fn grow(out: &mut Vec<u8>, room: usize, max: usize) -> Result<usize, InflateError> {
    if out.capacity() - out.len() < room {
        let more = room.max(out.capacity()).min(max - out.len());
        out.try_reserve_exact(more).map_err(|_| InflateError::OutOfMemory)?;
    }
    Ok(room)
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("window", &self.history.window())
            .field("takeover", &self.takeover)
            .field("heap_len", &self.heap_len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_doubles_where_there_is_no_room_and_keeps_to_the_limit() {
        for (room, max, capacity) in [(60, 1000, 100), (61, 1000, 140), (300, 1000, 340), (61, 120, 120)] {
            let mut out = Vec::with_capacity(100);
            out.resize(40, 0);
            assert_eq!(grow(&mut out, room, max), Ok(room));
            assert_eq!(out.capacity(), capacity, "{room} of {max}");
        }
    }
}
