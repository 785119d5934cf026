//! Frames into the queue: header, mask, payload. RFC 6455 §5.1 to §5.3.

use bytes::{Bytes, BytesMut};

use super::queue::Queue;
use crate::entropy::BoxEntropy;
use crate::error::UsageError;
use crate::opcode::Opcode;
use crate::wire::header::{FrameHeader, MAX_HEADER_LEN};
use crate::wire::mask;

/// Payloads from here on are queued by reference where they can be.
pub(super) const BY_REFERENCE: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Framer {
    pub(super) queue: Queue,
    /// Where masking keys come from; a server has none and masks nothing.
    entropy: Option<BoxEntropy>,
}

impl Framer {
    pub(super) fn new(entropy: Option<BoxEntropy>) -> Self {
        Self { queue: Queue::default(), entropy }
    }

    pub(super) fn masks(&self) -> bool {
        self.entropy.is_some()
    }

    /// Queues a frame with a copy of the payload, which is masked on the way.
    #[inline]
    pub(super) fn push(&mut self, fin: bool, opcode: Opcode, payload: &[u8]) -> Result<(), UsageError> {
        self.push_frame(header(fin, opcode, payload.len()), payload)
    }

    /// The same with a header that is there already.
    #[inline(always)] // in line, the header of a plain message never exists as a value
    pub(super) fn push_frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), UsageError> {
        self.queue.reserve(MAX_HEADER_LEN + payload.len()).ok_or(UsageError::OutOfMemory)?;
        match &mut self.entropy {
            None => self.queue.push(header.encoded_len() + payload.len(), |tail| {
                header.encode().append_to(tail);
                tail.extend_from_slice(payload);
            }),
            Some(entropy) => {
                let key = entropy.masking_key();
                let header = header.masked(key);
                self.queue.push(header.encoded_len() + payload.len(), |tail| {
                    header.encode().append_to(tail);
                    mask::append_masked(tail, payload, key);
                });
            }
        }
        Ok(())
    }

    /// Queues a frame with the payload by reference. A client masks in place if nobody else holds the
    /// octets, and a copy if somebody does.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: Bytes) -> Result<(), (UsageError, Bytes)> {
        if payload.len() < BY_REFERENCE {
            return self.push(true, opcode, &payload).map_err(|error| (error, payload));
        }
        let mut header = header(true, opcode, payload.len());
        if self.queue.reserve_for_shared(MAX_HEADER_LEN).is_none() {
            return Err((UsageError::OutOfMemory, payload));
        }
        let payload = match &mut self.entropy {
            None => payload,
            Some(entropy) => match payload.try_into_mut() {
                Err(shared) => return self.push(true, opcode, &shared).map_err(|error| (error, shared)),
                Ok(mut payload) => {
                    let key = entropy.masking_key();
                    header = header.masked(key);
                    mask::mask(&mut payload, key);
                    BytesMut::freeze(payload)
                }
            },
        };
        self.queue.push(header.encoded_len(), |tail| header.encode().append_to(tail));
        self.queue.push_shared(payload);
        Ok(())
    }
}

/// The header of a frame whose form the caller vouches for.
#[inline]
pub(super) fn header(fin: bool, opcode: Opcode, len: usize) -> FrameHeader {
    FrameHeader::new(fin, opcode, len as u64)
        .expect("control frames are final and their length was checked; no slice has 2^63 octets")
}
