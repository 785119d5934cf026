//! A whole server: who is admitted, who is told what, and how it stops. Over sockets; and in memory with a clock that
//! jumps when nobody can go on.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod net;

use std::future::Future;
use std::io::{Error as IoError, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hybi_test::frames::{first, masked};
use hybi_tokio::{
    Accept, Answer, Arrival, Broadcast, ClientRequest, Clients, CloseCode, CloseInfo, Config, Connector,
    Event, Handle, Listener, Prepared, Slow, Stopper, Stream, WebSocket, connect,
};
use net::{Caller, Net};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// What nothing takes; but for a test that hangs.
const LONG: Duration = Duration::from_secs(1000);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Over sockets, on two threads.
fn real(test: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(60 * SECOND, test).await.expect("it comes to an end") });
}

/// In memory, with a clock that jumps.
fn paused(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(24 * LONG, test).await.expect("it comes to an end") });
}

/// What is alive beside the test itself.
fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Passes what each says on to the others.
async fn chat<S: Send + 'static, R>(arrival: hybi_futures::Arrival<S, R>, clients: Clients)
where
    R: hybi_futures::Runtime<Timer: Send> + hybi_futures::Io<S>,
{
    let hybi_futures::Arrival::Upgrade(pending) = arrival else { return };
    let Ok(socket) = pending.accept(Accept::new()).await else { return };
    let (mut reader, mut writer) = socket.into_split();
    let me = clients.join(writer.handle());
    if writer.send("welcome").await.is_err() {
        return;
    }
    while let Some(event) = reader.recv().await {
        match event {
            Event::Text(text) if text.as_bytes() == b"panic" => panic!("as it was told"),
            Event::Text(text) => {
                clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Disconnect).await;
            }
            _ => {}
        }
    }
}

struct Running {
    address: SocketAddr,
    clients: Clients,
    stopper: Stopper,
    task: JoinHandle<()>,
}

async fn listener() -> Listener {
    Listener::bind("127.0.0.1:0").await.expect("a free port")
}

fn start<F>(
    listener: Listener,
    handler: impl Fn(Arrival<Stream>, Clients) -> F + Send + Sync + 'static,
) -> Running
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = listener.local_addr().expect("bound");
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    Running { address, clients, stopper, task: tokio::spawn(listener.run(handler)) }
}

impl Running {
    /// A client that is a member.
    async fn join(&self) -> WebSocket<Stream> {
        let (mut client, _) = connect(&format!("ws://{}/", self.address)).await.expect("it listens");
        assert_eq!(client.recv_message().await, Some("welcome".into()));
        client
    }

