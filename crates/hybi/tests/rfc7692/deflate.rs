//! §7.2.1: compression, and windows that are kept (§7.1.2).

use super::{LIMIT, TAIL, bits, deflate, inflate, level, reference, text};
use hybi::extension::permessage_deflate::{Deflater, Inflater, Level, WindowBits};

/// Messages of many sizes, with much to refer to at every distance.
fn messages() -> Vec<Vec<u8>> {
    let all = text(400_000, 1);
    let mut messages = Vec::new();
    let mut at = 0;
    for n in [1, 10, 100, 250, 300, 511, 513, 1_000, 3_000, 200, 200, 200, 5_000, 36_000, 70, 9_000] {
        messages.push(all[at..at + n].to_vec());
        at += n;
        messages.push(messages[messages.len() / 2].clone());
    }
    messages
}

#[test]
fn distances_stay_inside_the_agreed_window() {
    for n in 8..=15 {
        for l in [0, 1, 6] {
            for takeover in [true, false] {
                let mut deflater = Deflater::new(bits(n), takeover, level(l));
                let mut inflater = Inflater::new(bits(n), takeover);
                let (mut stream, mut expected) = (Vec::new(), Vec::new());
                for message in messages() {
                    let payload = deflate(&mut deflater, &message);
                    assert!(inflate(&mut inflater, &payload).unwrap() == message, "{n} bits, level {l}");
                    if !takeover {
                        (stream, expected) = (Vec::new(), Vec::new());
                    }
                    stream.extend_from_slice(&payload);
                    stream.extend_from_slice(&TAIL);
                    expected.extend_from_slice(&message);
                    if !takeover {
                        check(&stream, &expected, n, l);
                    }
                }
                check(&stream, &expected, n, l);
            }
        }
    }
}

fn check(stream: &[u8], expected: &[u8], n: u8, l: u8) {
    let inflated = reference::inflate(stream).unwrap();
    assert!(inflated.octets == expected);
    assert!(inflated.distance <= 1 << n, "{n} bits, level {l}: {}", inflated.distance);
}

#[test]
fn the_agreed_window_is_used() {
    for n in 8..=15 {
        let mut deflater = Deflater::new(bits(n), true, Level::default());
        let mut stream = Vec::new();
        for message in messages() {
            stream.extend(deflate(&mut deflater, &message));
            stream.extend_from_slice(&TAIL);
        }
        let distance = reference::inflate(&stream).unwrap().distance;
        let least = if n == 8 { 128 } else { (1 << n) / 2 - 64 };
        assert!(distance >= least.min(250), "{n} bits: {distance}");
        assert!(n < 10 || distance >= least, "{n} bits: {distance}");
    }
}

#[test]
fn fragments_end_at_an_octet_and_only_the_last_loses_the_tail() {
    let text = text(5_000, 2);
    for n in [8, 9, 12, 15] {
        for takeover in [true, false] {
            let mut deflater = Deflater::new(bits(n), takeover, Level::default());
            let mut inflater = Inflater::new(bits(n), takeover);
            for size in [1, 7, 100, 1_000, 5_000] {
                let (mut payloads, mut message) = (Vec::new(), Vec::new());
                for (i, fragment) in text.chunks(size).enumerate() {
                    let mut payload = Vec::new();
                    let last = (i + 1) * size >= text.len();
                    deflater.deflate(fragment, &mut payload, last).unwrap();
                    assert_eq!((payload.ends_with(&TAIL), deflater.is_in_message()), (!last, !last));
                    payloads.push(payload);
                }
                // What was sent is there at once: nothing waits in the compressor.
                for (i, payload) in payloads.iter().enumerate() {
                    inflater.inflate(payload, &mut message, LIMIT).unwrap();
                    assert_eq!(message.len(), text.len().min((i + 1) * size));
                }
                inflater.finish(&[], &mut message, LIMIT).unwrap();
                assert!(message == text);
            }
        }
    }
}

