//! Parameters: what each side may ask for, and what comes of it (RFC 7692 §7.1).
//!
//! ```text
//!            client                                         server
//!   config ─▶ offer ──── Sec-WebSocket-Extensions ────▶ answer ◀─ config
//!   params ◀─ agree ◀─── Sec-WebSocket-Extensions ──────┘  └─▶ params
//! ```
//!
//! | parameter | in an offer | in an answer |
//! |---|---|---|
//! | `server_no_context_takeover` | the server has to | it will |
//! | `client_no_context_takeover` | the client will | it has to |
//! | `server_max_window_bits` | N: at most | N: so many |
//! | `client_max_window_bits` | can be told; N: at most | N: at most |
//!
//! A server passes over an offer that is invalid or that it cannot serve, and tries the next (§5, §7); a client
//! fails on such an answer (§7.1).

use core::fmt;

use super::{Deflater, Inflater};
use crate::extension::Offer;
use crate::role::Role;

/// The size of an LZ77 window: 2 to the power of so many octets (RFC 7692 §7.1.2). It is 8 to 15.
///
/// ```
/// use hybi::extension::permessage_deflate::WindowBits;
/// assert_eq!(WindowBits::new(10)?.len(), 1024);
/// assert_eq!(WindowBits::MAX.get(), 15);
/// assert!(WindowBits::new(16).is_err());
/// # Ok::<(), hybi::extension::permessage_deflate::BadWindowBits>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 octets.
    pub const MIN: Self = Self(8);
    /// 32 KiB, which is also what is in force where nothing was agreed.
    pub const MAX: Self = Self(15);

    /// So many bits.
    ///
    /// # Errors
    /// There is no such window.
    pub const fn new(bits: u8) -> Result<Self, BadWindowBits> {
        if bits >= Self::MIN.0 && bits <= Self::MAX.0 { Ok(Self(bits)) } else { Err(BadWindowBits) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Octets of the window.
    #[allow(clippy::len_without_is_empty, reason = "a window is never empty")]
    pub const fn len(self) -> usize {
        1 << self.0
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

/// Window bits outside of 8 to 15 (RFC 7692 §7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BadWindowBits;

impl fmt::Display for BadWindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("window bits have to be 8 to 15 (RFC 7692 §7.1.2)")
    }
}

impl core::error::Error for BadWindowBits {}

/// How much work goes into compression: 0, which only stores, to 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Stores, and compresses nothing.
    pub const STORE: Self = Self(0);
    /// The fastest that compresses.
    pub const FAST: Self = Self(1);
    /// The one that makes the smallest messages.
    pub const BEST: Self = Self(9);

    /// This level.
    ///
    /// # Errors
    /// It is above 9.
    pub const fn new(level: u8) -> Result<Self, BadLevel> {
        if level <= Self::BEST.0 { Ok(Self(level)) } else { Err(BadLevel) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(6)
    }
}

/// A level above 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BadLevel;

impl fmt::Display for BadLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("levels are 0 to 9")
    }
}

impl core::error::Error for BadLevel {}

/// What we wish of a `.._no_context_takeover` (RFC 7692 §7.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// As the peer likes.
    #[default]
    Any,
    /// No context is to be taken over: messages cost no memory between them, and become larger.
    None,
    /// The context is to be taken over: what forbids it is declined.
    Always,
}

/// What we wish of a `.._max_window_bits` (RFC 7692 §7.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Window {
    /// As the peer likes. A client says that it can be told.
    #[default]
    Any,
    /// At most so many bits.
    AtMost(WindowBits),
    /// The full window: no parameter is sent, and one that limits it is declined. A client does not say that
    /// it can be told.
    Full,
}

/// What happens to the memory of contexts between messages, where none is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Each connection keeps its own, for speed.
    #[default]
    Dedicated,
    /// It is given back after each message: what idle connections cost does not depend on compression.
    Shared,
}

