//! The run loop: what to call, in which order, and what happens to one byte.
//!
//! **After any *in* or *say*, drain *out* until each answers nothing; then wait.**
//!
//! That is the whole contract between a connection and whoever drives it. A connection never calls back,
//! never waits and never asks for anything: it is told what arrived, what time it is and what the application
//! wants to say, and it is asked what follows from that.
//!
//! | family | calls | they answer |
//! |---|---|---|
//! | *in* | [`recv_space`] and [`received`], or [`receive`]; [`receive_eof`]; [`handle_timeout`] | nothing: what the peer sends never makes a call fail |
//! | *say* | [`send`] and its kin, [`ping`], [`close`], [`abort`] | a result: what was asked for may not be possible |
//! | *out* | [`poll_event`], [`transmit`] and [`transmitted`], [`transport_action`], [`poll_timeout`] | something, or nothing |
//!
//! # One turn
//!
//! All *out* calls in one function. It is the same for every transport; only the two closures differ.
//!
//! ```
//! use hybi::{Connection, Event, Instant, Sender, TransportAction};
//!
//! /// Drains a connection: what it has to tell, what it has to transmit, what it wants next.
//! fn drain(
//!     connection: &mut Connection,
//!     mut tell: impl FnMut(Event<'_>, &mut Sender),
//!     mut write: impl FnMut(&[u8]) -> usize, // how much the transport took
//! ) -> (TransportAction, Option<Instant>) {
//!     loop {
//!         while let Some((event, sender)) = connection.poll_event_with() {
//!             tell(event, sender); // what it sends is queued
//!         }
//!         let n = write(connection.transmit());
//!         if n == 0 {
//!             break; // nothing waits, or the transport is full: it will say when it is not
//!         }
//!         connection.transmitted(n); // which may make an event: `Writable`
//!     }
//!     (connection.transport_action(), connection.poll_timeout())
//! }
//! # use hybi::{Agreement, Config};
//! # let mut connection = Connection::server(Agreement::default(), Config::default());
//! # connection.receive_copy(b"\x89\x80\0\0\0\0");
//! # let (mut events, mut wire) = (0, Vec::new());
//! # let end = drain(&mut connection, |_, _| events += 1, |octets| { wire.extend_from_slice(octets); octets.len() });
//! # assert_eq!((events, &wire[..], end), (1, &b"\x8a\x00"[..], (TransportAction::None, None)));
//! ```
//!
//! Events come first because they make output: a ping is answered when its event is decided, and the
//! application answers while the event is still lent. So everything that one read caused goes out in one
//! write.
//!
//! # One byte
//!
//! The last byte of a text message to a server, the example of RFC 6455 §5.7:
//!
//! ```
//! use hybi::{Agreement, Config, Connection, Event, TransportAction};
//!
//! let mut connection = Connection::server(Agreement::default(), Config::default());
//! let frame = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // "Hello", masked
//!
//! // A read brought all but the last byte. In:
//! let mut read = frame[..10].to_vec();
//! let mut input = connection.receive(&mut read);
//! // Out: nothing, four times. The message is not whole.
//! assert!(input.poll_event().is_none());
//! drop(input); // what is unfinished moves out of the lent memory into the connection
//! assert!(connection.transmit().is_empty());
//! assert_eq!(connection.transport_action(), TransportAction::None);
//! assert_eq!(connection.poll_timeout(), None); // no deadline: wait for as long as it takes
//!
//! // The next read brings the last byte. In:
//! let mut read = frame[10..].to_vec();
//! let mut input = connection.receive(&mut read);
//! // Out: an event, and what the application says about it.
//! while let Some((event, sender)) = input.poll_event_with() {
//!     if let Event::Text(text) = event {
//!         assert_eq!(text.as_str(), "Hello");
//!         sender.send(&text)?;
//!     }
//! }
//! drop(input);
//! // Out: seven octets. A server does not mask.
//! assert_eq!(connection.transmit(), b"\x81\x05Hello");
//! connection.transmitted(3); // the transport took three of them
//! assert_eq!(connection.transmit(), b"ello");
//! connection.transmitted(4);
//! assert!(connection.transmit().is_empty()); // and now wait
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! Inside, the byte passes these files, and never goes back:
//!
//! | file | what it does with it |
//! |---|---|
//! | `recv/frame` | finds that it belongs to the payload of a frame whose header was judged before |
//! | `recv/sequence` | has said, at the header, that a text frame may come now |
//! | `recv/message` | unmasks it, validates it, appends it to the message, and finds that the message is whole |
//! | `connection` | asks whether something is owed for it: for a ping or a close frame, not for a message |
//! | `event` | lends it to the application |
//! | `send/message` | takes the answer, which must not stand inside another message |
//! | `send/frame` | writes a header, and masks if this is a client |
//! | `send/queue` | keeps it until the transport has taken it |
//!
//! # What happens if a call is left out
//!
//! | left out | then |
//! |---|---|
//! | [`poll_event`] | [`recv_space`] becomes empty, the transport is not read, the peer's window closes: backpressure. Nothing grows without bound |
//! | [`transmit`] | no pong goes out, and no close frame; the peer gives up after its own deadline |
//! | [`transport_action`] | a server never ends the transport, and a client waits for it until its close deadline |
//! | [`poll_timeout`] | no deadline passes: a peer that went silent holds the connection for ever |
//! | [`receive_eof`] | no [`Event::Closed`] when the peer vanishes |
//!
//! # The end
//!
//! [`Event::Closed`] is the last event, and there is exactly one. After it, go on draining until
//! [`transport_action`] says [`Close`]: an answer to a close frame may still wait. See
//! [`closing`](super::closing).
//!
//! [`recv_space`]: crate::Connection::recv_space
//! [`received`]: crate::Connection::received
//! [`receive`]: crate::Connection::receive
//! [`receive_eof`]: crate::Connection::receive_eof
//! [`handle_timeout`]: crate::Connection::handle_timeout
//! [`send`]: crate::Connection::send
//! [`ping`]: crate::Connection::ping
//! [`close`]: crate::Connection::close
//! [`abort`]: crate::Connection::abort
//! [`poll_event`]: crate::Connection::poll_event
//! [`transmit`]: crate::Connection::transmit
//! [`transmitted`]: crate::Connection::transmitted
//! [`transport_action`]: crate::Connection::transport_action
//! [`poll_timeout`]: crate::Connection::poll_timeout
//! [`Event::Closed`]: crate::Event::Closed
//! [`Close`]: crate::TransportAction::Close
