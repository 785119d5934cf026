//! What a request says: whether it is for a stream, and where the reader was.

use alloc::format;
use alloc::string::String;
use core::str;

use hybi::handshake::RequestHead;

/// Whether a request is for a stream of events: a GET that accepts `text/event-stream`.
pub fn is_requested(head: &RequestHead) -> bool {
    accepts(head.method(), head.fields().get_all("Accept"))
}

/// The same where an HTTP library has read the request: by its method and the values of its `Accept`.
///
/// ```
/// use hybi_eventsource::accepts;
/// assert!(accepts("GET", [&b"text/html, Text/Event-Stream;q=0.5"[..]]));
/// assert!(!accepts("GET", [&b"text/html, */*"[..]]));
/// assert!(!accepts("POST", [&b"text/event-stream"[..]]));
/// ```
pub fn accepts<'a>(method: &str, accept: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let names_it = |element: &[u8]| {
        let kind = element.split(|octet| *octet == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
    };
    method == "GET" && accept.into_iter().any(|line| line.split(|octet| *octet == b',').any(names_it))
}

/// The id of the last event that the reader saw before it lost its stream; empty if it is new. Anybody can write
/// anything there: it is text without control characters, and that is all that can be said of it.
pub fn last_event_id(head: &RequestHead) -> &str {
    let id = head.fields().get("Last-Event-ID").and_then(|id| str::from_utf8(id).ok());
    id.filter(|id| !id.contains(['\0', '\r', '\n'])).unwrap_or_default()
}

/// The address that the reader asked for; `secure` if it came by TLS, which this crate cannot know: see
/// [`RequestHead::forwarded_https`] for a server behind a proxy.
pub fn url(head: &RequestHead, secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    let query = head.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{}{}{query}", head.host(), head.path())
}
