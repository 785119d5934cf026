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
//!
//! # What there is
//!
//! | for | there is |
//! |---|---|
//! | `ws://`, `wss://`, `ws+unix:`, proxies, redirects | [`connect()`], [`Connector`] |
//! | one connection of a server | [`accept()`], [`Acceptor`]; `TlsAcceptor` before it |
//! | a whole server, an orderly stop, one message to many | [`Listener`], [`Clients`] |
//! | two tasks, one for each direction | [`WebSocket::into_split`] |
//! | many tasks that send | [`Handle`] |
//! | `AsyncRead` and `AsyncWrite` | [`WebSocket::into_byte_stream`] |
//! | the port of a web server | the modules `hyper` and `axum` |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `deflate` | yes | permessage-deflate, compressed by miniz_oxide |
//! | `zlib-rs` | no | permessage-deflate, compressed by zlib-rs |
//! | `sink` | no | `Sink` of the futures crates for messages; `Stream` is always there |
//! | `tls` | no | TLS by rustls with ring: `Connector::with_tls`, `TlsAcceptor` |
//! | `tls-webpki-roots` | no | `tls`, and `wss://` trusts the authorities that Mozilla trusts |
//! | `tls-platform-roots` | no | `tls`, and `wss://` trusts what the operating system trusts; wins over the former |
//! | `hyper` | no | upgrades of requests that hyper has read, over HTTP/1.1 and HTTP/2, and clients over HTTP/2 |
//! | `axum` | no | `hyper`, and an extractor for axum |

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
mod server;
mod stream;
mod tls;

pub use accept::accept;
pub use connect::connect;
pub use hybi_futures::{
    Accept, Answer, Broadcast, ClientId, ClientRequest, Clients, CloseCause, CloseCode, CloseFrame,
    CloseInfo, Config, ConnectError, ConnectGate, Data, Delivery, Error, Event, Fragment, Handle, Kind,
    Membership, Message, MessageWriter, Payload, Prepared, ProtocolError, Proxies, Proxy, RedirectError,
    Redirects, Request, Response, RoundTrip, Sender, ServerSettings, Slow, State, Stopped, SystemEntropy,
    Text, UsageError,
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

/// A whole server: listens on TCP or a Unix socket, and gives each connection that asks for something a task.
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_tokio::{Accept, Answer, Arrival, Clients, Event, Listener, Prepared, Slow, Stream};
///
/// # async fn serve() -> std::io::Result<()> {
/// let listener = Listener::bind("127.0.0.1:9001").await?;
/// let stopper = listener.stopper(); // for whoever decides that it is over
/// let serving = tokio::spawn(listener.run(route));
/// // ..
/// stopper.stop(Duration::from_secs(10)).await;
/// serving.await?;
/// # Ok(())
/// # }
///
/// async fn route(arrival: Arrival<Stream>, clients: Clients) {
///     let Arrival::Upgrade(pending) = arrival else { return };
///     println!("{:?} asks for {}", pending.get_ref().peer_addr(), pending.request().path());
///     let Ok(socket) = (match pending.request().path() {
///         "/chat" => pending.accept(Accept::new()).await,
///         _ => return drop(pending.reject(Answer::new(404)).await),
///     }) else {
///         return;
///     };
///     let (mut reader, writer) = socket.into_split();
///     let me = clients.join(writer.handle());
///     while let Some(event) = reader.recv().await {
///         if let Event::Text(text) = event {
///             let message = Prepared::new(&text);
///             clients.broadcast_except(me.id(), &message, Slow::Disconnect).await;
///         }
///     }
/// }
/// ```
pub type Listener = hybi_futures::Listener<Tokio>;
/// Ends a [`Listener`].
pub type Stopper = hybi_futures::Stopper<Tokio>;
