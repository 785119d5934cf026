//! From the door to the connection: the handshakes end here.

use super::Connection;
use crate::handshake::{
    Accept, AnswerError, ClientHandshake, Journey, JourneyError, Opening, Response, ServerHandshake,
};

impl ServerHandshake {
    /// Accepts the request. The answer waits to be transmitted as the first output of the connection, and
    /// what the client sent behind its request is inside.
    ///
    /// # Errors
    /// [`AnswerError`]: there is no request, the subprotocol was not offered, a header may not be sent.
    /// Nothing is written then, and the handshake goes on.
    pub fn accept(&mut self, accept: Accept) -> Result<Connection, AnswerError> {
        self.accept_opening(accept).map(Connection::from_opening)
    }
}

impl ClientHandshake {
    /// The connection, once the server has agreed ([`Outcome::Opened`](crate::handshake::Outcome::Opened)).
    /// What the server sent behind its answer is inside. `None` before, and after a failure.
    pub fn into_connection(self) -> Option<Connection> {
        self.into_opening().map(Connection::from_opening)
    }
}

impl Journey {
    /// What came of it, once the step is [`Step::Over`](crate::handshake::Step::Over): the connection, with what
    /// the server sent behind its answer inside, and the answer; or why there is none.
    ///
    /// # Errors
    /// [`JourneyError`].
    pub fn into_connection(self) -> Result<(Connection, Response), JourneyError> {
        self.into_opening().map(|(opening, response)| (Connection::from_opening(opening), response))
    }
}

impl Connection {
    fn from_opening(opening: Opening) -> Self {
        let Opening { role, agreement, config, entropy, output, leftover } = opening;
        let mut connection = Self::new(role, agreement, config, entropy);
        connection.sender.push_raw(&output);
        connection.receiver.keep_leftover(&leftover);
        connection.pass_on();
        connection
    }
}
