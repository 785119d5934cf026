//! The half of a connection that says things: messages, control frames, the end. It also keeps the time.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::closing::{Closing, TransportAction};
use super::keepalive::{Due, Keepalive};
use super::receiver::{Reply, ReplyKind};
use crate::close::{CloseCode, CloseCodes, CloseFrame};
use crate::config::Config;
use crate::ending::{CloseCause, Timeout};
use crate::entropy::BoxEntropy;
use crate::error::{ProtocolError, SendError, UsageError};
use crate::extension::{OutwardPath, TryBox};
use crate::message::{Kind, Message, Payload, PayloadMut};
use crate::role::Role;
use crate::send::{Lent, Line, Prepared};
use crate::state::{Change, Phase, State};
use crate::time::Instant;

/// The sending half of a [`Connection`](crate::Connection), lent by
/// [`poll_event_with`](crate::Connection::poll_event_with) or owned after
/// [`into_split`](crate::Connection::into_split).
///
/// *To send* is to queue. *To transmit* is to hand queued octets to the transport.
///
/// An owner has the same duties as the owner of a connection: after each call drain
/// [`transmit`](Self::transmit), then look at [`transport_action`](Self::transport_action) and
/// [`poll_timeout`](Self::poll_timeout); and hand over each [`Reply`] of the other half.
pub struct Sender {
    line: Line,
    config: Arc<Config>,
    role: Role,
    phase: Phase,
    keepalive: Keepalive,
    closing: Closing,
    /// Why the connection was given up on this side, until somebody has asked.
    gave_up: Option<CloseCause>,
    /// The transport takes nothing any more.
    lost: bool,
    /// The state is open and the transport is not lost: asked for each message, at once.
    open: bool,
    /// The closing handshake was begun because the peer was silent.
    idle: bool,
}

impl Sender {
    pub(super) fn new(
        role: Role,
        config: Arc<Config>,
        entropy: Option<BoxEntropy>,
        path: Option<TryBox<OutwardPath>>,
        codes: CloseCodes,
    ) -> Self {
        Self {
            line: Line::new(entropy, config.clone(), path, codes),
            role,
            phase: Phase::Open,
            keepalive: Keepalive::new(&config.timeouts),
            closing: Closing::default(),
            gave_up: None,
            lost: false,
            open: true,
            idle: false,
            config,
        }
    }

    /// Nothing is under way: see [`Connection::is_silent`](crate::Connection::is_silent).
    pub(super) fn is_silent(&self) -> bool {
        self.open && self.line.is_silent()
    }

    /// What is left of it while it is silent.
    pub(super) fn into_silent(
        self,
    ) -> (Arc<Config>, Option<BoxEntropy>, Option<TryBox<OutwardPath>>, Keepalive) {
        let (entropy, path) = self.line.into_silent();
        (self.config, entropy, path, self.keepalive)
    }

    /// Goes on with these deadlines.
    pub(super) fn resume(&mut self, keepalive: Keepalive) {
        self.keepalive = keepalive;
    }

    // ---- look

    /// The state of the connection (RFC 6455 §7.1).
    #[inline]
    pub fn state(&self) -> State {
        self.phase.state()
    }

    /// Which end of the connection this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// How the connection behaves.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Octets that wait to be transmitted, framing included.
    pub fn buffered_len(&self) -> usize {
        self.line.queued_len()
    }

    /// Whether more waits than [`Water::high`](crate::Water).
    pub fn is_above_high_water(&self) -> bool {
        self.buffered_len() > self.config.water.high
    }

    // ---- say

