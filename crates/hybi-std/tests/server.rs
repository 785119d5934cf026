//! A whole server: who is admitted, who is told what, and how it stops.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::*;
use hybi_std::{
    Accept, Arrival, Broadcast, Clients, CloseCode, Config, Event, Handle, Listener, Prepared, Slow, Stopper,
    Stream, WebSocket, connect,
};

const SHORT: Duration = Duration::from_millis(50);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A server that passes what each says on to the others.
fn chat(arrival: Arrival<Stream>, clients: &Clients) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let Ok(socket) = pending.accept(Accept::new()) else { return };
    let (mut reader, writer) = socket.into_split().expect("sockets can be cloned");
    let me = clients.join(writer.handle());
    writer.handle().send("welcome").expect("it is open");
    while let Some(event) = reader.recv() {
        match event {
            Event::Text(text) if text.as_bytes() == b"panic" => panic!("as it was told"),
            Event::Text(text) => {
                clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Disconnect);
            }
            _ => {}
        }
    }
}

struct Running {
    address: SocketAddr,
    clients: Clients,
    stopper: Stopper,
    thread: JoinHandle<()>,
}

fn start(listener: Listener, handler: impl Fn(Arrival<Stream>, &Clients) + Send + Sync + 'static) -> Running {
    let address = listener.local_addr().expect("bound");
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let thread = thread::spawn(move || listener.run(handler).expect("threads can be had"));
    Running { address, clients, stopper, thread }
}

fn listener() -> Listener {
    Listener::bind("127.0.0.1:0").expect("a free port")
}

impl Running {
    /// A client that is a member.
    fn join(&self) -> WebSocket<Stream> {
        let (mut client, _) = connect(&format!("ws://{}/", self.address)).expect("it listens");
        assert_eq!(client.recv_message(), Some("welcome".into()));
        client
    }
}

fn leave(mut client: WebSocket<Stream>) {
    client.close(CloseCode::NORMAL, "").expect("it is open");
    assert!(drain(&mut client).1.is_clean());
}

#[test]
fn what_one_says_the_others_get() {
    bounded(|| {
        let server = start(listener(), chat);
        let mut members = [server.join(), server.join(), server.join()];
        assert_eq!(server.clients.len(), 3);
        members[0].send("ebb").expect("sent");
        members[1].send("flood").expect("sent");
        assert_eq!(members[2].recv_message().zip(members[2].recv_message()).map(|(a, b)| a != b), Some(true));
        assert_eq!(members[1].recv_message(), Some("ebb".into()));
        assert_eq!(members[0].recv_message(), Some("flood".into()), "and not one's own");

        let all = Prepared::new("to all");
        let told = server.clients.broadcast(&all, Slow::Drop);
        assert_eq!((told.sent, told.slow, told.gone), (3, 0, 0));
        for member in &mut members {
            assert_eq!(member.recv_message(), Some("to all".into()));
        }
        let mut ids = Vec::new();
        server.clients.for_each(|id, _| ids.push(id));
        assert!(ids.is_sorted() && ids.len() == 3 && server.clients.get(ids[1]).is_some());

        members.into_iter().for_each(leave);
        let stopped = server.stopper.stop(BOUND);
        assert!((stopped.is_empty, stopped.aborted) == (true, 0) && server.clients.is_empty());
        assert!(server.clients.get(ids[1]).is_none());
        server.thread.join().expect("well");
    });
}

#[test]
fn a_handler_that_panics_has_left() {
    bounded(|| {
        let server = start(listener(), chat);
        let (mut member, other) = (server.join(), server.join());
        member.send("panic").expect("sent");
        assert!(!drain(&mut member).1.is_clean());
        leave(other);
        assert!(server.stopper.stop(BOUND).is_empty);
        assert!(server.clients.is_empty());
        server.thread.join().expect("well");
    });
}

