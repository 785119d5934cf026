//! Closing: states, who ends the transport, deadlines, and the codes 1005 and 1006.
//!
//! # States
//!
//! ```text
//!              close, or a rule broken       both close frames, or the
//!                                            end of the transport
//!  (handshake) ──▶ Open ─────────▶ Closing ─────────▶ Closed
//!                   ╰──── the peer's close frame ───────▲
//! ```
//!
//! | state | messages arrive | messages may be sent |
//! |---|---|---|
//! | [`Open`](crate::State::Open) | yes | yes |
//! | [`Closing`](crate::State::Closing) after [`close`] | yes, until the peer answers | no: [`UsageError::NotOpen`] |
//! | [`Closing`](crate::State::Closing) after a failure | no | no |
//! | [`Closed`](crate::State::Closed) | no | no |
//!
//! There is no [`Connecting`](crate::State::Connecting) connection: a handshake is an object of its own.
//!
//! # A clean end
//!
//! One side sends a close frame, the other answers with one, and the server ends the transport. The answer is
//! automatic, with the same code and reason.
//!
//! ```
//! use hybi::{Agreement, CloseCode, Config, Connection, Event, State, TransportAction};
//!
//! # fn entropy(out: &mut [u8]) { out.fill(7) }
//! let mut client = Connection::client(Agreement::default(), Config::default(), entropy);
//! let mut server = Connection::server(Agreement::default(), Config::default());
//!
//! server.send("one more thing")?; // on its way when the client closes
//! client.close(CloseCode::NORMAL, "done")?;
//! assert_eq!(client.state(), State::Closing);
//!
//! let to_server = client.transmit().to_vec();
//! client.transmitted(to_server.len());
//! server.receive_copy(&to_server);
//! assert!(matches!(server.poll_event(), Some(Event::Close(Some(_)))));
//! assert!(matches!(server.poll_event(), Some(Event::Closed(info)) if info.is_clean()));
//! // First the answer has to go out; then the server ends the transport.
//! assert_eq!(server.transport_action(), TransportAction::None);
//!
//! let to_client = server.transmit().to_vec();
//! server.transmitted(to_client.len());
//! assert_eq!(server.transport_action(), TransportAction::Close);
//!
//! client.receive_copy(&to_client);
//! assert!(matches!(client.poll_event(), Some(Event::Text(_)))); // before the close frame
//! assert!(matches!(client.poll_event(), Some(Event::Close(_))));
//! assert!(matches!(client.poll_event(), Some(Event::Closed(info)) if info.code() == 1000));
//! assert_eq!(client.transport_action(), TransportAction::None); // it waits for the server
//! client.receive_eof();
//! assert_eq!(client.transport_action(), TransportAction::Close);
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! # Who ends the transport
//!
//! Of TCP, the side that closes first keeps the port busy for a while afterwards; RFC 6455 §7.1.1 wants that
//! to be the server. [`transport_action`] knows the role, so the caller does what it says and nothing else:
//!
//! | what happened | server | client |
//! |---|---|---|
//! | both close frames are out | `Close` as soon as its output is transmitted | `None`: waits, then `Close` at the end of the transport or of [`Timeouts::close`] |
//! | the peer broke a rule | `ShutdownWrite` once the close frame is transmitted | the same |
//! | the transport ended | `Close` | `Close` |
//! | [`abort`], or a deadline passed | `Close` | `Close` |
//!
//! After a failure only the writing side is ended. To close with octets of the peer unread makes TCP answer
//! with a reset, and a reset throws away the close frame that says why. So: shut down, go on reading, wait
//! for the peer's end or for the deadline.
//!
//! # Deadlines
//!
//! [`Timeouts::close`] (30 s) runs from our first close frame to the end of the transport. It is one deadline
//! for the whole of it, and messages that still arrive do not prolong it. When it passes, [`Event::Closed`]
//! says [`CloseCause::TimedOut`] (or what had failed before), and the action is `Close`.
//!
//! # How it ended
//!
//! [`Event::Closed`] has a [`CloseInfo`]:
//!
//! | | [`code`](crate::CloseInfo::code) | [`is_clean`](crate::CloseInfo::is_clean) | [`cause`](crate::CloseInfo::cause) |
//! |---|---|---|---|
//! | the peer's close frame had a code | that code | yes | `Handshake` |
//! | it had no body | 1005 | yes | `Handshake` |
//! | the transport ended without one | 1006 | no | `TransportEnded` |
//! | the peer broke a rule | 1006 | no | `Failed`, with the rule |
//! | a deadline passed | 1006 | no | `TimedOut`, with which |
//! | [`abort`] | 1006 | no | `Aborted` |
//!
//! 1005 and 1006 are names for what never stands in a frame: no [`CloseCode`] has them, so they cannot be
//! sent. The same holds for 1015 and for all other numbers outside of 1000 to 1003, 1007 to 1014 and 3000 to
//! 4999.
//!
//! A reason is for whoever reads a log, not for end users (RFC 6455 §5.5.1): it is text of the peer.
//!
//! # Faults of ours
//!
//! There is none in this table: what the caller does wrong is a [`UsageError`] of the call, nothing is
//! written, and the connection is as it was.
//!
//! [`close`]: crate::Connection::close
//! [`abort`]: crate::Connection::abort
//! [`transport_action`]: crate::Connection::transport_action
//! [`UsageError`]: crate::UsageError
//! [`UsageError::NotOpen`]: crate::UsageError::NotOpen
//! [`Timeouts::close`]: crate::Timeouts::close
//! [`Event::Closed`]: crate::Event::Closed
//! [`CloseInfo`]: crate::CloseInfo
//! [`CloseCode`]: crate::CloseCode
//! [`CloseCause::TimedOut`]: crate::CloseCause::TimedOut
