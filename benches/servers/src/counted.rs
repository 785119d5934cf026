//! Work over streams in memory, for a tool that counts instructions: nothing is left but what the library does.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use hybi::{Agreement, Connection};
use hybi_test::frames::{first, masked};
use hybi_tokio::{Clients, Config, Event, Prepared, Slow, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that has the same batch to read once for each poll, and takes whatever is written.
struct Batches {
    batch: Vec<u8>,
    is_next: bool,
}

fn open(batch: Vec<u8>) -> WebSocket<Batches> {
    let connection = Connection::server(Agreement::default(), Config::default());
    WebSocket::new(Batches { batch, is_next: true }, connection)
}

/// Sends back batches of 32 texts of so many octets.
pub(crate) fn echo(octets: usize, batches: usize) {
    let frame = masked(first::TEXT, &vec![b'a'; octets]);
    let mut echo = pin!(attend(open(frame.repeat(32))));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..batches {
        assert!(echo.as_mut().poll(cx).is_pending(), "it goes on");
    }
}

async fn attend(mut socket: WebSocket<Batches>) {
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        }
        .expect("the queue is emptied after each read");
    }
}

/// Sends a text of 1,024 octets to a thousand members, so many times.
pub(crate) fn broadcast(times: usize) {
    let clients = Clients::default();
    let members: Vec<_> = (0..1000)
        .map(|_| {
            let (reader, writer) = open(Vec::new()).into_split();
            (clients.join(writer.handle()), reader)
        })
        .collect();
    let prepared = Prepared::new(&*"tide".repeat(256));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..times {
        let mut all = pin!(clients.broadcast(&prepared, Slow::Wait));
        let told = loop {
            if let Poll::Ready(told) = all.as_mut().poll(cx) {
                break told;
            }
        };
        assert_eq!(told.sent, members.len());
    }
}

impl AsyncRead for Batches {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.is_next = !this.is_next;
        if this.is_next {
            return Poll::Pending;
        }
        space.put_slice(&this.batch);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Batches {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(black_box(octets).len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
