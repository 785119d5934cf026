//! The same workloads for hybi, for other libraries, and for the limits: receive in memory and send back. One file a
//! library in `peers/`. Every echo is compared octet by octet, with the clock stopped. See README.md.

mod clock;
mod kernels;
mod masks;
mod peers;
mod report;
mod stream;
mod traffic;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use report::Row;
use stream::{MemIo, State};
use traffic::{Kind, Rng};
use verify::Verifier;

/// How many messages are measured at once, at least. The pages of fresh memory for one of 1 MiB cost several times what
/// an echo of it does.
const LEAST_MESSAGES: u64 = 256;

/// What a library does: receive so many messages, and send each back.
pub struct Task {
    pub role: Role,
    pub messages: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    fn name(self) -> &'static str {
        if self == Self::Server { "server" } else { "client" }
    }
}

impl Task {
    /// A connection of ours, with masking keys from a fast generator as the peers have one.
    pub fn hybi(&self) -> hybi::Connection {
        let (agreement, config) = (hybi::Agreement::default(), hybi::Config::default());
        match self.role {
            Role::Server => hybi::Connection::server(agreement, config),
            Role::Client => {
                let mut state = 88_172_645_463_325_252u64;
                hybi::Connection::client(agreement, config, move |out: &mut [u8]| {
                    for word in out.chunks_mut(8) {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        word.copy_from_slice(&state.to_le_bytes()[..word.len()]);
                    }
                })
            }
        }
    }
}

/// A library, or a limit, and how it is driven.
pub struct Peer {
    pub name: &'static str,
    pub note: &'static str,
    pub run: fn(io: MemIo, task: &Task),
}

/// Messages of one kind.
pub struct Workload {
    pub name: &'static str,
    kind: Kind,
    size: usize,
    /// Octets of a fragment; `None`: one frame.
    fragment: Option<usize>,
}

const fn workload(name: &'static str, kind: Kind, size: usize) -> Workload {
    Workload { name, kind, size, fragment: None }
}

pub const WORKLOADS: &[Workload] = &[
    workload("text-20", Kind::Ascii, 20),
    workload("binary-125", Kind::Binary, 125),
    workload("text-125", Kind::Ascii, 125),
    workload("text-1k", Kind::Ascii, 1024),
    workload("mixed-1k", Kind::Mixed, 1024),
    workload("binary-16k", Kind::Binary, 16 << 10),
    workload("mixed-16k", Kind::Mixed, 16 << 10),
    workload("binary-1m", Kind::Binary, 1 << 20),
    workload("text-1m", Kind::Ascii, 1 << 20),
    workload("mixed-1m", Kind::Mixed, 1 << 20),
    Workload { name: "binary-1m-fragments", kind: Kind::Binary, size: 1 << 20, fragment: Some(4096) },
    Workload { name: "mixed-1m-fragments", kind: Kind::Mixed, size: 1 << 20, fragment: Some(4096) },
];

/// What the stream delivers: about 256 KiB of messages, over and over.
struct Traffic {
    block: Vec<u8>,
    messages: Vec<Vec<u8>>,
    opcode: u8,
}

impl Traffic {
    fn new(workload: &Workload, role: Role) -> Self {
        let count = (256 * 1024 / workload.size.max(24)).max(2);
        let opcode = if workload.kind == Kind::Binary { traffic::BINARY } else { traffic::TEXT };
        let mut random = Rng::new(workload.size as u64 + 1);
        let (mut block, mut messages) = (Vec::new(), Vec::new());
        for i in 0..count {
            let payload = traffic::payload(workload.kind, workload.size, i as u64);
            let masked = role == Role::Server;
            traffic::push_message(&mut block, opcode, &payload, workload.fragment, masked, &mut random);
            messages.push(payload);
        }
        Self { block, messages, opcode }
    }

    /// Nanoseconds that a library takes for so many rounds of the block.
    fn echo(&self, peer: &Peer, role: Role, read: usize, rounds: u64, verify: bool) -> u64 {
        let messages = rounds * self.messages.len() as u64;
        let masked = (peer.name != peers::NULL_COPY).then_some(role == Role::Client);
        let verifier = verify.then(|| Verifier::new(self.messages.clone(), self.opcode, masked));
        let total = rounds * self.block.len() as u64;
        let mut state = State::new(self.block.clone(), total, read, 256 * 1024, verifier);
        let io = MemIo::new(&mut state);
        let before = clock::thread_cpu_ns();
        (peer.run)(io, &Task { role, messages });
        let taken = clock::thread_cpu_ns() - before - state.excluded_ns;
        if let Some(seen) = state.finish() {
            assert_eq!(seen, messages, "{}: sent back another number of messages", peer.name);
        }
        taken
    }
}

/// What to measure, by the command line.
struct Options {
    peers: Option<String>,
    workloads: Option<String>,
    roles: Option<String>,
    reads: Vec<usize>,
    rounds: usize,
    ms: u64,
    out: Option<PathBuf>,
}

impl Options {
    fn parse(args: &[String]) -> Self {
        let value =
            |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
        let number = |name: &str, usual| value(name).map_or(usual, |n| n.parse().expect("a number"));
        Self {
            peers: value("--peers"),
            workloads: value("--workloads"),
            roles: value("--roles"),
            reads: value("--reads")
                .unwrap_or_else(|| "65536,1460".to_owned())
                .split(',')
                .map(|n| n.parse().expect("a number"))
                .collect(),
            rounds: number("--rounds", 9) as usize,
            ms: number("--ms", 8),
            out: value("--out").map(PathBuf::from),
        }
    }

