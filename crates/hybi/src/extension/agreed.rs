//! What was agreed on: which extensions, by which answers, in which order. Plain data: the transforms are made when a
//! connection is.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::deflating::{Deflating, Inflating};
use super::line::{InwardLine, InwardPath, OutwardLine, OutwardPath};
use super::offer::Offer;
use super::permessage_deflate::{Deflate, NAME};
use super::registry::Extension;
use super::transform::Rsv;
use super::try_box::TryBox;
use crate::opcode::Opcode;
use crate::role::Role;

/// The extensions that are in force, in the order of the answer. [`Extensions`](super::Extensions) makes it, and an
/// [`Agreement`](crate::Agreement) carries it to a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    deflate: Option<Deflate>,
    /// How many of the others stand before permessage-deflate.
    before: usize,
    others: Vec<Other>,
}

/// The two ways of messages through the extensions of a connection.
pub(crate) type Paths = (Option<TryBox<OutwardPath>>, Option<TryBox<InwardPath>>);

/// An extension of somebody else, and what was agreed on.
#[derive(Clone, Debug)]
struct Other {
    extension: Arc<dyn Extension>,
    answer: Offer,
}

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.extension, &other.extension) && self.answer == other.answer
    }
}

impl Eq for Other {}

#[cfg_attr(
    not(any(feature = "deflate", feature = "zlib-rs")),
    allow(
        dead_code,
        unreachable_code,
        unused_variables,
        reason = "without permessage-deflate it has no value"
    )
)]
impl Agreed {
    pub(super) fn push(&mut self, extension: Arc<dyn Extension>, answer: Offer) {
        self.others.push(Other { extension, answer });
    }

    /// Takes the place of what there is of permessage-deflate, or else the last.
    pub(crate) fn put_deflate(&mut self, deflate: Deflate) {
        if self.deflate.replace(deflate).is_none() {
            self.before = self.others.len();
        }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (before, behind) = self.others.split_at(self.before.min(self.others.len()));
        before
            .iter()
            .map(|other| other.extension.name())
            .chain(self.deflate.iter().map(|_| NAME))
            .chain(behind.iter().map(|other| other.extension.name()))
    }

    /// permessage-deflate, if that is among them.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
    pub fn permessage_deflate(&self) -> Option<&Deflate> {
        self.deflate.as_ref()
    }

    /// The reserved bits that belong to them.
    pub fn rsv(&self) -> Rsv {
        let deflate = if self.deflate.is_some() { Rsv::RSV1 } else { Rsv::NONE };
        self.others.iter().fold(deflate, |rsv, other| rsv.with(other.extension.rsv()))
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

    /// What messages pass in each direction, made anew. No context of permessage-deflate is allocated yet.
    ///
    /// A connection does this itself; here it is for whoever wants to see an extension work without one.
    pub fn lines(&self, role: Role) -> (OutwardLine, InwardLine) {
        let (mut outward, mut inward) = (OutwardLine::default(), InwardLine::default());
        for n in 0..=self.others.len() {
            if let Some(deflate) = self.deflate.as_ref().filter(|_| n == self.before) {
                outward.push(NAME, Rsv::RSV1, Box::new(Deflating::new(deflate.clone(), role)));
                inward.push(NAME, Rsv::RSV1, Box::new(Inflating::new(deflate, role)));
            }
            if let Some(Other { extension, answer }) = self.others.get(n) {
                let transforms = extension.transforms(role, answer);
                outward.push(extension.name(), extension.rsv(), transforms.outward);
                inward.push(extension.name(), extension.rsv(), transforms.inward);
            }
        }
        (outward, inward)
    }

    /// The same for a connection: nothing where nothing was agreed on, and permessage-deflate alone works piece by
    /// piece. `None` if there is no memory for them.
    pub(crate) fn paths(&self, role: Role) -> Option<Paths> {
        let (outward, inward) = match &self.deflate {
            _ if !self.others.is_empty() => {
                let (line, inward) = self.lines(role);
                (OutwardPath::Whole { line, held: Vec::new() }, InwardPath::Whole(inward))
            }
            Some(deflate) => {
                let outward = OutwardPath::Deflate(Deflating::new(deflate.clone(), role));
                (outward, InwardPath::Inflate(Inflating::new(deflate, role)))
            }
            None => return Some((None, None)),
        };
        Some((Some(TryBox::new(|| outward)?), Some(TryBox::new(|| inward)?)))
    }
}