#[test]
fn everybody_is_told_when_it_stops() {
    bounded(|| {
        let server = start(listener(), chat);
        let members: Vec<_> = (0..5).map(|_| server.join()).collect();
        let leaving: Vec<_> =
            members.into_iter().map(|mut member| thread::spawn(move || drain(&mut member).1)).collect();
        let stopped = server.stopper.stop(BOUND);
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        for member in leaving {
            let end = member.join().expect("well");
            assert_eq!((end.code(), end.is_clean()), (1001, true));
        }
        server.thread.join().expect("well");
        let error = TcpStream::connect(server.address).expect_err("nobody listens any more");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let again = server.stopper.stop(BOUND);
        assert_eq!((again.aborted, again.is_empty), (0, true), "it stays stopped");
    });
}

#[test]
fn who_does_not_go_is_dropped_after_the_deadline() {
    bounded(|| {
        let server = start(listener(), chat);
        let mut silent = TcpStream::connect(server.address).expect("it listens");
        silent.write_all(REQUEST).expect("written");
        while server.clients.is_empty() {
            thread::yield_now();
        }
        let stopped = server.stopper.stop(SHORT);
        assert_eq!((stopped.aborted, stopped.is_empty), (1, false));
        server.thread.join().expect("its handler returns");
        assert!(read_to_end(&mut silent).ends_with(b"\x88\x02\x03\xe9"));
    });
}

// A thread waits for a peer that does not read: that keeps nobody from ending it.
#[test]
fn who_does_not_read_is_dropped_after_the_deadline() {
    bounded(|| {
        let (tell, told) = mpsc::channel();
        let server = start(listener(), move |arrival, clients| {
            let Arrival::Upgrade(pending) = arrival else { return };
            let socket = pending.accept(Accept::new()).expect("accepted");
            let (mut reader, mut writer) = socket.into_split().expect("sockets can be cloned");
            let _me = clients.join(writer.handle());
            let tell = tell.clone();
            let writing = thread::spawn(move || {
                tell.send(()).expect("somebody waits for it");
                assert!(writer.send(&vec![0; 64 << 20]).is_err(), "nobody reads that");
            });
            while reader.recv().is_some() {}
            writing.join().expect("well");
        });
        let mut silent = TcpStream::connect(server.address).expect("it listens");
        silent.write_all(REQUEST).expect("written");
        told.recv().expect("it is accepted");
        assert_eq!(server.stopper.stop(SHORT).aborted, 1);
        server.thread.join().expect("its handler returns");
    });
}

#[test]
fn a_member_that_joins_late_is_told_to_go() {
    bounded(|| {
        let (arrived, wait) = mpsc::channel();
        let (go, wait_to_go) = mpsc::channel::<()>();
        let wait_to_go = std::sync::Mutex::new(wait_to_go);
        let server = start(listener(), move |arrival, clients| {
            let Arrival::Upgrade(pending) = arrival else { return };
            arrived.send(()).expect("somebody waits for it");
            let _ = wait_to_go.lock().expect("one at a time").recv();
            let socket = pending.accept(Accept::new()).expect("accepted");
            let (mut reader, writer) = socket.into_split().expect("sockets can be cloned");
            let _me = clients.join(writer.handle());
            while reader.recv().is_some() {}
        });
        let url = format!("ws://{}/", server.address);
        let client = thread::spawn(move || drain(&mut connect(&url).expect("it is accepted").0).1);
        wait.recv().expect("a request arrives");
        let (stopper, listens) = (server.stopper.clone(), server.address);
        let stopping = thread::spawn(move || stopper.stop(BOUND));
        while TcpStream::connect(listens).is_ok() {
            thread::yield_now();
        }
        go.send(()).expect("somebody waits for it");
        let stopped = stopping.join().expect("well");
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        assert_eq!(client.join().expect("well").code(), 1001);
        server.thread.join().expect("well");
    });
}

