//! Playing a transcript in every way.

use std::fmt;
use std::time::Duration;

use hybi::{
    CloseCode, CloseFrame, Connection, Instant, Kind, Payload, Role, State, TransportAction, UsageError,
};

use super::parse::{Action, Call, Look, Step, Transcript};
use crate::endpoint::{Memory, open_agreed, take_events, transmit_all};
use crate::frames::read_extended;
use crate::octets::show;
use crate::record::Record;
use crate::twin;

/// How what arrives is cut into reads.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// All that is there at once.
    Whole,
    /// So many octets a read.
    Each(usize),
    /// In two, after so many octets of all that arrives.
    At(usize),
    /// Whole, with these octets behind the end.
    Trailing(&'static [u8]),
}

/// Plays a transcript in every way, for each of its roles. Returns how many ways there were.
///
/// # Panics
/// If the transcript cannot be read, or something else follows than what is written down.
pub fn play(name: &str, text: &str) -> usize {
    let transcript = Transcript::parse(text).unwrap_or_else(|why| panic!("{name}, {why}"));
    let mut ways = 0;
    for &role in transcript.roles() {
        for cut in cuts(&transcript, role) {
            for memory in Memory::ALL {
                let way = Way { role, memory, cut };
                if let Err(complaint) = replay_one(&transcript, way) {
                    panic!("{name}, {way}, {complaint}");
                }
                ways += 1;
            }
        }
    }
    ways
}

/// Plays a transcript once, whole and in lent memory.
///
/// # Errors
/// What followed that is not written down, or did not follow.
pub fn replay(transcript: &Transcript, role: Role) -> Result<(), String> {
    replay_one(transcript, Way { role, memory: Memory::Lent, cut: Cut::Whole })
}

#[derive(Clone, Copy)]
struct Way {
    role: Role,
    memory: Memory,
    cut: Cut,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as {:?}, {:?} memory, {:?}", self.role, self.memory, self.cut)
    }
}

fn cuts(transcript: &Transcript, role: Role) -> Vec<Cut> {
    /// Longer input is not cut at every place, but at the ends and at about so many.
    const MANY: usize = 500;
    let arrives = transcript.arrives(role);
    let n = arrives.len();
    let mut cuts = vec![Cut::Whole, Cut::Each(7 + n / MANY), Cut::Each(4096)];
    if n <= MANY {
        cuts.extend([Cut::Each(1), Cut::Each(2)]);
    }
    let step = if n > MANY { n / 20 } else { 1 };
    cuts.extend((1..n).filter(|at| *at < 20 || n - at < 10 || at % step == 0).map(Cut::At));
    let (is_whole, is_over) = at_the_end(transcript, role, &arrives);
    if is_whole {
        cuts.push(Cut::Trailing(b"\x8a")); // a pong may begin anywhere
    }
    if is_over {
        cuts.push(Cut::Trailing(b"\x81\x85\x00\x00\x00\x00after\x89\x00\xff\xff\xff"));
    }
    cuts
}

/// Whether what arrives are whole frames, and whether nothing may follow them.
fn at_the_end(transcript: &Transcript, role: Role, arrives: &[u8]) -> (bool, bool) {
    if transcript.deflate.is_none() {
        let decoded = twin::decode(role, &transcript.config, arrives);
        let is_over = matches!(decoded.events.last(), Some(Record::Failed(_) | Record::Closed(..)));
        return (decoded.unfinished == 0, is_over);
    }
    // The twin does not know compression; the transcript says what comes of it.
    let last = transcript.steps.iter().rposition(|step| matches!(step.action, Action::Receive(_)));
    let told = transcript.steps.iter().take(last.map_or(0, |last| last + 1)).flat_map(|step| &step.events);
    let is_over = told.into_iter().any(|event| event.starts_with("failed") || event.starts_with("closed"));
    (is_over || read_extended(role.peer(), arrives, 4).is_ok(), is_over)
}

fn replay_one(transcript: &Transcript, way: Way) -> Result<(), String> {
    let connection = open_agreed(way.role, transcript.agreement(), transcript.config.clone());
    let mut player = Player { connection, way, now: START, arrived: 0, events: Vec::new(), sent: Vec::new() };
    let last_arrival = transcript.steps.iter().rposition(|step| matches!(step.action, Action::Receive(_)));
    for (number, step) in transcript.steps.iter().enumerate() {
        let mut octets = transcript.arriving(way.role, step);
        if let (Cut::Trailing(trailing), true) = (way.cut, Some(number) == last_arrival) {
            octets.extend_from_slice(trailing);
        }
        player.act(&step.action, &octets).map_err(|complaint| format!("line {}: {complaint}", step.line))?;
        player.judge(transcript, step).map_err(|complaint| format!("line {}: {complaint}", step.line))?;
    }
    Ok(())
}

/// What the clock shows when a transcript begins.
const START: Instant = Instant::from_nanos(1_000_000_000);

struct Player {
    connection: Connection,
    way: Way,
    now: Instant,
    /// How many octets arrived.
    arrived: usize,
    /// Since the last judgement.
    events: Vec<Record>,
    sent: Vec<u8>,
}

