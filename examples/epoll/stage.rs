//! What is said on a socket, from the first octet to the last: the opening handshake, then the connection.

use std::io::{self, IoSlice, Write as _};
use std::mem;

use hybi::handshake::{Accept, Incoming, ServerHandshake};
use hybi::{Connection, Event, Hibernated, Instant, Sender, TransportAction};
use mio::net::TcpStream;

use crate::READ;

/// Pieces of one write.
const PIECES: usize = 16;

/// In boxes, but for the stage in which most peers are most of the time: so that a place among them is small.
pub(crate) enum Stage {
    Opening(Box<ServerHandshake>),
    Open(Box<Connection>),
    Silent(Hibernated),
    /// The transport failed before there was a connection.
    Lost,
}

impl Stage {
    /// There may be something to do.
    pub(crate) fn wake(self) -> Self {
        match self {
            Self::Silent(hibernated) => Self::Open(hibernated.wake().into()),
            stage => stage,
        }
    }

    /// There is nothing to do for now.
    pub(crate) fn rest(self) -> Self {
        match self {
            Self::Open(connection) if connection.is_silent() => match connection.hibernate() {
                Ok(hibernated) => Self::Silent(hibernated),
                Err(connection) => Self::Open(connection.into()),
            },
            stage => stage,
        }
    }

    pub(crate) fn receive(&mut self, octets: &mut [u8]) {
        let mut taken = 0;
        if let Self::Opening(handshake) = self {
            taken = handshake.receive(octets);
            // A request that is no good was answered already. Any path and any origin will do: an echo has no secrets.
            if let Some(Incoming::Upgrade(_)) = handshake.poll_event()
                && let Ok(connection) = handshake.accept(Accept::new())
            {
                *self = Self::Open(connection.into());
            }
        }
        if let Self::Open(connection) = self {
            let mut input = connection.receive(&mut octets[taken..]);
            while let Some((event, sender)) = input.poll_event_with() {
                echo(event, sender);
            }
        }
    }

    /// Events that no read has made: of what came with the request, of time, of the end.
    pub(crate) fn take_events(&mut self) {
        if let Self::Open(connection) = self {
            while let Some((event, sender)) = connection.poll_event_with() {
                echo(event, sender);
            }
        }
    }

    pub(crate) fn receive_eof(&mut self) {
        match self {
            Self::Opening(handshake) => handshake.receive_eof(),
            Self::Open(connection) => connection.receive_eof(),
            Self::Silent(_) | Self::Lost => {}
        }
    }

    pub(crate) fn transport_lost(&mut self) {
        match self {
            Self::Open(connection) => connection.transport_lost(),
            _ => *self = Self::Lost,
        }
    }

    pub(crate) fn transmit_lost(&mut self) {
        match self {
            Self::Open(connection) => connection.transmit_lost(),
            _ => *self = Self::Lost,
        }
    }

    pub(crate) fn has_output(&self) -> bool {
        match self {
            Self::Opening(handshake) => !handshake.transmit().is_empty(),
            Self::Open(connection) => connection.buffered_len() > 0,
            Self::Silent(_) | Self::Lost => false,
        }
    }

    /// One write: of all that waits in one piece, which is the rule, or of the first pieces.
    pub(crate) fn write_to(&self, stream: &mut TcpStream) -> io::Result<usize> {
        match self {
            Self::Opening(handshake) => stream.write(handshake.transmit()),
            Self::Open(connection) if connection.transmit().len() == connection.buffered_len() => {
                stream.write(connection.transmit())
            }
            Self::Open(connection) => {
                let mut pieces = [&[][..]; PIECES];
                let used = connection.transmit_slices(&mut pieces);
                stream.write_vectored(&pieces.map(IoSlice::new)[..used])
            }
            Self::Silent(_) | Self::Lost => Ok(0),
        }
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        match self {
            Self::Opening(handshake) => handshake.transmitted(n),
            Self::Open(connection) => connection.transmitted(n),
            Self::Silent(_) | Self::Lost => {}
        }
    }

    pub(crate) fn is_above_high_water(&self) -> bool {
        matches!(self, Self::Open(connection) if connection.is_above_high_water())
    }

    pub(crate) fn transport_action(&self) -> TransportAction {
        match self {
            Self::Opening(handshake) if !handshake.wants_close() => TransportAction::None,
            Self::Open(connection) => connection.transport_action(),
            Self::Silent(_) => TransportAction::None,
            _ => TransportAction::Close,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Opening(handshake) => handshake.poll_timeout(),
            Self::Open(connection) => connection.poll_timeout(),
            Self::Silent(hibernated) => hibernated.poll_timeout(),
            Self::Lost => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Opening(handshake) => handshake.handle_timeout(now),
            Self::Open(connection) => connection.handle_timeout(now),
            Self::Silent(_) | Self::Lost => {}
        }
    }

    /// Memory for the answers, if none wait already.
    pub(crate) fn lend(&mut self, memory: &mut Vec<u8>) {
        if let Self::Open(connection) = self
            && connection.buffered_len() == 0
            && let Err(back) = connection.sender().lend_buffer(mem::take(memory))
        {
            *memory = back;
        }
    }

    /// Takes it back. What waits in it keeps it; then there is none until it has grown again.
    pub(crate) fn reclaim(&mut self, memory: &mut Vec<u8>) {
        if let Self::Open(connection) = self
            && let Some(back) = connection.sender().reclaim_buffer()
        {
            *memory = back;
        }
    }
}

/// The application. A message that is larger than a read was joined in memory of its own, which changes hands.
fn echo(event: Event<'_>, sender: &mut Sender) {
    // Refused is only what comes behind a close frame.
    let _ = match event {
        Event::Text(text) if text.as_bytes().len() > READ => {
            sender.send_message(text.into_message()).map_err(|refused| refused.error)
        }
        Event::Binary(data) if data.len() > READ => {
            sender.send_message(data.into_bytes()).map_err(|refused| refused.error)
        }
        Event::Text(text) => sender.send(&text),
        Event::Binary(data) => sender.send(&data),
        _ => Ok(()),
    };
}