/// The settings of permessage-deflate, the same for both roles: plain data with good defaults.
///
/// ```
/// use hybi::extension::permessage_deflate::{DeflateConfig, Takeover, Window, WindowBits};
/// let mut config = DeflateConfig::default();
/// config.server_no_context_takeover = Takeover::None;
/// config.client_max_window_bits = Window::AtMost(WindowBits::new(12)?);
/// # Ok::<(), hybi::extension::permessage_deflate::BadWindowBits>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateConfig {
    /// Whether the server may refer to its earlier messages (§7.1.1.1). Default any.
    pub server_no_context_takeover: Takeover,
    /// Whether the client may refer to its earlier messages (§7.1.1.2). Default any.
    pub client_no_context_takeover: Takeover,
    /// The window of the server (§7.1.2.1). Default any.
    pub server_max_window_bits: Window,
    /// The window of the client (§7.1.2.2). Default any.
    pub client_max_window_bits: Window,
    /// On a server: an offer of a client that cannot be told its window is declined, if
    /// `client_max_window_bits` limits it. Off, such a client has the full window. Default off.
    pub client_window_is_hard: bool,
    /// How much work goes into compression. Default 6.
    pub level: Level,
    /// Messages of fewer octets go out as they are. The first fragment decides for all. Default 1,024.
    pub threshold: usize,
    /// Whether the threshold also holds where our context is taken over, and a short message may become a few
    /// octets. Default on.
    pub threshold_with_takeover: bool,
    /// What happens to memory between messages. Default dedicated.
    pub memory: Memory,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            server_no_context_takeover: Takeover::Any,
            client_no_context_takeover: Takeover::Any,
            server_max_window_bits: Window::Any,
            client_max_window_bits: Window::Any,
            client_window_is_hard: false,
            level: Level::default(),
            threshold: 1024,
            threshold_with_takeover: true,
            memory: Memory::Dedicated,
        }
    }
}

impl DeflateConfig {
    /// Whether a message whose first fragment, or the whole, has so many octets is worth compressing for a role
    /// that takes over its context or does not (RFC 7692 §6).
    pub const fn compresses(&self, len: usize, takeover: bool) -> bool {
        len >= self.threshold || takeover && !self.threshold_with_takeover
    }
}

impl Window {
    fn limit(self) -> Option<WindowBits> {
        match self {
            Self::AtMost(bits) => Some(bits),
            Self::Any | Self::Full => None,
        }
    }
}

/// The answer of a server that is invalid, goes beyond the offer, or ignores what it insisted on (RFC 7692
/// §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnacceptableAnswer;

impl fmt::Display for UnacceptableAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer to the offer of permessage-deflate is not acceptable (RFC 7692 §7.1)")
    }
}

impl core::error::Error for UnacceptableAnswer {}

impl DeflateConfig {
    /// What a client offers (RFC 7692 §7.1).
    ///
    /// ```
    /// use hybi::extension::permessage_deflate::DeflateConfig;
    /// assert_eq!(DeflateConfig::default().offer().to_string(), "permessage-deflate; client_max_window_bits");
    /// ```
    pub fn offer(&self) -> Offer {
        Element {
            server_no_context_takeover: self.server_no_context_takeover == Takeover::None,
            client_no_context_takeover: self.client_no_context_takeover == Takeover::None,
            server_max_window_bits: self.server_max_window_bits.limit(),
            client_max_window_bits: match self.client_max_window_bits {
                Window::Any => Some(None),
                Window::AtMost(bits) => Some(Some(bits)),
                Window::Full => None,
            },
        }
        .to_offer()
    }

