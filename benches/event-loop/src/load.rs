//! The clients, on one thread: each keeps so many messages under way, and sends anew what has come back.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use hybi_test::frames::{first, masked, unmasked};
use hybi_test::visitors::opened;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// What is sent, and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) size: usize,
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
    pub(crate) messages: usize,
}

struct Client {
    stream: TcpStream,
    /// Octets that are to be written, and of the next answer that are there.
    unwritten: usize,
    partial: usize,
}

pub(crate) struct Crowd {
    poll: Poll,
    clients: Vec<Client>,
    /// `in_flight` frames in a row, the length of one, and of an answer.
    frames: Vec<u8>,
    frame: usize,
    answer: usize,
    buffer: Vec<u8>,
}

/// A connection whose handshake is over, or a plain one.
pub(crate) fn open(address: SocketAddr, websocket: bool) -> std::net::TcpStream {
    if websocket { opened(address) } else { std::net::TcpStream::connect(address).expect("it listens") }
}

impl Crowd {
    pub(crate) fn new(address: SocketAddr, websocket: bool, work: Work) -> Self {
        let poll = Poll::new().expect("a poll");
        let payload = vec![b'a'; work.size];
        let frame = masked(first::BINARY, &payload);
        let answer = if websocket { unmasked(first::BINARY, &payload).len() } else { frame.len() };
        let client = |n| {
            let stream = open(address, websocket);
            stream.set_nodelay(true).expect("it is TCP");
            stream.set_nonblocking(true).expect("it can");
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(n), Interest::READABLE | Interest::WRITABLE)
                .expect("registered");
            Client { stream, unwritten: 0, partial: 0 }
        };
        let clients = (0..work.connections).map(client).collect();
        let frames = frame.repeat(work.in_flight);
        Self { poll, clients, frames, frame: frame.len(), answer, buffer: vec![0; 1 << 20] }
    }

    /// So many messages to and fro.
    pub(crate) fn run(&mut self, messages: usize) {
        let Self { poll, clients, frames, frame, answer, buffer } = self;
        let (mut unsent, mut unanswered) = (messages, messages);
        let mut events = Events::with_capacity(1024);
        for client in clients.iter_mut() {
            let n = (frames.len() / *frame).min(unsent);
            unsent -= n;
            client.unwritten = n * *frame;
            client.write(frames);
        }
        while unanswered > 0 {
            poll.poll(&mut events, None).expect("polled");
            for event in &events {
                let client = &mut clients[event.token().0];
                let mut back = 0;
                loop {
                    match client.stream.read(buffer) {
                        Ok(n @ 1..) => {
                            client.partial += n;
                            back += client.partial / *answer;
                            client.partial %= *answer;
                            if n < buffer.len() {
                                break;
                            }
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        other => panic!("the server has gone: {other:?}"),
                    }
                }
                unanswered -= back;
                let more = back.min(unsent);
                unsent -= more;
                client.unwritten += more * *frame;
                client.write(frames);
            }
        }
    }
}

impl Client {
    /// Frames are alike, and there are never more than `in_flight` to write: the last octets of `frames` do.
    fn write(&mut self, frames: &[u8]) {
        while self.unwritten > 0 {
            match self.stream.write(&frames[frames.len() - self.unwritten..]) {
                Ok(n) => self.unwritten -= n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server has gone: {error}"),
            }
        }
    }
}
