//! Halves on different threads, over TCP, on both kinds of runtime; and what TCP alone can do.
#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

use hybi::{Agreement, Connection, SystemEntropy};
use hybi_test::frames::{first, masked};
use hybi_tokio::{CloseCause, CloseCode, CloseInfo, Config, Error, Event, Reader, WebSocket, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Messages in each direction; a million of them in `--release -- --ignored`.
const MANY: u32 = 20_000;
const MILLION: u32 = 1_000_000;
/// A ping comes after so many messages.
const PING_EVERY: u32 = 1_000;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
    let (server, _) = listener.accept().await.expect("it connected");
    client.set_nodelay(true).expect("TCP has it");
    server.set_nodelay(true).expect("TCP has it");
    (client, server)
}

async fn open() -> (WebSocket<TcpStream>, WebSocket<TcpStream>) {
    let (client, server) = pair().await;
    let client_connection = Connection::client(Agreement::default(), Config::default(), SystemEntropy);
    let server_connection = Connection::server(Agreement::default(), Config::default());
    (WebSocket::new(client, client_connection), WebSocket::new(server, server_connection))
}

fn bounded(runtime: &Runtime, test: impl Future<Output = ()>) {
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(300), test).await.expect("it comes to an end");
    });
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

async fn send_many(mut writer: Writer<TcpStream>, many: u32) -> Writer<TcpStream> {
    for n in 0..many {
        writer.send(&n.to_be_bytes()).await.expect("sent");
        if n % PING_EVERY == 0 {
            writer.ping(&n.to_be_bytes()).await.expect("sent");
        }
    }
    writer
}

async fn receive_many(
    mut reader: Reader<TcpStream>,
    many: u32,
    all_there: oneshot::Sender<()>,
) -> (CloseInfo, u32) {
    let (mut messages, mut pongs, mut all_there) = (0_u32, 0, Some(all_there));
    loop {
        match reader.recv().await.expect("the end comes before") {
            Event::Binary(data) => {
                assert_eq!(&*data, messages.to_be_bytes());
                messages += 1;
                if messages == many {
                    all_there.take().expect("once").send(()).expect("somebody waits");
                }
            }
            Event::Pong(_) => pongs += 1,
            Event::Closed(info) => {
                assert_eq!(messages, many);
                return (info, pongs);
            }
            _ => {}
        }
    }
}

/// Four tasks. No stall, nothing lost, and pings are answered among all that.
async fn both_ways(many: u32) {
    let (client, server) = open().await;
    let (client_reader, client_writer) = client.into_split();
    let (server_reader, server_writer) = server.into_split();
    let ((client_has_all, client_waits), (server_has_all, server_waits)) =
        (oneshot::channel(), oneshot::channel());
    let readers = [
        tokio::spawn(receive_many(client_reader, many, client_has_all)),
        tokio::spawn(receive_many(server_reader, many, server_has_all)),
    ];
    let writers = [client_writer, server_writer].map(|writer| tokio::spawn(send_many(writer, many)));
    client_waits.await.expect("the client gets all");
    server_waits.await.expect("the server gets all");
    let [client, server] = writers;
    let (mut client, _server) = (client.await.expect("well"), server.await.expect("well"));
    client.close(CloseCode::NORMAL, "all there").await.expect("it is open");
    for reader in readers {
        let (end, pongs) = reader.await.expect("well");
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "all there", true));
        assert!((1..=many / PING_EVERY).contains(&pongs), "{pongs}"); // RFC 6455 §5.5.3: some may be left out
    }
}

#[test]
fn many_messages_both_ways_on_one_thread() {
    bounded(&one_thread(), both_ways(MANY));
}

#[test]
fn many_messages_both_ways_on_several_threads() {
    bounded(&threads(), both_ways(MANY));
}

#[test]
#[ignore = "seconds in a release build, minutes without: `cargo test -p hybi-tokio --release --test threads -- --ignored`"]
fn a_million_messages_both_ways_on_one_thread() {
    bounded(&one_thread(), both_ways(MILLION));
}