    /// What a server answers, and what is then agreed on: to the first of the offers that is valid and can be
    /// served (RFC 7692 §5, §7). Offers of other extensions are passed over. `None`: it declines.
    ///
    /// ```
    /// use hybi::extension::{parse_offers, permessage_deflate::DeflateConfig};
    /// let header = b"permessage-deflate; server_max_window_bits=20, permessage-deflate; server_max_window_bits=10";
    /// let (answer, params) = DeflateConfig::default().answer(&parse_offers([&header[..]])?).unwrap();
    /// assert_eq!(answer.to_string(), "permessage-deflate; server_max_window_bits=10");
    /// assert_eq!(params.server_max_window_bits.get(), 10);
    /// # Ok::<(), hybi::extension::OfferSyntax>(())
    /// ```
    pub fn answer(&self, offers: &[Offer]) -> Option<(Offer, Params)> {
        offers.iter().filter_map(Element::parse).find_map(|offer| self.answer_one(&offer))
    }

    fn answer_one(&self, offer: &Element) -> Option<(Offer, Params)> {
        if offer.server_no_context_takeover && self.server_no_context_takeover == Takeover::Always {
            return None;
        }
        let own_limit = self.server_max_window_bits.limit().unwrap_or_default();
        let server_max_window_bits = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (Some(_), Window::Full) => return None,
            (asked, _) => asked.map(|asked| asked.min(own_limit)),
        };
        let client_max_window_bits = match (offer.client_max_window_bits, self.client_max_window_bits) {
            (None, Window::AtMost(limit)) if self.client_window_is_hard && limit < WindowBits::MAX => {
                return None;
            }
            (Some(hint), Window::AtMost(limit)) => Some(hint.unwrap_or_default().min(limit)),
            (Some(hint), Window::Any) => hint,
            (None, _) | (_, Window::Full) => None,
        };
        let answer = Element {
            server_no_context_takeover: offer.server_no_context_takeover
                || self.server_no_context_takeover == Takeover::None,
            // A hint that is not taken up binds nobody (§7.1.1.2).
            client_no_context_takeover: match self.client_no_context_takeover {
                Takeover::Any => offer.client_no_context_takeover,
                Takeover::None => true,
                Takeover::Always => false,
            },
            server_max_window_bits,
            client_max_window_bits: client_max_window_bits.map(Some),
        };
        let params = Params {
            // Some clients fail on a limit that they did not ask for; one may be kept without a word.
            server_max_window_bits: server_max_window_bits.unwrap_or(own_limit),
            ..answer.params()
        };
        Some((answer.to_offer(), params))
    }

    /// What is agreed on by the answer of a server to our offer.
    ///
    /// # Errors
    /// The answer is invalid, goes beyond the offer, or ignores what the offer insisted on (RFC 7692 §7.1): the
    /// connection has to fail.
    pub fn agree(&self, answer: &Offer) -> Result<Params, UnacceptableAnswer> {
        let answer = Element::parse(answer).ok_or(UnacceptableAnswer)?;
        let own_limit = self.client_max_window_bits.limit().unwrap_or_default();
        let bits = match answer.client_max_window_bits {
            None => own_limit,
            Some(Some(bits)) if bits <= own_limit && self.client_max_window_bits != Window::Full => bits,
            Some(_) => return Err(UnacceptableAnswer),
        };
        match (answer.server_max_window_bits, self.server_max_window_bits) {
            (_, Window::Any) | (None, Window::Full) => {}
            (Some(bits), Window::AtMost(limit)) if bits <= limit => {}
            (_, Window::AtMost(_) | Window::Full) => return Err(UnacceptableAnswer),
        }
        let forbidden = |wish, asked| wish == Takeover::Always && asked;
        let ignored = self.server_no_context_takeover == Takeover::None && !answer.server_no_context_takeover;
        if ignored
            || forbidden(self.server_no_context_takeover, answer.server_no_context_takeover)
            || forbidden(self.client_no_context_takeover, answer.client_no_context_takeover)
        {
            return Err(UnacceptableAnswer);
        }
        Ok(Params {
            // What we announced we do, whatever the answer says of it (§7.1.1.2).
            client_no_context_takeover: answer.client_no_context_takeover
                || self.client_no_context_takeover == Takeover::None,
            client_max_window_bits: bits,
            ..answer.params()
        })
    }
}

