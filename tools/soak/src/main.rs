//! An echo server on tokio under load: `tools/verify soak [MINUTES] [CONNECTIONS]`.
//!
//! Clients in a process of their own open connections, half of them with permessage-deflate, send messages of mixed
//! sizes, compare what comes back, and leave: three of four by the closing handshake, the rest by an abort in the
//! middle. Whoever has left comes again. Meanwhile the resident memory of the server is looked at every few seconds. It
//! has to stay within 2 % between the first third behind the warm-up and the last, and when all are gone no task and no
//! descriptor may be left.
#![allow(clippy::print_stdout, reason = "it is a program for the terminal")]

mod clients;

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_tokio::{Accept, Arrival, Event, Listener, Stream};
use tokio::process::Command;
use tokio::time::sleep;

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match words[..] {
        ["clients", port, many, seconds] => {
            runtime.block_on(clients::main(number(port) as u16, number(many), seconds_of(seconds)));
        }
        [minutes, many] => {
            return runtime.block_on(server(60 * seconds_of(minutes), number(many)));
        }
        _ => println!("hybi-soak MINUTES CONNECTIONS"),
    }
    ExitCode::SUCCESS
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn seconds_of(text: &str) -> Duration {
    Duration::from_secs(number(text) as u64)
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
    number(line.split_whitespace().nth(1).expect("a number"))
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("Linux has it").count()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    messages: AtomicUsize,
}

async fn server(time: Duration, many: usize) -> ExitCode {
    let listener = Listener::bind("0.0.0.0:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (counts, stopper) = (Arc::new(Counts::default()), listener.stopper());
    let before = (tasks(), descriptors());
    let handler = {
        let counts = counts.clone();
        move |arrival, _| echo(arrival, counts.clone())
    };
    let serving = tokio::spawn(listener.with_handshake_limit(many).run(handler));
    let program = std::env::current_exe().expect("this program");
    let words = ["clients".to_owned(), port.to_string(), many.to_string(), time.as_secs().to_string()];
    let mut crowd = Command::new(program).args(words).spawn().expect("it starts");

    println!("{:>8} {:>12} {:>12} {:>14}", "seconds", "RSS in KiB", "connections", "messages");
    let (start, mut looks) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        sleep(LOOK).await;
        looks.push(resident());
        let (open, messages) = (counts.open.load(Ordering::SeqCst), counts.messages.load(Ordering::SeqCst));
        println!("{:8} {:12} {open:12} {messages:14}", start.elapsed().as_secs(), resident());
    }
    let verified = crowd.wait().await.expect("it ends").success();
    let drained = tokio::time::timeout(Duration::from_secs(60), async {
        while counts.open.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let drained = drained.await.is_ok();
    stopper.stop(Duration::from_secs(10)).await;
    serving.await.expect("well");
    drop(crowd);
    judge(verified, drained, before, &looks).await
}

async fn judge(verified: bool, drained: bool, before: (usize, usize), looks: &[usize]) -> ExitCode {
    let mut left = (tasks(), descriptors());
    for _ in 0..50 {
        if left.0 <= before.0 && left.1 <= before.1 {
            break;
        }
        sleep(Duration::from_millis(100)).await; // a task that has returned is counted for a moment more
        left = (tasks(), descriptors());
    }
    let warm = &looks[looks.len() / 3..]; // a third of the time to warm up
    let third = (warm.len() / 3).max(1);
    let mean = |looks: &[usize]| looks.iter().sum::<usize>() as f64 / looks.len().max(1) as f64;
    let (early, late) = (mean(&warm[..third]), mean(&warm[warm.len() - third..]));
    let growth = 100.0 * (late - early) / early;
    println!(
        "resident memory: {early:.0} KiB, at the end {late:.0} KiB, {growth:+.2} %; with nobody there {} KiB",
        resident()
    );
    println!("tasks and descriptors before: {before:?}, left: {left:?}");
    let faults = [
        (!verified, "a client saw something that it should not have seen"),
        (!drained, "connections are left"),
        (growth > 2.0, "memory grows"),
        (left.0 > before.0, "tasks are left"),
        (left.1 > before.1, "descriptors are left"),
    ];
    for (_, fault) in faults.iter().filter(|(is, _)| *is) {
        println!("FAILED: {fault}");
    }
    if faults.iter().any(|(is, _)| *is) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Counts down however the task ends.
struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn echo(arrival: Arrival<Stream>, counts: Arc<Counts>) {
    counts.open.fetch_add(1, Ordering::SeqCst);
    let open = Open(counts);
    let Arrival::Upgrade(pending) = arrival else { return };
    let accept = Accept::new().with_deflate(DeflateConfig::default());
    let Ok(mut socket) = pending.accept(accept).await else { return };
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => continue,
        };
        if sent.is_err() {
            return;
        }
        open.0.messages.fetch_add(1, Ordering::SeqCst);
    }
}
