//! Keepalive and time: a clock that is a number, one next deadline, and what is noticed by it.
//!
//! # The clock
//!
//! The core reads no clock. An [`Instant`] is nanoseconds since whatever the caller calls zero, and only
//! [`handle_timeout`] takes one. So a test can jump, a simulation can run a year in a second, and a machine
//! without an operating system can count its ticks.
//!
//! With the standard library:
//!
//! ```
//! let start = std::time::Instant::now();
//! let nanos = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
//! let now = || hybi::Instant::from_nanos(nanos());
//! assert!(now() >= hybi::Instant::ZERO);
//! ```
//!
//! # One deadline
//!
//! [`poll_timeout`] is the earliest of all deadlines, or `None`. Wait for input until then; call
//! [`handle_timeout`] with the time when it has passed; drain; ask again. [`Instant::ZERO`] means now:
//! something has begun whose end depends on what time it is, and the connection cannot know that by itself.
//! To call it early, late or twice does no harm.
//!
//! ```
//! use core::time::Duration;
//! use hybi::{Agreement, CloseCause, Config, Connection, Event, Instant, Timeout};
//!
//! let mut config = Config::default();
//! config.timeouts.keepalive = Some(Duration::from_secs(30));
//! config.timeouts.pong = Some(Duration::from_secs(20));
//! let mut connection = Connection::server(Agreement::default(), config);
//!
//! let start = Instant::from_nanos(5_000);
//! assert_eq!(connection.poll_timeout(), Some(Instant::ZERO)); // what time is it?
//! connection.handle_timeout(start);
//! assert_eq!(connection.poll_timeout(), Some(start + Duration::from_secs(30)));
//!
//! connection.handle_timeout(start + Duration::from_secs(30));
//! assert_eq!(connection.transmit(), b"\x89\x011"); // a ping whose payload is its number
//! connection.transmitted(3);
//! assert_eq!(connection.poll_timeout(), Some(start + Duration::from_secs(50)));
//!
//! // Nothing comes: no pong, no message, not an octet.
//! connection.handle_timeout(start + Duration::from_secs(50));
//! let Some(Event::Closed(info)) = connection.poll_event() else { panic!() };
//! assert_eq!(info.cause(), &CloseCause::TimedOut(Timeout::Pong));
//! ```
//!
//! # What counts as life
//!
//! Any octet that arrives, not only the pong: a peer that is in the middle of a long message cannot answer
//! before the message ends. Output that the transport takes while more of it waits counts too, because the
//! ping may be what waits.
//!
//! Received octets set a mark and nothing else, so the path of the data asks no clock. The price: `idle` and
//! `write_stall` pass between once and twice their time after the last sign.
//!
//! # Which to use
//!
//! | you want | use |
//! |---|---|
//! | to notice a peer whose cable was pulled | [`Timeouts::keepalive`] with [`Timeouts::pong`] |
//! | to keep a proxy or a router from forgetting the connection | [`Timeouts::keepalive`], a little shorter than its patience |
//! | to be rid of clients that say nothing | [`Timeouts::idle`]; a peer that only listens has to answer pings then |
//! | to be rid of clients that do not read | [`Timeouts::write_stall`] |
//! | the round-trip time | [`ping`] with a payload of your own, and the [`Event::Pong`] that has it |
//!
//! Pings go out each interval, whether data flows or not: it is simple to understand, and a ping is two or
//! three octets. Browsers answer pings by themselves and cannot send any.
//!
//! # Latecomers
//!
//! A process that was stopped for an hour sends one ping when it goes on, not all that it missed; but its
//! deadlines have passed. Take what arrived before telling the time, then a peer that was alive counts as
//! alive.
//!
//! [`Instant`]: crate::Instant
//! [`Instant::ZERO`]: crate::Instant::ZERO
//! [`handle_timeout`]: crate::Connection::handle_timeout
//! [`poll_timeout`]: crate::Connection::poll_timeout
//! [`ping`]: crate::Connection::ping
//! [`Event::Pong`]: crate::Event::Pong
//! [`Timeouts::keepalive`]: crate::Timeouts::keepalive
//! [`Timeouts::pong`]: crate::Timeouts::pong
//! [`Timeouts::idle`]: crate::Timeouts::idle
//! [`Timeouts::write_stall`]: crate::Timeouts::write_stall
