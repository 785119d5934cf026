//! The same code on the runtimes that have these streams, with what each brings of its own.
#![allow(clippy::panic, reason = "that is how a test fails")]

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use futures_io::{AsyncRead, AsyncWrite};
use hybi_async_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, CloseInfo, Connector, Event, Message, WebSocket,
    accept, connect,
};

/// Sends back what it gets, and tells how the connection ended.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> CloseInfo {
    let mut socket = accept(stream).await.expect("a good request");
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text).expect("it is open"),
            Event::Binary(data) => sender.send(&data).expect("it is open"),
            _ => {}
        }
    }
    socket.close_info().expect("it is over").clone()
}

/// Messages of all sizes come back, and both sides close in order.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut client: WebSocket<S>) {
    for len in [0, 1, 125, 126, 200, 65_536, 3_000_000] {
        let octets = vec![7u8; len];
        client.send(&octets[..]).await.expect("it is open");
        let message = client.recv_message().await.expect("it comes back");
        assert!(message == Message::from(octets), "{len}");
    }
    client.send("high water?").await.expect("it is open");
    assert_eq!(client.recv_message().await, Some("high water?".into()));
    client.close(CloseCode::NORMAL, "").await.expect("the first close");
    while client.recv().await.is_some() {}
    assert!(client.close_info().expect("it is over").is_clean());
}

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

fn request(url: &str) -> ClientRequest {
    ClientRequest::new(url).expect("an address")
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
