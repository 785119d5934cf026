//! §5.2: the base framing protocol.

use hybi::ProtocolError;
use hybi_test::endpoint::{config, open, open_with, receive};
use hybi_test::frames::{first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, second, sent};

twins! {
    fn reserved_bits_must_be_0_unless_an_extension_is_negotiated(role) {
        for rsv in [0x10, 0x20, 0x40, 0x70] {
            for opcode in [first::TEXT, first::BINARY, first::PING, first::CLOSE, first::PONG] {
                let frame = to(role, opcode | rsv, b"");
                assert_fails(&mut open(role), &frame, ProtocolError::ReservedBits, 1002);
            }
        }
    }

    fn if_an_unknown_opcode_is_received_the_endpoint_must_fail_the_connection(role) {
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            for fin in [0x00, 0x80] {
                let frame = to(role, opcode | fin, b"");
                assert_fails(&mut open(role), &frame, ProtocolError::ReservedOpcode, 1002);
            }
        }
    }

    fn the_length_of_the_payload_data(role) {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537] {
            let mut connection = open(role);
            assert_eq!(receive(&mut connection, &to(role, first::BINARY, &vec![7; len])), [Record::Binary(vec![7; len])]);
            connection.send(&vec![7; len]).unwrap();
            assert_eq!(sent(&mut connection)[0].payload.len(), len);
        }
    }

    fn the_minimal_number_of_bytes_must_be_used_to_encode_the_length(role) {
        let rows: [&[u8]; 5] = [
            &[0x82, second(role, 126), 0, 0],
            &[0x82, second(role, 126), 0, 125],
            &[0x82, second(role, 127), 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x82, second(role, 127), 0, 0, 0, 0, 0, 0, 0, 125],
            &[0x82, second(role, 127), 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        ];
        for header in rows {
            assert_fails(&mut open(role), header, ProtocolError::NonMinimalLength, 1002);
        }
    }

    fn longer_forms_of_the_length_can_be_allowed(role) {
        let mut connection = open_with(role, config(|config| config.strictness.shortest_length = false));
        let plain = to(role, first::BINARY, b"abc");
        let long = [&[plain[0], second(role, 126), 0, 3], &plain[2..]].concat();
        assert_eq!(receive(&mut connection, &long), [Record::Binary(b"abc".to_vec())]);
    }

    fn the_most_significant_bit_of_a_64_bit_length_must_be_0(role) {
        for top in [0x80, 0xFF] {
            let header = [0x82, second(role, 127), top, 0, 0, 0, 0, 0, 0, 0];
            assert_fails(&mut open(role), &header, ProtocolError::LengthOverflow, 1002);
        }
    }

    /// The first octet is enough to refuse a frame that cannot be right, the second for what it says.
    fn the_earliest_octet_decides(role) {
        assert_fails(&mut open(role), &[0xC1], ProtocolError::ReservedBits, 1002);
        assert_fails(&mut open(role), &[0x83], ProtocolError::ReservedOpcode, 1002);
        assert_fails(&mut open(role), &[0x08], ProtocolError::FragmentedControl, 1002);
        assert_fails(&mut open(role), &[0x80], ProtocolError::UnexpectedContinuation, 1002);
        assert_fails(&mut open(role), &[0x89, second(role, 126)], ProtocolError::ControlTooLong, 1002);
    }
}
