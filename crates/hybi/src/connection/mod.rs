//! The connection: both lines, and the only place where they meet.
//!
//! In come octets, the time, and what the application says; out go events, octets and one deadline. Received octets
//! go on in `input` if their memory is lent, and in `receiver`; what they make be said comes back to
//! `Connection::cross` and goes on in `sender`. `closing` and `keepalive` have the deadlines, `opening` is the way in
//! from a handshake, `hibernated` what is left of a silent connection. No rule about frames stands here.

mod closing;
mod hibernated;
mod input;
mod keepalive;
#[cfg(feature = "handshake")]
mod opening;
mod receiver;
mod sender;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

pub use closing::TransportAction;
pub use hibernated::Hibernated;
pub use input::Input;
use input::{Inward, Raw};
pub use receiver::{Receiver, Reply};
pub use sender::{MessageWriter, Outgoing, Sender};

use crate::agreement::Agreement;
use crate::close::{CloseCode, CloseCodes, CloseFrame};
use crate::config::{Config, Delivery};
use crate::ending::CloseInfo;
use crate::entropy::{BoxEntropy, Entropy};
use crate::error::{ProtocolError, SendError, UsageError};
use crate::event::Event;
use crate::extension::Paths;
use crate::message::{Kind, Message, Payload};
use crate::recv::{Outcome, What};
use crate::role::Role;
use crate::send::Prepared;
use crate::state::State;
use crate::time::Instant;
use crate::version::Version;

/// A WebSocket connection, from the end of the opening handshake to the end of the transport.
///
/// Its methods come in four families:
///
/// | family | methods | answer |
/// |---|---|---|
/// | look | [`state`](Self::state) [`role`](Self::role) [`agreement`](Self::agreement) [`buffered_len`](Self::buffered_len) [`close_info`](Self::close_info) | values |
/// | in | [`recv_space`](Self::recv_space) and [`received`](Self::received), or [`receive`](Self::receive); [`receive_eof`](Self::receive_eof), [`handle_timeout`](Self::handle_timeout) | nothing |
/// | say | [`send`](Self::send) and its kin, [`ping`](Self::ping), [`pong`](Self::pong), [`close`](Self::close), [`abort`](Self::abort) | `Result` |
/// | out | [`poll_event`](Self::poll_event), [`transmit`](Self::transmit) and [`transmitted`](Self::transmitted), [`poll_timeout`](Self::poll_timeout), [`transport_action`](Self::transport_action) | `Option` |
///
/// **After any *in* or *say*, drain *out* until each answers nothing; then wait.** What the peer sends never
/// makes a call fail: it makes an event, and the close frame owed to it is queued already.
///
/// ```
/// use hybi::{Agreement, Config, Connection, Event};
///
/// let mut connection = Connection::server(Agreement::default(), Config::default());
/// // What a transport would bring: "Hello", masked, as in RFC 6455 §5.7.
/// let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
///
/// let mut input = connection.receive(&mut read);
/// while let Some((event, sender)) = input.poll_event_with() {
///     if let Event::Text(text) = event {
///         sender.send(&text)?;
///     }
/// }
/// drop(input);
/// assert_eq!(connection.transmit(), b"\x81\x05Hello"); // for the transport
/// # Ok::<(), hybi::UsageError>(())
/// ```
pub struct Connection {
    receiver: Receiver,
    sender: Sender,
    agreement: Agreement,
    role: Role,
    auto_pong: bool,
}

impl Connection {
    /// The server's end of a connection whose opening handshake is over, wherever it was made. Octets that
    /// were read behind the handshake are received first, like any others.
    pub fn server(agreement: Agreement, config: impl Into<Arc<Config>>) -> Self {
        Self::new(Role::Server, agreement, config.into(), None)
    }

    /// The client's end. Masking keys come from `entropy`, which has to be unpredictable (RFC 6455 §10.3).
    pub fn client(agreement: Agreement, config: impl Into<Arc<Config>>, entropy: impl Entropy) -> Self {
        Self::new(Role::Client, agreement, config.into(), Some(BoxEntropy::new(entropy)))
    }

    fn new(role: Role, agreement: Agreement, config: Arc<Config>, entropy: Option<BoxEntropy>) -> Self {
        let paths = agreement.agreed().paths(role);
        let out_of_memory = paths.is_none();
        let mut connection = Self::with_paths(role, agreement, config, entropy, paths.unwrap_or_default());
        if out_of_memory {
            connection.receiver.fail(ProtocolError::OutOfMemory); // without them it could not follow the peer
        }
        connection
    }

