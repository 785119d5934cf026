//! An answer that opens no connection: status, fields and body in, the octets of an HTTP response out.
//!
//! The server makes one itself for a request that breaks a rule; the application makes one to reject a
//! request, or to answer one that asks for no WebSocket. Every answer ends the transport: what came behind
//! the request is never looked at (RFC 9112 §9.6), so nobody can slip a second request past a proxy that
//! took this one for an upgrade.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::is_reserved;
use crate::error::HandshakeError;
use crate::http::fields::Fields;
use crate::version::Versions;

/// An HTTP response other than 101.
///
/// ```
/// use hybi::handshake::Answer;
/// let answer = Answer::new(401).with_header("WWW-Authenticate", "Basic").with_body("who are you?\n");
/// assert_eq!((answer.status(), answer.body()), (401, &b"who are you?\n"[..]));
/// ```
///
/// `Connection: close` and the length of the body are added when it is written, and `Upgrade: websocket` to
/// status 426; a body without a `Content-Type` is plain text in UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    fields: Fields,
    body: Vec<u8>,
    fault: Option<AnswerError>,
}

/// An answer that may not be given, or not now. Nothing was written, and another one can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerError {
    /// The subprotocol is not one that the client offered (RFC 6455 §4.2.2).
    BadProtocol,
    /// A header whose name is no token, whose value has a control character, or which is the handshake's
    /// own: `Upgrade`, `Connection`, `Content-Length`, `Transfer-Encoding`, `Sec-WebSocket-*`.
    BadHeader,
    /// The status does not fit: a request for a WebSocket is rejected with 300 to 599, another one is
    /// answered with 200 to 599.
    BadStatus,
    /// There is no request to answer: none came yet, it was answered, or the handshake failed.
    NoRequest,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadProtocol => "the subprotocol was not offered (RFC 6455 §4.2.2)",
            Self::BadHeader => "malformed or reserved header",
            Self::BadStatus => "a status that does not fit the request",
            Self::NoRequest => "there is no request to answer",
        })
    }
}

impl core::error::Error for AnswerError {}

impl Answer {
    /// A answer without body. The status is checked when the answer is given: see
    /// [`reject`](super::ServerHandshake::reject) and [`respond`](super::ServerHandshake::respond).
    pub fn new(status: u16) -> Self {
        Self { status, fields: Fields::default(), body: Vec::new(), fault: None }
    }

    /// The same with one more header; names may repeat. One that may not be makes the answer unusable: giving
    /// it fails with [`AnswerError::BadHeader`].
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if is_reserved(name) || self.fields.push(name, value.as_ref()).is_err() {
            self.fault = Some(AnswerError::BadHeader);
        }
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers that were given.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// All headers as they are written: those that were given, and those that every answer has. For an
    /// application whose HTTP library writes the answer.
    pub fn all_fields(&self) -> Fields {
        let mut all = Fields::default();
        if self.status == 426 {
            // RFC 9110 §15.5.22; `Upgrade` is a field between neighbours, and named as one (§7.8).
            all.push_own("Connection", b"upgrade, close");
            all.push_own("Upgrade", b"websocket");
        } else {
            all.push_own("Connection", b"close");
        }
        if !self.body.is_empty() && !self.fields.contains("Content-Type") {
            all.push_own("Content-Type", b"text/plain; charset=utf-8");
        }
        if !self.has_no_content() {
            all.push_own("Content-Length", format!("{}", self.body.len()).as_bytes());
        }
        for (name, value) in self.fields.iter() {
            let pushed = all.push(name, value);
            debug_assert!(pushed.is_ok(), "a field that was pushed before");
        }
        all
    }

    /// The same for a stream of HTTP/2 or HTTP/3: in lower case, and nothing that is for a connection of HTTP/1.1.
    pub fn stream_fields(&self) -> Fields {
        let mut all = self.all_fields();
        all.remove("Connection");
        all.remove("Upgrade");
        all.for_stream()
    }

    /// What is wrong with it, when it may have a status from `lowest` to 599.
    pub(super) fn check(&self, lowest: u16) -> Result<(), AnswerError> {
        match self.fault {
            Some(fault) => Err(fault),
            None if (lowest..600).contains(&self.status) => Ok(()),
            None => Err(AnswerError::BadStatus),
        }
    }

