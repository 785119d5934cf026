//! `no_std`: the same code on this machine, octet by octet and at once. `.ci/run` runs it in WebAssembly.

use hybi::Instant;
use hybi_example_no_std::Echo;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// What comes out if this arrives in pieces, and whether it is over then.
fn answers(octets: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let (mut echo, mut out) = (Echo::default(), Vec::new());
    for (n, piece) in octets.chunks(piece).enumerate() {
        echo.receive(&mut piece.to_vec(), Instant::from_nanos(n as u64));
        let mut page = [0; 16];
        while let n @ 1.. = echo.transmit_into(&mut page) {
            out.extend_from_slice(&page[..n]);
        }
    }
    (out, echo.is_over())
}

#[test]
fn a_conversation_in_pieces_of_every_size() {
    let octets = [REQUEST, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", b"\x88\x80\0\0\0\0"].concat();
    for piece in 1..=octets.len() {
        let (out, is_over) = answers(&octets, piece);
        assert!(out.starts_with(b"HTTP/1.1 101 ") && out.ends_with(b"\r\n\r\n\x81\x05Hello\x88\x00"));
        assert!(is_over);
    }
    let (out, is_over) = answers(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", 7);
    assert!(out.starts_with(b"HTTP/1.1 426 ") && is_over);
}

#[test]
fn who_says_nothing_has_to_go() {
    let mut echo = Echo::default();
    echo.receive(&mut [], Instant::from_nanos(0));
    let due = echo.poll_timeout().expect("the handshake has a deadline");
    echo.receive(&mut [], due);
    let mut page = [0; 4096];
    let n = echo.transmit_into(&mut page);
    assert!(page[..n].starts_with(b"HTTP/1.1 408 ") && echo.is_over());
}
