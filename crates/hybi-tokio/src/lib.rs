//! WebSocket client and server for tokio: the [`hybi`] core, bound to a runtime.
//!
//! A server that sends back what it gets:
//!
//! ```no_run
//! use hybi_tokio::{Event, accept};
//!
//! # async fn serve() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     tokio::spawn(async move {
//!         let Ok(mut socket) = accept(stream).await else { return };
//!         while let Some((event, sender)) = socket.recv_with().await {
//!             let sent = match event {
//!                 Event::Text(text) => sender.send(&text),
//!                 Event::Binary(data) => sender.send(&data),
//!                 _ => Ok(()),
//!             };
//!             if sent.is_err() {
//!                 break;
//!             }
//!         }
//!     });
//! }
//! # }
//! ```
//!
//! Three words have one meaning each. *To send* is to queue; *to transmit* is to hand queued octets to the
//! transport; *to flush* is to do so until nothing waits. What [`WebSocket::send`] takes is flushed when it
//! returns; what a lent [`Sender`] takes is flushed before the next wait.
//!
//! A runtime with its time driver on ([`enable_time`](https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html))
//! is needed as soon as a connection has a deadline, and by default the handshake has one.

mod accept;
mod runtime;

pub use accept::accept;
pub use hybi_futures::{
    Accept, Answer, ClientRequest, CloseCause, CloseCode, CloseFrame, CloseInfo, Config, ConnectError, Data,
    Delivery, Error, Event, Fragment, Handle, Kind, Message, MessageWriter, Payload, Prepared, ProtocolError,
    Request, Response, RoundTrip, Sender, State, SystemEntropy, Text, UsageError,
};
pub use runtime::Tokio;

/// An open WebSocket.
pub type WebSocket<S> = hybi_futures::WebSocket<S, Tokio>;
/// The receiving half of one.
pub type Reader<S> = hybi_futures::Reader<S, Tokio>;
/// The sending half of one.
pub type Writer<S> = hybi_futures::Writer<S, Tokio>;
/// The payloads of one as `AsyncRead` and `AsyncWrite`.
pub type ByteStream<S> = hybi_futures::ByteStream<S, Tokio>;
/// Reads requests, with a configuration of one's own.
pub type Acceptor = hybi_futures::Acceptor<Tokio>;
/// What arrived.
pub type Arrival<S> = hybi_futures::Arrival<S, Tokio>;
/// A good request that waits for an answer.
pub type Pending<S> = hybi_futures::Pending<S, Tokio>;
/// A request for something else that waits for an answer.
pub type PlainRequest<S> = hybi_futures::PlainRequest<S, Tokio>;
