//! The half of a connection that hears things: octets in, events out.
//!
//! It asks the line (`recv`) for the next outcome, keeps what has to be said for it until that is fetched, makes the
//! event of it, and knows which event is the last. Which frames may come, and what they say, is decided in `recv`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::input::{Input, Inward, Raw};
use crate::close::{CloseCodes, CloseFrame};
use crate::config::{Config, Delivery};
use crate::ending::{CloseCause, CloseInfo};
use crate::error::ProtocolError;
use crate::event::{Data, Event, Fragment, Text};
use crate::extension::{InwardPath, TryBox};
use crate::message::Kind;
use crate::recv::{Lend, Line, Outcome, Place, What};
use crate::role::Role;

/// The receiving half of a [`Connection`](crate::Connection), after
/// [`into_split`](crate::Connection::into_split).
///
/// It shares nothing with the sending half. What it wants said (answers to pings, one close frame) it hands
/// out by [`poll_reply`](Self::poll_reply): carry each to [`Sender::handle_reply`](crate::Sender::handle_reply)
/// on whatever channel there is. However long that takes, at most one pong and one close frame wait here.
pub struct Receiver {
    line: Line,
    auto_pong: bool,
    checks_utf8: bool,
    /// Nothing more will arrive.
    eof: bool,
    failed: Option<ProtocolError>,
    end: End,
    replies: Replies,
    /// An event that was decided and not yet delivered.
    prepared: Option<Raw>,
}

/// The last event.
#[derive(Debug)]
enum End {
    /// Has not come.
    Ahead,
    /// Is the next.
    Next(CloseInfo),
    /// Was delivered.
    Over(CloseInfo),
}

/// Something that the receiving half wants said or known.
#[derive(Debug)]
pub struct Reply(pub(super) ReplyKind);

impl Reply {
    /// Whether it makes one that waits before it needless: a newer pong does (RFC 6455 §5.5.3), and news that
    /// is told already. A slot that drops what is superseded never holds more than a few.
    pub fn supersedes(&self, waiting: &Self) -> bool {
        matches!(
            (&self.0, &waiting.0),
            (ReplyKind::Alive, ReplyKind::Alive)
                | (ReplyKind::Pong(_), ReplyKind::Pong(_))
                | (ReplyKind::TransportEnded, ReplyKind::TransportEnded)
        )
    }
}

#[derive(Debug)]
pub(super) enum ReplyKind {
    /// Octets arrived.
    Alive,
    Pong(Vec<u8>),
    /// The peer's close frame, to be answered.
    Close(Option<CloseFrame>),
    Failed(ProtocolError),
    TransportEnded,
}

/// What is behind everything else that is to be said.
#[derive(Debug, Default)]
enum Last {
    #[default]
    None,
    /// An answer to the peer's close frame.
    Close,
    Failed(ProtocolError),
}

#[derive(Debug, Default)]
struct Replies {
    alive: bool,
    pong: Option<Vec<u8>>,
    last: Last,
    ended: bool,
}

impl Receiver {
    pub(super) fn new(
        role: Role,
        config: Arc<Config>,
        path: Option<TryBox<InwardPath>>,
        codes: CloseCodes,
    ) -> Self {
        Self {
            auto_pong: config.automatic.pong,
            checks_utf8: config.strictness.utf8,
            line: Line::new(role, config, path, codes),
            eof: false,
            failed: None,
            end: End::Ahead,
            replies: Replies::default(),
            prepared: None,
        }
    }

    // ---- look

