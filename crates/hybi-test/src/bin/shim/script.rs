//! Scripts on an endpoint: `SHIM.md` sections 3, 4 and 6.

use bytes::Bytes;
use hybi::{
    Agreement, CloseCode, Config, Connection, Event, Instant, Kind, Message, Payload, Role, State,
    UsageError, Utf8Bytes,
};
use serde_json::{Value, json};

use hybi_test::octets::hex;

use crate::answer::Facts;
use crate::client::{self, ClientDoor, Ended, Wishes};
use crate::endpoint::Endpoint;
use crate::meter::Meter;
use crate::options::{self, MASK_KEY, Options, none_left};
use crate::proxy::{self, ProxyDoor};
use crate::request::{Request, Unsupported, unsupported};
use crate::server::{Application, Decided, ServerDoor};
use crate::step::{self, Step};

/// Runs a script on an open connection.
pub(crate) fn run_open(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut options = request.options.clone();
    let agreement = options::take_agreement(&mut options)?;
    let taken = Options::take(&mut options)?;
    none_left(&options)?;
    let mut meter = taken.start();
    let connection = meter.library(|| match request.role {
        Role::Client => Connection::client(agreement, taken.config, entropy),
        Role::Server => Connection::server(agreement, taken.config),
    });
    Script::new(Endpoint::Open(Box::new(connection)), meter).run(steps)
}

/// Runs a script on a server that waits for a request.
pub(crate) fn run_server(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut options = request.options.clone();
    let application = Application::take(&mut options)?;
    let taken = Options::take(&mut options)?;
    none_left(&options)?;
    let mut meter = taken.start();
    let door = ServerDoor::new(taken.config, application, &mut meter)?;
    Script::new(Endpoint::Server(Box::new(door)), meter).run(steps)
}

/// Runs a script on a client whose request has been made.
pub(crate) fn run_client(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut options = request.options.clone();
    let wishes = Wishes::take(&mut options)?;
    let taken = Options::take(&mut options)?;
    none_left(&options)?;
    let mut meter = taken.start();
    match ClientDoor::new(taken.config, &wishes, &mut meter) {
        Ok(door) => Script::new(Endpoint::Client(Box::new(door)), meter).run(steps),
        Err(why) => Ok(json!({"refused": [why], "state": "closed", "attempts": []})),
    }
}

/// Runs a script on a client that has asked a proxy for a tunnel.
pub(crate) fn run_proxy(request: &Request) -> Result<Value, Unsupported> {
    let steps = step::parse_all(&request.input)?;
    let mut options = request.options.clone();
    let wishes = proxy::Wishes::take(&mut options)?;
    let taken = Options::take(&mut options)?;
    none_left(&options)?;
    let mut meter = taken.start();
    match ProxyDoor::new(taken.config, &wishes, &mut meter) {
        Ok(door) => Script::new(Endpoint::Proxy(Box::new(door)), meter).run(steps),
        Err(why) => Ok(json!({"refused": [why], "state": "closed", "attempts": []})),
    }
}

/// Masking keys are those of option `mask_key` if there is one; everything else, nonces too, is what the
/// operating system gives. It has no state, so it costs nothing.
pub(crate) fn entropy(out: &mut [u8]) {
    match MASK_KEY.get() {
        Some(key) if out.len() == 32 => out.as_chunks_mut().0.fill(key), // of eight frames
        _ => getrandom::fill(out).expect("the operating system has entropy"),
    }
}

/// An endpoint, its surroundings, and the facts about it.
struct Script {
    endpoint: Endpoint,
    meter: Meter,
    facts: Facts,
    now: Instant,
    /// How much output the peer still takes; `None`: all of it.
    room: Option<usize>,
    /// Whether the application takes events.
    takes_events: bool,
    /// Received octets that the library did not take.
    outside: Vec<u8>,
    /// The rest of this step was for a transport that was left for another.
    elsewhere: bool,
    /// Whether a failure would be told by a close frame: none was sent before.
    close_is_owed: bool,
    /// Pings with an id that wait for their pong.
    pings: Vec<(Vec<u8>, Value)>,
    /// Second handles on buffers of the caller, and what they held.
    shared: Vec<(Bytes, Vec<u8>)>,
}

