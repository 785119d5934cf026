//! One message to all, in several ways that take turns.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
use hybi_test::frames::{first, unmasked};
use hybi_tokio::{Accept, Arrival, Clients, Handle, Prepared, Slow, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{Sender, channel};

use crate::{Crowd, listen, processor_time, resident};

const ROUNDS: usize = 7;

pub(crate) async fn measure(many: usize, compressed: bool) {
    let (listener, port) = listen().await;
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let deflate = compressed.then(|| {
        let mut config = DeflateConfig::default();
        config.threshold = 0;
        config
    });
    let (channel, _) = channel::<Arc<str>>(4);
    let (agreed, subscribed) = (deflate, channel.clone());
    let serving = tokio::spawn(
        listener.run(move |arrival, clients| member(arrival, clients, agreed.clone(), subscribed.clone())),
    );
    let mut crowd = Crowd::start(port, many, compressed);
    crowd.tell("open");
    while channel.receiver_count() < many {
        tokio::task::yield_now().await;
    }
    let mut bare = if compressed { None } else { Some(Bare::open(many).await) };
    let (before, mut after) = (resident(), 0);
    let mut rows = Rows::default();
    for round in 0..ROUNDS {
        let mut served = Served { clients: &clients, channel: &channel, crowd: &mut crowd };
        let text = news(round);
        served.broadcast(&text, compressed, &mut rows.broadcast).await;
        if round == 0 {
            after = resident();
        }
        if compressed && many > 1000 {
            continue;
        }
        served.in_two_tasks(&text, compressed, &mut rows.in_two_tasks).await;
        if compressed {
            // A broadcast was compressed elsewhere, so the compressors of the connections start anew once.
            served.in_turn(&text, &mut Times::default()).await;
        }
        served.in_turn(&news(round + 100), &mut rows.in_turn).await;
        served.by_channel(&news(round + 200), &mut rows.by_channel);
        if let Some(bare) = &mut bare {
            bare.write(&text, &mut rows.bare);
        }
    }
    println!("{} octets of text to {many}{}", news(0).len(), if compressed { ", compressed" } else { "" });
    print!("{rows}");
    println!("    {before} KiB before, {after} KiB after the first broadcast, {} KiB after all", resident());
    crowd.end();
    bare.into_iter().for_each(|bare| bare.crowd.end());
    stopper.stop(Duration::from_secs(10)).await;
    serving.await.expect("well");
}

/// The members of a server, and the crowd that they are.
struct Served<'a> {
    clients: &'a Clients,
    channel: &'a Sender<Arc<str>>,
    crowd: &'a mut Crowd,
}

impl Served<'_> {
    async fn broadcast(&mut self, text: &str, compressed: bool, times: &mut Times) {
        let watch = Watch::start(self.crowd);
        let told = self.clients.broadcast(&prepare(text, compressed), Slow::Wait).await;
        watch.note(times, self.crowd);
        assert_eq!(told.sent, self.clients.len());
    }

    async fn in_turn(&mut self, text: &str, times: &mut Times) {
        let handles = self.handles();
        let watch = Watch::start(self.crowd);
        for handle in &handles {
            handle.send(text).await.expect("it is open");
        }
        watch.note(times, self.crowd);
    }

    /// Each of two tasks sends to one half of the members.
    async fn in_two_tasks(&mut self, text: &str, compressed: bool, times: &mut Times) {
        let mut one = self.handles();
        let other = one.split_off(one.len() / 2);
        let watch = Watch::start(self.crowd);
        let prepared = prepare(text, compressed);
        let halves = [one, other].map(|handles| {
            let prepared = prepared.clone();
            tokio::spawn(async move {
                for handle in &handles {
                    handle.send_prepared(&prepared).await.expect("it is open");
                }
            })
        });
        for half in halves {
            half.await.expect("well");
        }
        watch.note(times, self.crowd);
    }

    fn by_channel(&mut self, text: &str, times: &mut Times) {
        let watch = Watch::start(self.crowd);
        self.channel.send(text.into()).expect("they listen");
        watch.note(times, self.crowd);
    }

    fn handles(&self) -> Vec<Handle> {
        let mut handles = Vec::new();
        self.clients.for_each(|_, handle| handles.push(handle.clone()));
        handles
    }
}

