//! The request as a server sees it: the head in; a [`Request`] that keeps every rule of RFC 6455 §4.2.1,
//! or the answer that it gets instead, out. And from the application's [`Accept`] to what the 101 says.
//!
//! `server` calls it for heads that it has scanned, [`Request::from_parts`] is for those that an HTTP
//! library has. The order of the checks decides which rule a request with several faults is told about.

use alloc::boxed::Box;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, str};

use super::answer::{Answer, AnswerError};
use super::is_reserved;
use super::key::{AcceptValue, accept_value, key_of};
use super::subprotocol::Subprotocols;
use crate::agreement::Agreement;
use crate::error::HandshakeError;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use crate::extension::permessage_deflate::DeflateConfig;
use crate::extension::{Extensions, Offer, format_offers, parse_offers, validate_offers};
use crate::http::body::parse_length;
use crate::http::fields::Fields;
use crate::http::head::RequestParts;
use crate::http::uri::is_host_port;
use crate::version::{Version, Versions};

/// The head of any HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    parts: RequestParts,
    /// Where the path begins: behind the authority, if the target has one.
    path_start: usize,
}

/// A request for a WebSocket that keeps the rules of RFC 6455 §4.2.1: what is left is the application's
/// decision.
///
/// ```
/// use hybi::Versions;
/// use hybi::handshake::{Accept, Request};
///
/// // A request that an HTTP library has read.
/// let headers = [
///     ("host", &b"example.com"[..]),
///     ("upgrade", b"websocket"),
///     ("connection", b"keep-alive, Upgrade"),
///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
///     ("sec-websocket-version", b"13"),
///     ("sec-websocket-protocol", b"chat.v2, chat.v1"),
/// ];
/// let request = match Request::from_parts(Versions::default(), "GET", (1, 1), "/chat?room=7", headers) {
///     Ok(request) => request,
///     Err(refusal) => panic!("to be answered with {:?}", refusal.answer),
/// };
/// assert_eq!((request.path(), request.query()), ("/chat", Some("room=7")));
///
/// let mut accept = Accept::new();
/// if let Some(name) = request.select_subprotocol(&["chat.v1"]) {
///     accept = accept.with_subprotocol(name);
/// }
/// let acceptance = request.accept(accept)?; // the answer has status 101
/// assert_eq!(acceptance.fields.get("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
/// assert_eq!(acceptance.agreement.subprotocol(), Some("chat.v1"));
/// # Ok::<(), hybi::handshake::AnswerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    head: RequestHead,
    terms: Terms,
}

/// What an answer to the request depends on.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Terms {
    version: Version,
    /// `None`: over HTTP/2 or HTTP/3, where no key is sent.
    accept: Option<AcceptValue>,
    subprotocols: Subprotocols,
    extensions: Vec<Offer>,
}

/// A request that breaks a rule: why, and what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub error: HandshakeError,
    /// The answer that the client gets. [`Answer::all_fields`] has all its headers.
    pub answer: Answer,
}

/// How the application accepts a request.
///
/// ```
/// use hybi::handshake::Accept;
/// let accept = Accept::new().with_subprotocol("chat.v1").with_header("Set-Cookie", "session=7; HttpOnly");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accept {
    subprotocol: Option<Box<str>>,
    extensions: Extensions,
    fields: Fields,
    fault: Option<AnswerError>,
}

/// An answer that opens a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance {
    /// 101 Switching Protocols; 200 on a stream of HTTP/2 or HTTP/3.
    pub status: u16,
    /// All its headers.
    pub fields: Fields,
    /// What client and server now agree on: for a connection whose octets another library carries.
    pub agreement: Agreement,
}

impl RequestHead {
    /// A head, if its target is one: a path, or an address with a path (RFC 9112 §3.2.1, §3.2.2).
    pub(super) fn new(parts: RequestParts) -> Result<Self, Refusal> {
        let path_start =
            path_start(&parts.target).ok_or_else(|| Refusal::of(HandshakeError::BadHttp, 400))?;
        Ok(Self { parts, path_start })
    }

    /// The method, such as `GET`. Case matters.
    pub fn method(&self) -> &str {
        &self.parts.method
    }

    /// The request target as it came: a path with or without query, or an address.
    pub fn target(&self) -> &str {
        &self.parts.target
    }

    /// The path, percent-encoded as it came, without the query.
    ///
    /// ```
    /// # use hybi::handshake::Request;
    /// # fn route(request: &Request) -> u16 {
    /// if request.path() == "/chat" { 101 } else { 404 }
    /// # }
    /// ```
    pub fn path(&self) -> &str {
        let path = self.path_and_query().split('?').next().unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query().split_once('?').map(|(_, query)| query)
    }

