//! permessage-deflate: a file for what each section of RFC 7692 says. The same tests run with either back end:
//!
//! ```sh
//! cargo test -p hybi --test rfc7692
//! cargo test -p hybi --test rfc7692 --features zlib-rs
//! ```

#![cfg(any(feature = "deflate", feature = "zlib-rs"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

mod bits;
mod cost;
mod deflate;
mod examples;
#[cfg(feature = "handshake")]
mod framework;
mod inflate;
mod memory;
#[cfg(feature = "handshake")]
mod params;
mod properties;
mod reference;

use hybi::extension::permessage_deflate::{Deflater, InflateError, Inflater, Level, WindowBits};

/// What the end of a message loses (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// More than any message of these tests has.
const LIMIT: usize = 1 << 26;

fn bits(n: u8) -> WindowBits {
    WindowBits::new(n).unwrap()
}

fn level(n: u8) -> Level {
    Level::new(n).unwrap()
}

/// A whole message.
fn deflate(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    deflater.deflate(message, &mut payload, true).unwrap();
    payload
}

/// A whole payload.
fn inflate(inflater: &mut Inflater, payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    let mut message = Vec::new();
    inflater.finish(payload, &mut message, LIMIT)?;
    Ok(message)
}

/// A payload in pieces of so many octets.
fn inflate_cut(inflater: &mut Inflater, payload: &[u8], n: usize) -> Result<Vec<u8>, InflateError> {
    let mut message = Vec::new();
    for piece in payload.chunks(n) {
        inflater.inflate(piece, &mut message, LIMIT)?;
    }
    inflater.finish(&[], &mut message, LIMIT)?;
    Ok(message)
}

/// Text in which there is something to refer to, near and far.
fn text(len: usize, seed: u64) -> Vec<u8> {
    const WORDS: [&str; 12] =
        ["the", "tide", "is", "high", "at", "four", "in", "harbour", "and", "low", "ten", "\"}, {\"time\": "];
    let mut state = seed * 2 + 1;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut text = Vec::with_capacity(len + 32);
    while text.len() < len {
        text.extend_from_slice(WORDS[next(WORDS.len())].as_bytes());
        text.push(b' ');
        if next(5) == 0 {
            text.extend_from_slice(next(1_000_000).to_string().as_bytes());
        }
        if next(9) == 0 && !text.is_empty() {
            // Something again, from anywhere before.
            let start = next(text.len());
            let end = (start + next(60)).min(text.len());
            text.extend_from_within(start..end);
        }
    }
    text.truncate(len);
    text
}
