//! Events as values that can be kept, compared and written down.

use std::fmt;

use hybi::{CloseCause, CloseFrame, CloseInfo, Event, Kind, ProtocolError, Timeout};

use crate::octets::{hex, show};

/// An [`Event`] that owns what it says.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Event`")]
pub enum Record {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    UncheckedText(Vec<u8>),
    Fragment {
        kind: Kind,
        data: Vec<u8>,
        first: bool,
        last: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The code and the reason, if there is a body.
    Close(Option<(u16, Vec<u8>)>),
    Failed(ProtocolError),
    Writable,
    /// Code and reason as the application sees them, and why.
    Closed(u16, Vec<u8>, CloseCause),
}

impl From<Event<'_>> for Record {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => {
                assert_eq!(text.as_str().as_bytes(), text.as_bytes(), "text is UTF-8");
                Self::Text(text.as_bytes().to_vec())
            }
            Event::Binary(data) => Self::Binary(data.to_vec()),
            Event::UncheckedText(data) => Self::UncheckedText(data.to_vec()),
            Event::Fragment(fragment) => Self::Fragment {
                kind: fragment.kind,
                data: fragment.data.to_vec(),
                first: fragment.first,
                last: fragment.last,
            },
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(frame) => Self::close(frame.as_ref()),
            Event::Failed(error) => Self::Failed(error),
            Event::Writable => Self::Writable,
            Event::Closed(info) => Self::closed(&info),
            other => panic!("an event that records do not know yet: {other:?}"),
        }
    }
}

impl Record {
    /// A text message.
    pub fn text(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }

    /// A close frame.
    pub fn close(frame: Option<&CloseFrame>) -> Self {
        Self::Close(frame.map(|frame| (frame.code().value(), frame.reason_bytes().to_vec())))
    }

    /// The last event.
    pub fn closed(info: &CloseInfo) -> Self {
        let reason = info.frame().map_or(&[][..], CloseFrame::reason_bytes);
        Self::Closed(info.code(), reason.to_vec(), info.cause().clone())
    }

    /// The transport ended without a closing handshake.
    pub fn transport_ended() -> Self {
        Self::Closed(1006, Vec::new(), CloseCause::TransportEnded)
    }

    /// The closing handshake is over; the peer's frame had this code and reason.
    pub fn clean(code: u16, reason: &str) -> Self {
        Self::Closed(code, reason.as_bytes().to_vec(), CloseCause::Handshake)
    }

    /// As a transcript writes it, with octets by `octets`.
    fn line(&self, octets: fn(&[u8]) -> String) -> String {
        match self {
            Self::Text(data) => format!("text {}", octets(data)),
            Self::Binary(data) => format!("binary {}", octets(data)),
            Self::UncheckedText(data) => format!("unchecked {}", octets(data)),
            Self::Fragment { kind, data, first, last } => {
                let kind = if *kind == Kind::Text { "text" } else { "binary" };
                let place = [(*first, " first"), (*last, " last")];
                let place: String = place.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
                format!("fragment {kind}{place} {}", octets(data))
            }
            Self::Ping(data) => format!("ping {}", octets(data)),
            Self::Pong(data) => format!("pong {}", octets(data)),
            Self::Close(None) => "close".to_owned(),
            Self::Close(Some((code, reason))) => format!("close {code} {}", octets(reason)),
            Self::Failed(error) => format!("failed {error:?}"),
            Self::Writable => "writable".to_owned(),
            Self::Closed(code, reason, cause) => format!("closed {code} {} {}", octets(reason), word(cause)),
        }
    }

    /// In one form: octets as hexadecimal digits, one blank between words.
    pub fn canonical(&self) -> String {
        self.line(hex).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Pieces joined to messages. Text has to be text in each piece, unless it is not checked.
///
/// # Panics
/// If the pieces do not fit together.
pub fn join(events: Vec<Record>, utf8: bool) -> Vec<Record> {
    let (mut out, mut joined) = (Vec::new(), None::<Vec<u8>>);
    for event in events {
        let Record::Fragment { kind, data, first, last } = event else {
            out.push(event);
            continue;
        };
        assert_eq!(first, joined.is_none());
        assert!(!utf8 || kind == Kind::Binary || str::from_utf8(&data).is_ok());
        let payload = joined.get_or_insert_default();
        payload.extend(data);
        if last {
            out.push(match (kind, utf8) {
                (Kind::Text, true) => Record::Text(joined.take().unwrap_or_default()),
                (Kind::Text, false) => Record::UncheckedText(joined.take().unwrap_or_default()),
                (Kind::Binary, _) => Record::Binary(joined.take().unwrap_or_default()),
            });
        }
    }
    out
}

/// Why a connection ended, in a word.
fn word(cause: &CloseCause) -> &'static str {
    match cause {
        CloseCause::Handshake => "clean",
        CloseCause::TransportEnded => "eof",
        CloseCause::Failed(_) => "failed",
        CloseCause::Aborted => "aborted",
        CloseCause::TimedOut(Timeout::Pong) => "pong-timeout",
        CloseCause::TimedOut(Timeout::Idle) => "idle-timeout",
        CloseCause::TimedOut(Timeout::Close) => "close-timeout",
        CloseCause::TimedOut(Timeout::WriteStall) => "stall-timeout",
        _ => "unknown",
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(show))
    }
}
