//! One socket: when to read, when to write, when to ask for room.

use std::io::{ErrorKind, Read as _};
use std::mem;
use std::net::Shutdown;
use std::sync::Arc;

use hybi::handshake::{ServerHandshake, ServerSettings};
use hybi::{Config, Instant, TransportAction};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Scratch;
use crate::stage::Stage;

/// Reads of one peer before others have their turn.
const READS: usize = 16;

pub(crate) struct Peer {
    stream: TcpStream,
    pub(crate) stage: Stage,
    /// There may be something to read. The peer will send no more. It was told to the connection.
    readable: bool,
    closed: bool,
    ended: bool,
    /// There is no room to write. The system was asked to say when there is.
    blocked: bool,
    asked: bool,
    /// Our writing side was ended.
    shut: bool,
    /// What stands in `Server::deadlines`.
    pub(crate) deadline: Option<Instant>,
}

#[derive(PartialEq)]
pub(crate) enum Next {
    Wait,
    Again,
    Remove,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, config: Arc<Config>) -> Self {
        Self {
            stream,
            stage: Stage::Opening(ServerHandshake::new(config, ServerSettings::default()).into()),
            readable: false,
            closed: false,
            ended: false,
            blocked: false,
            asked: false,
            shut: false,
            deadline: None,
        }
    }

    pub(crate) fn is_ready(&mut self, event: &Event) {
        self.closed |= event.is_read_closed() || event.is_error();
        self.readable |= (event.is_readable() || self.closed) && !self.ended;
        self.blocked &= !(event.is_writable() || event.is_error());
    }

    /// All that can be done now: reads, and writes in one piece what that read has caused, until there is nothing to
    /// read or the peer does not take the answers. Readiness is told once, so whoever has had its share while there is
    /// more needs another turn.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        scratch: &mut Scratch,
        registry: &Registry,
        token: Token,
    ) -> Next {
        self.stage = mem::replace(&mut self.stage, Stage::Lost).wake();
        self.stage.lend(&mut scratch.answer);
        let mut reads = READS;
        let mut next = loop {
            if self.stage.poll_timeout().is_some_and(|due| due <= now) {
                self.stage.handle_timeout(now);
            }
            if reads > 0 && self.readable && !self.stage.is_above_high_water() {
                reads -= 1;
                self.read(&mut scratch.read);
            }
            self.stage.take_events();
            self.write();
            match self.stage.transport_action() {
                TransportAction::Close => break Next::Remove,
                TransportAction::ShutdownWrite if !self.shut && !self.stage.has_output() => {
                    let _ = self.stream.shutdown(Shutdown::Write);
                    self.shut = true;
                }
                _ => {}
            }
            let is_due = self.stage.poll_timeout().is_some_and(|due| due <= now);
            let has_more = self.readable && !self.stage.is_above_high_water();
            if !(is_due || has_more && reads > 0) {
                break if has_more { Next::Again } else { Next::Wait };
            }
        };
        self.stage.reclaim(&mut scratch.answer);
        self.stage = mem::replace(&mut self.stage, Stage::Lost).rest();
        if self.blocked != self.asked && next != Next::Remove {
            let interest =
                if self.blocked { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            match registry.reregister(&mut self.stream, token, interest) {
                Ok(()) => self.asked = self.blocked,
                Err(_) => next = Next::Remove,
            }
        }
        next
    }

    /// One read. A short one took all there was: what comes later is told anew, but for the end, which may have been
    /// told already.
    fn read(&mut self, memory: &mut [u8]) {
        match self.stream.read(memory) {
            Ok(n @ 1..) => {
                self.readable = n == memory.len() || self.closed;
                self.stage.receive(&mut memory[..n]);
            }
            Ok(_) => {
                (self.readable, self.ended) = (false, true);
                self.stage.receive_eof();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(_) => {
                (self.readable, self.ended) = (false, true);
                self.stage.transport_lost();
            }
        }
    }

    /// Writes until nothing waits or there is no room.
    fn write(&mut self) {
        while !self.blocked && self.stage.has_output() {
            match self.stage.write_to(&mut self.stream) {
                Ok(n @ 1..) => {
                    self.stage.transmitted(n);
                    self.blocked = self.stage.has_output(); // a short write filled the room
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.blocked = true,
                _ => self.stage.transmit_lost(), // but perhaps something can still be read
            }
        }
    }
}
