//! A program of this folder as a process, and clients for it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use hybi_std::{CloseCause, CloseCode, Event, Stream, WebSocket};

/// A program that serves until the test is over.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    pub address: String,
}

impl Server {
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line).expect("it is text");
        let address = line.trim().strip_prefix("listening on ws://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.expect("its first line says where it listens").to_owned();
        Self { process, address }
    }

    pub fn connect(&self) -> WebSocket<Stream> {
        hybi_std::connect(&format!("ws://{}/", self.address)).expect("it is accepted").0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Messages of all lengths, of both kinds, come back one by one and all at once; then the closing handshake.
pub fn talk(mut socket: WebSocket<Stream>, lengths: &[usize]) {
    for &len in lengths {
        let text = "tide".repeat(len / 4 + 1)[..len].to_owned();
        socket.send(&text).expect("sent");
        assert_eq!(socket.recv_message(), Some(text.as_str().into()), "{len}");
        socket.send(text.as_bytes()).expect("sent");
        assert_eq!(socket.recv_message(), Some(text.as_bytes().into()), "{len}");
    }
    for n in 0..100u32 {
        socket.feed(&n.to_be_bytes()).expect("queued");
    }
    socket.flush().expect("sent");
    for n in 0..100u32 {
        assert_eq!(socket.recv_message(), Some(n.to_be_bytes()[..].into()));
    }
    close(socket);
}

pub fn close(mut socket: WebSocket<Stream>) {
    socket.close(CloseCode::NORMAL, "").expect("it is open");
    let mut end = None;
    while let Some(event) = socket.recv() {
        if let Event::Closed(info) = event {
            end = Some(info.cause().clone());
        }
    }
    assert_eq!(end, Some(CloseCause::Handshake));
}

/// The answer to a request for something else.
pub fn http(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an orderly end");
    answer
}
