//! WebSockets over HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220), as far as it is not the business of an HTTP library:
//! the header list of an extended CONNECT request, its judgement, and that of the answer.
//!
//! ```text
//!     client                                                           server
//!   ClientRequest::extended_connect ──▶ header list ──▶ Request::from_extended_connect
//!                                                                        │ accept: status 200
//!   ClientRequest::judge_extended   ◀── header list ◀── Acceptance ◀─────┘
//!        ▼                                                               ▼
//!    Agreement ──▶ Connection::client, over the stream    Connection::server
//! ```
//!
//! Header lists are pairs of names and values, so any library will do; `:method` and its like come with the colon.
//! Names are in lower case, as HTTP/2 and HTTP/3 want them. The setting that allows extended CONNECT, frames of
//! HTTP and the ends of streams are the library's: a client makes such a request only after the server has
//! sent `SETTINGS_ENABLE_CONNECT_PROTOCOL` with 1 (RFC 8441 §3), an orderly end is an end of stream, and
//! anything else a reset with `CANCEL` (§5; in HTTP/3 `H3_REQUEST_CANCELLED`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str;

use super::client_request::ClientRequest;
use super::request::{Refusal, Request, RequestHead};
use super::response::Response;
use crate::agreement::Agreement;
use crate::error::HandshakeError;
use crate::http::fields::Fields;
use crate::http::head::{RequestParts, ResponseParts};
use crate::http::uri::is_host_port;
use crate::version::Versions;

/// A name and a value, as HTTP libraries take them.
type Pair = (String, Vec<u8>);

impl ClientRequest {
    /// The header list of an extended CONNECT request (RFC 8441 §4 and §5), for a stream of HTTP/2 or HTTP/3.
    ///
    /// ```
    /// use hybi::handshake::ClientRequest;
    /// let request = ClientRequest::new("wss://server.example/chat?room=7")?.with_subprotocol("chat.v1")?;
    /// let headers = request.extended_connect();
    /// for (name, value) in [
    ///     (":method", "CONNECT"),
    ///     (":protocol", "websocket"),
    ///     (":scheme", "https"),
    ///     (":authority", "server.example"),
    ///     (":path", "/chat?room=7"),
    ///     ("sec-websocket-version", "13"),
    ///     ("sec-websocket-protocol", "chat.v1"),
    /// ] {
    ///     assert!(headers.contains(&(name.to_owned(), value.into())), "{name}");
    /// }
    /// # Ok::<(), hybi::handshake::RequestError>(())
    /// ```
    ///
    /// There is no key and no accept value: the stream is proof enough (§5). Headers that are for a connection
    /// of HTTP/1.1 are left out.
    pub fn extended_connect(&self) -> Vec<(String, Vec<u8>)> {
        let pseudo = |name: &str, value: &[u8]| (name.to_string(), value.to_vec());
        let scheme = if self.uri().is_secure() { "https" } else { "http" };
        let mut list: Vec<Pair> = [
            pseudo(":method", b"CONNECT"),
            pseudo(":protocol", b"websocket"),
            pseudo(":scheme", scheme.as_bytes()),
            pseudo(":authority", &self.host_field()),
            pseudo(":path", self.uri().target().as_bytes()),
        ]
        .into();
        let offer = self.offer();
        let wanted = offer.iter().chain(self.fields().iter()).filter(|(name, _)| !is_of_connection(name));
        list.extend(wanted.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())));
        list
    }

    /// What was agreed, by the answer to [`extended_connect`](Self::extended_connect): its status, and its other
    /// headers.
    ///
    /// ```
    /// # use hybi::handshake::ClientRequest;
    /// let request = ClientRequest::new("wss://server.example/chat")?.with_subprotocol("chat.v1")?;
    /// let agreement = request.judge_extended(200, [("sec-websocket-protocol", &b"chat.v1"[..])]).expect("good");
    /// assert_eq!(agreement.subprotocol(), Some("chat.v1"));
    /// # Ok::<(), hybi::handshake::RequestError>(())
    /// ```
    ///
    /// # Errors
    /// The status is not 2xx; or the rule that the answer breaks, as over HTTP/1.1.
    pub fn judge_extended<'a>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Agreement, HandshakeError> {
        if !matches!(status, 200..=299) {
            return Err(HandshakeError::UnexpectedStatus(status));
        }
        let fields = collect(headers).ok_or(HandshakeError::BadHttp)?;
        Response::new(ResponseParts { status, fields }).judge_choices(self)
    }
}

