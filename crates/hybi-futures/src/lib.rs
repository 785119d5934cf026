//! What asynchronous adapters of [`hybi`] share: everything but the runtime.
//!
//! Applications use an adapter, `hybi-tokio` for one, which binds this to its runtime by three traits and gives the
//! types their short names: [`Runtime`] (a clock and a timer), [`Io`] (reading and writing a stream), [`Dial`] (making
//! one).
//!
//! ```text
//!   application ── WebSocket, Reader, Writer, Handle, ByteStream ──┐
//!                                                                  ├── wire: read once, transmit, end, look at the time
//!                  Acceptor, Connector ────────────────────────────┘         │
//!   adapter ────── impl Runtime, impl Io<S> ─────────────────────────────────┘
//! ```
//!
//! There is no protocol in here, and no state in a future: each `async fn` calls a `poll_..` method until it is ready,
//! so each may be dropped at any time. What it left undone is done by the next call.
//!
//! While a connection waits it holds no buffer: reads go to one of a few buffers of the thread, lent to the connection
//! until what they brought was taken. And where nothing is under way it [hibernates](hybi::Connection::hibernate): room
//! to work in is lent to it in the same way.
//!
//! # Features
//!
//! None is on by default: an adapter switches on what it offers.
//!
//! | feature | what it adds |
//! |---|---|
//! | `deflate`, `zlib-rs` | permessage-deflate, compressed by miniz_oxide or by zlib-rs |
//! | `tls`, `tls-webpki-roots`, `tls-platform-roots` | what TLS needs besides the streams of a runtime, and whom it trusts |
//! | `sink` | `Sink` of the futures crates for messages |
//! | `tokio`, `futures-io` | whose traits of reading and writing a [`ByteStream`] has |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
pub mod adapter;
mod bell;
mod clients;
mod connect;
mod error;
mod gate;
mod link;
mod round_trip;
mod runtime;
mod scratch;
mod server;
#[cfg(feature = "sink")]
mod sink;
mod split;
mod stream;
mod sync;
mod turns;
mod websocket;
mod wire;

pub use accept::{Acceptor, Arrival, Pending, PlainRequest};
pub use clients::{Broadcast, ClientId, Clients, Membership, Slow};
pub use connect::Connector;
pub use error::{ConnectError, Error};
pub use hybi::handshake::{
    Accept, Answer, ClientRequest, Proxies, Proxy, RedirectError, Redirects, Request, Response,
    ServerSettings,
};
pub use hybi::{
    CloseCause, CloseCode, CloseFrame, CloseInfo, Config, Data, Delivery, Event, Fragment, Kind, Message,
    MessageWriter, Payload, Prepared, ProtocolError, Sender, State, SystemEntropy, Text, UsageError,
};
pub use round_trip::RoundTrip;
pub use runtime::{Dial, Io, Listen, Runtime, Spawn};
pub use server::{Listener, Stopped, Stopper, Task};
pub use split::{Handle, Reader, Writer};
pub use stream::ByteStream;
pub use turns::{Admission, ConnectGate};
pub use websocket::WebSocket;
