//! Extensions: what the two sides may agree on beyond the protocol (RFC 6455 §9).
//!
//! | file | what |
//! |---|---|
//! | `offer` | the language of `Sec-WebSocket-Extensions`: [`Offer`], [`parse_offers`], [`format_offers`] |
//! | `registry` | who is offered, answered and agreed to: [`Extensions`], and [`Extension`] for one of your own |
//! | `line` | the order of operation, and who may set which reserved bit: [`Agreed`] |
//! | `permessage_deflate` | the extension that is built in (RFC 7692) |
//!
//! ```text
//!  message ──▶ first of the answer ──▶ .. ──▶ last of the answer ──▶ frames
//!  message ◀── first of the answer ◀── .. ◀── last of the answer ◀── frames
//! ```
//!
//! All of it is pure: values go in, values come out. An extension sees whole messages, never frames.
//!
//! A [`Connection`](crate::Connection) runs permessage-deflate by itself. Extensions of one's own are negotiated
//! here and transform messages here; a connection does not run them yet.

mod line;
mod offer;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
pub mod permessage_deflate;
#[cfg(not(any(feature = "deflate", feature = "zlib-rs")))]
#[path = "no_deflate.rs"]
pub(crate) mod permessage_deflate;
mod registry;

pub use line::{
    Agreed, ExtensionFailed, Inward, InwardLine, Outward, OutwardLine, Rsv, TransformError, Transforms,
    Transit,
};
#[cfg(feature = "handshake")]
pub(crate) use offer::validate_offers;
pub use offer::{NotAToken, Offer, OfferSyntax, Param, format_offers, parse_offers};
pub use registry::{AgreeError, Extension, Extensions, RegisterError};
