//! A WebSocket over a blocking transport.

use std::io::{self, ErrorKind, IoSlice};

use hybi::{
    Agreement, CloseCode, CloseFrame, CloseInfo, Connection, Delivery, Event, Kind, Message, MessageWriter,
    Payload, Prepared, Sender, State, TransportAction,
};

use crate::error::Error;
use crate::ping::{Pongs, RoundTrip};
use crate::stream::ByteStream;
use crate::transport::{LONG, SLICES, Timed, Transport, Waited};

/// An open WebSocket. [`connect`](crate::connect) and [`accept`](crate::accept) make one.
///
/// Receive in a loop until there is nothing more: that is also what answers pings, serves deadlines and
/// brings the closing handshake to its end.
///
/// Sending waits until the transport has taken what was sent, and reads nothing meanwhile: two peers that both
/// send more than the transport between them holds, and do not read, wait for one another. Whoever sends much
/// should use [`into_split`](Self::into_split), or set [`Timeouts::write_stall`](hybi::Timeouts).
///
/// Errors of the transport are not errors of receiving: they end the connection, the last event
/// ([`Event::Closed`]) says how, and [`Self::io_error`] says why.
#[derive(Debug)]
pub struct WebSocket<S> {
    transport: Timed<S>,
    connection: Connection,
    pongs: Pongs,
    io_error: Option<io::Error>,
}

impl<S: Transport> WebSocket<S> {
    /// A WebSocket whose opening handshake was made elsewhere.
    pub fn new(stream: S, connection: Connection) -> Self {
        Self::from_timed(Timed::new(stream), connection)
    }

    pub(crate) fn from_timed(transport: Timed<S>, connection: Connection) -> Self {
        Self { transport, connection, pongs: Pongs::default(), io_error: None }
    }

    // ---- receiving