    /// Queues a message: a `&str` or lent text as text, bytes as binary. The payload is copied, and masked
    /// on the way if this is a client.
    ///
    /// # Errors
    /// [`NotOpen`](UsageError::NotOpen), [`MessageInProgress`](UsageError::MessageInProgress),
    /// [`QueueFull`](UsageError::QueueFull), [`OutOfMemory`](UsageError::OutOfMemory); where an
    /// [extension of yours](crate::extension) was agreed on, [`ExtensionFailed`](UsageError::ExtensionFailed). Nothing
    /// is queued then.
    #[inline]
    pub fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), UsageError> {
        self.check_open()?;
        self.line.send(payload.into())?;
        self.output_waits();
        Ok(())
    }

    /// Sends a message whose payload stays where it is while the [`Outgoing`] lives: for large payloads that cannot be
    /// [handed over](Self::send_message), because they are lent themselves. What the transport takes of a server's
    /// message is never copied; a client's is masked in pieces of 64 KiB, so that it is not in memory twice. What the
    /// transport has not taken is queued when the `Outgoing` is dropped. Messages below 4 KiB, and compressed ones, are
    /// queued at once, as by [`send`](Self::send).
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # use std::io::{IoSlice, Write};
    /// # let mut connection = Connection::server(Agreement::default(), Config::default());
    /// # let mut transport = Vec::new();
    /// let tide = vec![b'~'; 100_000];
    /// let mut outgoing = connection.sender().send_lent(&tide[..])?;
    /// let mut slices = [&[][..]; 16];
    /// let used = outgoing.transmit_slices(&mut slices);
    /// let taken = transport.write_vectored(&slices.map(IoSlice::new)[..used])?;
    /// outgoing.transmitted(taken);
    /// drop(outgoing); // what the transport has not taken waits in the queue now
    /// # assert_eq!((transport.len(), connection.buffered_len()), (100_010, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_lent<'a, 'p: 'a>(
        &'a mut self,
        payload: impl Into<Payload<'p>>,
    ) -> Result<Outgoing<'a>, UsageError> {
        self.check_open()?;
        let lent = self.line.send_lent(payload.into())?;
        self.output_waits();
        Ok(Outgoing { sender: self, lent })
    }

    /// The same with a payload that may be changed, such as what an event lends: a client masks it where it lies, and
    /// copies no more than a server does. What is in the memory afterwards is of no use; after an error it is as it was.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection, Event};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// # let mut memory = [&b"\x82\x7E\x40\0"[..], &[7; 16384]].concat();
    /// # let mut sent = Vec::new();
    /// # let mut input = connection.receive(&mut memory);
    /// while let Some((event, sender)) = input.poll_event_with() {
    ///     let mut outgoing = match event {
    ///         Event::Text(text) => sender.send_lent_mut(text)?,
    ///         Event::Binary(data) => sender.send_lent_mut(data)?,
    ///         _ => continue,
    ///     };
    ///     let mut slices = [&[][..]; 16];
    ///     let used = outgoing.transmit_slices(&mut slices); // and on, as above
    /// #   sent = slices[..used].concat();
    /// #   outgoing.transmitted(sent.len());
    /// }
    /// # assert_eq!((sent.len(), &sent[..4]), (16392, &b"\x82\xFE\x40\0"[..]));
    /// # Ok::<(), hybi::UsageError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_lent_mut<'a, 'p: 'a>(
        &'a mut self,
        payload: impl Into<PayloadMut<'p>>,
    ) -> Result<Outgoing<'a>, UsageError> {
        self.check_open()?;
        let lent = self.line.send_lent_mut(payload.into())?;
        self.output_waits();
        Ok(Outgoing { sender: self, lent })
    }

    /// Queues a message that is handed over. A payload of 4 KiB or more is queued by reference: a server
    /// never copies it, a client masks it in place if nobody else holds it.
    ///
    /// # Errors
    /// As [`Self::send`]; the message comes back with the error.
    pub fn send_message(&mut self, message: impl Into<Message>) -> Result<(), SendError<Message>> {
        let message = message.into();
        if let Err(error) = self.check_open() {
            return Err(SendError { error, payload: message });
        }
        self.line.send_message(message)?;
        self.output_waits();
        Ok(())
    }

    /// Queues a message that was framed once for many connections. On a server its octets are shared.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), UsageError> {
        self.check_open()?;
        self.line.send_prepared(message)?;
        self.output_waits();
        Ok(())
    }

    /// Begins a message in fragments (RFC 6455 §5.4): for one whose length is not known yet, or that should
    /// not be in memory as a whole. Until it is finished no other message can be sent; pings, pongs and the
    /// close frame can. Where an [extension of yours](crate::extension) was agreed on, the fragments are collected, and
    /// the message goes out in one frame when it is finished.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection, Kind};
    /// # let mut connection = Connection::server(Agreement::default(), Config::default());
    /// let mut writer = connection.start(Kind::Text)?;
    /// writer.write(b"high ")?;
    /// writer.finish(b"water")?;
    /// assert_eq!(connection.transmit(), b"\x01\x05high \x80\x05water");
    /// # Ok::<(), hybi::UsageError>(())
    /// ```
    ///
    /// # Errors
    /// [`NotOpen`](UsageError::NotOpen), [`MessageInProgress`](UsageError::MessageInProgress),
    /// [`ExtensionFailed`](UsageError::ExtensionFailed).
    pub fn start(&mut self, kind: Kind) -> Result<MessageWriter<'_>, UsageError> {
        self.check_open()?;
        self.line.start(kind)?;
        Ok(MessageWriter { sender: self })
    }

    /// The writer of the message that was begun and is not finished.
    pub fn writer(&mut self) -> Option<MessageWriter<'_>> {
        (self.line.is_in_message() && self.phase == Phase::Open).then_some(MessageWriter { sender: self })
    }

    /// Queues a ping (§5.5.2) of up to 125 octets.
    ///
    /// # Errors
    /// [`NotOpen`](UsageError::NotOpen), [`ControlTooLong`](UsageError::ControlTooLong),
    /// [`QueueFull`](UsageError::QueueFull), [`OutOfMemory`](UsageError::OutOfMemory).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.check_open()?;
        self.line.ping(payload)?;
        self.output_waits();
        Ok(())
    }

    /// Queues a pong (§5.5.3) of up to 125 octets. Pings are answered without it.
    ///
    /// # Errors
    /// As [`Self::ping`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.check_open()?;
        self.line.pong(payload)?;
        self.output_waits();
        Ok(())
    }

    /// Begins the closing handshake (§7.1.2): queues a close frame behind all that was sent. What the peer
    /// sends until it answers still arrives. A second call does nothing.
    ///
    /// # Errors
    /// [`ReasonTooLong`](UsageError::ReasonTooLong): more than 123 octets.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        let frame = CloseFrame::new(code, reason).ok_or(UsageError::ReasonTooLong)?;
        self.close_with(Some(&frame))
    }

    /// The same with a frame that exists, or with none: a close frame without a body.
    ///
    /// # Errors
    /// [`OutOfMemory`](UsageError::OutOfMemory).
    pub fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), UsageError> {
        if self.open {
            self.line.close(frame)?;
            self.change(Change::CloseSent);
        }
        Ok(())
    }

    /// Gives the connection up: nothing more is transmitted, and the transport is to be ended.
    pub fn abort(&mut self) {
        self.give_up(CloseCause::Aborted);
    }

    /// The answer of a server's opening handshake. Without memory for it nothing can follow.
    #[cfg(feature = "handshake")]
    pub(super) fn push_raw(&mut self, octets: &[u8]) {
        if self.line.push_raw(octets).is_err() {
            self.abort();
        }
        self.output_waits();
    }

    #[inline]
    fn check_open(&self) -> Result<(), UsageError> {
        if self.open { Ok(()) } else { Err(UsageError::NotOpen) }
    }

    /// Takes memory to queue in, whatever is in it, for as long as it takes to say something and to transmit it: a
    /// few such buffers serve any number of connections, and saying something small allocates nothing.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # let mut connection = Connection::server(Agreement::default(), Config::default());
    /// let sender = connection.sender();
    /// sender.lend_buffer(Vec::with_capacity(4096)).expect("nothing waits");
    /// sender.send("small")?;
    /// sender.transmitted(sender.transmit().len());
    /// assert!(sender.reclaim_buffer().is_some());
    /// # Ok::<(), hybi::UsageError>(())
    /// ```
    ///
    /// # Errors
    /// The memory comes back if the queue has some already.
    pub fn lend_buffer(&mut self, memory: Vec<u8>) -> Result<(), Vec<u8>> {
        self.line.lend_buffer(memory).map_or(Ok(()), Err)
    }

    /// Gives back what was [lent](Self::lend_buffer), perhaps grown. `None` if it is not there any more; and if
    /// something waits in it: then it stays with the queue, which frees it when it is empty.
    pub fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        self.line.reclaim_buffer()
    }

    // ---- what the receiving half wants said

    /// Takes what the receiving half wants said: after [`into_split`](crate::Connection::into_split), hand
    /// over each reply of [`Receiver::poll_reply`](crate::Receiver::poll_reply), in order.
    pub fn handle_reply(&mut self, reply: Reply) {
        match reply.0 {
            ReplyKind::Alive => self.received(),
            ReplyKind::Pong(payload) => {
                // Without memory the ping stays unanswered; the peer will send another.
                let _ = self.answer_ping(&payload);
            }
            ReplyKind::Close(frame) => self.close_received(frame.as_ref()),
            ReplyKind::Failed(error) => self.fail(error),
            ReplyKind::TransportEnded => self.transport_ended(),
        }
    }

    #[inline]
    pub(super) fn received(&mut self) {
        self.keepalive.received();
    }

    /// More is expected to be said soon, or not: what is small need not be given back when nothing waits.
    #[inline]
    pub(super) fn expect(&mut self, more: bool) {
        self.line.expect(more);
    }

    /// A ping is answered while no close frame was received (§5.5.2).
    #[inline]
    pub(super) fn answer_ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        if matches!(self.phase, Phase::Open | Phase::CloseSent) && !self.lost {
            self.line.answer_ping(payload)?;
            self.output_waits();
        }
        Ok(())
    }

    /// A close frame is answered with the same code and reason, unless ours went out before (§5.5.1).
    pub(super) fn close_received(&mut self, frame: Option<&CloseFrame>) {
        if self.open && self.line.close(frame).is_err() {
            self.give_up(CloseCause::Failed(ProtocolError::OutOfMemory));
        }
        self.change(Change::CloseReceived);
    }

    /// Fails the connection (§7.1.7): says why, unless a close frame went out before.
    pub(super) fn fail(&mut self, error: ProtocolError) {
        if self.open {
            let frame = CloseFrame::new(error.close_code(), error.text());
            if self.line.close(frame.as_ref()).is_err() {
                self.give_up(CloseCause::Failed(error));
            }
        }
        self.change(Change::Failed);
    }

    /// The peer ended the transport. What waits may still be transmitted if it ends the connection in order:
    /// the answer to a close frame, or the one that says what went wrong.
    pub(super) fn transport_ended(&mut self) {
        if !matches!(self.phase, Phase::Finished | Phase::Failed) {
            self.line.clear();
        }
        self.closing.transport_ended();
        self.change(Change::TransportEnded);
    }

    /// The transport takes nothing any more: what waits is dropped, and nothing more can be sent. See
    /// [`Connection::transmit_lost`](crate::Connection::transmit_lost).
    pub fn transmit_lost(&mut self) {
        (self.lost, self.open) = (true, false);
        self.line.clear();
        self.keepalive.end();
    }

    fn give_up(&mut self, cause: CloseCause) {
        if !self.state_is_over() && self.gave_up.is_none() {
            self.gave_up = Some(cause);
        }
        self.transmit_lost();
        self.transport_ended();
    }

    /// Whether the connection was given up here, and nobody has asked why.
    #[inline]
    pub(super) fn has_given_up(&self) -> bool {
        self.gave_up.is_some()
    }

    fn state_is_over(&self) -> bool {
        self.state() == State::Closed
    }

    /// Why the connection was given up on this side, by [`Self::abort`] or by a deadline: told once. After
    /// [`into_split`](crate::Connection::into_split), carry it to
    /// [`Receiver::give_up`](crate::Receiver::give_up).
    pub fn poll_gave_up(&mut self) -> Option<CloseCause> {
        self.gave_up.take()
    }

    fn change(&mut self, change: Change) {
        self.phase = self.phase.after(change);
        self.open &= self.phase == Phase::Open;
        self.expect(false);
        self.keepalive.stop();
        self.closing.begin(self.config.timeouts.close);
        if self.buffered_len() > 0 {
            self.output_waits();
        } else if self.phase == Phase::Ended {
            self.keepalive.end();
        }
    }

    #[inline]
    fn output_waits(&mut self) {
        self.keepalive.output_waits(&self.config.timeouts);
    }

    // ---- out

    /// What waits to be transmitted, as one slice from the front; empty if nothing waits. There may be more
    /// behind it: [`Self::transmit_slices`] shows it.
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.line.transmit()
    }

    /// What waits to be transmitted, from the front, in as many slices as fit: for a vectored write. Returns
    /// how many were filled.
    pub fn transmit_slices<'s>(&'s self, slices: &mut [&'s [u8]]) -> usize {
        self.line.transmit_slices(slices)
    }

    /// The transport took `n` octets from the front.
    ///
    /// # Panics
    /// If there were fewer.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        if n > 0 {
            self.line.transmitted(n);
            self.keepalive.transmitted(self.line.queued_len() > 0);
        }
    }

    /// Copies what waits to `out` and counts it as transmitted: for transports that own their buffers, such
    /// as TLS. Returns how many octets were copied.
    pub fn transmit_into(&mut self, out: &mut [u8]) -> usize {
        let mut copied = 0;
        while copied < out.len() && !self.transmit().is_empty() {
            let octets = self.transmit();
            let n = octets.len().min(out.len() - copied);
            out[copied..copied + n].copy_from_slice(&octets[..n]);
            self.transmitted(n);
            copied += n;
        }
        copied
    }

    /// Whether the queue fell from above high water to low water since this was last asked.
    #[inline]
    pub fn poll_writable(&mut self) -> bool {
        self.phase == Phase::Open && self.line.take_writable()
    }

    /// What the transport is to do.
    pub fn transport_action(&self) -> TransportAction {
        self.closing.action(self.role, self.phase, self.buffered_len() > 0)
    }

    // ---- time

    /// When to call [`Self::handle_timeout`]: the next of all deadlines. [`Instant::ZERO`] means now, because
    /// something has begun that needs to know what time it is. `None`: no deadline.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.keepalive.poll(), self.closing.poll(self.buffered_len() > 0)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Tells what time it is, and serves the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let config = self.config.clone();
        while let Some(due) = self.keepalive.handle(now, &config.timeouts, self.buffered_len() > 0) {
            match due {
                Due::Ping(number) => {
                    let mut digits = Digits::default();
                    // A queue that is full has more urgent things in it than a ping.
                    if self.ping(digits.write(number)).is_ok() {
                        self.keepalive.ping_sent(now, &config.timeouts);
                    }
                }
                Due::Idle => {
                    self.idle = true;
                    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "idle");
                    let _ = self.close_with(frame.as_ref());
                }
                Due::GiveUp(timeout) => self.give_up(CloseCause::TimedOut(timeout)),
            }
        }
        if self.closing.handle(now, config.timeouts.close) {
            let timeout = if self.idle { Timeout::Idle } else { Timeout::Close };
            self.give_up(CloseCause::TimedOut(timeout));
        }
    }
}

