//! Limits and abuse: what a peer may cost, what it is told when it asks for more, and what is left to the
//! application.
//!
//! Each limit is enforced before memory is committed, and each is finite unless it is told not to be. They
//! are fields of [`Config`]; the defaults are for the open Internet, and a server that knows its messages
//! should choose smaller ones.
//!
//! ```
//! use core::time::Duration;
//! use hybi::{Agreement, Config, Connection, Event, ProtocolError};
//!
//! let mut config = Config::default();
//! config.limits.message = 64 << 10; // our messages are small
//! config.timeouts.write_stall = Some(Duration::from_secs(30));
//! let mut connection = Connection::server(Agreement::default(), config);
//!
//! // A header that announces 1 MiB, and not one octet of it.
//! connection.receive_copy(b"\x82\xff\0\0\0\0\0\x10\0\0");
//! assert!(matches!(connection.poll_event(), Some(Event::Failed(ProtocolError::MessageTooBig))));
//! assert_eq!(connection.transmit()[..4], [0x88, 0x11, 0x03, 0xf1]); // 1009, and why
//! ```
//!
//! # Received
//!
//! | limit | default | what it is against | beyond it |
//! |---|---|---|---|
//! | [`Limits::message`] | 64 MiB | one message that fills the memory, in one frame or in many, compressed or not | 1009 |
//! | [`Limits::frame`] | 16 MiB | one frame that cannot be refused once it has begun | 1009 |
//! | [`Limits::fragments`] | 16,384 | a message that never ends | 1008 |
//! | [`Limits::empty_fragments`] | 4,096 in a row | work without octets | 1008 |
//! | [`Limits::pending_pongs`] | 16 | pings from a peer that does not read | a newer pong takes the place of the last |
//! | [`Limits::head_bytes`] | 16 KiB | a head that never ends | status 431; a client fails |
//! | [`Limits::head_fields`] | 100 | many small fields | status 431; a client fails |
//!
//! A frame or message is refused by its header, when the last octet of its length is in. A compressed message
//! is refused while it is inflated, so what it would become is never made. Control frames count for none of
//! these: they have 125 octets at most, by the protocol.
//!
//! Fragments are counted although they cost no memory of their own, because each costs a header's worth of
//! work. Honest peers stay far below.
//!
//! # Sent
//!
//! | mark | default | what it is for |
//! |---|---|---|
//! | [`Water::high`] | 256 KiB waiting | the application should wait: [`is_above_high_water`] |
//! | [`Water::low`] | 64 KiB waiting | it may go on: [`Event::Writable`] |
//! | [`Water::limit`] | 16 MiB waiting | nothing more is taken: [`UsageError::QueueFull`] |
//!
//! A peer that asks and never reads is stopped by the first if the application heeds it, and by the last if
//! not.
//!
//! # Time
//!
//! | timeout | default | what it is against | beyond it |
//! |---|---|---|---|
//! | [`Timeouts::handshake`] | 10 s | a connection that never says what it wants | status 408; a client fails |
//! | [`Timeouts::keepalive`], [`Timeouts::pong`] | off, 20 s | a peer that is gone and does not know it | dropped |
//! | [`Timeouts::idle`] | off | a peer that holds a connection and uses it for nothing | 1001 |
//! | [`Timeouts::write_stall`] | off | a peer that takes nothing of what it asked for | dropped |
//! | [`Timeouts::close`] | 30 s | a closing handshake that never ends | dropped |
//!
//! Deadlines pass when the caller says what time it is: see [`keepalive`](super::keepalive).
//!
//! # Work
//!
//! Work follows the octets received. The scanner of heads looks at each octet once, however the reads cut it;
//! headers are parsed from where they stopped; fragments are appended and never joined anew; the inflater has
//! a bound on the time for one octet. See the tests `src::http::head::each_octet_is_looked_at_once` and
//! `rfc7692::cost::the_work_for_an_octet_is_bounded`.
//!
//! What a peer can make a connection send: for a server never more than it sent, octet for octet (a ping has
//! at least six octets, its pong four less), and one close frame. A client masks, so its pong to an empty
//! ping has six octets for two.
//!
//! # What the application must still do
//!
//! - **Count connections**, and connections of one address. A limit per connection is no limit on their
//!   number.
//! - **Decide who may connect**: look at the origin, at who asks, at the path (see
//!   [`opening`](super::opening)).
//! - **Limit the rate** of messages, if a message costs it something. The core delivers as fast as it is
//!   asked to: an application that does not take the next event slows its peer down.
//! - **Stop sending above high water**, or drop what nobody waits for. A broadcast should skip who is behind.
//! - **Keep compression away from secrets** that stand beside text of others, on an encrypted transport
//!   ([`Payload::compressed`]).
//! - **Switch on** `write_stall`, and `keepalive` or `idle`, where peers are strangers: they are off by
//!   default because only the application knows what silence means.
//! - **Not trust what it received** more than any input. A message that is valid text is not valid anything
//!   else.
//!
//! [`Config`]: crate::Config
//! [`Limits::message`]: crate::Limits::message
//! [`Limits::frame`]: crate::Limits::frame
//! [`Limits::fragments`]: crate::Limits::fragments
//! [`Limits::empty_fragments`]: crate::Limits::empty_fragments
//! [`Limits::pending_pongs`]: crate::Limits::pending_pongs
//! [`Limits::head_bytes`]: crate::Limits::head_bytes
//! [`Limits::head_fields`]: crate::Limits::head_fields
//! [`Water::high`]: crate::Water::high
//! [`Water::low`]: crate::Water::low
//! [`Water::limit`]: crate::Water::limit
//! [`is_above_high_water`]: crate::Connection::is_above_high_water
//! [`Event::Writable`]: crate::Event::Writable
//! [`UsageError::QueueFull`]: crate::UsageError::QueueFull
//! [`Timeouts::handshake`]: crate::Timeouts::handshake
//! [`Timeouts::keepalive`]: crate::Timeouts::keepalive
//! [`Timeouts::pong`]: crate::Timeouts::pong
//! [`Timeouts::idle`]: crate::Timeouts::idle
//! [`Timeouts::write_stall`]: crate::Timeouts::write_stall
//! [`Timeouts::close`]: crate::Timeouts::close
//! [`Payload::compressed`]: crate::Payload::compressed
