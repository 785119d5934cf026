//! Extensions: what the two sides may agree on beyond the protocol (RFC 6455 §9).
//!
//! | file | what |
//! |---|---|
//! | `offer` | the language of `Sec-WebSocket-Extensions`: [`Offer`], [`parse_offers`], [`format_offers`] |
//! | `registry` | who is offered, answered and agreed to: [`Extensions`], and [`Extension`] for one of your own |
//! | `agreed` | what came of it, in its order: [`Agreed`], which an [`Agreement`](crate::Agreement) carries |
//! | `transform` | what an extension does to messages: [`Outward`], [`Inward`] |
//! | `line` | the order of operation, and whose reserved bits are whose |
//! | `deflating` | the two halves of permessage-deflate, for both ways to run it |
//! | `try_box` | memory for them, if there is some |
//! | `permessage_deflate` | the extension that is built in (RFC 7692) |
//!
//! ```text
//!  message ──▶ first of the answer ──▶ .. ──▶ last of the answer ──▶ frames
//!  message ◀── first of the answer ◀── .. ◀── last of the answer ◀── frames
//! ```
//!
//! All of it is pure: values go in, values come out. An extension of your own sees whole messages, never frames.
//!
//! # An extension of your own
//!
//! Implement [`Extension`] (its documentation has a whole one), register it, and hand the registered extensions to the
//! opening handshake: [`ClientRequest::with_extensions`] offers them, [`Accept::with_extensions`] answers. Connections
//! that agree run them; nothing else changes. `with_deflate` is a short way to register permessage-deflate.
//!
//! [`ClientRequest::with_extensions`]: crate::handshake::ClientRequest::with_extensions
//! [`Accept::with_extensions`]: crate::handshake::Accept::with_extensions
//!
//! ```
//! # use hybi::extension::{Extension, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit};
//! # #[derive(Clone, Debug)]
//! # struct Backwards;
//! # impl Extension for Backwards {
//! #     fn name(&self) -> &str { "x-backwards" }
//! #     fn rsv(&self) -> Rsv { Rsv::NONE }
//! #     fn offers(&self) -> Vec<Offer> { vec![Offer::new("x-backwards").unwrap()] }
//! #     fn answer(&self, offers: &[Offer]) -> Option<Offer> { Some(offers[0].clone()) }
//! #     fn agrees(&self, _: &Offer) -> bool { true }
//! #     fn transforms(&self, _: Role, _: &Offer) -> Transforms {
//! #         Transforms { outward: Box::new(Self), inward: Box::new(Self) }
//! #     }
//! # }
//! # impl Outward for Backwards {
//! #     fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
//! #         message.payload.reverse();
//! #         Ok(())
//! #     }
//! # }
//! # impl Inward for Backwards {
//! #     fn inward(&mut self, message: &mut Transit, _limit: usize) -> Result<(), TransformError> {
//! #         message.payload.reverse();
//! #         Ok(())
//! #     }
//! # }
//! use hybi::extension::Extensions;
//! use hybi::{Agreement, Config, Connection, Role};
//!
//! let mut extensions = Extensions::new();
//! extensions.register(Backwards)?;
//!
//! // A handshake makes this step, or whoever makes the handshake.
//! let (answer, agreed) = extensions.answer(&extensions.offers());
//! assert_eq!(answer[0].to_string(), "x-backwards");
//! let agreement = Agreement::default().with_extensions(agreed);
//!
//! let mut connection = Connection::server(agreement, Config::default());
//! connection.send("olleh")?;
//! assert_eq!(connection.transmit(), b"\x81\x05hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A client that cannot do without one asks [`Agreement::missing_extensions`](crate::Agreement::missing_extensions),
//! once the connection is open, for the close frame that says so.
//!
//! # What connections do with them
//!
//! A connection that agreed on permessage-deflate and nothing else inflates and deflates piece by piece. One that
//! agreed on anything else lets whole messages pass:
//!
//! | | then |
//! |---|---|
//! | [`Limits::message`](crate::Limits) | holds for every form of a message, from the wire to the application. It is told to each [`Inward`], and checked behind it |
//! | [`Delivery::Fragments`](crate::Delivery) | a message is one fragment, first and last: what a connection holds is bounded by the limit on messages |
//! | [`MessageWriter`](crate::MessageWriter) | collects the fragments; the message goes out in one frame when it is finished |
//! | [`Prepared`](crate::Prepared) | passes like any message: the form that was prepared cannot be used |
//! | [`Payload::compressed`](crate::Payload::compressed) | reaches permessage-deflate, and others as [`Transit::compress`] |
//! | text | is validated behind the last extension inward; between two it may be any octets |
//! | control frames | pass no extension, and keep their place between messages |
//! | a failure inward | fails the connection with 1007, 1009 or 1011; messages before it are delivered |
//! | a failure outward | refuses that message and all later ones, with [`UsageError::ExtensionFailed`](crate::UsageError): the peer could not follow. Messages are received as before, and control frames are sent |
//!
//! Reserved bits are legal on the first frame of a message, and there only those of extensions that were agreed on.

mod agreed;
mod deflating;
mod line;
mod offer;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
pub mod permessage_deflate;
#[cfg(not(any(feature = "deflate", feature = "zlib-rs")))]
#[path = "no_deflate.rs"]
pub(crate) mod permessage_deflate;
mod registry;
mod transform;
mod try_box;

pub use crate::error::AgreeError;
pub use agreed::Agreed;
pub(crate) use agreed::Paths;
pub use line::{ExtensionFailed, InwardLine, OutwardLine};
pub(crate) use line::{InwardPath, OutwardPath};
#[cfg(feature = "handshake")]
pub(crate) use offer::validate_offers;
pub use offer::{NotAToken, Offer, OfferSyntax, Param, format_offers, parse_offers};
pub use registry::{Extension, Extensions, RegisterError};
pub use transform::{Inward, Outward, Rsv, TransformError, Transforms, Transit};
pub(crate) use try_box::TryBox;
