//! The slot that halves and handles share, under a scheduler that tries thousands of orders and notices when everybody
//! waits for ever:
//!
//!     RUSTFLAGS='--cfg shuttle' cargo test -p hybi-futures --release --test model --target-dir target/shuttle
#![cfg(shuttle)]
#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use hybi::{Agreement, Connection};
use hybi_futures::{CloseCause, CloseCode, Config, Event, Io, Runtime, WebSocket};
use hybi_test::frames::{first, masked, unmasked};
use shuttle::future::{block_on, spawn};
use shuttle::sync::Mutex;

/// A runtime without time.
#[derive(Debug)]
enum Model {}

impl Runtime for Model {
    type Timer = ();
    fn now() -> Instant {
        Instant::now()
    }
    fn timer(_: Instant) {
        unreachable!("nothing has a deadline");
    }
    fn reset(_: &mut (), _: Instant) {}
    fn poll_timer(_: &mut (), _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// One direction of a pipe that holds a few octets, with one waker for each side of it.
#[derive(Debug, Default)]
struct Half {
    octets: VecDeque<u8>,
    ended: bool,
    gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

const HOLDS: usize = 7;

#[derive(Clone, Debug)]
struct Pipe {
    inward: Arc<Mutex<Half>>,
    outward: Arc<Mutex<Half>>,
}

fn pipe() -> (Pipe, Pipe) {
    let (a, b) = (Arc::new(Mutex::new(Half::default())), Arc::new(Mutex::new(Half::default())));
    (Pipe { inward: a.clone(), outward: b.clone() }, Pipe { inward: b, outward: a })
}

impl Pipe {
    fn poll_read(&self, cx: &Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut half = self.inward.lock().unwrap();
        if half.octets.is_empty() && !half.ended {
            half.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let n = half.octets.len().min(space.len());
        for (octet, place) in half.octets.drain(..n).zip(space) {
            *place = octet;
        }
        let writer = half.writer.take();
        drop(half);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(n))
    }

    fn poll_write(&self, cx: &Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let mut half = self.outward.lock().unwrap();
        if half.gone {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let n = (HOLDS - half.octets.len()).min(octets.len());
        if n == 0 {
            half.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        half.octets.extend(&octets[..n]);
        let reader = half.reader.take();
        drop(half);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(n))
    }

    fn end(&self) {
        let mut half = self.outward.lock().unwrap();
        half.ended = true;
        let reader = half.reader.take();
        drop(half);
        reader.into_iter().for_each(Waker::wake);
    }

    async fn write_all(&self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let n = poll_fn(|cx| self.poll_write(cx, octets)).await.unwrap();
            octets = &octets[n..];
        }
    }

    async fn read_exact(&self, len: usize) -> Vec<u8> {
        let mut octets = vec![0; len];
        let mut at = 0;
        while at < len {
            let n = poll_fn(|cx| self.poll_read(cx, &mut octets[at..])).await.unwrap();
            assert!(n > 0, "the end after {at} of {len} octets");
            at += n;
        }
        octets
    }
}

impl Io<Pipe> for Model {
    fn poll_read(stream: &mut Pipe, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Pipe::poll_read(stream, cx, space)
    }
    fn poll_write(
        stream: &mut Pipe,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pipe::poll_write(stream, cx, &slices[0])
    }
    fn is_write_vectored(_: &Pipe) -> bool {
        false
    }
    fn poll_flush(_: &mut Pipe, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(stream: &mut Pipe, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.end();
        Poll::Ready(Ok(()))
    }
}

fn server() -> (Pipe, WebSocket<Pipe, Model>) {
    let mut config = Config::default();
    config.timeouts.close = None;
    (config.water.high, config.water.low) = (10, 4); // less than two messages: writers wait for their turn
    let (peer, end) = pipe();
    (peer, WebSocket::new(end, Connection::server(Agreement::default(), config)))
}

const ORDERS: usize = 20_000;

/// A writer, two handles and the reader's pongs through a pipe of seven octets.
#[test]
fn everybody_gets_through() {
    let model = || {
        let (peer, server) = server();
        let (mut reader, mut writer) = server.into_split();
        let reading = spawn(async move {
            let mut pings = 0;
            loop {
                match reader.recv().await {
                    Some(Event::Ping(_)) => pings += 1,
                    Some(Event::Closed(info)) => break (pings, info.is_clean()),
                    Some(_) => {}
                    None => unreachable!(),
                }
            }
        });
        let handles: Vec<_> = (0..2)
            .map(|_| {
                let handle = writer.handle();
                spawn(async move { handle.send("from a handle").await.unwrap() })
            })
            .collect();
        let writing = spawn(async move {
            writer.send("from the half").await.unwrap();
            writer
        });
        block_on(async move {
            peer.write_all(&masked(first::PING, b"!")).await;
            // 13 octets and a header each, in whatever order; the pong of 3 somewhere between.
            let received = peer.read_exact(3 * 15 + 3).await;
            let pong = unmasked(first::PONG, b"!");
            assert_eq!(received.windows(3).filter(|window| *window == pong).count(), 1);
            for handle in handles {
                handle.await.unwrap();
            }
            let writer = writing.await.unwrap();
            peer.write_all(&masked(first::CLOSE, &[])).await;
            assert_eq!(peer.read_exact(2).await, unmasked(first::CLOSE, &[]));
            assert_eq!(reading.await.unwrap(), (1, true));
            drop(writer);
        });
    };
    shuttle::check_random(model, ORDERS);
    shuttle::check_pct(model, ORDERS, 3);
}

/// The reader is not polled: those who send get through by themselves.
#[test]
fn writers_get_through_without_a_reader() {
    let model = || {
        let (peer, server) = server();
        let (_reader, mut writer) = server.into_split();
        let handle = writer.handle();
        let sending = spawn(async move { handle.send("from a handle").await.unwrap() });
        let writing = spawn(async move { writer.send("from the half").await.unwrap() });
        block_on(async move {
            peer.read_exact(2 * 15).await;
            sending.await.unwrap();
            writing.await.unwrap();
        });
    };
    shuttle::check_random(model, ORDERS);
}

/// One of those who wait is dropped: the others go on.
#[test]
fn a_future_that_is_dropped_takes_nobody_along() {
    let model = || {
        let (peer, server) = server();
        let (_reader, writer) = server.into_split();
        let (dropped, handle) = (writer.handle(), writer.handle());
        let dropping = spawn(async move {
            let mut sent = Box::pin(dropped.send("dropped, or not"));
            poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx).is_ready())).await
        });
        let sending = spawn(async move { handle.send("from a handle").await.unwrap() });
        block_on(async move {
            // The one that was dropped was sent whole, for its turn had come, or not at all.
            let header = peer.read_exact(2).await;
            peer.read_exact(header[1].into()).await;
            if header[1] == 15 {
                let header = peer.read_exact(2).await;
                peer.read_exact(header[1].into()).await;
            }
            sending.await.unwrap();
            dropping.await.unwrap();
        });
    };
    shuttle::check_random(model, ORDERS);
}

/// Somebody aborts while everybody waits: everybody is told.
#[test]
fn everybody_is_told_of_the_end() {
    let model = || {
        let (peer, server) = server();
        let (mut reader, mut writer) = server.into_split();
        let (sender, aborter) = (writer.handle(), writer.handle());
        let reading = spawn(async move {
            loop {
                if let Some(Event::Closed(info)) = reader.recv().await {
                    break info.cause().clone();
                }
            }
        });
        let sending = spawn(async move { sender.send("never read by anybody").await.is_err() });
        let writing = spawn(async move { writer.close(CloseCode::NORMAL, "never read either").await });
        let aborting = spawn(async move { aborter.abort() });
        block_on(async move {
            assert_eq!(reading.await.unwrap(), CloseCause::Aborted);
            assert!(sending.await.unwrap());
            let _ = writing.await.unwrap();
            aborting.await.unwrap();
            drop(peer);
        });
    };
    shuttle::check_random(model, ORDERS);
    shuttle::check_pct(model, ORDERS, 3);
}
