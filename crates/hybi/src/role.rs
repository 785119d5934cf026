//! Which end of the connection we are.
//!
//! Three rules of the protocol ask for the role, and no other: who masks (RFC 6455 §5.3), who ends the
//! transport first (§7.1.1), and who speaks first in the opening handshake (§4).

/// The end of the connection that the local side plays.
///
/// ```
/// use hybi::Role;
/// assert!(Role::Client.masks());
/// assert_eq!(Role::Client.peer(), Role::Server);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We made the connection: frames that we send are masked, frames that we receive are not.
    Client,
    /// We accepted the connection: frames that we receive are masked, frames that we send are not.
    Server,
}

impl Role {
    /// Whether this role masks the frames that it sends (RFC 6455 §5.1).
    #[inline]
    pub const fn masks(self) -> bool {
        matches!(self, Self::Client)
    }

    /// The role of the other end.
    #[inline]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
