//! permessage-deflate next to direct calls of its back ends. Run it from the root of the repository:
//!
//! ```sh
//! cargo run --release -p hybi-bench-deflate -- inflate|deflate|connection|windows|memory|hostile [rounds]
//! cargo run --release -p hybi-bench-deflate --features zlib-rs -- ..
//! ```
//!
//! Times are of the processor, and the least of several rounds. The program writes tables.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

mod connection;
mod direct;
mod hostile;
mod messages;
mod work;

use std::process::Command;
use std::time::Instant;
use std::{env, fs, thread};

use direct::{Compress, Decompress, MinizCompress, MinizRing, ZlibCompress, ZlibInflate};
use hybi::extension::permessage_deflate::{Deflater, Inflater, Level, Memory, WindowBits};

/// The back end that is built in.
const BACK_END: &str = if cfg!(feature = "zlib-rs") { "zlib-rs" } else { "miniz_oxide" };

fn main() {
    let rounds = env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(15);
    match env::args().nth(1).as_deref() {
        Some("inflate") => inflate(rounds),
        Some("deflate") => deflate(rounds),
        Some("connection") => connection::measure(rounds),
        Some("windows") => windows(rounds),
        Some("memory") => memory(),
        Some("apart") => measure_apart(),
        Some("hostile") => hostile::measure(rounds),
        Some("work") if work::run(&env::args().skip(2).collect::<Vec<_>>()) => {}
        _ => {
            println!("inflate, deflate, connection, windows, memory or hostile, and perhaps how many rounds");
        }
    }
}

/// Nanoseconds of processor time: the least of several rounds.
fn time(rounds: usize, mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    let now = || on_processor().unwrap_or_else(|| began.elapsed().as_nanos() as u64);
    (0..rounds.max(1))
        .map(|_| {
            let start = now();
            work();
            now() - start
        })
        .min()
        .expect("at least one round") as f64
}

/// Nanoseconds that this thread ran, which other work on the machine does not lengthen; where Linux tells.
fn on_processor() -> Option<u64> {
    thread::yield_now(); // so that the count is brought up to date
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

struct Ours(Inflater);

impl Decompress for Ours {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        self.0.finish(payload, out, usize::MAX).is_ok()
    }

    fn reset(&mut self) {}
}

fn bits(n: u8) -> WindowBits {
    WindowBits::new(n).expect("8 to 15")
}

/// So many octets of messages, and their payloads as zlib-rs writes them.
fn compressed(size: usize, level: u8, takeover: bool, total: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let messages = messages::json(size, total / size);
    let mut compress = ZlibCompress::new(level, 15);
    let payloads = messages
        .iter()
        .map(|message| {
            let mut payload = Vec::new();
            compress.message(message, &mut payload);
            if !takeover {
                compress.reset();
            }
            payload
        })
        .collect();
    (messages, payloads)
}

fn inflate(rounds: usize) {
    println!("MB of text per second, streams written by zlib-rs\n");
    println!(
        "| size | takeover | level | ours | miniz_oxide | zlib-rs | ours : miniz_oxide | ours : zlib-rs |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in [1024, 16384] {
        for takeover in [true, false] {
            for level in [1, 3, 6] {
                let (messages, payloads) = compressed(size, level, takeover, 4 << 20);
                let mut speeds = [0.0; 3];
                for _ in 0..3 {
                    let list: [Box<dyn Decompress>; 3] = [
                        Box::new(Ours(Inflater::new(WindowBits::MAX, takeover))),
                        Box::new(MinizRing::new(15)),
                        Box::new(ZlibInflate::new(15)),
                    ];
                    for (mut inflate, speed) in list.into_iter().zip(&mut speeds) {
                        let mut out = Vec::with_capacity(64 << 10);
                        let mut check = true;
                        let ns = time(rounds, || {
                            inflate.reset();
                            for (payload, message) in payloads.iter().zip(&messages) {
                                out.clear();
                                assert!(inflate.message(payload, &mut out));
                                if check {
                                    assert!(out == *message);
                                }
                                if !takeover {
                                    inflate.reset();
                                }
                            }
                            check = false;
                        });
                        *speed = f64::max(*speed, f64::from(4 << 20) * 1e3 / ns);
                    }
                }
                let [ours, miniz, zlib] = speeds;
                println!(
                    "| {size} | {takeover} | {level} | {ours:.0} | {miniz:.0} | {zlib:.0} | {:.2} | {:.2} |",
                    ours / miniz,
                    ours / zlib
                );
            }
        }
    }
}

struct Whole(Deflater);

impl Compress for Whole {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.0.deflate(payload, out, true).expect("memory");
    }

    fn reset(&mut self) {}
}

/// The built-in back end, called directly; windows are 15 bits.
fn direct_compress(level: u8) -> Box<dyn Compress> {
    if cfg!(feature = "zlib-rs") {
        Box::new(ZlibCompress::new(level, 15))
    } else {
        Box::new(MinizCompress::new(level))
    }
}

/// Nanoseconds, and octets of the payloads.
fn compress_all(
    rounds: usize,
    messages: &[Vec<u8>],
    reset: bool,
    make: impl Fn() -> Box<dyn Compress>,
) -> (f64, usize) {
    let mut total = 0;
    let mut out = Vec::with_capacity(64 << 10);
    let ns = time(rounds, || {
        let mut compress = make();
        total = 0;
        for message in messages {
            out.clear();
            compress.message(message, &mut out);
            total += out.len();
            if reset {
                compress.reset();
            }
        }
    });
    (ns, total)
}

