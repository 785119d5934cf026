//! What a connection allocates: nothing for a small message; and what it holds while nothing happens: nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::time::Duration;

use hybi::{Agreement, Connection, SystemEntropy};
use hybi_test::alloc::{Counting, Measure};
use hybi_test::frames::{first, masked};
use hybi_tokio::{Clients, Config, Event, Handle, Payload, Prepared, Reader, Slow, WebSocket, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn run(test: impl Future<Output = ()>) {
    // One thread: the allocator counts by threads.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("it comes to an end");
    });
}

fn open(config: &Config) -> (WebSocket<UnixStream>, WebSocket<UnixStream>) {
    let (client, server) = UnixStream::pair().expect("two sockets");
    let client_connection = Connection::client(Agreement::default(), config.clone(), SystemEntropy);
    let server_connection = Connection::server(Agreement::default(), config.clone());
    (WebSocket::new(client, client_connection), WebSocket::new(server, server_connection))
}

/// A server, and the bare socket of its client.
fn served() -> (UnixStream, WebSocket<UnixStream>) {
    let (peer, end) = UnixStream::pair().expect("two sockets");
    (peer, WebSocket::new(end, Connection::server(Agreement::default(), Config::default())))
}

/// One message there and back, in one task: so nobody's memory but ours is counted.
async fn round(client: &mut WebSocket<UnixStream>, server: &mut WebSocket<UnixStream>) {
    client.send("tide: é").await.unwrap();
    match server.recv_with().await {
        Some((Event::Text(text), sender)) => sender.send(&text).unwrap(),
        other => unreachable!("{other:?}"),
    }
    server.flush().await.unwrap();
    match client.recv().await {
        Some(Event::Text(text)) => assert_eq!(text.as_bytes(), "tide: é".as_bytes()),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_small_message_there_and_back_takes_no_memory() {
    for keepalive in [None, Some(Duration::from_secs(5))] {
        let mut config = Config::default();
        config.timeouts.keepalive = keepalive;
        run(async move {
            let (mut client, mut server) = open(&config);
            for _ in 0..10 {
                round(&mut client, &mut server).await;
            }
            let measure = Measure::start();
            for _ in 0..1000 {
                round(&mut client, &mut server).await;
            }
            assert_eq!((measure.allocations(), measure.held()), (0, 0));
        });
    }
}

/// The same where each waits before its peer says something, and hibernates meanwhile.
#[test]
fn neither_does_a_small_message_that_is_waited_for() {
    run(async {
        let (mut client, mut server) = open(&Config::default());
        let mut waits = 0;
        let mut measure = Measure::start();
        for n in 0..1000 {
            if n == 10 {
                measure = Measure::start();
            }
            for socket in [&mut client, &mut server] {
                let waited = std::pin::pin!(socket.recv());
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                waits += usize::from(waited.poll(&mut cx).is_pending());
            }
            round(&mut client, &mut server).await;
        }
        assert_eq!(waits, 2000);
        assert_eq!((measure.allocations(), measure.held()), (0, 0));
    });
}

/// What the answers to a whole read are queued in serves the next one too.
#[test]
fn neither_do_large_messages_that_fill_a_read() {
    run(async {
        let (mut peer, mut server) = served();
        let sent = [16 << 10, 16 << 10, 16 << 10, 16_000].map(|len| masked(first::BINARY, &vec![7; len]));
        let sent = sent.concat();
        let mut answer = vec![0; sent.len() - 4 * 4]; // without keys
        let mut measure = Measure::start();
        for n in 0..20 {
            if n == 5 {
                measure = Measure::start();
            }
            peer.write_all(&sent).await.unwrap();
            for _ in 0..4 {
                match server.recv_with().await {
                    Some((Event::Binary(data), sender)) => sender.send(&data[..]).unwrap(),
                    other => unreachable!("{other:?}"),
                }
            }
            server.flush().await.unwrap();
            peer.read_exact(&mut answer).await.unwrap();
        }
        assert_eq!((measure.allocations(), measure.held()), (0, 0));
    });
}

/// Who can send.
const SENDERS: [&str; 3] = ["the socket", "its writing half", "a handle"];

enum Sending {
    Whole(WebSocket<UnixStream>),
    Half(Reader<UnixStream>, Writer<UnixStream>),
    Handle(Reader<UnixStream>, Handle),
}

impl Sending {
    /// A server, and the bare socket of its client.
    fn served(who: &str) -> (UnixStream, Self) {
        let (peer, server) = served();
        if who == SENDERS[0] {
            return (peer, Self::Whole(server));
        }
        let (reader, writer) = server.into_split();
        let server = if who == SENDERS[1] {
            Self::Half(reader, writer)
        } else {
            Self::Handle(reader, writer.handle())
        };
        (peer, server)
    }

    async fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), hybi_tokio::Error> {
        match self {
            Self::Whole(server) => server.send(payload).await,
            Self::Half(_, writer) => writer.send(payload).await,
            Self::Handle(_, handle) => handle.send(payload).await,
        }
    }

    async fn recv(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Whole(server) => server.recv().await,
            Self::Half(reader, _) | Self::Handle(reader, _) => reader.recv().await,
        }
    }
}

