//! Writing an adapter: its duties in order, and the traps.
//!
//! An adapter binds the core to a transport and to a way of waiting, and contains no protocol. A good check:
//! the words *opcode*, *mask*, *fragment*, *utf8* and *deflate* do not occur in it. `hybi-std` is one to read
//! first.
//!
//! # Duties
//!
//! In this order, for each turn of its loop:
//!
//! 1. **Events.** If there is one, hand it out. Nothing else is due before the application has had its say.
//! 2. **Output.** [`transmit_slices`] to the transport until nothing waits or it takes nothing more; count
//!    what it took with [`transmitted`], also after a partial write. When nothing waits, flush a transport
//!    that buffers by itself.
//! 3. **Action.** [`transport_action`]: at `ShutdownWrite` end the writing side, once; at `Close` end the
//!    transport and tell [`receive_eof`].
//! 4. **Wait** for input, for room if output waits, and for [`poll_timeout`], whichever comes first.
//! 5. **Input.** Octets to [`received`] or [`receive`]; an end to [`receive_eof`]; an error to
//!    [`transport_lost`]. A call that was interrupted is made again.
//! 6. **Time.** [`handle_timeout`] when the deadline has passed.
//!
//! And at the ends:
//!
//! - Before: the same loop around a handshake. Nothing of the application is written until the answer has
//!   come.
//! - After [`Event::Closed`]: go on until the action is `Close`. The close frame may still wait, and of the
//!   two sides only the server may hang up first.
//! - Sending: queue, then transmit until nothing waits, or (for a `feed`) only while it is above high water.
//!
//! # An event that is waited for and then returned
//!
//! A function that loops until there is an event, and returns what it lends, is refused by the borrow
//! checker. So decide first and lend after the loop:
//!
//! ```
//! use hybi::{Connection, Event};
//!
//! fn recv<'c>(
//!     connection: &'c mut Connection,
//!     mut wait_and_read: impl FnMut(&mut Connection),
//! ) -> Option<Event<'c>> {
//!     while !connection.prepare_event() {
//!         if connection.close_info().is_some() {
//!             return None; // the last event was taken
//!         }
//!         wait_and_read(connection); // duties 2 to 6
//!     }
//!     connection.poll_event()
//! }
//! # use hybi::{Agreement, Config};
//! # let mut connection = Connection::server(Agreement::default(), Config::default());
//! # let mut reads = vec![&b"\x80\0\0\0\0"[..], b"\x89"];
//! # let event = recv(&mut connection, |connection| {
//! #     let read = reads.pop().unwrap();
//! #     connection.receive_copy(read);
//! # });
//! # assert!(matches!(event, Some(Event::Ping(b""))));
//! ```
//!
//! # Two halves
//!
//! [`into_split`] gives a [`Receiver`] and a [`Sender`] that share nothing, not even a lock. What the one
//! owes to the peer are values that the adapter carries over, on whatever it has: a slot, a channel.
//!
//! ```
//! use hybi::{Agreement, CloseCause, Config, Connection, Event, Reply};
//!
//! let connection = Connection::server(Agreement::default(), Config::default());
//! let (mut receiver, mut sender) = connection.into_split();
//! let mut slot: Vec<Reply> = Vec::new(); // between the two owners
//!
//! // The receiving owner: events, then replies. A newer pong takes the place of an older one.
//! let mut read = *b"\x89\x81\0\0\0\0a\x89\x81\0\0\0\0b"; // two pings
//! let mut input = receiver.receive(&mut read);
//! while let Some(event) = input.poll_event() {
//!     assert!(matches!(event, Event::Ping(_)));
//! }
//! drop(input);
//! while let Some(reply) = receiver.poll_reply() {
//!     slot.retain(|waiting| !reply.supersedes(waiting));
//!     slot.push(reply);
//! }
//!
//! // The sending owner: it also keeps the time, because deadlines end in something to say.
//! slot.drain(..).for_each(|reply| sender.handle_reply(reply));
//! assert_eq!(sender.transmit(), b"\x8a\x01b");
//!
//! // And back: the receiving half has to know when the other gave up.
//! sender.abort();
//! if let Some(cause) = sender.poll_gave_up() {
//!     receiver.give_up(cause);
//! }
//! let Some(Event::Closed(info)) = receiver.poll_event() else { panic!() };
//! assert_eq!(info.cause(), &CloseCause::Aborted);
//! ```
//!
//! # Traps
//!
//! | trap | what happens | so |
//! |---|---|---|
//! | reading into an empty [`recv_space`] | the read returns 0, which looks like an end | if it is empty, take events |
//! | a pong or the answer to a close frame waits until somebody sends | the peer gives up on a side that only listens | transmit before each wait, whoever waits |
//! | octets kept in a future | a dropped future loses them, or sends half a frame | keep them in the connection: read, [`received`], and only then await |
//! | a future that holds the writing side while it waits | the answer to a ping waits for it | let whoever is polled transmit |
//! | one waker for two halves | the reader is woken by what the writer waits for, or not at all | a waker for each |
//! | no flush below | TLS keeps the last record | flush whenever the queue runs empty |
//! | a failed write taken for the end | the peer's close frame, which says why, is not read | [`transmit_lost`], and go on reading |
//! | an end of input taken for the end | the answer to a close frame is not sent | [`receive_eof`], and go on transmitting |
//! | closing at once after a failure | TCP resets, and the peer never learns why | do what [`transport_action`] says |
//! | both peers send and neither reads | they wait for one another for ever | read while a write waits, or set `write_stall` |
//! | small writes that TCP holds back | 40 ms for an answer | switch off Nagle's algorithm; one write per batch of events |
//! | octets behind the handshake | a message is lost | they are inside the connection; give it also what `receive` did not take |
//! | a clock that jumps back | deadlines come late | use a monotonic clock |
//! | one busy peer | the others starve | yield after a bounded number of reads |
//!
//! # Tests of an adapter
//!
//! The protocol is tested in the core. An adapter is tested for waiting and for ending: short reads and
//! writes, calls that are interrupted, would block or time out, a reset and an end at each octet; the same
//! events each time up to the cut. See `crates/hybi-std/tests/faults.rs`. An asynchronous one also drops its
//! future at each point where it waits.
//!
//! [`transmit_slices`]: crate::Connection::transmit_slices
//! [`transmitted`]: crate::Connection::transmitted
//! [`transport_action`]: crate::Connection::transport_action
//! [`receive_eof`]: crate::Connection::receive_eof
//! [`poll_timeout`]: crate::Connection::poll_timeout
//! [`received`]: crate::Connection::received
//! [`receive`]: crate::Connection::receive
//! [`recv_space`]: crate::Connection::recv_space
//! [`transport_lost`]: crate::Connection::transport_lost
//! [`transmit_lost`]: crate::Connection::transmit_lost
//! [`handle_timeout`]: crate::Connection::handle_timeout
//! [`into_split`]: crate::Connection::into_split
//! [`Event::Closed`]: crate::Event::Closed
//! [`Receiver`]: crate::Receiver
//! [`Sender`]: crate::Sender
