//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1):
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]     ; unquoted, a value is a token
//! ```
//!
//! The lines of a header go in, offers come out, and back. One walk over the octets, without looking back:
//! [`Walk`] finds pieces and stores nothing, so that a header can be judged without memory for it. Blanks
//! may stand around `;`, `,` and `=`, and a list may have empty elements (RFC 9110 §5.6.1).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, str};

use crate::http::token::{is_tchar, is_token};

/// One element of `Sec-WebSocket-Extensions`: the name of an extension and its parameters, in order. In a
/// request it is an offer, in a response an answer.
///
/// ```
/// use hybi::extension::Offer;
/// let offer = Offer::new("permessage-deflate")?
///     .with_param("client_max_window_bits", None)?
///     .with_param("server_max_window_bits", Some("10"))?;
/// assert_eq!(offer.to_string(), "permessage-deflate; client_max_window_bits; server_max_window_bits=10");
/// # Ok::<(), hybi::extension::NotAToken>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    name: Box<str>,
    params: Vec<Param>,
}

/// A parameter of an extension: a name, and perhaps a value. Both are tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    name: Box<str>,
    value: Option<Box<str>>,
}

impl Offer {
    /// An offer without parameters.
    ///
    /// # Errors
    /// The name is no token.
    pub fn new(name: &str) -> Result<Self, NotAToken> {
        Ok(Self { name: token(name)?, params: Vec::new() })
    }

    /// The same with one more parameter.
    ///
    /// # Errors
    /// The name or the value is no token; the header could not be read back (RFC 6455 §9.1).
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Result<Self, NotAToken> {
        let (name, value) = (token(name)?, value.map(token).transpose()?);
        self.params.push(Param { name, value });
        Ok(self)
    }

    /// The name of the extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters, in order; a name may occur more than once.
    pub fn params(&self) -> &[Param] {
        &self.params
    }
}

impl Param {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, unquoted.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for Param { name, value } in &self.params {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// A name or a value that is no token (RFC 9110 §5.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotAToken;

impl fmt::Display for NotAToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names and values of extensions have to be tokens (RFC 6455 §9.1)")
    }
}

impl core::error::Error for NotAToken {}

/// A `Sec-WebSocket-Extensions` header outside the grammar of RFC 6455 §9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferSyntax;

impl fmt::Display for OfferSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed Sec-WebSocket-Extensions (RFC 6455 §9.1)")
    }
}

impl core::error::Error for OfferSyntax {}

/// Reads the values of all `Sec-WebSocket-Extensions` lines of one head, which are one list.
///
/// ```
/// use hybi::extension::parse_offers;
/// let offers = parse_offers([&b"x-alpha; level=3"[..], b"x-beta; mode=\"fast\"; strict"])?;
/// assert_eq!(offers[0].name(), "x-alpha");
/// assert_eq!(offers[1].params()[0].value(), Some("fast"));
/// assert_eq!(offers[1].params()[1].value(), None);
/// # Ok::<(), hybi::extension::OfferSyntax>(())
/// ```
///
/// # Errors
/// The header is outside the grammar; it has at least one element.
pub fn parse_offers<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Offer>, OfferSyntax> {
    let mut offers: Vec<Offer> = Vec::new();
    walk_lines(lines, |piece| match (piece, offers.last_mut()) {
        (Piece::Param(name, value), Some(offer)) => {
            let value = value.map(|value| value.text().into());
            offer.params.push(Param { name: name.into(), value });
        }
        (Piece::Name(name) | Piece::Param(name, _), _) => {
            offers.push(Offer { name: name.into(), params: Vec::new() });
        }
    })?;
    Ok(offers)
}

/// Judges the lines as [`parse_offers`] does, and keeps nothing.
#[cfg(any(feature = "handshake", test))]
pub(crate) fn validate_offers<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<(), OfferSyntax> {
    walk_lines(lines, |_| ())
}

