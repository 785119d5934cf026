//! Messages into frames: whole, in fragments, or framed once for many.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::compress::Compressor;
use super::control::{Pongs, push_close};
use super::frame::{BY_REFERENCE, Framer, header};
use crate::close::{CloseCodes, CloseFrame};
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::error::{SendError, UsageError};
use crate::message::{Kind, Message, Payload};
use crate::opcode::Opcode;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use crate::role::Role;
use crate::utf8::Utf8Validator;
use crate::wire::header::MAX_CONTROL_LEN;

/// A message that is framed once, to be sent on many connections: what a server sends is not masked, so all
/// of them can share the octets.
///
/// ```
/// use hybi::{Agreement, Config, Connection, Prepared};
/// let news = Prepared::new("high water at four");
/// let mut connections: Vec<_> =
///     (0..3).map(|_| Connection::server(Agreement::default(), Config::default())).collect();
/// for connection in &mut connections {
///     connection.send_prepared(&news).unwrap();
/// }
/// assert_eq!(connections[2].transmit(), b"\x81\x12high water at four");
/// ```
///
/// Connections that agreed on permessage-deflate get it compressed if that was prepared too:
/// [`Self::with_deflate`], once for each window that occurs.
#[derive(Clone, Debug)]
pub struct Prepared {
    kind: Kind,
    plain: Framed,
    /// For connections whose window is at least so many bits.
    deflated: Vec<(u8, Framed)>,
}

/// Header and payload, as a server sends them.
#[derive(Clone, Debug)]
struct Framed {
    octets: Bytes,
    header_len: usize,
}

impl Framed {
    fn new(kind: Kind, rsv: u8, payload: &[u8]) -> Self {
        let header = header(true, opcode(kind), payload.len()).with_rsv(rsv).encode();
        let mut octets = Vec::with_capacity(header.len() + payload.len());
        octets.extend_from_slice(&header);
        octets.extend_from_slice(payload);
        Self { octets: octets.into(), header_len: header.len() }
    }

    fn payload(&self) -> &[u8] {
        &self.octets[self.header_len..]
    }
}

impl Prepared {
    /// Frames a message.
    pub fn new<'a>(payload: impl Into<Payload<'a>>) -> Self {
        let payload = payload.into();
        Self { kind: payload.kind, plain: Framed::new(payload.kind, 0, payload.bytes), deflated: Vec::new() }
    }

    /// Compresses it for servers whose connections agreed on these parameters, or on a larger window. Once for
    /// each parameter set: if there is such a form already, nothing is done.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[must_use]
    pub fn with_deflate(mut self, deflate: &crate::extension::permessage_deflate::Deflate) -> Self {
        let window = deflate.window(Role::Server);
        let mut payload = Vec::new();
        if self.deflated.iter().all(|(bits, _)| *bits != window)
            && deflate.deflater(Role::Server).deflate(self.plain.payload(), &mut payload, true).is_ok()
        {
            self.deflated.push((window, Framed::new(self.kind, 4, &payload)));
            self.deflated.sort_by_key(|(bits, _)| core::cmp::Reverse(*bits)); // the largest window is the best form
        }
        self
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload.
    pub fn as_bytes(&self) -> &[u8] {
        self.plain.payload()
    }
}

/// The outward line of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    framer: Framer,
    pongs: Pongs,
    config: Arc<Config>,
    /// permessage-deflate, if it was agreed.
    compressor: Option<Box<Compressor>>,
    /// The message of which fragments are being sent.
    open: Option<Open>,
    codes: CloseCodes,
    /// The queue has been above high water, and no event has said that it fell.
    above_high: bool,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    begun: bool,
    /// Whether to compress it, if the caller has said.
    compress: Option<bool>,
    /// Whether its fragments are compressed: the first one decides.
    compressed: bool,
    utf8: Utf8Validator,
}

impl Line {
    pub(crate) fn new(
        entropy: Option<BoxEntropy>,
        config: Arc<Config>,
        compressor: Option<Compressor>,
        codes: CloseCodes,
    ) -> Self {
        Self {
            compressor: compressor.map(Box::new),
            framer: Framer::new(entropy),
            pongs: Pongs::default(),
            config,
            open: None,
            codes,
            above_high: false,
        }
    }

    // ---- say

    #[inline]
    pub(crate) fn send(&mut self, payload: Payload<'_>) -> Result<(), UsageError> {
        self.admit()?;
        if self.compressor.is_none() && self.framer.takes_short(payload.bytes) {
            self.framer.push_short(opcode(payload.kind), payload.bytes);
            self.note_high();
            return Ok(());
        }
        self.push_message(payload)
    }