/// Shows no payload: what is on its way may be secret.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("state", &self.state())
            .field("buffered_len", &self.buffered_len())
            .finish_non_exhaustive()
    }
}

/// Writes a message in fragments: [`Sender::start`] gives one. Dropping it leaves the message unfinished, and
/// [`Sender::writer`] gives a writer that goes on; unless nothing was written, then there is no message.
#[derive(Debug)]
pub struct MessageWriter<'s> {
    sender: &'s mut Sender,
}

impl MessageWriter<'_> {
    /// The same, for a message that is to be compressed or not whatever the length of its first fragment, as
    /// [`Payload::compressed`](crate::Payload::compressed) says. Once that is queued this has no effect.
    #[must_use]
    pub fn compressed(self, compress: bool) -> Self {
        self.sender.line.wish_compressed(compress);
        self
    }

    /// Queues a fragment. Text may be cut inside a character.
    ///
    /// # Errors
    /// [`NotUtf8`](UsageError::NotUtf8), [`QueueFull`](UsageError::QueueFull),
    /// [`OutOfMemory`](UsageError::OutOfMemory). Nothing is queued then, and the message can go on.
    pub fn write(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.push(payload, false)
    }

    /// Queues the last fragment.
    ///
    /// # Errors
    /// As [`Self::write`]; [`NotUtf8`](UsageError::NotUtf8) also if the text ends inside a character. With
    /// [`ExtensionFailed`](UsageError::ExtensionFailed) the message has come to nothing.
    pub fn finish(mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.push(payload, true)
    }

    fn push(&mut self, payload: &[u8], last: bool) -> Result<(), UsageError> {
        self.sender.line.fragment(payload, last)?;
        self.sender.output_waits();
        Ok(())
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        self.sender.line.writer_dropped();
    }
}