    fn wants(list: &Option<String>, name: &str) -> bool {
        list.as_ref().is_none_or(|list| list.split(',').any(|wanted| wanted == name))
    }

    /// Measures, a workload after the other; within one the libraries take turns, in a new order each round.
    fn measure(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let selected: Vec<&Peer> =
            peers::PEERS.iter().filter(|peer| Self::wants(&self.peers, peer.name)).collect();
        for workload in WORKLOADS.iter().filter(|workload| Self::wants(&self.workloads, workload.name)) {
            for role in [Role::Server, Role::Client] {
                if !Self::wants(&self.roles, role.name()) {
                    continue;
                }
                let traffic = Traffic::new(workload, role);
                for &read in &self.reads {
                    rows.extend(self.measure_one(workload, &traffic, role, read, &selected));
                    eprintln!("measured {} {} {read}", workload.name, role.name());
                }
            }
        }
        rows
    }

    fn measure_one(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        role: Role,
        read: usize,
        peers: &[&Peer],
    ) -> Vec<Row> {
        let per_round = traffic.messages.len() as f64;
        // The first run warms up and verifies, the second tells how many rounds of the block fill the time. There are
        // as many messages at least that memory a library asks for once does not count.
        let least_blocks = LEAST_MESSAGES.div_ceil(traffic.messages.len() as u64);
        let blocks = peers.iter().map(|peer| {
            traffic.echo(peer, role, read, 1, true);
            let taken = traffic.echo(peer, role, read, 1, true).max(1);
            (self.ms * 1_000_000 / taken).clamp(least_blocks, 100_000)
        });
        let blocks: Vec<u64> = blocks.collect();
        let mut least = vec![f64::INFINITY; peers.len()];
        let mut random = Rng::new(42);
        for _ in 0..self.rounds {
            let mut order: Vec<usize> = (0..peers.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, random.below(i as u64 + 1) as usize);
            }
            for i in order {
                let taken = traffic.echo(peers[i], role, read, blocks[i], true) as f64;
                least[i] = least[i].min(taken / (blocks[i] as f64 * per_round));
            }
        }
        let row = |(peer, ns): (&&Peer, f64)| Row {
            workload: workload.name,
            role: role.name(),
            read,
            peer: peer.name,
            ns,
        };
        peers.iter().zip(least).map(row).collect()
    }
}

const USAGE: &str = "usage:
  peers list
  peers time  [--peers A,B] [--workloads X,Y] [--roles server,client] [--reads 65536,1460] [--rounds 9] [--ms 8] [--out STEM]
  peers table FILE.csv [FILE.csv ...] [--out STEM]   of figures that were kept, the least where there are several
  peers masks [--rounds 9] [--out STEM]
  peers count PEER WORKLOAD ROLE READ ROUNDS      a fixed amount of work, for a tool that counts instructions";

/// What `time --out` wrote, the least of each row. The names of all are known here.
fn kept<'a>(files: impl Iterator<Item = &'a String>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a file that can be read");
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let &[role, read, workload, peer, ns] = &fields[..] else {
                panic!("not of `peers time`: {line}")
            };
            let row = Row {
                workload: WORKLOADS.iter().find(|known| known.name == workload).expect("a workload").name,
                role: if role == "server" { Role::Server } else { Role::Client }.name(),
                read: read.parse().expect("a number"),
                peer: peers::PEERS.iter().find(|known| known.name == peer).expect("a library").name,
                ns: ns.parse().expect("a number"),
            };
            let key = |row: &Row| (row.workload, row.role, row.read, row.peer);
            match rows.iter_mut().find(|before| key(before) == key(&row)) {
                Some(before) => before.ns = before.ns.min(row.ns),
                None => rows.push(row),
            }
        }
    }
    rows
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::parse(&args);
    match args.first().map(String::as_str) {
        Some("list") => {
            peers::PEERS.iter().for_each(|peer| println!("{:20} {}", peer.name, peer.note));
            WORKLOADS.iter().for_each(|workload| println!("workload {}", workload.name));
        }
        Some("time") => report::echoes(&options.measure(), options.out.as_deref()),
        Some("table") => {
            let files = args[1..].iter().take_while(|arg| !arg.starts_with("--"));
            report::echoes(&kept(files), options.out.as_deref());
        }
        Some("masks") => {
            report::masks(&masks::measure(options.rounds), options.out.as_deref());
            report::others(&masks::others(options.rounds));
        }
        Some("count") if args.len() == 6 => {
            let peer = peers::PEERS.iter().find(|peer| peer.name == args[1]).expect("a name of `peers list`");
            let workload = WORKLOADS.iter().find(|workload| workload.name == args[2]).expect("a workload");
            let role = if args[3] == "server" { Role::Server } else { Role::Client };
            let (read, rounds) = (args[4].parse().expect("a number"), args[5].parse().expect("a number"));
            let traffic = Traffic::new(workload, role);
            traffic.echo(peer, role, read, rounds, false);
            println!("{} messages", rounds * traffic.messages.len() as u64);
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_sends_back_what_came() {
        for workload in WORKLOADS {
            for role in [Role::Server, Role::Client] {
                let traffic = Traffic::new(workload, role);
                for peer in peers::PEERS {
                    for read in [65536, 1460] {
                        traffic.echo(peer, role, read, 2, true);
                    }
                }
            }
        }
    }
}
