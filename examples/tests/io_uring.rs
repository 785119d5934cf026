//! `io-uring`: its protocol by completions of every size, and the program with the kernel's.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "it says what was not run")]

#[path = "../io_uring/echo.rs"]
mod echo;

mod common;

use std::process::Command;

use common::{Server, http, talk};
use echo::Echo;
use hybi::Config;

/// What comes of these frames if the kernel completes reads of so many octets.
fn echoed(frames: &[u8], read: usize) -> (Vec<u8>, bool) {
    let mut echo = Echo::new(&Config::default());
    let (mut memory, mut answers) = (Vec::new(), Vec::new());
    for piece in frames.chunks(read) {
        memory.extend_from_slice(piece);
        let done = echo.completed(&mut memory, &mut answers);
        memory.drain(..done);
        assert!(memory.len() <= 139 || echo.is_over(), "a payload is never held");
    }
    (answers, echo.is_over())
}

/// A frame to a server, with a key.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let len = u8::try_from(payload.len()).expect("short");
    let masked = payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key);
    [first, 0x80 | len].into_iter().chain(key).chain(masked).collect()
}

/// Frames, what goes back, and whether it is over then.
type Row<'r> = (&'r [&'r [u8]], &'r [u8], bool);

#[test]
fn frames_go_back_as_they_came() {
    let rows: [Row<'_>; 7] = [
        (&[&frame(0x81, b"Hello")], b"\x81\x05Hello", false),
        (
            &[
                &frame(0x01, "\u{20ac}".as_bytes().split_at(1).0),
                &frame(0x89, b"?"),
                &frame(0x80, b"\x82\xac!"),
            ],
            b"\x01\x01\xe2\x8a\x01?\x80\x03\x82\xac!",
            false,
        ),
        (&[&frame(0x82, b"\xff"), &frame(0x8a, b"pong")], b"\x82\x01\xff", false),
        (&[&frame(0x88, b"\x03\xe8bye"), &frame(0x81, b"late")], b"\x88\x05\x03\xe8bye", true),
        (&[&frame(0x88, b"")], b"\x88\x00", true),
        (&[&frame(0x88, b"\x03\xed")], b"\x88\x02\x03\xea", true), // 1005 is never sent
        (&[&frame(0x83, b"")], b"\x88\x02\x03\xea", true),
    ];
    for (frames, answer, is_over) in rows {
        let frames = frames.concat();
        for read in 1..=frames.len() {
            assert_eq!(echoed(&frames, read), (answer.to_vec(), is_over), "reads of {read}");
        }
    }
}

/// Inside a frame of ours nothing else can be said.
#[test]
fn text_that_turns_out_wrong_late_ends_the_transport() {
    let frames = frame(0x81, b"good\xff");
    assert_eq!(echoed(&frames, frames.len()), (b"\x88\x02\x03\xef".to_vec(), true));
    assert_eq!(echoed(&frames, frames.len() - 1), (b"\x81\x05good".to_vec(), true));
}

#[test]
fn the_kernel_completes() {
    let refusal =
        Command::new(env!("CARGO_BIN_EXE_io-uring")).arg("256.0.0.0:0").output().expect("it starts");
    assert!(!refusal.status.success(), "that is no address");
    let probe = Command::new(env!("CARGO_BIN_EXE_io-uring")).arg("192.0.2.1:1").output().expect("it starts");
    if String::from_utf8_lossy(&probe.stdout).starts_with("the kernel refuses io_uring") {
        println!("not run: {}", String::from_utf8_lossy(&probe.stdout));
        return;
    }
    let server = Server::start(env!("CARGO_BIN_EXE_io-uring"), &["127.0.0.1:0"]);
    let sockets: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(http(&server.address).starts_with("HTTP/1.1 426 "));
    for socket in sockets {
        talk(socket, &[0, 1, 125, 126, 4096, 65_535, 65_536, 200_000]);
    }
}
