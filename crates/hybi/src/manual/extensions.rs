//! Extensions: what changes messages on their way, who agrees to it, and how to write one.
//!
//! An extension (RFC 6455 §9) has a name, may own some of the three reserved bits, and transforms messages:
//! outward before they are framed, inward before they are delivered. Both sides have to agree on it in the
//! opening handshake: the client offers, the server answers with what it takes. permessage-deflate is built
//! in; others are yours.
//!
//! ```text
//!  message ──▶ first of the answer ──▶ .. ──▶ last of the answer ──▶ frames
//!  message ◀── first of the answer ◀── .. ◀── last of the answer ◀── frames
//! ```
//!
//! # One of your own
//!
//! This one sends each message backwards. [`Extension`] is how it is negotiated, and is shared by any number
//! of handshakes; [`Transforms`] are its two halves, made anew for each connection, and may hold state.
//!
//! ```
//! use hybi::extension::{Extension, Extensions, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit};
//! use hybi::handshake::{Accept, ClientHandshake, ClientRequest, Incoming, Outcome, ServerHandshake, ServerSettings};
//! use hybi::{BoxEntropy, Config, Event, Role};
//!
//! #[derive(Clone, Debug)]
//! struct Backwards;
//!
//! impl Extension for Backwards {
//!     fn name(&self) -> &str {
//!         "x-backwards"
//!     }
//!     fn rsv(&self) -> Rsv {
//!         Rsv::NONE // every message is backwards, so no bit has to say so
//!     }
//!     fn offers(&self) -> Vec<Offer> {
//!         Offer::new("x-backwards").into_iter().collect()
//!     }
//!     fn answer(&self, offers: &[Offer]) -> Option<Offer> {
//!         offers.iter().find(|offer| self.agrees(offer)).cloned() // or `None`, to decline
//!     }
//!     fn agrees(&self, answer: &Offer) -> bool {
//!         answer.params().is_empty()
//!     }
//!     fn transforms(&self, _: Role, _: &Offer) -> Transforms {
//!         Transforms { outward: Box::new(Self), inward: Box::new(Self) }
//!     }
//! }
//!
//! impl Outward for Backwards {
//!     fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
//!         message.payload.reverse();
//!         Ok(())
//!     }
//! }
//!
//! impl Inward for Backwards {
//!     fn inward(&mut self, message: &mut Transit, _limit: usize) -> Result<(), TransformError> {
//!         message.payload.reverse(); // no longer than before, so the limit needs no look
//!         Ok(())
//!     }
//! }
//!
//! let mut extensions = Extensions::new();
//! extensions.register(Backwards)?;
//!
//! let request = ClientRequest::new("ws://example.com/")?.with_extensions(extensions.clone());
//! let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7));
//! let mut client = ClientHandshake::new(request, Config::default(), entropy);
//! let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
//! let wire = client.transmit().to_vec();
//! client.transmitted(wire.len());
//! assert_eq!(server.receive(&wire), wire.len());
//! assert!(matches!(server.poll_event(), Some(Incoming::Upgrade(_))));
//! let mut server = server.accept(Accept::new().with_extensions(extensions))?;
//! assert_eq!(server.agreement().extensions().collect::<Vec<_>>(), ["x-backwards"]);
//!
//! server.send("edit")?;
//! assert!(server.transmit().ends_with(b"\x81\x04tide")); // on the wire it is backwards
//! let wire = server.transmit().to_vec();
//! assert_eq!(client.receive(&wire), wire.len());
//! assert!(matches!(client.poll_event(), Some(Outcome::Opened(_))));
//! let mut client = client.into_connection().expect("it is open");
//! assert!(matches!(client.poll_event(), Some(Event::Text(text)) if text.as_str() == "edit"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules that an extension has to keep
//!
//! - **Stop at the limit.** `inward` is told how long the payload may become, and must not make more,
//!   whatever the peer announced. The message limit holds after all of them.
//! - **Touch its own bits.** A reserved bit has one owner: a server passes over a second extension that wants
//!   it, a client fails. What an extension does to the bits of others is undone.
//! - **Fail for good.** After an error nothing more passes in that direction, because the other side's state
//!   no longer fits. Of a received message it fails the connection ([`ProtocolError::InvalidExtensionData`],
//!   1007); of one that was to be sent it is [`UsageError::ExtensionFailed`], and messages are received as
//!   before.
//! - **Leave text alone or restore it.** Between two extensions a payload is octets; what comes out at the
//!   end is validated as its kind says.
//!
//! Messages enter and leave whole: with an extension of your own a message is joined before it is
//! transformed, also with [`Delivery::Fragments`]. permessage-deflate alone works on the pieces. Control
//! frames are not for extensions. The module [`extension`](crate::extension) has a table of all that changes
//! for a connection.
//!
//! # What is in force
//!
//! [`Agreement::extensions`] has the names in the order of the answer, [`Agreement::agreed`] what was agreed
//! on about each. A server may decline everything, so a client that cannot do without asks
//! [`Agreement::missing_extensions`], which gives the close frame with code 1010 that the RFC wants.
//!
//! Where somebody else makes the handshake, [`Extensions::answer`] and [`Extensions::agree`] negotiate, and
//! [`Agreement::with_extensions`] tells the connection.
//!
//! [`Extension`]: crate::extension::Extension
//! [`Extensions::answer`]: crate::extension::Extensions::answer
//! [`Extensions::agree`]: crate::extension::Extensions::agree
//! [`Transforms`]: crate::extension::Transforms
//! [`ProtocolError::InvalidExtensionData`]: crate::ProtocolError::InvalidExtensionData
//! [`UsageError::ExtensionFailed`]: crate::UsageError::ExtensionFailed
//! [`Delivery::Fragments`]: crate::Delivery::Fragments
//! [`Agreement::extensions`]: crate::Agreement::extensions
//! [`Agreement::agreed`]: crate::Agreement::agreed
//! [`Agreement::missing_extensions`]: crate::Agreement::missing_extensions
//! [`Agreement::with_extensions`]: crate::Agreement::with_extensions
