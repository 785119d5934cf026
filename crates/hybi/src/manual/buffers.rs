//! Buffers: whose memory octets arrive in, what moves when, and what a connection holds.
//!
//! # Four ways in
//!
//! | way | calls | whose memory | for |
//! |---|---|---|---|
//! | lent | [`Connection::receive`] | the caller's | an event loop with many connections: one scratch buffer serves them all |
//! | own | [`Connection::recv_space`], [`Connection::received`] | the connection's | large messages; a read that has to have its memory before it waits |
//! | own, for a while | [`Connection::lend_buffer`], then as above; [`Connection::reclaim_buffer`] | the caller's, until it is taken back | an asynchronous adapter: a few buffers serve all connections, and events may be waited for |
//! | copied | [`Connection::receive_copy`] | the connection's, filled by a copy | a transport that shows octets it will not let be changed; tests |
//!
//! One set of rules stands behind all of them, and they can be mixed from read to read.
//!
//! One scratch buffer for two connections. Events come straight out of it, unmasked where they lie:
//!
//! ```
//! use hybi::{Agreement, Config, Connection, Event};
//! use std::sync::Arc;
//!
//! let config = Arc::new(Config::default()); // shared as well
//! let mut connections =
//!     [0, 1].map(|_| Connection::server(Agreement::default(), config.clone()));
//! let mut scratch = [0; 16 * 1024];
//!
//! for connection in &mut connections {
//!     // What a read from this connection's socket would bring: "Hello" in a masked frame.
//!     let n = 11;
//!     scratch[..n].copy_from_slice(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
//!
//!     let mut input = connection.receive(&mut scratch[..n]);
//!     while let Some(event) = input.poll_event() {
//!         assert!(matches!(event, Event::Text(text) if text.as_str() == "Hello"));
//!     }
//! } // the scratch buffer is free again, and neither connection holds a buffer
//! ```
//!
//! Own memory. While 16 KiB or more of a payload are still to come,
//! [`recv_space`](crate::Connection::recv_space) is the place where the message will be handed over, so the
//! transport writes each octet where it stays:
//!
//! ```
//! use hybi::{Agreement, Config, Connection, Event};
//!
//! # fn entropy(out: &mut [u8]) { out.fill(7) }
//! let mut connection = Connection::client(Agreement::default(), Config::default(), entropy);
//! let mut frame = b"\x82\x7f\0\0\0\0\0\x01\x86\xa0".to_vec(); // binary, 100,000 octets
//! frame.resize(frame.len() + 100_000, 7);
//!
//! let mut wire = &frame[..];
//! let mut len = 0;
//! while !wire.is_empty() {
//!     let space = connection.recv_space(); // empty would mean: take the events first
//!     let n = space.len().min(wire.len());
//!     space[..n].copy_from_slice(&wire[..n]); // `socket.read(space)`, in earnest
//!     wire = &wire[n..];
//!     connection.received(n);
//!     while let Some(event) = connection.poll_event() {
//!         if let Event::Binary(data) = event {
//!             len = data.into_bytes().len(); // handed over, not copied
//!         }
//!     }
//! }
//! assert_eq!(len, 100_000);
//! ```
//!
//! Own memory for a while. The connection keeps the buffer as long as events may lie in it, also across a
//! wait; when there is nothing left to take, it is taken back and serves the next connection:
//!
//! ```
//! use hybi::{Agreement, Config, Connection, Event};
//!
//! let mut spare = Some(vec![0; 16 * 1024]);
//! let mut connection = Connection::server(Agreement::default(), Config::default());
//! if let Some(buffer) = spare.take() {
//!     spare = connection.lend_buffer(buffer).err(); // it comes back if something waits
//! }
//! connection.recv_space()[..6].copy_from_slice(b"\x89\x80\0\0\0\0"); // a read: a ping
//! connection.received(6);
//! while let Some(event) = connection.poll_event() {
//!     assert!(matches!(event, Event::Ping(b"")));
//! }
//! spare = spare.or(connection.reclaim_buffer());
//! assert!(spare.is_some());
//! ```
//!
//! # What moves, and when
//!
//! | what arrived | in own memory | in lent memory |
//! |---|---|---|
//! | a message that lies whole in one read | stays; the event lends it | stays; the event lends it |
//! | the beginning of a header or of a control frame (139 octets at most) | stays until room is made for the next read | is copied into the connection when the input is dropped |
//! | a message in several frames or several reads | is appended once to the message | is appended once to the message |
//! | a payload of which 16 KiB or more are to come | is written to its final place by the transport | is appended once to the message |
//! | compressed data | is inflated to the end of the message, piece by piece | the same |
//! | what comes behind events that nobody took | stays, and `recv_space` becomes empty | is copied into the connection when the input is dropped |
//!
//! Unmasking and the check for UTF-8 go over the octets together, and text that is ASCII is looked at once.
//!
//! # Keeping what was lent
//!
//! An event lends until the next call. To keep it, take [`Text::into_message`], [`Data::into_bytes`] or
//! [`Event::into_message`]. A message that was joined of several pieces changes hands; one that lies in the
//! memory of a read is copied, so that a message of sixteen octets never keeps a read of 64 KiB alive.
//!
//! [`Text::as_str`] looks at the octets once more, because a `str` cannot be had from octets without a check
//! or `unsafe`. To pass text on, `sender.send(&text)` and [`Text::as_bytes`] cost nothing.
//!
//! # Out
//!
//! | call | what happens to the payload |
//! |---|---|
//! | [`send`](crate::Connection::send) | copied to the end of the queue; a client masks in the same pass |
//! | [`send_message`](crate::Connection::send_message) | from 4 KiB on a server queues it by reference; a client masks it in place if nobody else holds it |
//! | [`send_lent`](crate::Sender::send_lent) | from 4 KiB on a server leaves it where it is, and copies what the transport does not take at once; a client masks 64 KiB at a time |
//! | [`send_lent_mut`](crate::Sender::send_lent_mut) | the same, and a client masks it where it is |
//! | [`send_prepared`](crate::Connection::send_prepared) | framed once for many connections; on servers all of them share the octets |
//! | [`start`](crate::Connection::start) | a writer of fragments: the message is never whole in memory |
//!
//! [`transmit`](crate::Connection::transmit) shows the front of the queue,
//! [`transmit_slices`](crate::Connection::transmit_slices) as many pieces as a vectored write takes,
//! [`transmit_into`](crate::Connection::transmit_into) copies to memory that the transport owns. After a
//! partial write an offset moves and nothing else.
//!
//! A large message that an event lends can so go on without a copy: the event borrows the receiving half, the
//! [`Outgoing`](crate::Outgoing) the sending one.
//!
//! ```
//! # use hybi::{Agreement, Config, Connection, Event};
//! # use std::io::{IoSlice, Write};
//! # let mut connection = Connection::server(Agreement::default(), Config::default());
//! # let mut transport = Vec::new();
//! # let mut memory = [&b"\x82\xFE\x40\0\0\0\0\0"[..], &[7; 16384]].concat();
//! # let mut input = connection.receive(&mut memory);
//! while let Some((event, sender)) = input.poll_event_with() {
//!     if let Event::Binary(data) = event {
//!         let mut outgoing = sender.send_lent(&data)?;
//!         let mut slices = [&[][..]; 16];
//!         let used = outgoing.transmit_slices(&mut slices);
//!         let n = transport.write_vectored(&slices.map(IoSlice::new)[..used])?;
//!         outgoing.transmitted(n);
//!     }
//! }
//! # assert_eq!(transport, [&b"\x82\x7E\x40\0"[..], &[7; 16384]].concat());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a connection holds
//!
//! - **the connection**: below 1 KiB, and below 512 octets on the heap, always.
//!   `limits::an_idle_connection_holds_no_buffer`.
//! - **receive buffer, lent**: the beginning of a header or of a control frame, between two reads that cut
//!   one.
//! - **receive buffer, own**: 4 to 64 KiB, as large as reads have been, from `recv_space` until all that was
//!   received is taken; 4 KiB may stay until the frame that has begun is all there.
//!   `buffers::own_memory_stays_between_reads_that_cut_a_frame`.
//! - **the message that is being joined**: twice of what was received of it, but not of more than
//!   [`Limits::message`], and 16 KiB, until it is taken; while a buffer is lent, until that is reclaimed.
//!   `buffers::messages_are_joined_in_the_same_memory_until_the_buffer_is_reclaimed`,
//!   `limits::memory_follows_what_was_received_not_what_was_announced`.
//! - **pieces, with [`Delivery::Fragments`]**: below 128 KiB, however long the message, until they are taken.
//!   `limits::pieces_are_not_held`.
//! - **pongs that nobody takes**: below 64 KiB, until they are transmitted.
//!   `limits::a_flood_of_pings_that_nobody_takes_the_pongs_of`.
//! - **output**: [`Water::limit`] and one message more, until it is transmitted. `limits::send_queue_limit`,
//!   `limits::output_is_given_back_after_a_peak`. At most 8 KiB stay when nothing waits any more, until the message or
//!   the frame that has begun to arrive is there. `buffers::an_empty_queue_holds_little_inside_a_message`.
//! - **after a failure**: 4 KiB at most, until it is dropped.
//!   `limits::after_a_failure_everything_is_given_back`.
//! - **opening handshake**: [`Limits::head_bytes`], and 64 KiB that came behind it, until it is over.
//!   `handshake::request::what_comes_behind_the_request_is_kept_up_to_a_limit`.
//!
//! permessage-deflate adds what its windows need, and one more message while it is inflated.
//!
//! All of it together, as one sum of the configuration and of what was received, is asserted over recorded
//! and generated streams: `invariants::memory::the_bound_holds_over_every_transcript`,
//! `invariants::memory::the_bound_holds_over_hostile_streams`.
//!
//! An own buffer has to be there while a read waits in it, so an adapter that blocks in a read pays for a
//! buffer per idle connection. One that learns first that there is something to read, and reads then, does
//! not; neither does one that lends, or takes back what it lent when a read brought nothing.
//!
//! ```
//! assert!(size_of::<hybi::Connection>() < 1024);
//! ```
//!
//! Most of that is room to work in. A server with many connections that say little lets each
//! [`hibernate`](crate::Connection::hibernate) while nothing is under way, and keeps a [`Hibernated`] of less than 200
//! octets until something arrives or a deadline passes. Nothing is allocated for that: to wake is to move.
//! `hibernation::what_sleeps_is_small_and_holds_nothing`.
//!
//! ```
//! # use hybi::{Agreement, Config, Connection, Hibernated};
//! # let connection = Connection::server(Agreement::default(), Config::default());
//! enum Peer {
//!     Awake(Box<Connection>),
//!     Silent(Hibernated),
//! }
//!
//! # let mut peer = Peer::Awake(Box::new(connection));
//! // After the events were taken and everything was transmitted:
//! peer = match peer {
//!     Peer::Awake(connection) if connection.is_silent() => match connection.hibernate() {
//!         Ok(silent) => Peer::Silent(silent),
//!         Err(connection) => Peer::Awake(connection.into()),
//!     },
//!     peer => peer,
//! };
//! assert!(matches!(peer, Peer::Silent(_)));
//! ```
//!
//! # Where there is no memory
//!
//! Whatever a peer can make large is asked for in a way that may fail: a peer gets close code 1011
//! ([`ProtocolError::OutOfMemory`]), a caller [`UsageError::OutOfMemory`], and the process goes on. The test
//! `allocation_failure::every_allocation_may_fail_once` does to a session what its name says.
//!
//! # Without any allocation
//!
//! [`Decoder`] finds frames in memory that the caller owns and stores none of it: for a proxy that relays
//! frames, for a ring of buffers that the kernel fills, for a machine with little memory. It joins nothing
//! and answers nothing.
//!
//! A relay passes control frames on as they are, and changes the fragments of a message only where it knows
//! every extension that was agreed on (RFC 6455 §5.4).
//!
//! [`Connection::receive`]: crate::Connection::receive
//! [`Hibernated`]: crate::Hibernated
//! [`Connection::recv_space`]: crate::Connection::recv_space
//! [`Connection::received`]: crate::Connection::received
//! [`Connection::receive_copy`]: crate::Connection::receive_copy
//! [`Connection::lend_buffer`]: crate::Connection::lend_buffer
//! [`Connection::reclaim_buffer`]: crate::Connection::reclaim_buffer
//! [`Text::into_message`]: crate::Text::into_message
//! [`Text::as_str`]: crate::Text::as_str
//! [`Text::as_bytes`]: crate::Text::as_bytes
//! [`Data::into_bytes`]: crate::Data::into_bytes
//! [`Event::into_message`]: crate::Event::into_message
//! [`Limits::message`]: crate::Limits::message
//! [`Limits::head_bytes`]: crate::Limits::head_bytes
//! [`Delivery::Fragments`]: crate::Delivery::Fragments
//! [`Water::limit`]: crate::Water::limit
//! [`ProtocolError::OutOfMemory`]: crate::ProtocolError::OutOfMemory
//! [`UsageError::OutOfMemory`]: crate::UsageError::OutOfMemory
//! [`Decoder`]: crate::Decoder
