//! Messages into frames: whole, in fragments, or framed once for many.

use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::control::{Pongs, push_close};
use super::frame::{BY_REFERENCE, Framer, header};
use crate::close::{CloseCodes, CloseFrame};
use crate::config::Config;
use crate::entropy::BoxEntropy;
use crate::error::{SendError, UsageError};
use crate::extension::{OutwardLine, OutwardPath, Transit, TryBox};
use crate::message::{Kind, Message, Payload, PayloadMut};
use crate::opcode::Opcode;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use crate::role::Role;
use crate::utf8::Utf8Validator;
use crate::wire::header::MAX_CONTROL_LEN;
use crate::wire::mask;

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
/// [`Self::with_deflate`], once for each window that occurs. Where an [extension of yours](crate::extension) was agreed
/// on, the message passes it like any other, once for each connection.
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

/// The payload of a message that is being sent from where it lies.
#[derive(Default)]
pub(crate) struct Lent<'p> {
    /// Empty if it was queued like any other.
    payload: &'p [u8],
    /// What a client masks it with: piece by piece in the queue, if the payload is not ours to change.
    key: Option<[u8; 4]>,
}

impl<'p> Lent<'p> {
    /// The last octets, of which so many wait.
    fn rest(&self, waiting: usize) -> &'p [u8] {
        &self.payload[self.payload.len() - waiting..]
    }
}

/// Octets that are masked at once.
const PIECE: usize = 64 * 1024;

