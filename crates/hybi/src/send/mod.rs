//! The outward line: messages in, octets out. RFC 6455 §5, §6.1.
//!
//! ```text
//! message ──▶ control ──▶ frame ──▶ queue ──▶ transport
//!  kind, fragments  pongs, close    header, mask    segments
//! ```
//!
//! [`Line`] knows neither events, nor time, nor the line in the other direction. Whether a frame may be sent
//! in the state in which the connection is, is asked by `connection`.

mod control;
mod frame;
mod keys;
mod message;
mod queue;

pub use message::Prepared;
pub(crate) use message::{Lent, Line};