#[test]
fn handshakes_in_progress_are_limited() {
    bounded(|| {
        let mut config = Config::default();
        config.timeouts.handshake = None;
        let server = start(listener().with_config(config, Default::default()).with_handshake_limit(1), chat);
        let first = TcpStream::connect(server.address).expect("it listens"); // says nothing, and takes its time
        let mut second = TcpStream::connect(server.address).expect("the operating system lets it wait");
        second.write_all(REQUEST).expect("written");
        second.set_read_timeout(Some(4 * SHORT)).expect("it has one");
        let error = second.read(&mut [0]).expect_err("the first comes first");
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error:?}");
        drop(first);
        second.set_read_timeout(None).expect("it has one");
        let mut status = [0; 12];
        second.read_exact(&mut status).expect("its turn has come");
        assert_eq!(&status, b"HTTP/1.1 101");
        // One that is open is no handshake any more.
        leave(server.join());
        drop(second);
        assert!(server.stopper.stop(BOUND).is_empty);
        server.thread.join().expect("well");
    });
}

#[test]
fn a_handshake_that_fails_ends_nothing_else() {
    bounded(|| {
        let mut config = Config::default();
        config.timeouts.handshake = Some(SHORT);
        let server = start(listener().with_config(config, Default::default()), chat);
        let mut silent = TcpStream::connect(server.address).expect("it listens");
        assert!(read_to_end(&mut silent).starts_with(b"HTTP/1.1 408 "));
        let mut other = TcpStream::connect(server.address).expect("it listens");
        other.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
        assert!(read_to_end(&mut other).starts_with(b"HTTP/1.1 4"));
        drop(TcpStream::connect(server.address).expect("it listens"));
        leave(server.join());
        assert!(server.stopper.stop(BOUND).is_empty);
        server.thread.join().expect("well");
    });
}

/// Sends to a member that does not read until it is slow, and returns what became of the message before and that one.
fn until_slow(clients: &Clients, message: &Prepared, slow: Slow) -> (u32, Broadcast) {
    for n in 0..10_000 {
        let told = clients.broadcast(message, slow);
        if told.slow > 0 {
            return (n, told);
        }
    }
    panic!("nobody reads that much")
}

#[test]
fn a_slow_member_misses_messages_or_is_dropped() {
    bounded(|| {
        let server = start(listener(), chat);
        let mut slow = server.join();
        let news = Prepared::new(&some_octets(100_000));
        let (before, told) = until_slow(&server.clients, &news, Slow::Drop);
        assert_eq!((told.sent, told.slow, told.gone), (0, 1, 0));
        // What was sent is there, and nothing of what was not.
        for n in 0..before {
            assert!(slow.recv_message().is_some_and(|message| message.as_bytes() == news.as_bytes()), "{n}");
        }
        assert_eq!(server.clients.broadcast(&Prepared::new("caught up"), Slow::Wait).sent, 1);
        assert!(slow.recv_message() == Some("caught up".into()));

        // One that is slow keeps nothing from another.
        let (_, told) = until_slow(&server.clients, &news, Slow::Disconnect);
        assert_eq!((told.sent, told.slow, told.gone), (0, 1, 0));
        let mut quick = server.join();
        assert!(server.clients.broadcast(&Prepared::new("still there?"), Slow::Disconnect).sent >= 1);
        assert!(quick.recv_message() == Some("still there?".into()));
        assert!(!drain(&mut slow).1.is_clean());
        leave(quick);
        assert!(server.stopper.stop(BOUND).is_empty);
        server.thread.join().expect("well");
    });
}

