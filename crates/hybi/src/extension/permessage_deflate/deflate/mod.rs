//! Deflating messages (RFC 7692 §7.2.1): messages go in, whole or in fragments, compressed payloads come out.
//!
//! Who calls: the outward line. Each fragment ends at an octet with an empty stored block (a sync flush); the
//! last loses the `00 00 ff ff` of it. It does not know frames, and never looks at the threshold.
//!
//! Behind it is one of two back ends, which nobody can tell apart but by speed, memory and ratio. Whatever the
//! back end, no distance is longer than the agreed window.

#[cfg(not(feature = "zlib-rs"))]
#[path = "miniz.rs"]
mod back_end;
#[cfg(feature = "zlib-rs")]
#[path = "zlib.rs"]
mod back_end;

use alloc::vec::Vec;
use core::fmt;

use self::back_end::Compressor;
use super::{Level, WindowBits};
use crate::extension::TryBox;

/// Deflates the messages of one direction.
///
/// ```
/// use hybi::extension::permessage_deflate::{Deflater, Inflater, Level, WindowBits};
/// let mut deflater = Deflater::new(WindowBits::MAX, true, Level::default());
/// let mut inflater = Inflater::new(WindowBits::MAX, true);
/// let (mut payload, mut message) = (Vec::new(), Vec::new());
/// deflater.deflate(b"Hello, ", &mut payload, false)?; // a fragment
/// deflater.deflate(b"Hello", &mut payload, true)?;
/// inflater.finish(&payload, &mut message, 1000)?;
/// assert_eq!(message, b"Hello, Hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The memory, about 300 KiB, is allocated by the first message.
pub struct Deflater {
    window: WindowBits,
    takeover: bool,
    level: Level,
    compressor: Option<TryBox<Compressor>>,
    /// Something of the current message was deflated.
    begun: bool,
}

/// Why a message cannot be deflated. The connection cannot send another compressed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeflateError {
    /// No memory for the context or the payload.
    OutOfMemory,
}

impl fmt::Display for DeflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory")
    }
}

impl core::error::Error for DeflateError {}

/// What the end of a message loses (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

impl Deflater {
    /// A deflater that keeps to this window (§7.1.2), and takes over its context or not (§7.1.1). Allocates
    /// nothing.
    pub const fn new(window: WindowBits, takeover: bool, level: Level) -> Self {
        Self { window, takeover, level, compressor: None, begun: false }
    }

    /// Deflates a fragment of a message, or the whole, and appends what is the payload of its frame to `out`.
    /// The last fragment, which may be empty, ends the message.
    ///
    /// # Errors
    /// There is no memory. `out` is as it was.
    pub fn deflate(&mut self, payload: &[u8], out: &mut Vec<u8>, last: bool) -> Result<(), DeflateError> {
        let start = out.len();
        let result = self.append(payload, out, last);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn append(&mut self, payload: &[u8], out: &mut Vec<u8>, last: bool) -> Result<(), DeflateError> {
        if payload.is_empty() {
            // The header of an empty stored block, whose rest is the tail (§7.2.3.6).
            if last {
                out.try_reserve(1).map_err(|_| DeflateError::OutOfMemory)?;
                out.push(0x00);
                self.begun = false;
            }
            return Ok(());
        }
        let fresh = !self.begun && !self.takeover;
        let compressor = self.compressor()?;
        if fresh {
            compressor.reset();
        }
        compressor.deflate(payload, out)?;
        self.begun = !last;
        if last {
            debug_assert!(out.ends_with(&TAIL), "a sync flush ends like this");
            out.truncate(out.len() - TAIL.len());
        }
        Ok(())
    }

    fn compressor(&mut self) -> Result<&mut Compressor, DeflateError> {
        if self.compressor.is_none() {
            self.compressor = Some(Compressor::new(self.window, self.level)?);
        }
        Ok(self.compressor.as_mut().expect("it was just made"))
    }

    /// Whether a message has begun and not ended.
    pub fn is_in_message(&self) -> bool {
        self.begun
    }

    /// Gives all memory back between two messages, if no context is taken over.
    pub fn release(&mut self) {
        if !self.begun && !self.takeover {
            self.compressor = None;
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("window", &self.window)
            .field("takeover", &self.takeover)
            .field("level", &self.level)
            .field("allocated", &self.compressor.is_some())
            .finish_non_exhaustive()
    }
}
