//! `epoll`: messages of all lengths, many connections at once, and peers that do not behave.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use common::{Server, close, http, talk};

fn server() -> Server {
    Server::start(env!("CARGO_BIN_EXE_epoll"), &["127.0.0.1:0"])
}

/// Within one read, in several, and joined of many.
#[test]
fn messages_come_back() {
    talk(server().connect(), &[0, 1, 125, 126, 4096, 65_535, 65_536, 65_537, 1 << 20, 5_000_000]);
}

#[test]
fn many_connections_on_one_thread() {
    let server = server();
    let mut sockets: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for (n, socket) in sockets.iter_mut().enumerate() {
            socket.send(&format!("tide {n}")).expect("sent");
        }
        for (n, socket) in sockets.iter_mut().enumerate().rev() {
            assert_eq!(socket.recv_message(), Some(format!("tide {n}").into()));
        }
    }
    sockets.into_iter().for_each(close);
}

/// More is under way than the system and the queue hold: both sides have to wait for room.
#[test]
fn a_peer_that_sends_more_than_it_reads() {
    const MESSAGES: usize = 64;
    let server = server();
    let (mut reader, mut writer) = server.connect().into_split().expect("a socket");
    let sending = thread::spawn(move || {
        for n in 0..MESSAGES {
            writer.send(&vec![n as u8; 1 << 20]).expect("sent");
        }
        writer
    });
    for n in 0..MESSAGES {
        let message = reader.recv_message().expect("it comes back");
        assert!(message.as_bytes() == vec![n as u8; 1 << 20], "{n}");
    }
    drop(sending.join().expect("well"));
    talk(server.connect(), &[10]);
}

/// A whole conversation in one write, and the end of the transport with it.
#[test]
fn everything_in_one_packet() {
    let server = server();
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let mut octets = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        .to_vec();
    octets.extend(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x82\0\0\0\0\x03\xe8");
    stream.write_all(&octets).expect("written");
    stream.shutdown(std::net::Shutdown::Write).expect("it is open");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an orderly end");
    assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\x81\x05Hello\x88\x02\x03\xe8"));
}

#[test]
fn who_is_no_client_is_told_so_and_the_others_go_on() {
    let server = server();
    let other = server.connect();
    assert!(http(&server.address).starts_with("HTTP/1.1 426 "));
    drop(TcpStream::connect(&server.address).expect("it listens"));
    let mut broken = server.connect();
    broken.abort();
    drop(broken);
    talk(other, &[10]);
}
