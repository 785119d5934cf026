//! The WebSocket protocol as a pure state machine: bytes in, events out; bytes out when asked. RFC 6455.
//!
//! No socket, no clock, no runtime, no randomness of its own, no lock, no thread; `no_std` with `alloc`.
//! Whoever has a transport can drive a [`Connection`]: an event loop, a game loop, a simulation, a test. For
//! blocking sockets the crate `hybi-std` does, for tokio `hybi-tokio`, for other runtimes `hybi-async-std`.
//!
//! # The run loop
//!
//! **After any *in* or *say*, drain *out* until each answers nothing; then wait.**
//!
//! ```text
//!              ┌─────────────────────── in ───────────────────────┐
//!   transport ─┤ recv_space, received │ receive │ receive_eof      │
//!   clock     ─┤ handle_timeout                                    ├──▶ Connection
//!              ├─────────────────────── say ──────────────────────┤
//! application ─┤ send  ping  close  abort ..                       │
//!              └───────────────────────────────────────────────────┘
//!              ┌─────────────────────── out ──────────────────────┐
//! application ◀┤ poll_event            until None                  │
//!   transport ◀┤ transmit, transmitted until empty                 ├─── Connection
//!   transport ◀┤ transport_action      ShutdownWrite, Close        │
//!   clock     ◀┤ poll_timeout          the next deadline           │
//!              └───────────────────────────────────────────────────┘
//! ```
//!
//! Both ends in one program, with arrays for a network:
//!
//! ```
//! use hybi::{Agreement, CloseCode, Config, Connection, Event, TransportAction};
//!
//! # fn entropy(out: &mut [u8]) { out.fill(7) } // the operating system's, in earnest
//! let mut client = Connection::client(Agreement::default(), Config::default(), entropy);
//! let mut server = Connection::server(Agreement::default(), Config::default());
//!
//! client.send("high water?")?; // say: it is queued
//! let mut wire = client.transmit().to_vec(); // out: for the transport
//! client.transmitted(wire.len());
//!
//! let mut input = server.receive(&mut wire); // in: lent to the server, unmasked in place
//! while let Some((event, sender)) = input.poll_event_with() {
//!     match event {
//!         Event::Text(text) if text.as_str() == "high water?" => sender.send("at four")?,
//!         Event::Closed(info) => println!("over: {}", info.code()),
//!         _ => {}
//!     }
//! }
//! drop(input);
//!
//! client.receive_copy(server.transmit()); // in, as a copy
//! assert!(matches!(client.poll_event(), Some(Event::Text(text)) if text.as_str() == "at four"));
//!
//! client.close(CloseCode::NORMAL, "thanks")?;
//! assert_eq!(client.transport_action(), TransportAction::None); // first the server answers
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! # Where things are
//!
//! | you want | look at |
//! |---|---|
//! | to embed the core, step by step | [`manual`] |
//! | a connection | [`Connection`], [`Event`], [`Config`] |
//! | the opening handshake, or one that an HTTP library has parsed | [`handshake`] |
//! | two threads or tasks, one for each direction | [`Connection::into_split`], [`Receiver`], [`Sender`] |
//! | frames in memory of your own, without allocation | [`Decoder`] |
//! | to send one message to many | [`Prepared`] |
//! | messages larger than memory | [`Delivery::Fragments`], [`MessageWriter`] |
//! | to send large payloads without a copy | [`Connection::send_message`], [`Sender::send_lent`], [`Sender::send_lent_mut`] |
//! | headers and masking alone | [`wire`] |
//! | UTF-8 that stops inside a character | [`utf8`] |
//!
//! Whoever reads the source goes on with `connection/mod.rs`. From there a received byte meets each file once:
//! `connection/input`, `connection/receiver`, `recv/message`, `recv/frame`, `wire/header`, `recv/sequence`,
//! `wire/mask`, `utf8`, `event`. What each does with it stands in `docs/architecture.md`.
//!
//! # Words
//!
//! *To send* is to queue. *To transmit* is to hand queued octets to the transport. *To fail* the connection is
//! what RFC 6455 §7.1.7 says: the peer broke a rule, and is told so. Errors of the peer are events; errors of
//! the caller are results ([`UsageError`]).
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | run-time detection of processor features in dependencies |
//! | `handshake` | yes | the opening handshake: httparse, sha1, base64 |
//! | `deflate` | yes | permessage-deflate: compression by miniz_oxide, which is safe Rust and needs no std |
//! | `zlib-rs` | no | permessage-deflate: compression by zlib-rs, which is faster; it wins over `deflate` |
//! | `system-entropy` | no | `SystemEntropy`, for whoever has an operating system: getrandom. The adapters switch it on |
//!
//! Features add, and never change behaviour.

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
pub mod extension;
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
#[cfg_attr(docsrs, doc(cfg(feature = "handshake")))]
pub mod handshake;
mod http;

#[cfg(any(doc, doctest))]
pub mod manual;

pub use agreement::Agreement;
pub use close::{CloseCode, CloseFrame};
pub use config::{Automatic, Config, Delivery, Limits, Strictness, Timeouts, Water};
pub use connection::{
    Connection, Hibernated, Input, MessageWriter, Outgoing, Receiver, Reply, Sender, TransportAction,
};
pub use ending::{CloseCause, CloseInfo, Timeout};
#[cfg(feature = "system-entropy")]
#[cfg_attr(docsrs, doc(cfg(feature = "system-entropy")))]
pub use entropy::SystemEntropy;
pub use entropy::{BoxEntropy, Entropy};
#[cfg(feature = "handshake")]
pub use error::HandshakeError;
pub use error::{ProtocolError, SendError, UsageError};
pub use event::{Data, Event, Fragment, Text};
pub use message::{Kind, Message, NotUtf8, Payload, PayloadMut, Utf8Bytes};
pub use opcode::Opcode;
pub use recv::{Decoder, Piece, Step};
pub use role::Role;
pub use send::Prepared;
pub use state::State;
pub use time::Instant;
pub use version::{Version, Versions};
