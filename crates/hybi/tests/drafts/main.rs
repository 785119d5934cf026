//! Versions 7 and 8: drafts 07 to 12 of HyBi. What differs from RFC 6455, and that nothing else does.
//! `docs/drafts.md` names the test for each rule.
#![cfg(feature = "handshake")]
#![allow(clippy::panic, reason = "the way a test says what it saw")]

mod close_codes;
mod framing;
mod opening;

use hybi::{Agreement, Config, Connection, Version};

const DRAFTS: [Version; 2] = [Version::V7, Version::V8];

/// The masking key of all frames here is zero, so what a client sends can be read as it is.
fn client(version: Version, config: &Config) -> Connection {
    let agreement = Agreement::default().with_version(version);
    Connection::client(agreement, config.clone(), |out: &mut [u8]| out.fill(0))
}

fn server(version: Version, config: &Config) -> Connection {
    Connection::server(Agreement::default().with_version(version), config.clone())
}

/// A masked frame, with a masking key of zeros.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("a short one");
    [&[0x80 | opcode, 0x80 | len, 0, 0, 0, 0], payload].concat()
}