    /// Host and perhaps port that the client wants to reach: `Host`, or what an address as target says
    /// instead (RFC 9112 §3.2.2). Empty when the request of an old client has neither.
    pub fn host(&self) -> &str {
        match self.authority() {
            Some(authority) => authority,
            None => self.fields().get_str("Host").unwrap_or_default(),
        }
    }

    /// The version of HTTP: major, minor.
    pub fn http_version(&self) -> (u8, u8) {
        self.parts.http
    }

    /// The headers.
    pub fn fields(&self) -> &Fields {
        &self.parts.fields
    }

    fn path_and_query(&self) -> &str {
        &self.parts.target[self.path_start..]
    }

    fn authority(&self) -> Option<&str> {
        self.parts.target[..self.path_start].split_once("://").map(|(_, authority)| authority)
    }

    /// Whether this can only be meant as a request for a WebSocket.
    pub(super) fn asks_for_websocket(&self) -> bool {
        self.fields().lists("Upgrade", "websocket") || self.fields().contains("Sec-WebSocket-Key")
    }

    /// Exactly one `Host`, and it is one (RFC 9112 §3.2). Before HTTP/1.1 it may be missing.
    pub(super) fn check_host(&self) -> Result<(), HandshakeError> {
        let is_missing = !self.fields().contains("Host") && self.http_version() < (1, 1);
        let is_good = self.fields().exactly_one("Host").is_some_and(is_host_port);
        if is_missing || is_good { Ok(()) } else { Err(HandshakeError::BadHost) }
    }

    /// An upgrade has no body: where it ends is what a proxy and we could see differently.
    fn check_no_body(&self) -> Result<(), HandshakeError> {
        let has_length = self.fields().get_all("Content-Length").any(|value| parse_length(value) != Some(0));
        if has_length || self.fields().contains("Transfer-Encoding") {
            return Err(HandshakeError::BadHttp);
        }
        Ok(())
    }
}