/// The first write to a socket waits for tokio to learn that it takes octets, and what it was to write is queued.
async fn know_to_take(server: &mut Sending, peer: &mut UnixStream) {
    let mut there = [0; 7];
    server.send("first").await.unwrap();
    peer.read_exact(&mut there).await.unwrap();
}

/// It is written from where it lies.
#[test]
fn a_large_message_that_the_transport_takes_at_once_takes_no_memory() {
    for who in SENDERS {
        run(async {
            let (mut peer, mut server) = Sending::served(who);
            let (payload, mut there) = (vec![7; 170_000], vec![0; 170_010]);
            let mut measure = Measure::start();
            for n in 0..3 {
                if n == 1 {
                    measure = Measure::start();
                }
                server.send(&payload).await.unwrap();
                peer.read_exact(&mut there).await.unwrap();
                assert!(there[..10] == *b"\x82\x7F\0\0\0\0\0\x02\x98\x10" && there[10..] == payload);
            }
            assert_eq!((measure.allocations(), measure.held()), (0, 0), "{who}");
        });
    }
}

/// The rest of it goes out as the peer reads.
#[test]
fn a_large_message_that_the_transport_takes_in_parts_arrives_whole() {
    for who in SENDERS {
        run(async {
            let (mut peer, mut server) = Sending::served(who);
            let payload: Vec<u8> = (0..2_000_000).map(|n| n as u8).collect(); // more than a socket takes
            let mut there = vec![0; 10 + payload.len() + 6];
            know_to_take(&mut server, &mut peer).await;
            let sending = async {
                server.send(&payload).await.unwrap();
                server.send("last").await.unwrap();
            };
            let (_, read) = tokio::join!(sending, peer.read_exact(&mut there));
            read.unwrap();
            assert!(there[10..].starts_with(&payload) && there.ends_with(b"\x81\x04last"), "{who}");
        });
    }
}

/// Whoever sent it is told: the peer cannot make anything of half a message.
#[test]
fn a_large_message_for_the_rest_of_which_there_is_no_memory_is_an_error() {
    for who in SENDERS {
        run(async {
            let (_peer, mut server) = Sending::served(who);
            let payload = vec![7; 2_000_000]; // more than a socket takes
            server.send("first").await.unwrap(); // what the thread keeps is there
            let measure = Measure::start();
            measure.fail_at(1);
            let sent = server.send(&payload).await;
            measure.fail_at(0);
            let Err(hybi_tokio::Error::Io(error)) = sent else { unreachable!("{who}: {sent:?}") };
            assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory, "{who}");
            assert!(matches!(server.recv().await, Some(Event::Closed(_))), "{who}");
        });
    }
}

/// And so where the peer is gone.
#[test]
fn a_large_message_to_nobody_is_an_error() {
    for who in SENDERS {
        run(async {
            let (mut peer, mut server) = Sending::served(who);
            know_to_take(&mut server, &mut peer).await;
            drop(peer);
            let sent = server.send(&vec![7; 20_000]).await;
            let Err(hybi_tokio::Error::Io(error)) = sent else { unreachable!("{who}: {sent:?}") };
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{who}");
            assert!(matches!(server.recv().await, Some(Event::Closed(_))), "{who}");
        });
    }
}

#[test]
fn many_small_messages_of_one_read_share_one_answer() {
    run(async {
        let (mut client, mut server) = open(&Config::default());
        for warm in [true, false] {
            let measure = Measure::start();
            for _ in 0..100 {
                client.feed("tide").await.unwrap();
            }
            client.flush().await.unwrap();
            let sent = measure.allocations();
            for _ in 0..100 {
                let (event, sender) = server.recv_with().await.unwrap();
                let Event::Text(text) = event else { unreachable!("{event:?}") };
                sender.send(&text).unwrap();
            }
            server.flush().await.unwrap();
            if !warm {
                assert!(
                    measure.allocations() - sent <= 3,
                    "{} for 100 answers",
                    measure.allocations() - sent
                );
            }
            for _ in 0..100 {
                assert!(matches!(client.recv().await, Some(Event::Text(_))));
            }
        }
    });
}