fn deflate(rounds: usize) {
    println!("{BACK_END}: MB of text per second, and ratio\n");
    println!("| size | takeover | level | ours | ratio | direct | ratio | ours : direct |");
    println!("|---|---|---|---|---|---|---|---|");
    for size in [1024, 16384] {
        for takeover in [true, false] {
            for level in [1, 3, 6] {
                let messages = messages::json(size, (1 << 20) / size);
                let plain = (size * messages.len()) as f64;
                let ours = || -> Box<dyn Compress> {
                    let level = Level::new(level).expect("a level");
                    Box::new(Whole(Deflater::new(WindowBits::MAX, takeover, level)))
                };
                let (mut ns, mut direct_ns) = (f64::MAX, f64::MAX);
                let (mut total, mut direct_total) = (0, 0);
                for _ in 0..3 {
                    let result = compress_all(rounds, &messages, false, ours);
                    (ns, total) = (ns.min(result.0), result.1);
                    let result = compress_all(rounds, &messages, !takeover, || direct_compress(level));
                    (direct_ns, direct_total) = (direct_ns.min(result.0), result.1);
                }
                println!(
                    "| {size} | {takeover} | {level} | {:.0} | {:.2} | {:.0} | {:.2} | {:.2} |",
                    plain * 1e3 / ns,
                    plain / total as f64,
                    plain * 1e3 / direct_ns,
                    plain / direct_total as f64,
                    direct_ns / ns
                );
            }
        }
    }
}

fn windows(rounds: usize) {
    println!("{BACK_END}, context taken over: ratio; MB of text per second\n");
    println!("| size | level | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for size in [200, 1024, 16384] {
        let messages = messages::json(size, (1 << 20) / size);
        let plain = (size * messages.len()) as f64;
        for level in [1, 6] {
            let cells = [8, 9, 10, 11, 12, 13, 14, 15].map(|n| {
                let (ns, total) = compress_all(rounds, &messages, false, || {
                    Box::new(Whole(Deflater::new(bits(n), true, Level::new(level).expect("a level"))))
                });
                format!("{:.2}; {:.0}", plain / total as f64, plain * 1e3 / ns)
            });
            println!("| {size} | {level} | {} |", cells.join(" | "));
        }
    }
}

/// Octets that this process has in memory.
fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number of pages");
    pages * 4096.0
}

/// The mean of what one of many takes.
fn each<T>(make: impl FnMut() -> T) -> f64 {
    const MANY: usize = 200;
    let mut all = Vec::with_capacity(MANY);
    let before = resident();
    all.resize_with(MANY, make);
    (resident() - before) / MANY as f64 / 1024.0
}

fn memory() {
    println!(
        "{BACK_END}: KiB in memory for each of 200 deflaters, octets of heap of an inflater, 16 KiB messages\n"
    );
    println!("| window | deflater | released | inflater, takeover | none | released |");
    println!("|---|---|---|---|---|---|");
    for n in [8, 9, 12, 15] {
        let takeover = inflater(n, true).heap_len();
        let mut none = inflater(n, false);
        let held = none.heap_len();
        none.release();
        let [deflater, released] = ["deflater", "released"].map(|kind| apart(n, kind));
        println!("| {n} | {deflater} | {released} | {takeover} | {held} | {} |", none.heap_len());
    }
    println!(
        "\n{BACK_END}: KiB in memory for each of 200 servers that are idle, after 16 KiB messages each way\n"
    );
    println!("| window | takeover | none, dedicated | none, shared |");
    println!("|---|---|---|---|");
    for n in [9, 12, 15] {
        let cells = ["takeover", "dedicated", "shared"].map(|kind| apart(n, kind));
        println!("| {n} | {} |", cells.join(" | "));
    }
    println!("\nWithout compression: {}", apart(15, "plain"));
}

/// In a process of its own: what one measure freed, the next would be given again.
fn apart(n: u8, kind: &str) -> String {
    let program = env::current_exe().expect("it is running");
    let output = Command::new(program).args(["apart", kind, &n.to_string()]).output().expect("it ran before");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn measure_apart() {
    let kind = env::args().nth(2).expect("what to measure");
    let n = env::args().nth(3).and_then(|n| n.parse().ok()).expect("window bits");
    let kib = match &*kind {
        "deflater" => each(|| deflater(n, true)),
        "released" => each(|| deflater(n, false)),
        "takeover" => connection::resident(bits(n), true, Memory::Dedicated),
        "dedicated" => connection::resident(bits(n), false, Memory::Dedicated),
        "shared" => connection::resident(bits(n), false, Memory::Shared),
        _ => connection::resident_plain(),
    };
    println!("{kib:.1}");
}

/// After messages, and told to give back what it can.
fn deflater(n: u8, takeover: bool) -> Deflater {
    let mut deflater = Deflater::new(bits(n), takeover, Level::default());
    for message in messages::json(16384, 8) {
        deflater.deflate(&message, &mut Vec::new(), true).expect("memory");
    }
    deflater.release();
    deflater
}

/// After messages.
fn inflater(n: u8, takeover: bool) -> Inflater {
    let mut deflater = Deflater::new(bits(n), takeover, Level::default());
    let mut inflater = Inflater::new(bits(n), takeover);
    for message in messages::json(16384, 8) {
        let mut payload = Vec::new();
        deflater.deflate(&message, &mut payload, true).expect("memory");
        inflater.finish(&payload, &mut Vec::new(), 1 << 20).expect("right payloads");
    }
    inflater
}
