//! Stressors: what makes an implementation work hard where its work is not linear in the octets that arrive.
//!
//! Each is made of so many pieces. The tests count how often it asks for memory; `tools/verify work` runs the
//! example `stress` under callgrind with n and with 2n pieces, and compares the instructions.

use std::hint::black_box;

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
use hybi::handshake::{ClientHandshake, ClientRequest, ServerHandshake, ServerSettings};
use hybi::{Agreement, BoxEntropy, Config, Connection, Delivery, Role};

use crate::endpoint::{Memory, config, fixed_entropy, open_agreed, open_with};
use crate::frames::{first, to};

/// Something to receive, of any number of pieces.
#[derive(Clone, Copy, Debug)]
pub struct Stressor {
    /// Its name.
    pub name: &'static str,
    /// The octets of so many pieces.
    pub octets: fn(usize) -> Vec<u8>,
    /// Receives them.
    pub run: fn(&[u8]),
}

/// All of them.
pub const STRESSORS: [Stressor; 16] = [
    Stressor { name: "tiny-frames", octets: |n| server(first::BINARY, b"x").repeat(n), run: in_reads },
    Stressor {
        name: "tiny-frames-in-tiny-reads",
        octets: |n| server(first::TEXT, b"x").repeat(n),
        run: in_octets,
    },
    Stressor { name: "tiny-fragments", octets: |n| fragments(n, b"x"), run: in_reads },
    Stressor { name: "tiny-fragments-in-tiny-reads", octets: |n| fragments(n, b"x"), run: in_octets },
    Stressor { name: "empty-fragments", octets: |n| fragments(n, b""), run: in_reads },
    Stressor { name: "empty-messages", octets: |n| server(first::TEXT, b"").repeat(n), run: in_reads },
    Stressor { name: "pings", octets: |n| server(first::PING, b"").repeat(n), run: in_reads },
    Stressor { name: "pieces-of-characters", octets: characters, run: in_reads },
    Stressor { name: "pieces-of-characters-delivered", octets: characters, run: delivered },
    Stressor {
        name: "large-frame-in-tiny-reads",
        octets: |n| to(Role::Server, first::TEXT, &vec![b'x'; n]),
        run: in_octets,
    },
    Stressor { name: "empty-blocks", octets: empty_blocks, run: inflated },
    Stressor { name: "head-in-tiny-reads", octets: |n| request("X: ", &"a".repeat(n)), run: as_request },
    Stressor { name: "many-fields", octets: |n| request("A: b\r\n", &"a: b\r\n".repeat(n)), run: as_request },
    Stressor {
        name: "subprotocols",
        octets: |n| request("Sec-WebSocket-Protocol: z", &list(n)),
        run: as_request,
    },
    Stressor {
        name: "extensions",
        octets: |n| request("Sec-WebSocket-Extensions: z", &list(n)),
        run: as_request,
    },
    Stressor { name: "answer-in-tiny-reads", octets: answer, run: as_response },
];

fn server(first: u8, payload: &[u8]) -> Vec<u8> {
    to(Role::Server, first, payload)
}

fn fragments(n: usize, payload: &[u8]) -> Vec<u8> {
    [server(0x01, payload), server(0x00, payload).repeat(n), server(first::CONTINUATION, b"")].concat()
}

/// Fragments that begin and end inside a character.
fn characters(n: usize) -> Vec<u8> {
    let goes_on = [server(0x00, b"\x82\xAC\xE2"), server(0x00, b"\x82"), server(0x00, b"\xAC\xE2")].concat();
    [server(0x01, b"\xE2"), goes_on.repeat(n / 3), server(first::CONTINUATION, b"\x82\xAC")].concat()
}

/// Blocks with fixed codes and nothing in them, four in five octets; then what the tail completes.
fn empty_blocks(n: usize) -> Vec<u8> {
    server(0xC2, &[[0x02, 0x08, 0x20, 0x80, 0x00].repeat(n / 4 + 1), vec![0x00]].concat())
}

fn request(name: &str, value: &str) -> Vec<u8> {
    let head = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let end = if value.ends_with('\n') { "\r\n" } else { "\r\n\r\n" };
    [head, name, value, end].concat().into_bytes()
}

/// Elements that all differ, and are of one length.
fn list(n: usize) -> String {
    (0..n).map(|n| format!(", a{n:07}")).collect()
}

fn answer(n: usize) -> Vec<u8> {
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n";
    [head, "X: ", &"a".repeat(n), "\r\n\r\n"].concat().into_bytes()
}

/// No limit is met: what is measured is the work.
fn unlimited(delivery: Delivery) -> Config {
    config(|config| {
        (config.limits.fragments, config.limits.empty_fragments) = (u32::MAX, u32::MAX);
        (config.limits.head_bytes, config.limits.head_fields) = (usize::MAX / 2, usize::MAX / 2);
        config.delivery = delivery;
    })
}

fn show(connection: &mut Connection, octets: &[u8], n: usize, memory: Memory) {
    for read in octets.chunks(n) {
        memory.show(connection, read, |event| {
            black_box(event);
        });
        while !connection.transmit().is_empty() {
            connection.transmitted(connection.transmit().len());
        }
    }
    assert_eq!(connection.state(), hybi::State::Open, "a stressor breaks no rule");
}

fn in_reads(octets: &[u8]) {
    show(&mut open_with(Role::Server, unlimited(Delivery::Messages)), octets, 1500, Memory::Lent);
}

fn in_octets(octets: &[u8]) {
    show(&mut open_with(Role::Server, unlimited(Delivery::Messages)), octets, 1, Memory::Own);
}

fn delivered(octets: &[u8]) {
    show(&mut open_with(Role::Server, unlimited(Delivery::Fragments)), octets, 1500, Memory::Copied);
}

fn inflated(octets: &[u8]) {
    let agreement =
        Agreement::default().with_deflate(Deflate::new(DeflateConfig::default(), Params::default()));
    show(&mut open_agreed(Role::Server, agreement, Config::default()), octets, 1500, Memory::Lent);
}

fn as_request(octets: &[u8]) {
    let mut handshake = ServerHandshake::new(unlimited(Delivery::Messages), ServerSettings::default());
    for octet in octets.chunks(1) {
        let _ = handshake.receive(octet);
    }
    assert!(
        matches!(handshake.poll_event(), Some(hybi::handshake::Incoming::Upgrade(_))),
        "it is a good request"
    );
}

fn as_response(octets: &[u8]) {
    let request = ClientRequest::new("ws://h/").expect("an address");
    let mut handshake =
        ClientHandshake::new(request, unlimited(Delivery::Messages), BoxEntropy::new(fixed_entropy));
    for octet in octets.chunks(1) {
        let _ = handshake.receive(octet);
    }
    black_box(handshake.poll_event());
}
