//! Many connections to one hybi-tokio server, whose clients are bare sockets in another process.
//!
//!     ulimit -n 65536
//!     cargo run --release -p hybi-bench-servers -- idle 20000
//!     cargo run --release -p hybi-bench-servers -- broadcast 10000
//!
//! `idle` tells the resident memory of the server for each connection: open and silent, and silent again after a
//! message of 16 KiB was sent back on each. `broadcast` tells how long one text of 1 KiB to all takes, next to sending
//! to one after the other, to a channel that the task of each connection listens to, and to what cannot be undercut:
//! one bare write of the octets to each socket; without and with permessage-deflate. A compressor of its own takes some
//! 300 KiB for each connection (RFC 7692 §7.1.1), so there it is a thousand who are sent to one after the other.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "it is a program for the terminal"
)]

mod broadcast;
mod counted;
mod crowd;

use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hybi_tokio::{Accept, Arrival, Clients, Config, Event, Listener, Pending, Stream, WebSocket};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["idle", many] => {
            check_file_limit(number(many));
            run(idle(number(many)));
        }
        ["broadcast", many] => {
            check_file_limit(2 * number(many));
            run(broadcast::measure(number(many), false));
            run(broadcast::measure(number(many), true));
            run(broadcast::measure(number(many).min(1000), true));
        }
        ["crowd", port, many, offer] => crowd::main(number(port) as u16, number(many), offer == "deflate"),
        ["count", "echo", octets, batches] => counted::echo(number(octets), number(batches)),
        ["count", "broadcast", times] => counted::broadcast(number(times)),
        _ => println!("idle N | broadcast N | count echo OCTETS BATCHES | count broadcast TIMES"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// Before anything waits for a connection that never comes.
fn check_file_limit(many: usize) {
    let needed = many + 160;
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux has it");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("it is there");
    let limit = line.split_whitespace().nth(3).and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX);
    if limit < needed {
        eprintln!("{many} connections need {needed} open files, and the limit is {limit}: see `ulimit -n`");
        std::process::exit(2);
    }
}

fn run(measure: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(measure);
}

/// The process with the clients; it does what it is told in a line, and answers with one.
struct Crowd {
    process: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Crowd {
    fn start(port: u16, many: usize, deflate: bool) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["crowd", &port.to_string(), &many.to_string(), if deflate { "deflate" } else { "plain" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let say = process.stdin.take().expect("piped");
        let hear = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, say, hear }
    }

    fn tell(&mut self, what: &str) {
        self.ask(what);
        self.wait();
    }

    fn ask(&mut self, what: &str) {
        writeln!(self.say, "{what}").expect("it listens");
    }

    fn wait(&mut self) {
        let mut answer = String::new();
        self.hear.read_line(&mut answer).expect("it answers");
        assert_eq!(answer.trim(), "done");
    }

    fn end(mut self) {
        drop(self.say);
        self.process.wait().expect("it ends");
    }
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it");
    let each = tasks.map(|task| {
        let path = task.expect("it is there").path().join("schedstat");
        let text = std::fs::read_to_string(path).expect("Linux has it");
        text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).expect("a number")
    });
    Duration::from_nanos(each.sum())
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
    number(line.split_whitespace().nth(1).expect("a number"))
}

fn handler_size<H, F>(_: &H) -> usize
where
    H: Fn(Arrival<Stream>, Clients) -> F,
{
    size_of::<F>()
}

async fn listen() -> (Listener, u16) {
    let listener = Listener::bind("0.0.0.0:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener.with_config(Config::default(), Default::default()).with_handshake_limit(512), port)
}

async fn idle(many: usize) {
    let (listener, port) = listen().await;
    let (open, stopper) = (Arc::new(AtomicUsize::new(0)), listener.stopper());
    let counter = open.clone();
    let handler = move |arrival, _: Clients| echo(arrival, counter.clone());
    println!(
        "WebSocket {} octets, Pending {}, the handler's future {}",
        size_of::<WebSocket<Stream>>(),
        size_of::<Pending<Stream>>(),
        handler_size(&handler)
    );
    let serving = tokio::spawn(listener.run(handler));
    // What does not depend on how many there are: threads, their buffers, the first pages of everything.
    let mut first = Crowd::start(port, 16, false);
    first.tell("open");
    first.tell("echo");
    let before = resident();
    let mut crowd = Crowd::start(port, many, false);
    crowd.tell("open");
    while open.load(Ordering::SeqCst) < many + 16 {
        tokio::task::yield_now().await;
    }
    let each = |now: usize| (now.saturating_sub(before)) * 1024 / many;
    let now = resident();
    println!("{many} open and silent: {before} KiB before, {now} KiB, {} octets each", each(now));
    crowd.tell("echo");
    let now = resident();
    println!("after 16 KiB were sent back on each: {now} KiB, {} octets each", each(now));
    crowd.end();
    first.end();
    stopper.stop(Duration::from_secs(10)).await;
    serving.await.expect("well");
    println!("all gone: {} KiB", resident());
}

async fn echo(arrival: Arrival<Stream>, open: Arc<AtomicUsize>) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let Ok(mut socket) = pending.accept(Accept::new()).await else { return };
    open.fetch_add(1, Ordering::SeqCst);
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}
