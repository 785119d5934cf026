//! The parts of a connection by time: header, mask, utf8, receive, send, handshake, echo.
//!
//! For a look at one part while working on it: `cargo bench -p hybi-bench-time -- mask`. What is compared over time are
//! instructions (`benches/counts`), and what is compared with others is in `benches/peers`.

#![allow(missing_docs, reason = "macros of criterion make public functions")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hybi::handshake::{Accept, Incoming, ServerHandshake, ServerSettings};
use hybi::utf8::Utf8Validator;
use hybi::wire::{header::FrameHeader, mask};
use hybi::{Agreement, Config, Connection, Event, Opcode};
use std::hint::black_box;

const KEY: [u8; 4] = [0xA1, 0xB2, 0xC3, 0xD4];
const LENGTHS: [usize; 4] = [20, 125, 1024, 16 << 10];

const ASCII: &str = "tide after tide, ";
const MIXED: &str = "Ebbe und Flut \u{fc}ber \u{c5}land, mar\u{e9}e, \u{3b8}\u{3ac}\u{3bb}\u{3b1}\u{3c3}\u{3c3}\u{3b1}, \u{6f6e}\u{306e}\u{5e72}\u{6e80} \u{1f30a} tide after tide, ";
const KINDS: [(&str, &str); 2] = [("ascii", ASCII), ("mixed", MIXED)];

fn text(pattern: &str, len: usize) -> Vec<u8> {
    let mut text = pattern.repeat(len / pattern.len() + 1);
    while !text.is_char_boundary(len) {
        text.insert(0, '.');
    }
    text.truncate(len);
    text.into_bytes()
}

/// The same from another place of the pattern, as messages differ.
fn text_from(n: usize, pattern: &str, len: usize) -> Vec<u8> {
    let at = pattern.char_indices().nth(n * 7 % pattern.chars().count()).map_or(0, |(at, _)| at);
    text(&[&pattern[at..], &pattern[..at]].concat(), len)
}

fn ascii(len: usize) -> Vec<u8> {
    text(ASCII, len)
}

/// A text message as a client sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    let header =
        FrameHeader::new(true, Opcode::Text, payload.len() as u64).expect("such a frame exists").masked(KEY);
    let mut payload = payload.to_vec();
    mask::mask(&mut payload, KEY);
    [&header.encode(), &payload[..]].concat()
}

fn server() -> Connection {
    Connection::server(Agreement::default(), Config::default())
}

fn header(c: &mut Criterion) {
    let mut group = c.benchmark_group("header");
    for len in [20, 1024, 1 << 20] {
        let header = FrameHeader::new(true, Opcode::Binary, len).expect("such a frame exists").masked(KEY);
        let octets = header.encode();
        group.bench_function(BenchmarkId::new("parse", len), |b| {
            b.iter(|| FrameHeader::parse(black_box(&octets)));
        });
        group.bench_function(BenchmarkId::new("encode", len), |b| b.iter(|| black_box(header).encode()));
    }
}

fn masking(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask");
    for len in LENGTHS {
        let mut payload = ascii(len);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("mask", len), |b| {
            b.iter(|| mask::mask(black_box(&mut payload), black_box(KEY)));
        });
        group.bench_function(BenchmarkId::new("mask_ascii", len), |b| {
            b.iter(|| mask::mask_ascii(black_box(&mut payload), black_box(KEY)));
        });
    }
}

fn utf8(c: &mut Criterion) {
    let mut group = c.benchmark_group("utf8");
    for (kind, pattern) in KINDS {
        for len in LENGTHS {
            let text = text(pattern, len);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(kind, len), |b| {
                b.iter(|| {
                    let mut validator = Utf8Validator::default();
                    validator.update(black_box(&text)).and_then(|()| validator.finish())
                });
            });
        }
    }
}

/// What a connection does with text, next to its validation alone. A key of zeros leaves the text as it is, and is as
/// much work as any.
fn unmask_and_validate(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask and validate");
    for (kind, pattern) in KINDS {
        for len in LENGTHS {
            let mut text = text(pattern, len);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(format!("{kind}, simdutf8 alone"), len), |b| {
                b.iter(|| simdutf8::basic::from_utf8(black_box(&text)).is_ok());
            });
            group.bench_function(BenchmarkId::new(kind, len), |b| {
                b.iter(|| {
                    let mut validator = Utf8Validator::default();
                    black_box(&mut text).chunks_mut(8 << 10).all(|block| {
                        mask::mask_ascii(block, black_box([0; 4])) || validator.update(block).is_ok()
                    })
                });
            });
        }
    }
}

