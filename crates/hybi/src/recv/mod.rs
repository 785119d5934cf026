//! The inward line: octets in, outcomes out. RFC 6455 §5 and §6.2.
//!
//! ```text
//! frame ──▶ sequence ──▶ message ──▶ Outcome
//!  header    which frame    unmask, validate, join
//!            may come now
//! ```
//!
//! [`Decoder`] is `frame` and `sequence`: it works on memory of the caller and allocates nothing. [`Line`]
//! adds what has to be kept: the beginning of a header that was cut, and messages in several pieces.
//! Neither knows events, time, or the line in the other direction; `connection` calls them.

mod buffer;
mod control;
mod frame;
mod message;
mod sequence;

pub use frame::{Decoder, Piece, Step};
pub(crate) use message::{Lend, Line, Outcome, Place, What};
