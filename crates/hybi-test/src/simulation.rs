//! Lives of connections on a network that is not reliable, in virtual time.
//!
//! A client and a server share a wire with delays: octets set out when they are transmitted, arrive some time later,
//! in pieces, in order. Sometimes the wire breaks, an end gives up, both close at once, one does not read for a while.
//! The clock jumps to the next thing that happens. Everything is decided by a seed, so a life replays.
//!
//! ```
//! use hybi_test::simulation::live;
//! assert_eq!(live(7), live(7));
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use hybi::{CloseCause, CloseCode, Config, Connection, Instant, Kind, Role, State, TransportAction};

use crate::dice::Dice;
use crate::endpoint::{Memory, config, open_with, take_events};
use crate::frames::{read_all, whole_len};
use crate::record::Record;

/// How a life went: what the test counts, to know that it saw all sorts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Messages that arrived, at both ends.
    pub messages: usize,
    /// How the client's and the server's end came.
    pub causes: Vec<CloseCause>,
    /// Whether the wire broke.
    pub broken: bool,
    /// The virtual time that it took.
    pub lasted: Duration,
}

/// One life, from an open connection to the end of both transports.
///
/// # Panics
/// If something was lost or reordered, an end was told its end not once, or not rightly. The complaint has the seed.
pub fn live(seed: u64) -> Life {
    live_by(&format!("seed {seed}"), Dice::seeded(seed))
}

/// The same by any dice; complaints have the name.
///
/// # Panics
/// As [`live`].
pub fn live_by(name: &str, dice: Dice<'_>) -> Life {
    let mut network = Network::new(name, dice);
    let start = network.now;
    // Deadlines end every life: none is infinite in these configurations.
    for _ in 0..100_000 {
        if network.ends.iter().all(|end| end.closed) {
            let lasted = network.now.since(start);
            return Life { lasted, ..network.judge() };
        }
        network.step();
    }
    panic!("{name}: no end is in sight: {:?}", network.ends.map(|end| end.connection));
}

/// Octets under way, or the end of the transport behind them.
#[derive(Clone, Debug)]
enum Parcel {
    Octets(Vec<u8>),
    End,
}

#[derive(Debug)]
struct End {
    connection: Connection,
    memory: Memory,
    /// What arrives here, and when.
    wire: VecDeque<(Instant, Parcel)>,
    /// Until then nothing is read.
    deaf_until: Instant,
    events: Vec<Record>,
    sent: Vec<u8>,
    /// Messages that were accepted to be sent, and the one that is being written.
    said: Vec<Record>,
    open: Option<Vec<u8>>,
    /// Its application aborted.
    gave_up: bool,
    /// It writes no more; it neither reads nor writes.
    shut: bool,
    closed: bool,
}

struct Network<'n> {
    name: &'n str,
    dice: Dice<'n>,
    now: Instant,
    ends: [End; 2],
    delay: usize,
    broken: bool,
    /// How many more things an application does of itself.
    ideas: usize,
    next_idea: Instant,
}

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn millis(n: usize) -> Duration {
    Duration::from_millis(n as u64)
}

impl<'n> Network<'n> {
    fn new(name: &'n str, mut dice: Dice<'n>) -> Self {
        let now = Instant::from_nanos(1_000_000_000);
        let ends = ROLES.map(|role| End::new(open_with(role, some_config(&mut dice)), &mut dice, now));
        let (delay, ideas) = (dice.pick(&[1, 30, 400]), 1 + dice.below(25));
        Self { name, dice, now, ends, delay, broken: false, ideas, next_idea: now }
    }

    /// The next thing that happens, at its time.
    fn step(&mut self) {
        self.now = self.now.max(self.next_time());
        if self.next_idea <= self.now && self.ideas > 0 {
            self.ideas -= 1;
            self.next_idea = self.now + millis(self.dice.below(300));
            self.idea();
            if self.ideas == 0 {
                // Whoever has nothing more to say closes; the other one answers.
                let end = &mut self.ends[self.dice.below(2)];
                let _ = end.connection.close(CloseCode::NORMAL, "done");
            }
        }
        for at in 0..2 {
            self.ends[at].serve_time(self.now);
            self.ends[at].read(self.now);
            self.write(at);
        }
    }