/// The value of the header for these offers, the empty text for none. It reads back as the same offers.
///
/// ```
/// use hybi::extension::{Offer, format_offers};
/// let offers = [Offer::new("a")?.with_param("b", Some("1"))?, Offer::new("c")?];
/// assert_eq!(format_offers(&offers), "a; b=1, c");
/// # Ok::<(), hybi::extension::NotAToken>(())
/// ```
pub fn format_offers(offers: &[Offer]) -> String {
    let mut out = String::new();
    for (n, offer) in offers.iter().enumerate() {
        let separator = if n > 0 { ", " } else { "" };
        // A `String` takes whatever it is given.
        let _ = fmt::Write::write_fmt(&mut out, format_args!("{separator}{offer}"));
    }
    out
}

fn token(text: &str) -> Result<Box<str>, NotAToken> {
    if is_token(text.as_bytes()) { Ok(text.into()) } else { Err(NotAToken) }
}

/// What a walk over a header finds.
enum Piece<'a> {
    /// The name of an extension: a new element begins.
    Name(&'a str),
    /// A parameter of the element that began last.
    Param(&'a str, Option<Value<'a>>),
}

/// The value of a parameter, a token or the inside of a quoted string.
#[derive(Clone, Copy)]
struct Value<'a> {
    raw: &'a str,
}

impl<'a> Value<'a> {
    /// The text without escapes. A token has no backslash, so both forms are read alike.
    fn text(self) -> Cow<'a, str> {
        if self.raw.contains('\\') { self.raw.replace('\\', "").into() } else { self.raw.into() }
    }
}

fn walk_lines<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    mut found: impl FnMut(Piece<'a>),
) -> Result<(), OfferSyntax> {
    let mut elements = 0;
    for line in lines {
        let mut walk = Walk { rest: line };
        loop {
            walk.skip_blanks();
            if walk.rest.is_empty() {
                break;
            }
            if walk.take(b',') {
                continue; // an empty element
            }
            walk.element(&mut found)?;
            elements += 1;
            walk.skip_blanks();
            if !walk.rest.is_empty() && !walk.take(b',') {
                return Err(OfferSyntax);
            }
        }
    }
    if elements > 0 { Ok(()) } else { Err(OfferSyntax) }
}

