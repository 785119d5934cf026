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

use super::agreed::Agreed;
use super::offer::Offer;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use super::permessage_deflate::{self, Deflate, DeflateConfig};
use super::transform::{Rsv, Transforms};
use crate::error::AgreeError;
use crate::http::token::is_token;
use crate::role::Role;

/// An extension of your own (RFC 6455 §9): how it is negotiated. What it does to messages are its
/// [`Transforms`], made anew for each connection.
///
/// ```
/// use hybi::extension::{Extension, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit};
/// use hybi::Role;
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
///     fn answer(&self, offers: &[Offer]) -> Option<Offer> {
///         offers.iter().find(|offer| offer.params().is_empty()).cloned()
///     }
///     fn agrees(&self, answer: &Offer) -> bool {
///         answer.params().is_empty()
///     }
///     fn transforms(&self, _role: Role, _answer: &Offer) -> Transforms {
///         Transforms { outward: Box::new(Self), inward: Box::new(Self) }
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

    /// What a client offers, the most wished for first; none: it makes no use of the extension. Offers of another
    /// name are left out.
    fn offers(&self) -> Vec<Offer>;

    /// What a server answers to all offers of this name, of which there is at least one. `None`, or an answer of
    /// another name: it declines.
    fn answer(&self, offers: &[Offer]) -> Option<Offer>;

    /// Whether the answer is acceptable to a client. If not, the opening handshake fails.
    fn agrees(&self, answer: &Offer) -> bool;

    /// What it does to the messages of a connection that agreed on this answer. Asked for once for each connection,
    /// at the end of its opening handshake.
    fn transforms(&self, role: Role, answer: &Offer) -> Transforms;
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
    PermessageDeflate(Arc<DeflateConfig>),
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
    pub fn register_permessage_deflate(
        &mut self,
        config: impl Into<Arc<DeflateConfig>>,
    ) -> Result<(), RegisterError> {
        self.push(Registered::PermessageDeflate(config.into()))
    }

    /// The same, where it may be registered: then with these settings from now on.
    #[cfg(all(feature = "handshake", any(feature = "deflate", feature = "zlib-rs")))]
    pub(crate) fn put_permessage_deflate(&mut self, config: Arc<DeflateConfig>) {
        let new = Registered::PermessageDeflate(config);
        match self.registered.iter_mut().find(|registered| registered.name() == new.name()) {
            Some(registered) => *registered = new,
            None => self.registered.push(new),
        }
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
            answers.extend(registered.answer(&offers, &mut agreed));
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
            registered.agree(answer, &mut agreed).ok_or(AgreeError::Unacceptable)?;
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

    fn answer(&self, offers: &[Offer], agreed: &mut Agreed) -> Option<Offer> {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(config) => {
                let (answer, params) = config.answer(offers)?;
                agreed.put_deflate(Deflate::new(config.clone(), params));
                Some(answer)
            }
            Self::Other(extension) => {
                let answer = extension.answer(offers).filter(|answer| answer.name() == extension.name())?;
                agreed.push(extension.clone(), answer.clone());
                Some(answer)
            }
        }
    }

    /// `None`: the answer is not acceptable.
    fn agree(&self, answer: &Offer, agreed: &mut Agreed) -> Option<()> {
        match self {
            #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
            Self::PermessageDeflate(config) => {
                let params = config.agree(answer).ok()?;
                agreed.put_deflate(Deflate::new(config.clone(), params));
            }
            Self::Other(extension) => {
                extension.agrees(answer).then(|| agreed.push(extension.clone(), answer.clone()))?;
            }
        }
        Some(())
    }
}
