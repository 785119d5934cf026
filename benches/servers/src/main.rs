//! Many connections to one hybi-tokio server, whose clients are bare sockets in another process.
//!
//!     ulimit -n 65536
//!     cargo run --release -p hybi-bench-servers -- idle 20000
//!     cargo run --release -p hybi-bench-servers -- broadcast 10000
//!
//! `idle` tells the resident memory of the server for each connection: open and silent, and silent again after a
//! message of 16 KiB was sent back on each. `broadcast` tells how long one text of 1 KiB to all takes, next to sending
//! to one after the other; without and with permessage-deflate. A compressor of its own takes some 300 KiB for each
//! connection (RFC 7692 §7.1.1), so there it is a thousand who are sent to one after the other.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "it is a program for the terminal"
)]

mod crowd;

use std::fmt;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
use hybi_tokio::{
    Accept, Arrival, Clients, Config, Event, Handle, Listener, Pending, Prepared, Slow, Stream, WebSocket,
};

const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["idle", many] => {
            check_file_limit(number(many));
            run(idle(number(many)));
        }
        ["broadcast", many] => {
            check_file_limit(number(many));
            run(broadcast(number(many), false));
            run(broadcast(number(many), true));
            run(broadcast(number(many).min(1000), true));
        }
        ["crowd", port, many, offer] => crowd::main(number(port) as u16, number(many), offer == "deflate"),
        _ => println!("idle N | broadcast N"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// Before anything waits for a connection that never comes.
fn check_file_limit(many: usize) {
    let needed = many + 64;
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
        writeln!(self.say, "{what}").expect("it listens");
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

/// The least of all rounds.
#[derive(Default)]
struct Times {
    /// Until the call returned; until all clients had read it.
    called: Option<Duration>,
    read: Option<Duration>,
    /// Processor time of the server for all of that.
    processor: Option<Duration>,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [called, read, processor] =
            [self.called, self.read, self.processor].map(|time| time.unwrap_or_default().as_secs_f64() * 1e3);
        write!(
            f,
            "returned after {called:.1} ms, read by all after {read:.1} ms, processor time {processor:.1} ms"
        )
    }
}

struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Self {
        Self(Instant::now(), processor_time())
    }

    /// The call has returned; `read` waits until all is read.
    fn note(self, times: &mut Times, read: impl FnOnce()) {
        let least =
            |least: &mut Option<Duration>, time| *least = Some(least.map_or(time, |least| least.min(time)));
        least(&mut times.called, self.0.elapsed());
        read();
        least(&mut times.read, self.0.elapsed());
        least(&mut times.processor, processor_time().saturating_sub(self.1));
    }
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

async fn member(arrival: Arrival<Stream>, clients: Clients, deflate: Option<DeflateConfig>) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let accept = deflate.map_or_else(Accept::new, |deflate| Accept::new().with_deflate(deflate));
    let Ok(socket) = pending.accept(accept).await else { return };
    let (mut reader, writer) = socket.into_split();
    let _me = clients.join(writer.handle());
    while reader.recv().await.is_some() {}
}

/// A kibibyte of text that is somewhat like what is sent.
fn news() -> String {
    let lines =
        (0..).map(|n| format!("{{\"harbour\":{n},\"height\":{},\"tide\":\"ebb\"}}\n", n * 7919 % 600));
    let mut text: String = lines.take(40).collect();
    text.truncate(1024);
    text
}

async fn broadcast(many: usize, compressed: bool) {
    let (listener, port) = listen().await;
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let deflate = compressed.then(|| {
        let mut config = DeflateConfig::default();
        config.threshold = 0;
        config
    });
    let agreed = deflate.clone();
    let serving =
        tokio::spawn(listener.run(move |arrival, clients| member(arrival, clients, agreed.clone())));
    let mut crowd = Crowd::start(port, many, compressed);
    crowd.tell("open");
    while clients.len() < many {
        tokio::task::yield_now().await;
    }
    let (text, before) = (news(), resident());
    let (mut broadcast, mut in_turn) = (Times::default(), Times::default());
    let mut after = before;
    for round in 0..ROUNDS {
        let watch = Watch::start();
        let mut prepared = Prepared::new(&*text);
        if compressed {
            prepared = prepared.with_deflate(&Deflate::new(DeflateConfig::default(), Params::default()));
        }
        let told = clients.broadcast(&prepared, Slow::Wait).await;
        assert_eq!(told.sent, many);
        watch.note(&mut broadcast, || crowd.tell("read"));
        if round == 0 {
            after = resident();
        }
        if compressed && many > 1000 {
            continue;
        }
        let mut handles: Vec<Handle> = Vec::new();
        clients.for_each(|_, handle| handles.push(handle.clone()));
        let watch = Watch::start();
        for handle in &handles {
            handle.send(&*text).await.expect("it is open");
        }
        watch.note(&mut in_turn, || crowd.tell("read"));
    }
    println!("{} octets of text to {many}{}", text.len(), if compressed { ", compressed" } else { "" });
    println!("    broadcast: {broadcast}");
    if in_turn.called.is_some() {
        println!("    one after the other: {in_turn}");
    }
    println!("    {before} KiB before, {after} KiB after the first broadcast, {} KiB after all", resident());
    crowd.end();
    stopper.stop(Duration::from_secs(10)).await;
    serving.await.expect("well");
}