/// What was agreed on. The default is what an answer without parameters means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params {
    /// The server begins each message with an empty window (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client begins each message with an empty window (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The window of the server (§7.1.2.1).
    pub server_max_window_bits: WindowBits,
    /// The window of the client (§7.1.2.2).
    pub client_max_window_bits: WindowBits,
}

impl Params {
    /// The window in which this role compresses.
    pub const fn own_window_bits(&self, role: Role) -> WindowBits {
        match role {
            Role::Client => self.client_max_window_bits,
            Role::Server => self.server_max_window_bits,
        }
    }

    /// The window in which the peer of this role compresses.
    pub const fn peer_window_bits(&self, role: Role) -> WindowBits {
        self.own_window_bits(role.peer())
    }

    /// Whether this role takes over its context from one message to the next.
    pub const fn own_takeover(&self, role: Role) -> bool {
        match role {
            Role::Client => !self.client_no_context_takeover,
            Role::Server => !self.server_no_context_takeover,
        }
    }

    /// Whether the peer of this role does.
    pub const fn peer_takeover(&self, role: Role) -> bool {
        self.own_takeover(role.peer())
    }

    /// What this role compresses with.
    pub const fn deflater(&self, role: Role, level: Level) -> Deflater {
        Deflater::new(self.own_window_bits(role), self.own_takeover(role), level)
    }

    /// What this role decompresses with.
    pub const fn inflater(&self, role: Role) -> Inflater {
        Inflater::new(self.peer_window_bits(role), self.peer_takeover(role))
    }
}

/// The name of the extension (§7).
pub(crate) const NAME: &str = "permessage-deflate";

/// One element of the header with valid parameters, each at most once.
#[derive(Clone, Copy, Debug, Default)]
struct Element {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<WindowBits>,
    /// In an offer it may have no value.
    client_max_window_bits: Option<Option<WindowBits>>,
}

impl Element {
    /// `None`: it is not ours, or a parameter is unknown, repeated or has a wrong value (§7.1).
    fn parse(offer: &Offer) -> Option<Self> {
        if offer.name() != NAME {
            return None;
        }
        let mut element = Self::default();
        for param in offer.params() {
            let repeated = match (param.name(), param.value()) {
                ("server_no_context_takeover", None) => {
                    core::mem::replace(&mut element.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    core::mem::replace(&mut element.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(value)) => {
                    element.server_max_window_bits.replace(parse_bits(value)?).is_some()
                }
                ("client_max_window_bits", None) => element.client_max_window_bits.replace(None).is_some(),
                ("client_max_window_bits", Some(value)) => {
                    element.client_max_window_bits.replace(Some(parse_bits(value)?)).is_some()
                }
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        Some(element)
    }

    fn to_offer(self) -> Offer {
        let (server, client) = (self.server_max_window_bits, self.client_max_window_bits);
        let params = [
            ("server_no_context_takeover", self.server_no_context_takeover.then_some(None)),
            ("client_no_context_takeover", self.client_no_context_takeover.then_some(None)),
            ("server_max_window_bits", server.map(|bits| Some(format_bits(bits)))),
            ("client_max_window_bits", client.map(|bits| bits.map(format_bits))),
        ];
        let mut offer = Offer::new(NAME);
        for (name, value) in params {
            if let Some(value) = value {
                offer = offer.and_then(|offer| offer.with_param(name, value));
            }
        }
        offer.expect("names and numbers are tokens")
    }

    /// Those of an answer.
    fn params(self) -> Params {
        Params {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or_default(),
            client_max_window_bits: self.client_max_window_bits.flatten().unwrap_or_default(),
        }
    }
}

/// 8 to 15, in decimal digits without a leading zero (§7.1.2).
fn parse_bits(value: &str) -> Option<WindowBits> {
    (WindowBits::MIN.0..=WindowBits::MAX.0).map(WindowBits).find(|bits| format_bits(*bits) == value)
}

fn format_bits(bits: WindowBits) -> &'static str {
    ["8", "9", "10", "11", "12", "13", "14", "15"][usize::from(bits.0 - WindowBits::MIN.0)]
}
