//! How a stream is answered, and how long its reader waits.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use hybi::handshake::Fields;

/// Of the answer, of the time, and of memory.
///
/// ```
/// use std::time::Duration;
/// use hybi_eventsource::Settings;
///
/// let mut settings = Settings::default();
/// settings.retry = Duration::from_secs(10);
/// settings.ping = Some(Duration::from_secs(30));
/// let settings = settings.with_header("Access-Control-Allow-Origin", "https://example.com").expect("a good header");
/// assert_eq!(settings.opening(), "retry: 10000\n\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long a reader that lost its stream waits before it comes back: whole milliseconds of it. 5 seconds.
    pub retry: Duration,
    /// How often a comment is written, whatever else is. 15 seconds.
    pub ping: Option<Duration>,
    /// Octets that may wait to be written. What would pass that is refused with
    /// [`SendError::QueueFull`](crate::SendError::QueueFull). 1 MiB.
    pub max_buffered: usize,
    headers: Fields,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(5),
            ping: Some(Duration::from_secs(15)),
            max_buffered: 1 << 20,
            headers: Fields::default(),
        }
    }
}

/// What every answer has, and what would say how long it is.
const OWN: [&str; 3] = ["Content-Type", "Cache-Control", "Connection"];
const NEVER: [&str; 2] = ["Content-Length", "Transfer-Encoding"];

impl Settings {
    /// The same with one more header of the answer. `None` for one that may not be: of characters that a header cannot
    /// have, or one that every stream has already (`Content-Type`, `Cache-Control`, `Connection`) or cannot have
    /// (`Content-Length`, `Transfer-Encoding`).
    pub fn with_header(mut self, name: &str, value: &str) -> Option<Self> {
        let is_taken = OWN.iter().chain(&NEVER).any(|own| own.eq_ignore_ascii_case(name));
        (!is_taken && self.headers.push(name, value.as_bytes()).is_ok()).then_some(self)
    }

    /// The headers of an answer for an HTTP library; `Connection` and whatever tells the length are its own.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let own = [("Content-Type", &b"text/event-stream"[..]), ("Cache-Control", b"no-cache, no-store")];
        own.into_iter().chain(self.headers.iter())
    }

    /// The first lines of every stream: how long to wait before coming back.
    pub fn opening(&self) -> String {
        format!("retry: {}\n\n", self.retry.as_millis())
    }

    /// The head of the answer. The stream is as long as its connection (RFC 9112 §6.3).
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        for (name, value) in self.fields().chain([("Connection", &b"close"[..])]) {
            for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
                head.extend_from_slice(piece);
            }
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}
