//! Compression on the way out: whether a message is compressed, and its octets if it is. RFC 7692 §7.2.1.

use alloc::vec::Vec;

use crate::error::UsageError;
use crate::extension::permessage_deflate::{Deflate, Deflater};
use crate::role::Role;

#[derive(Debug)]
pub(crate) struct Compressor {
    deflate: Deflate,
    role: Role,
    deflater: Deflater,
}

#[cfg_attr(
    not(any(feature = "deflate", feature = "zlib-rs")),
    allow(unreachable_code, unused_variables, reason = "without permessage-deflate its types have no value")
)]
impl Compressor {
    pub(crate) fn new(deflate: Deflate, role: Role) -> Self {
        let deflater = deflate.deflater(role);
        Self { deflate, role, deflater }
    }

    /// The bits of our window.
    pub(super) fn window(&self) -> u8 {
        self.deflate.window(self.role)
    }

    /// Whether to compress a message which has so many octets, or whose first fragment has: as the caller wishes,
    /// or else as the settings say.
    pub(super) fn wants(&self, len: usize, wish: Option<bool>) -> bool {
        wish.unwrap_or_else(|| self.deflate.compresses(len, self.role))
    }

    /// Compresses a message, or its next fragment.
    pub(super) fn compress(&mut self, payload: &[u8], last: bool) -> Result<Vec<u8>, UsageError> {
        let mut out = Vec::new();
        match self.deflater.deflate(payload, &mut out, last) {
            Ok(()) => {
                if last && self.deflate.releases() {
                    self.deflater.release();
                }
                Ok(out)
            }
            Err(_) => {
                self.restart();
                Err(UsageError::OutOfMemory)
            }
        }
    }

    /// Forgets what was compressed: it did not reach the peer, or something else did. What comes next refers to
    /// nothing, which every inflater understands.
    pub(super) fn restart(&mut self) {
        self.deflater = self.deflate.deflater(self.role);
    }
}
