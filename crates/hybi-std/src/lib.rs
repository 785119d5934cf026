//! WebSocket client and server over blocking sockets: the [`hybi`] core, and a transport.
//!
//! A server that sends back what it gets, for one client at a time:
//!
//! ```no_run
//! use hybi_std::{Event, accept};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:9001")?;
//! for stream in listener.incoming() {
//!     let Ok(mut socket) = accept(stream?) else { continue };
//!     while let Some((event, sender)) = socket.recv_with() {
//!         let sent = match event {
//!             Event::Text(text) => sender.send(&text),
//!             Event::Binary(data) => sender.send(&data),
//!             _ => Ok(()),
//!         };
//!         if sent.is_err() {
//!             break;
//!         }
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A client:
//!
//! ```no_run
//! use hybi_std::{CloseCode, connect};
//!
//! let (mut socket, _response) = connect("ws://127.0.0.1:9001/")?;
//! socket.send("high water?")?;
//! if let Some(message) = socket.recv_message() {
//!     println!("{}", message.as_str().unwrap_or("(binary)"));
//! }
//! socket.close(CloseCode::NORMAL, "")?;
//! while socket.recv().is_some() {} // until the server has answered
//! # Ok::<(), hybi_std::Error>(())
//! ```
//!
//! # What there is
//!
//! | for | there is |
//! |---|---|
//! | `ws://`, `wss://`, `ws+unix:`, proxies, redirects | [`connect()`], [`Connector`] |
//! | one connection of a server | [`accept()`], [`Acceptor`]; `TlsAcceptor` before it |
//! | a whole server, an orderly stop, one message to many | [`Listener`], [`Clients`] |
//! | two threads, one for each direction | [`WebSocket::into_split`] |
//! | many threads that send | [`Handle`] |
//! | `Read` and `Write` | [`WebSocket::into_byte_stream`] |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `deflate` | yes | permessage-deflate, compressed by miniz_oxide |
//! | `zlib-rs` | no | permessage-deflate, compressed by zlib-rs |
//! | `tls` | no | TLS by rustls with ring: `Connector::with_tls`, `TlsAcceptor` |
//! | `tls-webpki-roots` | no | `tls`, and `wss://` trusts the authorities that Mozilla trusts |
//! | `tls-platform-roots` | no | `tls`, and `wss://` trusts what the operating system trusts; wins over the former |
//!
//! Without TLS an address with `wss://` is [`ConnectError::NoTls`], before anything is dialed.
//!
//! # Words
//!
//! Three words have one meaning each. *To send* is to queue; *to transmit* is to hand queued octets to the
//! transport; *to flush* is to do so until nothing waits. What [`WebSocket::send`] takes is flushed before it
//! returns; what a lent [`Sender`] takes is flushed before the next blocking read.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod connect;
mod dial;
mod error;
mod ping;
mod server;
mod split;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod turns;
mod websocket;

pub use accept::{Acceptor, Arrival, Pending, PlainRequest, accept};
pub use connect::{ConnectError, Connector, connect};
pub use dial::Stream;
pub use error::Error;
pub use hybi::handshake::{
    Accept, Answer, ClientRequest, Proxies, Proxy, RedirectError, Redirects, Request, Response,
    ServerSettings,
};
pub use hybi::{
    CloseCause, CloseCode, CloseFrame, CloseInfo, Config, Data, Delivery, Event, Fragment, Kind, Message,
    MessageWriter, Payload, Prepared, ProtocolError, Sender, State, SystemEntropy, Text, UsageError,
};
pub use ping::RoundTrip;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use rustls;
pub use server::{Broadcast, ClientId, Clients, Listener, Membership, Slow, Stopped, Stopper};
pub use split::{Handle, Reader, Writer};
pub use stream::{ByteReader, ByteStream, ByteWriter};
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::{TlsAcceptor, TlsStream};
pub use transport::{Plain, Transport};
pub use turns::ConnectGate;
pub use websocket::WebSocket;
