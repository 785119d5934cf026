//! One event: text, type and id, in; the lines that say so, out (HTML §9.2.5).

use alloc::string::String;

use crate::stream::SendError;

/// A comment, which a reader passes over: something to say where there is nothing to say, so that no proxy takes the
/// connection for dead.
pub const PING: &str = ":\n\n";

/// A text, and perhaps its type and id.
///
/// ```
/// use hybi_eventsource::Event;
/// let event = Event::new("one\ntwo").with_type("note").with_id("8");
/// assert_eq!(event.encode()?, "event: note\nid: 8\ndata: one\ndata: two\n\n");
/// # Ok::<(), hybi_eventsource::SendError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    text: &'a str,
    kind: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// An event of the type `message`, without id. Line ends of any form come out as `\n`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, kind: None, id: None }
    }

    /// The same of this type: what a page listens for by `addEventListener`. It is of one line.
    #[must_use]
    pub const fn with_type(self, kind: &'a str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// The same with this id, which a reader that has to come back names in `Last-Event-ID`. It is of one line,
    /// without a null octet. The empty one makes the reader forget the last.
    #[must_use]
    pub const fn with_id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The lines.
    ///
    /// # Errors
    /// [`SendError::BadField`]: the type or the id is of more than one line, or the id has a null octet.
    pub fn encode(&self) -> Result<String, SendError> {
        let breaks = |text: &str, also: char| text.contains(['\r', '\n', also]);
        if self.kind.is_some_and(|kind| breaks(kind, '\n')) || self.id.is_some_and(|id| breaks(id, '\0')) {
            return Err(SendError::BadField);
        }
        let mut lines = String::with_capacity(self.text.len() + 64);
        for (name, value) in [("event", self.kind), ("id", self.id)] {
            if let Some(value) = value {
                push_line(&mut lines, name, value);
            }
        }
        // Even an empty text has a line: without one the reader would not dispatch the event.
        let mut rest = self.text;
        loop {
            let (line, behind) = split_line(rest);
            push_line(&mut lines, "data", line);
            match behind {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        lines.push('\n');
        Ok(lines)
    }
}

impl<'a> From<&'a str> for Event<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

/// A reader takes away one blank behind the colon, so there is one always.
fn push_line(lines: &mut String, name: &str, value: &str) {
    for piece in [name, ": ", value, "\n"] {
        lines.push_str(piece);
    }
}

/// The first line, and what is behind its end: `\r\n`, `\n` or `\r`.
fn split_line(text: &str) -> (&str, Option<&str>) {
    let Some(end) = text.find(['\r', '\n']) else { return (text, None) };
    let (line, rest) = text.split_at(end);
    let behind = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
    (line, Some(behind))
}
