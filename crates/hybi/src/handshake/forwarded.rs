//! What a proxy in front of a server says about the client behind it (RFC 7239, and the older `X-Forwarded-*`).
//!
//! Whoever connects can write such headers. They mean something only where every request comes through a proxy
//! that sets them itself; so nothing here looks at them unless the application asks.

use core::str;

use super::request::RequestHead;
use crate::http::fields::trim;

impl RequestHead {
    /// The address of the client as the first proxy saw it: the first element of `Forwarded`, or else of
    /// `X-Forwarded-For`. It is text as it came, perhaps with a port, and perhaps a name that hides an address.
    ///
    /// Do not ask unless a proxy of yours sets the header: see [`forwarded_https`](Self::forwarded_https).
    ///
    /// ```
    /// # use hybi::Versions;
    /// # use hybi::handshake::Request;
    /// # let headers = [("host", &b"h"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("x-forwarded-for", b" 203.0.113.7 , 10.0.0.2"), ("x-forwarded-proto", b"https")];
    /// # let request = Request::from_parts(Versions::default(), "GET", (1, 1), "/", headers).expect("good");
    /// // X-Forwarded-For: 203.0.113.7 , 10.0.0.2
    /// // X-Forwarded-Proto: https
    /// assert_eq!(request.head().forwarded_for(), Some("203.0.113.7"));
    /// assert!(request.head().forwarded_https());
    /// ```
    pub fn forwarded_for(&self) -> Option<&str> {
        self.forwarded("for").or_else(|| self.first_of("X-Forwarded-For"))
    }

    /// Whether the client came to the first proxy by TLS, so that the address it used is `wss`: by `Forwarded`,
    /// `X-Forwarded-Proto`, `X-Forwarded-Scheme`, `X-Forwarded-Ssl` or `Https`.
    ///
    /// A client can write all of these itself. Where no proxy of yours takes them away and sets its own, they say
    /// nothing: then what counts is whether your own transport is TLS.
    pub fn forwarded_https(&self) -> bool {
        let is =
            |value: Option<&str>, word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
        let schemes = ["X-Forwarded-Proto", "X-Forwarded-Scheme"];
        let switches = ["X-Forwarded-Ssl", "Https"];
        let scheme = self.forwarded("proto").or_else(|| schemes.iter().find_map(|name| self.first_of(name)));
        match scheme {
            Some(scheme) => ["https", "wss"].iter().any(|secure| is(Some(scheme), secure)),
            None => switches.iter().any(|name| is(self.first_of(name), "on")),
        }
    }

    /// The first element of a list, if there is one.
    fn first_of(&self, name: &str) -> Option<&str> {
        let first = self.fields().get_str(name)?.split(',').next()?.trim();
        (!first.is_empty()).then_some(first)
    }

    /// A parameter of the first element of `Forwarded` (RFC 7239 §4).
    fn forwarded(&self, name: &str) -> Option<&str> {
        let mut rest = self.fields().get("Forwarded")?;
        loop {
            let (pair, separator, behind) = split_pair(rest);
            let equals = pair.iter().position(|octet| *octet == b'=');
            if let Some(equals) = equals
                && trim(&pair[..equals]).eq_ignore_ascii_case(name.as_bytes())
            {
                let value = trim(&pair[equals + 1..]);
                let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
                return str::from_utf8(inside.unwrap_or(value)).ok().filter(|value| !value.is_empty());
            }
            if separator != Some(b';') {
                return None; // the next element is of another proxy
            }
            rest = behind;
        }
    }
}

/// What is in front of the first `;` or `,` outside of quotes; which it is; and what is behind it.
fn split_pair(text: &[u8]) -> (&[u8], Option<u8>, &[u8]) {
    let mut quoted = false;
    for (at, octet) in text.iter().enumerate() {
        match octet {
            b'"' => quoted = !quoted,
            b';' | b',' if !quoted => return (&text[..at], Some(*octet), &text[at + 1..]),
            _ => {}
        }
    }
    (text, None, &[])
}
