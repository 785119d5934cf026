//! What was agreed on together with our own settings: all that a connection needs to compress and inflate.

use alloc::sync::Arc;

use super::{DeflateConfig, Deflater, InflateError, Inflater, Memory, Params};
use crate::extension::TransformError;
use crate::role::Role;

/// permessage-deflate as it is in force on a connection. The opening handshake makes it; where somebody else
/// made the handshake, it goes into the [`Agreement`](crate::Agreement) by hand.
///
/// ```
/// use hybi::Agreement;
/// use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
/// let deflate = Deflate::new(DeflateConfig::default(), Params::default());
/// let agreement = Agreement::default().with_deflate(deflate);
/// # assert!(agreement.deflate().is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deflate {
    config: Arc<DeflateConfig>,
    params: Params,
}

impl Deflate {
    /// These parameters, with our level, threshold and use of memory.
    pub fn new(config: impl Into<Arc<DeflateConfig>>, params: Params) -> Self {
        Self { config: config.into(), params }
    }

    /// The parameters that both sides keep to.
    pub fn params(&self) -> &Params {
        &self.params
    }

    pub(crate) fn inflater(&self, role: Role) -> Inflater {
        self.params.inflater(role)
    }

    pub(crate) fn deflater(&self, role: Role) -> Deflater {
        self.params.deflater(role, self.config.level)
    }

    /// The bits of the window in which this role compresses.
    pub(crate) fn window(&self, role: Role) -> u8 {
        self.params.own_window_bits(role).get()
    }

    /// Whether to compress a message of so many octets, of which nobody has said more.
    pub(crate) fn compresses(&self, len: usize, role: Role) -> bool {
        self.config.compresses(len, self.params.own_takeover(role))
    }

    /// Whether memory is given back between messages where nothing is taken over.
    pub(crate) fn releases(&self) -> bool {
        self.config.memory == Memory::Shared
    }
}

impl From<InflateError> for TransformError {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::Corrupt => Self::Invalid,
            InflateError::TooBig => Self::TooBig,
            InflateError::OutOfMemory => Self::OutOfMemory,
        }
    }
}