/// What a cut costs, whoever validates: text that is judged as it comes is judged in two pieces. The text moves under the
/// cut, as messages do under the ends of reads.
fn utf8_cut(c: &mut Criterion) {
    let mut group = c.benchmark_group("utf8 that is cut");
    let text = text(MIXED, 1024 + 700);
    let char_from = |at: usize| (at..).find(|&at| text[at] & 0xC0 != 0x80).expect("text goes on");
    let cuts: Vec<_> =
        (0..61).map(|n| [11 * n, 11 * n + 100 + 67 * n % 800, 11 * n + 1024].map(char_from)).collect();
    group.throughput(Throughput::Elements(cuts.len() as u64));
    let valid = |octets: &[u8]| simdutf8::basic::from_utf8(octets).is_ok();
    group.bench_function("whole, simdutf8 alone", |b| {
        b.iter(|| black_box(&cuts).iter().all(|&[start, _, end]| valid(&text[start..end])));
    });
    group.bench_function("in two pieces, simdutf8 alone", |b| {
        b.iter(|| {
            let mut cuts = black_box(&cuts).iter();
            cuts.all(|&[start, cut, end]| valid(&text[start..cut]) && valid(&text[cut..end]))
        });
    });
    let valid = |pieces: &[&[u8]]| {
        let mut validator = Utf8Validator::default();
        pieces.iter().all(|piece| validator.update(piece).is_ok()) && validator.finish().is_ok()
    };
    group.bench_function("whole", |b| {
        b.iter(|| black_box(&cuts).iter().all(|&[start, _, end]| valid(&[&text[start..end]])));
    });
    group.bench_function("in two pieces", |b| {
        b.iter(|| {
            let mut cuts = black_box(&cuts).iter();
            cuts.all(|&[start, cut, end]| valid(&[&text[start..cut], &text[cut..end]]))
        });
    });
}

/// Hands a read to a connection, and each message to `then`.
fn read(connection: &mut Connection, memory: &mut [u8], echo: bool) -> usize {
    let (mut input, mut seen) = (connection.receive(memory), 0);
    while let Some((event, sender)) = input.poll_event_with() {
        if let (true, Event::Text(text)) = (echo, &event) {
            sender.send(text).expect("the queue is emptied after each read");
        }
        seen += usize::from(matches!(black_box(&event), Event::Text(_)));
    }
    seen
}

fn transmit(connection: &mut Connection) {
    while !connection.transmit().is_empty() {
        let n = black_box(connection.transmit()).len();
        connection.transmitted(n);
    }
}

fn messages(c: &mut Criterion) {
    for (name, echo) in [("receive", false), ("echo", true)] {
        let mut group = c.benchmark_group(name);
        for (kind, pattern, len) in KINDS.into_iter().flat_map(|(a, b)| LENGTHS.map(|len| (a, b, len))) {
            let count = (32 << 10) / len;
            let frames = (0..count).flat_map(|n| frame(&text_from(n, pattern, len))).collect::<Vec<_>>();
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(kind, len), |b| {
                let (mut connection, mut memory) = (server(), frames.clone());
                b.iter(|| {
                    memory.copy_from_slice(&frames);
                    assert_eq!(read(&mut connection, &mut memory, echo), count);
                    transmit(&mut connection);
                });
            });
        }
    }
}

fn send(c: &mut Criterion) {
    let mut group = c.benchmark_group("send");
    for len in LENGTHS {
        let payload = ascii(len);
        group.throughput(Throughput::Bytes(len as u64));
        let client =
            || Connection::client(Agreement::default(), Config::default(), |key: &mut [u8]| key.fill(7));
        for (name, mut connection) in [("server", server()), ("client", client())] {
            group.bench_function(BenchmarkId::new(name, len), |b| {
                b.iter(|| {
                    connection.send(black_box(&payload[..])).expect("the queue is emptied each time");
                    transmit(&mut connection);
                });
            });
        }
    }
}

fn handshake(c: &mut Criterion) {
    const REQUEST: &[u8] = b"GET /tide HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    c.bench_function("handshake/server", |b| {
        b.iter_batched(
            || ServerHandshake::new(Config::default(), ServerSettings::default()),
            |mut handshake| {
                assert_eq!(handshake.receive(black_box(REQUEST)), REQUEST.len());
                let event = handshake.poll_event();
                assert!(matches!(event, Some(Incoming::Upgrade(_))));
                handshake.accept(Accept::new()).expect("a plain answer to a good request")
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(parts, header, masking, utf8, unmask_and_validate, utf8_cut, messages, send, handshake);
criterion_main!(parts);
