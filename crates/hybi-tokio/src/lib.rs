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
//! A client:
//!
//! ```no_run
//! use hybi_tokio::{CloseCode, connect};
//!
//! # async fn talk() -> Result<(), hybi_tokio::Error> {
//! let (mut socket, _response) = connect("ws://127.0.0.1:9001/").await?;
//! socket.send("high water?").await?;
//! if let Some(message) = socket.recv_message().await {
//!     println!("{}", message.as_str().unwrap_or("(binary)"));
//! }
//! socket.close(CloseCode::NORMAL, "").await?;
//! while socket.recv().await.is_some() {} // until the server has answered
//! # Ok(())
//! # }
//! ```
//!
//! Three words have one meaning each. *To send* is to queue; *to transmit* is to hand queued octets to the
//! transport; *to flush* is to do so until nothing waits. What [`WebSocket::send`] takes is flushed when it
//! returns; what a lent [`Sender`] takes is flushed before the next wait.
//!
//! A runtime with its time driver on ([`enable_time`](https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html))
//! is needed as soon as a connection has a deadline, and by default the handshake has one.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
mod connect;
#[cfg(feature = "hyper")]
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
pub mod hyper;
mod runtime;
mod stream;
mod tls;

pub use accept::accept;
pub use connect::connect;
pub use hybi_futures::{
    Accept, Answer, ClientRequest, CloseCause, CloseCode, CloseFrame, CloseInfo, Config, ConnectError, Data,
    Delivery, Error, Event, Fragment, Handle, Kind, Message, MessageWriter, Payload, Prepared, ProtocolError,
    Proxies, Proxy, RedirectError, Redirects, Request, Response, RoundTrip, Sender, ServerSettings, State,
    SystemEntropy, Text, UsageError,
};
pub use runtime::Tokio;
pub use stream::Stream;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::TlsAcceptor;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tokio_rustls::rustls;

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
/// Connects with a configuration of one's own.
pub type Connector = hybi_futures::Connector<Tokio>;
/// What arrived.
pub type Arrival<S> = hybi_futures::Arrival<S, Tokio>;
/// A good request that waits for an answer.
pub type Pending<S> = hybi_futures::Pending<S, Tokio>;
/// A request for something else that waits for an answer.
pub type PlainRequest<S> = hybi_futures::PlainRequest<S, Tokio>;