impl Request {
    /// Judges a request that an HTTP library has read. The version of HTTP is major and minor.
    ///
    /// # Errors
    /// The rule of RFC 6455 §4.2.1 that the request breaks, and the answer that it should get.
    pub fn from_parts<'a>(
        versions: Versions,
        method: &str,
        http_version: (u8, u8),
        target: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        for (name, value) in headers {
            fields.push(name, value).map_err(|_| Refusal::of(HandshakeError::BadHttp, 400))?;
        }
        let parts = RequestParts { method: method.into(), target: target.into(), http: http_version, fields };
        Self::judge(RequestHead::new(parts)?, versions)
    }

    /// RFC 6455 §4.2.1, with the status of each refusal.
    pub(super) fn judge(head: RequestHead, versions: Versions) -> Result<Self, Refusal> {
        use HandshakeError::*;
        let refuse = |error, status| Err(Refusal::of(error, status));
        if head.method() != "GET" {
            return refuse(BadMethod, 405);
        }
        if head.http_version() < (1, 1) {
            return refuse(BadHttp, 400);
        }
        head.check_host().and_then(|()| head.check_no_body()).map_err(|error| Refusal::of(error, 400))?;
        if !head.fields().lists("Upgrade", "websocket") {
            return refuse(BadUpgrade, 426);
        }
        if !head.fields().lists("Connection", "upgrade") {
            return refuse(BadConnection, 400);
        }
        let version = judge_version(head.fields(), versions, 426)?;
        let Some(key) = key_of(head.fields()) else { return refuse(BadKey, 400) };
        let accept = accept_value(key);
        Self::judge_offers(head, version, Some(accept))
    }

    /// The same for an extended CONNECT, whose headers of HTTP were judged before.
    pub(super) fn judge_extended(head: RequestHead, versions: Versions) -> Result<Self, Refusal> {
        head.check_no_body().map_err(|error| Refusal::of(error, 400))?;
        let version = judge_version(head.fields(), versions, 400)?;
        Self::judge_offers(head, version, None)
    }

    fn judge_offers(
        head: RequestHead,
        version: Version,
        accept: Option<AcceptValue>,
    ) -> Result<Self, Refusal> {
        use HandshakeError::{BadExtensions, BadProtocol};
        let refuse = |error, status| Err(Refusal::of(error, status));
        let Ok(subprotocols) = subprotocols_of(head.fields()) else { return refuse(BadProtocol, 400) };
        // An offer that means nothing to us is declined by silence; one that is no offer is refused (§9.1).
        if head.fields().contains(EXTENSIONS) && validate_offers(head.fields().get_all(EXTENSIONS)).is_err() {
            return refuse(BadExtensions, 400);
        }
        let extensions = parse_offers(head.fields().get_all(EXTENSIONS)).unwrap_or_default();
        Ok(Self { head, terms: Terms { version, accept, subprotocols, extensions } })
    }

    /// The head of the request.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// [`RequestHead::target`].
    pub fn target(&self) -> &str {
        self.head.target()
    }

    /// [`RequestHead::path`].
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// [`RequestHead::query`].
    pub fn query(&self) -> Option<&str> {
        self.head.query()
    }

    /// [`RequestHead::host`].
    pub fn host(&self) -> &str {
        self.head.host()
    }

    /// [`RequestHead::fields`].
    pub fn fields(&self) -> &Fields {
        self.head.fields()
    }

    /// The version that the client asks for, one of those that are spoken.
    pub fn version(&self) -> Version {
        self.terms.version
    }

    /// The subprotocols that the client offers.
    pub fn subprotocols(&self) -> &Subprotocols {
        &self.terms.subprotocols
    }

    /// The first subprotocol of the client's list that is supported here.
    pub fn select_subprotocol(&self, supported: &[&str]) -> Option<&str> {
        self.subprotocols().select(supported)
    }

    /// The extensions that the client offers.
    pub fn extensions(&self) -> Vec<Offer> {
        parse_offers(self.fields().get_all(EXTENSIONS)).unwrap_or_default() // judged before; or none
    }

    /// Where the page is from that makes this request, as browsers say (§10.2). `None`: no browser made
    /// it, or one that hides it.
    pub fn origin(&self) -> Option<&str> {
        self.origins().next().and_then(|origin| str::from_utf8(origin).ok())
    }

    /// Whether each origin that the request names is in this list. A request without an origin passes: it
    /// is not from a browser, and could say whatever it likes (§4.2.1, §10.2). To keep such requests
    /// out as well, look at [`origin`](Self::origin).
    ///
    /// Versions 7 and 8 named the header in two ways; both are looked at.
    ///
    /// ```
    /// # use hybi::Versions;
    /// # use hybi::handshake::Request;
    /// # let headers = [("host", &b"h"[..]), ("upgrade", b"websocket"), ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", b"13"),
    /// #     ("origin", b"https://example.com")];
    /// # let request = Request::from_parts(Versions::default(), "GET", (1, 1), "/", headers).expect("good");
    /// assert!(request.origin_allowed(&["https://example.com", "https://www.example.com"]));
    /// assert!(!request.origin_allowed(&["https://www.example.com"]));
    /// ```
    pub fn origin_allowed(&self, allowed: &[&str]) -> bool {
        self.origins().all(|origin| allowed.iter().any(|a| origin.eq_ignore_ascii_case(a.as_bytes())))
    }

    fn origins(&self) -> impl Iterator<Item = &[u8]> {
        let old = (self.version() != Version::V13).then_some("Sec-WebSocket-Origin");
        old.into_iter().chain(["Origin"]).flat_map(|name| self.fields().get_all(name))
    }

    /// What the answer with status 101 says.
    ///
    /// # Errors
    /// The subprotocol was not offered, or a header may not be.
    pub fn accept(&self, accept: Accept) -> Result<Acceptance, AnswerError> {
        self.terms.accept(accept)
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }
}

impl Terms {
    /// RFC 6455 §4.2.2, item 5.
    pub(super) fn accept(&self, accept: Accept) -> Result<Acceptance, AnswerError> {
        if let Some(fault) = accept.fault {
            return Err(fault);
        }
        let mut agreement = Agreement::default().with_version(self.version);
        let mut fields = Fields::default();
        if let Some(value) = &self.accept {
            fields.push_own("Upgrade", b"websocket");
            fields.push_own("Connection", b"Upgrade");
            fields.push_own("Sec-WebSocket-Accept", value);
        }
        if let Some(name) = accept.subprotocol.as_deref() {
            if !self.subprotocols.contains(name) {
                return Err(AnswerError::BadProtocol);
            }
            fields.push_own("Sec-WebSocket-Protocol", name.as_bytes());
            agreement = agreement.with_subprotocol(name);
        }
        let (answers, agreed) = accept.extensions.answer(&self.extensions);
        if !answers.is_empty() {
            fields.push_own(EXTENSIONS, format_offers(&answers).as_bytes());
            agreement = agreement.with_extensions(agreed);
        }
        for (name, value) in accept.fields.iter() {
            fields.push(name, value).map_err(|_| AnswerError::BadHeader)?;
        }
        let status = if self.accept.is_some() { 101 } else { 200 };
        let fields = if status == 101 { fields } else { fields.for_stream() };
        Ok(Acceptance { status, fields, agreement })
    }
}

impl Accept {
    /// Accepts, without a subprotocol.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a subprotocol: one of those that the client offered.
    #[must_use]
    pub fn with_subprotocol(mut self, name: &str) -> Self {
        self.subprotocol = Some(name.into());
        self
    }

