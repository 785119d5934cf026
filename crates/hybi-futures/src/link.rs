//! The connection of a WebSocket, which hibernates while it waits for the peer and nothing is under way: most
//! connections of a server do so most of the time.

use hybi::{Agreement, CloseInfo, Connection, Hibernated, State};

use crate::scratch;

/// Room for a connection to work in: one of a few of this thread. It is empty inside of a method of [`Link`] alone.
pub(crate) type Room = Box<Option<Connection>>;

#[derive(Debug)]
pub(crate) enum Link {
    Awake(Room),
    Silent(Hibernated),
}

const FULL: &str = "what is taken out of the room is put back, or the room is given back";

impl Link {
    pub(crate) fn new(connection: Connection) -> Self {
        Self::Awake(Box::new(Some(connection)))
    }

    /// The connection, awake from now on.
    #[inline]
    pub(crate) fn awake(&mut self) -> &mut Connection {
        if let Self::Silent(_) = self {
            self.wake();
        }
        match self {
            Self::Awake(room) => (**room).as_mut().expect(FULL),
            Self::Silent(_) => unreachable!("it was woken"),
        }
    }

    #[inline(never)]
    fn wake(&mut self) {
        let before = std::mem::replace(self, Self::Awake(scratch::take_room()));
        if let (Self::Silent(hibernated), Self::Awake(room)) = (before, self) {
            **room = Some(hibernated.wake());
        }
    }

    /// The connection waits for its peer.
    pub(crate) fn rest(&mut self) {
        let Self::Awake(room) = self else { return };
        let Some(connection) = room.take_if(|connection| connection.is_silent()) else { return };
        match connection.hibernate() {
            Ok(hibernated) => {
                if let Self::Awake(room) = std::mem::replace(self, Self::Silent(hibernated)) {
                    scratch::give_back_room(room);
                }
            }
            Err(connection) => **room = Some(connection),
        }
    }

    pub(crate) fn into_connection(self) -> Connection {
        match self {
            Self::Awake(room) => room.expect(FULL),
            Self::Silent(hibernated) => hibernated.wake(),
        }
    }

    pub(crate) fn agreement(&self) -> &Agreement {
        match self {
            Self::Awake(room) => (**room).as_ref().expect(FULL).agreement(),
            Self::Silent(hibernated) => hibernated.agreement(),
        }
    }

    /// A connection that hibernates is open.
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Awake(room) => (**room).as_ref().map_or(State::Open, Connection::state),
            Self::Silent(_) => State::Open,
        }
    }

    pub(crate) fn close_info(&self) -> Option<&CloseInfo> {
        match self {
            Self::Awake(room) => (**room).as_ref().and_then(Connection::close_info),
            Self::Silent(_) => None,
        }
    }
}
