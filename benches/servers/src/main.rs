//! Many connections to one hybi-tokio server, whose clients are bare sockets in another process.
//!
//!     ulimit -n 65536
//!     cargo run --release -p hybi-bench-servers -- idle 20000
//!     cargo run --release -p hybi-bench-servers -- broadcast 10000
//!
//! `idle` tells the resident memory of the server for each connection: open and silent, and silent again after a
//! message of 16 KiB was sent back on each. `broadcast` tells how long one text of 1 KiB to all takes, next to sending
//! to one after the other; without and with permessage-deflate.
#![allow(clippy::print_stdout, clippy::panic, reason = "it is a program for the terminal")]

mod crowd;

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
        ["idle", many] => run(idle(number(many))),
        ["broadcast", many] => {
            run(broadcast(number(many), false));
            run(broadcast(number(many), true));
        }
        ["crowd", port, many, offer] => crowd::main(number(port) as u16, number(many), offer == "deflate"),
        _ => println!("idle N | broadcast N"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
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
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut prepared = Prepared::new(&*text);
        if compressed {
            prepared = prepared.with_deflate(&Deflate::new(DeflateConfig::default(), Params::default()));
        }
        let told = clients.broadcast(&prepared, Slow::Wait).await;
        times[0].push(start.elapsed());
        assert_eq!(told.sent, many);
        crowd.tell("read");

        let mut handles: Vec<Handle> = Vec::new();
        clients.for_each(|_, handle| handles.push(handle.clone()));
        let start = Instant::now();
        for handle in &handles {
            handle.send(&*text).await.expect("it is open");
        }
        times[1].push(start.elapsed());
        crowd.tell("read");
    }
    let [all, each] = times.map(|times| times.into_iter().min().expect("some").as_secs_f64() * 1e3);
    println!(
        "{} octets of text to {many}{}: broadcast {all:.1} ms, one after the other {each:.1} ms, {:.2} times; \
         {before} KiB before, {} KiB after",
        text.len(),
        if compressed { ", compressed" } else { "" },
        each / all,
        resident()
    );
    crowd.end();
    stopper.stop(Duration::from_secs(10)).await;
    serving.await.expect("well");
}
