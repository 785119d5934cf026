//! The two halves of permessage-deflate on a connection: what to compress, and how contexts are kept. RFC 7692 §7.2.
//!
//! A connection that agreed on nothing else calls them piece by piece; beside other extensions they are
//! [`Outward`] and [`Inward`] like any, and see whole messages.

use alloc::vec::Vec;

use super::permessage_deflate::{Deflate, Deflater, Inflater};
use super::transform::{Inward, Outward, Rsv, TransformError, Transit};
use crate::role::Role;

/// For what is sent.
#[derive(Debug)]
pub(crate) struct Deflating {
    deflate: Deflate,
    role: Role,
    deflater: Deflater,
}

#[cfg_attr(
    not(any(feature = "deflate", feature = "zlib-rs")),
    allow(unreachable_code, unused_variables, reason = "without permessage-deflate its types have no value")
)]
impl Deflating {
    pub(crate) fn new(deflate: Deflate, role: Role) -> Self {
        let deflater = deflate.deflater(role);
        Self { deflate, role, deflater }
    }

    /// The bits of our window.
    pub(crate) fn window(&self) -> u8 {
        self.deflate.window(self.role)
    }

    /// Whether to compress a message which has so many octets, or whose first fragment has: as the caller wishes,
    /// or else as the settings say.
    pub(crate) fn wants(&self, len: usize, wish: Option<bool>) -> bool {
        wish.unwrap_or_else(|| self.deflate.compresses(len, self.role))
    }

    /// Compresses a message, or its next fragment.
    pub(crate) fn deflate(&mut self, payload: &[u8], last: bool) -> Result<Vec<u8>, TransformError> {
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
                Err(TransformError::OutOfMemory)
            }
        }
    }

    /// Forgets what was compressed: it did not reach the peer, or something else did. What comes next refers to
    /// nothing, which every inflater understands.
    pub(crate) fn restart(&mut self) {
        self.deflater = self.deflate.deflater(self.role);
    }
}

impl Outward for Deflating {
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        if self.wants(message.payload.len(), message.compress) {
            message.payload = self.deflate(&message.payload, true)?;
            message.rsv = message.rsv.with(Rsv::RSV1);
        }
        Ok(())
    }
}

/// For what is received.
#[derive(Debug)]
pub(crate) struct Inflating {
    inflater: Inflater,
    /// Whether memory is given back between messages, where nothing is taken over.
    releases: bool,
}

impl Inflating {
    pub(crate) fn new(deflate: &Deflate, role: Role) -> Self {
        Self { releases: deflate.releases(), inflater: deflate.inflater(role) }
    }

    /// Inflates a message, or its next piece, behind what is there: at most so many octets of it.
    pub(crate) fn inflate(
        &mut self,
        payload: &[u8],
        last: bool,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), TransformError> {
        if !last {
            return Ok(self.inflater.inflate(payload, out, limit)?);
        }
        self.inflater.finish(payload, out, limit)?;
        if self.releases {
            self.inflater.release();
        }
        Ok(())
    }
}

impl Inward for Inflating {
    fn inward(&mut self, message: &mut Transit, limit: usize) -> Result<(), TransformError> {
        if message.rsv.contains(Rsv::RSV1) {
            let compressed = core::mem::take(&mut message.payload);
            self.inflate(&compressed, true, &mut message.payload, limit)?;
        }
        Ok(()) // what has not the bit is not compressed (RFC 7692 §6)
    }
}