impl Script {
    fn new(endpoint: Endpoint, meter: Meter) -> Self {
        Self {
            endpoint,
            meter,
            facts: Facts::default(),
            now: Instant::from_nanos(1_000_000_000),
            room: None,
            takes_events: true,
            outside: Vec::new(),
            elsewhere: false,
            close_is_owed: true,
            pings: Vec::new(),
            shared: Vec::new(),
        }
    }

    fn run(mut self, steps: Vec<Step>) -> Result<Value, Unsupported> {
        self.note_attempt();
        self.drain()?;
        self.facts.trace(self.endpoint.state());
        for step in steps {
            self.elsewhere = false;
            self.step(step)?;
            self.drain()?;
            self.facts.trace(self.endpoint.state());
        }
        Ok(self.into_answer())
    }

    fn into_answer(mut self) -> Value {
        let cost = self.meter.cost();
        self.room = None;
        self.take_output();
        let changed = self.shared.iter().filter(|(handle, before)| handle != before).count();
        match &self.endpoint {
            Endpoint::Client(door) => self.facts.response = door.handshake.response().map(client::show),
            Endpoint::Proxy(door) => {
                let refusal = door.tunnel.response().map(client::show);
                self.facts.response = refusal.or(self.facts.response.take());
            }
            Endpoint::Open(_) | Endpoint::Server(_) => {}
        }
        let mut answer = self.facts.into_answer(self.endpoint.state());
        answer["cost"] = cost;
        answer["buffers_changed"] = json!(changed);
        answer["transport"] = json!(self.endpoint.transport());
        if let Some(deadline) = self.endpoint.poll_timeout() {
            let millis = deadline.since(self.now).as_millis();
            answer["timer"] = json!(u64::try_from(millis).unwrap_or(u64::MAX));
        }
        if let Some(connection) = self.endpoint.connection() {
            answer["version"] = json!(connection.agreement().version().number());
            answer["extensions"] = json!(connection.agreement().extensions().collect::<Vec<_>>());
            answer["protocol"] = json!(connection.agreement().subprotocol());
        }
        if let Endpoint::Proxy(door) = &self.endpoint {
            answer["leftover"] = json!(hex(door.tunnel.leftover()));
        }
        answer
    }

    // ---- steps

    fn step(&mut self, step: Step) -> Result<(), Unsupported> {
        let Self { endpoint, meter, .. } = self;
        match step {
            Step::Receive(reads) => return reads.into_iter().try_for_each(|read| self.receive(read)),
            Step::Eof => meter.library(|| endpoint.receive_eof()),
            Step::IoError => meter.library(|| endpoint.transport_lost()),
            Step::Terminate => meter.library(|| endpoint.abort()),
            Step::Close { .. } if endpoint.connection().is_none() => meter.library(|| endpoint.abort()),
            Step::Advance(by) => return self.advance(self.now + by),
            Step::Accept => return self.accept(),
            Step::StopWriting(after) => self.room = Some(after),
            Step::StartWriting => self.room = None,
            Step::StopReading => self.takes_events = false,
            Step::Send { kind, data, fin, compress, shared } => {
                return self.send(kind, data, fin, compress, shared);
            }
            Step::Continue { data, fin } => return self.continue_message(&data, fin),
            Step::Ping { data, id } => return self.ping(data, id),
            Step::Pong(data) => {
                let result = self.say(|connection| connection.pong(&data))?;
                return self.note(result);
            }
            Step::Close { code, reason } => return self.close(code, &reason),
        }
        Ok(())
    }

    /// A call of the open connection; before that there is nothing to call.
    fn say<T>(&mut self, call: impl FnOnce(&mut Connection) -> T) -> Result<T, Unsupported> {
        match self.endpoint.connection() {
            Some(connection) => Ok(self.meter.library(|| call(connection))),
            None => unsupported("a call before the opening handshake is over"),
        }
    }

