//! The WebSocket protocol as a pure state machine: bytes in, events out, bytes out.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod agreement;
mod close;
mod config;
mod ending;
mod entropy;
mod error;
mod message;
mod opcode;
mod role;
mod time;
mod version;

#[cfg(feature = "handshake")]
pub mod extension;
#[cfg(feature = "handshake")]
pub mod handshake;
#[cfg(feature = "handshake")]
mod http;

pub use agreement::Agreement;
pub use close::{CloseCode, CloseFrame};
pub use config::{Automatic, Config, Delivery, Limits, Strictness, Timeouts, Water};
pub use ending::{CloseCause, CloseInfo, Timeout};
pub use entropy::{BoxEntropy, Entropy};
#[cfg(feature = "handshake")]
pub use error::HandshakeError;
pub use error::{ProtocolError, SendError, UsageError};
pub use message::{Kind, Message, NotUtf8, Payload, Utf8Bytes};
pub use opcode::Opcode;
pub use role::Role;
pub use time::Instant;
pub use version::{Version, Versions};