/// The outward line of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    framer: Framer,
    pongs: Pongs,
    config: Arc<Config>,
    /// The extensions, if some were agreed on.
    path: Option<TryBox<OutwardPath>>,
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
        path: Option<TryBox<OutwardPath>>,
        codes: CloseCodes,
    ) -> Self {
        Self {
            path,
            framer: Framer::new(entropy),
            pongs: Pongs::default(),
            config,
            open: None,
            codes,
            above_high: false,
        }
    }

    /// Nothing is under way, and nothing is to be told.
    pub(crate) fn is_silent(&self) -> bool {
        self.framer.queue.is_at_rest() && self.pongs.is_empty() && self.open.is_none() && !self.above_high
    }

    /// What is left of it while it is silent: the source of masking keys, and the extensions.
    pub(crate) fn into_silent(self) -> (Option<BoxEntropy>, Option<TryBox<OutwardPath>>) {
        (self.framer.into_entropy(), self.path)
    }

    /// Whether more is expected to be queued soon.
    #[inline]
    pub(crate) fn expect(&mut self, more: bool) {
        self.framer.queue.expect(more);
    }

    // ---- say

    #[inline(always)]
    pub(crate) fn send(&mut self, Payload { kind, bytes, compress }: Payload<'_>) -> Result<(), UsageError> {
        self.send_parts(kind, bytes, compress) // as one value it would go through memory
    }

    fn send_parts(&mut self, kind: Kind, bytes: &[u8], compress: Option<bool>) -> Result<(), UsageError> {
        self.admit()?;
        if self.path.is_none() {
            if self.framer.masks() {
                return self.push_masked(kind, bytes, compress);
            }
            if self.framer.push_short(opcode(kind), bytes) {
                self.note_high();
                return Ok(());
            }
        }
        self.push_message(kind, bytes, compress)
    }

    #[inline(never)] // a server's way is shorter without it
    fn push_masked(&mut self, kind: Kind, bytes: &[u8], compress: Option<bool>) -> Result<(), UsageError> {
        if !self.framer.has_key() {
            return self.fetch_keys_and_push(kind, bytes, compress);
        }
        if self.framer.push_short_masked(opcode(kind), bytes) {
            self.note_high();
            return Ok(());
        }
        self.push_message(kind, bytes, compress)
    }

    #[inline(never)] // what does not call anything need not save anything
    fn fetch_keys_and_push(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        compress: Option<bool>,
    ) -> Result<(), UsageError> {
        self.framer.fetch_keys();
        self.push_masked(kind, bytes, compress)
    }

    /// Queues a message that was admitted.
    #[inline(never)]
    fn push_message(&mut self, kind: Kind, bytes: &[u8], compress: Option<bool>) -> Result<(), UsageError> {
        if self.transforms(bytes.len(), compress) {
            self.push_transformed(Payload { kind, bytes, compress })?;
        } else {
            self.framer.push(true, opcode(kind), bytes)?;
        }
        self.note_high();
        Ok(())
    }

    #[inline(never)] // in line it would weigh on who sends borrowed messages beside it
    pub(crate) fn send_message(&mut self, message: Message) -> Result<(), SendError<Message>> {
        if message.as_bytes().len() >= BY_REFERENCE {
            return self.send_large(message);
        }
        self.send(Payload::from(&message)).map_err(|error| SendError { error, payload: message })
    }

    #[inline(never)]
    fn send_large(&mut self, message: Message) -> Result<(), SendError<Message>> {
        let kind = message.kind();
        if let Err(error) = self.admit() {
            return Err(SendError { error, payload: message });
        }
        if self.transforms(message.as_bytes().len(), None) {
            return match self.push_transformed(Payload::from(&message)) {
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

    /// Queues a message of which the payload stays where it is, if that is of use.
    pub(crate) fn send_lent<'p>(&mut self, payload: Payload<'p>) -> Result<Lent<'p>, UsageError> {
        let Payload { kind, bytes, compress } = payload;
        if bytes.len() < BY_REFERENCE || self.transforms(bytes.len(), compress) {
            return self.send(payload).map(|()| Lent::default());
        }
        self.admit()?;
        let first = if self.framer.masks() { bytes.len().min(PIECE) } else { 0 };
        let key = self.framer.push_outside(opcode(kind), bytes.len(), first)?;
        let lent = Lent { payload: bytes, key };
        self.take_in(&lent, first)?; // there is room for it
        self.note_high();
        Ok(lent)
    }

    /// The same with a payload that may be changed: a client masks it where it lies, once it is certain that it is sent.
    pub(crate) fn send_lent_mut<'p>(&mut self, payload: PayloadMut<'p>) -> Result<Lent<'p>, UsageError> {
        let PayloadMut { kind, bytes } = payload;
        if !self.framer.masks() || bytes.len() < BY_REFERENCE || self.transforms(bytes.len(), None) {
            return self.send_lent(Payload { kind, bytes, compress: None });
        }
        self.admit()?;
        let key = self.framer.push_outside(opcode(kind), bytes.len(), 0)?;
        mask::mask(bytes, key.unwrap_or_default());
        self.note_high();
        Ok(Lent { payload: bytes, key: None })
    }

    /// What of the payload is to be transmitted from where it lies.
    pub(crate) fn lent_rest<'p>(&self, lent: &Lent<'p>) -> &'p [u8] {
        if lent.key.is_some() { &[] } else { lent.rest(self.framer.queue.outside()) }
    }

    /// The transport took so many octets. Where nothing else waits, the next piece of a payload that has to be masked
    /// does.
    pub(crate) fn lent_transmitted(&mut self, lent: &Lent<'_>, n: usize) -> Result<(), UsageError> {
        let queue = &mut self.framer.queue;
        let shown = queue.len() - if lent.key.is_some() { queue.outside() } else { 0 };
        assert!(n <= shown, "more octets than there were to transmit");
        queue.transmitted(n); // a held pong would come before the payload
        if lent.key.is_some() && queue.len() == queue.outside() { self.take_in(lent, PIECE) } else { Ok(()) }
    }

    /// Queues what waits of the payload like any other.
    pub(crate) fn end_lent(&mut self, lent: &Lent<'_>) -> Result<(), UsageError> {
        self.take_in(lent, usize::MAX)?;
        let _ = self.pongs.settle(&mut self.framer); // as in `transmitted`
        Ok(())
    }

    fn take_in(&mut self, lent: &Lent<'_>, most: usize) -> Result<(), UsageError> {
        let queue = &mut self.framer.queue;
        let rest = lent.rest(queue.outside());
        let piece = &rest[..rest.len().min(most)];
        if piece.is_empty() {
            return Ok(());
        }
        let key = lent.key.map_or([0; 4], |key| mask::rotate(key, lent.payload.len() - rest.len()));
        let taken = queue.take_in(piece.len(), |tail| {
            mask::append_masked::<false>(tail, piece, key);
        });
        taken.ok_or(UsageError::OutOfMemory)
    }

    pub(crate) fn send_prepared(&mut self, message: &Prepared) -> Result<(), UsageError> {
        self.admit()?;
        if self.is_whole() {
            self.push_transformed(Payload { kind: message.kind, bytes: message.as_bytes(), compress: None })?;
            self.note_high();
            return Ok(());
        }
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
        if let (4, Some(OutwardPath::Deflate(deflating))) = (rsv, self.path.as_deref_mut()) {
            deflating.restart(); // the peer's window now holds what ours does not
        }
        self.note_high();
        Ok(())
    }

    /// The form of a prepared message that suits this connection, and its reserved bits.
    fn prepared_form<'m>(&self, message: &'m Prepared) -> (u8, &'m Framed) {
        if let Some(OutwardPath::Deflate(deflating)) = self.path.as_deref()
            && deflating.wants(message.as_bytes().len(), None)
            && let Some((_, framed)) = message.deflated.iter().find(|(bits, _)| *bits <= deflating.window())
        {
            return (4, framed);
        }
        (0, &message.plain)
    }

    // ---- extensions

    /// Messages pass extensions whole.
    #[inline]
    fn is_whole(&self) -> bool {
        matches!(self.path.as_deref(), Some(OutwardPath::Whole { .. }))
    }

    /// Whether a message, or a whole that begins with so many octets, is not sent as it is.
    #[inline]
    fn transforms(&self, len: usize, wish: Option<bool>) -> bool {
        self.path.as_ref().is_some_and(|path| match &**path {
            OutwardPath::Deflate(deflating) => deflating.wants(len, wish),
            OutwardPath::Whole { .. } => true,
        })
    }

    /// Queues what the extensions make of a message.
    #[inline(never)]
    fn push_transformed(&mut self, payload: Payload<'_>) -> Result<(), UsageError> {
        let Some(OutwardPath::Whole { line, .. }) = self.path.as_deref_mut() else {
            return self.push_compressed(true, opcode(payload.kind), payload.bytes);
        };
        let mut octets = Vec::new();
        octets.try_reserve_exact(payload.bytes.len()).map_err(|_| UsageError::OutOfMemory)?;
        octets.extend_from_slice(payload.bytes);
        let mut message = Transit::new(payload.kind, octets);
        message.compress = payload.compress;
        push_passed(&mut self.framer, line, message)
    }

    /// Queues a message, or its next fragment, compressed. RSV1 is set on the first frame alone (RFC 7692 §6).
    fn push_compressed(&mut self, last: bool, opcode: Opcode, payload: &[u8]) -> Result<(), UsageError> {
        let Some(OutwardPath::Deflate(deflating)) = self.path.as_deref_mut() else {
            return self.framer.push(last, opcode, payload);
        };
        let compressed = deflating.deflate(payload, last).map_err(|_| UsageError::OutOfMemory)?;
        let rsv = if opcode == Opcode::Continuation { 0 } else { 4 };
        let header = header(last, opcode, compressed.len()).with_rsv(rsv);
        self.framer.push_frame(header, &compressed).inspect_err(|_| deflating.restart())
    }

    /// Keeps the next fragment of a message that has to pass extensions; the last one lets it pass.
    fn hold(&mut self, payload: &[u8], last: bool) -> Result<(), UsageError> {
        let (Some(OutwardPath::Whole { line, held }), Some(open)) =
            (self.path.as_deref_mut(), &mut self.open)
        else {
            return Ok(()); // neither is missing where this is called
        };
        held.try_reserve(payload.len()).map_err(|_| UsageError::OutOfMemory)?;
        held.extend_from_slice(payload);
        open.begun = true;
        if !last {
            return Ok(());
        }
        let mut message = Transit::new(open.kind, core::mem::take(held));
        message.compress = open.compress;
        self.open = None; // whatever comes of it
        push_passed(&mut self.framer, line, message)
    }

    // ---- fragments

    /// Begins a message in fragments.
    pub(crate) fn start(&mut self, kind: Kind) -> Result<(), UsageError> {
        if self.open.is_some() {
            return Err(UsageError::MessageInProgress);
        }
        if let Some(OutwardPath::Whole { line, .. }) = self.path.as_deref()
            && line.failed().is_some()
        {
            return Err(UsageError::ExtensionFailed);
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
        if self.is_whole() {
            self.hold(payload, last)?;
        } else {
            self.push_fragment(payload, last)?;
        }
        match &mut self.open {
            Some(open) if !last => open.utf8 = utf8,
            _ => self.open = None,
        }
        self.note_high();
        Ok(())
    }

    fn push_fragment(&mut self, payload: &[u8], last: bool) -> Result<(), UsageError> {
        let Some(Open { kind, begun, compress, compressed, .. }) = self.open else { return Ok(()) };
        let opcode = if begun { Opcode::Continuation } else { opcode(kind) };
        let compressed = if begun { compressed } else { self.transforms(payload.len(), compress) };
        if compressed {
            self.push_compressed(last, opcode, payload)?;
        } else {
            self.framer.push(last, opcode, payload)?;
        }
        if let Some(open) = &mut self.open {
            (open.begun, open.compressed) = (true, compressed);
        }
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
        self.framer.queue.expect_the_end();
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
        waiting < self.config.water.limit || waiting == 0
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
        self.path = None;
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

/// Lets a message pass the extensions, and queues it in one frame.
fn push_passed(framer: &mut Framer, line: &mut OutwardLine, mut message: Transit) -> Result<(), UsageError> {
    line.pass(&mut message).map_err(|_| UsageError::ExtensionFailed)?;
    let header = header(true, opcode(message.kind), message.payload.len()).with_rsv(message.rsv.bits());
    framer.push_frame(header, &message.payload).inspect_err(|_| line.was_not_sent())
}

fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}
