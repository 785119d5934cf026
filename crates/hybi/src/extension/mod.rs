//! Extensions: what the two sides may agree on beyond the protocol (RFC 6455 §9).
//!
//! Here is the language of `Sec-WebSocket-Extensions`: [`Offer`], [`parse_offers`] and [`format_offers`].

mod offer;

pub(crate) use offer::validate_offers;
pub use offer::{NotAToken, Offer, OfferSyntax, Param, format_offers, parse_offers};
