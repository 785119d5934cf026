//! What the two sides agreed on before the first frame.

use alloc::boxed::Box;

use crate::version::Version;

/// The outcome of an opening handshake. `Agreement::default()` is version 13, no subprotocol, no
/// extension: all that is needed to run a connection whose handshake somebody else made.
///
/// ```
/// use hybi::Agreement;
/// let agreement = Agreement::default().with_subprotocol("chat");
/// assert_eq!(agreement.subprotocol(), Some("chat"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    version: Version,
    subprotocol: Option<Box<str>>,
}

impl Agreement {
    /// The same with another version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// The same with a subprotocol.
    #[must_use]
    pub fn with_subprotocol(mut self, name: &str) -> Self {
        self.subprotocol = Some(name.into());
        self
    }

    /// The version of the protocol.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The subprotocol, if one was chosen (RFC 6455 §1.9).
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }
}
