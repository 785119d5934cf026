//! Many WebSockets on one thread: readiness (epoll, kqueue) by mio, and the core alone. It sends back what it gets.
//!
//!     cargo run --release -p hybi-examples --bin epoll -- 127.0.0.1:9001
//!
//! What a connection costs here while nothing happens: its `Peer`, and nothing else. What it needs to work in, it has
//! for a turn. One buffer to read into and one to answer in serve all of them; what many messages of a read cause goes
//! out in one write; a message that is larger than a read was joined in memory of its own, and is sent from there; and
//! the system is asked about room for writing only while something waits for it.
//!
//! Here are all peers, their deadlines, and who has a turn; `peer` is one socket, `stage` what is said on it.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time;

use hybi::{Config, Instant};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

mod peer;
mod stage;

use peer::{Next, Peer};

const LISTENER: Token = Token(usize::MAX);
/// The most octets of one read.
const READ: usize = 64 * 1024;
/// Room for what a read causes: as much, and the message that its first octets have made whole.
const ANSWER: usize = 2 * READ;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let address = address.parse().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    let mut server = Server::bind(address)?;
    println!("listening on ws://{}/", server.listener.local_addr()?);
    server.run()
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    peers: Slab<Peer>,
    config: Arc<Config>,
    scratch: Scratch,
    /// The deadline of each peer that has one.
    deadlines: BTreeSet<(Instant, usize)>,
    /// Peers that had their share, and may have more to read.
    again: Vec<usize>,
    /// There were no files left: somebody waits to be let in.
    crowded: bool,
    /// The clock of the connections counts from here.
    start: time::Instant,
}

/// Memory for whoever has its turn.
struct Scratch {
    read: Vec<u8>,
    answer: Vec<u8>,
}

impl Server {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut config = Config::default();
        config.water.limit = config.limits.message + config.water.high; // an echo is as large as the message
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            peers: Slab::new(),
            config: Arc::new(config),
            scratch: Scratch { read: vec![0; READ], answer: Vec::with_capacity(ANSWER) },
            deadlines: BTreeSet::new(),
            again: Vec::new(),
            crowded: false,
            start: time::Instant::now(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let now = self.now();
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(now),
                    Token(key) => {
                        let Some(peer) = self.peers.get_mut(key) else { continue };
                        peer.is_ready(event);
                        self.serve(key, now);
                    }
                }
            }
            for key in mem::take(&mut self.again) {
                self.serve(key, now);
            }
            while let Some((_, key)) = self.deadlines.first().copied().filter(|(due, _)| *due <= now) {
                self.serve(key, now);
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    /// How long there is nothing to do but to wait.
    fn patience(&self) -> Option<time::Duration> {
        if !self.again.is_empty() {
            return Some(time::Duration::ZERO);
        }
        self.deadlines.first().map(|(due, _)| due.since(self.now()))
    }

    /// Lets everybody in who knocks.
    fn accept(&mut self, now: Instant) {
        self.crowded = loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let key = self.peers.vacant_key();
                    let told = self.poll.registry().register(&mut stream, Token(key), Interest::READABLE);
                    if told.and_then(|()| stream.set_nodelay(true)).is_ok() {
                        self.peers.insert(Peer::new(stream, self.config.clone()));
                        self.serve(key, now); // it has a deadline from now on
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
        };
    }

    fn serve(&mut self, key: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let next = peer.turn(now, &mut self.scratch, self.poll.registry(), Token(key));
        let deadline = if next == Next::Remove { None } else { peer.stage.poll_timeout() };
        if peer.deadline != deadline {
            self.deadlines.extend(deadline.map(|due| (due, key)));
            if let Some(due) = mem::replace(&mut peer.deadline, deadline) {
                self.deadlines.remove(&(due, key));
            }
        }
        match next {
            Next::Wait => {}
            Next::Again => self.again.push(key),
            Next::Remove => {
                drop(self.peers.remove(key)); // which closes the socket
                if mem::take(&mut self.crowded) {
                    self.accept(now);
                }
            }
        }
    }
}
