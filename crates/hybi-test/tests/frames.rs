//! The reader of frames refuses what may not be sent.

use hybi::Role;
use hybi_test::frames::{first, from, read_all, unmasked, whole_len};

#[test]
fn legal_streams_are_read() {
    for role in [Role::Client, Role::Server] {
        let frames = [
            from(role, 0x01, b"a"),
            from(role, first::PING, b"p"),
            from(role, first::CONTINUATION, &[7; 70_000]),
            from(role, first::CLOSE, b"\x03\xe8"),
            from(role, first::PONG, b""),
        ];
        let read = read_all(role, &frames.concat()).expect("a legal stream");
        let firsts: Vec<u8> = read.iter().map(hybi_test::frames::Frame::first).collect();
        assert_eq!(firsts, [0x01, first::PING, first::CONTINUATION, first::CLOSE, first::PONG]);
        assert_eq!((read[2].payload.len(), read[3].close_code()), (70_000, Some(1000)));
        assert!(read_all(role.peer(), &frames.concat()).is_err(), "masked by the wrong side");
    }
}

#[test]
fn illegal_streams_are_refused() {
    let server = |octets: &[u8]| read_all(Role::Server, octets);
    for octets in [
        &b"\x81"[..],
        b"\x81\x02a",
        b"\xc1\x00",
        b"\x83\x00",
        b"\x80\x00",
        b"\x01\x00\x81\x00",
        b"\x09\x00",
        b"\x82\x7e\x00\x05aaaaa",
        b"\x88\x00\x88\x00",
        b"\x88\x00\x81\x00",
        &unmasked(first::PING, &[0; 126]),
    ] {
        assert!(server(octets).is_err(), "{octets:x?}");
    }
    assert_eq!(server(b"\x88\x00\x8a\x00").map(|frames| frames.len()), Ok(2));
}

#[test]
fn a_frame_that_was_begun_does_not_count() {
    for role in [Role::Client, Role::Server] {
        let frames = [from(role, first::TEXT, b"abc"), from(role, first::BINARY, &[7; 300])].concat();
        let next = from(role, first::PING, b"p");
        for cut in 0..next.len() {
            assert_eq!(whole_len(&[&frames[..], &next[..cut]].concat()), frames.len(), "{role:?} {cut}");
        }
    }
}
