//! A server that speaks the drafts before HyBi, and the application behind it: `SHIM.md` sections 3 and 5.2.

use hybi::{Instant, State};
use hybi_hixie::{Accept, Error, Event, Server, Settings, Version};
use hybi_test::octets::hex;
use serde_json::{Value, json};

use crate::request::{Object, Request, Unsupported, list, number, seconds, text, truth, unsupported};
use crate::step::{self, Step};
use crate::{answer, script};

/// Whether a server with these options speaks one of these drafts, or an open connection does.
pub(crate) fn is_wanted(options: &Object) -> bool {
    let is_draft = |value: &Value| matches!(value.as_u64(), Some(75 | 76));
    options.get("version").is_some_and(is_draft)
        || options.get("versions").and_then(Value::as_array).is_some_and(|list| list.iter().any(is_draft))
}

struct Script {
    server: Server,
    application: Application,
    now: Instant,
    facts: Value,
    sent: Vec<u8>,
    events: Vec<Value>,
    /// Octets that the server did not take.
    outside: Vec<u8>,
    takes_events: bool,
    room: Option<usize>,
    is_other: bool,
}

#[derive(Default)]
struct Application {
    protocols: Vec<String>,
    path: Option<String>,
    allowed_origins: Option<Vec<String>>,
    authorize: Option<bool>,
    closing: bool,
}

pub(crate) fn run(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut settings = Settings::default();
    let mut application = Application::default();
    let mut version = None;
    for (name, value) in &request.options {
        match name.as_str() {
            "version" => version = Some(if value == 75 { Version::Hixie75 } else { Version::Hixie76 }),
            "max_message_size" => settings.message = number(name, value)? as usize,
            "max_write_buffer" => settings.write_buffer = number(name, value)? as usize,
            "max_head_size" => settings.head_bytes = number(name, value)? as usize,
            "max_headers" => settings.head_fields = number(name, value)? as usize,
            "handshake_timeout_seconds" => settings.handshake = Some(seconds(name, value)?),
            "protocols" => application.protocols = list(name, value)?,
            "path" => application.path = Some(text(name, value)?.to_owned()),
            "allowed_origins" => application.allowed_origins = Some(list(name, value)?),
            "authorize" if value == "later" => application.authorize = None,
            "authorize" => application.authorize = Some(truth(name, value)?),
            "closing" => application.closing = truth(name, value)?,
            "versions" => {}
            _ => return unsupported(format!("option {name} of these drafts")),
        }
    }
    if !request.options.contains_key("authorize") {
        application.authorize = Some(true);
    }
    let is_open = matches!(request.kind.as_str(), "hixie-frames" | "hixie-send");
    let server = match version.filter(|_| is_open) {
        Some(version) => Server::open(version, settings),
        None => Server::new(settings),
    };
    let mut script = Script {
        server,
        application,
        now: Instant::from_nanos(1_000_000_000),
        facts: json!({"refused": [], "trace": [], "error": null}),
        sent: Vec::new(),
        events: Vec::new(),
        outside: Vec::new(),
        takes_events: true,
        room: None,
        is_other: false,
    };
    script.run(steps)?;
    if script.is_other {
        return of_the_rest(request);
    }
    Ok(script.into_answer())
}

/// The request is of another version: whoever has the transport hands it on.
fn of_the_rest(request: &Request) -> Result<Value, Unsupported> {
    let mut options = request.options.clone();
    options.shift_remove("version");
    if let Some(Value::Array(versions)) = options.get_mut("versions") {
        versions.retain(|version| !matches!(version.as_u64(), Some(75 | 76)));
        if versions.is_empty() {
            versions.push(json!(13)); // there is no server that refuses everything
        }
    }
    script::run_server(&Request {
        id: request.id.clone(),
        kind: "handshake-request".to_owned(),
        role: request.role,
        options,
        input: request.input.clone(),
    })
}