    /// The same with these extensions, in place of those that were given before: as many of them as the client offers
    /// in a way that suits them (RFC 6455 §9.1).
    #[must_use]
    pub fn with_extensions(self, extensions: Extensions) -> Self {
        Self { extensions, ..self }
    }

    /// The same with permessage-deflate behind the extensions that are there, if the client offers it in a way that
    /// suits these settings; without it if not (RFC 7692 §5).
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[must_use]
    pub fn with_deflate(mut self, config: impl Into<Arc<DeflateConfig>>) -> Self {
        self.extensions.put_permessage_deflate(config.into());
        self
    }

    /// The same with one more header; names may repeat, as `Set-Cookie` does. One that may not be makes the
    /// acceptance unusable: giving it fails with [`AnswerError::BadHeader`].
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if is_reserved(name) || self.fields.push(name, value.as_ref()).is_err() {
            self.fault = Some(AnswerError::BadHeader);
        }
        self
    }
}

impl Refusal {
    pub(super) fn of(error: HandshakeError, status: u16) -> Self {
        Self { error, answer: Answer::refusal(error, status) }
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("version", &self.version)
            .field("subprotocols", &self.subprotocols)
            .finish_non_exhaustive()
    }
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// A version that is spoken; the refusal, with this status, names those that are (§4.2.2 item 4, §4.4).
fn judge_version(fields: &Fields, versions: Versions, not_spoken: u16) -> Result<Version, Refusal> {
    let refuse = |status| {
        let error = HandshakeError::BadVersion;
        Refusal { error, answer: Answer::refusal(error, status).with_versions(versions) }
    };
    let number =
        fields.exactly_one("Sec-WebSocket-Version").and_then(parse_version).ok_or_else(|| refuse(400))?;
    Version::from_number(number)
        .filter(|version| versions.contains(*version))
        .ok_or_else(|| refuse(not_spoken))
}

/// A number of 0 to 255 in digits, without leading zeros (§4.3).
fn parse_version(value: &[u8]) -> Option<u8> {
    match value {
        [b'0'] | [b'1'..=b'9', ..] => u8::try_from(parse_length(value)?).ok(),
        _ => None,
    }
}

/// What is offered; nothing where there is no header.
fn subprotocols_of(fields: &Fields) -> Result<Subprotocols, super::SubprotocolSyntax> {
    if fields.contains(PROTOCOL) {
        Subprotocols::parse(fields.get_all(PROTOCOL))
    } else {
        Ok(Subprotocols::default())
    }
}

/// Where the path of a target begins. `None`: it is no path and no address with one.
fn path_start(target: &str) -> Option<usize> {
    if !target.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#') {
        return None;
    }
    if target.starts_with('/') {
        return Some(0);
    }
    let (scheme, rest) = target.split_once("://")?;
    let is_ours = ["http", "https", "ws", "wss"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours));
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    (is_ours && is_host_port(authority.as_bytes())).then_some(scheme.len() + "://".len() + authority.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_small_number_in_plain_digits() {
        for (text, number) in [("0", Some(0)), ("7", Some(7)), ("13", Some(13)), ("255", Some(255))] {
            assert_eq!(parse_version(text.as_bytes()), number, "{text}");
        }
        for text in
            ["", "013", "00", "256", "1000", "+13", "-1", "13.0", "0x0d", "13 ", "1 3", "13,13", "\u{0661}"]
        {
            assert_eq!(parse_version(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_target_is_a_path_or_an_address() {
        let parts = |target: &str| RequestParts {
            method: "GET".into(),
            target: target.into(),
            http: (1, 1),
            fields: Fields::default(),
        };
        for (target, host, path, query) in [
            ("/", "", "/", None),
            ("/a/b?c?d", "", "/a/b", Some("c?d")),
            ("//h/a?", "", "//h/a", Some("")),
            ("http://h:8/a?b", "h:8", "/a", Some("b")),
            ("WSS://[::1]?b", "[::1]", "/", Some("b")),
            ("ws://h", "h", "/", None),
            ("/?u=http://h/", "", "/", Some("u=http://h/")),
        ] {
            let head = RequestHead::new(parts(target)).expect("a good target");
            assert_eq!((head.host(), head.path(), head.query()), (host, path, query), "{target}");
        }
        for target in [
            "",
            "*",
            "a",
            "h:443",
            "?a",
            "ftp://h/",
            "http://",
            "http:///a",
            "http://a@h/",
            "/a#b",
            "/\u{e4}",
            "/a b",
            "/\x01",
            "http:/h",
        ] {
            assert_eq!(
                RequestHead::new(parts(target)).err().map(|r| r.error),
                Some(HandshakeError::BadHttp),
                "{target:?}"
            );
        }
    }
}
