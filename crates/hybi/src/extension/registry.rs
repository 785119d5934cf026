//! Negotiation (RFC 6455 §9.1): registered extensions make offers, answer offers, and agree to answers.
//!
//! | role | in | out |
//! |---|---|---|
//! | client | | offers, in the order of registration |
//! | server | all offers of the client | answers in the order of registration, and what is in force |
//! | client | its offers and the answers of the server | what is in force, in the order of the answers, or an error |
//!
//! A reserved bit belongs to one extension: a server passes over a second one that wants it, a client fails.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::line::{Active, Agreed, Rsv, Transforms};
use super::offer::Offer;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use super::permessage_deflate::{self, DeflateConfig};
use crate::http::token::is_token;

/// An extension of your own (RFC 6455 §9): how it is negotiated. What it does to messages are its
/// [`Transforms`], made anew for each connection.
///
/// ```
/// use hybi::extension::{Extension, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit};
///
/// /// Sends every payload backwards.
/// #[derive(Clone, Debug)]
/// struct Backwards;
///
/// impl Extension for Backwards {
///     fn name(&self) -> &str {
///         "x-backwards"
///     }
///     fn rsv(&self) -> Rsv {
///         Rsv::NONE
///     }
///     fn offers(&self) -> Vec<Offer> {
///         vec![Offer::new("x-backwards").unwrap()]
///     }
///     fn answer(&self, offers: &[Offer]) -> Option<(Offer, Transforms)> {
///         let transforms = Transforms { outward: Box::new(Self), inward: Box::new(Self) };
///         offers[0].params().is_empty().then(|| (Offer::new("x-backwards").unwrap(), transforms))
///     }
///     fn agree(&self, answer: &Offer) -> Option<Transforms> {
///         let transforms = Transforms { outward: Box::new(Self), inward: Box::new(Self) };
///         answer.params().is_empty().then_some(transforms)
///     }
/// }
///
/// impl Outward for Backwards {
///     fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
///         message.payload.reverse();
///         Ok(())
///     }
/// }
///
/// impl Inward for Backwards {
///     fn inward(&mut self, message: &mut Transit, _limit: usize) -> Result<(), TransformError> {
///         message.payload.reverse();
///         Ok(())
///     }
/// }
/// ```
pub trait Extension: fmt::Debug + Send + Sync {
    /// Its name, a token; always the same.
    fn name(&self) -> &str;

    /// The reserved bits that it gives a meaning; always the same.
    fn rsv(&self) -> Rsv;

    /// What a client offers, the most wished for first. Offers of another name are left out.
    fn offers(&self) -> Vec<Offer>;

    /// What a server answers to all offers of this name, of which there is at least one. `None`: it declines.
    fn answer(&self, offers: &[Offer]) -> Option<(Offer, Transforms)>;

    /// What a client makes of the answer. `None`: it is not acceptable, and the connection fails.
    fn agree(&self, answer: &Offer) -> Option<Transforms>;
}

/// The extensions that may be agreed on, in an order of preference. Plain data: clones share the extensions, and
/// any number of handshakes can use one.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    registered: Vec<Registered>,
}

#[derive(Clone, Debug)]
enum Registered {
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    PermessageDeflate(DeflateConfig),
    Other(Arc<dyn Extension>),
}

impl PartialEq for Registered {
    /// Extensions of somebody else are equal if they are the same object.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            (Self::PermessageDeflate(a), Self::PermessageDeflate(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => Arc::ptr_eq(a, b),
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            _ => false,
        }
    }
}

impl PartialEq for Extensions {
    fn eq(&self, other: &Self) -> bool {
        self.registered == other.registered
    }
}

impl Eq for Extensions {}

/// Why an extension was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegisterError {
    /// Its name is no token (RFC 6455 §9.1).
    NotAToken,
    /// There is one of this name.
    Duplicate,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAToken => "the name of the extension is no token (RFC 6455 §9.1)",
            Self::Duplicate => "there is an extension of this name",
        })
    }
}

impl core::error::Error for RegisterError {}

/// Why a client fails on the answers of a server. The code for it is 1010 (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgreeError {
    /// It was not offered (§4.1).
    NotOffered,
    /// A reserved bit would belong to two extensions, or an extension is answered twice (§9.1).
    RsvConflict,
    /// The extension does not accept its parameters (§9.1).
    Unacceptable,
}

impl fmt::Display for AgreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "the server chose an extension that was not offered (RFC 6455 §4.1)",
            Self::RsvConflict => "the server chose two extensions for one reserved bit (RFC 6455 §9.1)",
            Self::Unacceptable => "the server chose parameters that are not acceptable (RFC 6455 §9.1)",
        })
    }
}

