//! Messages out of frames: unmask, validate, join; and what has to be kept between two calls.
//!
//! A message that lies whole in the memory at hand is unmasked and validated there and never moves. Anything
//! else is appended to one buffer, so that fragments cost nothing beyond their octets; while a large payload
//! is arriving, that buffer's tail is what the transport reads into. Text is validated as it arrives: a wrong
//! octet fails the connection when it comes, not when the frame or the message ends.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::buffer::Buffer;
use super::control::parse_close;
use super::frame::{Data, Decoder, Found};
use crate::close::{CloseCodes, CloseFrame};
use crate::config::{Config, Delivery};
use crate::error::ProtocolError;
use crate::extension::permessage_deflate::NAME;
use crate::extension::{InwardPath, Rsv, Transit, TryBox};
use crate::message::{Kind, NotUtf8};
use crate::opcode::Opcode;
use crate::role::Role;
use crate::utf8::{self, Utf8Validator};
use crate::wire::mask::{self, BLOCK};

/// What arrived, in places instead of slices: the borrow is made once, at the very end.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by a sealed trait")]
pub struct Outcome {
    pub(crate) what: What,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Message(Kind),
    Fragment {
        kind: Kind,
        first: bool,
        last: bool,
    },
    Ping,
    Pong,
    /// [`Line::peer_close`] has the frame.
    Close,
    Failed(ProtocolError),
}

impl Outcome {
    /// What [`Line::next_whole_own`] found.
    #[inline]
    pub(crate) fn of_whole(kind: Kind, place: Range<usize>) -> Self {
        Self { what: What::Message(kind), place: Place::new(Memory::Own, place) }
    }

    /// A message in our receive buffer, if that is what it is.
    #[inline]
    pub(crate) fn whole_own(&self) -> Option<(Kind, Range<usize>)> {
        match (self.what, self.place) {
            (What::Message(kind), Place { memory: Memory::Own, start, end }) => Some((kind, start..end)),
            _ => None,
        }
    }
}

/// Where something lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    memory: Memory,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug)]
enum Memory {
    /// The memory that the caller lent.
    Lent,
    /// Our receive buffer.
    Own,
    /// It was joined.
    Joined,
    /// The front of what was joined, and not its end.
    JoinedFront,
    /// One character, made of octets of two pieces.
    Char,
}

impl Place {
    #[inline]
    fn new(memory: Memory, range: Range<usize>) -> Self {
        Self { memory, start: range.start, end: range.end }
    }

    const JOINED: Self = Self { memory: Memory::Joined, start: 0, end: 0 };
    const CHAR: Self = Self { memory: Memory::Char, start: 0, end: 4 };
}

/// The inward line of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    decoder: Decoder,
    config: Arc<Config>,
    /// How the current message is delivered, and how the next will be.
    delivery: Delivery,
    next_delivery: Delivery,
    buffer: Buffer,
    /// The message being joined, and behind it perhaps what was initialised earlier: to be lent to the transport.
    joined: Vec<u8>,
    /// Octets of `joined` that have been received, and those of them that were unmasked and validated.
    received: usize,
    plain: usize,
    /// The extensions, if some were agreed on.
    path: Option<TryBox<InwardPath>>,
    /// Whether messages pass them whole.
    whole: bool,
    /// Whether the current message is not, on the wire, what it is to be: an extension has to transform it back.
    extended: bool,
    /// The reserved bits with which it came, if messages pass whole.
    rsv: Rsv,
    /// How much of the front of `joined` the last outcome lent.
    lent_front: usize,
    /// How much of the current message was inflated and delivered.
    delivered: usize,
    /// Whether text is validated.
    validates: bool,
    /// The text up to here. Between messages no character is unfinished.
    utf8: Utf8Validator,
    /// The character that [`Place::Char`] means.
    char: ([u8; 4], u8),
    flags: Flags,
    /// Found outside of [`Self::next`], to be reported by it.
    failure: Option<ProtocolError>,
    codes: CloseCodes,
    /// What the peer's close frame said.
    peer_close: Option<CloseFrame>,
}

#[derive(Debug, Default)]
struct Flags {
    /// All that is at hand has been looked at: only more octets can give an outcome.
    hungry: bool,
    /// The last space was the tail of `joined`.
    direct: bool,
    /// A fragment of the current message has been delivered.
    begun: bool,
    /// The last outcome lent `joined`.
    lending: bool,
    /// By [`Odd`].
    odd: u8,
}

/// What [`Line::next_joined`] came to.
enum Joined {
    /// The end of a message.
    Message(Kind),
    /// A message goes on, and nothing is left to look at.
    All,
    /// Something else may lie there: [`Line::next_found`] tells.
    Unknown,
}

/// What makes a whole message anything but a whole message. All of it is asked for each message, at once.
#[derive(Clone, Copy, Debug)]
enum Odd {
    /// The current message, or the next, is delivered in fragments; or all of them pass extensions whole.
    Detour = 1,
    /// There is a failure to be told.
    Failing = 2,
    /// Nothing that arrives matters any more.
    Over = 4,
}

impl Flags {
    /// Nothing odd is under way.
    #[inline]
    fn is_plain(&self) -> bool {
        self.odd == 0
    }