    /// When something happens next: an idea, something arrives, a deadline passes.
    fn next_time(&self) -> Instant {
        let idea = (self.ideas > 0).then_some(self.next_idea);
        let ends = self.ends.iter().filter(|end| !end.closed);
        let of_ends = ends.flat_map(|end| {
            let arrival = end.wire.front().map(|(at, _)| (*at).max(end.deaf_until));
            [arrival, end.connection.poll_timeout()]
        });
        idea.into_iter().chain(of_ends.flatten()).min().unwrap_or(self.now)
    }

    /// What an application does, or what befalls the wire.
    fn idea(&mut self) {
        let at = self.dice.below(2);
        match self.dice.below(40) {
            0 => self.break_wire(),
            1 if !self.ends[at].closed => {
                self.ends[at].connection.abort();
                self.ends[at].gave_up = true;
            }
            2 | 3 => drop(self.ends[at].connection.close(CloseCode::GOING_AWAY, "idea")),
            4 => self.ends[at].deaf_until = self.now + millis(self.dice.below(3000)),
            5..=8 => drop(self.ends[at].connection.ping(b"?")),
            n => self.ends[at].say(&mut self.dice, n % 3),
        }
    }

    /// The wire breaks: what is under way is lost, and both ends notice at some time.
    fn break_wire(&mut self) {
        self.broken = true;
        for end in &mut self.ends {
            end.wire.clear();
            let noticed = self.now + millis(self.dice.below(2 * self.delay));
            end.wire.push_back((noticed, Parcel::End));
            end.shut = true;
        }
    }

    /// Puts on the wire what waits, in pieces, and does what the connection wants of the transport.
    fn write(&mut self, at: usize) {
        let [client, server] = &mut self.ends;
        let (end, peer) = if at == 0 { (client, server) } else { (server, client) };
        while !end.connection.transmit().is_empty() && !end.closed {
            let len = end.connection.transmit().len();
            let n = if self.dice.one_in(3) { 1 + self.dice.below(len.min(1 << 20)) } else { len };
            let octets = end.connection.transmit()[..n].to_vec();
            end.connection.transmitted(n);
            if !end.shut {
                end.sent.extend_from_slice(&octets);
                peer.deliver(self.now + millis(1 + self.dice.below(self.delay)), Parcel::Octets(octets));
            }
        }
        take_events(&mut end.connection, &mut end.events);
        let action = end.connection.transport_action();
        if action != TransportAction::None && !end.shut {
            end.shut = true;
            peer.deliver(self.now + millis(1 + self.dice.below(self.delay)), Parcel::End);
        }
        end.closed |= action == TransportAction::Close;
    }

    /// What has to be true of every life.
    fn judge(self) -> Life {
        let name = self.name;
        let [client, server] = &self.ends;
        let mut life = Life { broken: self.broken, ..Life::default() };
        for (end, peer) in [(client, server), (server, client)] {
            let role = end.connection.role();
            let cause = end.judge_end(name);
            let heard = messages(&end.events);
            assert!(peer.said.starts_with(&heard), "{name}: {role:?} heard {heard:?}");
            if cause == CloseCause::Handshake {
                let all = peer.connection.close_info().is_some_and(hybi::CloseInfo::is_clean);
                assert!(!all || heard.len() >= peer.said_before_close(), "{name}: {role:?} lost messages");
            }
            if !self.broken && !end.gave_up && !peer.gave_up {
                let told = matches!(
                    cause,
                    CloseCause::Handshake | CloseCause::TimedOut(_) | CloseCause::TransportEnded
                );
                assert!(told, "{name}: {role:?} ended by {cause:?}");
            }
            life.messages += heard.len();
            life.causes.push(cause);
        }
        life
    }
}

impl End {
    fn new(connection: Connection, dice: &mut Dice<'_>, now: Instant) -> Self {
        Self {
            connection,
            memory: dice.pick(&Memory::ALL),
            wire: VecDeque::new(),
            deaf_until: now,
            events: Vec::new(),
            sent: Vec::new(),
            said: Vec::new(),
            open: None,
            gave_up: false,
            shut: false,
            closed: false,
        }
    }

    /// In order: nothing overtakes what is under way.
    fn deliver(&mut self, at: Instant, parcel: Parcel) {
        if matches!(self.wire.back(), Some((_, Parcel::End))) {
            return; // nobody takes it any more
        }
        let at = self.wire.back().map_or(at, |(last, _)| at.max(*last));
        self.wire.push_back((at, parcel));
    }

