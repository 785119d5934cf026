//! The opening handshake: from an address, a transport or a request to a connection.
//!
//! | you have | you use |
//! |---|---|
//! | a connected transport | [`ServerHandshake`], [`ClientHandshake`] |
//! | an address, and perhaps a proxy, TLS, redirects on the way | [`Journey`] |
//! | an HTTP library that has read the request | [`Request::from_parts`] |
//! | a stream of HTTP/2 or HTTP/3, and the header list that opens it | [`Request::from_extended_connect`], [`ClientRequest::extended_connect`] |
//! | a connection that somebody else agreed on, or a test | [`Connection::server`], [`Connection::client`] |
//!
//! # Octets
//!
//! Both sides are machines like the connection: octets in, events out, octets out, time as a number. A
//! handshake ends by becoming a connection, and what was received behind it goes along inside, so no octet
//! passes through the caller's hands a second time.
//!
//! ```
//! use hybi::handshake::{
//!     Accept, ClientHandshake, ClientRequest, Incoming, Outcome, ServerHandshake, ServerSettings,
//! };
//! use hybi::{BoxEntropy, Config, Event};
//!
//! let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7)); // `SystemEntropy`, in earnest
//! let request = ClientRequest::new("ws://example.com/tides")?.with_subprotocol("tides.v1")?;
//! let mut client = ClientHandshake::new(request, Config::default(), entropy);
//! let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
//!
//! // The request, in two reads.
//! let wire = client.transmit().to_vec();
//! client.transmitted(wire.len());
//! for read in wire.chunks(100) {
//!     assert_eq!(server.receive(read), read.len());
//! }
//!
//! // The application decides. It may take its time: nothing is held up but this connection.
//! let Some(Incoming::Upgrade(request)) = server.poll_event() else { panic!("a good request") };
//! let mut accept = Accept::new();
//! if let Some(name) = request.select_subprotocol(&["tides.v1"]) {
//!     accept = accept.with_subprotocol(name);
//! }
//! let mut server = server.accept(accept)?; // a connection; the answer is the first of its output
//! server.send("high water at four")?; // a server may speak at once (RFC 6455 §4.2.2)
//!
//! // Answer and first message in one read: the message is not lost.
//! let wire = server.transmit().to_vec();
//! server.transmitted(wire.len());
//! assert_eq!(client.receive(&wire), wire.len());
//! let Some(Outcome::Opened(response)) = client.poll_event() else { panic!("the server agreed") };
//! assert_eq!(response.status(), 101);
//! let mut client = client.into_connection().expect("it is open");
//! assert_eq!(client.agreement().subprotocol(), Some("tides.v1"));
//! let Some(Event::Text(text)) = client.poll_event() else { panic!("it was inside") };
//! assert_eq!(text.as_str(), "high water at four");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ServerHandshake::receive`] and its client twin take all that they are given, unless 64 KiB that belong
//! to the connection wait already. Give the rest to the connection, in front of what is read next.
//!
//! # Refusing
//!
//! A request that breaks a rule is answered by the machine, with the status that the RFCs want. What is left
//! to the application is whether it likes a good one: the path, the origin, who asks.
//!
//! ```
//! use hybi::handshake::{Accept, Answer, Request};
//!
//! /// The decision of a server that browsers can reach.
//! fn decide(request: &Request) -> Result<Accept, Answer> {
//!     if request.path() != "/tides" {
//!         return Err(Answer::new(404));
//!     }
//!     if !request.origin_allowed(&["https://example.com"]) {
//!         return Err(Answer::new(403)); // a page of somebody else, with this visitor's cookies
//!     }
//!     if request.fields().get("Authorization").is_none() {
//!         return Err(Answer::new(401).with_header("WWW-Authenticate", "Basic realm=\"tides\""));
//!     }
//!     Ok(Accept::new())
//! }
//! ```
//!
//! A refusal ends the transport: transmit until
//! [`wants_close`](crate::handshake::ServerHandshake::wants_close), end the writing side, read for a moment,
//! close. Octets behind a refused request are never looked at, so a second request cannot be hidden there.
//!
//! # A request that an HTTP library has read
//!
//! [`Request::from_parts`] judges it by the same rules; [`Request::accept`] says what the answer with status
//! 101 has to contain, and what was agreed on. The library writes the answer and hands over the stream.
//!
//! ```
//! use hybi::handshake::{Accept, Request};
//! use hybi::{Config, Connection, Versions};
//!
//! let headers = [
//!     ("host", &b"example.com"[..]),
//!     ("upgrade", b"websocket"),
//!     ("connection", b"Upgrade"),
//!     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
//!     ("sec-websocket-version", b"13"),
//! ];
//! let (status, fields, connection) =
//!     match Request::from_parts(Versions::default(), "GET", (1, 1), "/tides", headers) {
//!         Ok(request) => {
//!             let acceptance = request.accept(Accept::new())?;
//!             let connection = Connection::server(acceptance.agreement, Config::default());
//!             (101, acceptance.fields, Some(connection))
//!         }
//!         Err(refusal) => (refusal.answer.status(), refusal.answer.all_fields(), None),
//!     };
//! assert_eq!((status, connection.is_some()), (101, true));
//! assert_eq!(fields.get("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
//! # Ok::<(), hybi::handshake::AnswerError>(())
//! ```
//!
//! If the library has read octets behind the head, give them to the connection first.
//!
//! # Over HTTP/2 and HTTP/3
//!
//! There the request is an extended CONNECT (RFC 8441, RFC 9220): a header list without `Upgrade`, key and
//! accept value, answered with status 200. The stream is the transport from then on, and everything else is
//! as over TCP, masking included.
//!
//! ```
//! use hybi::handshake::{Accept, ClientRequest, Request};
//! use hybi::{Config, Connection, Versions};
//!
//! let headers = ClientRequest::new("wss://example.com/tides")?.extended_connect(); // for the library to send
//! let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
//! let request = match Request::from_extended_connect(Versions::default(), (2, 0), pairs) {
//!     Ok(request) => request,
//!     Err(refusal) => panic!("to be answered with {:?}", refusal.answer),
//! };
//! assert_eq!(request.path(), "/tides");
//! let acceptance = request.accept(Accept::new())?;
//! let server = Connection::server(acceptance.agreement, Config::default()); // over the stream
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Without a handshake
//!
//! All that a connection has to know of its handshake is an [`Agreement`]: version, subprotocol, extensions.
//! The default is version 13 and nothing else.
//!
//! ```
//! use hybi::{Agreement, Config, Connection};
//! let agreement = Agreement::default().with_subprotocol("tides.v1");
//! let connection = Connection::server(agreement, Config::default());
//! assert_eq!(connection.agreement().subprotocol(), Some("tides.v1"));
//! ```
//!
//! # What the core leaves to the caller
//!
//! - Finding addresses, connecting, and TLS. A [`Journey`] says what to dial, and when TLS has to stand
//!   before the next octet; it knows the order and does none of it. It also asks a proxy, judges redirects,
//!   and may try another version.
//! - At most one connection attempt to an address at a time (RFC 6455 §4.1): a client that makes many for others asks
//!   [`Turns`](crate::handshake::Turns) before it dials an address, and waits until its turn has come. The adapters do
//!   that for whoever gives them a gate.
//! - Connecting again after a failure. Wait before, or all clients come back at once when a server does (RFC
//!   6455 §7.2.3): a [`Backoff`] says how long, at random up to five seconds at first, and longer each time.
//! - The time: [`handle_timeout`](crate::handshake::ServerHandshake::handle_timeout), and
//!   [`Timeouts::handshake`](crate::Timeouts).
//!
//! [`Backoff`]: crate::handshake::Backoff
//! [`ServerHandshake`]: crate::handshake::ServerHandshake
//! [`ServerHandshake::receive`]: crate::handshake::ServerHandshake::receive
//! [`ClientHandshake`]: crate::handshake::ClientHandshake
//! [`Request::from_parts`]: crate::handshake::Request::from_parts
//! [`Request::accept`]: crate::handshake::Request::accept
//! [`Request::from_extended_connect`]: crate::handshake::Request::from_extended_connect
//! [`ClientRequest::extended_connect`]: crate::handshake::ClientRequest::extended_connect
//! [`Journey`]: crate::handshake::Journey
//! [`Connection::server`]: crate::Connection::server
//! [`Connection::client`]: crate::Connection::client
//! [`Agreement`]: crate::Agreement
