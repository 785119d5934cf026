//! Frames into the queue: header, mask, payload. RFC 6455 §5.1 to §5.3.

use bytes::Bytes;

use super::keys::Keys;
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
    keys: Keys,
}

impl Framer {
    pub(super) fn new(entropy: Option<BoxEntropy>) -> Self {
        Self { queue: Queue::default(), keys: Keys::new(entropy) }
    }

    pub(super) fn into_entropy(self) -> Option<BoxEntropy> {
        self.keys.into_source()
    }

    pub(super) fn masks(&self) -> bool {
        self.keys.mask()
    }

    /// Whether a payload can be queued without further ado: it is short, and there is room for it.
    #[inline(always)]
    fn takes_short(&self, payload: &[u8]) -> bool {
        payload.len() <= mask::SHORT && self.queue.has_room(EncodedHeader::ROOM + payload.len())
    }

    /// Queues a server's frame with such a payload. Whether it is one.
    #[inline(always)] // without a call, its caller need not save anything
    pub(super) fn push_short(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        let takes = self.takes_short(payload);
        if takes {
            push(&mut self.queue, header(true, opcode, payload.len()), payload, None);
        }
        takes
    }

    /// Queues a client's frame with such a payload. Whether it is one. There is [a key](Self::has_key).
    #[inline(always)] // as for a server
    pub(super) fn push_short_masked(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        if self.takes_short(payload)
            && let Some(key) = self.keys.next_at_hand()
        {
            push(&mut self.queue, header(true, opcode, payload.len()).masked(key), payload, Some(key));
            return true;
        }
        false
    }

    /// Whether a key is at hand.
    #[inline(always)]
    pub(super) fn has_key(&self) -> bool {
        self.keys.is_at_hand()
    }

    /// See [`Keys::fetch`].
    pub(super) fn fetch_keys(&mut self) {
        self.keys.fetch();
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
        match self.keys.next() {
            None => push(&mut self.queue, header, payload, None),
            Some(key) => push(&mut self.queue, header.masked(key), payload, Some(key)),
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
        let key = self.keys.next();
        let header = header(true, opcode, len);
        let header = key.map_or(header, |key| header.masked(key)).encode();
        self.queue.push(header.len(), |tail| tail.extend_from_slice(&header));
        self.queue.push_outside(len);
        Ok(key)
    }

    /// Queues a frame with the payload by reference. A client masks in place if nobody else holds the
    /// octets, and a copy if somebody does.
    pub(super) fn push_shared(
        &mut self,
        opcode: Opcode,
        mut payload: Bytes,
    ) -> Result<(), (UsageError, Bytes)> {
        let mut header = header(true, opcode, payload.len());
        if self.queue.reserve_for_shared(EncodedHeader::ROOM).is_none() {
            return Err((UsageError::OutOfMemory, payload));
        }
        if self.keys.mask() {
            let mut own = match payload.try_into_mut() {
                Ok(own) => own,
                Err(shared) => return self.push(true, opcode, &shared).map_err(|error| (error, shared)),
            };
            if let Some(key) = self.keys.next() {
                header = header.masked(key);
                mask::mask(&mut own, key);
            }
            payload = own.freeze();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// For this role, with room for so many octets.
    fn framer(is_client: bool, room: usize) -> Framer {
        let entropy = is_client.then(|| BoxEntropy::new(|key: &mut [u8]| key.fill(0)));
        let mut framer = Framer::new(entropy);
        framer.queue.reserve(room).expect("memory");
        framer
    }

    fn push_short(framer: &mut Framer, payload: &[u8]) -> bool {
        if framer.masks() {
            framer.push_short_masked(Opcode::Binary, payload)
        } else {
            framer.push_short(Opcode::Binary, payload)
        }
    }

    #[test]
    fn what_is_short_is_queued_where_there_is_room() {
        for is_client in [false, true] {
            let rows = [
                (0, EncodedHeader::ROOM, true),
                (0, EncodedHeader::ROOM - 1, false),
                (mask::SHORT, EncodedHeader::ROOM + mask::SHORT, true),
                (mask::SHORT, EncodedHeader::ROOM + mask::SHORT - 1, false),
                (mask::SHORT + 1, 1000, false),
            ];
            for (len, room, expected) in rows {
                let mut framer = framer(is_client, room);
                assert!(!framer.has_key());
                framer.fetch_keys();
                assert_eq!(framer.has_key(), is_client);
                assert_eq!(push_short(&mut framer, &vec![7; len]), expected, "{is_client}: {len} in {room}");
                let mask = if is_client { &[0x80, 0, 0, 0, 0][..] } else { &[0] };
                let frame = [&[0x82, len as u8 | mask[0]], &mask[1..], &vec![7; len]].concat();
                assert_eq!(framer.queue.first(), if expected { &frame[..] } else { &[] });
            }
        }
        assert!(!push_short(&mut framer(true, 1000), b"no key is at hand"));
    }
}