    /// Says something of one of three kinds; only what is accepted counts.
    fn say(&mut self, dice: &mut Dice<'_>, how: usize) {
        let len = if dice.one_in(40) { 70_000 } else { dice.pick(&[0, 1, 7, 100, 125, 126, 300, 2000]) };
        let data = vec![b'a' + dice.below(26) as u8; len];
        let connection = &mut self.connection;
        let text = str::from_utf8(&data).unwrap_or_default();
        match (how, &mut self.open) {
            (_, Some(before)) => {
                let Some(writer) = connection.writer() else { return };
                if writer.finish(&data).is_ok() {
                    before.extend(data);
                    self.said.extend(self.open.take().map(Record::Binary));
                }
            }
            (0, None) => self.said.extend(connection.send(text).is_ok().then_some(Record::Text(data))),
            (1, None) => {
                let sent = connection.send_message(data.clone()).is_ok();
                self.said.extend(sent.then_some(Record::Binary(data)));
            }
            (_, None) => {
                let begun = connection.start(Kind::Binary).and_then(|mut writer| writer.write(&data));
                self.open = begun.is_ok().then_some(data);
            }
        }
    }

    fn serve_time(&mut self, now: Instant) {
        while !self.closed && self.connection.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.connection.handle_timeout(now);
            take_events(&mut self.connection, &mut self.events);
        }
    }

    fn read(&mut self, now: Instant) {
        while self.deaf_until <= now && self.wire.front().is_some_and(|(at, _)| *at <= now) {
            match self.wire.pop_front() {
                _ if self.closed => {}
                Some((_, Parcel::Octets(octets))) => {
                    take_events(&mut self.connection, &mut self.events);
                    if self.connection.state() != State::Closed {
                        self.memory.feed(&mut self.connection, &octets, &mut self.events);
                    }
                }
                _ => {
                    self.connection.receive_eof();
                    take_events(&mut self.connection, &mut self.events);
                }
            }
        }
    }

    /// `Closed` came once, last, and says what is so; what was transmitted were frames in order.
    fn judge_end(&self, name: &str) -> CloseCause {
        let role = self.connection.role();
        let closed: Vec<_> = self.events.iter().filter(|event| matches!(event, Record::Closed(..))).collect();
        assert_eq!(closed.len(), 1, "{name}: {role:?} was told {closed:?}");
        let Some(Record::Closed(code, _, cause)) = self.events.last() else {
            panic!("{name}: {role:?} was told something after its end");
        };
        assert_eq!(self.connection.state(), State::Closed, "{name}: {role:?}");
        let close_frame = self.events.iter().find_map(|event| match event {
            Record::Close(frame) => Some(frame.as_ref().map_or(1005, |(code, _)| *code)),
            _ => None,
        });
        let expected = if *cause == CloseCause::Handshake { close_frame } else { Some(1006) };
        assert_eq!(Some(*code), expected, "{name}: {role:?}, {cause:?}");
        assert!(
            !self.events.iter().any(|event| matches!(event, Record::Failed(_))),
            "{name}: no rule was broken"
        );
        let whole = &self.sent[..whole_len(&self.sent)]; // the last frame may have been cut
        if let Err(complaint) = read_all(role, whole) {
            panic!("{name}: {role:?}: {complaint}");
        }
        cause.clone()
    }

    /// Messages that stood whole before the close frame in what was transmitted.
    fn said_before_close(&self) -> usize {
        let frames = read_all(self.connection.role(), &self.sent).unwrap_or_default();
        frames.iter().filter(|frame| frame.fin && frame.opcode < 8).count()
    }
}

fn messages(events: &[Record]) -> Vec<Record> {
    events.iter().filter(|event| matches!(event, Record::Text(_) | Record::Binary(_))).cloned().collect()
}

/// Deadlines of all sorts; the one for closing is always there.
fn some_config(dice: &mut Dice<'_>) -> Config {
    config(|config| {
        config.timeouts.close = Some(millis(dice.pick(&[50, 1000, 30_000])));
        config.timeouts.keepalive = dice.pick(&[None, Some(millis(200)), Some(millis(5000))]);
        config.timeouts.pong = dice.pick(&[None, Some(millis(300)), Some(millis(20_000))]);
        config.timeouts.idle = dice.pick(&[None, Some(millis(700)), Some(millis(60_000))]);
        config.timeouts.write_stall = dice.pick(&[None, Some(millis(1000))]);
        config.water.limit = dice.pick(&[16 << 20, 100_000, 1000]);
        config.limits.pending_pongs = dice.pick(&[16, 2]);
    })
}
