//! permessage-deflate: messages go over the wire compressed (RFC 7692).
//!
//! | file | what |
//! |---|---|
//! | `params` | what each side may ask for, and what comes of it (§7.1) |
//! | `deflate` | messages to compressed payloads (§7.2.1) |
//! | `inflate` | compressed payloads to messages (§7.2.2) |
//! | `agreed` | what came of it, with our settings: what a connection keeps |
//!
//! Nothing here knows frames: that RSV1 marks the first frame of a compressed message (§6) is for the lines.

mod agreed;
mod deflate;
mod inflate;
mod params;

pub use agreed::Deflate;
pub use deflate::{DeflateError, Deflater};
pub use inflate::{InflateError, Inflater, Progress};
pub(crate) use params::NAME;
pub use params::{
    BadLevel, BadWindowBits, DeflateConfig, Level, Memory, Params, Takeover, UnacceptableAnswer, Window,
    WindowBits,
};