    fn note(&mut self, result: Result<(), UsageError>) -> Result<(), Unsupported> {
        result.or_else(|error| self.facts.refuse(error))
    }

    /// One read. What the library does not take is offered again with the next.
    fn receive(&mut self, read: Vec<u8>) -> Result<(), Unsupported> {
        if self.elsewhere {
            return Ok(()); // the rest of this step was for a transport that is gone
        }
        self.outside.extend_from_slice(&read);
        if self.endpoint.connection().is_none() {
            self.receive_handshake()?;
        }
        self.receive_frames()?;
        self.drain()
    }

    fn receive_frames(&mut self) -> Result<(), Unsupported> {
        let Some(connection) = self.endpoint.connection() else { return Ok(()) };
        if !self.takes_events {
            let taken = self.meter.library(|| connection.receive_copy(&self.outside));
            self.outside.drain(..taken);
            return Ok(());
        }
        let mut memory = std::mem::take(&mut self.outside);
        let mut input = self.meter.library(|| connection.receive(&mut memory));
        while let Some(event) = self.meter.library(|| input.poll_event()) {
            note_event(&mut self.facts, &mut self.pings, &event, self.close_is_owed)?;
        }
        self.meter.library(|| drop(input));
        Ok(())
    }

    fn receive_handshake(&mut self) -> Result<(), Unsupported> {
        let (endpoint, offered) = (&mut self.endpoint, &self.outside);
        let taken = self.meter.library(|| match endpoint {
            Endpoint::Open(_) => 0,
            Endpoint::Server(door) => door.handshake.receive(offered),
            Endpoint::Client(door) => door.handshake.receive(offered),
            Endpoint::Proxy(door) => door.tunnel.receive(offered),
        });
        self.outside.drain(..taken);
        self.drain()
    }

    fn ping(&mut self, data: Vec<u8>, id: Option<Value>) -> Result<(), Unsupported> {
        let result = self.say(|connection| connection.ping(&data))?;
        if let (Ok(()), Some(id)) = (result, id) {
            self.pings.push((data, id));
        }
        self.note(result)
    }

    fn send(
        &mut self,
        kind: Kind,
        data: Vec<u8>,
        fin: bool,
        compress: Option<bool>,
        shared: bool,
    ) -> Result<(), Unsupported> {
        let Some(payload) = payload(kind, &data) else { return unsupported("text that is not UTF-8") };
        let payload = compress.map_or(payload, |compress| payload.compressed(compress));
        let result = match (fin, shared) {
            (false, _) => self.say(|connection| {
                let mut writer = connection.start(kind)?;
                if let Some(compress) = compress {
                    writer = writer.compressed(compress);
                }
                writer.write(&data)
            })?,
            (true, false) => self.say(|connection| connection.send(payload))?,
            (true, true) if compress.is_some() => return unsupported("a wish to compress shared octets"),
            (true, true) => {
                let handle = Bytes::from(data.clone());
                self.shared.push((handle.clone(), data));
                let message = match kind {
                    Kind::Text => Utf8Bytes::try_from(handle).expect("it was checked above").into(),
                    Kind::Binary => Message::from(handle),
                };
                self.say(|connection| connection.send_message(message).map_err(|refused| refused.error))?
            }
        };
        self.note(result)
    }

    fn continue_message(&mut self, data: &[u8], fin: bool) -> Result<(), Unsupported> {
        let result = self.say(|connection| {
            let mut writer = connection.writer()?;
            Some(if fin { writer.finish(data) } else { writer.write(data) })
        })?;
        match result {
            Some(result) => return self.note(result),
            None if self.endpoint.state() == State::Open => self.facts.refused.push("no_message"),
            None => self.facts.refused.push("not_open"),
        }
        Ok(())
    }

