//! Embedding in an event loop of your own: readiness in one function, and the other kinds of loop.
//!
//! Each kind has a whole program in the folder `examples` of the repository, which runs with the tests:
//!
//! | loop | example |
//! |---|---|
//! | readiness, many connections on one thread | `epoll`, with mio |
//! | completion, memory that the kernel fills | `io-uring`, with tokio-uring and a [`Decoder`](crate::Decoder) |
//! | polling, once per frame of a game | `game-loop` |
//! | none: a host that calls, without an operating system | `no_std`, for WebAssembly and bare metal |
//! | virtual time: a thousand clients in one thread | `simulation` |
//! | two directions that know nothing of messages: a proxy | `relay` |
//!
//! # Readiness
//!
//! An operating system that says "readable", "writable" (epoll, kqueue, and what stands on them) needs one
//! function per connection. It is called when the socket is ready, when the deadline has passed, and when the
//! application has said something; it does all that can be done now, and says what to wait for.
//!
//! It runs against a transport in memory here. A socket in non-blocking mode has the same two calls, so the
//! function stays as it is.
//!
//! ```
//! use hybi::{Connection, Event, Instant, Sender, TransportAction};
//! use std::io::{ErrorKind, Read, Write};
//!
//! struct Peer<S> {
//!     stream: S,
//!     connection: Connection,
//!     at_end: bool, // nothing more can be read
//! }
//!
//! /// What to wait for.
//! #[derive(Debug, PartialEq)]
//! enum Next {
//!     Ready { writable: bool, until: Option<Instant> },
//!     Remove,
//! }
//!
//! impl<S: Read + Write> Peer<S> {
//!     fn turn(
//!         &mut self,
//!         now: Instant,
//!         scratch: &mut [u8],
//!         mut tell: impl FnMut(Event<'_>, &mut Sender),
//!     ) -> Next {
//!         let Self { stream, connection, at_end } = self;
//!         // In: what is there, unless so many answers wait that the peer should read first.
//!         while !*at_end && !connection.is_above_high_water() {
//!             match stream.read(scratch) {
//!                 Ok(0) => { *at_end = true; connection.receive_eof() }
//!                 Ok(n) => {
//!                     let mut input = connection.receive(&mut scratch[..n]);
//!                     while let Some((event, sender)) = input.poll_event_with() {
//!                         tell(event, sender);
//!                     }
//!                 }
//!                 Err(error) if error.kind() == ErrorKind::WouldBlock => break,
//!                 Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                 Err(_) => { *at_end = true; connection.transport_lost() }
//!             }
//!         }
//!         if connection.poll_timeout().is_some_and(|deadline| deadline <= now) {
//!             connection.handle_timeout(now);
//!         }
//!         // Out: events that no read has made, then octets, then what the transport is to do.
//!         loop {
//!             while let Some((event, sender)) = connection.poll_event_with() {
//!                 tell(event, sender);
//!             }
//!             if connection.transmit().is_empty() {
//!                 break;
//!             }
//!             match stream.write(connection.transmit()) {
//!                 Ok(n @ 1..) => connection.transmitted(n),
//!                 Err(error) if error.kind() == ErrorKind::WouldBlock => break,
//!                 Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                 _ => connection.transmit_lost(), // but perhaps something can still be read
//!             }
//!         }
//!         if connection.transport_action() == TransportAction::Close {
//!             return Next::Remove; // and close the socket
//!         } // at `ShutdownWrite`: end the writing side of the socket, once
//!         let writable = connection.buffered_len() > 0;
//!         Next::Ready { writable, until: connection.poll_timeout() }
//!     }
//! }
//!
//! // A transport in memory: what was written to it, and what it brings.
//! # use hybi::{Agreement, Config};
//! struct Memory { brings: Vec<Vec<u8>>, ended: bool, written: Vec<u8>, room: usize }
//!
//! impl Read for Memory {
//!     fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
//!         if self.brings.is_empty() {
//!             return if self.ended { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
//!         }
//!         let read = self.brings.remove(0);
//!         to[..read.len()].copy_from_slice(&read);
//!         Ok(read.len())
//!     }
//! }
//!
//! impl Write for Memory {
//!     fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
//!         let n = octets.len().min(self.room - self.written.len());
//!         if n == 0 { return Err(ErrorKind::WouldBlock.into()); }
//!         self.written.extend_from_slice(&octets[..n]);
//!         Ok(n)
//!     }
//!     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! }
//!
//! let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let brings = vec![hello[..3].to_vec(), hello[3..].to_vec()];
//! let stream = Memory { brings, ended: false, written: vec![], room: 4 };
//! let connection = Connection::server(Agreement::default(), Config::default());
//! let mut peer = Peer { stream, connection, at_end: false };
//! let echo = |event: Event<'_>, sender: &mut Sender| match event {
//!     Event::Text(text) => sender.send(&text).expect("there is room"),
//!     _ => {}
//! };
//!
//! let mut scratch = [0; 4096]; // one for all peers of this thread
//! let next = peer.turn(Instant::from_nanos(1), &mut scratch, echo);
//! assert_eq!(next, Next::Ready { writable: true, until: None }); // the transport took four octets
//! peer.stream.room = 100;
//! let next = peer.turn(Instant::from_nanos(2), &mut scratch, echo);
//! assert_eq!(next, Next::Ready { writable: false, until: None });
//! assert_eq!(peer.stream.written, b"\x81\x05Hello");
//! peer.stream.ended = true;
//! assert_eq!(peer.turn(Instant::from_nanos(3), &mut scratch, echo), Next::Remove);
//! ```
//!
//! Four things that the loop around it does:
//!
//! - It waits for "readable" always, for "writable" only if `writable` says so, and until `until` at most. A
//!   deadline of [`Instant::ZERO`] is over at once: call again with the time.
//! - Where readiness is told once per change (edge-triggered), it calls again as long as something moved: a
//!   peer that stopped reading because of high water does not get told again what it was told.
//! - It gives each peer a bounded share: count reads per turn, if one peer can bring them faster than they
//!   are handled.
//! - It lets a connection [hibernate](crate::Connection::hibernate) between two turns, if there are many and they say
//!   little.
//!
//! # Completion
//!
//! With io_uring or IOCP the kernel fills memory that must not move meanwhile. Either submit
//! [`recv_space`](crate::Connection::recv_space) and call [`received`](crate::Connection::received) at its
//! completion; or let the kernel choose from a ring of buffers, and lend the one it chose to
//! [`receive`](crate::Connection::receive). To write, submit
//! [`transmit_slices`](crate::Connection::transmit_slices) and leave the connection alone until it completes;
//! or take the octets out by [`transmit_into`](crate::Connection::transmit_into) into memory of the ring.
//!
//! # Polling
//!
//! A game loop has no waiting: it calls the same function once per frame with the time of the frame, and goes
//! on.
//!
//! # Threads
//!
//! A connection is [`Send`]: it may move between threads. For one owner per direction there is
//! [`into_split`](crate::Connection::into_split); see [`adapters`](super::adapters).
//!
//! [`Instant::ZERO`]: crate::Instant::ZERO
