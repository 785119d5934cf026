//! Runs one workload so many times, for a tool that counts instructions: `counts WORKLOAD MESSAGES`.
//!
//! Two runs with different numbers of messages give the cost of one: what starting the program takes cancels
//! out. `benches/counts/run` does that with callgrind and prints the table.

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Deflater, Level, Params, WindowBits};
use hybi::wire::header::FrameHeader;
use hybi::{Agreement, Config, Connection, Event, Kind, Message, Role};
use hybi::{Opcode, wire::mask};
use std::hint::black_box;
use std::process::ExitCode;

/// What one read brings at most, if nothing else is said: as in a busy server.
const READ: usize = 64 * 1024;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [workload, messages] = &args[..] else { return usage() };
    let (Some(workload), Ok(messages)) = (Workload::parse(workload), messages.parse()) else {
        return usage();
    };
    workload.run(messages);
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a program for the terminal")]
fn usage() -> ExitCode {
    eprintln!(
        "usage: counts (receive|send|echo|owned|echo-own)-(server|client)-(text|mixed|binary|deflate)-LEN[@READ] MESSAGES"
    );
    ExitCode::from(2)
}

struct Workload {
    task: Task,
    role: Role,
    kind: Kind,
    /// One message, or several that take turns.
    payloads: Vec<Vec<u8>>,
    /// Octets of a read.
    read: usize,
    /// permessage-deflate is agreed on, with contexts taken over.
    deflate: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Task {
    /// Look at each message where it lies.
    Receive,
    /// Send messages.
    Send,
    /// Send each message back while it is lent.
    Echo,
    /// The same, with the connection's own receive buffer.
    EchoOwn,
    /// Keep each message, then send it.
    Owned,
}

impl Workload {
    fn parse(name: &str) -> Option<Self> {
        let (task, rest) = [
            ("receive-", Task::Receive),
            ("send-", Task::Send),
            ("echo-own-", Task::EchoOwn),
            ("echo-", Task::Echo),
            ("owned-", Task::Owned),
        ]
        .into_iter()
        .find_map(|(prefix, task)| Some((task, name.strip_prefix(prefix)?)))?;
        let mut parts = rest.split('-');
        let role = match parts.next()? {
            "server" => Role::Server,
            "client" => Role::Client,
            _ => return None,
        };
        let kind_name = parts.next()?;
        let (len, read) = parts.next().map(|len| len.split_once('@').unwrap_or((len, "")))?;
        let len: usize = len.parse().ok()?;
        let read = if read.is_empty() { READ } else { read.parse().ok()? };
        let (kind, pattern) = match kind_name {
            "text" => (Kind::Text, "tide after tide, "),
            "mixed" => (Kind::Text, "tide after tide é€"),
            "binary" => (Kind::Binary, "\u{0}\u{1}\u{7f}"),
            "deflate" => {
                let payloads = (0..64).map(|n| tides(n, len)).collect();
                return Some(Self { task, role, kind: Kind::Text, payloads, read, deflate: true });
            }
            _ => return None,
        };
        let mut text: String = pattern.repeat(len / pattern.len() + 1);
        while !text.is_char_boundary(len) {
            text.insert(0, '.');
        }
        text.truncate(len);
        Some(Self { task, role, kind, payloads: vec![text.into_bytes()], read, deflate: false })
    }

    fn connection(&self) -> Connection {
        let deflate = Deflate::new(DeflateConfig::default(), Params::default());
        let agreement =
            if self.deflate { Agreement::default().with_deflate(deflate) } else { Agreement::default() };
        match self.role {
            Role::Server => Connection::server(agreement, Config::default()),
            Role::Client => {
                let mut state = 0x9E37_79B9u32;
                Connection::client(agreement, Config::default(), move |out: &mut [u8]| {
                    for key in out.as_chunks_mut().0 {
                        state ^= state << 13;
                        state ^= state >> 17;
                        state ^= state << 5;
                        *key = state.to_ne_bytes();
                    }
                })
            }
        }
    }

