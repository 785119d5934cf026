//! What a server leaves behind: no task and no descriptor, whoever came and however they went. Alone in its program,
//! for it counts what the whole program has open.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use hybi_test::frames::{first, masked};
use hybi_tokio::{Accept, Arrival, Clients, Config, Event, Listener, Prepared, Slow, Stream};

const BOUND: Duration = Duration::from_secs(60);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
}

async fn chat(arrival: Arrival<Stream>, clients: Clients) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let Ok(socket) = pending.accept(Accept::new()).await else { return };
    let (mut reader, writer) = socket.into_split();
    let me = clients.join(writer.handle());
    while let Some(event) = reader.recv().await {
        if let Event::Text(text) = event {
            clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Drop).await;
        }
    }
}

fn opened(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(REQUEST).expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).expect("it is answered");
        head.push(octet[0]);
    }
    stream
}

/// Those who come, each in its own way. What is returned stays until it is dropped.
fn visitors(address: SocketAddr) -> Vec<TcpStream> {
    let mut stay = Vec::new();
    for _ in 0..10 {
        stay.push(TcpStream::connect(address).expect("it listens")); // says nothing
        let mut half = TcpStream::connect(address).expect("it listens");
        half.write_all(&REQUEST[..50]).expect("written");
        stay.push(half);
        let mut flood = TcpStream::connect(address).expect("it listens");
        while flood.write_all(&[b'a'; 4096]).is_ok() {} // until it is refused
        let mut wrong = TcpStream::connect(address).expect("it listens");
        wrong.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
        stay.push(wrong);
        drop(TcpStream::connect(address).expect("it listens"));
        drop(opened(address)); // without a word
        let ended = opened(address);
        ended.shutdown(Shutdown::Write).expect("it is open");
        stay.push(ended);
        let mut inside = opened(address);
        inside.write_all(&masked(first::TEXT, &[b'a'; 300])[..100]).expect("written");
        stay.push(inside); // for ever in the middle of a frame
        let mut silent = opened(address);
        silent.write_all(&masked(first::TEXT, b"and no more")).expect("written");
        stay.push(silent);
    }
    stay
}

#[test]
fn nothing_is_left() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let before = descriptors();
    runtime.block_on(async {
        let mut config = Config::default();
        config.timeouts.handshake = Some(Duration::from_millis(100));
        config.timeouts.keepalive = Some(Duration::from_millis(100));
        config.timeouts.pong = Some(Duration::from_millis(100));
        config.timeouts.close = Some(Duration::from_millis(100));
        let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = listener.with_config(config, Default::default());
        let address = listener.local_addr().expect("bound");
        let (clients, stopper) = (listener.clients().clone(), listener.stopper());
        let serving = tokio::spawn(listener.run(chat));
        let stay = tokio::task::spawn_blocking(move || visitors(address)).await.expect("well");
        // Nobody is dropped by the stop: all have gone, or go, by the deadlines of their own.
        let stopped = stopper.stop(BOUND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        serving.await.expect("well");
        assert!(clients.is_empty());
        let metrics = tokio::runtime::Handle::current().metrics();
        let none_is_left = async {
            while metrics.num_alive_tasks() > 0 {
                tokio::task::yield_now().await; // a task that has returned is counted for a moment more
            }
        };
        tokio::time::timeout(BOUND, none_is_left).await.expect("no task is left");
        drop(stay);
    });
    assert_eq!(descriptors(), before);
}
