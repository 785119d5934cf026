//! Control frames: pongs that do not pile up, and the one close frame. RFC 6455 §5.5.
//!
//! A ping is answered in order while few pongs wait. Once [`Limits::pending_pongs`] of them wait, a newer
//! one replaces the last, which §5.5.3 allows: so a peer that pings and never reads costs a constant.
//!
//! [`Limits::pending_pongs`]: crate::Limits

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::frame::Framer;
use crate::close::{CloseCodes, CloseFrame};
use crate::error::UsageError;
use crate::opcode::Opcode;
use crate::wire::header::MAX_CONTROL_LEN;

/// The payload of a control frame, on the stack.
#[derive(Clone, Copy)]
pub(super) struct ControlPayload {
    octets: [u8; MAX_CONTROL_LEN],
    len: u8,
}

impl ControlPayload {
    fn close(frame: &CloseFrame, codes: CloseCodes) -> Self {
        let mut octets = [0; MAX_CONTROL_LEN];
        let reason = frame.reason_bytes();
        octets[..2].copy_from_slice(&codes.number(frame.code()).to_be_bytes());
        octets[2..2 + reason.len()].copy_from_slice(reason);
        Self { octets, len: (2 + reason.len()) as u8 }
    }

    fn as_slice(&self) -> &[u8] {
        &self.octets[..self.len as usize]
    }
}

/// Queues a close frame; no body if there is no frame to repeat (§5.5.1).
pub(super) fn push_close(
    framer: &mut Framer,
    codes: CloseCodes,
    frame: Option<&CloseFrame>,
) -> Result<(), UsageError> {
    match frame {
        Some(frame) => framer.push(true, Opcode::Close, ControlPayload::close(frame, codes).as_slice()),
        None => framer.push(true, Opcode::Close, &[]),
    }
}

/// The pongs that answer pings.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// How many are queued, and where in the stream of output the last of them ends.
    queued: u32,
    end: u64,
    /// The newest one, while it must not be queued.
    held: Option<Box<[u8]>>,
}

impl Pongs {
    /// Answers a ping.
    #[inline]
    pub(super) fn answer(
        &mut self,
        framer: &mut Framer,
        payload: &[u8],
        limit: u32,
    ) -> Result<(), UsageError> {
        self.settle(framer)?;
        // One place is kept for the newest. While one is held, at least one other is in the queue.
        if self.held.is_none() && self.queued < limit.saturating_sub(1).max(1) {
            return self.push(framer, payload);
        }
        match &mut self.held {
            Some(held) if held.len() == payload.len() => held.copy_from_slice(payload),
            held => *held = Some(boxed(payload).ok_or(UsageError::OutOfMemory)?),
        }
        Ok(())
    }

    /// The transport has made progress: if it has taken the pongs that were queued, the held one follows.
    #[inline]
    pub(super) fn settle(&mut self, framer: &mut Framer) -> Result<(), UsageError> {
        if framer.queue.transmitted_total() >= self.end {
            self.queued = 0;
        }
        if self.queued > 0 || self.held.is_none() { Ok(()) } else { self.flush(framer) }
    }

    /// None is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_none()
    }

    /// Queues the one that is held: its time has come, or something follows that no pong may come after.
    #[inline(never)]
    pub(super) fn flush(&mut self, framer: &mut Framer) -> Result<(), UsageError> {
        let Some(payload) = self.held.take() else { return Ok(()) };
        self.push(framer, &payload).inspect_err(|_| self.held = Some(payload))
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline]
    fn push(&mut self, framer: &mut Framer, payload: &[u8]) -> Result<(), UsageError> {
        framer.push(true, Opcode::Pong, payload)?;
        self.queued += 1;
        self.end = framer.queue.total();
        Ok(())
    }
}

fn boxed(octets: &[u8]) -> Option<Box<[u8]>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(octets.len()).ok()?;
    copy.extend_from_slice(octets);
    Some(copy.into())
}