    /// Queues a message that was admitted.
    #[inline(never)]
    fn push_message(&mut self, payload: Payload<'_>) -> Result<(), UsageError> {
        if self.compresses(payload.bytes.len(), payload.compress) {
            self.push_compressed(true, opcode(payload.kind), payload.bytes)?;
        } else {
            self.framer.push(true, opcode(payload.kind), payload.bytes)?;
        }
        self.note_high();
        Ok(())
    }

    pub(crate) fn send_message(&mut self, message: Message) -> Result<(), SendError<Message>> {
        let kind = message.kind();
        if let Err(error) = self.admit() {
            return Err(SendError { error, payload: message });
        }
        if self.compresses(message.as_bytes().len(), None) {
            return match self.push_compressed(true, opcode(kind), message.as_bytes()) {
                Ok(()) => {
                    self.note_high();
                    Ok(())
                }
                Err(error) => Err(SendError { error, payload: message }),
            };
        }
        self.framer.push_shared(opcode(kind), message.into_bytes()).map_err(|(error, bytes)| SendError {
            error,
            payload: match kind {
                Kind::Text => crate::message::Utf8Bytes::from_validated(bytes).into(),
                Kind::Binary => bytes.into(),
            },
        })?;
        self.note_high();
        Ok(())
    }

    pub(crate) fn send_prepared(&mut self, message: &Prepared) -> Result<(), UsageError> {
        self.admit()?;
        let (rsv, framed) = self.prepared_form(message);
        if self.framer.masks() {
            let header = header(true, opcode(message.kind), framed.payload().len()).with_rsv(rsv);
            self.framer.push_frame(header, framed.payload())?;
        } else if framed.octets.len() >= BY_REFERENCE {
            self.framer.queue.reserve_for_shared(0).ok_or(UsageError::OutOfMemory)?;
            self.framer.queue.push_shared(framed.octets.clone());
        } else {
            let n = framed.octets.len();
            self.framer.queue.reserve(n).ok_or(UsageError::OutOfMemory)?;
            self.framer.queue.push(n, |tail| tail.extend_from_slice(&framed.octets));
        }
        if let (4, Some(compressor)) = (rsv, &mut self.compressor) {
            compressor.restart(); // the peer's window now holds what ours does not
        }
        self.note_high();
        Ok(())
    }

