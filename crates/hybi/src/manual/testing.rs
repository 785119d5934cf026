//! Testing without sockets: fixed entropy, a clock that jumps, two connections on one wire.
//!
//! A connection is a function of what it is given: octets, time, entropy, calls. So a test gives it these,
//! and looks at what comes out. Nothing sleeps, nothing listens on a port, and a failure can be played again.
//!
//! # Octets
//!
//! A server's output is fixed by what it was told. A client's depends on its entropy besides; with a source
//! that always says the same, it is fixed too.
//!
//! ```
//! use hybi::{Agreement, Config, Connection};
//!
//! // For tests only: the same key for every frame.
//! let entropy = |out: &mut [u8]| out.as_chunks_mut().0.fill([0x37, 0xfa, 0x21, 0x3d]);
//! let mut client = Connection::client(Agreement::default(), Config::default(), entropy);
//! client.send("Hello")?;
//! // As in RFC 6455 §5.7:
//! assert_eq!(client.transmit(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! # Cuts
//!
//! What a peer sends arrives cut anywhere. A test of what it means should not depend on the cut, so run it
//! for each:
//!
//! ```
//! use hybi::{Agreement, Config, Connection, Event};
//!
//! fn texts(reads: &[&[u8]]) -> Vec<String> {
//!     let mut connection = Connection::server(Agreement::default(), Config::default());
//!     let mut texts = Vec::new();
//!     for read in reads {
//!         connection.receive_copy(read);
//!         while let Some(event) = connection.poll_event() {
//!             if let Event::Text(text) = event {
//!                 texts.push(text.to_string());
//!             }
//!         }
//!     }
//!     texts
//! }
//!
//! // Two messages, one in fragments.
//! let octets = b"\x01\x82\0\0\0\0hi\x80\x81\0\0\0\0!\x81\x81\0\0\0\0.";
//! for cut in 0..=octets.len() {
//!     let (front, back) = octets.split_at(cut);
//!     assert_eq!(texts(&[front, back]), ["hi!", "."], "cut at {cut}");
//! }
//! ```
//!
//! # Time
//!
//! Time is a number that the test moves. To wait for a deadline is to jump to it:
//!
//! ```
//! use core::time::Duration;
//! use hybi::{Agreement, CloseCause, CloseCode, Config, Connection, Event, Instant, Timeout};
//!
//! let mut server = Connection::server(Agreement::default(), Config::default());
//! server.close(CloseCode::NORMAL, "")?; // and nobody answers
//!
//! let mut now = Instant::from_nanos(1);
//! while let Some(deadline) = server.poll_timeout() {
//!     now = now.max(deadline);
//!     server.handle_timeout(now);
//! }
//! let Some(Event::Closed(info)) = server.poll_event() else { panic!() };
//! assert_eq!(info.cause(), &CloseCause::TimedOut(Timeout::Close));
//! assert_eq!(now, Instant::from_nanos(1) + Duration::from_secs(30)); // without having waited
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! # Two connections on one wire
//!
//! A whole conversation, with the duties of an adapter in one closure:
//!
//! ```
//! use hybi::{Agreement, CloseCode, Config, Connection, Event, Message, TransportAction};
//!
//! /// Moves octets from one to the other, at most `chunk` at a time: what the other was told.
//! fn carry(from: &mut Connection, to: &mut Connection, chunk: usize) -> Vec<Message> {
//!     let mut told = Vec::new();
//!     while !from.transmit().is_empty() {
//!         let n = from.transmit().len().min(chunk);
//!         let mut read = from.transmit()[..n].to_vec();
//!         from.transmitted(n);
//!         let mut input = to.receive(&mut read);
//!         while let Some(event) = input.poll_event() {
//!             told.extend(event.into_message());
//!         }
//!     }
//!     if from.transport_action() == TransportAction::Close {
//!         to.receive_eof();
//!     }
//!     told
//! }
//!
//! for chunk in [1, 7, 4096] {
//!     let mut server = Connection::server(Agreement::default(), Config::default());
//!     let entropy = |out: &mut [u8]| out.fill(7);
//!     let mut client = Connection::client(Agreement::default(), Config::default(), entropy);
//!     client.send("high water?")?;
//!     assert_eq!(carry(&mut client, &mut server, chunk), ["high water?".into()]);
//!     server.send("at four")?;
//!     server.close(CloseCode::GOING_AWAY, "the tide")?;
//!     assert_eq!(carry(&mut server, &mut client, chunk), ["at four".into()]);
//!     carry(&mut client, &mut server, chunk); // the answer to the close frame
//!     carry(&mut server, &mut client, chunk); // the server ends the transport
//!     assert!(client.close_info().is_some_and(|info| info.is_clean() && info.code() == 1001));
//!     assert_eq!(client.transport_action(), TransportAction::Close);
//! }
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! A wire with limited room, ends that stop reading, a transport that breaks: all that is a few lines more,
//! and how this project tests itself (`crates/hybi-test`, modules `pair`, `transcript`, `twin` and `alloc`).
//!
//! # What to test
//!
//! Not the protocol: that is done. Test what your application does with each [`Event`](crate::Event), also
//! with `Failed` and with each cause of `Closed`; that it stops sending above high water; and, if you wrote
//! the loop, what [`adapters`](super::adapters) lists.
