//! The octets of frames: headers (RFC 6455 §5.2) and masking (§5.3). Pure functions, no state, no role:
//! which frame may come when is the business of `recv`.
//!
//! Public, because a masking kernel and a header codec are useful alone.

pub mod header;
pub mod mask;
