//! What the two sides agreed on before the first frame.

use alloc::boxed::Box;
use alloc::string::String;

use crate::close::{CloseCode, CloseFrame};
use crate::extension::Agreed;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
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
    extensions: Agreed,
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

    /// The same with permessage-deflate (RFC 7692), behind the extensions that are there.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[must_use]
    pub fn with_deflate(mut self, deflate: Deflate) -> Self {
        self.extensions.put_deflate(deflate);
        self
    }

    /// The same with these extensions, in place of those that are there: for a handshake that somebody else made,
    /// with what [`Extensions::answer`](crate::extension::Extensions::answer) or
    /// [`agree`](crate::extension::Extensions::agree) says is in force.
    #[must_use]
    pub fn with_extensions(mut self, agreed: Agreed) -> Self {
        self.extensions = agreed;
        self
    }

    /// permessage-deflate, if it was agreed on.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    pub fn deflate(&self) -> Option<&Deflate> {
        self.extensions.permessage_deflate()
    }

    /// The names of the extensions in force, in the order of the server's answer.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.extensions.names()
    }

    /// The same with what was agreed on about each.
    pub fn agreed(&self) -> &Agreed {
        &self.extensions
    }

    /// The close frame of a client that cannot do without extensions which the server did not agree to: code 1010,
    /// and as reason the names that are missing, as many as fit (RFC 6455 §7.4.1). `None`: they are all in force.
    ///
    /// ```
    /// # use hybi::{Agreement, Config, Connection};
    /// # let mut connection = Connection::client(Agreement::default(), Config::default(), |_: &mut [u8]| {});
    /// if let Some(frame) = connection.agreement().missing_extensions(&["x-sign"]) {
    ///     connection.close_with(Some(&frame))?;
    /// }
    /// assert!(connection.transmit().starts_with(b"\x88\x88"));
    /// # Ok::<(), hybi::UsageError>(())
    /// ```
    pub fn missing_extensions(&self, needed: &[&str]) -> Option<CloseFrame> {
        let mut missing =
            needed.iter().filter(|name| self.extensions().all(|agreed| agreed != **name)).peekable();
        missing.peek()?;
        let mut reason = String::new();
        for name in missing {
            let separator = if reason.is_empty() { "" } else { ", " };
            if reason.len() + separator.len() + name.len() <= CloseFrame::MAX_REASON {
                reason.extend([separator, name]);
            }
        }
        CloseFrame::new(CloseCode::MANDATORY_EXTENSION, &reason)
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