fn prepare(text: &str, compressed: bool) -> Prepared {
    let prepared = Prepared::new(text);
    if compressed {
        prepared.with_deflate(&Deflate::new(DeflateConfig::default(), Params::default()))
    } else {
        prepared
    }
}

/// One who hears what is broadcast, and what comes by the channel.
async fn member(
    arrival: Arrival<Stream>,
    clients: Clients,
    deflate: Option<DeflateConfig>,
    channel: Sender<Arc<str>>,
) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let accept = deflate.map_or_else(Accept::new, |deflate| Accept::new().with_deflate(deflate));
    let Ok(socket) = pending.accept(accept).await else { return };
    let (mut reader, mut writer) = socket.into_split();
    let _me = clients.join(writer.handle());
    let mut news = channel.subscribe();
    loop {
        tokio::select! {
            event = reader.recv() => if event.is_none() { return },
            text = news.recv() => {
                let Ok(text) = text else { return };
                if writer.send(&*text).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A kibibyte of text that is somewhat like what is sent, and not the same each time.
fn news(round: usize) -> String {
    let height = |n| (n + round) * 7919 % 600;
    let lines = (0..).map(|n| format!("{{\"harbour\":{n},\"height\":{},\"tide\":\"ebb\"}}\n", height(n)));
    let mut text: String = lines.take(40).collect();
    text.truncate(1024);
    text
}

/// Sockets and their readers, and no library: what the system takes for so many writes.
struct Bare {
    sockets: Vec<TcpStream>,
    crowd: Crowd,
}

impl Bare {
    async fn open(many: usize) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let opened = tokio::task::spawn_blocking(move || {
            let mut crowd = Crowd::start(port, many, false);
            crowd.tell("open");
            crowd
        });
        let mut sockets = Vec::new();
        for _ in 0..many {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            socket.set_nodelay(true).expect("a socket");
            let (mut request, mut octets) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n") {
                let n = socket.read(&mut octets).await.expect("a request");
                request.extend_from_slice(&octets[..n]);
            }
            socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.expect("a socket");
            sockets.push(socket);
        }
        Self { sockets, crowd: opened.await.expect("well") }
    }

    fn write(&mut self, text: &str, times: &mut Times) {
        let watch = Watch::start(&mut self.crowd);
        let frame = unmasked(first::TEXT, text.as_bytes());
        for socket in &self.sockets {
            assert_eq!(socket.try_write(&frame).expect("there is room"), frame.len());
        }
        watch.note(times, &mut self.crowd);
    }
}

#[derive(Default)]
struct Rows {
    broadcast: Times,
    in_two_tasks: Times,
    in_turn: Times,
    by_channel: Times,
    bare: Times,
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("broadcast", &self.broadcast),
            ("in two tasks", &self.in_two_tasks),
            ("one after the other", &self.in_turn),
            ("by a channel to the task of each", &self.by_channel),
            ("bare writes, no library", &self.bare),
        ];
        for (name, times) in rows.into_iter().filter(|(_, times)| times.called.is_some()) {
            writeln!(f, "    {name}: {times}")?;
        }
        Ok(())
    }
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
    /// The crowd reads from now on.
    fn start(crowd: &mut Crowd) -> Self {
        crowd.ask("read");
        Self(Instant::now(), processor_time())
    }

    /// The call has returned.
    fn note(self, times: &mut Times, crowd: &mut Crowd) {
        let least =
            |least: &mut Option<Duration>, time| *least = Some(least.map_or(time, |least| least.min(time)));
        least(&mut times.called, self.0.elapsed());
        crowd.wait();
        least(&mut times.read, self.0.elapsed());
        least(&mut times.processor, processor_time().saturating_sub(self.1));
    }
}
