//! The limit: a server of the same shape as `epoll` that knows no protocol and writes what it reads.

use std::io::{ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// What there was no room for.
    waits: Vec<u8>,
    closed: bool,
}

pub(crate) fn main() {
    let mut poll = Poll::new().expect("a poll");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("registered");
    println!("listening on ws://{}/", listener.local_addr().expect("bound"));
    let (mut events, mut peers, mut buffer) = (Events::with_capacity(1024), Slab::new(), vec![0; 64 * 1024]);
    loop {
        poll.poll(&mut events, None).expect("polled");
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("it is TCP");
                    let token = Token(peers.vacant_key());
                    poll.registry().register(&mut stream, token, Interest::READABLE).expect("registered");
                    peers.insert(Peer { stream, waits: Vec::new(), closed: false });
                }
                continue;
            }
            let key = event.token().0;
            let Some(peer): Option<&mut Peer> = peers.get_mut(key) else { continue };
            peer.closed |= event.is_read_closed() || event.is_error();
            let waited = !peer.waits.is_empty();
            if peer.turn(&mut buffer).is_none() {
                peers.remove(key);
                continue;
            }
            let waits = !peer.waits.is_empty();
            if waits != waited {
                let interest =
                    if waits { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
                poll.registry().reregister(&mut peer.stream, event.token(), interest).expect("registered");
            }
        }
    }
}

impl Peer {
    /// `None`: it is gone.
    fn turn(&mut self, buffer: &mut [u8]) -> Option<()> {
        loop {
            if !self.waits.is_empty() {
                let n = written(self.stream.write(&self.waits))?;
                self.waits.drain(..n);
                if !self.waits.is_empty() {
                    return Some(());
                }
            }
            let n = match self.stream.read(buffer) {
                Ok(0) => return None,
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(()),
                Err(_) => return None,
            };
            let took = written(self.stream.write(&buffer[..n]))?;
            if took < n {
                self.waits.extend_from_slice(&buffer[took..n]);
            } else if n < buffer.len() && !self.closed {
                return Some(()); // a short read took all there was
            }
        }
    }
}

fn written(result: std::io::Result<usize>) -> Option<usize> {
    match result {
        Ok(n) => Some(n),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
        Err(_) => None,
    }
}
