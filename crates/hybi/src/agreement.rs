//! What the two sides agreed on before the first frame.

use alloc::boxed::Box;

use crate::extension::permessage_deflate::Deflate;
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
    deflate: Option<Deflate>,
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

    /// The same with permessage-deflate (RFC 7692).
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[must_use]
    pub fn with_deflate(mut self, deflate: Deflate) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// permessage-deflate, if it was agreed on.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    pub fn deflate(&self) -> Option<&Deflate> {
        self.deflate.as_ref()
    }

    #[cfg(not(any(feature = "deflate", feature = "zlib-rs")))]
    pub(crate) fn deflate(&self) -> Option<&Deflate> {
        self.deflate.as_ref()
    }

    /// The names of the extensions in force, in the order of the server's answer.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.deflate.iter().map(|_| "permessage-deflate")
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