// Whoever waits for a slow member comes behind what was left for it before.
#[test]
fn waiting_for_a_slow_member_keeps_the_order() {
    bounded(|| {
        let server = start(listener(), chat);
        let mut slow = server.join();
        let mut handle: Option<Handle> = None;
        server.clients.for_each(|_, member| handle = Some(member.clone()));
        let handle = Arc::new(handle.expect("one is there"));
        let blocking = {
            let handle = handle.clone();
            thread::spawn(move || handle.send(&vec![0; 16 << 20]).expect("sent"))
        };
        let mut n = 0_u32;
        while handle.try_send_prepared(&Prepared::new(&[&n.to_be_bytes()[..], &[0; 10_000]].concat())).is_ok()
        {
            n += 1;
        }
        let waiting = {
            let handle = handle.clone();
            thread::spawn(move || handle.send("at last").expect("sent"))
        };
        let (mut next, mut is_last, mut is_large) = (0, false, false);
        while !(is_last && is_large) {
            let message = slow.recv_message().expect("there is more");
            match message.as_bytes() {
                b"at last" => {
                    assert_eq!(next, n, "nothing that was left comes behind it");
                    is_last = true;
                }
                [number @ .., _] if message.as_bytes().len() == 10_004 => {
                    assert_eq!(number[..4], u32::to_be_bytes(next));
                    next += 1;
                }
                other => {
                    assert_eq!(other.len(), 16 << 20);
                    is_large = true; // on a busy machine its thread may have begun late
                }
            }
        }
        blocking.join().expect("well");
        waiting.join().expect("well");
        leave(slow);
        assert!(server.stopper.stop(BOUND).is_empty);
        server.thread.join().expect("well");
    });
}

#[test]
fn a_listener_that_is_stopped_before_it_runs() {
    bounded(|| {
        let listener = Listener::bind("0.0.0.0:0").expect("a free port");
        assert!(listener.stopper().stop(SHORT).is_empty);
        listener.run(chat).expect("it returns");

        let server = start(Listener::bind("0.0.0.0:0").expect("a free port"), chat);
        assert!(server.stopper.stop(BOUND).is_empty, "it is woken wherever it listens");
        server.thread.join().expect("well");
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_whole_server_inside_tls() {
    bounded(|| {
        let authority = hybi_test::tls::Authority::new();
        let server = start(listener().with_tls(authority.server_config(&["localhost"])), chat);
        let connector = hybi_std::Connector::default().with_tls(authority.client_config());
        let request = hybi_std::ClientRequest::new(&*format!("wss://localhost:{}/", server.address.port()));
        let (mut member, _) = connector.connect(request.expect("an address")).expect("it listens");
        assert_eq!(member.recv_message(), Some("welcome".into()));
        drop(TcpStream::connect(server.address).expect("it listens")); // no TLS, and nobody minds
        let told = server.clients.broadcast(&Prepared::new("inside"), Slow::Drop);
        assert_eq!(told.sent, 1);
        assert_eq!(member.recv_message(), Some("inside".into()));
        let leaving = thread::spawn(move || (drain(&mut member).1, member.io_error().is_none()));
        let stopped = server.stopper.stop(BOUND);
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        let (end, is_well) = leaving.join().expect("well");
        assert_eq!((end.code(), end.is_clean(), is_well), (1001, true, true));
        server.thread.join().expect("well");
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket() {
    bounded(|| {
        let folder = std::env::temp_dir().join(format!("hybi-std-server-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of its own");
        let path = folder.join("socket");
        let listener = Listener::bind_unix(&path).expect("nobody else is there");
        assert_eq!(listener.local_addr().expect_err("it has a path").kind(), ErrorKind::Unsupported);
        let stopper = listener.stopper();
        let serving = thread::spawn(move || listener.run(chat));
        let url = format!("ws+unix:{}:/", path.display());
        let mut members = [(); 2].map(|()| connect(&url).expect("it listens").0);
        for member in &mut members {
            assert_eq!(member.recv_message(), Some("welcome".into()));
        }
        members[0].send("ebb").expect("it is open");
        assert_eq!(members[1].recv_message(), Some("ebb".into()));
        for member in members {
            leave(member);
        }
        let stopped = stopper.stop(Duration::from_secs(20));
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        serving.join().expect("well").expect("threads can be had");
        connect(&url).expect_err("nobody listens any more");
        std::fs::remove_dir_all(&folder).expect("it is there");
    });
}
