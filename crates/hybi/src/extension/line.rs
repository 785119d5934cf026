//! What was agreed on, in its order: outward as the answer says, inward reversed (RFC 6455 §9.1).
//!
//! Who calls: the handshake makes an [`Agreed`], the two lines of a connection take it apart, each its half.
//! permessage-deflate is an arm of an enum, an extension of somebody else a trait object.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use super::permessage_deflate::{self, DeflateConfig, Deflater, Inflater, Memory, Params};
use crate::message::Kind;
use crate::opcode::Opcode;
use crate::role::Role;

/// Reserved bits of a frame's header (RFC 6455 §5.2).
///
/// ```
/// use hybi::extension::Rsv;
/// let both = Rsv::RSV1.with(Rsv::RSV3);
/// assert!(both.contains(Rsv::RSV1) && both.overlaps(Rsv::RSV3) && !both.overlaps(Rsv::RSV2));
/// assert_eq!(both.bits(), 0b101);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rsv(u8);

impl Rsv {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// The first.
    pub const RSV1: Self = Self(4);
    /// The second.
    pub const RSV2: Self = Self(2);
    /// The third.
    pub const RSV3: Self = Self(1);

    /// Of a number as [`FrameHeader::rsv`](crate::wire::header::FrameHeader::rsv) gives it: RSV1 is 4, RSV2 is
    /// 2, RSV3 is 1.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 7)
    }

    /// The number.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// All of those are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Some of those are among these.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A message on its way through the extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transit {
    /// Text or binary.
    pub kind: Kind,
    /// The reserved bits of its first frame.
    pub rsv: Rsv,
    /// The payload.
    pub payload: Vec<u8>,
}

/// What an extension does to messages that are sent.
pub trait Outward: fmt::Debug + Send {
    /// Transforms a message, and sets the extension's own reserved bits if they have something to say.
    ///
    /// # Errors
    /// The message cannot be sent.
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError>;
}

/// What an extension does to messages that are received.
pub trait Inward: fmt::Debug + Send {
    /// Undoes what the peer's side of the extension did. The payload must not become longer than `limit`: stop
    /// before more is made, whatever the peer announced.
    ///
    /// # Errors
    /// The connection has to fail (RFC 6455 §7.1.7).
    fn inward(&mut self, message: &mut Transit, limit: usize) -> Result<(), TransformError>;
}

/// The two halves of an extension of a connection: they may be in the hands of two threads.
#[derive(Debug)]
pub struct Transforms {
    /// For what is sent.
    pub outward: Box<dyn Outward>,
    /// For what is received.
    pub inward: Box<dyn Inward>,
}

/// Why a message was not transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransformError {
    /// It is not what the extension defines.
    Invalid,
    /// It would become larger than the limit.
    TooBig,
    /// No memory.
    OutOfMemory,
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid payload",
            Self::TooBig => "message too big",
            Self::OutOfMemory => "out of memory",
        })
    }
}

impl core::error::Error for TransformError {}

/// An extension that failed on a message. No later message passes in that direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionFailed {
    /// The name of the extension.
    pub name: Box<str>,
    /// Why.
    pub error: TransformError,
}

impl fmt::Display for ExtensionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the extension {} failed: {}", self.name, self.error)
    }
}

impl core::error::Error for ExtensionFailed {}

/// The extensions that are in force, in the order of the answer.
#[derive(Debug, Default)]
pub struct Agreed {
    active: Vec<Active>,
}

#[derive(Debug)]
pub(super) enum Active {
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    PermessageDeflate {
        config: DeflateConfig,
        params: Params,
    },
    Other {
        name: Box<str>,
        rsv: Rsv,
        transforms: Transforms,
    },
}

impl Active {
    fn name(&self) -> &str {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate { .. } => permessage_deflate::NAME,
            Self::Other { name, .. } => name,
        }
    }

    fn rsv(&self) -> Rsv {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate { .. } => Rsv::RSV1,
            Self::Other { rsv, .. } => *rsv,
        }
    }
}

impl Agreed {
    /// permessage-deflate alone, agreed on by whoever made the handshake.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
    pub fn with_permessage_deflate(config: DeflateConfig, params: Params) -> Self {
        Self { active: Vec::from([Active::PermessageDeflate { config, params }]) }
    }

    pub(super) fn push(&mut self, active: Active) {
        self.active.push(active);
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.active.iter().map(Active::name)
    }

    /// The parameters of permessage-deflate, if that is among them.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
    pub fn permessage_deflate(&self) -> Option<Params> {
        self.active.iter().find_map(|active| match active {
            Active::PermessageDeflate { params, .. } => Some(*params),
            Active::Other { .. } => None,
        })
    }

    /// The reserved bits that belong to them.
    pub fn rsv(&self) -> Rsv {
        self.active.iter().fold(Rsv::NONE, |rsv, active| rsv.with(active.rsv()))
    }

    /// Whether a frame may have these bits: those of an agreed extension, on the first frame of a message (RFC
    /// 6455 §5.2, RFC 7692 §6.1).
    pub fn is_legal(&self, opcode: Opcode, rsv: Rsv) -> bool {
        let allowed = match opcode {
            Opcode::Text | Opcode::Binary => self.rsv(),
            _ => Rsv::NONE,
        };
        allowed.contains(rsv)
    }