impl Request {
    /// Judges an extended CONNECT request that an HTTP library has read: all of its headers, `:method` and its
    /// like among them. The version of HTTP is major and minor.
    ///
    /// ```
    /// use hybi::Versions;
    /// use hybi::handshake::{Accept, Request};
    ///
    /// let headers = [
    ///     (":method", &b"CONNECT"[..]),
    ///     (":protocol", b"websocket"),
    ///     (":scheme", b"https"),
    ///     (":authority", b"server.example"),
    ///     (":path", b"/chat"),
    ///     ("sec-websocket-version", b"13"),
    ///     ("origin", b"https://server.example"),
    /// ];
    /// let request = match Request::from_extended_connect(Versions::default(), (2, 0), headers) {
    ///     Ok(request) => request,
    ///     Err(refusal) => panic!("to be answered with {}", refusal.answer.status()),
    /// };
    /// assert_eq!((request.path(), request.host()), ("/chat", "server.example"));
    /// let acceptance = request.accept(Accept::new())?;
    /// assert_eq!(acceptance.status, 200);
    /// # Ok::<(), hybi::handshake::AnswerError>(())
    /// ```
    ///
    /// A refusal is answered with its status and with
    /// [`Answer::stream_fields`](super::Answer::stream_fields): 501 where `:protocol` is another one (RFC 9220 §3),
    /// 400 for all else.
    ///
    /// # Errors
    /// The rule that the request breaks, and the answer that it should get.
    pub fn from_extended_connect<'a>(
        versions: Versions,
        http_version: (u8, u8),
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Refusal> {
        let refuse = || Refusal::of(HandshakeError::BadHttp, 400);
        let (pseudo, others): (Vec<_>, Vec<_>) =
            headers.into_iter().partition(|(name, _)| name.starts_with(':'));
        let one = |name: &str| {
            let mut found = pseudo.iter().filter(|(n, _)| *n == name).map(|(_, value)| *value);
            let value = found.next().and_then(|value| str::from_utf8(value).ok());
            value.filter(|_| found.next().is_none()).ok_or_else(refuse)
        };
        if one(":method")? != "CONNECT" {
            return Err(Refusal::of(HandshakeError::BadMethod, 400));
        }
        if !one(":protocol")?.eq_ignore_ascii_case("websocket") {
            return Err(Refusal::of(HandshakeError::BadUpgrade, 501));
        }
        let (scheme, authority, path) = (one(":scheme")?, one(":authority")?, one(":path")?);
        let fields = collect(others).ok_or_else(refuse)?;
        let is_place = matches!(scheme, "http" | "https") && is_host_port(authority.as_bytes());
        let is_clean = fields.iter().all(|(name, _)| !is_of_connection(name));
        if pseudo.len() != PSEUDO || !is_place || !path.starts_with('/') || !is_clean {
            return Err(refuse());
        }
        let target = format!("{scheme}://{authority}{path}").into();
        let parts = RequestParts { method: "CONNECT".into(), target, http: http_version, fields };
        Self::judge_extended(RequestHead::new(parts)?, versions)
    }
}

/// How many headers with a colon an extended CONNECT has: all of them, each once.
const PSEUDO: usize = 5;

/// Headers that say something about a connection of HTTP/1.1: here they may not stand (RFC 8441 §5, RFC 9113
/// §8.2.2).
pub(super) fn is_of_connection(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["Connection", "Upgrade", "Host", "Transfer-Encoding", "Keep-Alive", "Proxy-Connection", "TE"];
    NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn collect<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<Fields> {
    let mut fields = Fields::default();
    for (name, value) in headers {
        fields.push(name, value).ok()?;
    }
    Some(fields)
}