    fn with_paths(
        role: Role,
        agreement: Agreement,
        config: Arc<Config>,
        entropy: Option<BoxEntropy>,
        (outward, inward): Paths,
    ) -> Self {
        let is_draft = agreement.version() != Version::V13 && config.automatic.draft_close_codes;
        let codes = if is_draft { CloseCodes::Draft } else { CloseCodes::Rfc };
        Self {
            receiver: Receiver::new(role, config.clone(), inward, codes),
            auto_pong: config.automatic.pong,
            sender: Sender::new(role, config, entropy, outward, codes),
            agreement,
            role,
        }
    }

    // ---- look

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.sender.state()
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the opening handshake agreed on: version, subprotocol, extensions.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// How it behaves.
    pub fn config(&self) -> &Config {
        self.sender.config()
    }

    /// Octets that wait to be transmitted, framing included.
    pub fn buffered_len(&self) -> usize {
        self.sender.buffered_len()
    }

    /// Whether more waits than [`Water::high`](crate::Water): an application should wait before it sends more.
    pub fn is_above_high_water(&self) -> bool {
        self.sender.is_above_high_water()
    }

    /// How the connection ended; `None` before [`Event::Closed`].
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.receiver.close_info()
    }

    /// Octets that were received and have not been delivered.
    pub fn held_len(&self) -> usize {
        self.receiver.held_len()
    }

    /// How messages are delivered from the next one on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.receiver.set_delivery(delivery);
    }

    // ---- in

    /// Memory of the connection for the transport to write to. While a large payload is arriving, this is
    /// its final place: it is written once and never moved. Empty: take the events first.
    pub fn recv_space(&mut self) -> &mut [u8] {
        self.receiver.recv_space()
    }

    /// The transport wrote `n` octets to the front of [`recv_space`](Self::recv_space).
    ///
    /// # Panics
    /// If there was less space.
    pub fn received(&mut self, n: usize) {
        if n > 0 {
            self.sender.received();
            self.receiver.received(n);
        }
    }

    /// Takes memory to receive into, for a while: [`recv_space`](Self::recv_space) is then a part of it, and
    /// events are lent straight out of it. A few such buffers, taken before a read and
    /// [reclaimed](Self::reclaim_buffer) when it brought nothing, serve any number of connections. It is used
    /// as it is, to its whole length, and not cleared. While it is lent, large messages are joined one after another in
    /// the same memory, which is held until then, also while nothing arrives: so reclaim it when a read brings nothing.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection, Event};
    /// # let mut connection = Connection::server(Agreement::default(), Config::default());
    /// connection.lend_buffer(vec![0; 4096]).expect("none was lent before");
    /// connection.recv_space()[..6].copy_from_slice(b"\x89\x80\0\0\0\0"); // a ping
    /// connection.received(6);
    /// assert!(matches!(connection.poll_event(), Some(Event::Ping(b""))));
    /// assert!(connection.poll_event().is_none());
    /// let buffer = connection.reclaim_buffer().expect("it was lent"); // the connection holds nothing now
    /// # assert_eq!(buffer.len(), 4096);
    /// ```
    ///
    /// # Errors
    /// The memory comes back if some was lent already, if what waits does not fit, or while a
    /// [prepared](Self::prepare_event) event lies elsewhere.
    pub fn lend_buffer(&mut self, memory: Vec<u8>) -> Result<(), Vec<u8>> {
        self.receiver.lend_buffer(memory)
    }

    /// Gives back what was [lent](Self::lend_buffer), and frees what messages were joined in. What waits, after all
    /// events were taken at most the beginning of a frame, moves into memory of its own size. `None` if none was lent,
    /// while a prepared event lies in it, or if there is no memory for what waits: then it stays lent.
    pub fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        self.receiver.reclaim_buffer()
    }

    /// Takes octets in memory that is lent: events are lent from that memory, unmasked in place. One scratch
    /// buffer can serve many connections, and an idle connection holds none.
    #[inline]
    pub fn receive<'c, 'm>(&'c mut self, memory: &'m mut [u8]) -> Input<'c, 'm> {
        if !memory.is_empty() {
            self.sender.received();
        }
        Input::new(self, memory)
    }

    /// Takes a copy of octets, as many as there is room for, and returns how many: fewer than given means
    /// that events have to be taken first.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// # let read: &[u8] = b"\x89\x00";
    /// let mut rest = read;
    /// while !rest.is_empty() {
    ///     let n = connection.receive_copy(rest);
    ///     rest = &rest[n..];
    ///     while let Some(event) = connection.poll_event() { /* .. */ }
    /// }
    /// ```
    pub fn receive_copy(&mut self, octets: &[u8]) -> usize {
        let n = self.receiver.receive_copy(octets);
        if n > 0 {
            self.sender.received();
        }
        n
    }

    /// Takes back what was received and not decoded, as it came: for who ends the use of this connection and
    /// goes on with its transport. When the events are drained that is the beginning of the next frame, if it
    /// lies here; the parts of a message that were decoded already do not come back.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection, Event};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// connection.receive_copy(b"\x81\x03ebb\x81\x05flo");
    /// assert!(matches!(connection.poll_event(), Some(Event::Text(_))));
    /// assert_eq!(connection.take_unread(), b"\x81\x05flo");
    /// ```
    pub fn take_unread(&mut self) -> Vec<u8> {
        self.receiver.take_unread()
    }

    /// The peer ended the transport in order: nothing more will arrive. Events of what did arrive come first.
    pub fn receive_eof(&mut self) {
        self.receiver.receive_eof();
        if self.receiver.is_at_end() {
            self.sender.transport_ended(); // no outcome is left to bring it
        }
    }

    /// The transport broke: nothing more will arrive, and nothing can be transmitted.
    pub fn transport_lost(&mut self) {
        self.transmit_lost();
        self.receive_eof();
    }

    /// The transport takes nothing any more, but may still have something to read: perhaps the close frame that
    /// says why. What waits is dropped, and nothing more can be sent.
    pub fn transmit_lost(&mut self) {
        self.sender.transmit_lost();
    }

    /// Tells what time it is, and serves the deadlines that have passed. See
    /// [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Instant) {
        self.sender.handle_timeout(now);
        self.pass_on();
    }

    // ---- say

    /// See [`Sender::send`].
    ///
    /// # Errors
    /// See there.
    #[inline]
    pub fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), UsageError> {
        self.sender.send(payload)
    }

    /// See [`Sender::send_message`].
    ///
    /// # Errors
    /// See there.
    pub fn send_message(&mut self, message: impl Into<Message>) -> Result<(), SendError<Message>> {
        self.sender.send_message(message)
    }

    /// See [`Sender::send_prepared`].
    ///
    /// # Errors
    /// See there.
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), UsageError> {
        self.sender.send_prepared(message)
    }

    /// See [`Sender::start`].
    ///
    /// # Errors
    /// See there.
    pub fn start(&mut self, kind: Kind) -> Result<MessageWriter<'_>, UsageError> {
        self.sender.start(kind)
    }

    /// See [`Sender::writer`].
    pub fn writer(&mut self) -> Option<MessageWriter<'_>> {
        self.sender.writer()
    }

    /// The sending half, as [`poll_event_with`](Self::poll_event_with) lends it: for code that says, transmits
    /// and keeps the time in the same way before and after [`into_split`](Self::into_split).
    pub fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// See [`Sender::ping`].
    ///
    /// # Errors
    /// See there.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.sender.ping(payload)
    }

    /// See [`Sender::pong`].
    ///
    /// # Errors
    /// See there.
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.sender.pong(payload)
    }

    /// See [`Sender::close`].
    ///
    /// # Errors
    /// See there.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        self.sender.close(code, reason)
    }

    /// See [`Sender::close_with`].
    ///
    /// # Errors
    /// See there.
    pub fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), UsageError> {
        self.sender.close_with(frame)
    }

    /// Gives the connection up: nothing more is transmitted, [`Event::Closed`] comes next, and the transport
    /// is to be ended.
    pub fn abort(&mut self) {
        self.sender.abort();
        self.pass_on();
    }

    // ---- out

    /// The next event. It lends its payload until the next call.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some((kind, place)) = self.next_whole_own() {
            return Some(self.receiver.own_message(kind, place));
        }
        let raw = self.next(&mut [], &mut 0)?;
        Some(self.receiver.event(&mut [], raw))
    }

    /// Decides what the next event is without lending it, and tells whether there is one: the next call of
    /// [`poll_event`](Self::poll_event) delivers it. For loops that wait until there is an event and then
    /// return it, which the borrow checker does not let a lent one pass through.
    ///
    /// Octets in lent memory are no part of this: they are looked at through [`Input`].
    #[inline]
    pub fn prepare_event(&mut self) -> bool {
        if let Some((kind, place)) = self.next_whole_own() {
            return self.receiver.prepare_whole(kind, place);
        }
        let raw = self.next(&mut [], &mut 0);
        self.receiver.prepare(raw);
        self.receiver.is_prepared()
    }

    /// The next event, and the sending half beside it: the event borrows the receiving half alone, so what
    /// is lent can be sent on at once.
    #[inline]
    pub fn poll_event_with(&mut self) -> Option<(Event<'_>, &mut Sender)> {
        if let Some((kind, place)) = self.next_whole_own() {
            return Some((self.receiver.own_message(kind, place), &mut self.sender));
        }
        let raw = self.next(&mut [], &mut 0)?;
        Some((self.receiver.event(&mut [], raw), &mut self.sender))
    }

    /// See [`Sender::transmit`].
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.sender.transmit()
    }

    /// See [`Sender::transmit_slices`].
    pub fn transmit_slices<'s>(&'s self, slices: &mut [&'s [u8]]) -> usize {
        self.sender.transmit_slices(slices)
    }

    /// See [`Sender::transmitted`].
    ///
    /// # Panics
    /// If fewer octets waited.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        self.sender.transmitted(n);
    }

    /// See [`Sender::transmit_into`].
    pub fn transmit_into(&mut self, out: &mut [u8]) -> usize {
        self.sender.transmit_into(out)
    }

    /// See [`Sender::poll_timeout`].
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sender.poll_timeout()
    }

    /// What the transport is to do.
    pub fn transport_action(&self) -> TransportAction {
        self.sender.transport_action()
    }

    // ---- two owners

    /// The two halves, for two owners. They share nothing: what the receiving half wants said is carried
    /// over as [`Reply`] values, and what made the sending half give the connection up
    /// ([`Sender::poll_gave_up`]) is carried to [`Receiver::give_up`].
    pub fn into_split(mut self) -> (Receiver, Sender) {
        self.sender.expect(false); // it will not hear of what has begun
        (self.receiver, self.sender)
    }

    #[inline]
    fn next_whole_own(&mut self) -> Option<(Kind, Range<usize>)> {
        if self.sender.has_given_up() { None } else { self.receiver.next_whole_own() }
    }

    /// The sending half gave the connection up: the receiving half has to know.
    fn pass_on(&mut self) {
        if let Some(cause) = self.sender.poll_gave_up() {
            self.receiver.give_up(cause);
        }
    }

    /// The crossing: what arrived makes something be said.
    fn cross(&mut self, lent: &mut [u8], raw: Raw) {
        let outcome = match raw {
            Raw::Outcome(outcome) => outcome,
            Raw::Closed if self.receiver.is_over() => return self.sender.transport_ended(),
            Raw::Closed | Raw::Writable => return,
        };
        match outcome.what {
            What::Ping if self.auto_pong => {
                let payload = self.receiver.lend(lent, outcome.place);
                if self.sender.answer_ping(payload).is_err() {
                    self.receiver.fail(ProtocolError::OutOfMemory);
                }
            }
            What::Close => self.sender.close_received(self.receiver.peer_close()),
            What::Failed(error) => self.sender.fail(error),
            _ => {}
        }
    }
}