    /// The octets. The answer to a HEAD request has the head alone (RFC 9110 §9.3.2).
    pub(super) fn encode(&self, to_head_request: bool) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).into_bytes();
        self.all_fields().encode(&mut out);
        out.extend_from_slice(b"\r\n");
        if !to_head_request && !self.has_no_content() {
            out.extend_from_slice(&self.body);
        }
        out
    }

    /// RFC 9110 §6.4.1.
    fn has_no_content(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    /// The answer to a request that broke this rule, in the words of [`HandshakeError`]. It repeats nothing
    /// of the request.
    pub(super) fn refusal(error: HandshakeError, status: u16) -> Self {
        let mut answer = Self::new(status).with_body(format!("{error}\n"));
        if status == 405 {
            answer.fields.push_own("Allow", b"GET"); // RFC 9110 §15.5.6
        }
        answer
    }

    /// The same with the versions that are spoken (RFC 6455 §4.4).
    pub(super) fn with_versions(mut self, versions: Versions) -> Self {
        self.fields.push_own("Sec-WebSocket-Version", format!("{versions}").as_bytes());
        self
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("fields", &self.fields)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// The reason phrase, for people who look at the wire; it may be empty (RFC 9112 §4).
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::version::Version;

    fn text(answer: &Answer) -> String {
        String::from_utf8(answer.encode(false)).expect("text")
    }

    #[test]
    fn a_reply_on_the_wire() {
        let answer = Answer::new(451)
            .with_header("X-Why", "closed shop")
            .with_header("x-why", "still")
            .with_body("no\n");
        assert_eq!(
            text(&answer),
            "HTTP/1.1 451 \r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 3\r\nX-Why: closed shop\r\nx-why: still\r\n\r\nno\n"
        );
        let answer = Answer::new(200).with_header("content-type", "text/html").with_body("<p>");
        assert_eq!(
            text(&answer),
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\ncontent-type: text/html\r\n\r\n<p>"
        );
        assert_eq!(
            text(&Answer::new(403)),
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        assert!(answer.encode(true).ends_with(b"Content-Length: 3\r\ncontent-type: text/html\r\n\r\n"));
    }

    #[test]
    fn some_replies_have_no_content() {
        for status in [204, 304] {
            let answer = text(&Answer::new(status).with_header("Content-Type", "a").with_body("b"));
            assert!(answer.ends_with("Content-Type: a\r\n\r\n") && !answer.contains("Length"), "{answer}");
        }
    }

    #[test]
    fn refusals_name_what_would_do() {
        let answer = text(&Answer::refusal(HandshakeError::BadMethod, 405));
        assert!(answer.contains("\r\nAllow: GET\r\n"), "{answer}");
        let versions = Versions::default().with(Version::V7);
        let answer = text(&Answer::refusal(HandshakeError::BadVersion, 426).with_versions(versions));
        for line in ["Connection: upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13, 7"] {
            assert!(answer.contains(&format!("\r\n{line}\r\n")), "{answer}");
        }
        assert!(answer.ends_with("(RFC 6455 §4.4)\n") && answer.matches('\n').count() == 8, "{answer}");
    }

    #[test]
    fn faults_are_found_before_anything_is_written() {
        assert_eq!(Answer::new(300).check(300), Ok(()));
        assert_eq!(Answer::new(599).check(300), Ok(()));
        for status in [0, 101, 200, 299, 600, 1000] {
            assert_eq!(Answer::new(status).check(300), Err(AnswerError::BadStatus), "{status}");
        }
        for (name, value) in [
            ("X", "a\r\nb: c"),
            ("X\r\nY", "a"),
            ("", "a"),
            ("connection", "keep-alive"),
            ("Content-Length", "9"),
            ("transfer-encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("sec-websocket-accept", "x"),
        ] {
            let answer = Answer::new(403).with_header(name, value).with_header("fine", "fine");
            assert_eq!(answer.check(300), Err(AnswerError::BadHeader), "{name:?}");
        }
    }
}
