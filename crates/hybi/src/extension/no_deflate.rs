//! In the place of `permessage_deflate` where it is not built: types without a value, so that the lines need
//! not ask for the feature. Everything here is unreachable, and the compiler knows it.

use alloc::vec::Vec;

use crate::error::ProtocolError;
use crate::role::Role;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deflate {}

#[derive(Debug)]
pub(crate) enum Inflater {}

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
    pub(crate) fn inflate(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), ProtocolError> {
        match *self {}
    }
    pub(crate) fn finish(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), ProtocolError> {
        match *self {}
    }
    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

impl Deflater {
    pub(crate) fn deflate(&mut self, _: &[u8], _: &mut Vec<u8>, _: bool) -> Result<(), ProtocolError> {
        match *self {}
    }
    pub(crate) fn release(&mut self) {
        match *self {}
    }
}