#[test]
fn while_nothing_happens_nothing_is_held() {
    run(async {
        let mut waiting: Vec<_> = Vec::with_capacity(110);
        let mut measure = Measure::start();
        for n in 0..110 {
            if n == 10 {
                measure = Measure::start(); // what the thread keeps is there
            }
            let (mut client, mut server) = open(&Config::default());
            round(&mut client, &mut server).await;
            // Pending, as between two messages.
            assert!(tokio::time::timeout(Duration::ZERO, client.recv()).await.is_err());
            assert!(tokio::time::timeout(Duration::ZERO, server.recv()).await.is_err());
            waiting.push((client, server));
        }
        // A third of that is what tokio holds for a socket, and a quarter the configuration, which each has for itself.
        let each = measure.held() / 200;
        assert!(each < 800, "{each} octets each");
    });
}

#[test]
fn after_a_large_message_nothing_is_held() {
    run(async {
        let (mut client, mut server) = open(&Config::default());
        round(&mut client, &mut server).await;
        let measure = Measure::start();
        let sending = async {
            client.send(&vec![7; 1 << 20]).await.unwrap();
        };
        let receiving = async {
            // In its final place: what is handed over is what was read to.
            assert_eq!(server.recv_message().await.unwrap().as_bytes().len(), 1 << 20);
        };
        tokio::join!(sending, receiving);
        assert!(measure.held() < 4096, "{} octets", measure.held());
        assert!(measure.peak() < 5 << 20, "{}", measure.peak());
    });
}

// Framed once, and said to a hundred from one buffer of the thread: a member costs nothing.
#[test]
fn one_message_to_many_takes_no_memory_for_each() {
    run(async {
        let clients = Clients::default();
        let (mut peers, mut members) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let (mut client, mut server) = open(&Config::default());
            round(&mut client, &mut server).await; // the buffers of the thread; and the socket is known to take octets
            let (reader, writer) = server.into_split();
            members.push((clients.join(writer.handle()), reader));
            peers.push(client);
        }
        let text = "tide".repeat(256);
        let measure = Measure::start();
        let news = Prepared::new(&*text);
        let framed = measure.allocations();
        assert_eq!(clients.broadcast(&news, Slow::Drop).await.sent, 100);
        assert_eq!((framed, measure.allocations() - framed), (1, 0), "the octets, and nothing for a member");
        for peer in &mut peers {
            assert!(peer.recv_message().await.is_some_and(|message| message.as_bytes() == text.as_bytes()));
        }
    });
}

// Five hundred, of whom a third never read. The others get every message, whoever sends never waits, and each of the
// third costs what waits for it: high water and one message, in memory that has doubled as it grew. Or nothing, where
// they are dropped.
#[test]
fn who_never_reads_costs_a_bound_and_delays_nobody() {
    const MEMBERS: usize = 500;
    const ROUNDS: usize = 100;
    let mut config = Config::default();
    (config.water.high, config.water.low) = (16 * 1024, 4 * 1024);
    for slow in [Slow::Drop, Slow::Disconnect] {
        let config = config.clone();
        run(async move {
            let clients = Clients::default();
            let (mut quick, mut silent, mut members) = (Vec::new(), Vec::new(), Vec::new());
            for n in 0..MEMBERS {
                let (mut client, mut server) = open(&config);
                round(&mut client, &mut server).await;
                let (reader, writer) = server.into_split();
                members.push((clients.join(writer.handle()), reader));
                if n % 3 == 0 { silent.push(client) } else { quick.push(client) }
            }
            let news = Prepared::new(&*"tide".repeat(768)); // too short to be queued by reference
            let (measure, mut slowest) = (Measure::start(), 0);
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await; // no reader runs here that would transmit what this task must not
                // It gives way now and then, and waits for nobody.
                let (mut sending, mut polls) = (std::pin::pin!(clients.broadcast(&news, slow)), 0);
                let told = std::future::poll_fn(|cx| {
                    polls += 1;
                    sending.as_mut().poll(cx)
                })
                .await;
                assert!(polls <= MEMBERS / 64 + 1, "{polls}");
                assert_eq!(told.sent + told.slow + told.gone, MEMBERS);
                assert!(told.sent >= quick.len());
                slowest = slowest.max(told.slow);
                for peer in &mut quick {
                    assert!(
                        peer.recv_message()
                            .await
                            .is_some_and(|message| message.as_bytes() == news.as_bytes())
                    );
                }
            }
            assert_eq!(slowest, silent.len(), "what the sockets hold is full at some time");
            let most = match slow {
                Slow::Drop => silent.len() * 2 * (config.water.high + 2 * 3072),
                _ => 64 * 1024,
            };
            assert!(measure.held() <= most as isize, "{slow:?}: {} octets, {most} at most", measure.held());
        });
    }
}
