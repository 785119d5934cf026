//! A connection on which nothing is under way, without the room to work.

use alloc::sync::Arc;
use core::fmt;

use super::Connection;
use super::keepalive::Keepalive;
use crate::agreement::Agreement;
use crate::config::{Config, Delivery};
use crate::entropy::BoxEntropy;
use crate::extension::Paths;
use crate::role::Role;
use crate::time::Instant;

/// A connection that is open and silent, in a quarter of the space: [`Connection::hibernate`] gives one, and
/// [`wake`](Self::wake) goes on with it.
///
/// For servers with many connections that say little. Nothing is lost: not the deadlines, nor what permessage-deflate
/// remembers, nor how messages are delivered; nothing is allocated or freed either, so that it costs no more than to
/// move a few hundred octets.
///
/// ```
/// use hybi::{Agreement, Config, Connection, Event, Hibernated};
///
/// let connection = Connection::server(Agreement::default(), Config::default());
/// let silent: Hibernated = connection.hibernate().expect("nothing is under way");
/// assert!(size_of::<Hibernated>() < 200);
///
/// // Later: something has arrived, or `silent.poll_timeout()` has passed.
/// let mut connection = silent.wake();
/// let mut read = *b"\x81\x80\x00\x00\x00\x00";
/// assert!(matches!(connection.receive(&mut read).poll_event(), Some(Event::Text(text)) if text.as_str() == ""));
/// ```
pub struct Hibernated {
    role: Role,
    delivery: Delivery,
    agreement: Agreement,
    config: Arc<Config>,
    entropy: Option<BoxEntropy>,
    paths: Paths,
    keepalive: Keepalive,
}

impl Connection {
    /// Whether nothing is under way: the state is open, no octet waits in either direction, no message is unfinished,
    /// no buffer is lent, and no event is to come.
    pub fn is_silent(&self) -> bool {
        self.receiver.is_silent() && self.sender.is_silent()
    }

    /// Gives up the room to work until there is work again.
    ///
    /// # Errors
    /// The connection comes back unless it [is silent](Self::is_silent).
    #[expect(clippy::result_large_err, reason = "it is what was handed over")]
    pub fn hibernate(self) -> Result<Hibernated, Self> {
        if !self.is_silent() {
            return Err(self);
        }
        let Self { receiver, sender, agreement, role, .. } = self;
        let (inward, delivery) = receiver.into_silent();
        let (config, entropy, outward, keepalive) = sender.into_silent();
        Ok(Hibernated { role, delivery, agreement, config, entropy, paths: (outward, inward), keepalive })
    }
}

impl Hibernated {
    /// The connection, as it was.
    pub fn wake(self) -> Connection {
        let Self { role, delivery, agreement, config, entropy, paths, keepalive } = self;
        let mut connection = Connection::with_paths(role, agreement, config, entropy, paths);
        connection.receiver.set_delivery(delivery);
        connection.sender.resume(keepalive);
        connection
    }

    /// When to [wake](Self::wake) it and call [`Connection::handle_timeout`], whatever arrives; see
    /// [`Connection::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.keepalive.poll()
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the opening handshake agreed on.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// How the connection behaves.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl fmt::Debug for Hibernated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hibernated")
            .field("role", &self.role)
            .field("agreement", &self.agreement)
            .finish_non_exhaustive()
    }
}