    /// How the connection ended; `None` before the last event.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        match &self.end {
            End::Over(info) => Some(info),
            _ => None,
        }
    }

    /// Nothing is under way, if the sending half is open; see [`Connection::is_silent`](crate::Connection::is_silent).
    pub(super) fn is_silent(&self) -> bool {
        !self.eof && self.prepared.is_none() && self.line.is_silent()
    }

    /// What is left of it while it is silent.
    pub(super) fn into_silent(self) -> (Option<TryBox<InwardPath>>, Delivery) {
        self.line.into_silent()
    }

    /// Octets that were received and have not been delivered.
    pub fn held_len(&self) -> usize {
        self.line.held()
    }

    /// How messages are delivered from the next one on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.line.set_delivery(delivery);
    }

    // ---- in

    /// See [`Connection::recv_space`](crate::Connection::recv_space).
    pub fn recv_space(&mut self) -> &mut [u8] {
        if self.eof || self.is_lending() { &mut [] } else { self.line.space() }
    }

    /// See [`Connection::received`](crate::Connection::received).
    ///
    /// # Panics
    /// If there was less space.
    pub fn received(&mut self, n: usize) {
        self.replies.alive |= n > 0;
        self.line.received(n);
    }

    /// See [`Connection::lend_buffer`](crate::Connection::lend_buffer).
    ///
    /// # Errors
    /// The memory, if it is of no use.
    pub fn lend_buffer(&mut self, memory: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.is_lending() {
            return Err(memory);
        }
        self.line.lend_buffer(memory).map_or(Ok(()), Err)
    }

    /// See [`Connection::reclaim_buffer`](crate::Connection::reclaim_buffer).
    pub fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        if self.is_lending() { None } else { self.line.reclaim_buffer() }
    }

    /// See [`Connection::receive`](crate::Connection::receive).
    pub fn receive<'c, 'm>(&'c mut self, memory: &'m mut [u8]) -> Input<'c, 'm, Self> {
        self.replies.alive |= !memory.is_empty();
        Input::new(self, memory)
    }

    /// See [`Connection::receive_copy`](crate::Connection::receive_copy).
    pub fn receive_copy(&mut self, octets: &[u8]) -> usize {
        let mut taken = 0;
        while taken < octets.len() && !self.eof && !self.is_lending() {
            if self.line.is_finished() {
                return octets.len();
            }
            let space = self.line.space();
            let n = space.len().min(octets.len() - taken);
            if n == 0 {
                break;
            }
            space[..n].copy_from_slice(&octets[taken..taken + n]);
            self.received(n);
            taken += n;
        }
        taken
    }

    /// See [`Connection::take_unread`](crate::Connection::take_unread).
    pub fn take_unread(&mut self) -> Vec<u8> {
        self.line.take_unread()
    }

    /// See [`Connection::receive_eof`](crate::Connection::receive_eof).
    pub fn receive_eof(&mut self) {
        self.eof = true;
        self.replies.ended = true;
    }

    /// Nothing more will arrive: the transport ended or was given up.
    pub(super) fn is_over(&self) -> bool {
        self.eof
    }

    /// Nothing but the last event is to come, or nothing at all.
    pub(super) fn is_at_end(&self) -> bool {
        !matches!(self.end, End::Ahead)
    }

    /// The connection was given up by the sending half: the last event is the next. See
    /// [`Sender::poll_gave_up`](crate::Sender::poll_gave_up).
    pub fn give_up(&mut self, cause: CloseCause) {
        self.line.finish();
        self.eof = true;
        if !matches!(self.prepared, Some(Raw::Closed)) {
            self.prepared = None; // what it lent is gone
        }
        if matches!(self.end, End::Ahead) {
            let cause = self.failed.map_or(cause, CloseCause::Failed);
            self.end = End::Next(CloseInfo { frame: None, cause });
        }
    }

    /// There is no memory for what the peer asked for.
    pub(super) fn fail(&mut self, error: ProtocolError) {
        self.line.fail(error);
    }

    // ---- out

    /// The next event. After it, take the replies.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some((kind, place)) = self.next_whole_own() {
            return Some(self.own_message(kind, place));
        }
        let raw = self.next(&mut [], &mut 0)?;
        Some(self.event(&mut [], raw))
    }

    /// See [`Connection::prepare_event`](crate::Connection::prepare_event).
    pub fn prepare_event(&mut self) -> bool {
        if let Some((kind, place)) = self.next_whole_own() {
            return self.prepare_whole(kind, place);
        }
        let raw = self.next(&mut [], &mut 0);
        self.prepare(raw);
        self.is_prepared()
    }

    /// The next thing to be said or known by the sending half.
    pub fn poll_reply(&mut self) -> Option<Reply> {
        let replies = &mut self.replies;
        if core::mem::take(&mut replies.alive) {
            return Some(Reply(ReplyKind::Alive));
        }
        if let Some(payload) = replies.pong.take() {
            return Some(Reply(ReplyKind::Pong(payload)));
        }
        match core::mem::take(&mut replies.last) {
            Last::None => {}
            Last::Close => return Some(Reply(ReplyKind::Close(self.peer_close().cloned()))),
            Last::Failed(error) => return Some(Reply(ReplyKind::Failed(error))),
        }
        core::mem::take(&mut self.replies.ended).then_some(Reply(ReplyKind::TransportEnded))
    }

    /// The same in our own buffer.
    #[inline]
    pub(super) fn next_whole_own(&mut self) -> Option<(Kind, Range<usize>)> {
        match self.prepared {
            None => self.line.next_whole_own(),
            Some(Raw::Outcome(outcome)) => outcome.whole_own().inspect(|_| self.prepared = None),
            Some(_) => None,
        }
    }

    /// An event that was decided and not yet delivered.
    #[inline]
    pub(super) fn take_prepared(&mut self) -> Option<Raw> {
        self.prepared.take()
    }

    /// True: the usual case is that there is one.
    #[inline]
    pub(super) fn prepare_whole(&mut self, kind: Kind, place: Range<usize>) -> bool {
        self.prepared = Some(Raw::Outcome(Outcome::of_whole(kind, place)));
        true
    }

    pub(super) fn prepare(&mut self, raw: Option<Raw>) {
        self.prepared = raw;
    }

    pub(super) fn is_prepared(&self) -> bool {
        self.prepared.is_some()
    }

    /// The memory that the prepared event lies in must stay as it is.
    fn is_lending(&self) -> bool {
        matches!(self.prepared, Some(Raw::Outcome(_)))
    }

    /// A message that lies in our own buffer.
    #[inline]
    pub(super) fn own_message(&mut self, kind: Kind, place: Range<usize>) -> Event<'_> {
        let checked = self.checks_utf8;
        message(kind, checked, Lend::Slice(self.line.own(place)))
    }

    /// A message that lies in a slice.
    #[inline]
    pub(super) fn message<'e>(&self, kind: Kind, octets: &'e mut [u8]) -> Event<'e> {
        message(kind, self.checks_utf8, Lend::Slice(octets))
    }

    /// The next thing that happened, without what it asks to be said.
    #[inline]
    pub(super) fn next_raw(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Raw> {
        if !matches!(self.end, End::Ahead) {
            *at = lent.len();
            return self.next_end();
        }
        if let Some(outcome) = self.line.next(lent, at) {
            match outcome.what {
                What::Close => {
                    let frame = self.line.peer_close().cloned();
                    self.end = End::Next(CloseInfo { frame, cause: CloseCause::Handshake });
                }
                What::Failed(error) => self.failed = Some(error),
                _ => {}
            }
            return Some(Raw::Outcome(outcome));
        }
        if self.eof {
            self.give_up(CloseCause::TransportEnded);
            return self.next_end();
        }
        None
    }

    #[cold]
    fn next_end(&mut self) -> Option<Raw> {
        match core::mem::replace(&mut self.end, End::Ahead) {
            End::Next(info) => {
                self.end = End::Over(info);
                Some(Raw::Closed)
            }
            end => {
                self.end = end;
                None
            }
        }
    }

    /// What the peer's close frame said; `None` if it had no body.
    pub(super) fn peer_close(&self) -> Option<&CloseFrame> {
        self.line.peer_close()
    }

    /// The octets at a place.
    pub(super) fn lend<'e>(&'e mut self, lent: &'e mut [u8], place: Place) -> &'e [u8] {
        match self.line.lend(lent, place) {
            Lend::Slice(octets) => octets,
            Lend::Joined(octets) => octets,
        }
    }

    /// Makes the borrow.
    #[inline]
    pub(super) fn event<'e>(&'e mut self, lent: &'e mut [u8], raw: Raw) -> Event<'e> {
        let outcome = match raw {
            Raw::Outcome(outcome) => outcome,
            Raw::Writable => return Event::Writable,
            Raw::Closed => return self.closed_event(),
        };
        match outcome.what {
            What::Message(kind) => message(kind, self.checks_utf8, self.line.lend(lent, outcome.place)),
            What::Fragment { kind, first, last } => {
                let data = Data::new(self.line.lend(lent, outcome.place));
                Event::Fragment(Fragment { kind, data, first, last })
            }
            What::Ping => Event::Ping(self.lend(lent, outcome.place)),
            What::Pong => Event::Pong(self.lend(lent, outcome.place)),
            What::Close => Event::Close(self.peer_close().cloned()),
            What::Failed(error) => Event::Failed(error),
        }
    }

    #[cold]
    fn closed_event<'e>(&self) -> Event<'e> {
        Event::Closed(self.close_info().cloned().expect("the end is over when it becomes an event"))
    }
}

