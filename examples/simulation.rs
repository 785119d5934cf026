//! A thousand clients and their server in one thread, in virtual time: an hour in a few moments, and the same each
//! time.
//!
//!     cargo run --release -p hybi-examples --bin simulation -- 7
//!
//! Twenty rooms of fifty clients. Whoever says something is heard by the others of the room, some milliseconds later. A
//! few cables are cut, which nobody is told: the server finds out by its keepalive. At the end everybody leaves. There
//! is no socket and no clock: a connection is octets and a number, so the clock jumps to whatever happens next.
#![allow(clippy::print_stdout, reason = "it tells how it went")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use hybi::{Agreement, CloseCause, CloseCode, Config, Connection, Event, Instant, Prepared, TransportAction};

const CLIENTS: usize = 1000;
const ROOM: usize = 50;
const HOUR: Duration = Duration::from_secs(3600);

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(7);
    World::new(seed).run();
}

/// What happens at a time. Ends have numbers: a client, and behind all clients the server's end of each.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Arrives { at: usize, octets: Vec<u8> },
    Ends { at: usize },
    Deadline { at: usize },
    Speaks { client: usize },
    CableIsCut { client: usize },
    Leaves { client: usize },
}

struct World {
    now: Instant,
    /// In order of time, and of what was planned first.
    plan: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    planned: u64,
    ends: Vec<End>,
    dice: u64,
    said: usize,
    heard: usize,
    clean: usize,
    lost: usize,
    cut: usize,
}

struct End {
    connection: Connection,
    delay: Duration,
    /// What is planned for it.
    deadline: Option<Instant>,
    cut: bool,
    /// It writes no more.
    shut: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut config = Config::default();
        config.timeouts.keepalive = Some(Duration::from_secs(30));
        let config = Arc::new(config);
        let start = Instant::from_nanos(0);
        let mut world = Self {
            now: start,
            plan: BinaryHeap::new(),
            planned: 0,
            ends: Vec::new(),
            dice: seed,
            said: 0,
            heard: 0,
            clean: 0,
            lost: 0,
            cut: 0,
        };
        for n in 0..2 * CLIENTS {
            let connection = if n < CLIENTS {
                // Clients do not ping: the server does. Masks that can be guessed are for simulations alone.
                let entropy = move |out: &mut [u8]| out.fill(n as u8);
                Connection::client(Agreement::default(), Config::default(), entropy)
            } else {
                Connection::server(Agreement::default(), config.clone())
            };
            let delay = Duration::from_millis(5 + world.below(95));
            world.ends.push(End { connection, delay, deadline: None, cut: false, shut: false });
        }
        for client in 0..CLIENTS {
            for _ in 0..3 {
                let at = start + Duration::from_millis(world.below(3_500_000));
                world.plan(at, Happening::Speaks { client });
            }
            if world.below(50) == 0 {
                let at = start + Duration::from_millis(world.below(3_400_000));
                world.plan(at, Happening::CableIsCut { client });
            }
            world.plan(start + HOUR, Happening::Leaves { client });
        }
        world
    }

    fn run(mut self) {
        for at in 0..self.ends.len() {
            self.settle(at); // the first deadlines
        }
        while let Some(Reverse((when, _, happening))) = self.plan.pop() {
            self.now = when;
            self.happens(happening);
        }
        let open = self.ends[CLIENTS..].iter().filter(|end| end.connection.close_info().is_none()).count();
        println!("clients {CLIENTS}");
        println!("virtual seconds {}", self.now.since(Instant::ZERO).as_secs());
        println!("messages said {}", self.said);
        println!("messages heard {}", self.heard);
        println!("cables cut {}", self.cut);
        println!("found by the keepalive {}", self.lost);
        println!("missed by the server {open}");
        println!("clean ends {}", self.clean);
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { at, octets } => self.arrive(at, octets),
            Happening::Ends { at } => {
                self.ends[at].connection.receive_eof();
                self.settle(at);
            }
            Happening::Deadline { at } => {
                if self.ends[at].deadline.take_if(|due| *due <= self.now).is_some() {
                    self.ends[at].connection.handle_timeout(self.now);
                    self.settle(at);
                }
            }
            Happening::Speaks { client } => {
                let text = format!("{client} at {} s", self.now.since(Instant::ZERO).as_secs());
                if !self.ends[client].cut && self.ends[client].connection.send(&text).is_ok() {
                    self.said += 1;
                    self.settle(client);
                }
            }
            Happening::CableIsCut { client } => {
                self.cut += usize::from(!self.ends[client].cut);
                self.ends[client].cut = true;
                self.ends[client + CLIENTS].cut = true;
            }
            Happening::Leaves { client } => {
                if !self.ends[client].cut && self.ends[client].connection.close(CloseCode::NORMAL, "").is_ok()
                {
                    self.settle(client);
                }
            }
        }
    }

    /// Octets come to an end; what a client said goes to the others in its room.
    fn arrive(&mut self, at: usize, mut octets: Vec<u8>) {
        let mut news = Vec::new();
        let mut input = self.ends[at].connection.receive(&mut octets);
        while let Some(event) = input.poll_event() {
            match event {
                Event::Text(text) if at >= CLIENTS => news.push(Prepared::new(&text)),
                Event::Text(_) => self.heard += 1,
                Event::Closed(info) => self.clean += usize::from(info.is_clean()),
                _ => {}
            }
        }
        drop(input);
        self.settle(at);
        let room = at - at % ROOM;
        for other in (room..room + ROOM).filter(|other| *other != at && at >= CLIENTS) {
            for message in &news {
                let _ = self.ends[other].connection.send_prepared(message); // who is leaving hears no more
            }
            if !news.is_empty() {
                self.settle(other);
            }
        }
    }

    /// Drains an end: what it has to tell, what it has to transmit, what it wants next.
    fn settle(&mut self, at: usize) {
        let peer = (at + CLIENTS) % (2 * CLIENTS);
        let arrival = self.now + self.ends[at].delay;
        let end = &mut self.ends[at];
        while let Some(event) = end.connection.poll_event() {
            if let Event::Closed(info) = event {
                self.clean += usize::from(info.is_clean());
                self.lost += usize::from(matches!(info.cause(), CloseCause::TimedOut(_)));
            }
        }
        let octets = end.connection.transmit().to_vec();
        end.connection.transmitted(octets.len());
        let ends = !end.shut && end.connection.transport_action() != TransportAction::None;
        end.shut |= ends;
        let is_cut = end.cut;
        let deadline = end.connection.poll_timeout();
        let is_new = deadline != end.deadline;
        end.deadline = deadline;
        if let Some(due) = deadline.filter(|_| is_new) {
            self.plan(due.max(self.now), Happening::Deadline { at });
        }
        if !octets.is_empty() && !is_cut {
            self.plan(arrival, Happening::Arrives { at: peer, octets });
        }
        if ends && !is_cut {
            self.plan(arrival, Happening::Ends { at: peer });
        }
    }

    fn plan(&mut self, when: Instant, happening: Happening) {
        self.planned += 1;
        self.plan.push(Reverse((when, self.planned, happening)));
    }

    /// Below `n`, and the same for the same seed (splitmix64).
    fn below(&mut self, n: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n
    }
}