    /// Takes it apart into a half for each direction. Allocates no context yet.
    #[cfg_attr(
        not(any(feature = "deflate", feature = "zlib-rs")),
        expect(unused_variables, reason = "only permessage-deflate has roles")
    )]
    pub fn into_lines(self, role: Role) -> (OutwardLine, InwardLine) {
        let (mut outward, mut inward) = (Vec::new(), Vec::new());
        for active in self.active {
            match active {
                #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
                Active::PermessageDeflate { config, params } => {
                    let receiving = Inflating::new(params, &config, role);
                    outward.push(OutwardStage::Deflate(Box::new(Deflating::new(params, config, role))));
                    inward.push(InwardStage::Inflate(Box::new(receiving)));
                }
                Active::Other { name, rsv, transforms } => {
                    outward.push(OutwardStage::Other(name.clone(), transforms.outward));
                    inward.push(InwardStage::Other(name, rsv, transforms.inward));
                }
            }
        }
        inward.reverse();
        (OutwardLine { stages: outward, failed: None }, InwardLine { stages: inward, failed: None })
    }
}

/// What messages that are sent pass through.
#[derive(Debug, Default)]
pub struct OutwardLine {
    stages: Vec<OutwardStage>,
    failed: Option<ExtensionFailed>,
}

#[derive(Debug)]
enum OutwardStage {
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    Deflate(Box<Deflating>),
    Other(Box<str>, Box<dyn Outward>),
}

impl OutwardLine {
    /// Messages pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
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
            let (name, result) = match stage {
                #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
                OutwardStage::Deflate(deflate) => (permessage_deflate::NAME, deflate.outward(message)),
                OutwardStage::Other(name, outward) => (&**name, outward.outward(message)),
            };
            if let Err(error) = result {
                let failed = ExtensionFailed { name: name.into(), error };
                self.failed = Some(failed.clone());
                return Err(failed);
            }
        }
        Ok(())
    }
}

/// What messages that are received pass through.
#[derive(Debug, Default)]
pub struct InwardLine {
    /// The last of the answer first.
    stages: Vec<InwardStage>,
    failed: Option<ExtensionFailed>,
}

#[derive(Debug)]
enum InwardStage {
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    Inflate(Box<Inflating>),
    Other(Box<str>, Rsv, Box<dyn Inward>),
}

impl InwardLine {
    /// Messages pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
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
        for stage in &mut self.stages {
            let (name, rsv, result) = match stage {
                #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
                InwardStage::Inflate(inflate) => {
                    (permessage_deflate::NAME, Rsv::RSV1, inflate.inward(message, limit))
                }
                InwardStage::Other(name, rsv, inward) => (&**name, *rsv, inward.inward(message, limit)),
            };
            let too_big = if message.payload.len() > limit { Err(TransformError::TooBig) } else { Ok(()) };
            if let Err(error) = result.and(too_big) {
                let failed = ExtensionFailed { name: name.into(), error };
                self.failed = Some(failed.clone());
                return Err(failed);
            }
            message.rsv = message.rsv.without(rsv);
        }
        Ok(())
    }
}

/// permessage-deflate as a stage: whole messages.
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[derive(Debug)]
struct Deflating {
    deflater: Deflater,
    config: DeflateConfig,
    takeover: bool,
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
impl Deflating {
    fn new(params: Params, config: DeflateConfig, role: Role) -> Self {
        Self { deflater: params.deflater(role, config.level), takeover: params.own_takeover(role), config }
    }

    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        if !self.config.compresses(message.payload.len(), self.takeover) {
            return Ok(());
        }
        let mut payload = Vec::new();
        self.deflater
            .deflate(&message.payload, &mut payload, true)
            .map_err(|_| TransformError::OutOfMemory)?;
        if self.config.memory == Memory::Shared {
            self.deflater.release();
        }
        message.payload = payload;
        message.rsv = message.rsv.with(Rsv::RSV1);
        Ok(())
    }
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[derive(Debug)]
struct Inflating {
    inflater: Inflater,
    memory: Memory,
}

#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
impl Inflating {
    fn new(params: Params, config: &DeflateConfig, role: Role) -> Self {
        Self { inflater: params.inflater(role), memory: config.memory }
    }

    fn inward(&mut self, message: &mut Transit, limit: usize) -> Result<(), TransformError> {
        use permessage_deflate::InflateError;
        if !message.rsv.contains(Rsv::RSV1) {
            return Ok(()); // not compressed (RFC 7692 §6)
        }
        let mut payload = Vec::new();
        self.inflater.finish(&message.payload, &mut payload, limit).map_err(|error| match error {
            InflateError::Corrupt => TransformError::Invalid,
            InflateError::TooBig => TransformError::TooBig,
            InflateError::OutOfMemory => TransformError::OutOfMemory,
        })?;
        if self.memory == Memory::Shared {
            self.inflater.release();
        }
        message.payload = payload;
        Ok(())
    }
}