/// Shows no payload: what is on its way may be secret.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("agreement", &self.agreement)
            .field("receiver", &self.receiver)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

impl Inward for Connection {
    #[inline]
    fn next(&mut self, lent: &mut [u8], at: &mut usize) -> Option<Raw> {
        if self.sender.has_given_up() {
            self.pass_on(); // by way of a lent sender
        }
        if self.receiver.is_prepared() {
            return self.receiver.take_prepared();
        }
        match self.receiver.next_raw(lent, at) {
            Some(raw) => {
                if !matches!(raw, Raw::Outcome(Outcome { what: What::Message(_), .. })) {
                    self.cross(lent, raw);
                }
                Some(raw)
            }
            None if !self.receiver.is_at_end() && self.sender.poll_writable() => Some(Raw::Writable),
            None => {
                self.sender.expect(self.receiver.held_len() > 0); // the answer to a message that has begun
                None
            }
        }
    }

    fn is_plain(&self) -> bool {
        self.receiver.is_plain()
    }

    #[inline(always)] // as where it is called
    fn next_whole<'m>(&mut self, lent: &mut &'m mut [u8]) -> Option<(Kind, &'m mut [u8])> {
        // By way of a lent sender.
        if self.sender.has_given_up() { None } else { self.receiver.next_whole(lent) }
    }

    fn receiver(&mut self) -> &mut Receiver {
        &mut self.receiver
    }

    fn keep(&mut self, rest: &[u8]) {
        self.receiver.keep(rest);
    }
}
