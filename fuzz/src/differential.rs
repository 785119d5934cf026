//! Our verdict, the reference model's, and another implementation's.
//!
//! Where no rule is broken, all three deliver the same messages. Where we refuse, the other one may refuse too, or let
//! it pass; but it must not have delivered another message before that. What is not compared: limits, which are ours
//! alone, and so they are out of the way here.

use std::io::{Cursor, Read, Write};

use hybi::{Config, Delivery, Role};
use hybi_test::endpoint::Memory;
use hybi_test::record::Record;
use hybi_test::twin::{Course, decode};
use hybi_test::verdict::verdict;
use tungstenite::protocol::{Role as TheirRole, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

use crate::receive::Arrival;

/// The same octets to three implementations.
pub fn differential(input: &[u8]) {
    let role = if input.first().is_some_and(|first| first & 2 != 0) { Role::Client } else { Role::Server };
    let octets = Arrival::of(role, input).octets;
    let mut config = Config::default();
    config.limits.pending_pongs = u32::MAX;
    (config.limits.fragments, config.limits.empty_fragments) = (1 << 20, 1 << 20);
    config.delivery = if octets.len() % 2 == 0 { Delivery::Messages } else { Delivery::Fragments };
    let expected = decode(role, &config, &octets);
    let ours = verdict(Course::default(), role, &config, Memory::Own, &[&octets]);
    assert_eq!((&ours.events, &ours.owed), (&expected.events, &expected.owed));

    let (theirs, whole) = theirs(role, &octets);
    let messages = messages(&ours.events);
    let failed = ours.events.iter().any(|event| matches!(event, Record::Failed(_)));
    if failed {
        let n = messages.len().min(theirs.len());
        assert_eq!(messages[..n], theirs[..n], "before the failure");
    } else {
        // What stands behind a close frame is looked at by them and not by us (§5.5.1).
        let closed = ours.events.iter().any(|event| matches!(event, Record::Close(_)));
        assert!(whole || closed, "they refuse what breaks no rule: {:?}", ours.events);
        assert_eq!(messages, theirs);
    }
}

/// The text and binary messages, before anything ended.
fn messages(events: &[Record]) -> Vec<Record> {
    events.iter().filter(|event| matches!(event, Record::Text(_) | Record::Binary(_))).cloned().collect()
}

/// Reads to the end, and takes whatever is written.
struct Transport(Cursor<Vec<u8>>);

impl Read for Transport {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Transport {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        Ok(octets.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What they deliver, and whether no rule was broken for them.
fn theirs(role: Role, octets: &[u8]) -> (Vec<Record>, bool) {
    let their_role = if role == Role::Client { TheirRole::Client } else { TheirRole::Server };
    let limits = Some(
        WebSocketConfig::default()
            .read_buffer_size(4096)
            .max_frame_size(Some(16 << 20))
            .max_message_size(Some(64 << 20)),
    );
    let mut socket = WebSocket::from_raw_socket(Transport(Cursor::new(octets.to_vec())), their_role, limits);
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => messages.push(Record::Text(text.as_bytes().to_vec())),
            Ok(Message::Binary(data)) => messages.push(Record::Binary(data.to_vec())),
            Ok(_) => {}
            // The octets are at their end, or the closing handshake is.
            Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_)) => return (messages, true),
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                return (messages, true);
            }
            Err(_) => return (messages, false),
        }
    }
}
