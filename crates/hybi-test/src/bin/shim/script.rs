//! Scripts on an endpoint: `SHIM.md` sections 3, 4 and 6.

use std::cell::Cell;

use bytes::Bytes;
use hybi::{
    CloseCode, Connection, Event, Instant, Kind, Message, Payload, Role, State, TransportAction, UsageError,
    Utf8Bytes,
};
use serde_json::{Value, json};

use crate::answer::Facts;
use crate::meter::Meter;
use crate::options::{Options, none_left};
use crate::request::{Request, Unsupported, unsupported};
use crate::step::{self, Step};

/// Runs a script on an open connection.
pub(crate) fn run_open(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut options = request.options.clone();
    let taken = Options::take(&mut options)?;
    none_left(&options)?;
    let mut meter = Meter::start(&taken.memory);
    MASK_KEY.set(taken.mask_key);
    let connection = meter.library(|| match request.role {
        Role::Client => Connection::client(taken.agreement, taken.config, entropy),
        Role::Server => Connection::server(taken.agreement, taken.config),
    });
    let mut script = Script::new(connection, meter);
    script.run(steps)?;
    Ok(script.into_answer())
}

thread_local!(static MASK_KEY: Cell<Option<[u8; 4]>> = const { Cell::new(None) });

/// The key of option `mask_key`, or what the operating system gives. It has no state, so it costs nothing.
fn entropy(out: &mut [u8]) {
    match MASK_KEY.get() {
        Some(key) => out.iter_mut().zip(key.iter().cycle()).for_each(|(octet, key)| *octet = *key),
        None => getrandom::fill(out).expect("the operating system has entropy"),
    }
}

/// An endpoint, its surroundings, and the facts about it.
struct Script {
    connection: Connection,
    meter: Meter,
    facts: Facts,
    now: Instant,
    /// How much output the peer still takes; `None`: all of it.
    room: Option<usize>,
    /// Whether the application takes events.
    takes_events: bool,
    /// Received octets that the library did not take.
    outside: Vec<u8>,
    /// Whether a failure would be told by a close frame: none was sent before.
    close_is_owed: bool,
    /// Pings with an id that wait for their pong.
    pings: Vec<(Vec<u8>, Value)>,
    /// Second handles on buffers of the caller, and what they held.
    shared: Vec<(Bytes, Vec<u8>)>,
}

impl Script {
    fn new(connection: Connection, meter: Meter) -> Self {
        Self {
            connection,
            meter,
            facts: Facts::default(),
            now: Instant::from_nanos(1_000_000_000),
            room: None,
            takes_events: true,
            outside: Vec::new(),
            close_is_owed: true,
            pings: Vec::new(),
            shared: Vec::new(),
        }
    }

    fn run(&mut self, steps: Vec<Step>) -> Result<(), Unsupported> {
        self.drain()?;
        self.facts.trace(self.connection.state());
        for step in steps {
            self.step(step)?;
            self.drain()?;
            self.facts.trace(self.connection.state());
        }
        Ok(())
    }

    fn into_answer(mut self) -> Value {
        let cost = self.meter.cost();
        self.room = None;
        self.take_output();
        let connection = &self.connection;
        let changed = self.shared.iter().filter(|(handle, before)| handle != before).count();
        let mut answer = self.facts.into_answer(connection.state());
        answer["cost"] = cost;
        answer["buffers_changed"] = json!(changed);
        answer["version"] = json!(connection.agreement().version().number());
        answer["transport"] = json!(transport(connection));
        answer["timer"] = match connection.poll_timeout() {
            Some(deadline) => json!(u64::try_from(deadline.since(self.now).as_millis()).unwrap_or(u64::MAX)),
            None => Value::Null,
        };
        answer
    }

    // ---- steps

    fn step(&mut self, step: Step) -> Result<(), Unsupported> {
        let Self { connection, meter, .. } = self;
        match step {
            Step::Receive(reads) => reads.into_iter().try_for_each(|read| self.receive(read)),
            Step::Eof => {
                meter.library(|| connection.receive_eof());
                Ok(())
            }
            Step::IoError => {
                meter.library(|| connection.transport_lost());
                Ok(())
            }
            Step::Terminate => {
                meter.library(|| connection.abort());
                Ok(())
            }
            Step::Send { kind, data, fin, shared } => self.send(kind, data, fin, shared),
            Step::Continue { data, fin } => self.continue_message(&data, fin),
            Step::Ping { data, id } => {
                let result = meter.library(|| connection.ping(&data));
                if let (Ok(()), Some(id)) = (result, id) {
                    self.pings.push((data, id));
                }
                self.note(result)
            }
            Step::Pong(data) => {
                let result = meter.library(|| connection.pong(&data));
                self.note(result)
            }
            Step::Close { code, reason } => self.close(code, &reason),
            Step::Advance(by) => self.advance(self.now + by),
            Step::Accept => unsupported("accept on an open connection"),
            Step::StopWriting(after) => {
                self.room = Some(after);
                Ok(())
            }
            Step::StartWriting => {
                self.room = None;
                Ok(())
            }
            Step::StopReading => {
                self.takes_events = false;
                Ok(())
            }
        }
    }

    fn note(&mut self, result: Result<(), UsageError>) -> Result<(), Unsupported> {
        result.or_else(|error| self.facts.refuse(error))
    }

