//! The back end miniz_oxide: safe Rust, and no std. It looks back 32 KiB whatever window it is given, so a
//! smaller one is kept by never letting it see more than a window (RFC 7692 §7.1.2):
//!
//! ```text
//!  octets sent  ─────────────────────────────────────────────────────▶
//!  it sees      ├──────── window ────────┤
//!                           ├─ primed ─┤──────────┤   after a restart, half of it again
//! ```
//!
//! Before a message that does not fit, and where it must inside of one, the compressor forgets everything and is
//! primed with the last half of the window: that is compressed once more, to nowhere. A block begins at an octet
//! after each flush and its codes are its own, so nobody misses what was not sent. That costs half of the speed,
//! in the smallest windows more, for nearly the ratio of a compressor that knows windows (`docs/performance`).

use alloc::vec::Vec;

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output, create_comp_flags_from_zip_params,
};

use super::{DeflateError, Level, WindowBits};
use crate::extension::TryBox;

pub(super) struct Compressor {
    deflate: CompressorOxide,
    /// It has seen something that a reset has to make it forget.
    used: bool,
    /// It runs at level 1.
    fast: bool,
    window: WindowBits,
    /// For a window below the largest: all that the compressor can refer to.
    seen: Vec<u8>,
}

/// What a compressor takes from the heap, roughly.
const HEAP_LEN: usize = 320 * 1024;
/// In windows below this priming would cost more than it brings: each restart clears tables of 128 KiB.
const MIN_PRIMED: usize = 1024;

impl Compressor {
    /// The six allocations of the library itself, a quarter of a MiB, cannot fail as an error: they end the process.
    /// So as much is asked for first.
    pub(super) fn new(window: WindowBits, level: Level) -> Result<TryBox<Self>, DeflateError> {
        drop(reserved(HEAP_LEN)?);
        let flags = create_comp_flags_from_zip_params(level.get().into(), -15, 0);
        let fast = level == Level::FAST;
        TryBox::new(|| Self {
            deflate: CompressorOxide::new(flags),
            used: false,
            fast,
            window,
            seen: Vec::new(),
        })
        .ok_or(DeflateError::OutOfMemory)
    }

    /// Forgets all that it has seen.
    pub(super) fn reset(&mut self) {
        if self.fast {
            if self.used {
                self.deflate.reset(); // the fast mode likes to begin where its memory is warm
            }
        } else if self.used {
            self.discard(&[], TDEFLFlush::Full);
        } else {
            // Nothing ever refers to the first place of its memory. Who begins behind it is compressed like those
            // who come after.
            self.discard(&[0], TDEFLFlush::Full);
        }
        self.used = false;
        self.seen.clear();
    }

    pub(super) fn deflate(&mut self, mut payload: &[u8], out: &mut Vec<u8>) -> Result<(), DeflateError> {
        let window = self.window.len();
        if self.window == WindowBits::MAX {
            return self.append(payload, out);
        }
        if self.seen.capacity() == 0 {
            self.seen = reserved(window)?;
        }
        let primed = if window < MIN_PRIMED { 0 } else { window / 2 };
        while !payload.is_empty() {
            if let Some(old @ 1..) = self.seen.len().checked_sub(primed)
                && self.seen.len() + payload.len() > window
            {
                self.restart(old);
            }
            let (now, rest) = payload.split_at(payload.len().min(window - self.seen.len()));
            self.append(now, out)?;
            self.seen.extend_from_slice(now);
            payload = rest;
        }
        Ok(())
    }

    /// Forgets the first so many octets that it has seen.
    fn restart(&mut self, old: usize) {
        self.discard(&[], TDEFLFlush::Full);
        self.seen.drain(..old);
        if !self.seen.is_empty() {
            let seen = core::mem::take(&mut self.seen);
            self.discard(&seen, TDEFLFlush::Sync);
            self.seen = seen;
        }
    }

    /// Compresses, flushes and appends. Handed over piece by piece: with a buffer of ours, one call more would be
    /// needed to know whether the flush is out.
    fn append(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), DeflateError> {
        self.used = true;
        let mut memory = true;
        let (status, consumed) = compress_to_output(&mut self.deflate, payload, TDEFLFlush::Sync, |piece| {
            memory = out.try_reserve(piece.len()).is_ok();
            if memory {
                out.extend_from_slice(piece);
            }
            memory
        });
        if !memory {
            return Err(DeflateError::OutOfMemory);
        }
        debug_assert_eq!(
            (status, consumed),
            (TDEFLStatus::Okay, payload.len()),
            "only a wrong state is an error"
        );
        Ok(())
    }

    /// Compresses to nowhere.
    fn discard(&mut self, payload: &[u8], flush: TDEFLFlush) {
        let (status, _) = compress_to_output(&mut self.deflate, payload, flush, |_| true);
        debug_assert_eq!(status, TDEFLStatus::Okay, "only a wrong state is an error");
    }
}

fn reserved(len: usize) -> Result<Vec<u8>, DeflateError> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(len).map_err(|_| DeflateError::OutOfMemory)?;
    Ok(memory)
}