impl core::error::Error for AgreeError {}

impl Extensions {
    /// None.
    pub const fn new() -> Self {
        Self { registered: Vec::new() }
    }

    /// Registers an extension behind those that are there.
    ///
    /// # Errors
    /// The name is no token, or taken.
    pub fn register(&mut self, extension: impl Extension + 'static) -> Result<(), RegisterError> {
        if !is_token(extension.name().as_bytes()) {
            return Err(RegisterError::NotAToken);
        }
        self.push(Registered::Other(Arc::new(extension)))
    }

    /// Registers permessage-deflate (RFC 7692).
    ///
    /// # Errors
    /// There is one.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "deflate", feature = "zlib-rs"))))]
    pub fn register_permessage_deflate(&mut self, config: DeflateConfig) -> Result<(), RegisterError> {
        self.push(Registered::PermessageDeflate(config))
    }

    fn push(&mut self, new: Registered) -> Result<(), RegisterError> {
        if self.registered.iter().any(|registered| registered.name() == new.name()) {
            return Err(RegisterError::Duplicate);
        }
        self.registered.push(new);
        Ok(())
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    /// What a client offers.
    pub fn offers(&self) -> Vec<Offer> {
        self.registered.iter().flat_map(Registered::offers).collect()
    }

    /// What a server answers to the offers of a client, and what is then in force.
    pub fn answer(&self, offers: &[Offer]) -> (Vec<Offer>, Agreed) {
        let (mut answers, mut agreed) = (Vec::new(), Agreed::default());
        for registered in &self.registered {
            let name = registered.name();
            let offers: Vec<_> = offers.iter().filter(|offer| offer.name() == name).cloned().collect();
            if offers.is_empty() || agreed.rsv().overlaps(registered.rsv()) {
                continue;
            }
            if let Some((answer, active)) = registered.answer(&offers) {
                debug_assert_eq!(answer.name(), name, "an extension answers by its own name");
                answers.push(answer);
                agreed.push(active);
            }
        }
        (answers, agreed)
    }

    /// What is in force for a client that offered this and was answered that.
    ///
    /// # Errors
    /// The connection has to fail (RFC 6455 §4.1, §9.1).
    pub fn agree(&self, offers: &[Offer], answers: &[Offer]) -> Result<Agreed, AgreeError> {
        let mut agreed = Agreed::default();
        for answer in answers {
            let name = answer.name();
            let registered = self.registered.iter().find(|registered| registered.name() == name);
            let offered = offers.iter().any(|offer| offer.name() == name);
            let registered = registered.filter(|_| offered).ok_or(AgreeError::NotOffered)?;
            if agreed.rsv().overlaps(registered.rsv()) || agreed.names().any(|earlier| earlier == name) {
                return Err(AgreeError::RsvConflict);
            }
            agreed.push(registered.agree(answer).ok_or(AgreeError::Unacceptable)?);
        }
        Ok(agreed)
    }
}

impl Registered {
    fn name(&self) -> &str {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(_) => permessage_deflate::NAME,
            Self::Other(extension) => extension.name(),
        }
    }

    fn rsv(&self) -> Rsv {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(_) => Rsv::RSV1,
            Self::Other(extension) => extension.rsv(),
        }
    }

    fn offers(&self) -> Vec<Offer> {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(config) => Vec::from([config.offer()]),
            Self::Other(extension) => {
                let mut offers = extension.offers();
                offers.retain(|offer| offer.name() == extension.name());
                offers
            }
        }
    }

    fn answer(&self, offers: &[Offer]) -> Option<(Offer, Active)> {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(config) => {
                let (answer, params) = config.answer(offers)?;
                Some((answer, Active::PermessageDeflate { config: config.clone(), params }))
            }
            Self::Other(extension) => {
                let (answer, transforms) = extension.answer(offers)?;
                Some((answer, other(&**extension, transforms)))
            }
        }
    }

    fn agree(&self, answer: &Offer) -> Option<Active> {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(config) => {
                let params = config.agree(answer).ok()?;
                Some(Active::PermessageDeflate { config: config.clone(), params })
            }
            Self::Other(extension) => {
                let transforms = extension.agree(answer)?;
                Some(other(&**extension, transforms))
            }
        }
    }
}

fn other(extension: &dyn Extension, transforms: Transforms) -> Active {
    Active::Other { name: extension.name().into(), rsv: extension.rsv(), transforms }
}
