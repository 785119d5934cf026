//! The order of operation: outward as the answer says, inward reversed (RFC 6455 §9.1).
//!
//! Who calls: the two lines of a connection, each its half. A message enters whole and leaves whole; where
//! permessage-deflate is all there is, it works on the pieces instead, and nothing is assembled for it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::deflating::{Deflating, Inflating};
use super::transform::{Inward, Outward, Rsv, TransformError, Transit};
use crate::error::ProtocolError;

/// An extension that failed on a message. No later message passes in that direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionFailed {
    /// The name of the extension.
    pub name: Arc<str>,
    /// Why.
    pub error: TransformError,
}

impl ExtensionFailed {
    /// What the peer is told, if what failed is a message of its.
    pub(crate) fn of_peer(&self) -> ProtocolError {
        self.error.of_peer(&self.name)
    }
}

impl fmt::Display for ExtensionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the extension {} failed: {}", self.name, self.error)
    }
}

impl core::error::Error for ExtensionFailed {}

/// What messages that are sent pass through.
#[derive(Debug, Default)]
pub struct OutwardLine {
    stages: Vec<Stage<dyn Outward>>,
    failed: Option<ExtensionFailed>,
}

/// What messages that are received pass through.
#[derive(Debug, Default)]
pub struct InwardLine {
    /// In the order of the answer, like the other; the last of them is passed first.
    stages: Vec<Stage<dyn Inward>>,
    failed: Option<ExtensionFailed>,
}

/// One extension, in one direction.
#[derive(Debug)]
struct Stage<T: ?Sized> {
    /// Shared with what says that it failed: that must not need memory.
    name: Arc<str>,
    rsv: Rsv,
    transform: Box<T>,
}

impl<T: ?Sized> Stage<T> {
    fn failed(&self, error: TransformError) -> ExtensionFailed {
        ExtensionFailed { name: self.name.clone(), error }
    }
}

impl OutwardLine {
    pub(super) fn push(&mut self, name: &str, rsv: Rsv, transform: Box<dyn Outward>) {
        self.stages.push(Stage { name: name.into(), rsv, transform });
    }

    /// Messages pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The extension that failed, if one has: nothing passes any more.
    pub fn failed(&self) -> Option<&ExtensionFailed> {
        self.failed.as_ref()
    }

    /// Lets a message pass.
    ///
    /// # Errors
    /// An extension failed, on this message or an earlier one.
    pub fn pass(&mut self, message: &mut Transit) -> Result<(), ExtensionFailed> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        for stage in &mut self.stages {
            let others = message.rsv.without(stage.rsv);
            if let Err(error) = stage.transform.outward(message) {
                return Err(self.failed.insert(stage.failed(error)).clone());
            }
            message.rsv = others.with(message.rsv.and(stage.rsv));
        }
        Ok(())
    }

    /// What passed last was not sent, for want of memory: the peer could not follow what comes after it.
    pub(crate) fn was_not_sent(&mut self) {
        self.failed = self.stages.last().map(|stage| stage.failed(TransformError::OutOfMemory));
    }
}

impl InwardLine {
    pub(super) fn push(&mut self, name: &str, rsv: Rsv, transform: Box<dyn Inward>) {
        self.stages.push(Stage { name: name.into(), rsv, transform });
    }

    /// Messages pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The extension that failed, if one has: nothing passes any more.
    pub fn failed(&self) -> Option<&ExtensionFailed> {
        self.failed.as_ref()
    }

    /// Lets a message pass that must not become longer than `limit`, in no stage. A stage that was passed has
    /// used up its reserved bits.
    ///
    /// # Errors
    /// An extension failed, on this message or an earlier one.
    pub fn pass(&mut self, message: &mut Transit, limit: usize) -> Result<(), ExtensionFailed> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        for stage in self.stages.iter_mut().rev() {
            let result = stage.transform.inward(message, limit);
            let too_big = if message.payload.len() > limit { Err(TransformError::TooBig) } else { Ok(()) };
            if let Err(error) = result.and(too_big) {
                return Err(self.failed.insert(stage.failed(error)).clone());
            }
            message.rsv = message.rsv.without(stage.rsv);
        }
        Ok(())
    }

    fn rsv(&self) -> Rsv {
        self.stages.iter().fold(Rsv::NONE, |rsv, stage| rsv.with(stage.rsv))
    }
}

/// The extensions of a connection, for what it sends.
#[derive(Debug)]
pub(crate) enum OutwardPath {
    /// permessage-deflate and nothing else.
    Deflate(Deflating),
    /// Any others: whole messages.
    Whole {
        line: OutwardLine,
        /// What was written of a message that is not finished.
        held: Vec<u8>,
    },
}

/// The extensions of a connection, for what it receives.
#[derive(Debug)]
pub(crate) enum InwardPath {
    /// permessage-deflate and nothing else.
    Inflate(Inflating),
    /// Any others: whole messages.
    Whole(InwardLine),
}

impl InwardPath {
    /// The reserved bits that have a meaning.
    pub(crate) fn rsv(&self) -> Rsv {
        match self {
            Self::Inflate(_) => Rsv::RSV1,
            Self::Whole(line) => line.rsv(),
        }
    }
}
