//! Subprotocols: names of what is spoken inside of the messages (RFC 6455 §1.9, §11.3.4).
//!
//! [`Subprotocols`] is the list in a request: the client builds it name by name, the server reads it. Both
//! get the same promise: names are tokens, and none occurs twice.

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, str};

use crate::http::fields::{elements, is_token};

/// The subprotocols that a client offers, the one it prefers first.
///
/// ```
/// use hybi::handshake::Subprotocols;
/// let offered = Subprotocols::parse([&b"chat.v2, chat.v1"[..]])?;
/// assert_eq!(offered.iter().collect::<Vec<_>>(), ["chat.v2", "chat.v1"]);
/// assert_eq!(offered.select(&["chat.v1", "chat.v2"]), Some("chat.v2")); // the client's order decides
/// # Ok::<(), hybi::handshake::SubprotocolSyntax>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subprotocols {
    /// The names, with commas between them: one allocation however many the peer offers.
    joined: String,
}

/// A name that is no token or occurs twice, or a list without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubprotocolSyntax;

impl fmt::Display for SubprotocolSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("subprotocols have to be tokens, each once (RFC 6455 §4.1)")
    }
}

impl core::error::Error for SubprotocolSyntax {}

impl Subprotocols {
    /// Reads the values of all `Sec-WebSocket-Protocol` lines of one request, which are one list.
    ///
    /// # Errors
    /// A name is no token or occurs twice, or there is none (§4.1, item 10; empty elements are skipped).
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, SubprotocolSyntax> {
        let mut list = Self::default();
        for name in lines.into_iter().flat_map(elements) {
            list.append(token(name)?);
        }
        if list.is_empty() || list.has_duplicates() { Err(SubprotocolSyntax) } else { Ok(list) }
    }

    /// Adds a name to an offer.
    pub(crate) fn push(&mut self, name: &str) -> Result<(), SubprotocolSyntax> {
        let name = token(name.as_bytes())?;
        if self.contains(name) {
            return Err(SubprotocolSyntax);
        }
        self.append(name);
        Ok(())
    }

    /// The names, in the order of the client.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined.split(',').filter(|name| !name.is_empty())
    }

    /// Whether none is offered.
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// Whether this one is offered. Case matters.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|offered| offered == name)
    }

    /// The first one offered that is supported.
    pub fn select(&self, supported: &[&str]) -> Option<&str> {
        self.iter().find(|offered| supported.contains(offered))
    }

    fn append(&mut self, name: &str) {
        if !self.is_empty() {
            self.joined.push(',');
        }
        self.joined.push_str(name);
    }

    /// Sorts places in the list: no quadratic search, and a few octets for each name.
    fn has_duplicates(&self) -> bool {
        let name_at = |start: &u32| self.joined[*start as usize..].split(',').next();
        let mut starts: Vec<u32> = Vec::new();
        let mut start = 0;
        for name in self.iter() {
            let Ok(place) = u32::try_from(start) else { return true }; // nobody offers four gigabytes
            starts.push(place);
            start += name.len() + 1;
        }
        starts.sort_unstable_by(|a, b| name_at(a).cmp(&name_at(b)));
        starts.windows(2).any(|pair| name_at(&pair[0]) == name_at(&pair[1]))
    }
}

/// The value of the header.
impl fmt::Display for Subprotocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.iter().enumerate() {
            write!(f, "{}{name}", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Subprotocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The name, if it is a token.
pub(crate) fn token(name: &[u8]) -> Result<&str, SubprotocolSyntax> {
    str::from_utf8(name).ok().filter(|name| is_token(name.as_bytes())).ok_or(SubprotocolSyntax)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn parse(text: &str) -> Result<String, SubprotocolSyntax> {
        Subprotocols::parse([text.as_bytes()]).map(|list| list.to_string())
    }

    #[test]
    fn names_are_tokens_each_once() {
        for (text, expected) in [
            ("a", "a"),
            ("v3.feed ,v2.feed,\tV2.feed", "v3.feed, v2.feed, V2.feed"),
            (" ,,a,, b ,", "a, b"),
            ("ab,a,b,abc", "ab, a, b, abc"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            " ",
            ",",
            "a b",
            "v3.feed, v2(feed)",
            "a,a",
            "a,b,a",
            "a;b",
            "\"a\"",
            "a\u{e4}",
            "a,\0",
            "a=b",
            "a, b,a",
        ] {
            assert_eq!(parse(text), Err(SubprotocolSyntax), "{text:?}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        let list = Subprotocols::parse([&b"a"[..], b"", b"b,c"]).expect("a good list");
        assert_eq!(list.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(Subprotocols::parse([&b"a"[..], b"b,a"]), Err(SubprotocolSyntax));
    }

    #[test]
    fn the_clients_order_decides() {
        let list = Subprotocols::parse([&b"c, b, a"[..]]).expect("a good list");
        assert_eq!(list.select(&["a", "b"]), Some("b"));
        assert_eq!((list.select(&["A", ""]), list.select(&[])), (None, None));
        assert_eq!(Subprotocols::default().select(&["", "a"]), None);
    }

    #[test]
    fn an_offer_is_built_name_by_name() {
        let mut list = Subprotocols::default();
        for (name, expected) in [
            ("a", Ok(())),
            ("a", Err(SubprotocolSyntax)),
            ("A", Ok(())),
            ("", Err(SubprotocolSyntax)),
            ("b,c", Err(SubprotocolSyntax)),
            ("b\r\nX: 1", Err(SubprotocolSyntax)),
        ] {
            assert_eq!(list.push(name), expected, "{name:?}");
        }
        assert_eq!(list.to_string(), "a, A");
    }

    #[test]
    fn long_lists_are_not_searched_for_each_name() {
        let text = (0..200_000).map(|n| format!("{n}")).collect::<Vec<_>>().join(",");
        assert!(parse(&text).is_ok());
        assert_eq!(parse(&format!("{text},7")), Err(SubprotocolSyntax));
        assert_eq!(parse(&format!("b{}x", " ".repeat(1 << 20))), Err(SubprotocolSyntax));
    }
}
