//! Seeds: every transcript as an input of the targets that receive, and a handful of good heads.

use hybi::Role;
use hybi_test::dice::Dice;
use hybi_test::transcript::{Transcript, read_all};

use crate::receive::input_of;

/// An input of a target.
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// What it shows.
    pub name: String,
    /// The octets.
    pub input: Vec<u8>,
}

fn seed(target: &'static str, name: impl ToString, input: &[u8]) -> Seed {
    Seed { target, name: name.to_string(), input: input.to_vec() }
}

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut seeds = kernels();
    seeds.extend(heads());
    for (name, text) in read_all() {
        let transcript = Transcript::parse(&text).expect("it is played in the tests");
        for role in transcript.roles() {
            let octets = transcript.arrives(*role);
            if octets.len() <= 2000 && transcript.deflate.is_none() {
                seeds.extend(arrival(*role, name.trim_end_matches(".txt"), &octets));
            }
        }
    }
    seeds
}

fn arrival(role: Role, name: &str, octets: &[u8]) -> [Seed; 3] {
    let (target, is_client) = match role {
        Role::Client => ("receive_client", 2),
        Role::Server => ("receive_server", 0),
    };
    let input = input_of(role, octets);
    let mut to_compare = input.clone();
    to_compare[0] |= is_client; // the target `differential` asks it for the role
    [
        seed(target, name, &input),
        seed("differential", format!("{name}-{role:?}"), &to_compare),
        seed("header", format!("{name}-{role:?}"), &octets[..octets.len().min(14)]),
    ]
}

fn kernels() -> Vec<Seed> {
    let texts = ["plain", "é€𐀀", "cut \u{20AC}", "\u{D7FF}\u{E000}\u{10FFFF}"];
    let of_text = |(i, text): (usize, &&str)| {
        let masked = [b"\x37\xfa\x21\x3d\x03\x05", text.repeat(10).as_bytes()].concat();
        [seed("utf8", i, &[&[i as u8], text.as_bytes()].concat()), seed("mask", i, &masked)]
    };
    let lives = (0..20).map(|n| seed("pair", n, &Dice::seeded(n).octets(200)));
    texts.iter().enumerate().flat_map(of_text).chain(lives).collect()
}

fn heads() -> Vec<Seed> {
    let request = "GET /chat?a=b HTTP/1.1\r\nHost: example.com:81\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let more = [
        "",
        "Origin: https://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10, a; b=\"c\\d\"\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Sec-WebSocket-Protocol: chat\r\n",
    ];
    let mut seeds = Vec::new();
    for (i, lines) in more.iter().enumerate() {
        seeds.push(seed("request", i, format!("\0\0\0\0\0{request}{lines}\r\nand more").as_bytes()));
        seeds.push(seed("response", i, format!("\0\0\x01\0{response}{lines}\r\nand more").as_bytes()));
    }
    let refused =
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n";
    seeds.push(seed("response", "chunked", format!("\0\0\0\0{refused}").as_bytes()));
    seeds.push(seed(
        "response",
        "sized",
        b"\0\0\0\0HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 3\r\n\r\nabc",
    ));
    seeds.push(seed("proxy", "refused", format!("\0\0\0{refused}").as_bytes()));
    for answer in ["200 Connection established\r\n\r\nearly", "407 No\r\nProxy-Authenticate: Basic\r\n\r\n"] {
        seeds.push(seed("proxy", &answer[..3], format!("\0\0\0HTTP/1.1 {answer}").as_bytes()));
    }
    let list = ":method:CONNECT\n:protocol:websocket\n:scheme:https\n:authority:h:81\n:path:/a?b\nsec-websocket-version:13\n\
        origin:https://example.com\nsec-websocket-protocol:chat\nsec-websocket-extensions:permessage-deflate";
    for i in 0..4u8 {
        seeds.push(seed("extended", i, &[&[2, i], list.as_bytes()].concat()));
    }
    let open = format!("{response}Sec-WebSocket-Protocol: chat\r\n\r\n");
    let tunnel = "HTTP/1.1 200 OK\r\n\r\n";
    let older = "HTTP/1.1 426 No\r\nSec-WebSocket-Version: 8\r\n\r\n";
    let moved = |place| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n");
    let ways: [&[&str]; 6] = [
        &[&open],
        &[tunnel, &open],
        &[&moved("/other?z"), &open],
        &[tunnel, &moved("wss://b.example/"), tunnel, &open],
        &[&moved("ws://a.example:80/"), &moved("ws+unix:/s:/p"), &open],
        &[older, older, &open],
    ];
    for (choice, answers) in (0..64u8).flat_map(|choice| ways.iter().map(move |way| (choice, way))) {
        let with_lengths = answers
            .iter()
            .flat_map(|answer| [&(answer.len() as u16).to_be_bytes()[..], answer.as_bytes()].concat());
        let input: Vec<u8> = [choice, 6].into_iter().chain(with_lengths).collect();
        let name = format!("{choice}-{}", answers.iter().map(|answer| &answer[9..12]).collect::<String>());
        seeds.push(seed("journey", format!("{name}-{}", input.len()), &input));
    }
    seeds
}