    #[inline]
    fn is(&self, odd: Odd) -> bool {
        self.odd & odd as u8 != 0
    }

    #[inline]
    fn set(&mut self, odd: Odd, is: bool) {
        self.odd = self.odd & !(odd as u8) | if is { odd as u8 } else { 0 };
    }
}

/// A payload of which so much is still to come is read to its final place.
const DIRECT: u64 = 16 * 1024;
/// Octets of compressed data that are inflated at once where messages are delivered in fragments: they may
/// become 264 KiB.
const MAX_COMPRESSED_PIECE: usize = 256;
/// The first step by which memory for such a payload grows; then it doubles what was received.
const STEP: usize = 16 * 1024;

/// From here on the validator is quicker to see that text is ASCII than a pass that has nothing to mask.
const ASKED_ALONE: usize = 256;

impl Line {
    pub(crate) fn new(
        role: Role,
        config: Arc<Config>,
        path: Option<TryBox<InwardPath>>,
        codes: CloseCodes,
    ) -> Self {
        let rsv = path.as_ref().map_or(Rsv::NONE, |path| path.rsv());
        let whole = matches!(path.as_deref(), Some(InwardPath::Whole(_)));
        let detour = whole || config.delivery == Delivery::Fragments;
        Self {
            decoder: Decoder::with_rsv(role, &config, rsv.bits()),
            path,
            whole,
            extended: false,
            rsv: Rsv::NONE,
            lent_front: 0,
            delivered: 0,
            delivery: config.delivery,
            next_delivery: config.delivery,
            validates: config.strictness.utf8,
            config,
            buffer: Buffer::default(),
            joined: Vec::new(),
            received: 0,
            plain: 0,
            utf8: Utf8Validator::default(),
            char: ([0; 4], 0),
            flags: Flags { hungry: true, odd: u8::from(detour) * Odd::Detour as u8, ..Flags::default() },
            failure: None,
            codes,
            peer_close: None,
        }
    }

