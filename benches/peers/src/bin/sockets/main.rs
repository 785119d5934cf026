//! hybi next to other libraries on loopback sockets: what an echo costs the server, and what a connection holds.
//!
//!     sockets echo [--rounds N] [--servers a,b] [--cell CONNECTIONS,IN_FLIGHT,OCTETS] [--out FILE.csv]
//!     sockets memory [--connections N] [--servers a,b] [--out FILE.csv]
//!
//! Each server is a process of its own with one thread and one runtime; the clients are bare sockets in this process.
//! The opening handshake is left out: all servers take over a stream that is open, and so does the raw echo that they
//! are compared with, which knows nothing of frames.

mod crowd;
mod servers;
#[allow(dead_code, reason = "of what the workloads in memory send, a frame is of use here")]
#[path = "../../traffic.rs"]
mod traffic;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use servers::SERVERS;

/// Connections, messages in flight on each, octets of one.
const CELLS: [(usize, usize, usize); 12] = [
    (1, 1, 20),
    (1, 1, 1024),
    (1, 1, 16384),
    (1, 32, 20),
    (1, 32, 1024),
    (1, 32, 16384),
    (100, 1, 20),
    (100, 32, 20),
    (100, 32, 1024),
    (1000, 1, 20),
    (1000, 32, 20),
    (1000, 32, 1024),
];

/// Processor time that a cell should take of the raw echo, roughly: in nanoseconds.
const WORK: u64 = 100_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let option = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let number =
        |name: &str, default: usize| option(name).map_or(default, |text| text.parse().expect("a number"));
    let named: Vec<&str> = SERVERS
        .iter()
        .map(|server| server.name)
        .filter(|name| option("--servers").is_none_or(|list| list.split(',').any(|other| other == *name)))
        .collect();
    match words.first() {
        Some(&"serve") => servers::serve(words[1]),
        Some(&"echo") => {
            let cells: Vec<_> = option("--cell").map_or(CELLS.to_vec(), |cell| vec![parse_cell(cell)]);
            echo(&named, &cells, number("--rounds", 5), option("--out"));
        }
        Some(&"memory") => memory(&named, number("--connections", 5000), option("--out")),
        _ => {
            eprintln!(
                "sockets echo [--rounds N] [--cell 1,32,1024] | memory [--connections N]   [--servers a,b] [--out FILE.csv]"
            );
            for server in SERVERS {
                eprintln!("  {:18} {}", server.name, server.note);
            }
        }
    }
}

fn parse_cell(cell: &str) -> (usize, usize, usize) {
    let numbers: Vec<usize> = cell.split(',').map(|number| number.parse().expect("a number")).collect();
    match numbers[..] {
        [connections, in_flight, octets] => (connections, in_flight, octets),
        _ => panic!("connections, messages in flight and octets, such as 1,32,1024"),
    }
}

/// A server in a process of its own; it ends with this.
struct Running {
    process: Child,
    port: u16,
}

impl Running {
    fn start(name: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says its port");
        Self { process, port: line.trim().parse().expect("a port") }
    }

    /// Nanoseconds of processor time that its thread has had.
    fn time(&self) -> u64 {
        let text =
            fs::read_to_string(format!("/proc/{}/schedstat", self.process.id())).expect("Linux has it");
        text.split(' ').next().and_then(|text| text.parse().ok()).expect("a number")
    }

    /// Resident memory in octets.
    fn resident(&self) -> usize {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("Linux has it");
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
        line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok()).expect("a number") * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn echo(names: &[&str], cells: &[(usize, usize, usize)], rounds: usize, out: Option<&str>) {
    let running: Vec<Running> = names.iter().map(|name| Running::start(name)).collect();
    let mut csv = "connections,in flight,octets,server,nanoseconds a message,over the raw echo\n".to_owned();
    println!(
        "Processor time of the server for a message, as a multiple of the raw echo's (its nanoseconds).\n"
    );
    println!("| connections | in flight | octets | {} |", names.join(" | "));
    println!("|---|---|---|{}", "---:|".repeat(names.len()));
    for &(connections, in_flight, octets) in cells {
        let load = crowd::Load { connections, in_flight, octets };
        // How many rounds of all connections make enough work, by the raw echo or whoever is first.
        let per_turn = (connections * in_flight) as u64;
        let mut crowds: Vec<_> = running
            .iter()
            .zip(names)
            .map(|(server, name)| crowd::Crowd::open(server.port, load, *name == "raw"))
            .collect();
        let before = running[0].time();
        let trial = (3000 / per_turn).max(2);
        crowds[0].run(trial);
        let each = (running[0].time() - before) / trial;
        let turns = (WORK / each.max(1)).clamp(3, 200_000);
        let mut least: BTreeMap<&str, f64> = BTreeMap::new();
        for round in 0..rounds {
            for at in 0..names.len() {
                let at = (at + round) % names.len();
                crowds[at].run((turns / 20).max(1)); // what it held is in the caches again
                let before = running[at].time();
                crowds[at].run(turns);
                let time = (running[at].time() - before) as f64 / (turns * per_turn) as f64;
                let least = least.entry(names[at]).or_insert(f64::MAX);
                *least = least.min(time);
            }
        }
        let raw = least[names[0]];
        let mut row = format!("| {connections} | {in_flight} | {octets} |");
        for name in names {
            let (time, ratio) = (least[name], least[name] / raw);
            if *name == names[0] {
                let _ = write!(row, " ({time:.0}) |");
            } else {
                let _ = write!(row, " {ratio:.2} |");
            }
            let _ = writeln!(csv, "{connections},{in_flight},{octets},{name},{time:.0},{ratio:.3}");
        }
        println!("{row}");
    }
    if let Some(out) = out {
        fs::write(out, csv).expect("it can be written");
    }
}

fn memory(names: &[&str], connections: usize, out: Option<&str>) {
    let mut csv = "server,connections,octets silent,octets after 16 KiB\n".to_owned();
    println!("| server | silent | after 16 KiB were sent back |\n|---|---:|---:|");
    for name in names {
        let server = Running::start(name);
        let load = |connections| crowd::Load { connections, in_flight: 1, octets: 16384 };
        // What does not depend on how many there are.
        let mut first = crowd::Crowd::open(server.port, load(16), *name == "raw");
        first.run(1);
        let before = server.resident();
        let mut crowd = crowd::Crowd::open(server.port, load(connections), *name == "raw");
        // Every server has accepted the last when that has an answer.
        crowd.run_last();
        let silent = server.resident().saturating_sub(before) / connections;
        crowd.run(1);
        let after = server.resident().saturating_sub(before) / connections;
        println!("| {name} | {silent} | {after} |");
        let _ = writeln!(csv, "{name},{connections},{silent},{after}");
    }
    if let Some(out) = out {
        fs::write(out, csv).expect("it can be written");
    }
}
