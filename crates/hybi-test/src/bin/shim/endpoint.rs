//! The endpoint under test: an open connection, or a handshake on the way to one.

use hybi::{Connection, HandshakeError, Instant, State, TransportAction};

use crate::client::ClientDoor;
use crate::proxy::{ProxyDoor, Tunnel};
use crate::server::ServerDoor;

#[derive(Debug)]
pub(crate) enum Endpoint {
    Open(Box<Connection>),
    Server(Box<ServerDoor>),
    Client(Box<ClientDoor>),
    Proxy(Box<ProxyDoor>),
}

impl Endpoint {
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Open(connection) => Some(connection),
            Self::Server(_) | Self::Client(_) | Self::Proxy(_) => None,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            Self::Open(connection) => connection.state(),
            Self::Server(door) if door.handshake.error().is_some() => State::Closed,
            Self::Client(door) if door.failed => State::Closed,
            Self::Proxy(door) if door.state == Tunnel::None => State::Closed,
            Self::Proxy(door) if door.state == Tunnel::Open => State::Open,
            Self::Server(_) | Self::Client(_) | Self::Proxy(_) => State::Connecting,
        }
    }

    pub(crate) fn transport(&self) -> &'static str {
        let wants_close = match self {
            Self::Open(connection) => return transport(connection),
            Self::Server(door) => door.handshake.wants_close(),
            Self::Client(door) => door.handshake.wants_close(),
            Self::Proxy(door) => door.tunnel.wants_close(),
        };
        if wants_close { "close" } else { "keep" }
    }

    pub(crate) fn receive_eof(&mut self) {
        match self {
            Self::Open(connection) => connection.receive_eof(),
            Self::Server(door) => door.handshake.receive_eof(),
            Self::Client(door) => door.handshake.receive_eof(),
            Self::Proxy(door) => door.tunnel.receive_eof(),
        }
    }

    /// A handshake has one word for every end of its transport.
    pub(crate) fn transport_lost(&mut self) {
        match self {
            Self::Open(connection) => connection.transport_lost(),
            handshake => handshake.receive_eof(),
        }
    }

    /// The application of a handshake gives up by ending its transport.
    pub(crate) fn abort(&mut self) {
        match self {
            Self::Open(connection) => connection.abort(),
            handshake => handshake.receive_eof(),
        }
    }

    pub(crate) fn transmit(&self) -> &[u8] {
        match self {
            Self::Open(connection) => connection.transmit(),
            Self::Server(door) => door.handshake.transmit(),
            Self::Client(door) => door.handshake.transmit(),
            Self::Proxy(door) => door.tunnel.transmit(),
        }
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        match self {
            Self::Open(connection) => connection.transmitted(n),
            Self::Server(door) => door.handshake.transmitted(n),
            Self::Client(door) => door.handshake.transmitted(n),
            Self::Proxy(door) => door.tunnel.transmitted(n),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Open(connection) => connection.poll_timeout(),
            Self::Server(door) => door.handshake.poll_timeout(),
            Self::Client(door) => door.handshake.poll_timeout(),
            Self::Proxy(door) => door.tunnel.poll_timeout(),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Open(connection) => connection.handle_timeout(now),
            Self::Server(door) => door.handshake.handle_timeout(now),
            Self::Client(door) => door.handshake.handle_timeout(now),
            Self::Proxy(door) => door.tunnel.handle_timeout(now),
        }
    }
}

fn transport(connection: &Connection) -> &'static str {
    match (connection.transport_action(), connection.state()) {
        (TransportAction::None, State::Connecting | State::Open) => "keep",
        (TransportAction::None, State::Closing | State::Closed) => "wait",
        (TransportAction::ShutdownWrite | TransportAction::Close, _) => "close",
    }
}

/// Section 8.2.
pub(crate) fn name(error: HandshakeError) -> &'static str {
    match error {
        HandshakeError::BadHttp => "bad_http",
        HandshakeError::HeadTooLarge => "head_too_large",
        HandshakeError::BadMethod => "bad_method",
        HandshakeError::BadHost => "bad_host",
        HandshakeError::BadUpgrade => "bad_upgrade",
        HandshakeError::BadConnection => "bad_connection",
        HandshakeError::BadKey => "bad_key",
        HandshakeError::BadVersion => "bad_version",
        HandshakeError::BadAccept => "bad_accept",
        HandshakeError::BadProtocol => "bad_protocol",
        HandshakeError::BadExtensions | HandshakeError::UnacceptableExtensions(_) => "bad_extensions",
        HandshakeError::UnexpectedStatus(_) => "unexpected_status",
        HandshakeError::Refused(_) => "refused",
        HandshakeError::TimedOut => "handshake_timeout",
        HandshakeError::TransportEnded => "closed_before_open",
        _ => "policy",
    }
}
