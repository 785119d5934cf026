//! Frames into the queue: header, mask, payload. RFC 6455 §5.1 to §5.3.

use bytes::{Bytes, BytesMut};

use super::queue::Queue;
use crate::entropy::BoxEntropy;
use crate::error::UsageError;
use crate::opcode::Opcode;
use crate::wire::header::{EncodedHeader, FrameHeader};
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

    pub(super) fn into_entropy(self) -> Option<BoxEntropy> {
        self.entropy
    }

    pub(super) fn masks(&self) -> bool {
        self.entropy.is_some()
    }

    /// Whether a payload can be queued without further ado: it is short, and there is room for it.
    #[inline]
    pub(super) fn takes_short(&self, payload: &[u8]) -> bool {
        payload.len() <= mask::SHORT && self.queue.has_room(EncodedHeader::ROOM + payload.len())
    }

    /// Queues a server's frame with such a payload.
    #[inline]
    pub(super) fn push_short(&mut self, opcode: Opcode, payload: &[u8]) {
        push(&mut self.queue, header(true, opcode, payload.len()), payload, None);
    }

    /// Queues a client's frame with such a payload.
    #[inline]
    pub(super) fn push_short_masked(&mut self, opcode: Opcode, payload: &[u8]) {
        if payload.len() > mask::SHORT {
            return; // it is not; but here the compiler sees it
        }
        let Some(entropy) = &mut self.entropy else { return };
        let key = entropy.masking_key();
        push(&mut self.queue, header(true, opcode, payload.len()).masked(key), payload, Some(key));
    }

    /// Queues a frame with a copy of the payload, which is masked on the way.
    #[inline(always)] // in line, the header of a plain message never exists as a value
    pub(super) fn push(&mut self, fin: bool, opcode: Opcode, payload: &[u8]) -> Result<(), UsageError> {
        self.push_frame(header(fin, opcode, payload.len()), payload)
    }

    /// The same with a header that is there already.
    #[inline(always)]
    pub(super) fn push_frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), UsageError> {
        self.queue.reserve(EncodedHeader::ROOM + payload.len()).ok_or(UsageError::OutOfMemory)?;
        match &mut self.entropy {
            None => push(&mut self.queue, header, payload, None),
            Some(entropy) => {
                let key = entropy.masking_key();
                push(&mut self.queue, header.masked(key), payload, Some(key));
            }
        }
        Ok(())
    }

    /// Queues the header of a frame, and counts the payload, which stays where it is; with room for so much of it
    /// behind the header. The key, if it has to be masked.
    pub(super) fn push_outside(
        &mut self,
        opcode: Opcode,
        len: usize,
        room: usize,
    ) -> Result<Option<[u8; 4]>, UsageError> {
        self.queue.reserve(EncodedHeader::ROOM + room).ok_or(UsageError::OutOfMemory)?;
        let key = self.entropy.as_mut().map(BoxEntropy::masking_key);
        let header = header(true, opcode, len);
        let header = key.map_or(header, |key| header.masked(key)).encode();
        self.queue.push(header.len(), |tail| tail.extend_from_slice(&header));
        self.queue.push_outside(len);
        Ok(key)
    }

    /// Queues a frame with the payload by reference. A client masks in place if nobody else holds the
    /// octets, and a copy if somebody does.
    pub(super) fn push_shared(&mut self, opcode: Opcode, payload: Bytes) -> Result<(), (UsageError, Bytes)> {
        let mut header = header(true, opcode, payload.len());
        if self.queue.reserve_for_shared(EncodedHeader::ROOM).is_none() {
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
        let header = header.encode();
        self.queue.push(header.len(), |tail| tail.extend_from_slice(&header));
        self.queue.push_shared(payload);
        Ok(())
    }
}

/// Header and payload to the tail; room was reserved.
#[inline(always)] // the header of a plain message never exists as a value
fn push(queue: &mut Queue, header: FrameHeader, payload: &[u8], key: Option<[u8; 4]>) {
    let header = header.encode();
    queue.push(header.len() + payload.len(), |tail| mask::append_frame(tail, &header, payload, key));
}

/// The header of a frame whose form the caller vouches for.
#[inline]
pub(super) fn header(fin: bool, opcode: Opcode, len: usize) -> FrameHeader {
    FrameHeader::new(fin, opcode, len as u64)
        .expect("control frames are final and their length was checked; no slice has 2^63 octets")
}