#[test]
fn empty_fragments() {
    let rows: &[&[&[u8]]] = &[&[b"", b"Hello", b""], &[b"", b""], &[b"Hello", b"", b"", b"Hello"], &[b""]];
    for takeover in [true, false] {
        let mut deflater = Deflater::new(WindowBits::MAX, takeover, Level::default());
        let mut inflater = Inflater::new(WindowBits::MAX, takeover);
        for fragments in rows.iter().chain(rows) {
            let mut payload = Vec::new();
            for (i, fragment) in fragments.iter().enumerate() {
                deflater.deflate(fragment, &mut payload, i + 1 == fragments.len()).unwrap();
            }
            assert_eq!(inflate(&mut inflater, &payload).unwrap(), fragments.concat());
        }
    }
}

#[test]
fn level_0_stores() {
    let text = text(100_000, 5);
    let payload = deflate(&mut Deflater::new(bits(10), true, Level::STORE), &text);
    assert!(payload.len() > text.len());
    assert!(inflate(&mut Inflater::new(bits(10), true), &payload).unwrap() == text);
}

#[test]
fn a_second_message_is_smaller_where_the_context_is_taken_over() {
    let message = text(2_000, 6);
    for (takeover, smaller) in [(true, true), (false, false)] {
        let mut deflater = Deflater::new(bits(13), takeover, Level::default());
        let first = deflate(&mut deflater, &message);
        deflater.release();
        let second = deflate(&mut deflater, &message);
        assert_eq!(second.len() < first.len() / 10, smaller);
        assert_eq!(second == first, !smaller);
    }
}

/// §7.1.1.1: what came before leaves no trace, not even in what is not referred to.
#[test]
fn without_takeover_the_same_message_becomes_the_same_octets() {
    for n in [9, 15] {
        for l in [0, 1, 3, 6, 9] {
            for message in [b"salt and sand, ".repeat(12), text(3_000, 7), b"Hello".to_vec()] {
                let mut deflater = Deflater::new(bits(n), false, level(l));
                let first = deflate(&mut deflater, &message);
                for _ in 0..3 {
                    assert!(deflate(&mut deflater, &message) == first, "{n} bits, level {l}");
                }
            }
        }
    }
}

/// Wherever in a window a message ends, the next one can refer to it.
#[test]
fn what_was_just_sent_is_referred_to() {
    for n in 10..=15 {
        let mut deflater = Deflater::new(bits(n), true, Level::default());
        for message in noise(16 << n).chunks(200) {
            deflate(&mut deflater, message);
            let again = deflate(&mut deflater, message).len();
            assert!(again <= 20 || message.len() < 200, "{n} bits: {again}");
        }
    }
}

/// A window is full when as many octets were sent, and not before.
#[test]
fn what_fills_a_window_can_refer_to_all_of_it() {
    for n in 10..=15 {
        let eighth = bits(n).len() / 8;
        let mut deflater = Deflater::new(bits(n), true, Level::default());
        let sent = noise(5 * eighth);
        deflate(&mut deflater, &sent);
        let again = deflate(&mut deflater, &sent[..3 * eighth]).len();
        assert!(again < eighth / 2, "{n} bits: {again}");
    }
}

/// Five literals and one match; zlib cannot refer to the first of all octets.
#[test]
fn without_takeover_each_message_can_refer_to_its_first_octet() {
    let mut deflater = Deflater::new(WindowBits::MAX, false, Level::default());
    for _ in 0..3 {
        let payload = deflate(&mut deflater, b"HelloHello");
        assert_eq!(payload.len(), if cfg!(feature = "zlib-rs") { 10 } else { 9 });
    }
}

/// What hardly compresses.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(len)
    .collect()
}

#[test]
fn what_does_not_compress_becomes_little_longer() {
    let noise = noise(100_000);
    let payload = deflate(&mut Deflater::new(WindowBits::MAX, true, Level::default()), &noise);
    assert!(payload.len() < noise.len() + 100, "{}", payload.len());
    assert!(inflate(&mut Inflater::new(WindowBits::MAX, true), &payload).unwrap() == noise);
}