    /// Stops, and all leave.
    async fn end(self) {
        let stopped = self.stopper.stop(30 * SECOND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        assert!(self.clients.is_empty());
        self.task.await.expect("well");
    }
}

async fn drain<S, R: hybi_futures::Io<S>>(socket: &mut hybi_futures::WebSocket<S, R>) -> CloseInfo {
    while socket.recv().await.is_some() {}
    socket.close_info().expect("it is over").clone()
}

async fn leave<S, R: hybi_futures::Io<S>>(mut client: hybi_futures::WebSocket<S, R>) {
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    assert!(drain(&mut client).await.is_clean());
}

#[test]
fn what_one_says_the_others_get() {
    real(async {
        let server = start(listener().await, chat);
        let mut members = [server.join().await, server.join().await, server.join().await];
        assert_eq!(server.clients.len(), 3);
        members[0].send("ebb").await.expect("sent");
        assert_eq!(members[2].recv_message().await, Some("ebb".into()));
        assert_eq!(members[1].recv_message().await, Some("ebb".into()));

        let told = server.clients.broadcast(&Prepared::new("to all"), Slow::Drop).await;
        assert_eq!((told.sent, told.slow, told.gone), (3, 0, 0));
        for member in &mut members {
            assert_eq!(member.recv_message().await, Some("to all".into()), "and not one's own before");
        }
        let mut ids = Vec::new();
        server.clients.for_each(|id, _| ids.push(id));
        assert!(ids.is_sorted() && ids.len() == 3 && server.clients.get(ids[1]).is_some());
        for member in members {
            leave(member).await;
        }
        let clients = server.clients.clone();
        server.end().await;
        assert!(clients.get(ids[1]).is_none());
    });
}

#[test]
fn a_request_is_led_by_its_path_and_the_address_is_known() {
    real(async {
        let server = start(listener().await, |arrival, _| async move {
            let Arrival::Upgrade(pending) = arrival else { return };
            let address = pending.get_ref().peer_addr().expect("connected").to_string();
            assert!(pending.get_ref().tcp().is_some_and(|tcp| tcp.nodelay().expect("TCP has it")));
            let mut socket = match pending.request().path() {
                "/address" => pending.accept(Accept::new()).await.expect("accepted"),
                _ => return pending.reject(Answer::new(404)).await.expect("rejected"),
            };
            socket.send(&address).await.expect("sent");
            while socket.recv().await.is_some() {}
        });
        let (mut client, _) =
            connect(&format!("ws://{}/address?v=1", server.address)).await.expect("it is there");
        let mine = client.get_ref().tcp().expect("TCP").local_addr().expect("connected").to_string();
        assert_eq!(client.recv_message().await, Some(mine.as_str().into()));
        leave(client).await;
        let error = connect(&format!("ws://{}/", server.address)).await.expect_err("nothing is there");
        assert!(format!("{error:?}").contains("404"), "{error:?}");
        server.end().await;
    });
}

#[test]
fn a_handler_that_panics_has_left() {
    real(async {
        let server = start(listener().await, chat);
        let (mut member, other) = (server.join().await, server.join().await);
        member.send("panic").await.expect("sent");
        assert!(!drain(&mut member).await.is_clean());
        leave(other).await;
        server.end().await;
    });
}

#[test]
fn everybody_is_told_when_it_stops() {
    real(async {
        let server = start(listener().await, chat);
        let mut leaving = Vec::new();
        for _ in 0..5 {
            let mut member = server.join().await;
            leaving.push(tokio::spawn(async move { drain(&mut member).await }));
        }
        let (address, stopper) = (server.address, server.stopper.clone());
        server.end().await;
        for member in leaving {
            let end = member.await.expect("well");
            assert_eq!((end.code(), end.is_clean()), (1001, true));
        }
        let error = tokio::net::TcpStream::connect(address).await.expect_err("nobody listens any more");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let again = stopper.stop(SECOND).await;
        assert_eq!((again.aborted, again.is_empty), (0, true), "it stays stopped");
    });
}

#[test]
fn a_listener_that_is_stopped_before_it_runs() {
    real(async {
        let listener = listener().await;
        assert!(listener.stopper().stop(SECOND).await.is_empty);
        listener.run(chat).await;
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket() {
    real(async {
        let folder = std::env::temp_dir().join(format!("hybi-tokio-server-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of its own");
        let path = folder.join("socket");
        let listener = Listener::bind_unix(&path).expect("nobody else is there");
        assert_eq!(listener.local_addr().expect_err("it has a path").kind(), ErrorKind::Unsupported);
        let stopper = listener.stopper();
        let task = tokio::spawn(listener.run(chat));
        let (mut client, _) = connect(&format!("ws+unix:{}:/", path.display())).await.expect("it listens");
        assert_eq!(client.recv_message().await, Some("welcome".into()));
        leave(client).await;
        assert!(stopper.stop(LONG).await.is_empty);
        task.await.expect("well");
        std::fs::remove_dir_all(&folder).expect("it is there");
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_whole_server_inside_tls() {
    real(async {
        let authority = hybi_test::tls::Authority::new();
        let server = start(listener().await.with_tls(authority.server_config(&["localhost"])), chat);
        let connector = Connector::default().with_tls(authority.client_config());
        let request = ClientRequest::new(&*format!("wss://localhost:{}/", server.address.port()));
        let (mut member, _) = connector.connect(request.expect("an address")).await.expect("it listens");
        assert_eq!(member.recv_message().await, Some("welcome".into()));
        assert!(member.get_ref().tls().is_some_and(|tls| tls.get_ref().1.peer_certificates().is_some()));
        drop(tokio::net::TcpStream::connect(server.address).await.expect("it listens")); // no TLS, and nobody minds
        let mut plain = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
        plain.write_all(REQUEST).await.expect("written");
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP"), "nothing is said in the clear");
        let told = server.clients.broadcast(&Prepared::new("inside"), Slow::Drop).await;
        assert_eq!(told.sent, 1);
        assert_eq!(member.recv_message().await, Some("inside".into()));
        let leaving = tokio::spawn(async move { drain(&mut member).await });
        server.end().await;
        let end = leaving.await.expect("well");
        assert_eq!((end.code(), end.is_clean()), (1001, true));
    });
}

// ---- in memory

struct Quiet {
    caller: Caller,
    clients: Clients,
    stopper: hybi_futures::Stopper<Net>,
    task: JoinHandle<()>,
}

fn quiet(config: Config) -> Quiet {
    quiet_with(config, 64, chat)
}

fn quiet_with<F>(
    config: Config,
    limit: usize,
    handler: impl Fn(hybi_futures::Arrival<DuplexStream, Net>, Clients) -> F + Send + Sync + 'static,
) -> Quiet
where
    F: Future<Output = ()> + Send + 'static,
{
    let (caller, socket) = net::listen();
    let listener = hybi_futures::Listener::<Net>::new(socket)
        .with_config(config, Default::default())
        .with_handshake_limit(limit);
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    Quiet { caller, clients, stopper, task: tokio::spawn(listener.run(handler)) }
}

impl Quiet {
    /// A client that is a member, over a stream that holds so much.
    async fn join(&self, holds: usize) -> WebSocket<DuplexStream> {
        let request = ClientRequest::new("ws://localhost/").expect("an address");
        let stream = self.caller.call(holds);
        let (mut client, _) = Connector::default().handshake(stream, request).await.expect("it is open");
        assert_eq!(client.recv_message().await, Some("welcome".into()));
        client
    }

    fn handle(&self, nth: usize) -> Handle {
        let mut handles = Vec::new();
        self.clients.for_each(|_, handle| handles.push(handle.clone()));
        handles.swap_remove(nth)
    }

    /// All have gone by themselves: nothing is left, and it did not take longer.
    async fn deserted_within(self, limit: Duration) {
        let start = Instant::now();
        let stopped = self.stopper.stop(LONG).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        assert!(start.elapsed() <= limit, "{:?}", start.elapsed());
        self.task.await.expect("well");
        assert_eq!(tasks(), 0, "no task is left");
    }
}

async fn read_to_end(stream: &mut DuplexStream) -> Vec<u8> {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).await.expect("an end");
    octets
}

#[test]
fn who_does_not_go_is_dropped_after_the_deadline() {
    paused(async {
        let server = quiet(Config::default());
        let mut silent = server.caller.call(1024);
        silent.write_all(REQUEST).await.expect("written");
        let reading = tokio::spawn(async move { (read_to_end(&mut silent).await, silent) });
        while server.clients.is_empty() {
            tokio::task::yield_now().await;
        }
        let start = Instant::now();
        let stopped = server.stopper.stop(5 * SECOND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (1, false));
        server.task.await.expect("its handler returns");
        assert_eq!(start.elapsed().as_secs(), 5);
        assert!(reading.await.expect("well").0.ends_with(b"\x88\x02\x03\xe9"));
        assert_eq!(tasks(), 0);
    });
}

#[test]
fn a_handler_that_does_not_return_is_dropped_too() {
    paused(async {
        let server = quiet_with(Config::default(), 64, |arrival, _| async move {
            let _held = arrival;
            std::future::pending::<()>().await;
        });
        let mut client = server.caller.call(1024);
        client.write_all(REQUEST).await.expect("written");
        tokio::time::timeout(SECOND, client.read_u8()).await.expect_err("it was not answered");
        let start = Instant::now();
        let stopped = server.stopper.stop(5 * SECOND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, false));
        server.task.await.expect("well");
        assert_eq!(start.elapsed().as_secs(), 7);
        assert!(read_to_end(&mut client).await.is_empty());
        assert_eq!(tasks(), 0);
    });
}

#[test]
fn a_request_that_comes_late_gets_503() {
    paused(async {
        let server = quiet(Config::default());
        let mut late = server.caller.call(1024);
        late.write_all(&REQUEST[..20]).await.expect("written");
        tokio::time::timeout(SECOND, late.read_u8()).await.expect_err("there is no request yet");
        let stopping = tokio::spawn({
            let stopper = server.stopper.clone();
            async move { stopper.stop(LONG).await }
        });
        server.caller.is_closed().await;
        late.write_all(&REQUEST[20..]).await.expect("written");
        assert!(read_to_end(&mut late).await.starts_with(b"HTTP/1.1 503 "));
        drop(late);
        assert!(stopping.await.expect("well").is_empty);
        server.task.await.expect("well");
    });
}

#[test]
fn a_member_that_joins_late_is_told_to_go() {
    paused(async {
        let (arrived, wait) = oneshot::channel();
        let (go, wait_to_go) = oneshot::channel::<()>();
        let channels = std::sync::Mutex::new(Some((arrived, wait_to_go)));
        let server = quiet_with(Config::default(), 64, move |arrival, clients| {
            let (arrived, wait_to_go) = channels.lock().expect("well").take().expect("one client");
            async move {
                arrived.send(()).expect("somebody waits for it");
                wait_to_go.await.expect("it comes");
                chat(arrival, clients).await;
            }
        });
        let request = ClientRequest::new("ws://localhost/").expect("an address");
        let stream = server.caller.call(1024);
        let client = tokio::spawn(async move {
            let (mut client, _) = Connector::default().handshake(stream, request).await.expect("accepted");
            drain(&mut client).await
        });
        wait.await.expect("a request arrives");
        let stopping = tokio::spawn({
            let stopper = server.stopper.clone();
            async move { stopper.stop(LONG).await }
        });
        server.caller.is_closed().await;
        go.send(()).expect("somebody waits for it");
        assert_eq!(client.await.expect("well").code(), 1001);
        let stopped = stopping.await.expect("well");
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        server.task.await.expect("well");
    });
}

#[test]
fn handshakes_in_progress_are_limited() {
    paused(async {
        let mut config = Config::default();
        config.timeouts.handshake = None;
        let server = quiet_with(config, 1, chat);
        let first = server.caller.call(1024); // says nothing, and takes its time
        let mut second = server.caller.call(1024);
        second.write_all(REQUEST).await.expect("written");
        tokio::time::timeout(LONG, second.read_u8()).await.expect_err("the first comes first");
        drop(first);
        let mut status = [0; 12];
        second.read_exact(&mut status).await.expect("its turn has come");
        assert_eq!(&status, b"HTTP/1.1 101");
        // One that is open is no handshake any more.
        leave(server.join(1024).await).await;
        drop(second);
        server.deserted_within(Duration::ZERO).await;
    });
}

#[test]
fn an_accept_that_fails_does_not_end_it() {
    paused(async {
        let server = quiet(Config::default());
        server.caller.fail(IoError::from(ErrorKind::ConnectionAborted));
        leave(server.join(1024).await).await;
        let start = Instant::now();
        for _ in 0..3 {
            server.caller.fail(IoError::other("no files are left"));
        }
        leave(server.join(1024).await).await;
        assert_eq!(start.elapsed().as_millis() / 100, 3, "it waits a moment after each");
        server.deserted_within(Duration::ZERO).await;
    });
}

#[test]
fn a_request_that_trickles_leaves_no_task() {
    paused(async {
        let server = quiet(Config::default());
        let start = Instant::now();
        let mut slow = server.caller.call(1024);
        let (mut reading, mut writing) = tokio::io::split(&mut slow);
        let trickle = async {
            let mut every_second = tokio::time::interval(SECOND);
            for octet in REQUEST {
                every_second.tick().await;
                if writing.write_u8(*octet).await.is_err() {
                    return;
                }
            }
        };
        let mut answer = Vec::new();
        let (_, read) = tokio::join!(trickle, reading.read_to_end(&mut answer));
        read.expect("an end");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", answer.escape_ascii());
        assert!(start.elapsed() < Duration::from_secs(REQUEST.len() as u64), "it did not wait for the rest");
        leave(server.join(1024).await).await;
        server.deserted_within(Duration::ZERO).await;
    });
}

#[test]
fn silence_and_floods_leave_no_task() {
    paused(async {
        let server = quiet(Config::default());
        let silent: Vec<_> = (0..20).map(|_| server.caller.call(1024)).collect();
        let flooding: Vec<_> = (0..20)
            .map(|_| server.caller.call(1024))
            .map(|mut stream| {
                tokio::spawn(async move {
                    let (mut reading, mut writing) = tokio::io::split(&mut stream);
                    let flood = async {
                        let mut sent = 0;
                        let _ = writing.write_all(b"GET / HTTP/1.1\r\n").await;
                        while sent < (1 << 20) && writing.write_all(b"Tide: high\r\n").await.is_ok() {
                            sent += 12;
                        }
                        sent
                    };
                    let mut answer = Vec::new();
                    let (sent, _) = tokio::join!(flood, reading.read_to_end(&mut answer));
                    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", answer.escape_ascii());
                    assert!(sent < 200_000, "nobody reads {sent} octets of headers");
                })
            })
            .collect();
        for flooding in flooding {
            flooding.await.expect("well");
        }
        // The silent ones are told after ten seconds, and are not waited for any longer than two.
        server.deserted_within(12 * SECOND).await;
        drop(silent);
    });
}

#[test]
fn a_peer_that_has_vanished_leaves_no_task() {
    paused(async {
        let mut config = Config::default();
        config.timeouts.keepalive = Some(30 * SECOND);
        let server = quiet(config);
        let gone = server.join(1024).await; // nobody polls it any more
        let ended = Instant::now();
        while !server.clients.is_empty() {
            tokio::time::advance(SECOND).await;
            assert!(ended.elapsed() < 60 * SECOND, "a pong is waited for 20 seconds");
        }
        server.deserted_within(Duration::ZERO).await;
        drop(gone);
    });
}

// ---- slow members

fn small_water() -> Config {
    let mut config = Config::default();
    (config.water.high, config.water.low) = (4096, 1024);
    config
}

#[test]
fn what_waits_for_a_slow_member_is_bounded() {
    paused(async {
        let server = quiet(small_water());
        let mut slow = server.join(256).await;
        let news = Prepared::new(&[7; 1000]);
        let mut before = 0;
        let told = loop {
            let told = server.clients.broadcast(&news, Slow::Drop).await;
            if told.slow > 0 {
                break told;
            }
            before += 1;
        };
        assert_eq!((told.sent, told.slow, told.gone), (0, 1, 0));
        // 256 octets are on the way; the others wait, and no more than high water and one message.
        assert!((4..=6).contains(&before), "{before}");
        assert_eq!(server.clients.broadcast(&news, Slow::Drop).await, told, "and it stays so");
        // What was sent is there, and nothing of what was not.
        for n in 0..before {
            assert!(slow.recv_message().await.is_some_and(|message| message.as_bytes() == [7; 1000]), "{n}");
        }
        let told = server.clients.broadcast(&Prepared::new("caught up"), Slow::Drop).await;
        assert_eq!((told.sent, told.slow), (1, 0));
        assert!(slow.recv_message().await == Some("caught up".into()));
        leave(slow).await;
        server.deserted_within(Duration::ZERO).await;
    });
}

async fn fill(server: &Quiet, message: &Prepared, slow: Slow) -> Broadcast {
    for _ in 0..100 {
        let told = server.clients.broadcast(message, slow).await;
        if told.slow > 0 {
            return told;
        }
    }
    panic!("nobody reads that much")
}

#[test]
fn one_that_is_slow_keeps_nothing_from_another() {
    paused(async {
        let server = quiet(small_water());
        let mut slow = server.join(256).await;
        let mut quick = server.join(1 << 20).await;
        let told = fill(&server, &Prepared::new(&[7; 1000]), Slow::Disconnect).await;
        assert_eq!((told.sent, told.slow, told.gone), (1, 1, 0));
        assert_eq!(server.clients.broadcast(&Prepared::new("still there?"), Slow::Disconnect).await.sent, 1);
        while quick.recv_message().await.expect("it is open").as_bytes() != b"still there?" {}
        assert!(!drain(&mut slow).await.is_clean());
        leave(quick).await;
        server.deserted_within(Duration::ZERO).await;
    });
}

#[test]
fn whoever_is_told_to_wait_waits_for_a_slow_member() {
    paused(async {
        let server = quiet(small_water());
        let mut slow = server.join(256).await;
        fill(&server, &Prepared::new(&[7; 1000]), Slow::Drop).await;
        let (clients, last) = (server.clients.clone(), Prepared::new("at last"));
        let waiting = tokio::spawn(async move { clients.broadcast(&last, Slow::Wait).await });
        tokio::time::advance(LONG).await;
        assert!(!waiting.is_finished());
        while slow.recv_message().await.expect("it is open").as_bytes() != b"at last" {}
        assert_eq!(waiting.await.expect("well").sent, 1);
        leave(slow).await;
        server.deserted_within(Duration::ZERO).await;
    });
}

/// Polls once and drops.
fn once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

// Dropped while it waits for the second of three: the first has the message, the third has not, and the second has
// it not either, for it waited for its turn.
#[test]
fn a_broadcast_is_dropped_while_it_waits() {
    paused(async {
        let server = quiet(small_water());
        let mut first = server.join(1 << 20).await;
        let mut slow = server.join(256).await;
        let filler = Prepared::new(&[7; 1000]);
        while server.handle(1).try_send_prepared(&filler).is_ok() {}
        let mut third = server.join(1 << 20).await;
        for _ in 0..3 {
            let message = Prepared::new("dropped");
            assert!(once(server.clients.broadcast(&message, Slow::Wait)).is_pending());
        }
        assert!(once(server.clients.broadcast(&Prepared::new("after"), Slow::Drop)).is_ready());
        for _ in 0..3 {
            assert_eq!(first.recv_message().await, Some("dropped".into()));
        }
        assert_eq!(first.recv_message().await, Some("after".into()));
        assert_eq!(third.recv_message().await, Some("after".into()));
        server.clients.broadcast(&Prepared::new("the end"), Slow::Drop).await; // not to the slow one
        let clients = server.clients.clone();
        let last = tokio::spawn(async move { clients.broadcast(&Prepared::new("last"), Slow::Wait).await });
        loop {
            let message = slow.recv_message().await.expect("it is open");
            match message.as_bytes() {
                b"last" => break,
                octets => assert_eq!(octets, [7; 1000], "and nothing that was dropped"),
            }
        }
        assert_eq!(last.await.expect("well").sent, 3);
        for member in [first, slow, third] {
            leave(member).await;
        }
        server.deserted_within(Duration::ZERO).await;
    });
}

#[test]
fn a_stop_that_is_dropped_can_be_made_again() {
    paused(async {
        let server = quiet(Config::default());
        let mut member = server.join(1024).await;
        for _ in 0..3 {
            assert!(once(server.stopper.stop(SECOND)).is_pending());
        }
        server.caller.is_closed().await;
        let ended = tokio::spawn(async move { drain(&mut member).await });
        let stopped = server.stopper.stop(LONG).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        assert_eq!(ended.await.expect("well").code(), 1001, "told once");
        server.task.await.expect("well");
    });
}

#[test]
fn a_listener_whose_future_is_dropped_leaves_its_connections() {
    paused(async {
        let server = quiet(Config::default());
        let mut member = server.join(1024).await;
        server.task.abort();
        server.caller.is_closed().await;
        assert_eq!(server.clients.broadcast(&Prepared::new("still there"), Slow::Drop).await.sent, 1);
        assert_eq!(member.recv_message().await, Some("still there".into()));
        let ended = tokio::spawn(async move { drain(&mut member).await });
        let stopped = server.stopper.stop(LONG).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        assert_eq!(ended.await.expect("well").code(), 1001);
    });
}

// A member whose peer is bare: what a broadcast says, octet by octet, behind what was half transmitted.
#[test]
fn a_broadcast_comes_behind_what_was_half_transmitted() {
    paused(async {
        let server = quiet(Config::default());
        let mut peer = server.caller.call(64);
        peer.write_all(REQUEST).await.expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\x81\x07welcome") {
            head.push(peer.read_u8().await.expect("it is answered"));
        }
        for text in ["one", "two"] {
            let long = [text.as_bytes(), &[b'.'; 97]].concat();
            let long = String::from_utf8(long).expect("it is text");
            assert_eq!(server.clients.broadcast(&Prepared::new(&*long), Slow::Drop).await.sent, 1);
        }
        let mut octets = [0; 204];
        peer.read_exact(&mut octets).await.expect("all of it");
        assert!(octets.starts_with(b"\x81\x64one") && octets[102..].starts_with(b"\x81\x64two"));
        peer.write_all(&masked(first::CLOSE, &[])).await.expect("written");
        assert_eq!(read_to_end(&mut peer).await, b"\x88\x00");
        drop(peer);
        server.deserted_within(Duration::ZERO).await;
    });
}