    /// The frames of all messages, as the peer sends them.
    fn frames(&self) -> Vec<u8> {
        let mut deflater = Deflater::new(WindowBits::MAX, true, Level::default());
        let mut frames = Vec::new();
        for payload in &self.payloads {
            if self.deflate {
                let mut compressed = Vec::new();
                deflater.deflate(payload, &mut compressed, true).expect("memory");
                frames.extend(self.frame(compressed, 4));
            } else {
                frames.extend(self.frame(payload.clone(), 0));
            }
        }
        frames
    }

    fn frame(&self, mut payload: Vec<u8>, rsv: u8) -> Vec<u8> {
        let opcode = if self.kind == Kind::Text { Opcode::Text } else { Opcode::Binary };
        let header = FrameHeader::new(true, opcode, payload.len() as u64).expect("such a frame exists");
        let mut header = header.with_rsv(rsv);
        if self.role == Role::Server {
            let key = [0xA1, 0xB2, 0xC3, 0xD4];
            header = header.masked(key);
            mask::mask(&mut payload, key);
        }
        [&header.encode(), &payload[..]].concat()
    }

    fn run(&self, messages: usize) {
        let mut connection = self.connection();
        if self.task == Task::Send {
            return self.send(&mut connection, messages);
        }
        let frames = self.frames();
        let stream =
            frames.repeat((READ / self.payloads[0].len().max(1)).max(4).div_ceil(self.payloads.len()));
        let mut scratch = vec![0; self.read];
        let (mut done, mut at) = (0, 0);
        while done < messages {
            let n = self.read.min(stream.len() - at);
            done += if self.task == Task::EchoOwn {
                self.own(&mut connection, &stream[at..at + n])
            } else {
                scratch[..n].copy_from_slice(&stream[at..at + n]);
                self.lent(&mut connection, &mut scratch[..n])
            };
            at = (at + n) % stream.len();
            while !connection.transmit().is_empty() {
                let n = black_box(connection.transmit()).len();
                connection.transmitted(n);
            }
        }
    }

    fn send(&self, connection: &mut Connection, messages: usize) {
        for payload in self.payloads.iter().cycle().take(messages) {
            let text = str::from_utf8(payload).expect("messages that are sent are text");
            connection.send(text).expect("the queue is emptied each time");
            let n = black_box(connection.transmit()).len();
            connection.transmitted(n);
        }
    }

    fn lent(&self, connection: &mut Connection, read: &mut [u8]) -> usize {
        let mut done = 0;
        let mut input = connection.receive(read);
        while let Some((event, sender)) = input.poll_event_with() {
            done += 1;
            let sent = match (event, self.task) {
                (Event::Text(text), Task::Echo) => sender.send(&text),
                (Event::Binary(data), Task::Echo) => sender.send(&data),
                (Event::Text(text), Task::Owned) => {
                    sender.send_message(text.into_message()).map_err(|e| e.error)
                }
                (Event::Binary(data), Task::Owned) => {
                    sender.send_message(Message::Binary(data.into_bytes())).map_err(|e| e.error)
                }
                (event, _) => {
                    black_box(&event);
                    Ok(())
                }
            };
            sent.expect("the queue is emptied after each read");
        }
        done
    }

    fn own(&self, connection: &mut Connection, mut read: &[u8]) -> usize {
        let mut done = 0;
        while !read.is_empty() {
            let space = connection.recv_space();
            let n = space.len().min(read.len());
            space[..n].copy_from_slice(&read[..n]);
            connection.received(n);
            read = &read[n..];
            while let Some((event, sender)) = connection.poll_event_with() {
                done += 1;
                match event {
                    Event::Text(text) => sender.send(&text),
                    Event::Binary(data) => sender.send(&data),
                    _ => Ok(()),
                }
                .expect("the queue is emptied after each read");
            }
        }
        done
    }
}

/// Text in which some things come again and others do not.
fn tides(n: usize, len: usize) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < len {
        let hour = n * 37 + text.len();
        text += &format!(
            "{{\"hour\":{hour},\"metres\":{}.{:03},\"tide\":\"ebb\"}},",
            hour % 7,
            hour * hour % 997
        );
    }
    text.truncate(len);
    text.into_bytes()
}
