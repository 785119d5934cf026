//! RFC 6455, section by section: what it obliges an endpoint to, in its own words, for a client and a server.
//!
//! Each test is short and shows one rule. That the rules hold wherever octets are cut is shown by
//! `chunking.rs`, which plays `transcripts/`, and by `properties.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

mod s10_4_limits;
mod s5_1_masking;
mod s5_2_framing;
mod s5_4_fragmentation;
mod s5_5_control;
mod s5_6_data;
mod s7_closing;
mod s8_1_utf8;
mod s9_extensions;

use hybi::{Connection, ProtocolError, Role, State, TransportAction, UsageError};
use hybi_test::endpoint::{receive, transmit_all};
use hybi_test::frames::{Frame, read_all};
use hybi_test::record::Record;

/// What the connection sends.
fn sent(connection: &mut Connection) -> Vec<Frame> {
    let role = connection.role();
    read_all(role, &transmit_all(connection)).unwrap()
}

/// The octets fail the connection, for this reason, and the peer is told by a close frame with this code.
#[track_caller]
fn assert_fails(connection: &mut Connection, octets: &[u8], error: ProtocolError, code: u16) {
    let events = receive(connection, octets);
    assert_eq!(events.last(), Some(&Record::Failed(error)), "{events:?}");
    assert_eq!(error.close_code().value(), code);
    let frames = sent(connection);
    assert_eq!(frames.iter().filter_map(Frame::close_code).collect::<Vec<_>>(), [code]);
    // §7.1.7: nothing that comes then is processed, and nothing more is said.
    assert_eq!(connection.state(), State::Closing);
    assert_eq!(receive(connection, b"\x81\x01x"), []);
    assert_eq!(connection.send("x"), Err(UsageError::NotOpen));
    assert_eq!(sent(connection), []);
    assert_eq!(connection.transport_action(), TransportAction::ShutdownWrite);
}

/// Text of the messages among some events.
fn texts(events: &[Record]) -> Vec<String> {
    let text = |event: &Record| match event {
        Record::Text(text) => Some(String::from_utf8(text.clone()).unwrap()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

/// The octet that a role expects with this length: with the MASK bit or without.
fn second(role: Role, len: u8) -> u8 {
    if role == Role::Server { 0x80 | len } else { len }
}
