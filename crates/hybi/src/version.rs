//! The versions of the protocol: what `Sec-WebSocket-Version` says (RFC 6455 §4.4 and §11.6).

use core::fmt;

/// A version of the protocol. Framing is the same in all of them; they differ in the name of the origin
/// header and in the close codes that exist.
///
/// ```
/// use hybi::Version;
/// assert_eq!(Version::default(), Version::V13);
/// assert_eq!(Version::from_number(8), Some(Version::V8));
/// assert_eq!(Version::from_number(9), None); // never assigned to a draft that was deployed
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// Draft 07 of HyBi.
    V7,
    /// Drafts 08 to 12 of HyBi.
    V8,
    /// Drafts 13 to 17 of HyBi, and RFC 6455.
    #[default]
    V13,
}

impl Version {
    /// The version with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            7 => Some(Self::V7),
            8 => Some(Self::V8),
            13 => Some(Self::V13),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::V7 => 7,
            Self::V8 => 8,
            Self::V13 => 13,
        }
    }

    /// The name of the request header that carries the origin: it was renamed twice.
    /// Drafts 11 and 12 (version 8) use `Origin` again, so a server looks at both names for version 8.
    pub const fn origin_header(self) -> &'static str {
        match self {
            Self::V7 | Self::V8 => "Sec-WebSocket-Origin",
            Self::V13 => "Origin",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The versions that a server speaks.
///
/// ```
/// use hybi::{Version, Versions};
/// let versions = Versions::default().with(Version::V8);
/// assert!(versions.contains(Version::V8));
/// assert_eq!(versions.to_string(), "13, 8"); // as a refusal lists them
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions(u8);

impl Versions {
    const ALL: [Version; 3] = [Version::V13, Version::V8, Version::V7];

    /// This version and the ones before.
    #[must_use]
    pub const fn with(self, version: Version) -> Self {
        Self(self.0 | 1 << version as u8)
    }

    /// Whether the version is spoken.
    pub const fn contains(self, version: Version) -> bool {
        self.0 & 1 << version as u8 != 0
    }

    /// The versions, newest first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        Self::ALL.into_iter().filter(move |v| self.contains(*v))
    }
}

/// Version 13 alone.
impl Default for Versions {
    fn default() -> Self {
        Self(0).with(Version::V13)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, version) in self.iter().enumerate() {
            write!(f, "{}{version}", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
