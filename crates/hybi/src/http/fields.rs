//! Header fields: names and values in their order and spelling (RFC 9110 §5).
//!
//! In comes a head that `http/head` has split, or what a caller wants to send; both hold the same promise
//! afterwards: a name is a token, a value has no control octet. So whatever is in a [`Fields`] can be
//! written to the wire, and nobody who gives a value can add a line of his own.
//!
//! Here too: lists of tokens over repeated lines.

use alloc::vec::Vec;
use core::{fmt, str};

pub(crate) use super::token::{is_tchar, is_token};

/// The header fields of a request or a response, in order, spelt as they came.
///
/// Values are octets: HTTP allows any but control characters (RFC 9110 §5.5). Names compare without regard
/// to case.
///
/// ```
/// use hybi::handshake::Answer;
/// let answer = Answer::new(401).with_header("WWW-Authenticate", "Basic realm=\"chat\"");
/// assert_eq!(answer.fields().get("www-authenticate"), Some(&b"Basic realm=\"chat\""[..]));
/// assert_eq!(answer.fields().get("cookie"), None);
/// ```
///
/// `Debug` leaves out the values of credentials, cookies and keys.
#[derive(Clone, Default)]
pub struct Fields {
    /// All names and values; a head that was received is kept whole.
    text: Vec<u8>,
    entries: Vec<Entry>,
}

/// Where in the text a field is.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    name: Span,
    value: Span,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// A name that is no token, or a value with a control character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidField;

impl Fields {
    /// The value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The value of the first field of this name, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| str::from_utf8(value).ok())
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().map(|entry| {
            let name = str::from_utf8(self.octets(entry.name)).unwrap_or_default(); // names are tokens: ASCII
            (name, self.octets(entry.value))
        })
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a field that has to be there exactly once; `None` when it is missing or doubled.
    pub(crate) fn exactly_one(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.get_all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The elements of a list: lines of the same name are one list, and empty elements are skipped
    /// (RFC 9110 §5.3, §5.6.1).
    pub(crate) fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).flat_map(elements)
    }

    /// Whether a list has this token, whatever its case.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Adds a field. Blanks around the value go (RFC 9110 §5.5).
    ///
    /// # Errors
    /// [`InvalidField`]; nothing was added.
    pub fn push(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        let value = trim(value);
        if !is_token(name.as_bytes()) || !value.iter().copied().all(is_value_octet) {
            return Err(InvalidField);
        }
        let name = self.append(name.as_bytes());
        let value = self.append(value);
        self.entries.push(Entry { name, value });
        Ok(())
    }

    /// Adds a field of our own making.
    pub(crate) fn push_own(&mut self, name: &'static str, value: &[u8]) {
        let pushed = self.push(name, value);
        debug_assert!(pushed.is_ok(), "{name}: our own values hold what a field may hold");
    }

    /// Removes the fields of this name.
    pub(crate) fn remove(&mut self, name: &str) {
        let mut kept = Self::default();
        for (n, value) in self.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name)) {
            let (name, value) = (kept.append(n.as_bytes()), kept.append(value));
            kept.entries.push(Entry { name, value });
        }
        *self = kept;
    }

    /// The same with names in lower case, as HTTP/2 and HTTP/3 want them (RFC 9113 §8.2.1).
    pub(crate) fn for_stream(mut self) -> Self {
        for entry in &self.entries {
            self.text[entry.name.start..entry.name.end].make_ascii_lowercase();
        }
        self
    }

    /// Writes the lines, without the empty one.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Keeps a head and where its fields are.
    pub(super) fn of_head(text: Vec<u8>, entries: Vec<Entry>) -> Self {
        Self { text, entries }
    }

    fn append(&mut self, octets: &[u8]) -> Span {
        let start = self.text.len();
        self.text.extend_from_slice(octets);
        Span { start, end: self.text.len() }
    }

    fn octets(&self, span: Span) -> &[u8] {
        &self.text[span.start..span.end]
    }
}

