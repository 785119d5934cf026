//! `hybi bench`: many connections to an echo server, each with so many messages under way; how many come back in a
//! second, and how late.
//!
//! A task for each connection, over hybi-tokio: an answer is taken and the next message sent in the same turn, and what
//! one read brought goes out in one write. Every answer is compared with what was sent.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_tokio::{
    ClientRequest, CloseCode, Config, ConnectError, Connector, Event, Payload, Stream, WebSocket,
};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::{connect, tls};

/// The most there are.
const HISTOGRAMS: u32 = 16;

/// Measure an echo server: messages a second, and how late they come back.
///
/// Each connection keeps a number of messages under way: it sends the next when one has come back. So the figures are
/// those of a server that is asked as fast as it answers; how late messages are at a given rate is another question.
/// Whatever comes back is compared with what was sent. Latencies are kept to three digits.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hybi bench ws://127.0.0.1:9001/                                    one message at a time
  hybi bench ws://127.0.0.1:9001/ --connections 100 --in-flight 32   as much as it can do
  hybi bench ws://127.0.0.1:9001/ --size 16384 --kind binary --duration 30
  hybi bench ws://127.0.0.1:9001/ --json | jq .latency_us.p99

Exit status:
  0  everything came back
  1  no connection, one that broke, or something else came back
  2  the command line is no good")]
pub(crate) struct Options {
    /// Address of an echo server: ws://HOST:PORT/PATH, wss:// likewise, or ws+unix:SOCKET:/PATH
    url: String,

    /// Connections at once
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,

    /// Messages under way on each connection
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    in_flight: u32,

    /// Length of a message in octets
    #[arg(short, long, value_name = "OCTETS", default_value_t = 125, value_parser = clap::value_parser!(u32).range(0..=64 << 20))]
    size: u32,

    /// Kind of the messages
    #[arg(short, long, default_value = "text")]
    kind: Kind,

    /// How long to send
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = connect::seconds)]
    duration: Duration,

    /// Compress messages if the server can: permessage-deflate
    #[arg(long)]
    compress: bool,

    /// Header to add to the requests
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = connect::header)]
    headers: Vec<(String, String)>,

    /// Trust the authorities in this file (PEM), instead of those that the operating system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Print the figures as JSON, on one line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Text,
    Binary,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start threads: {error}"))?;
    let report = runtime.block_on(measure(options))?;
    if options.json {
        report.print_json(options);
    } else {
        report.print(options);
    }
    Ok(())
}

/// What all connections share.
struct Plan {
    message: Vec<u8>,
    kind: Kind,
    in_flight: usize,
    /// Messages that came back, for whoever watches.
    back: AtomicU64,
    /// One is some hundred kibibytes large: many connections share one.
    latencies: Vec<Mutex<Histogram<u64>>>,
}

impl Plan {
    fn payload(&self) -> Payload<'_> {
        match self.kind {
            Kind::Text => Payload::text(&self.message).expect("ASCII is UTF-8"),
            Kind::Binary => Payload::binary(&self.message),
        }
    }
}

struct Report {
    extensions: String,
    latencies: Histogram<u64>,
    took: Duration,
}

async fn measure(options: &Options) -> Result<Report, String> {
    let plan = Arc::new(Plan {
        message: message(options.size as usize),
        kind: options.kind,
        in_flight: options.in_flight as usize,
        back: AtomicU64::new(0),
        latencies: (0..HISTOGRAMS.min(options.connections)).map(|_| histogram().into()).collect(),
    });
    let sockets = open_all(options).await?;
    let extensions = sockets[0].agreement().extensions().collect::<Vec<_>>().join(", ");
    let start = Instant::now();
    let until = start + options.duration;
    let mut tasks = JoinSet::new();
    for (n, socket) in sockets.into_iter().enumerate() {
        tasks.spawn(talk(socket, plan.clone(), n, until));
    }
    let bar = bar(options.duration);
    let watcher = tokio::spawn(watch(bar.clone(), plan.clone(), start, options.duration));
    let mut ended = Ok(());
    while let Some(task) = tasks.join_next().await {
        ended = ended.and(task.map_err(|error| error.to_string()).and_then(|told| told));
        if ended.is_err() {
            tasks.abort_all();
        }
    }
    let took = start.elapsed();
    watcher.abort();
    bar.finish_and_clear();
    ended?;
    let mut latencies = histogram();
    for some in &plan.latencies {
        let some = some.lock().map_err(|error| error.to_string())?;
        latencies.add(&*some).map_err(|error| error.to_string())?;
    }
    Ok(Report { extensions, latencies, took })
}

async fn watch(bar: ProgressBar, plan: Arc<Plan>, start: Instant, duration: Duration) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let elapsed = start.elapsed();
        let rate = plan.back.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64();
        bar.set_position(elapsed.min(duration).as_millis() as u64);
        bar.set_message(format!("{} messages/s", grouped(rate as u64)));
    }
}

