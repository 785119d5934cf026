//! What the example `epoll` costs.
//!
//!     cargo build --release -p hybi-examples
//!     cargo run --release -p hybi-bench-event-loop -- echo [ROUNDS]
//!     cargo run --release -p hybi-bench-event-loop -- idle CONNECTIONS
//!
//! `echo` tells the processor time of the server for a message over loopback, next to that of a raw echo with the same
//! loop; both take turns, and a ratio is the median of those of the rounds. `idle` tells the resident memory of the
//! server for each silent connection, before and after a message of 16 KiB was sent back on each.
#![allow(clippy::print_stdout, clippy::panic, reason = "it is a program for the terminal")]

mod load;
mod raw;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use load::{Crowd, Work, open};

const SIZES: [usize; 5] = [20, 125, 1024, 4096, 16_384];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["echo"] => echo(9),
        ["echo", rounds] => echo(number(rounds)),
        ["idle", many] => idle(number(many)),
        ["raw"] => raw::main(),
        _ => println!("echo [ROUNDS] | idle CONNECTIONS"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// A server in a process of its own, with one thread.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it is built");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it is text");
        let address = line.trim().trim_start_matches("listening on ws://").trim_end_matches('/');
        Self { process, address: address.parse().expect("an address") }
    }

    fn raw() -> Self {
        Self::start(Command::new(std::env::current_exe().expect("this program")).arg("raw"))
    }

    fn epoll() -> Self {
        let program = std::env::current_exe().expect("this program").with_file_name("epoll");
        Self::start(Command::new(program).arg("0.0.0.0:0"))
    }

    /// Nanoseconds on a processor so far, the kernel's part included.
    fn time(&self) -> u64 {
        let text = self.read("schedstat");
        text.split_whitespace().next().expect("a first number").parse().expect("a number")
    }

    /// Resident memory, in KiB.
    fn resident(&self) -> usize {
        let text = self.read("status");
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
        number(line.split_whitespace().nth(1).expect("a number"))
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).expect("Linux has it")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn echo(rounds: usize) {
    println!("connections  in flight    octets       raw     epoll   ratio   (from .. to)");
    for connections in [1, 100] {
        for in_flight in [1, 32] {
            for size in SIZES {
                // About as long for each: a message has a price, and so has a wake-up.
                let messages = 60_000_000 / (if in_flight == 1 { 3000 } else { 400 } + size / 2);
                row(Work { size, in_flight, connections, messages }, rounds);
            }
        }
    }
}

fn row(work: Work, rounds: usize) {
    let servers = [Server::raw(), Server::epoll()];
    let mut crowds = [0, 1].map(|n| Crowd::new(servers[n].address, n == 1, work));
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for n in [0, 1] {
            let before = servers[n].time();
            crowds[n].run(work.messages);
            let spent = (servers[n].time() - before) as f64 / work.messages as f64;
            if round > 0 {
                times[n].push(spent); // the first one warms up
            }
        }
    }
    let ratios = sorted(times[0].iter().zip(&times[1]).map(|(raw, epoll)| epoll / raw).collect());
    let [raw, epoll] = times.map(|times| sorted(times)[rounds / 2]);
    println!(
        "{:11} {:10} {:9} {raw:7.0}ns {epoll:7.0}ns {:7.2}   ({:.2} .. {:.2})",
        work.connections,
        work.in_flight,
        work.size,
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1]
    );
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn idle(many: usize) {
    let server = Server::epoll();
    // A few thousand for each address, so that ports suffice.
    let connect = |n: usize| {
        open(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + (n / 5000) as u8), server.address.port())), true)
    };
    // What does not depend on how many there are.
    let mut first: Vec<TcpStream> = (0..16).map(connect).collect();
    first.iter_mut().for_each(send_and_read);
    let before = server.resident();
    let mut sockets: Vec<TcpStream> = (0..many).map(connect).collect();
    let each = |now: usize| now.saturating_sub(before) * 1024 / many;
    let now = server.resident();
    println!("{many} open and silent: {before} KiB before, {now} KiB, {} octets each", each(now));
    sockets.iter_mut().for_each(send_and_read);
    let now = server.resident();
    println!("after 16 KiB were sent back on each: {now} KiB, {} octets each", each(now));
    drop(sockets);
}

fn send_and_read(socket: &mut TcpStream) {
    let mut octets = vec![0x82, 0xFE, 0x40, 0];
    octets.resize(octets.len() + 4 + 16_384, 0); // a key of nothing masks nothing
    socket.write_all(&octets).expect("written");
    socket.read_exact(&mut octets[..16_388]).expect("it comes back");
}