#[test]
#[ignore = "seconds in a release build, minutes without: `cargo test -p hybi-tokio --release --test threads -- --ignored`"]
fn a_million_messages_both_ways_on_several_threads() {
    bounded(&threads(), both_ways(MILLION));
}

#[test]
fn handles_on_every_thread() {
    bounded(&threads(), async {
        let (client, mut server) = open().await;
        let (mut reader, writer) = client.into_split();
        let reading = tokio::spawn(async move { while reader.recv().await.is_some() {} });
        let sending: Vec<_> = (0..16_u8)
            .map(|number| {
                let handle = writer.handle();
                tokio::spawn(async move {
                    for n in 0..500_u16 {
                        let [high, low] = n.to_be_bytes();
                        handle.send(&[number, high, low]).await.expect("sent");
                    }
                })
            })
            .collect();
        let mut next = [0_u16; 16];
        for _ in 0..16 * 500 {
            let message = server.recv_message().await.expect("all of them come");
            let &[number, high, low] = message.as_bytes() else { unreachable!("{message:?}") };
            assert_eq!(u16::from_be_bytes([high, low]), next[usize::from(number)], "each in order");
            next[usize::from(number)] += 1;
        }
        for sending in sending {
            sending.await.expect("well");
        }
        server.close(CloseCode::NORMAL, "").await.expect("it is open");
        while server.recv().await.is_some() {}
        reading.await.expect("well");
    });
}

/// A peer that resets the connection, inside a frame.
#[test]
fn a_reset_inside_a_frame() {
    bounded(&one_thread(), async {
        let (mut peer, server) = pair().await;
        let mut server = WebSocket::new(server, Connection::server(Agreement::default(), Config::default()));
        peer.write_all(&masked(first::TEXT, b"whole")).await.expect("written");
        assert_eq!(server.recv_message().await, Some("whole".into()));
        peer.write_all(&masked(first::BINARY, &[7; 300])[..100]).await.expect("written");
        server.send("to be left unread").await.expect("sent");
        peer.readable().await.expect("it came"); // what is unread when a socket is closed makes a reset
        drop(peer);
        let mut ends = Vec::new();
        while let Some(event) = server.recv().await {
            let Event::Closed(info) = event else { unreachable!("{event:?}") };
            ends.push(info);
        }
        assert_eq!(ends.len(), 1);
        assert_eq!((ends[0].code(), ends[0].cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(server.io_error().map(std::io::Error::kind), Some(ErrorKind::ConnectionReset));
        assert!(matches!(server.send("late").await, Err(Error::Usage(_))));
    });
}

/// tokio's own copy, in two directions at once, over the octets of two connections.
#[test]
fn octets_are_copied_in_two_directions() {
    bounded(&threads(), async {
        let (client, server) = open().await;
        let mut served = server.into_byte_stream(hybi_tokio::Kind::Binary);
        let mut stream = client.into_byte_stream(hybi_tokio::Kind::Binary);
        let echoing = tokio::spawn(async move {
            let (mut reading, mut writing) = tokio::io::split(&mut served);
            tokio::io::copy(&mut reading, &mut writing).await.expect("an end in order")
        });
        let (near, mut far) = tokio::io::duplex(10_000);
        let relaying =
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut far).await });
        let octets: Vec<u8> =
            (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (sent, mut received) = (octets.clone(), vec![0; octets.len()]);
        let (mut reading, mut writing) = tokio::io::split(near);
        let (written, read) = tokio::join!(writing.write_all(&sent), reading.read_exact(&mut received));
        written.expect("written");
        read.expect("read");
        assert!(received == octets);
        writing.shutdown().await.expect("an end");
        assert_eq!(echoing.await.expect("well"), 1_000_000);
        let copied = relaying.await.expect("well").expect("an end in order");
        assert_eq!(copied, (1_000_000, 1_000_000));
    });
}
