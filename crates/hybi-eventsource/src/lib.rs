//! Server-sent events: a stream of texts to a browser that asks by `EventSource`, over plain HTTP.
//!
//! They go one way only, so they need no upgrade and pass every proxy; a browser that lost its stream comes back by
//! itself and says what it saw last. This crate makes the octets and keeps the time; like [`hybi`], it has no socket
//! and no clock.
//!
//! ```text
//! request ──▶ is_requested, last_event_id
//!                        │
//! Event, ping ──▶ EventStream ──▶ transmit ──▶ transport
//!                        ▲
//!              poll_timeout, handle_timeout
//! ```
//!
//! ```
//! use hybi_eventsource::{Event, EventStream, Settings};
//!
//! let mut stream = EventStream::new(Settings::default());
//! stream.send(&Event::new("up 0.3 %"))?;
//! stream.send(&Event::new("Breaking News!").with_type("notification").with_id("99"))?;
//!
//! // **As often as it has output: write some of it, say how much.**
//! let mut written = Vec::new();
//! while !stream.transmit().is_empty() {
//!     let n = stream.transmit().len().min(100); // what the transport took
//!     written.extend_from_slice(&stream.transmit()[..n]);
//!     stream.transmitted(n);
//! }
//! let written = String::from_utf8(written)?;
//! assert!(written.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
//! assert!(written.ends_with("data: up 0.3 %\n\nevent: notification\nid: 99\ndata: Breaking News!\n\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where an HTTP library writes the answer, give it [`Settings::fields`], begin the body with [`Settings::opening`],
//! and go on with [`Event::encode`] and [`PING`]; each has to be flushed, and nothing on the way may hold them back to
//! compress them.
//!
//! A stream is never the answer to somebody who should stay away: 401, 403 or 404 ends the attempts of a browser, and
//! so does [204](https://html.spec.whatwg.org/multipage/server-sent-events.html) for good.
//!
//! A section number with *HTML* in front is one of the HTML Living Standard.

#![no_std]

extern crate alloc;

mod event;
mod request;
mod settings;
mod stream;

pub use event::{Event, PING};
pub use request::{accepts, is_requested, last_event_id, url};
pub use settings::Settings;
pub use stream::{EventStream, SendError};
