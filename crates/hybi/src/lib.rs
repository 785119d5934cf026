//! The WebSocket protocol as a pure state machine: bytes in, events out, bytes out.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod agreement;
mod close;
mod config;
mod connection;
mod ending;
mod entropy;
mod error;
mod event;
mod message;
mod opcode;
mod recv;
mod role;
mod send;
mod state;
mod time;
pub mod utf8;
mod version;
pub mod wire;

#[cfg(feature = "handshake")]
pub mod extension;
#[cfg(feature = "handshake")]
pub mod handshake;
#[cfg(feature = "handshake")]
mod http;

pub use agreement::Agreement;
pub use close::{CloseCode, CloseFrame};
pub use config::{Automatic, Config, Delivery, Limits, Strictness, Timeouts, Water};
pub use connection::{Connection, Input, MessageWriter, Receiver, Reply, Sender, TransportAction};
pub use ending::{CloseCause, CloseInfo, Timeout};
pub use entropy::{BoxEntropy, Entropy};
#[cfg(feature = "handshake")]
pub use error::HandshakeError;
pub use error::{ProtocolError, SendError, UsageError};
pub use event::{Data, Event, Fragment, Text};
pub use message::{Kind, Message, NotUtf8, Payload, Utf8Bytes};
pub use opcode::Opcode;
pub use recv::{Decoder, Piece, Step};
pub use role::Role;
pub use send::Prepared;
pub use state::State;
pub use time::Instant;
pub use version::{Version, Versions};
