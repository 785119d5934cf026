//! Close codes and reasons: RFC 6455 §5.5.1 and §7.4.
//!
//! A [`CloseCode`] is a code that may stand in a frame, so one that must not be sent cannot be built.
//! 1005 and 1006, which only an application sees, exist in [`CloseInfo`](crate::CloseInfo) alone.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// A close code that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999 (RFC 6455 §7.4 and the registry
/// that it founds).
///
/// ```
/// use hybi::CloseCode;
/// assert_eq!(CloseCode::new(4000).unwrap().value(), 4000);
/// assert_eq!(CloseCode::NORMAL.value(), 1000);
/// assert!(CloseCode::new(1006).is_none()); // never on the wire
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection was fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server goes down, or a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that the endpoint does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: data that does not fit its kind, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy was violated, and no other code says more.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: a client misses an extension in the server's answer.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: something unexpected hinders the endpoint.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got a bad answer from behind it.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code with this number; `None` if it must not be sent.
    #[inline]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    #[inline]
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which numbers close codes have on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CloseCodes {
    /// Those of RFC 6455.
    #[default]
    Rfc,
    /// Those of drafts 07 to 12, which are versions 7 and 8: a frame that is too large was 1004, and there was
    /// neither 1008 nor 1009.
    Draft,
}

impl CloseCodes {
    /// The code with this number; `None` if it must not be sent.
    pub(crate) const fn code(self, number: u16) -> Option<CloseCode> {
        match (self, number) {
            (Self::Draft, 1004) => Some(CloseCode::MESSAGE_TOO_BIG),
            _ => CloseCode::new(number),
        }
    }

    /// The number of this code.
    pub(crate) const fn number(self, code: CloseCode) -> u16 {
        match (self, code) {
            (Self::Draft, CloseCode::MESSAGE_TOO_BIG) => 1004,
            (Self::Draft, CloseCode::POLICY_VIOLATION) => CloseCode::PROTOCOL_ERROR.value(),
            _ => code.value(),
        }
    }
}

/// What a close frame says: a code, and a reason of at most 123 octets.
#[derive(PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Box<[u8]>,
}

impl CloseFrame {
    /// The longest reason in octets: a control frame holds 125, the code takes two.
    pub const MAX_REASON: usize = 123;

    /// A frame with this code and reason; `None` if the reason is longer than [`Self::MAX_REASON`] octets.
    ///
    /// ```
    /// use hybi::{CloseCode, CloseFrame};
    /// let frame = CloseFrame::new(CloseCode::GOING_AWAY, "maintenance").unwrap();
    /// assert_eq!(frame.reason(), "maintenance");
    /// assert!(CloseFrame::new(CloseCode::NORMAL, &"é".repeat(62)).is_none()); // 124 octets
    /// ```
    pub fn new(code: CloseCode, reason: &str) -> Option<Self> {
        Self::from_bytes(code, reason.as_bytes())
    }

    pub(crate) fn from_bytes(code: CloseCode, reason: &[u8]) -> Option<Self> {
        if reason.len() > Self::MAX_REASON {
            return None;
        }
        let mut bytes = Vec::new();
        // A reason that finds no memory is left out: the code matters, the reason is a courtesy.
        if bytes.try_reserve_exact(reason.len()).is_ok() {
            bytes.extend_from_slice(reason);
        }
        Some(Self { code, reason: bytes.into() })
    }

    /// The code.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason. It is meant for developers, not for end users (§5.5.1). Empty if there is none, and if
    /// the octets are not UTF-8, which can only be with [`Strictness::utf8`](crate::Strictness) off.
    pub fn reason(&self) -> &str {
        core::str::from_utf8(&self.reason).unwrap_or("")
    }

    /// The octets of the reason.
    pub fn reason_bytes(&self) -> &[u8] {
        &self.reason
    }
}

impl Clone for CloseFrame {
    /// A copy; without the reason where there is no memory for it, since the peer chose how long it is.
    fn clone(&self) -> Self {
        Self::from_bytes(self.code, &self.reason).unwrap_or(Self { code: self.code, reason: Box::default() })
    }
}

impl fmt::Debug for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseFrame({}, {:?})", self.code, self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_code_range() {
        let sendable = |c: u16| matches!(c, 1000..=1003 | 1007..=1014 | 3000..=4999);
        for code in 0..=u16::MAX {
            assert_eq!(CloseCode::new(code).is_some(), sendable(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert!(CloseCode::new(code).is_none(), "{code}");
        }
    }

    #[test]
    fn drafts_had_other_numbers() {
        for number in 0..=u16::MAX {
            assert_eq!(CloseCodes::Rfc.code(number), CloseCode::new(number));
            let Some(code) = CloseCodes::Draft.code(number) else { continue };
            assert_eq!(CloseCodes::Rfc.number(code), code.value());
            let differs = CloseCodes::Draft.number(code) != number;
            assert_eq!(differs, matches!(number, 1008 | 1009), "{number}");
        }
        assert_eq!(CloseCodes::Draft.code(1004), Some(CloseCode::MESSAGE_TOO_BIG));
        assert_eq!(CloseCodes::Draft.code(1005), None);
    }

    #[test]
    fn reason_is_counted_in_octets() {
        let longest = "é".repeat(61) + "e"; // 62 characters, 123 octets
        assert_eq!(CloseFrame::new(CloseCode::NORMAL, &longest).map(|f| f.reason().len()), Some(123));
        assert_eq!(CloseFrame::new(CloseCode::NORMAL, &"é".repeat(62)), None);
    }
}