/// A message on its way, of which the payload is lent: [`Sender::send_lent`] gives one.
///
/// What waited before is part of it: all of that is transmitted first. Dropping it queues what the transport has not
/// taken. If there is no memory for that, the connection fails, because the peer could make nothing of half a message.
/// It has to be dropped: after `mem::forget` the rest of the message is missing, and nothing can be sent that the peer
/// would understand.
pub struct Outgoing<'a> {
    sender: &'a mut Sender,
    lent: Lent<'a>,
}

/// Shows no payload.
impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl Outgoing<'_> {
    /// What waits to be transmitted, as [`Sender::transmit_slices`] shows it, and behind it the payload.
    pub fn transmit_slices<'s>(&'s self, slices: &mut [&'s [u8]]) -> usize {
        let used = self.sender.transmit_slices(slices);
        let rest = self.sender.line.lent_rest(&self.lent);
        match slices.get_mut(used) {
            Some(slot) if !rest.is_empty() => {
                *slot = rest;
                used + 1
            }
            _ => used,
        }
    }

    /// The transport took `n` octets from the front.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, n: usize) {
        if n > 0 {
            let taken = self.sender.line.lent_transmitted(&self.lent, n);
            self.sender.keepalive.transmitted(self.sender.line.queued_len() > 0);
            self.go_on(taken);
        }
    }

    /// Or not, without memory.
    fn go_on(&mut self, taken: Result<(), UsageError>) {
        if taken.is_err() {
            self.sender.give_up(CloseCause::Failed(ProtocolError::OutOfMemory));
        }
    }
}

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        let taken = self.sender.line.end_lent(&self.lent);
        self.go_on(taken);
    }
}

/// A number in decimal, on the stack.
#[derive(Default)]
struct Digits {
    octets: [u8; 20],
    len: usize,
}

impl Digits {
    fn write(&mut self, number: u64) -> &[u8] {
        let _ = fmt::write(self, format_args!("{number}")); // 20 digits hold every u64
        &self.octets[..self.len]
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.octets.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
