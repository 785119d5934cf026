//! The clients: bare sockets, no library, a loop.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use hybi_test::frames::{first, masked};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const ECHOED: usize = 16 * 1024;

/// Does what each line of the standard input says, and answers `done`.
pub(crate) fn main(port: u16, many: usize, deflate: bool) {
    let mut sockets = Vec::new();
    for line in std::io::stdin().lines() {
        match &*line.expect("it is text") {
            "open" => sockets = (0..many).map(|n| open(n, port, deflate)).collect(),
            "echo" => sockets.iter_mut().for_each(echo),
            "read" => sockets.iter_mut().for_each(|socket| assert!(read_frame(socket) > 0)),
            other => panic!("{other}"),
        }
        println!("done");
    }
}

/// A few thousand for each address, so that ports suffice.
fn open(n: usize, port: u16, deflate: bool) -> TcpStream {
    let address = Ipv4Addr::new(127, 0, 0, 1 + (n / 5000) as u8);
    let mut socket = TcpStream::connect((address, port)).expect("it listens");
    let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    write!(socket, "{REQUEST}{offer}\r\n").expect("written");
    let (mut head, mut octets) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        let n = socket.read(&mut octets).expect("it is answered");
        head.extend_from_slice(&octets[..n]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    socket
}

fn echo(socket: &mut TcpStream) {
    socket.write_all(&masked(first::BINARY, &[0; ECHOED])).expect("written");
    assert_eq!(read_frame(socket), ECHOED);
}

/// Reads a whole frame; how long its payload is.
fn read_frame(socket: &mut TcpStream) -> usize {
    let mut header = [0; 4];
    socket.read_exact(&mut header[..2]).expect("a frame");
    let len = match header[1] {
        126 => {
            socket.read_exact(&mut header[2..]).expect("a frame");
            usize::from(u16::from_be_bytes([header[2], header[3]]))
        }
        len => usize::from(len),
    };
    let mut payload = vec![0; len];
    socket.read_exact(&mut payload).expect("a frame");
    len
}
