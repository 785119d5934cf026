//! The back end zlib-rs: fast, with `unsafe` inside, and with std for its memory. It keeps to a window.

use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateFlush};

use super::{DeflateError, Level, WindowBits};
use crate::extension::TryBox;

pub(super) struct Compressor {
    deflate: Deflate,
    fresh: bool,
}

/// What a compressor takes from the heap at most, roughly.
const HEAP_LEN: usize = 380 * 1024;

impl Compressor {
    /// It knows no window of 8 bits, but its distances stay 262 octets short of the window, so with 9 bits they
    /// fit into 8.
    pub(super) fn new(window: WindowBits, level: Level) -> Result<TryBox<Self>, DeflateError> {
        // It panics if there is no memory. So ask first.
        let mut memory = Vec::<u8>::new();
        memory.try_reserve_exact(HEAP_LEN).map_err(|_| DeflateError::OutOfMemory)?;
        drop(memory);
        let bits = window.get().max(9);
        TryBox::new(|| Self { deflate: Deflate::new(level.get().into(), false, bits), fresh: true })
            .ok_or(DeflateError::OutOfMemory)
    }

    pub(super) fn reset(&mut self) {
        if !self.fresh {
            self.deflate.reset();
            self.fresh = true;
        }
    }

    pub(super) fn deflate(&mut self, mut payload: &[u8], out: &mut Vec<u8>) -> Result<(), DeflateError> {
        self.fresh = false;
        loop {
            let at = out.len();
            let room = payload.len() / 2 + 64;
            out.try_reserve(room).map_err(|_| DeflateError::OutOfMemory)?;
            out.resize(at + room, 0);
            let (before_in, before_out) = (self.deflate.total_in(), self.deflate.total_out());
            let result = self.deflate.compress(payload, &mut out[at..], DeflateFlush::SyncFlush);
            let consumed = (self.deflate.total_in() - before_in) as usize;
            let produced = (self.deflate.total_out() - before_out) as usize;
            out.truncate(at + produced);
            payload = &payload[consumed..];
            debug_assert!(result.is_ok(), "only a wrong state is an error");
            if payload.is_empty() && produced < room {
                return Ok(());
            }
        }
    }
}
