//! Those who come to a server and do not do what they should, each in its own way; for tests of what is left behind.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use hybi::Config;

use crate::frames::{first, masked};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// How many files this process has open.
///
/// # Panics
/// If this is not Linux.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
}

/// A server's configuration with which whoever does not do what it should is gone soon.
pub fn impatient() -> Config {
    let mut config = Config::default();
    let soon = Some(Duration::from_millis(100));
    (config.timeouts.handshake, config.timeouts.close) = (soon, soon);
    (config.timeouts.keepalive, config.timeouts.pong) = (soon, soon);
    config
}

/// So many rounds of visitors to a server on `/`, some of whom have gone again: silent ones, half a request, one that
/// trickles, one of a single line without end, one of headers without end, one that is no WebSocket, one that left at
/// once, and behind the opening handshake one that left, one that has ended its side, one in the middle of a frame, and
/// one that has vanished. What is returned stays until it is dropped.
///
/// # Panics
/// If the server does not answer those whom it should.
pub fn visit(address: SocketAddr, rounds: usize) -> Vec<TcpStream> {
    let come = || TcpStream::connect(address).expect("it listens");
    let mut stay = Vec::new();
    for _ in 0..rounds {
        stay.push(come());
        let mut half = come();
        half.write_all(&REQUEST[..50]).expect("written");
        stay.push(half);
        let mut trickle = come();
        while trickle.write_all(b"a").is_ok() {} // until it is refused
        let mut line = come();
        while line.write_all(&[b'a'; 4096]).is_ok() {}
        let mut headers = come();
        while headers.write_all(b"Tide: high\r\n").is_ok() {}
        let mut wrong = come();
        wrong.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
        stay.push(wrong);
        drop(come());
        drop(opened(address));
        let ended = opened(address);
        ended.shutdown(Shutdown::Write).expect("it is open");
        stay.push(ended);
        let mut inside = opened(address);
        inside.write_all(&masked(first::TEXT, &[b'a'; 300])[..100]).expect("written");
        stay.push(inside);
        let mut silent = opened(address);
        silent.write_all(&masked(first::TEXT, b"and no more")).expect("written");
        stay.push(silent);
    }
    stay
}

/// A connection of which nothing is there but the opening handshake.
///
/// # Panics
/// If it is not accepted.
pub fn opened(address: SocketAddr) -> TcpStream {
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