#[inline]
fn message(kind: Kind, checked: bool, lend: Lend<'_>) -> Event<'_> {
    match kind {
        Kind::Text if checked => Event::Text(Text::new(lend)),
        Kind::Text => Event::UncheckedText(Data::new(lend)),
        Kind::Binary => Event::Binary(Data::new(lend)),
    }
}

/// A copy, if there is memory for what the peer chose the length of.
fn copied(octets: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(octets.len()).ok()?;
    copy.extend_from_slice(octets);
    Some(copy)
}

impl Inward for Receiver {
    fn next(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Raw> {
        if let Some(raw) = self.prepared.take() {
            return Some(raw);
        }
        let raw = self.next_raw(lent, at)?;
        if let Raw::Outcome(outcome) = raw {
            match outcome.what {
                What::Ping if self.auto_pong => {
                    let payload = copied(self.lend(lent, outcome.place));
                    // A newer one replaces the last (§5.5.3). Without memory for it the ping stays unanswered; the
                    // peer will send another.
                    self.replies.pong = payload.or(self.replies.pong.take());
                }
                What::Close => self.replies.last = Last::Close,
                What::Failed(error) => self.replies.last = Last::Failed(error),
                _ => {}
            }
        }
        Some(raw)
    }

    fn is_plain(&self) -> bool {
        self.prepared.is_none() && self.line.is_plain()
    }

    /// The usual case, found quickly; see [`Line::next_whole`].
    #[inline(always)] // as where it is called
    fn next_whole<'m>(&mut self, lent: &mut &'m mut [u8]) -> Option<(Kind, &'m mut [u8])> {
        self.line.next_whole(lent)
    }

    fn receiver(&mut self) -> &mut Receiver {
        self
    }

    fn keep(&mut self, rest: &[u8]) {
        self.line.keep(rest, !self.is_lending());
    }
}

impl Receiver {
    /// What came behind the opening handshake.
    #[cfg(feature = "handshake")]
    pub(super) fn keep_leftover(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.line.fed();
            self.line.keep(octets, true);
        }
    }

    /// Octets arrived in lent memory.
    pub(super) fn fed(&mut self) {
        self.line.fed();
    }
}

/// Shows no payload: what is on its way may be secret.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("held_len", &self.held_len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