    /// The form of a prepared message that suits this connection, and its reserved bits.
    fn prepared_form<'m>(&self, message: &'m Prepared) -> (u8, &'m Framed) {
        if self.compresses(message.as_bytes().len(), None)
            && let Some(compressor) = &self.compressor
            && let Some((_, framed)) = message.deflated.iter().find(|(bits, _)| *bits <= compressor.window())
        {
            return (4, framed);
        }
        (0, &message.plain)
    }

    #[inline]
    fn compresses(&self, len: usize, wish: Option<bool>) -> bool {
        self.compressor.as_ref().is_some_and(|compressor| compressor.wants(len, wish))
    }

    /// Queues a message, or its next fragment, compressed. RSV1 is set on the first frame alone (RFC 7692 §6).
    #[inline(never)]
    fn push_compressed(&mut self, last: bool, opcode: Opcode, payload: &[u8]) -> Result<(), UsageError> {
        let Some(compressor) = &mut self.compressor else { return self.framer.push(last, opcode, payload) };
        let compressed = compressor.compress(payload, last)?;
        let rsv = if opcode == Opcode::Continuation { 0 } else { 4 };
        let header = header(last, opcode, compressed.len()).with_rsv(rsv);
        self.framer.push_frame(header, &compressed).inspect_err(|_| compressor.restart())
    }

    /// Begins a message in fragments.
    pub(crate) fn start(&mut self, kind: Kind) -> Result<(), UsageError> {
        if self.open.is_some() {
            return Err(UsageError::MessageInProgress);
        }
        self.open = Some(Open {
            kind,
            begun: false,
            compress: None,
            compressed: false,
            utf8: Utf8Validator::default(),
        });
        Ok(())
    }

    /// Whether to compress the message that was begun, as its caller wishes.
    pub(crate) fn wish_compressed(&mut self, compress: bool) {
        if let Some(open) = &mut self.open {
            open.compress = Some(compress);
        }
    }

    pub(crate) fn is_in_message(&self) -> bool {
        self.open.is_some()
    }

    /// Nobody writes the message just now: if nothing of it was queued, it was not begun.
    pub(crate) fn writer_dropped(&mut self) {
        self.open.take_if(|open| !open.begun);
    }

    /// The next fragment of the message that was begun.
    pub(crate) fn fragment(&mut self, payload: &[u8], last: bool) -> Result<(), UsageError> {
        let has_room = self.has_room();
        let open =
            self.open.as_mut().expect("only a MessageWriter calls this, and it exists while one is open");
        if !has_room {
            return Err(UsageError::QueueFull);
        }
        let mut utf8 = open.utf8;
        if open.kind == Kind::Text {
            utf8.update(payload).map_err(|_| UsageError::NotUtf8)?;
            if last {
                utf8.finish().map_err(|_| UsageError::NotUtf8)?;
            }
        }
        let opcode = if open.begun { Opcode::Continuation } else { opcode(open.kind) };
        let (begun, compressed, wish) = (open.begun, open.compressed, open.compress);
        let compressed = if begun { compressed } else { self.compresses(payload.len(), wish) };
        if compressed {
            self.push_compressed(last, opcode, payload)?;
        } else {
            self.framer.push(last, opcode, payload)?;
        }
        if let Some(open) = &mut self.open {
            (open.begun, open.compressed, open.utf8) = (true, compressed, utf8);
        }
        if last {
            self.open = None;
        }
        self.note_high();
        Ok(())
    }

    pub(crate) fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.control(Opcode::Ping, payload)
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.control(Opcode::Pong, payload)
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), UsageError> {
        if payload.len() > MAX_CONTROL_LEN {
            return Err(UsageError::ControlTooLong);
        }
        if !self.has_room() {
            return Err(UsageError::QueueFull);
        }
        self.framer.push(true, opcode, payload)?;
        self.note_high();
        Ok(())
    }

    /// Answers a ping. It is never refused for a full queue: the number of pongs has a limit of its own.
    #[inline]
    pub(crate) fn answer_ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.pongs.answer(&mut self.framer, payload, self.config.limits.pending_pongs)?;
        self.note_high();
        Ok(())
    }

    /// Queues the close frame, whatever waits. Nothing but pongs may follow.
    pub(crate) fn close(&mut self, frame: Option<&CloseFrame>) -> Result<(), UsageError> {
        self.pongs.flush(&mut self.framer)?;
        push_close(&mut self.framer, self.codes, frame)?;
        self.end_messages();
        Ok(())
    }

    #[inline]
    fn admit(&self) -> Result<(), UsageError> {
        if self.open.is_some() {
            return Err(UsageError::MessageInProgress);
        }
        if self.has_room() { Ok(()) } else { Err(UsageError::QueueFull) }
    }

    /// Whether more may be queued. What waits counts, not what is added: whether a message is taken does not
    /// depend on a pong that happens to wait before it.
    #[inline]
    fn has_room(&self) -> bool {
        let waiting = self.framer.queue.len();
        waiting == 0 || waiting < self.config.water.limit
    }

    // ---- out

    /// Takes memory for the queue; it comes back if it is of no use.
    pub(crate) fn lend_buffer(&mut self, memory: Vec<u8>) -> Option<Vec<u8>> {
        self.framer.queue.lend(memory)
    }

    /// Gives that memory back, if nothing waits in it.
    pub(crate) fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        self.framer.queue.reclaim()
    }

    pub(crate) fn queued_len(&self) -> usize {
        self.framer.queue.len()
    }

    pub(crate) fn transmit(&self) -> &[u8] {
        self.framer.queue.first()
    }

    pub(crate) fn transmit_slices<'s>(&'s self, slices: &mut [&'s [u8]]) -> usize {
        self.framer.queue.slices(slices)
    }

    #[inline]
    pub(crate) fn transmitted(&mut self, n: usize) {
        self.framer.queue.transmitted(n);
        // If there is no memory for the held pong it stays where it is, and follows a later call.
        let _ = self.pongs.settle(&mut self.framer);
    }

    /// Octets that were not made here: the answer of a server's opening handshake.
    #[cfg(feature = "handshake")]
    pub(crate) fn push_raw(&mut self, octets: &[u8]) -> Result<(), UsageError> {
        self.framer.queue.reserve(octets.len()).ok_or(UsageError::OutOfMemory)?;
        self.framer.queue.push(octets.len(), |tail| tail.extend_from_slice(octets));
        Ok(())
    }

    /// Drops all that waits, and the memory.
    pub(crate) fn clear(&mut self) {
        self.framer.queue.clear();
        self.pongs.clear();
        self.end_messages();
        self.above_high = false; // nobody waits for a queue that was dropped
    }

    /// No message follows: what they need is given back.
    fn end_messages(&mut self) {
        self.open = None;
        self.compressor = None;
    }

    #[inline]
    fn note_high(&mut self) {
        if self.framer.queue.len() > self.config.water.high {
            self.above_high = true;
        }
    }

    /// Whether the queue, having been above high water, is at low water: told once.
    #[inline]
    pub(crate) fn take_writable(&mut self) -> bool {
        let fell = self.above_high && self.framer.queue.len() <= self.config.water.low;
        if fell {
            self.above_high = false;
        }
        fell
    }
}

fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}