    /// Waits for the next event; `None` when the connection is over. The event lends its payload until the
    /// next call.
    pub fn recv(&mut self) -> Option<Event<'_>> {
        self.wait_event();
        let event = self.connection.poll_event();
        self.pongs.look(event.as_ref());
        event
    }

    /// Waits for the next event, and lends the sending half beside it: so that an answer is sent while the
    /// payload is still lent. What it sends is transmitted before the next wait, many answers in one write.
    pub fn recv_with(&mut self) -> Option<(Event<'_>, &mut Sender)> {
        self.wait_event();
        let (event, sender) = self.connection.poll_event_with()?;
        self.pongs.look(Some(&event));
        Some((event, sender))
    }

    /// Waits for the next whole message and owns it; `None` when the connection is over. Pings and pongs are
    /// passed over.
    pub fn recv_message(&mut self) -> Option<Message> {
        loop {
            let event = self.recv()?;
            if let Some(message) = event.into_message() {
                return Some(message);
            }
        }
    }

    /// The whole messages that arrive, each waited for and owned, until the connection is over.
    ///
    /// ```no_run
    /// # let (mut socket, _) = hybi_std::connect("ws://127.0.0.1:9001/")?;
    /// for message in socket.messages() {
    ///     println!("{} octets", message.as_bytes().len());
    /// }
    /// # Ok::<(), hybi_std::Error>(())
    /// ```
    pub fn messages(&mut self) -> impl Iterator<Item = Message> {
        std::iter::from_fn(|| self.recv_message())
    }

    /// How messages are delivered from the next one on: whole, or in pieces as they arrive.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.connection.set_delivery(delivery);
    }

    /// Waits until there is an event or there will never be one.
    fn wait_event(&mut self) {
        if self.connection.is_above_high_water() {
            self.flush_or_lose(); // many answers to what one read brought
        }
        while !self.connection.prepare_event() {
            if self.connection.close_info().is_some() {
                return self.end_transport();
            }
            self.flush_or_lose();
            if !self.act() {
                self.fill();
            }
        }
        if self.connection.state() != State::Open {
            self.flush_or_lose(); // the answer to a close frame does not wait for the next call
            self.act();
        }
    }

    /// Reads once.
    fn fill(&mut self) {
        let deadline = self.connection.poll_timeout();
        let space = self.connection.recv_space();
        if space.is_empty() {
            // Something waits to be told; or nothing more will be read, and only time is left.
            return self.connection.handle_timeout(self.transport.now());
        }
        match self.transport.read(space, deadline) {
            Ok(Waited::Moved(0)) => self.connection.receive_eof(),
            Ok(Waited::Moved(n)) => self.connection.received(n),
            Ok(Waited::Elapsed) => self.connection.handle_timeout(self.transport.now()),
            Err(error) => self.lose(error),
        }
    }

    /// Does what the connection asks of the transport; true if that was to end it.
    fn act(&mut self) -> bool {
        match self.connection.transport_action() {
            TransportAction::None => false,
            TransportAction::ShutdownWrite => {
                self.transport.end_writing();
                false
            }
            TransportAction::Close => {
                self.transport.end();
                self.connection.receive_eof();
                true
            }
        }
    }

    /// The connection is over: the server ends the transport, a client waits for that (RFC 6455 §7.1.1), with
    /// the deadline of the core.
    fn end_transport(&mut self) {
        self.flush_or_lose();
        let before = self.io_error.take();
        while self.connection.transport_action() != TransportAction::Close {
            self.fill();
        }
        self.io_error = before; // how the transport ends behind the end is nobody's error
        self.transport.end();
    }

    // ---- sending

    /// Sends a message and flushes: a `&str` or lent text as text, bytes as binary. What the
    /// transport takes of 16 KiB and more is not copied by a server, and by a client 64 KiB at a time.
    ///
    /// # Errors
    /// [`Error::Usage`] (nothing was sent) or [`Error::Io`].
    pub fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        let payload = payload.into();
        if payload.as_bytes().len() < LONG {
            self.connection.send(payload)?;
        } else {
            self.connection.handle_timeout(self.transport.now()); // what was said before may not know the time yet
            if let Err(error) = self.transport.send_lent(self.connection.sender(), payload, None)? {
                return Err(self.lose_output(error));
            }
        }
        self.flush()
    }

    /// Sends a message that is handed over, large ones without a copy where that can be, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_message(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.connection.send_message(message).map_err(|refused| refused.error)?;
        self.flush()
    }

    /// Sends a message that was framed once for many, and flushes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.connection.send_prepared(message)?;
        self.flush()
    }

    /// Sends a message without flushing: several of them and one [`Self::flush`] are one write.
    ///
    /// # Errors
    /// As [`Self::send`]. Above high water it flushes, so memory stays bounded.
    pub fn feed<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        self.connection.send(payload)?;
        if self.connection.is_above_high_water() { self.flush() } else { Ok(()) }
    }

    /// Begins a message in pieces; see [`Sender::start`]. Flush when it should go out.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn start(&mut self, kind: Kind) -> Result<MessageWriter<'_>, Error> {
        Ok(self.connection.start(kind)?)
    }

    /// The writer of the message in pieces that is not finished.
    pub fn writer(&mut self) -> Option<MessageWriter<'_>> {
        self.connection.writer()
    }

    /// Sends a ping of up to 125 octets and flushes. The pong arrives as an event; how long that took, the
    /// [`RoundTrip`] tells, which may be dropped.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<RoundTrip, Error> {
        self.connection.ping(payload)?;
        let trip = self.pongs.0.sent(payload);
        self.flush().map(|()| trip)
    }

    /// Begins the closing handshake, and flushes. Go on receiving until there is nothing more.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.connection.close(code, reason)?;
        self.flush()
    }

    /// The same with a frame that exists, or with none: a close frame without a body.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn close_with(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.connection.close_with(frame)?;
        self.flush()
    }

    /// Drops the connection at once: what waits is not transmitted, the transport is ended.
    pub fn abort(&mut self) {
        self.connection.abort();
        self.transport.end();
    }

    /// Transmits until nothing waits.
    ///
    /// # Errors
    /// [`Error::Io`]: what waited is lost, or its time was over.
    pub fn flush(&mut self) -> Result<(), Error> {
        while self.connection.buffered_len() > 0 {
            if let Err(error) = self.transmit() {
                return Err(self.lose_output(error));
            }
        }
        self.transport.stream.flush().map_err(|error| self.lose_output(error))
    }

    /// One write.
    fn transmit(&mut self) -> io::Result<()> {
        let deadline = self.connection.poll_timeout();
        let mut pieces = [&[][..]; SLICES];
        let used = self.connection.transmit_slices(&mut pieces);
        let slices = pieces.map(IoSlice::new);
        match self.transport.write(&slices[..used], deadline)? {
            Waited::Moved(n) => self.connection.transmitted(n),
            Waited::Elapsed => {
                self.connection.handle_timeout(self.transport.now());
                if self.connection.buffered_len() == 0 {
                    return Err(ErrorKind::TimedOut.into()); // the connection was given up, and what waited with it
                }
            }
        }
        Ok(())
    }

    /// Nothing can be written any more; but why may still be there to be read.
    fn lose_output(&mut self, error: io::Error) -> Error {
        let kind = error.kind();
        self.connection.transmit_lost();
        self.io_error.get_or_insert(error);
        io::Error::from(kind).into()
    }

    fn flush_or_lose(&mut self) {
        if self.connection.buffered_len() > 0 {
            let _ = self.flush(); // the connection knows, and the last event says so
        }
    }

    fn lose(&mut self, error: io::Error) {
        self.connection.transport_lost();
        self.io_error.get_or_insert(error);
    }

    // ---- looking

    /// Open, closing or closed.
    pub fn state(&self) -> State {
        self.connection.state()
    }

    /// What the opening handshake agreed on.
    pub fn agreement(&self) -> &Agreement {
        self.connection.agreement()
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.connection.close_info()
    }

    /// The error that ended the transport, if it was an error.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.io_error.as_ref()
    }

    /// The connection, for what this type has no method for. Flush after having said something.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.transport.stream
    }

    /// The transport and the connection, which holds what was received and not yet delivered:
    /// [`Connection::take_unread`] gives it back as it came.
    pub fn into_parts(self) -> (S, Connection) {
        (self.transport.into_stream(), self.connection)
    }

    // ---- other faces

    /// Two halves, for two threads.
    ///
    /// # Errors
    /// Those of [`Transport::try_clone`].
    pub fn into_split(self) -> io::Result<(crate::Reader<S>, crate::Writer<S>)> {
        crate::split::split(self.transport, self.connection, self.pongs)
    }

    /// A stream of octets: `Read` gives the payloads of what arrives, whatever its kind, each `write` is a
    /// message of this kind.
    pub fn into_byte_stream(self, kind: Kind) -> ByteStream<S> {
        ByteStream::new(self, kind)
    }
}
