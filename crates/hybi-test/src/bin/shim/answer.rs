//! The answer to a script: `SHIM.md` section 6.

use hybi::{CloseFrame, CloseInfo, Event, Kind, State};
use hybi_test::octets::hex;
use serde_json::{Value, json};

use crate::errors;
use crate::request::Unsupported;

/// Facts, as they come to light.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    events: Vec<Counted>,
    event_count: usize,
    pub(crate) error: Option<Value>,
    pub(crate) refused: Vec<&'static str>,
    /// What was written, up to [`SHOWN`].
    sent: Vec<u8>,
    sent_len: usize,
    trace: Vec<Value>,
    pub(crate) pings_done: Vec<Value>,
    clean: bool,
    /// Requests of a client, and the last response to one.
    pub(crate) attempts: Vec<Value>,
    pub(crate) response: Option<Value>,
    /// Pieces of a message that is delivered in fragments.
    pieces: Vec<u8>,
}

/// An event, and how often it came in a row.
#[derive(Debug)]
struct Counted {
    kind: &'static str,
    data: Vec<u8>,
    /// Of a close event.
    code: Option<u16>,
    count: usize,
}

/// Of longer output only the beginning is shown.
const SHOWN: usize = 32 << 20;

impl Facts {
    /// An event of the connection. `owed`: whether a close frame goes out if this is a failure.
    pub(crate) fn event(&mut self, event: &Event<'_>, owed: bool) -> Result<(), Unsupported> {
        match event {
            Event::Text(text) => self.push("text", text.as_bytes(), None),
            Event::UncheckedText(data) => self.push("text", data, None),
            Event::Binary(data) => self.push("binary", data, None),
            Event::Fragment(piece) => {
                self.pieces.extend_from_slice(&piece.data);
                if piece.last {
                    let whole = std::mem::take(&mut self.pieces);
                    self.push(if piece.kind == Kind::Text { "text" } else { "binary" }, &whole, None);
                }
            }
            Event::Ping(data) => self.push("ping", data, None),
            Event::Pong(data) => self.push("pong", data, None),
            Event::Failed(error) => {
                let code = owed.then(|| error.close_code().value());
                self.error = Some(json!({"kind": errors::of_peer(*error)?, "close_code": code}));
            }
            Event::Closed(info) => self.closed(info),
            _ => {} // the peer's close frame is in the last event; that one may write again is no fact here
        }
        Ok(())
    }

    fn closed(&mut self, info: &CloseInfo) {
        self.clean = info.is_clean();
        let reason = info.frame().map_or(&[][..], CloseFrame::reason_bytes);
        self.push("close", reason, Some(info.code()));
    }

    fn push(&mut self, kind: &'static str, data: &[u8], code: Option<u16>) {
        self.event_count += 1;
        match self.events.last_mut() {
            Some(last) if last.kind == kind && last.data == data => last.count += 1,
            _ => self.events.push(Counted { kind, data: data.to_vec(), code, count: 1 }),
        }
    }

    /// The opening handshake came to nothing.
    pub(crate) fn fail_handshake(&mut self, why: &'static str) {
        self.error = Some(json!({"kind": why, "close_code": null}));
    }

    /// The end of a client that never was connected.
    pub(crate) fn close_without_frame(&mut self) {
        self.push("close", &[], Some(1006));
    }

    /// A call that was refused.
    pub(crate) fn refuse(&mut self, error: hybi::UsageError) -> Result<(), Unsupported> {
        self.refused.push(errors::of_caller(error)?);
        Ok(())
    }

    /// Octets that were written.
    pub(crate) fn sent(&mut self, octets: &[u8]) {
        self.sent_len += octets.len();
        let shown = octets.len().min(SHOWN.saturating_sub(self.sent.len()));
        self.sent.extend_from_slice(&octets[..shown]);
    }

    /// Before the first step and after each.
    pub(crate) fn trace(&mut self, state: State) {
        let entry = json!({"state": name(state), "sent_len": self.sent_len, "events": self.event_count});
        self.trace.push(entry);
    }

    /// The answer, without what only the endpoint knows.
    pub(crate) fn into_answer(self, state: State) -> Value {
        json!({
            "events": self.events.iter().map(Counted::to_json).collect::<Vec<_>>(),
            "error": self.error,
            "refused": self.refused,
            "state": name(state),
            "sent": hex(&self.sent),
            "sent_len": self.sent_len,
            "clean": self.clean,
            "trace": self.trace,
            "pings_done": self.pings_done,
            "attempts": self.attempts,
            "response": self.response,
        })
    }
}

impl Counted {
    fn to_json(&self) -> Value {
        let mut event = json!({"type": self.kind, "hex": hex(&self.data), "count": self.count});
        if let Some(code) = self.code {
            event["code"] = json!(code);
        }
        event
    }
}

pub(crate) fn name(state: State) -> &'static str {
    match state {
        State::Connecting => "connecting",
        State::Open => "open",
        State::Closing => "closing",
        State::Closed => "closed",
    }
}