    fn close(&mut self, code: Option<u64>, reason: &[u8]) -> Result<(), Unsupported> {
        let Ok(reason) = str::from_utf8(reason) else { return unsupported("a reason that is not UTF-8") };
        let result = match code {
            None if !reason.is_empty() => return unsupported("a reason without a code"),
            None => self.say(|connection| connection.close_with(None))?,
            Some(code) => match u16::try_from(code).ok().and_then(CloseCode::new) {
                Some(code) => self.say(|connection| connection.close(code, reason))?,
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

    fn accept(&mut self) -> Result<(), Unsupported> {
        match &mut self.endpoint {
            Endpoint::Server(door) => {
                let decided = door.accept(&mut self.meter);
                self.decided(decided);
                self.receive_frames()
            }
            _ => unsupported("accept without a request"),
        }
    }

    fn advance(&mut self, target: Instant) -> Result<(), Unsupported> {
        self.drain()?;
        while let Some(next) = self.endpoint.poll_timeout().filter(|next| *next <= target) {
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
            let Self { endpoint, meter, now, .. } = self;
            match meter.library(|| endpoint.poll_timeout()) {
                Some(deadline) if deadline <= *now => meter.library(|| endpoint.handle_timeout(*now)),
                _ => return Ok(()),
            }
        }
    }

    fn take_events(&mut self) -> Result<(), Unsupported> {
        match &mut self.endpoint {
            Endpoint::Open(_) => {}
            Endpoint::Server(door) => {
                let decided = door.poll(&mut self.meter);
                self.decided(decided);
            }
            Endpoint::Client(door) => {
                let ended = door.poll(&mut self.meter);
                self.ended(ended);
            }
            Endpoint::Proxy(door) => match door.poll(&mut self.meter) {
                None => {}
                Some(Ok(response)) => self.facts.response = Some(client::show(&response)),
                Some(Err(why)) => self.facts.fail_handshake(why),
            },
        }
        let Some(connection) = self.endpoint.connection().filter(|_| self.takes_events) else {
            return Ok(());
        };
        while let Some(event) = self.meter.library(|| connection.poll_event()) {
            note_event(&mut self.facts, &mut self.pings, &event, self.close_is_owed)?;
        }
        Ok(())
    }

    fn decided(&mut self, decided: Decided) {
        match decided {
            Decided::Nothing => {}
            Decided::Accepted(connection) => self.endpoint = Endpoint::Open(connection),
            Decided::Failed(why) => self.facts.fail_handshake(why),
            Decided::Refused(why) => self.facts.refused.push(why),
        }
    }

    fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Not => {}
            Ended::Failed(why) => {
                self.facts.fail_handshake(why);
                self.facts.close_without_frame();
            }
            Ended::Redirected => {
                self.elsewhere = true;
                self.outside.clear();
                self.note_attempt();
            }
            Ended::Opened(response) => {
                self.facts.response = Some(client::show(&response));
                self.open_client();
            }
        }
    }

    fn open_client(&mut self) {
        // The endpoint is taken apart; a connection that was never made says nothing.
        let nothing = Connection::server(Agreement::default(), Config::default());
        let Endpoint::Client(door) = std::mem::replace(&mut self.endpoint, Endpoint::Open(Box::new(nothing)))
        else {
            return;
        };
        if let Some(connection) = door.into_connection(&mut self.meter) {
            self.endpoint = Endpoint::Open(connection);
        }
    }

    /// The request of a client counts as written.
    fn note_attempt(&mut self) {
        let attempt = match &mut self.endpoint {
            Endpoint::Client(door) => door.attempt(),
            Endpoint::Proxy(door) => door.attempt(),
            Endpoint::Open(_) | Endpoint::Server(_) => return,
        };
        self.facts.attempts.push(attempt);
    }

    fn take_output(&mut self) {
        let Self { endpoint, meter, facts, room, .. } = self;
        loop {
            let output = meter.library(|| endpoint.transmit());
            let n = room.map_or(output.len(), |room| room.min(output.len()));
            if n == 0 {
                return;
            }
            facts.sent(&output[..n]);
            meter.library(|| endpoint.transmitted(n));
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
