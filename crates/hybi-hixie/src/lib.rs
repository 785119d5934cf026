//! The WebSocket drafts before HyBi, for servers: `draft-hixie-thewebsocketprotocol-75` and `-76` of 2010.
//!
//! **Use it for devices that cannot be changed any more, and for nothing else.** No browser has spoken these drafts for
//! more than ten years. They have text alone: no binary messages, no pings, no close codes, no fragments; nothing is
//! masked, so a page can make a browser write what it likes to whatever listens behind a proxy, and this was why the
//! drafts were given up. [`hybi`] knows nothing of them, which is why this is a crate of its own.
//!
//! Like [`hybi`] it has no socket and no clock. Give the octets of each new connection to a [`Server`]: it says
//! [`Event::Request`] if they are of one of these drafts, or else [`Event::Other`], and gives the octets back for
//! [`hybi::handshake::ServerHandshake`](https://docs.rs/hybi) or whoever else is there.
//!
//! ```
//! use hybi_hixie::{Accept, Event, Server, Settings};
//!
//! let mut server = Server::new(Settings::default());
//! let received = b"GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n\
//!     Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n^n:ds[4U";
//! assert_eq!(server.receive(received), received.len());
//!
//! let Some(Event::Request(request)) = server.poll_event() else { panic!("it is one") };
//! assert_eq!(request.origin(), Some("http://example.com")); // look at it: nothing else protects the server
//! server.accept(&Accept::default())?;
//! server.send("ahoy")?;
//!
//! // **As often as it has output: write some of it, say how much.**
//! assert!(server.transmit().ends_with(b"8jKS'y:G*Co,Wxa-\x00ahoy\xff"));
//! server.transmitted(server.transmit().len());
//!
//! assert_eq!(server.receive(b"\x00ack\xff\xff\x00"), 7);
//! assert_eq!(server.poll_event(), Some(Event::Text("ack".into())));
//! assert_eq!(server.poll_event(), Some(Event::Closed));
//! assert_eq!(server.transmit(), b"\xff\x00");
//! # Ok::<(), hybi_hixie::Error>(())
//! ```
//!
//! The RFC's own appendix has no word on these drafts; the rules here are those of the texts of the drafts, stricter
//! where they leave a choice: a number in a key above 32 bits is refused, and lengths are bounded.

#![no_std]

extern crate alloc;

mod frames;
mod request;
mod server;

pub use request::{Request, Version};
pub use server::{Accept, Error, Event, Server, Settings, State};