/// All of them, some at a time.
async fn open_all(options: &Options) -> Result<Vec<WebSocket<Stream>>, String> {
    let cannot = |error| format!("{}: {error}", options.url);
    let mut request = ClientRequest::new(&*options.url).map_err(|error| cannot(error.to_string()))?;
    for (name, value) in &options.headers {
        request = request.with_header(name, value).map_err(|error| format!("header {name}: {error}"))?;
    }
    if options.compress {
        request = request.with_deflate(DeflateConfig::default());
    }
    let uri = request.uri().to_string(); // without user and password
    let mut config = Config::default();
    // All that is under way may wait here: whoever waits for room reads meanwhile.
    config.water.high += options.in_flight as usize * (options.size as usize + 14);
    config.water.limit = config.water.high + options.size as usize + 14;
    let mut connector = Connector::new(config);
    if let Some(authorities) = &options.ca {
        if !request.uri().is_secure() {
            return Err(format!("--ca is for wss:// addresses, and {uri} is none"));
        }
        connector = connector.with_tls(tls::client_config(authorities)?);
    }
    let (connector, places) = (Arc::new(connector), Arc::new(Semaphore::new(64)));
    let mut tasks = JoinSet::new();
    for _ in 0..options.connections {
        let (connector, request, places) = (connector.clone(), request.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await;
            connector.connect(request).await
        });
    }
    let mut sockets = Vec::new();
    while let Some(task) = tasks.join_next().await {
        let connected: Result<_, ConnectError> = task.map_err(|error| error.to_string())?;
        sockets.push(connected.map_err(|error| format!("cannot connect to {uri}: {error}"))?.0);
    }
    Ok(sockets)
}

/// One connection, until the time is over and everything is back.
async fn talk(
    mut socket: WebSocket<Stream>,
    plan: Arc<Plan>,
    n: usize,
    until: Instant,
) -> Result<(), String> {
    let latencies = &plan.latencies[n % plan.latencies.len()];
    let mut sent = VecDeque::with_capacity(plan.in_flight);
    for _ in 0..plan.in_flight {
        socket.feed(plan.payload()).await.map_err(|error| format!("cannot send: {error}"))?;
        sent.push_back(Instant::now());
    }
    while !sent.is_empty() {
        let Some((event, sender)) = socket.recv_with().await else {
            return Err("the connection broke".into());
        };
        let is_right = match &event {
            Event::Text(text) => plan.kind == Kind::Text && text.as_bytes() == plan.message,
            Event::Binary(data) => plan.kind == Kind::Binary && **data == plan.message[..],
            Event::Closed(info) => return Err(format!("the server closed with {}", info.code())),
            Event::Failed(error) => return Err(format!("the server broke a rule: {error}")),
            _ => continue,
        };
        if !is_right {
            return Err("what came back is not what was sent: is it an echo server?".into());
        }
        let now = Instant::now();
        if let Some(at) = sent.pop_front() {
            let mut latencies = latencies.lock().map_err(|error| error.to_string())?;
            latencies.saturating_record((now - at).as_nanos() as u64);
        }
        plan.back.fetch_add(1, Ordering::Relaxed);
        if now < until {
            sender.send(plan.payload()).map_err(|error| format!("cannot send: {error}"))?;
            sent.push_back(now);
        }
    }
    let _ = socket.close(CloseCode::NORMAL, "").await; // what was to be measured is over
    while socket.recv().await.is_some() {}
    Ok(())
}

/// From a nanosecond to a minute, three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds that are in order")
}

/// Text that is somewhat like what is sent, so that compression has something to do.
fn message(len: usize) -> Vec<u8> {
    let words = (0..)
        .flat_map(|n: u32| format!("{{\"station\":{},\"tide\":{}}} ", n % 97, n * 7919 % 600).into_bytes());
    words.take(len).collect()
}

/// Only where somebody looks at it.
fn bar(duration: Duration) -> ProgressBar {
    let bar = ProgressBar::new(duration.as_millis() as u64);
    let style = ProgressStyle::with_template("{bar:40} {elapsed} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Report {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    fn micros(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }

    #[allow(clippy::print_stdout, reason = "that is what was asked for")]
    fn print(&self, options: &Options) {
        let kind = if options.kind == Kind::Text { "text" } else { "binary" };
        let (s, extensions) = (if options.connections == 1 { "" } else { "s" }, &self.extensions);
        let comma = if extensions.is_empty() { "" } else { ", " };
        println!(
            "{} connection{s}, {} in flight on each, {kind} of {} octets, {:.1} s{comma}{extensions}",
            options.connections,
            options.in_flight,
            options.size,
            self.took.as_secs_f64()
        );
        let mebibytes = self.rate() * f64::from(options.size) / f64::from(1 << 20);
        println!("messages  {}, {} a second", grouped(self.latencies.len()), grouped(self.rate() as u64));
        println!("payload   {mebibytes:.1} MiB/s each way");
        println!(
            "latency   p50 {}  p99 {}  p99.9 {}  largest {}",
            time(self.micros(0.5)),
            time(self.micros(0.99)),
            time(self.micros(0.999)),
            time(self.latencies.max() as f64 / 1000.0)
        );
    }

    #[allow(clippy::print_stdout, reason = "that is what was asked for")]
    fn print_json(&self, options: &Options) {
        let report = serde_json::json!({
            "connections": options.connections,
            "in_flight": options.in_flight,
            "size": options.size,
            "kind": if options.kind == Kind::Text { "text" } else { "binary" },
            "extensions": self.extensions,
            "seconds": self.took.as_secs_f64(),
            "messages": self.latencies.len(),
            "messages_per_second": self.rate(),
            "latency_us": {
                "min": self.latencies.min() as f64 / 1000.0,
                "mean": self.latencies.mean() / 1000.0,
                "p50": self.micros(0.5),
                "p90": self.micros(0.9),
                "p99": self.micros(0.99),
                "p99.9": self.micros(0.999),
                "max": self.latencies.max() as f64 / 1000.0,
            },
        });
        println!("{report}");
    }
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn time(micros: f64) -> String {
    match micros {
        0.0..1000.0 => format!("{micros:.1} \u{b5}s"),
        1000.0..1e6 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (micros, text) in [(12.34, "12.3 \u{b5}s"), (1500.0, "1.50 ms"), (2_000_000.0, "2.00 s")] {
            assert_eq!(time(micros), text);
        }
        assert_eq!(message(1000).len(), 1000);
        assert!(message(1000).is_ascii());
    }
}