    /// Octets held that no event has delivered yet.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len() + if self.flags.lending { 0 } else { self.received }
    }

    /// Nothing is under way, and nothing is to be told.
    pub(crate) fn is_silent(&self) -> bool {
        self.held() == 0 && !self.buffer.is_lent() && !self.decoder.is_in_message() && self.failure.is_none()
    }

    /// What is left of it while it is silent: the extensions, and how the next message is delivered.
    pub(crate) fn into_silent(self) -> (Option<TryBox<InwardPath>>, Delivery) {
        (self.path, self.next_delivery)
    }

    /// How messages are delivered from the next one on.
    pub(crate) fn set_delivery(&mut self, delivery: Delivery) {
        self.next_delivery = delivery;
        self.flags.set(Odd::Detour, self.flags.is(Odd::Detour) | (delivery == Delivery::Fragments));
    }

    /// From now on everything that arrives is dropped. Gives all memory back.
    pub(crate) fn finish(&mut self) {
        self.flags.set(Odd::Over, true);
        self.flags.lending = false;
        self.buffer.release();
        (self.joined, self.received, self.plain) = (Vec::new(), 0, 0);
        self.path = None; // the window of permessage-deflate is the most of what a connection holds
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.flags.is(Odd::Over)
    }

    // ---- in

    /// Where the transport may write. Empty: first take the events.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.release();
        self.flags.direct = false;
        if self.flags.is(Odd::Over) || self.failure.is_some() {
            self.buffer.make_space();
            return self.buffer.space();
        }
        let coming = self.coming();
        if self.buffer.is_empty() && coming >= DIRECT && self.delivery == Delivery::Messages && !self.extended
        {
            return self.direct_space(coming);
        }
        if !self.flags.hungry && self.held() > 0 {
            return &mut [];
        }
        if !self.buffer.make_space() {
            self.fail(ProtocolError::OutOfMemory);
        }
        self.buffer.space()
    }

    /// Octets of the current data frame that were not received.
    fn coming(&self) -> u64 {
        self.decoder.remaining().saturating_sub((self.received - self.plain) as u64)
    }

    /// The final place of a large payload. Memory follows what was received, never what was announced.
    fn direct_space(&mut self, coming: u64) -> &mut [u8] {
        self.buffer.release();
        let coming = usize::try_from(coming).unwrap_or(usize::MAX);
        if self.joined.len() == self.received {
            let step = self.received.max(STEP).min(coming);
            if self.joined.try_reserve_exact(step).is_err() {
                self.fail(ProtocolError::OutOfMemory);
                return &mut [];
            }
            self.joined.resize(self.received + step, 0);
        }
        self.flags.direct = true;
        let room = self.direct_room();
        &mut self.joined[room]
    }

    /// Where that is, as far as there is memory: behind it may lie what was received earlier.
    fn direct_room(&self) -> Range<usize> {
        let coming = usize::try_from(self.coming()).unwrap_or(usize::MAX);
        self.received..self.joined.len().min(self.received.saturating_add(coming))
    }

    /// Takes memory to receive into; it comes back if it is of no use.
    pub(crate) fn lend_buffer(&mut self, memory: Vec<u8>) -> Option<Vec<u8>> {
        self.buffer.lend(memory)
    }

    /// Gives that memory back, and what messages were joined in while it was there.
    pub(crate) fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        self.release();
        if self.received == 0 {
            self.joined = Vec::new();
        }
        self.buffer.reclaim()
    }

    /// The transport wrote so many octets to the space.
    pub(crate) fn received(&mut self, n: usize) {
        if self.flags.is(Odd::Over) {
            return self.buffer.release(); // what arrived is dropped, and so is its place
        }
        if self.flags.direct {
            assert!(n <= self.direct_room().len(), "more octets than there was space for");
            self.received += n;
        } else {
            self.buffer.filled(n);
        }
        self.flags.hungry = false;
    }

    /// Keeps what is left of lent memory. What lies here may move for it, unless an event is to be made of it.
    pub(crate) fn keep(&mut self, rest: &[u8], may_move: bool) {
        if !self.flags.is(Odd::Over) && !rest.is_empty() && self.buffer.append(rest, may_move).is_none() {
            self.fail(ProtocolError::OutOfMemory);
        }
    }

    /// Something went wrong between two searches, such as that there was no memory: the next one tells.
    pub(crate) fn fail(&mut self, error: ProtocolError) {
        self.failure = Some(error);
        self.flags.set(Odd::Failing, true);
    }

    /// Something arrived in lent memory.
    pub(crate) fn fed(&mut self) {
        self.flags.hungry = false;
    }

    /// Takes out what was received and not decoded.
    pub(crate) fn take_unread(&mut self) -> Vec<u8> {
        self.buffer.take()
    }

    // ---- out

    /// Whether a message that lies whole at the front of what is lent is the next outcome. [`Self::next_whole`] leaves
    /// it so; all else may change it.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.buffer.is_empty() && self.flags.is_plain() && !self.decoder.is_in_message()
    }

    /// The usual case: a short message that lies whole at the front of what was lent, which [is
    /// plain](Self::is_plain). The same rules as in [`Self::next`], all found kept at once. `None` says nothing: `next`
    /// does.
    #[inline(always)] // one call for each message where `poll_event` is not in line, not two
    pub(crate) fn next_whole<'m>(&mut self, lent: &mut &'m mut [u8]) -> Option<(Kind, &'m mut [u8])> {
        let whole = self.decoder.find_whole(lent)?;
        let payload = lent.split_off_mut(..whole.place.end)?.get_mut(whole.place.start..)?;
        let unmasked = unmask_whole(payload, whole.key, || self.checks(whole.kind));
        self.take_whole(unmasked)?;
        Some((whole.kind, payload))
    }

    /// The same in our own buffer; the place is one in [`Self::own`].
    #[inline]
    pub(crate) fn next_whole_own(&mut self) -> Option<(Kind, Range<usize>)> {
        if !self.flags.is_plain() || self.decoder.is_in_message() {
            return None;
        }
        let whole = self.decoder.find_whole(self.buffer.waiting())?;
        let check = self.checks(whole.kind);
        let payload = &mut self.buffer.waiting()[whole.place.clone()];
        let unmasked = unmask_whole(payload, whole.key, || check);
        let consumed = whole.place.end;
        let place = self.buffer.absolute(whole.place);
        self.buffer.consume(consumed);
        self.take_whole(unmasked)?;
        Some((whole.kind, place))
    }

    #[inline]
    fn take_whole(&mut self, unmasked: Result<(), ProtocolError>) -> Option<()> {
        unmasked.map_err(|error| self.fail(error)).ok()
    }

    /// Our own buffer.
    #[inline]
    pub(crate) fn own(&mut self, place: Range<usize>) -> &mut [u8] {
        &mut self.buffer.all()[place]
    }

    /// Whether messages of this kind are validated.
    #[inline]
    fn checks(&self, kind: Kind) -> bool {
        kind == Kind::Text && self.validates
    }

    /// The next outcome. What is ours comes first, then `lent` from `at` on, which moves.
    pub(crate) fn next(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Outcome> {
        self.release();
        let joined = match (self.buffer.is_empty(), *at == lent.len()) {
            (true, _) => self.next_joined(lent, at),
            (false, true) => self.next_joined_own(),
            (false, false) => Joined::Unknown, // what waits goes on in what was lent
        };
        match joined {
            Joined::Message(kind) => Some(Outcome { what: What::Message(kind), place: Place::JOINED }),
            Joined::All => {
                self.starve();
                None
            }
            Joined::Unknown => self.next_found(lent, at),
        }
    }

    /// What is usual next to whole messages: one that is cut by the end of what was read. Joins the piece at the front
    /// of what was lent, by the rules of [`Self::search`].
    #[inline(always)] // with `next`, what is found never goes through memory
    fn next_joined(&mut self, lent: &[u8], at: &mut usize) -> Joined {
        let Some(input) = lent.get(*at..).filter(|input| !input.is_empty()) else { return Joined::Unknown };
        let inflates = self.extended && self.decoder.is_in_message();
        if inflates || self.plain < self.received || !self.buffer.is_empty() || !self.flags.is_plain() {
            return Joined::Unknown;
        }
        let Some(Data { kind, last, key, place, .. }) = self.decoder.find_cut(input) else {
            return Joined::Unknown;
        };
        let is_all = place.end == input.len();
        *at += place.end;
        self.extended = false;
        match self.join(&input[place], key, kind).and_then(|()| self.joined_to(kind, last)) {
            Ok(Some(_)) => Joined::Message(kind),
            Ok(None) if is_all => Joined::All,
            Ok(None) => Joined::Unknown,
            Err(error) => {
                self.fail(error);
                Joined::Unknown
            }
        }
    }

    /// The same in our own buffer, which is taken out for as long as that takes.
    #[inline(never)]
    fn next_joined_own(&mut self) -> Joined {
        let (mut buffer, mut at) = (core::mem::take(&mut self.buffer), 0);
        let joined = self.next_joined(buffer.waiting(), &mut at);
        buffer.consume(at);
        self.buffer = buffer;
        joined
    }

    /// The next outcome, whatever it is.
    #[inline(never)]
    fn next_found(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Outcome> {
        if self.flags.is(Odd::Over) {
            *at = lent.len();
            return None;
        }
        let outcome = match self.failure.take().map_or_else(|| self.search(lent, at), Err) {
            Ok(outcome) => outcome?,
            Err(error) => return Some(self.finish_with(What::Failed(error), lent, at)),
        };
        if matches!(outcome.what, What::Close) {
            return Some(self.finish_with(What::Close, lent, at)); // nothing comes after a close
        }
        Some(outcome)
    }

    /// The last outcome: nothing after a failure is processed (§7.1.7).
    #[cold]
    fn finish_with(&mut self, what: What, lent: &[u8], at: &mut usize) -> Outcome {
        self.finish();
        *at = lent.len();
        Outcome { what, place: Place::JOINED }
    }

    fn search(&mut self, lent: &mut [u8], at: &mut usize) -> Result<Option<Outcome>, ProtocolError> {
        loop {
            if self.plain < self.received {
                match self.take_direct()? {
                    Some(outcome) => return Ok(Some(outcome)),
                    None => continue,
                }
            }
            let max = self.max_piece();
            if self.buffer.is_empty() {
                if *at == lent.len() {
                    return self.starved();
                }
                match self.decoder.find(&lent[*at..], max)? {
                    Found::Incomplete(_) => return self.starved(),
                    Found::Data(mut data) => {
                        data.place = *at + data.place.start..*at + data.place.end;
                        *at = data.place.end;
                        if let Some(outcome) = self.data(lent, data, Memory::Lent)? {
                            return Ok(Some(outcome));
                        }
                    }
                    Found::Control { opcode, place, key } => {
                        let place = *at + place.start..*at + place.end;
                        *at = place.end;
                        let what = self.control(opcode, &mut lent[place.clone()], key)?;
                        return Ok(Some(Outcome { what, place: Place::new(Memory::Lent, place) }));
                    }
                }
            } else if let Some(outcome) = self.search_buffer(lent, at, max)? {
                return Ok(outcome);
            }
        }
    }

    /// One step over our own buffer. `Some(None)`: more octets are needed, and there are none.
    fn search_buffer(
        &mut self,
        lent: &[u8],
        at: &mut usize,
        max: usize,
    ) -> Result<Option<Option<Outcome>>, ProtocolError> {
        match self.decoder.find(self.buffer.waiting(), max)? {
            Found::Incomplete(n) => {
                // The beginning of a frame waits here; its end may be what was lent.
                let take = (n - self.buffer.len()).min(lent.len() - *at);
                if take == 0 {
                    return self.starved().map(Some);
                }
                self.buffer.append(&lent[*at..*at + take], true).ok_or(ProtocolError::OutOfMemory)?;
                *at += take;
                Ok(None)
            }
            Found::Data(mut data) => {
                let consumed = data.place.end;
                data.place = self.buffer.absolute(data.place);
                // The buffer is lent to a method of ours: take it out for as long as that takes.
                let mut buffer = core::mem::take(&mut self.buffer);
                buffer.consume(consumed);
                let outcome = self.data(buffer.all(), data, Memory::Own);
                self.buffer = buffer;
                outcome.map(|outcome| outcome.map(Some))
            }
            Found::Control { opcode, place, key } => {
                let consumed = place.end;
                let place = self.buffer.absolute(place);
                let mut buffer = core::mem::take(&mut self.buffer);
                buffer.consume(consumed);
                let what = self.control(opcode, &mut buffer.all()[place.clone()], key);
                self.buffer = buffer;
                Ok(Some(Some(Outcome { what: what?, place: Place::new(Memory::Own, place) })))
            }
        }
    }

    fn starved(&mut self) -> Result<Option<Outcome>, ProtocolError> {
        self.starve();
        Ok(None)
    }

    /// More octets are needed.
    #[inline]
    fn starve(&mut self) {
        self.flags.hungry = true;
        self.buffer.release_if_empty(self.decoder.remaining() > 0);
        self.give_back();
    }

    fn control(&mut self, opcode: Opcode, payload: &mut [u8], key: [u8; 4]) -> Result<What, ProtocolError> {
        mask::mask(payload, key);
        Ok(match opcode {
            Opcode::Ping => What::Ping,
            Opcode::Pong => What::Pong,
            _ => {
                self.peer_close = parse_close(payload, self.codes, self.config.strictness.utf8)?;
                What::Close
            }
        })
    }

    fn data(&mut self, all: &mut [u8], data: Data, memory: Memory) -> Result<Option<Outcome>, ProtocolError> {
        let payload = &mut all[data.place.clone()];
        if data.first {
            self.delivery = self.next_delivery;
            self.flags.set(Odd::Detour, self.whole || self.delivery == Delivery::Fragments);
            self.extended = self.whole | (data.rsv != 0);
            self.delivered = 0;
        }
        if self.extended {
            return if self.whole { self.collect(payload, data) } else { self.inflate(payload, data) };
        }
        if self.delivery == Delivery::Fragments {
            return self.fragment(payload, data, memory);
        }
        if data.first && data.last {
            let check = self.checks(data.kind);
            unmask_whole(payload, data.key, || check)?;
            let what = What::Message(data.kind);
            return Ok(Some(Outcome { what, place: Place::new(memory, data.place) }));
        }
        self.join(payload, data.key, data.kind)?;
        self.joined_to(data.kind, data.last)
    }

    // ---- joining

    /// Appends a piece: copies, unmasks and validates block by block, while the block is in the cache. What lies behind
    /// it from an earlier message stays, so that it need not be initialised again.
    fn join(&mut self, payload: &[u8], key: [u8; 4], kind: Kind) -> Result<(), ProtocolError> {
        self.make_room(payload.len()).ok_or(ProtocolError::OutOfMemory)?;
        if !self.checks(kind) {
            mask::put_masked::<false>(&mut self.joined, self.received, payload, key);
            self.received += payload.len();
        } else {
            for block in payload.chunks(BLOCK) {
                let start = self.received;
                let ascii = mask::put_masked::<true>(&mut self.joined, start, block, key);
                self.received += block.len();
                if ascii {
                    self.utf8.update_ascii().map_err(invalid_utf8)?;
                } else {
                    self.validate(start)?;
                }
            }
        }
        self.plain = self.received;
        Ok(())
    }

    /// Validates what was joined from `start` on.
    #[inline(never)] // pieces that are ASCII are joined by fewer instructions without it
    fn validate(&mut self, start: usize) -> Result<(), ProtocolError> {
        self.utf8.update(&self.joined[start..self.received]).map_err(invalid_utf8)
    }

    /// Room to join a piece. A short frame gets all its room with its first piece; a long one in steps, so that memory
    /// follows what was received.
    #[inline]
    fn make_room(&mut self, n: usize) -> Option<()> {
        if self.joined.capacity() - self.received >= n {
            return Some(());
        }
        self.joined.truncate(self.received);
        let coming = usize::try_from(self.decoder.remaining()).unwrap_or(usize::MAX).min(STEP);
        if self.joined.is_empty() {
            self.joined.try_reserve_exact(n + coming).ok()
        } else {
            self.joined.try_reserve(n + coming).ok()
        }
    }

    /// Takes what was received at its final place.
    fn take_direct(&mut self) -> Result<Option<Outcome>, ProtocolError> {
        let fresh = self.plain..self.received;
        let kind = self.decoder.kind();
        let (key, last) = self.decoder.take(fresh.len());
        if self.checks(kind) {
            unmask_text(&mut self.joined[fresh], key, &mut self.utf8)?;
        } else {
            unmask(&mut self.joined[fresh], key);
        }
        self.plain = self.received;
        self.joined_to(kind, last)
    }

    /// A piece was joined; was it the last?
    fn joined_to(&mut self, kind: Kind, last: bool) -> Result<Option<Outcome>, ProtocolError> {
        if !last {
            return Ok(None);
        }
        self.utf8.finish().map_err(invalid_utf8)?;
        self.joined.truncate(self.received);
        self.flags.lending = true;
        Ok(Some(Outcome { what: What::Message(kind), place: Place::JOINED }))
    }

    /// A consumed event is released by the next call.
    #[inline]
    fn release(&mut self) {
        if !self.flags.lending {
            return;
        }
        self.flags.lending = false;
        let kept = self.received - core::mem::take(&mut self.lent_front).min(self.received);
        // Its memory may serve the next message ([`Self::give_back`]), and stays initialised.
        let kept = if self.delivery == Delivery::Fragments { kept } else { 0 };
        if kept > 0 {
            self.joined.copy_within(self.received - kept..self.received, 0); // the beginning of a character
        }
        (self.received, self.plain) = (kept, kept);
    }

    /// All that is at hand has been looked at. Memory in which messages were joined served one after another until
    /// now; from here on nothing is held but what the message under way needs. Where it announces as much as an
    /// earlier one brought, that is all of it. Between messages it is kept while a buffer is lent.
    #[inline]
    fn give_back(&mut self) {
        let needed = (self.received as u64).saturating_add(self.decoder.remaining());
        let is_too_much = match self.received {
            0 => !self.buffer.is_lent(), // or more is read at once, and in the end the buffer is reclaimed
            _ => self.joined.capacity() as u64 > needed.saturating_mul(2).saturating_add(STEP as u64),
        };
        if is_too_much {
            self.shrink();
        }
    }

    #[inline(never)] // seldom called, and in line it would weigh on every end of a read
    fn shrink(&mut self) {
        let mut smaller = Vec::new();
        if self.received == 0 || smaller.try_reserve_exact(self.received + STEP).is_ok() {
            smaller.extend_from_slice(&self.joined[..self.received]);
            self.joined = smaller;
        } // or it stays as it is
    }

    // ---- extensions

    /// Joins a message that has to pass extensions, as it is on the wire. That is one of its forms, and none may be
    /// above the limit; it is judged when the frame begins, before there is memory for it.
    #[inline(never)]
    fn collect(&mut self, payload: &[u8], data: Data) -> Result<Option<Outcome>, ProtocolError> {
        if data.first {
            self.rsv = Rsv::from_bits(data.rsv);
        }
        let announced = (self.received + payload.len()) as u64 + self.decoder.remaining();
        if announced > self.config.limits.message as u64 {
            return Err(ProtocolError::MessageTooBig);
        }
        self.joined.truncate(self.received);
        self.joined.try_reserve(payload.len()).map_err(|_| ProtocolError::OutOfMemory)?;
        mask::append_masked::<false>(&mut self.joined, payload, data.key);
        (self.received, self.plain) = (self.joined.len(), self.joined.len());
        if data.last { self.pass(data.kind).map(Some) } else { Ok(None) }
    }

    /// Lets a message pass, and validates what the extensions have made of it.
    fn pass(&mut self, kind: Kind) -> Result<Outcome, ProtocolError> {
        let Some(InwardPath::Whole(line)) = self.path.as_deref_mut() else {
            return Err(ProtocolError::ReservedBits);
        };
        let mut message = Transit::new(kind, core::mem::take(&mut self.joined));
        message.rsv = self.rsv;
        line.pass(&mut message, self.config.limits.message).map_err(|failed| failed.of_peer())?;
        let Transit { kind, payload, .. } = message;
        if self.checks(kind) && !utf8::is_utf8(&payload) {
            return Err(ProtocolError::InvalidUtf8);
        }
        self.joined = payload;
        (self.received, self.plain) = (self.joined.len(), self.joined.len());
        self.flags.lending = true;
        if self.delivery == Delivery::Messages {
            return Ok(Outcome { what: What::Message(kind), place: Place::JOINED });
        }
        self.lent_front = self.received;
        let place = Place { memory: Memory::JoinedFront, start: 0, end: self.received };
        Ok(Outcome { what: What::Fragment { kind, first: true, last: true }, place })
    }

    /// Inflates a piece as it arrives: a compressed message is never assembled in compressed form.
    #[inline(never)]
    fn inflate(&mut self, payload: &mut [u8], data: Data) -> Result<Option<Outcome>, ProtocolError> {
        let Data { kind, last, key, .. } = data;
        unmask(payload, key);
        let Some(InwardPath::Inflate(inflating)) = self.path.as_deref_mut() else {
            return Err(ProtocolError::ReservedBits);
        };
        let limit = self.config.limits.message.saturating_sub(self.delivered);
        self.joined.truncate(self.received);
        let inflated = inflating.inflate(payload, last, &mut self.joined, limit);
        let fresh = self.received..self.joined.len();
        (self.received, self.plain) = (fresh.end, fresh.end);
        if self.checks(kind) {
            // What came before a failure is looked at first: it may have come in an earlier read.
            self.utf8.update(&self.joined[fresh]).map_err(invalid_utf8)?;
        }
        inflated.map_err(|error| error.of_peer(NAME))?;
        if self.delivery == Delivery::Messages {
            return self.joined_to(kind, last);
        }
        self.inflated_fragment(kind, last)
    }

    /// Delivers what was inflated, without the beginning of a character at its end.
    fn inflated_fragment(&mut self, kind: Kind, last: bool) -> Result<Option<Outcome>, ProtocolError> {
        if last {
            self.utf8.finish().map_err(invalid_utf8)?;
        }
        let end = self.received - self.utf8.partial().len();
        if end == 0 && !last {
            return Ok(None);
        }
        self.lent_front = end;
        self.delivered += end;
        self.flags.lending = true;
        let first = !self.flags.begun;
        self.flags.begun = !last;
        let place = Place { memory: Memory::JoinedFront, start: 0, end };
        Ok(Some(Outcome { what: What::Fragment { kind, first, last }, place }))
    }

    // ---- fragments

    /// How many octets the next piece may have: few of compressed data, because they may become a thousand
    /// times as many; where a character was cut, just those that it misses, so that
    /// it can be delivered alone and what follows need not be moved.
    #[inline]
    fn max_piece(&self) -> usize {
        if self.delivery == Delivery::Messages {
            return usize::MAX;
        }
        match self.utf8.missing() {
            _ if self.may_inflate() => MAX_COMPRESSED_PIECE,
            0 => usize::MAX,
            missing => missing,
        }
    }

    /// Whether the next piece may be of a compressed message.
    fn may_inflate(&self) -> bool {
        matches!(self.path.as_deref(), Some(InwardPath::Inflate(_)))
            && (self.extended || !self.decoder.is_in_message())
    }

    /// Delivers a piece as it is; text without the beginning of a character at its end, which is kept.
    fn fragment(
        &mut self,
        payload: &mut [u8],
        data: Data,
        memory: Memory,
    ) -> Result<Option<Outcome>, ProtocolError> {
        let Data { kind, last, key, place, .. } = data;
        unmask(payload, key);
        let mut place = Place::new(memory, place);
        if self.checks(kind) {
            let before = self.utf8.partial().len();
            self.char.0[..before].copy_from_slice(self.utf8.partial());
            self.utf8.update(payload).map_err(invalid_utf8)?;
            if last {
                self.utf8.finish().map_err(invalid_utf8)?;
            }
            let after = self.utf8.partial().len();
            if before == 0 {
                place.end -= after;
            } else if after > 0 {
                return Ok(None); // the character goes on
            } else {
                let n = before + payload.len();
                self.char.0[before..n].copy_from_slice(payload);
                self.char.1 = n as u8;
                place = Place::CHAR;
            }
        }
        if place.start == place.end && !last {
            return Ok(None);
        }
        let first = !self.flags.begun;
        self.flags.begun = !last;
        Ok(Some(Outcome { what: What::Fragment { kind, first, last }, place }))
    }

    // ---- the borrow

    /// What the peer's close frame said; `None` if it had no body.
    pub(crate) fn peer_close(&self) -> Option<&CloseFrame> {
        self.peer_close.as_ref()
    }

    /// The octets at a place.
    #[inline]
    pub(crate) fn lend<'e>(&'e mut self, lent: &'e mut [u8], place: Place) -> Lend<'e> {
        match place.memory {
            Memory::Lent => Lend::Slice(&mut lent[place.start..place.end]),
            Memory::Own => Lend::Slice(&mut self.buffer.all()[place.start..place.end]),
            Memory::Joined => Lend::Joined(&mut self.joined),
            Memory::JoinedFront => Lend::Slice(&mut self.joined[..place.end]),
            Memory::Char => Lend::Slice(&mut self.char.0[..self.char.1 as usize]),
        }
    }
}

/// Octets lent to the application.
#[derive(Debug)]
pub(crate) enum Lend<'e> {
    Slice(&'e mut [u8]),
    /// A buffer that the application may take away whole.
    Joined(&'e mut Vec<u8>),
}

fn invalid_utf8(_: NotUtf8) -> ProtocolError {
    ProtocolError::InvalidUtf8
}

/// Unmasks, and validates if asked to, the payload of a message that lies here whole.
#[inline(always)] // what is left of it in line is for short messages
fn unmask_whole(payload: &mut [u8], key: [u8; 4], check: impl Fn() -> bool) -> Result<(), ProtocolError> {
    if payload.len() > mask::SHORT {
        return unmask_long(payload, key, check());
    }
    if mask::mask_ascii(payload, key) || !check() || utf8::is_utf8(payload) {
        return Ok(());
    }
    Err(ProtocolError::InvalidUtf8)
}

/// The same, block by block: each is validated while it is in the first-level cache.
#[inline(never)]
fn unmask_long(payload: &mut [u8], key: [u8; 4], check: bool) -> Result<(), ProtocolError> {
    if !check {
        unmask(payload, key);
        return Ok(());
    }
    if payload.len() <= BLOCK {
        let valid = unmask_ascii(payload, key) || utf8::is_utf8(payload);
        return if valid { Ok(()) } else { Err(ProtocolError::InvalidUtf8) };
    }
    let mut validator = Utf8Validator::default();
    unmask_text(payload, key, &mut validator)?;
    validator.finish().map_err(invalid_utf8)
}

/// Unmasks and validates a piece of text.
fn unmask_text(piece: &mut [u8], key: [u8; 4], validator: &mut Utf8Validator) -> Result<(), ProtocolError> {
    for block in piece.chunks_mut(BLOCK) {
        if unmask_ascii(block, key) {
            validator.update_ascii().map_err(invalid_utf8)?;
        } else {
            validator.update(block).map_err(invalid_utf8)?;
        }
    }
    Ok(())
}

/// A server's frame is not masked: its key is zeros, and there is nothing to do.
#[inline]
fn unmask(payload: &mut [u8], key: [u8; 4]) {
    if key != [0; 4] {
        mask::mask(payload, key);
    }
}

/// The same, and whether it is known to be ASCII then.
#[inline]
fn unmask_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    (key != [0; 4] || payload.len() < ASKED_ALONE) && mask::mask_ascii(payload, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn line(role: Role) -> Line {
        Line::new(role, Arc::new(Config::default()), None, CloseCodes::Rfc)
    }

    /// Octets that a read brings into memory of ours.
    fn read(line: &mut Line, octets: &[u8]) {
        line.space()[..octets.len()].copy_from_slice(octets);
        line.received(octets.len());
    }

    /// Has seen the header of a message of so many octets.
    fn expecting(len: u16) -> Line {
        let mut line = line(Role::Client);
        let [a, b] = len.to_be_bytes();
        assert!(line.next(&mut [0x82, 126, a, b], &mut 0).is_none());
        line
    }

    #[test]
    fn messages_that_lie_whole_are_found_where_they_lie() {
        for len in [0, 1, mask::SHORT, mask::SHORT + 1, 125] {
            let mut octets = [&[0x81, len as u8][..], &vec![b'a'; len], b"\x81\x05cut"].concat();
            let mut client = line(Role::Client);
            assert!(client.is_plain());
            let mut lent = &mut octets[..];
            let found = client.next_whole(&mut lent).expect("it lies here whole");
            assert_eq!(found, (Kind::Text, &mut vec![b'a'; len][..]));
            assert!(client.next_whole(&mut lent).is_none());
            assert_eq!(lent, b"\x81\x05cut", "{len}");

            read(&mut client, &octets);
            assert!(!client.is_plain(), "what is ours comes first");
            let (kind, place) = client.next_whole_own().expect("it lies here whole");
            assert_eq!((kind, &*client.own(place)), (Kind::Text, &vec![b'a'; len][..]));
            assert!(client.next_whole_own().is_none());
            assert_eq!(client.held(), 5, "{len}");
        }
        let mut server = line(Role::Server);
        let mut octets = *b"\x81\x82\x01\x02\x03\x04\x69\x6b";
        assert_eq!(server.next_whole(&mut &mut octets[..]), Some((Kind::Text, &mut [b'h', b'i'][..])));
        assert!(server.is_plain());
    }

    #[test]
    fn nothing_is_found_where_it_lies_while_anything_odd_is_under_way() {
        let odd: [fn(&mut Line); 4] = [
            |line| line.set_delivery(Delivery::Fragments),
            |line| line.fail(ProtocolError::OutOfMemory),
            |line| assert!(line.next(&mut [0x01, 0x02, b'h', b'i'], &mut 0).is_none()), // a message begins
            |line| assert!(line.next(&mut [0x81, 0x02, b'h'], &mut 0).is_none()),
        ];
        for (i, make_odd) in odd.iter().enumerate() {
            let mut line = line(Role::Client);
            make_odd(&mut line);
            read(&mut line, b"\x81\x02hi");
            assert!(!line.is_plain() && line.next_whole_own().is_none(), "{i}");
        }
    }

    #[test]
    fn a_message_that_is_cut_is_joined_at_once() {
        let mut line = line(Role::Client);
        let mut at = 0;
        assert!(matches!(line.next_joined(b"\x81\x05he", &mut at), Joined::All));
        assert!(matches!(line.next_joined(b"..he", &mut at), Joined::Unknown), "nothing is left");
        assert!(matches!(line.next_joined(b"....llo\x81", &mut at), Joined::Message(Kind::Text)));
        assert_eq!(at, 7);
        assert_eq!(line.joined, b"hello");

        line.release();
        line.keep(b"\x81\x05he", true);
        assert!(matches!(line.next_joined_own(), Joined::All));
        assert!(line.buffer.is_empty());
        line.keep(b"llo\x81", true);
        assert!(matches!(line.next_joined_own(), Joined::Message(Kind::Text)));
        assert_eq!(line.buffer.len(), 1);
        assert_eq!(line.joined, b"hello");
    }

    /// So that what follows lends its events where it lies.
    #[test]
    fn the_beginning_of_a_frame_takes_no_more_than_its_header_needs() {
        let mut line = line(Role::Client);
        line.keep(b"\x82", true);
        let mut at = 0;
        let outcome = line.next(&mut b"\x00\x81\x02hi".to_vec(), &mut at).expect("an empty message");
        assert!(matches!(outcome.what, What::Message(Kind::Binary)));
        assert_eq!((at, line.buffer.len()), (1, 0));
    }

    #[test]
    fn a_piece_gets_room_for_what_its_frame_announces_up_to_a_step() {
        for (len, capacity) in [(1000, 100 + 1000), (60_000, 100 + STEP)] {
            let mut line = expecting(len);
            line.make_room(100).expect("memory");
            assert_eq!(line.joined.capacity(), capacity);
            line.joined.resize(capacity, 0);
            line.received = capacity - 50;
            line.make_room(50).expect("memory");
            assert_eq!(line.joined.capacity(), capacity, "it is there already");
            line.make_room(51).expect("memory");
            assert!(line.joined.capacity() >= 2 * capacity, "it doubles");
        }
    }

    #[test]
    fn memory_is_given_back_when_it_is_more_than_twice_what_is_needed_and_a_step() {
        let needed = 100 + 1000;
        for (capacity, kept) in [(2 * needed + STEP, 2 * needed + STEP), (2 * needed + STEP + 1, 100 + STEP)]
        {
            let mut line = expecting(1000);
            (line.joined, line.received) = (Vec::with_capacity(capacity), 100);
            line.joined.resize(100, 7);
            line.give_back();
            assert_eq!((line.joined.capacity(), &line.joined[..]), (kept, &[7; 100][..]));
        }
        let mut line = expecting(1000);
        line.joined = Vec::with_capacity(100);
        line.give_back();
        assert_eq!(line.joined.capacity(), 0, "nothing was received");
    }

    #[test]
    fn what_is_read_behind_the_end_has_no_place() {
        for end in [Line::finish as fn(&mut Line), |line| line.fail(ProtocolError::OutOfMemory)] {
            let mut line = expecting(60_000);
            end(&mut line);
            assert_eq!((line.space().len(), line.joined.capacity()), (4096, 0));
        }
    }

    #[test]
    fn a_large_payload_is_read_to_its_place() {
        for (len, offered) in [(DIRECT - 1, 4096), (DIRECT, STEP), (DIRECT + 1, STEP)] {
            assert_eq!(expecting(len as u16).space().len(), offered, "{len}");
        }
    }
}
