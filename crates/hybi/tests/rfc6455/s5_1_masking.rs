//! §5.1, §5.3: a client masks all frames, a server none.

use hybi::{ProtocolError, Role};
use hybi_test::endpoint::{open, receive};
use hybi_test::frames::{KEY, first, from, masked, unmasked};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, sent};

twins! {
    fn a_client_must_mask_all_frames_and_a_server_must_not_mask_any(role) {
        let mut connection = open(role);
        connection.send("text").unwrap();
        connection.ping(b"ping").unwrap();
        connection.close_with(None).unwrap();
        for frame in sent(&mut connection) {
            assert_eq!(frame.key, (role == Role::Client).then_some(KEY));
        }
    }

    fn frames_of_the_peer_are_read_as_it_must_send_them(role) {
        let mut connection = open(role);
        let events = receive(&mut connection, &from(role.peer(), first::TEXT, b"Hello"));
        assert_eq!(events, [Record::text("Hello")]);
    }

    /// Whatever the length says and whatever follows: a frame that would be whole if it were masked rightly is none.
    fn the_mask_bit_is_judged_with_every_length(role) {
        let (error, wrong) = match role {
            Role::Client => (ProtocolError::MaskedFrame, 0x80),
            Role::Server => (ProtocolError::UnmaskedFrame, 0),
        };
        for first in [first::TEXT, first::BINARY, 0x01, first::PING] {
            for len in 0..=125 {
                let octets = [&[first, wrong | len][..], &[0; 200]].concat();
                assert_fails(&mut open(role), &octets, error, 1002);
            }
        }
    }

    fn control_frames_are_judged_too(role) {
        let (error, wrong) = match role {
            Role::Client => (ProtocolError::MaskedFrame, masked(first::PING, b"")),
            Role::Server => (ProtocolError::UnmaskedFrame, unmasked(first::PING, b"")),
        };
        assert_fails(&mut open(role), &wrong, error, 1002);
    }
}

#[test]
fn the_server_must_close_the_connection_upon_receiving_a_frame_that_is_not_masked() {
    let frame = unmasked(first::TEXT, b"Hello");
    assert_fails(&mut open(Role::Server), &frame, ProtocolError::UnmaskedFrame, 1002);
}

#[test]
fn a_client_must_close_a_connection_if_it_detects_a_masked_frame() {
    let frame = masked(first::TEXT, b"Hello");
    assert_fails(&mut open(Role::Client), &frame, ProtocolError::MaskedFrame, 1002);
}

/// §5.3: octet *i* is combined with octet *i* modulo 4 of the key; the example is that of §5.7.
#[test]
fn the_masking_algorithm() {
    let mut connection = open(Role::Client);
    connection.send("Hello").unwrap();
    assert_eq!(connection.transmit(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    for len in 0..40usize {
        let payload: Vec<u8> = (0..len as u8).collect();
        let events = receive(&mut open(Role::Server), &masked(first::BINARY, &payload));
        assert_eq!(events, [Record::Binary(payload)]);
    }
}

/// §5.3: a key of zeros is a key like any other.
#[test]
fn a_masking_key_of_zeros() {
    let events = receive(&mut open(Role::Server), b"\x82\x82\0\0\0\0\x01\x02");
    assert_eq!(events, [Record::Binary(vec![1, 2])]);
}