impl Player {
    fn act(&mut self, action: &Action, octets: &[u8]) -> Result<(), String> {
        match action {
            Action::Begin => {}
            Action::Receive(_) => self.receive(octets),
            Action::Eof => self.connection.receive_eof(),
            Action::Lost => self.connection.transport_lost(),
            Action::Time(at) => self.wait(START + *at),
            Action::Call(call, refusal) => {
                let result = say(&mut self.connection, call).err().map(|error| format!("{error:?}"));
                if result != *refusal {
                    return Err(format!("refused with {result:?}"));
                }
            }
        }
        self.drain();
        Ok(())
    }

    fn receive(&mut self, octets: &[u8]) {
        let first = match self.way.cut {
            Cut::Each(n) => n,
            Cut::At(at) if at > self.arrived => at - self.arrived,
            _ => octets.len(),
        };
        let (mut rest, mut n) = (octets, first);
        while !rest.is_empty() {
            let (read, behind) = rest.split_at(n.min(rest.len()));
            self.way.memory.feed(&mut self.connection, read, &mut self.events);
            self.drain();
            rest = behind;
            if !matches!(self.way.cut, Cut::Each(_)) {
                n = rest.len();
            }
        }
        self.arrived += octets.len();
    }

    /// The duties of every caller: events, output, and the time where it is asked for.
    fn drain(&mut self) {
        loop {
            take_events(&mut self.connection, &mut self.events);
            self.sent.extend(transmit_all(&mut self.connection));
            take_events(&mut self.connection, &mut self.events);
            match self.connection.poll_timeout() {
                Some(deadline) if deadline <= self.now => self.connection.handle_timeout(self.now),
                _ => return,
            }
        }
    }

    fn wait(&mut self, until: Instant) {
        while let Some(next) = self.connection.poll_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.drain();
        }
        self.now = until;
    }

    fn judge(&mut self, transcript: &Transcript, step: &Step) -> Result<(), String> {
        let events = joined(std::mem::take(&mut self.events));
        if !events.iter().map(Record::canonical).eq(step.events.iter().map(String::as_str)) {
            return Err(format!("events {events:?}, expected {:?}", step.events));
        }
        let sent = std::mem::take(&mut self.sent);
        let lines = step.sent.iter().map(|line| transcript.on_wire(self.way.role, line));
        let expected: Vec<u8> = lines.flatten().collect();
        if sent != expected {
            return Err(format!("sent {}, expected {}", show(&sent), show(&expected)));
        }
        step.looks.iter().try_for_each(|look| self.look(look))
    }

    fn look(&self, look: &Look) -> Result<(), String> {
        let (seen, expected) = match look {
            Look::State(expected) => (state(self.connection.state()).to_owned(), expected.clone()),
            Look::Transport(expected) => {
                (action(self.connection.transport_action()).to_owned(), expected.clone())
            }
            Look::Deadline(expected) => {
                let since_start = |deadline: Instant| deadline.since(START);
                let seen: Option<Duration> = self.connection.poll_timeout().map(since_start);
                (format!("{seen:?}"), format!("{expected:?}"))
            }
        };
        if seen == expected { Ok(()) } else { Err(format!("it is {seen}, expected {expected}")) }
    }
}

/// Fragments that follow one another as one: how many there are is a matter of the reads.
fn joined(events: Vec<Record>) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    for event in events {
        match (out.last_mut(), event) {
            (
                Some(Record::Fragment { data, last, .. }),
                Record::Fragment { data: more, first: false, last: is_last, .. },
            ) if !*last => {
                data.extend(more);
                *last = is_last;
            }
            (_, event) => out.push(event),
        }
    }
    out
}

fn say(connection: &mut Connection, call: &Call) -> Result<(), UsageError> {
    match call {
        Call::Text(text) => connection.send(Payload::text(text).expect("text in a transcript is UTF-8")),
        Call::Binary(data) => connection.send(data),
        Call::StartText(data) => connection.start(Kind::Text)?.write(data),
        Call::StartBinary(data) => connection.start(Kind::Binary)?.write(data),
        Call::Write(data) => connection.writer().expect("a message was started").write(data),
        Call::Finish(data) => connection.writer().expect("a message was started").finish(data),
        Call::Ping(data) => connection.ping(data),
        Call::Pong(data) => connection.pong(data),
        Call::Close(None) => connection.close_with(None::<&CloseFrame>),
        Call::Close(Some((code, reason))) => {
            let code = CloseCode::new(*code).expect("a close code that may be sent");
            connection.close(code, str::from_utf8(reason).expect("a reason that is UTF-8"))
        }
        Call::Abort => {
            connection.abort();
            Ok(())
        }
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Connecting => "connecting",
        State::Open => "open",
        State::Closing => "closing",
        State::Closed => "closed",
    }
}

fn action(action: TransportAction) -> &'static str {
    match action {
        TransportAction::None => "none",
        TransportAction::ShutdownWrite => "shutdown-write",
        TransportAction::Close => "close",
    }
}