    fn receive(&mut self, mut read: Vec<u8>) -> Result<(), Unsupported> {
        if !self.takes_events {
            self.outside.extend_from_slice(&read);
            let (connection, offered) = (&mut self.connection, &self.outside);
            let taken = self.meter.library(|| connection.receive_copy(offered));
            self.outside.drain(..taken);
            return self.drain();
        }
        let mut input = self.meter.library(|| self.connection.receive(&mut read));
        while let Some(event) = self.meter.library(|| input.poll_event()) {
            note_event(&mut self.facts, &mut self.pings, &event, self.close_is_owed)?;
        }
        self.meter.library(|| drop(input));
        self.drain()
    }

    fn send(&mut self, kind: Kind, data: Vec<u8>, fin: bool, shared: bool) -> Result<(), Unsupported> {
        let Self { connection, meter, .. } = self;
        let Some(payload) = payload(kind, &data) else { return unsupported("text that is not UTF-8") };
        let result = match (fin, shared) {
            (false, _) => meter.library(|| connection.start(kind)?.write(&data)),
            (true, false) => meter.library(|| connection.send(payload)),
            (true, true) => {
                let handle = Bytes::from(data.clone());
                self.shared.push((handle.clone(), data));
                let message = match kind {
                    Kind::Text => Utf8Bytes::try_from(handle).expect("it was checked above").into(),
                    Kind::Binary => Message::from(handle),
                };
                meter.library(|| connection.send_message(message).map_err(|refused| refused.error))
            }
        };
        self.note(result)
    }

    fn continue_message(&mut self, data: &[u8], fin: bool) -> Result<(), Unsupported> {
        let Self { connection, meter, .. } = self;
        let open = connection.state() == State::Open;
        let result = meter.library(|| {
            let mut writer = connection.writer()?;
            Some(if fin { writer.finish(data) } else { writer.write(data) })
        });
        match result {
            Some(result) => self.note(result),
            None => {
                self.facts.refused.push(if open { "no_message" } else { "not_open" });
                Ok(())
            }
        }
    }

    fn close(&mut self, code: Option<u64>, reason: &[u8]) -> Result<(), Unsupported> {
        let Self { connection, meter, .. } = self;
        let Ok(reason) = str::from_utf8(reason) else { return unsupported("a reason that is not UTF-8") };
        let result = match code {
            None if !reason.is_empty() => return unsupported("a reason without a code"),
            None => meter.library(|| connection.close_with(None)),
            Some(code) => match u16::try_from(code).ok().and_then(CloseCode::new) {
                Some(code) => meter.library(|| connection.close(code, reason)),
                None => {
                    self.facts.refused.push("bad_close_code");
                    return Ok(());
                }
            },
        };
        if result.is_ok() {
            self.close_is_owed = false;
        }
        self.note(result)
    }

    fn advance(&mut self, target: Instant) -> Result<(), Unsupported> {
        self.drain()?;
        while let Some(next) = self.connection.poll_timeout().filter(|next| *next <= target) {
            self.now = self.now.max(next);
            self.drain()?;
        }
        self.now = target;
        Ok(())
    }

    // ---- out

    /// All events, all output, and the time where it is asked for, until there is nothing.
    fn drain(&mut self) -> Result<(), Unsupported> {
        loop {
            self.take_events()?;
            self.take_output();
            self.take_events()?;
            let Self { connection, meter, now, .. } = self;
            match meter.library(|| connection.poll_timeout()) {
                Some(deadline) if deadline <= *now => meter.library(|| connection.handle_timeout(*now)),
                _ => return Ok(()),
            }
        }
    }

    fn take_events(&mut self) -> Result<(), Unsupported> {
        if self.takes_events {
            while let Some(event) = self.meter.library(|| self.connection.poll_event()) {
                note_event(&mut self.facts, &mut self.pings, &event, self.close_is_owed)?;
            }
        }
        Ok(())
    }

    fn take_output(&mut self) {
        let Self { connection, meter, facts, room, .. } = self;
        loop {
            let output = meter.library(|| connection.transmit());
            let n = room.map_or(output.len(), |room| room.min(output.len()));
            if n == 0 {
                return;
            }
            facts.sent(&output[..n]);
            meter.library(|| connection.transmitted(n));
            *room = room.map(|room| room - n);
        }
    }
}

fn note_event(
    facts: &mut Facts,
    pings: &mut Vec<(Vec<u8>, Value)>,
    event: &Event<'_>,
    close_is_owed: bool,
) -> Result<(), Unsupported> {
    if let Event::Pong(data) = event {
        for (_, id) in pings.extract_if(.., |(ping, _)| ping == data) {
            facts.pings_done.push(id);
        }
    }
    facts.event(event, close_is_owed)
}

fn payload(kind: Kind, data: &[u8]) -> Option<Payload<'_>> {
    match kind {
        Kind::Text => Payload::text(data).ok(),
        Kind::Binary => Some(Payload::binary(data)),
    }
}

fn transport(connection: &Connection) -> &'static str {
    match (connection.transport_action(), connection.state()) {
        (TransportAction::None, State::Connecting | State::Open) => "keep",
        (TransportAction::None, State::Closing | State::Closed) => "wait",
        (TransportAction::ShutdownWrite | TransportAction::Close, _) => "close",
    }
}
