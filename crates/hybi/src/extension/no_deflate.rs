//! In the place of `permessage_deflate` where it is not built: types without a value, so that the lines need
//! not ask for the feature. Everything here is unreachable, and the compiler knows it.

use alloc::vec::Vec;

use super::transform::TransformError;
use crate::role::Role;

/// The name of the extension (RFC 7692 §7).
pub(crate) const NAME: &str = "permessage-deflate";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deflate {}

#[derive(Debug)]
pub(crate) enum Inflater {}

#[derive(Debug)]
pub(crate) enum InflateError {}

#[derive(Debug)]
pub(crate) enum Deflater {}

impl Deflate {
    pub(crate) fn inflater(&self, _: Role) -> Inflater {
        match *self {}
    }
    pub(crate) fn deflater(&self, _: Role) -> Deflater {
        match *self {}
    }
    pub(crate) fn window(&self, _: Role) -> u8 {
        match *self {}
    }
    pub(crate) fn compresses(&self, _: usize, _: Role) -> bool {
        match *self {}
    }
    pub(crate) fn releases(&self) -> bool {
        match *self {}
    }
}

impl Inflater {
    pub(crate) fn inflate(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), InflateError> {
        match *self {}
    }
    pub(crate) fn finish(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), InflateError> {
        match *self {}
    }
    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

impl Deflater {
    pub(crate) fn deflate(&mut self, _: &[u8], _: &mut Vec<u8>, _: bool) -> Result<(), TransformError> {
        match *self {}
    }
    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

impl From<InflateError> for TransformError {
    fn from(error: InflateError) -> Self {
        match error {}
    }
}