/// A place in a line; it only moves forward.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    fn element(&mut self, found: &mut impl FnMut(Piece<'a>)) -> Result<(), OfferSyntax> {
        found(Piece::Name(self.token()?));
        while self.take(b';') {
            let name = self.token()?;
            let value = if self.take(b'=') { Some(self.value()?) } else { None };
            found(Piece::Param(name, value));
        }
        Ok(())
    }

    /// A token, with the blanks around it.
    fn token(&mut self) -> Result<&'a str, OfferSyntax> {
        self.skip_blanks();
        let end = self.rest.iter().position(|octet| !is_tchar(*octet)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_blanks();
        str::from_utf8(token).ok().filter(|token| !token.is_empty()).ok_or(OfferSyntax)
    }

    fn value(&mut self) -> Result<Value<'a>, OfferSyntax> {
        self.skip_blanks();
        if !self.take(b'"') {
            return Ok(Value { raw: self.token()? });
        }
        let start = self.rest;
        let mut len = 0;
        let mut empty = true;
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    break;
                }
                // An escaped octet has to be one of a token too, and a backslash is none.
                [b'\\', octet, rest @ ..] if is_tchar(*octet) => (self.rest, len) = (rest, len + 2),
                [octet, rest @ ..] if is_tchar(*octet) => (self.rest, len) = (rest, len + 1),
                _ => return Err(OfferSyntax),
            }
            empty = false;
        }
        self.skip_blanks();
        let raw = str::from_utf8(&start[..len]).map_err(|_| OfferSyntax)?;
        if empty { Err(OfferSyntax) } else { Ok(Value { raw }) }
    }

    fn take(&mut self, octet: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    /// The canonical form of a header value.
    fn parse(text: &str) -> Result<String, OfferSyntax> {
        let offers = parse_offers([text.as_bytes()]);
        assert_eq!(offers.is_ok(), validate_offers([text.as_bytes()]).is_ok());
        offers.map(|offers| format_offers(&offers))
    }

    #[test]
    fn what_the_grammar_allows() {
        for (text, expected) in [
            ("a", "a"),
            ("a,b , c\t,\ta", "a, b, c, a"),
            ("a;b;c=1;b", "a; b; c=1; b"),
            (" a ;\tb = 1 , c ; d\t=\t\"2\" ", "a; b=1, c; d=2"),
            ("a; b=\"c\"", "a; b=c"),
            ("a; b=\"\\c\\d\"", "a; b=cd"),
            ("a; b=\"f\\ast\"; strict", "a; b=fast; strict"),
            (",, a,,b, ,", "a, b"),
            ("constructor; __proto__=1", "constructor; __proto__=1"),
            ("a!#$%&'*+-.^_`|~1;A", "a!#$%&'*+-.^_`|~1; A"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(parse(expected).as_deref(), Ok(expected), "what is written reads back");
        }
    }

    #[test]
    fn what_the_grammar_does_not_allow() {
        for text in [
            "",
            " ",
            ",",
            " ,\t, ",
            ";",
            "a;",
            "a;;b",
            "a; ;b",
            "a;,b",
            "a b",
            "a;b c",
            "a;b=",
            "a;b=,c",
            "a;b==c",
            "a;=b",
            "x-alpha; =3",
            "=a",
            "a=b",
            "a;b=\"",
            "a;b=\"\"",
            "a;b=\"c",
            "a;b=\"c\\",
            "a;b=\"c\\\"",
            "a;b=\"c d\"",
            "a;b=\"c,d\"",
            "a;b=\"c;d\"",
            "a;b=\"\\\"\"",
            "a;b=\"\\\\\"",
            "a;b=\"c\"d",
            "a;b=\"c\" \"d\"",
            "a;b=c\"d\"",
            "\"a\"",
            "a;\"b\"",
            "a;b='c d'",
            "a/b",
            "a\u{e4}",
            "a;b=\u{e4}",
            "a;b=\"\u{e4}\"",
            "a\0",
            "a;b=\"\\\u{e4}\"",
            "a(b)",
            "a; b=c d",
            "a,\x0bb",
        ] {
            assert_eq!(parse(text), Err(OfferSyntax), "{text:?}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        let lines = [&b"a;b"[..], b"", b" , ", b"c, a"];
        let offers = parse_offers(lines).expect("a good header");
        assert_eq!(format_offers(&offers), "a; b, c, a");
        assert_eq!(parse_offers([&b"a;"[..], b"b"]), Err(OfferSyntax), "an element ends with its line");
        assert_eq!(parse_offers([&b""[..], b","]), Err(OfferSyntax), "one element at least");
        assert_eq!(parse_offers([]), Err(OfferSyntax));
    }

    #[test]
    fn only_tokens_can_be_offered() {
        let offer = Offer::new("a").expect("a token");
        for text in ["", " ", "a b", "3;4", "a,b", "\"a\"", "a\r\nX: 1", "\u{e4}", "a=b"] {
            assert_eq!(Offer::new(text), Err(NotAToken), "{text:?}");
            assert_eq!(offer.clone().with_param(text, None), Err(NotAToken), "{text:?}");
            assert_eq!(offer.clone().with_param("b", Some(text)), Err(NotAToken), "{text:?}");
        }
        assert_eq!(format_offers(&[]), "");
        assert_eq!(offer.to_string(), "a");
    }

    #[test]
    fn long_headers_take_one_walk() {
        // Inputs that once took other parsers quadratic or exponential time. A walk of 4 MB that looked
        // back would not end in the life of this test.
        let n = 1 << 20;
        for text in [
            format!("b{}x", " ".repeat(n)),
            format!("a; b=\"{}", "\\c".repeat(n)),
            format!("a; b=\"{}\"{}x", "\\c".repeat(n), " ".repeat(n)),
            format!("a{}", ";b".repeat(n)) + ";",
        ] {
            assert_eq!(validate_offers([text.as_bytes()]), Err(OfferSyntax));
        }
        assert_eq!(validate_offers([format!("a{}", ", a".repeat(n)).as_bytes()]), Ok(()));
    }
}
