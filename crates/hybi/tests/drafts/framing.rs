//! Framing, masking and control frames are those of RFC 6455 in versions 7 and 8 too. Where an early draft let
//! pass what the RFC refuses, it is refused: no peer of any draft was meant to send it.

use hybi::{Config, Event, ProtocolError, Version};

use crate::{DRAFTS, client, masked, server};

/// What octets do to a server or a client of a version: all events, as text.
fn events(version: Version, to_server: bool, octets: &[u8]) -> Vec<String> {
    let config = Config::default();
    let mut connection = if to_server { server(version, &config) } else { client(version, &config) };
    connection.receive_copy(octets);
    let mut events = Vec::new();
    while let Some(event) = connection.poll_event() {
        events.push(format!("{event:?}"));
    }
    let octets = connection.transmit();
    events.push(format!("{octets:02x?}"));
    events
}

#[test]
fn frames_are_the_same_in_all_versions() {
    let to_server = [
        masked(1, b"text"),
        masked(2, b"\xff\x00"),
        masked(9, b"ping"),
        masked(10, b"pong"),
        masked(8, b"\x03\xe8bye"),
        masked(8, b""),
        [masked(1, b"a"), masked(1, b"b")].concat(),
        [vec![0x01, 0x81, 0, 0, 0, 0, b'a'], masked(9, b"x"), masked(0, b"b")].concat(),
        b"\x81\x01a".to_vec(),                 // not masked
        b"\x81\xfe\x00\x01\0\0\0\0a".to_vec(), // a longer form than needed
        masked(1, b"\xff"),
        masked(0, b"continues nothing"),
        masked(8, b"\x03"),
        b"\x09\x80\0\0\0\0".to_vec(), // a ping without FIN
    ];
    let to_client =
        [b"\x81\x02hi".to_vec(), b"\x89\x00".to_vec(), b"\x88\x02\x03\xe9".to_vec(), masked(1, b"a")];
    for version in DRAFTS {
        for octets in &to_server {
            assert_eq!(events(version, true, octets), events(Version::V13, true, octets), "{octets:02x?}");
        }
        for octets in &to_client {
            assert_eq!(events(version, false, octets), events(Version::V13, false, octets), "{octets:02x?}");
        }
    }
}

#[test]
fn what_early_drafts_let_pass_fails() {
    for (octets, error) in [
        (masked(0x41, b"rsv1"), ProtocolError::ReservedBits),
        (masked(0x21, b"rsv2"), ProtocolError::ReservedBits),
        (masked(3, b"opcode"), ProtocolError::ReservedOpcode),
        (masked(11, b"opcode"), ProtocolError::ReservedOpcode),
        (masked(1, b"\xc0\x80"), ProtocolError::InvalidUtf8),
        (masked(8, b"\x03\xe8\xff"), ProtocolError::InvalidUtf8),
    ] {
        for version in DRAFTS {
            let mut server = server(version, &Config::default());
            server.receive_copy(&octets);
            let event = server.poll_event();
            assert!(matches!(event, Some(Event::Failed(found)) if found == error), "{octets:02x?} {event:?}");
        }
    }
}

#[test]
fn messages_are_sent_the_same_in_all_versions() {
    let sent = |version| {
        let mut client = client(version, &Config::default());
        client.send("text").expect("open");
        client.ping(b"1").expect("open");
        client.send(&[0; 200][..]).expect("open");
        client.transmit().to_vec()
    };
    for version in DRAFTS {
        assert_eq!(sent(version), sent(Version::V13));
    }
}
