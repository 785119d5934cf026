//! §8.1: errors in UTF-8-encoded data.

use hybi::ProtocolError;
use hybi_test::endpoint::{Memory, config, open, open_with, receive};
use hybi_test::frames::{first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::assert_fails;

/// RFC 3629 §3, §4: overlong forms, surrogates, beyond U+10FFFF, loose and missing tails.
const WRONG: [&[u8]; 16] = [
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xff",
    b"\xfe",
    b"\xc3(",
    b"\xe2\x82(",
];

twins! {
    fn an_endpoint_must_fail_the_connection_on_text_that_is_not_utf8(role) {
        for wrong in WRONG {
            let text = [b"before ", wrong, b" after"].concat();
            assert_fails(&mut open(role), &to(role, first::TEXT, &text), ProtocolError::InvalidUtf8, 1007);
        }
    }

    fn neither_may_the_text_end_inside_a_character(role) {
        for cut in [&b"\xc3"[..], b"\xe2\x82", b"\xf0\x90\x80"] {
            assert_fails(&mut open(role), &to(role, first::TEXT, cut), ProtocolError::InvalidUtf8, 1007);
            let fragments = [to(role, 0x01, cut), to(role, first::CONTINUATION, b"")].concat();
            assert_fails(&mut open(role), &fragments, ProtocolError::InvalidUtf8, 1007);
        }
    }

    fn a_close_reason_is_text_too(role) {
        for wrong in WRONG.iter().chain(&[&b"\xe2\x82"[..]]) {
            let frame = to(role, first::CLOSE, &[b"\x03\xe8", *wrong].concat());
            assert_fails(&mut open(role), &frame, ProtocolError::InvalidUtf8, 1007);
        }
    }

    /// Not when the frame or the message ends, but with the octet that cannot be right.
    fn the_first_wrong_octet_fails_at_once(role) {
        for memory in Memory::ALL {
            let whole = to(role, first::TEXT, b"good \xf4\x90\x80\x80 and more");
            let wrong_at = whole.len() - 12; // the octet 0x90
            let (mut connection, mut events) = (open(role), Vec::new());
            memory.feed(&mut connection, &whole[..wrong_at], &mut events);
            assert_eq!(events, [], "F4 may begin a character");
            memory.feed(&mut connection, &whole[wrong_at..=wrong_at], &mut events);
            assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)], "{memory:?}");
        }
    }

    fn wherever_in_a_long_text_it_is(role) {
        for at in [0, 1, 63, 64, 8191, 8192, 8193, 16_384, 19_999] {
            let mut text = vec![b'x'; 20_000];
            text[at] = 0xFF;
            for memory in Memory::ALL {
                for chunk in [700, 20_100] {
                    let (mut connection, mut events) = (open(role), Vec::new());
                    for read in to(role, first::TEXT, &text).chunks(chunk) {
                        memory.feed(&mut connection, read, &mut events);
                    }
                    assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)], "{at} {memory:?} {chunk}");
                }
            }
        }
    }

    fn characters_cut_anywhere_are_whole_again(role) {
        let text = "aé€𐀀".repeat(3000);
        for chunk in [1, 3, 7, 1001] {
            for memory in Memory::ALL {
                let (mut connection, mut events) = (open(role), Vec::new());
                for read in to(role, first::TEXT, text.as_bytes()).chunks(chunk) {
                    memory.feed(&mut connection, read, &mut events);
                }
                assert!(events == [Record::text(&text)], "{memory:?} {chunk}");
            }
        }
    }

    /// The octets behind the cut are ASCII, which is looked at by another way than other text.
    fn a_character_that_ascii_cuts_off_fails_at_once(role) {
        for cut in [&b"\xc3"[..], b"\xe2\x82", b"\xf0\x90\x80"] {
            for ascii in [1, 100, 9000] {
                let ascii = vec![b'x'; ascii];
                for memory in Memory::ALL {
                    // In the next fragment, which is not the last.
                    let (mut connection, mut events) = (open(role), Vec::new());
                    memory.feed(&mut connection, &to(role, 0x01, cut), &mut events);
                    memory.feed(&mut connection, &to(role, 0x00, b""), &mut events);
                    assert_eq!(events, []);
                    memory.feed(&mut connection, &to(role, 0x00, &ascii), &mut events);
                    assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)], "{cut:x?} {memory:?}");
                    // In the next read, which does not end the frame.
                    let (mut connection, mut events) = (open(role), Vec::new());
                    let frame = to(role, first::TEXT, &[cut, &ascii, b"and more"].concat());
                    let (front, rest) = frame.split_at(frame.len() - ascii.len() - 8);
                    memory.feed(&mut connection, front, &mut events);
                    assert_eq!(events, []);
                    memory.feed(&mut connection, &rest[..ascii.len()], &mut events);
                    assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)], "{cut:x?} {memory:?}");
                }
            }
        }
    }

    fn unchecked_text_does_not_claim_to_be_text(role) {
        let mut connection = open_with(role, config(|config| config.strictness.utf8 = false));
        let events = receive(&mut connection, &to(role, first::TEXT, b"\xff"));
        assert_eq!(events, [Record::UncheckedText(vec![0xFF])]);
    }
}
