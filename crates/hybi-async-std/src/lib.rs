//! WebSocket client and server for every runtime whose streams have the traits of futures-io: async-std, smol, and
//! others. async-std itself is discontinued and recommends smol; nothing in here depends on either. Pass a stream of
//! your runtime to [`accept`] or to [`Connector::handshake`], and it works.
//!
//! A server that sends back what it gets, on async-std:
//!
//! ```no_run
//! use async_std::{net::TcpListener, task};
//! use hybi_async_std::{Event, WithShutdown, accept};
//!
//! # async fn serve() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:9001").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     let stream = WithShutdown::new(stream, |stream| stream.shutdown(std::net::Shutdown::Write)); // of async-std
//!     task::spawn(async move {
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
//! # #[cfg(feature = "net")]
//! # async fn talk() -> Result<(), hybi_async_std::Error> {
//! use hybi_async_std::{CloseCode, connect};
//!
//! let (mut socket, _response) = connect("ws://127.0.0.1:9001/").await?; // the feature `net`
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
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `deflate` | yes | permessage-deflate, compressed by miniz_oxide |
//! | `zlib-rs` | no | permessage-deflate, compressed by zlib-rs |
//! | `net` | no | `connect` and `Listener`: sockets of async-net, which work on every runtime |
//! | `sink` | no | `Sink` of the futures crates for messages; `Stream` is always there |
//! | `tls` | no | TLS by rustls: `TlsAcceptor`, and `wss://` with [`Connector::with_tls`] |
//! | `tls-webpki-roots`, `tls-platform-roots` | no | `tls`, and whom `wss://` trusts |
//!
//! Deadlines are kept by futures-timer, which has a thread of its own, so they need no runtime either.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod connect;
#[cfg(not(feature = "net"))]
mod no_net;
mod runtime;
#[cfg(feature = "net")]
mod server;
mod shutdown;
mod stream;
mod tls;

pub use accept::accept;
#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub use connect::connect;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use futures_rustls::rustls;
pub use hybi_futures::{
    Accept, Answer, Broadcast, ClientId, ClientRequest, Clients, CloseCause, CloseCode, CloseFrame,
    CloseInfo, Config, ConnectError, ConnectGate, Data, Delivery, Error, Event, Fragment, Handle, Kind,
    Membership, Message, MessageWriter, Payload, Prepared, ProtocolError, Proxies, Proxy, RedirectError,
    Redirects, Request, Response, RoundTrip, Sender, ServerSettings, Slow, State, Stopped, SystemEntropy,
    Task, Text, UsageError,
};
pub use runtime::AsyncStd;
pub use shutdown::WithShutdown;
pub use stream::Stream;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::TlsAcceptor;

/// An open WebSocket.
pub type WebSocket<S> = hybi_futures::WebSocket<S, AsyncStd>;
/// The receiving half of one.
pub type Reader<S> = hybi_futures::Reader<S, AsyncStd>;
/// The sending half of one.
pub type Writer<S> = hybi_futures::Writer<S, AsyncStd>;
/// The payloads of one as `AsyncRead` and `AsyncWrite`.
pub type ByteStream<S> = hybi_futures::ByteStream<S, AsyncStd>;
/// Reads requests, with a configuration of one's own.
pub type Acceptor = hybi_futures::Acceptor<AsyncStd>;
/// Connects with a configuration of one's own.
pub type Connector = hybi_futures::Connector<AsyncStd>;
/// What arrived.
pub type Arrival<S> = hybi_futures::Arrival<S, AsyncStd>;
/// A good request that waits for an answer.
pub type Pending<S> = hybi_futures::Pending<S, AsyncStd>;
/// A request for something else that waits for an answer.
pub type PlainRequest<S> = hybi_futures::PlainRequest<S, AsyncStd>;

/// A whole server: listens on TCP or a Unix socket, and gives each connection that asks for something a task. It starts
/// none by itself; say how that is done on your runtime.
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_async_std::{Accept, Answer, Arrival, Clients, Event, Listener, Prepared, Slow, Stream, Task};
///
/// # async fn serve() -> std::io::Result<()> {
/// let listener = Listener::bind("127.0.0.1:9001").await?;
/// let stopper = listener.stopper(); // for whoever decides that it is over
/// let serving = smol::spawn(listener.run_with(|task: Task| smol::spawn(task).detach(), route));
/// // ..
/// stopper.stop(Duration::from_secs(10)).await;
/// serving.await;
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
#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub type Listener = hybi_futures::Listener<AsyncStd>;
/// Ends a [`Listener`].
#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub type Stopper = hybi_futures::Stopper<AsyncStd>;
