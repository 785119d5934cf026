//! The same code on the runtimes that have these streams, with what each brings of its own.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use common::{BOUND, echo, request, talk};
use hybi_async_std::{
    Accept, Acceptor, Arrival, CloseCode, CloseInfo, Config, ConnectGate, Connector, ServerSettings,
    WithShutdown, accept, connect,
};

/// A client of ours that dials by itself.
async fn dial(address: SocketAddr) {
    let (client, response) = connect(&format!("ws://{address}/")).await.expect("it is open");
    assert_eq!(response.status(), 101);
    talk(client).await;
}

/// Server and client in one task.
async fn both(server: impl Future<Output = CloseInfo>, client: impl Future<Output = ()>) {
    let (mut server, mut client) = (pin!(server), pin!(client));
    let (mut ended, mut talked) = (None, false);
    poll_fn(|cx| {
        if ended.is_none()
            && let Poll::Ready(info) = server.as_mut().poll(cx)
        {
            ended = Some(info);
        }
        talked = talked || client.as_mut().poll(cx).is_ready();
        if talked && ended.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    assert!(ended.expect("the server is done").is_clean());
}

#[test]
fn async_std_serves_and_dials() {
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        both(async { echo(listener.accept().await.expect("one").0).await }, dial(address)).await;
    });
}

#[test]
fn async_std_brings_its_own_stream() {
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let client = async {
            let stream = async_std::net::TcpStream::connect(address).await.expect("it listens");
            let opened = Connector::default().handshake(stream, request("ws://localhost/")).await;
            talk(opened.expect("it is open").0).await;
        };
        both(async { echo(listener.accept().await.expect("one").0).await }, client).await;
    });
}

#[test]
fn smol_serves_and_dials() {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        both(async { echo(listener.accept().await.expect("one").0).await }, dial(address)).await;
    });
}

#[cfg(unix)]
#[test]
fn smol_over_a_unix_socket() {
    smol::block_on(async {
        let (client, server) = smol::net::unix::UnixStream::pair().expect("two sockets");
        let client = async {
            let opened = Connector::default().handshake(client, request("ws://localhost/")).await;
            talk(opened.expect("it is open").0).await;
        };
        both(echo(server), client).await;
    });
}

#[test]
fn a_request_is_looked_at_before_the_answer() {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = async {
            let stream = listener.accept().await.expect("one").0;
            let Ok(Arrival::Upgrade(pending)) = Acceptor::default().read(stream).await else {
                panic!("a good request")
            };
            assert_eq!(pending.request().target(), "/tide?at=four");
            let mut socket = pending.accept(Accept::new()).await.expect("nothing is wrong");
            while socket.recv().await.is_some() {}
            socket.close_info().expect("it is over").clone()
        };
        let client = async {
            let (mut client, _) = connect(&format!("ws://{address}/tide?at=four")).await.expect("it is open");
            client.close(CloseCode::NORMAL, "").await.expect("the first close");
            while client.recv().await.is_some() {}
        };
        both(server, client).await;
    });
}

/// A peer that breaks a rule is told so, and then reads the end of the stream at once: the server ends it (RFC 6455
/// §7.1.1), and async-std's streams need to be told how.
#[test]
fn a_peer_that_was_failed_reads_the_end() {
    use async_std::io::{ReadExt, WriteExt};
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = async {
            let (stream, _) = listener.accept().await.expect("one");
            let end = |stream: &async_std::net::TcpStream| stream.shutdown(std::net::Shutdown::Write);
            let mut config = Config::default();
            config.timeouts.close = None; // or that would end it after all
            let acceptor = Acceptor::new(config, ServerSettings::default());
            let mut socket = acceptor.accept(WithShutdown::new(stream, end)).await.expect("a good request");
            assert_eq!(socket.get_ref().get_ref().local_addr().expect("bound"), address);
            while socket.recv().await.is_some() {}
            socket.close_info().expect("it is over").clone()
        };
        let client = async {
            let mut stream = async_std::net::TcpStream::connect(address).await.expect("it listens");
            let head = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
            stream.write_all(head.as_bytes()).await.expect("it is taken");
            stream.write_all(b"\x83\x80\0\0\0\0").await.expect("it is taken"); // a reserved opcode
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("to the end, while this side is open");
            assert!(answer.windows(4).any(|octets| octets[0] == 0x88 && octets[2..] == [0x03, 0xea]), "1002");
        };
        let both = smol::future::zip(server, client);
        let (info, ()) = async_std::future::timeout(BOUND, both).await.expect("it comes to an end");
        assert!(!info.is_clean());
    });
}

// RFC 6455 §4.1, item 2. While the first is not answered, the second does not even come.
#[test]
fn a_gate_lets_one_at_a_time_connect_to_an_address() {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("ws://{}/", listener.local_addr().expect("bound"));
        let connector = Connector::default().with_gate(ConnectGate::default());
        let (order, connecting) = (RefCell::new(Vec::new()), Cell::new(0));
        let client = async |n| {
            connecting.set(connecting.get() + 1);
            connector.connect(request(&address)).await.expect("it is open");
            order.borrow_mut().push(n);
        };
        let server = async {
            let (mut came, mut most, mut served) = (Vec::new(), 0, 0);
            while served < 3 {
                came.push(listener.accept().await.expect("one comes").0);
                while connecting.get() < 3 {
                    smol::future::yield_now().await;
                }
                // Whoever has connected waits in the queue of the listener; look whether there is somebody.
                for _ in 0..100 {
                    let next = poll_fn(|cx| Poll::Ready(pin!(listener.accept()).poll(cx)));
                    if let Poll::Ready(next) = next.await {
                        came.push(next.expect("one comes").0);
                    }
                    smol::future::yield_now().await;
                }
                (most, served) = (most.max(came.len()), served + came.len());
                for stream in came.drain(..) {
                    accept(stream).await.expect("a good request");
                }
            }
            most
        };
        let clients = smol::future::zip(client(1), smol::future::zip(client(2), client(3)));
        let (most, _) = smol::future::zip(server, clients).await;
        assert_eq!((most, order.into_inner()), (1, vec![1, 2, 3]));
    });
}