impl Script {
    fn run(&mut self, steps: Vec<Step>) -> Result<(), Unsupported> {
        self.drain();
        self.trace();
        for step in steps {
            self.step(step)?;
            self.drain();
            self.trace();
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Unsupported> {
        match step {
            Step::Receive(reads) => {
                for read in reads {
                    self.outside.extend(read);
                    self.receive();
                    self.drain();
                }
            }
            Step::Eof | Step::IoError | Step::Terminate => self.server.receive_eof(),
            Step::Send { kind: hybi::Kind::Text, data, fin: true, compress: None, .. } => {
                let Ok(data) = String::from_utf8(data) else { return unsupported("text that is not UTF-8") };
                if let Err(error) = self.server.send(&data) {
                    self.refuse(error)?;
                }
            }
            Step::Send { .. } | Step::Continue { .. } | Step::Ping { .. } | Step::Pong(_) => {
                // The types have no such call: that is how they say it.
                self.refused(if self.server.state() == hybi_hixie::State::Closed {
                    "not_open"
                } else {
                    "unsupported"
                });
            }
            Step::Close { .. } => self.server.close(),
            Step::Advance(by) => {
                let end = self.now + by;
                while let Some(deadline) = self.server.poll_timeout().filter(|deadline| *deadline <= end) {
                    self.now = self.now.max(deadline);
                    self.drain();
                }
                self.now = end;
            }
            Step::Accept => self.accept()?,
            Step::StopWriting(after) => self.room = Some(after),
            Step::StartWriting => self.room = None,
            Step::StopReading => self.takes_events = false,
        }
        Ok(())
    }

    fn receive(&mut self) {
        loop {
            let n = self.server.receive(&self.outside);
            self.outside.drain(..n);
            self.take_events();
            if n == 0 || self.outside.is_empty() {
                return;
            }
        }
    }

    fn drain(&mut self) {
        loop {
            self.take_events();
            let waiting = self.server.transmit();
            let n = self.room.map_or(waiting.len(), |room| room.min(waiting.len()));
            self.sent.extend_from_slice(&waiting[..n]);
            self.server.transmitted(n);
            self.room = self.room.map(|room| room - n);
            match self.server.poll_timeout() {
                Some(deadline) if deadline <= self.now => self.server.handle_timeout(self.now),
                _ => return,
            }
        }
    }

    fn take_events(&mut self) {
        while self.takes_events {
            let Some(event) = self.server.poll_event() else { return };
            match event {
                Event::Request(request) => self.decide(&request),
                Event::Other => self.is_other = true,
                Event::Text(text) => {
                    self.events.push(json!({"type": "text", "hex": hex(text.as_bytes())}));
                }
                Event::Failed(error) => {
                    let kind = match error {
                        Error::MessageTooBig => "message_too_big",
                        Error::HandshakeTimeout => "handshake_timeout",
                        _ => "bad_key",
                    };
                    self.facts["error"] = json!({"kind": kind, "close_code": null});
                }
                Event::Closed => self.events.push(json!({"type": "close", "code": null, "hex": ""})),
                _ => {}
            }
        }
    }

    fn decide(&mut self, request: &hybi_hixie::Request) {
        let path = request.target().split('?').next().unwrap_or_default();
        let origin_is_allowed = |allowed: &Vec<String>| {
            request
                .origin()
                .is_some_and(|origin| allowed.iter().any(|other| other.eq_ignore_ascii_case(origin)))
        };
        let status = if self.application.path.as_deref().is_some_and(|mounted| mounted != path) {
            404
        } else if !self.application.allowed_origins.as_ref().is_none_or(origin_is_allowed)
            || self.application.authorize == Some(false)
        {
            403
        } else if self.application.closing {
            503
        } else if self.application.authorize.is_none() {
            return;
        } else {
            let mut accept = Accept::default();
            accept.subprotocol = request
                .subprotocols()
                .find(|name| self.application.protocols.iter().any(|own| own == name))
                .map(str::to_owned);
            self.server.accept(&accept).expect("it waits");
            return;
        };
        self.server.reject(status, "").expect("it waits");
        self.facts["error"] = json!({"kind": "refused", "close_code": null});
    }

    fn accept(&mut self) -> Result<(), Unsupported> {
        if let Err(error) = self.server.accept(&Accept::default()) {
            self.refuse(error)?;
        }
        self.receive();
        Ok(())
    }

    fn refuse(&mut self, error: Error) -> Result<(), Unsupported> {
        match error {
            Error::NotOpen => self.refused("not_open"),
            Error::QueueFull => self.refused("queue_full"),
            error => return unsupported(format!("refusal {error:?} has no name here")),
        }
        Ok(())
    }

    fn refused(&mut self, word: &str) {
        self.facts["refused"].as_array_mut().expect("a list").push(json!(word));
    }

    fn trace(&mut self) {
        let entry = json!({
            "state": answer::name(state(&self.server)), "sent_len": self.sent.len(), "events": self.events.len(),
        });
        self.facts["trace"].as_array_mut().expect("a list").push(entry);
    }

    fn into_answer(mut self) -> Value {
        self.room = None;
        self.drain();
        let mut answer = self.facts;
        answer["events"] = json!(self.events);
        answer["sent"] = json!(hex(&self.sent));
        answer["state"] = json!(answer::name(state(&self.server)));
        answer["version"] = json!(self.server.version().map(|version| match version {
            Version::Hixie75 => 75,
            Version::Hixie76 => 76,
        }));
        answer["transport"] = json!(if self.server.wants_close() { "close" } else { "keep" });
        answer
    }
}

fn state(server: &Server) -> State {
    match server.state() {
        hybi_hixie::State::Connecting => State::Connecting,
        hybi_hixie::State::Open => State::Open,
        hybi_hixie::State::Closed => State::Closed,
    }
}