/// The same lines in the same order and spelling.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            if is_secret(name) {
                map.entry(&name, &format_args!("[redacted]"));
            } else {
                map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
            }
        }
        map.finish()
    }
}

impl Entry {
    /// From slices that lie in `text`.
    pub(super) fn locate(text: &[u8], name: &[u8], value: &[u8]) -> Self {
        let span = |part: &[u8]| {
            let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            Span { start, end: start + part.len() }
        };
        Self { name: span(name), value: span(value) }
    }
}

/// Fields whose values are for the peer's eyes alone.
fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 6] =
        ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Set-Cookie2", "Sec-WebSocket-Key"];
    SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name is no token, or the value has a control character")
    }
}

impl core::error::Error for InvalidField {}

/// What a field value is made of (RFC 9110 §5.5).
pub(crate) const fn is_value_octet(octet: u8) -> bool {
    octet == b'\t' || (octet >= b' ' && octet != 0x7f)
}

/// The elements of one line of a list, without blanks around them; empty ones are skipped.
pub(crate) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|octet| *octet == b',').map(trim).filter(|element| !element.is_empty())
}

/// Takes the optional blanks (`OWS`) off both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn fields(lines: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in lines {
            fields.push(name, value.as_bytes()).expect("a good field");
        }
        fields
    }

    #[test]
    fn a_list_goes_over_lines_and_skips_empty_elements() {
        let fields =
            fields(&[("Connection", " , keep-alive,,"), ("X", "upgrade"), ("CONNECTION", "\tUpgrade ,")]);
        assert_eq!(fields.list("connection").collect::<Vec<_>>(), [&b"keep-alive"[..], b"Upgrade"]);
        assert!(fields.lists("connection", "upgrade") && !fields.lists("connection", "up"));
    }

    #[test]
    fn exactly_one_is_neither_none_nor_two() {
        let fields = fields(&[("a", "1"), ("b", "2"), ("B", "2")]);
        assert_eq!(fields.exactly_one("A"), Some(&b"1"[..]));
        assert_eq!((fields.exactly_one("b"), fields.exactly_one("c")), (None, None));
    }

    #[test]
    fn a_caller_cannot_leave_his_line() {
        for (name, value) in [
            ("X", "a\r\nY: 1"),
            ("X", "a\nb"),
            ("X", "a\rb"),
            ("X", "\0"),
            ("X", "\x7f"),
            ("X: 1\r\nY", "1"),
            ("X Y", "1"),
            ("X:", "1"),
            ("", "1"),
            ("Ä", "1"),
        ] {
            assert_eq!(
                Fields::default().push(name, value.as_bytes()),
                Err(InvalidField),
                "{name:?}: {value:?}"
            );
        }
        let said = "the name is no token, or the value has a control character";
        assert_eq!(InvalidField.to_string(), said);
    }

    #[test]
    fn order_and_spelling_stay_and_blanks_go() {
        let mut fields = fields(&[("Set-Cookie", "a=1"), ("x-TRACE", " 9\t"), ("set-cookie", "b=2")]);
        let mut out = Vec::new();
        fields.encode(&mut out);
        assert_eq!(out, b"Set-Cookie: a=1\r\nx-TRACE: 9\r\nset-cookie: b=2\r\n");
        fields.remove("SET-COOKIE");
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("x-TRACE", &b"9"[..])]);
        assert!(!fields.is_empty() && Fields::default().is_empty());
        assert_ne!(fields, self::fields(&[("X-Trace", "9")]));
    }

    #[test]
    fn debug_shows_no_secret() {
        let fields = fields(&[("Cookie", "hush"), ("authorization", "hush"), ("Host", "a\u{e4}")]);
        let shown = format!("{fields:?}");
        assert!(!shown.contains("hush") && shown.contains(r#""Host": "a\xc3\xa4""#), "{shown}");
    }

    #[test]
    fn trimming_is_linear_and_whole() {
        assert_eq!(trim(b" \t a b \t"), b"a b");
        assert_eq!(trim(b" \t "), b"");
    }
}
