//! §7.2.3: the examples of the RFC.

use super::{LIMIT, bits, inflate, inflate_cut};
use hybi::extension::permessage_deflate::{Deflater, Inflater, Level, WindowBits};

/// A payload, and what it is.
type Example<'a> = (&'a [u8], &'a [u8]);

/// Payloads of one connection, one after another.
const EXAMPLES: &[(&str, &[Example<'_>])] = &[
    ("7.2.3.1 one block", &[(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], b"Hello")]),
    (
        "7.2.3.2 sharing the window",
        &[
            (&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], b"Hello"),
            (&[0xF2, 0x00, 0x11, 0x00, 0x00], b"Hello"),
        ],
    ),
    (
        "7.2.3.3 a block without compression",
        &[(&[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00], b"Hello")],
    ),
    (
        "7.2.3.4 a last block, and a message after it",
        &[
            (&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], b"Hello"),
            (&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], b"Hello"),
            (&[0xF2, 0x00, 0x11, 0x00, 0x00], b"Hello"),
        ],
    ),
    (
        "7.2.3.5 two blocks",
        &[(&[0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00], b"Hello")],
    ),
    ("7.2.3.6 an empty message", &[(&[0x00], b""), (&[0x02, 0x00], b""), (&[0x00], b"")]),
];

#[test]
fn the_examples_inflate_whole_and_in_every_cut() {
    for (name, messages) in EXAMPLES {
        for n in [1, 2, 3, 5, 100] {
            let mut inflater = Inflater::new(WindowBits::MAX, true);
            for (payload, message) in *messages {
                assert_eq!(inflate_cut(&mut inflater, payload, n).unwrap(), *message, "{name}, cut by {n}");
            }
        }
        let mut inflater = Inflater::new(WindowBits::MAX, true);
        for (payload, message) in *messages {
            assert_eq!(inflate(&mut inflater, payload).unwrap(), *message, "{name}");
        }
    }
}

#[test]
fn the_examples_inflate_with_one_octet_of_room_at_a_time() {
    for (name, messages) in EXAMPLES {
        let mut inflater = Inflater::new(bits(8), true);
        for (payload, message) in *messages {
            let (mut all, mut piece, mut rest) = (Vec::new(), Vec::new(), *payload);
            loop {
                piece.clear();
                let progress = inflater.inflate_some(rest, true, &mut piece, 1).unwrap();
                assert!(piece.len() <= 1);
                all.extend_from_slice(&piece);
                rest = &rest[progress.consumed..];
                if progress.done {
                    break;
                }
            }
            assert_eq!((&all[..], rest), (*message, &[][..]), "{name}");
        }
    }
}

#[test]
fn an_empty_message_is_one_octet() {
    for takeover in [true, false] {
        let mut deflater = Deflater::new(WindowBits::MAX, takeover, Level::default());
        let mut payload = Vec::new();
        deflater.deflate(b"", &mut payload, true).unwrap();
        assert_eq!(payload, [0x00]);
        deflater.deflate(b"Hello", &mut payload, true).unwrap();
        deflater.deflate(b"", &mut payload, true).unwrap();
        assert_eq!(payload.last(), Some(&0x00));
    }
}

#[test]
fn hello_becomes_what_the_rfc_shows() {
    let mut deflater = Deflater::new(WindowBits::MAX, true, Level::default());
    let mut payload = Vec::new();
    deflater.deflate(b"Hello", &mut payload, true).unwrap();
    assert_eq!(payload, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]);
    payload.clear();
    deflater.deflate(b"Hello", &mut payload, true).unwrap();
    assert_eq!(payload, [0xF2, 0x00, 0x11, 0x00, 0x00]);
}

#[test]
fn without_takeover_every_hello_is_the_first() {
    let mut deflater = Deflater::new(WindowBits::MAX, false, Level::default());
    for _ in 0..3 {
        let mut payload = Vec::new();
        deflater.deflate(b"Hello", &mut payload, true).unwrap();
        assert_eq!(payload, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]);
        deflater.release();
    }
    let mut inflater = Inflater::new(WindowBits::MAX, false);
    let mut message = Vec::new();
    inflater.finish(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], &mut message, LIMIT).unwrap();
    assert!(inflater.finish(&[0xF2, 0x00, 0x11, 0x00, 0x00], &mut message, LIMIT).is_err(), "no context");
}
