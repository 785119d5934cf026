//! §7.2.2: decompression, and what is refused.

use super::bits::{Bits, dynamic, empty_dynamic};
use super::{LIMIT, TAIL, bits, inflate, inflate_cut};
use hybi::extension::permessage_deflate::{InflateError, Inflater, Progress, WindowBits};

fn inflater() -> Inflater {
    Inflater::new(WindowBits::MAX, true)
}

/// A fixed block.
fn fixed(write: impl FnOnce(&mut Bits)) -> Bits {
    let mut bits = Bits::default();
    bits.header(false, 1);
    write(&mut bits);
    bits
}

#[test]
fn payloads_that_are_no_stream_are_refused_in_every_cut() {
    let rows: &[(&str, Vec<u8>)] = &[
        ("block type 3", Bits::default().header(false, 3).payload()),
        ("wrong complement of a stored length", vec![0x00, 0x05, 0x00, 0xFA, 0xFE, 0x00]),
        ("ends inside a stored block", vec![0x00, 0x06, 0x00, 0xF9, 0xFF, 0x48]),
        ("ends inside a code", vec![0xF2, 0x48, 0xCD]),
        ("ends without the header of the tail's block", Bits::default().stored(false, b"a").octets()),
        ("symbol 286", fixed(|b| _ = b.code("11000110")).payload()),
        ("distance symbol 30", fixed(|b| _ = b.literal(b'a').code("0000001").code("11110")).payload()),
        ("distance before the beginning", fixed(|b| _ = b.literal(b'a').match_3(2).end()).payload()),
        ("287 literals", of_zeros(287, 1).payload()),
        ("31 distances", of_zeros(257, 31).payload()),
        ("no code of code lengths", dynamic(257, 1, &[0, 0, 0, 0]).payload()),
        ("incomplete code of code lengths", dynamic(257, 1, &[0, 0, 1, 0]).payload()),
        ("too many codes of code lengths", dynamic(257, 1, &[1, 1, 1, 0]).payload()),
        ("repeats a length before the first", dynamic(257, 1, &[1, 1, 0, 0]).code("0").payload()),
        ("more lengths than announced", {
            // 18 is `1`: 138 + 138 zeros for 258 lengths.
            let mut b = dynamic(257, 1, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            b.code("1").put(127, 7).code("1").put(127, 7).payload()
        }),
        ("no code for the end of the block", {
            let mut b = dynamic(257, 1, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            b.code("0").code("0").code("1").put(127, 7).code("1").put(107, 7).payload()
        }),
        ("a distance code that is none", {
            // As in `empty_dynamic`, with a code of one bit for 257, a length, and one distance code, `0`. There is
            // something to refer to, should `1` be taken for what it was in the code of code lengths.
            let mut b = dynamic(258, 1, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            b.code("1").put(127, 7).code("1").put(107, 7).code("0").code("0").code("0");
            b.code("1").code("1").code("0");
            Bits::default().stored(false, &[b'x'; 30]).append(&b).payload()
        }),
        ("incomplete code of literals", one_code("11", "10").payload()),
        ("incomplete code of distances", one_code("10", "11").payload()),
        ("too many codes of literals", {
            let mut b = one_and_two(257, 1);
            b.code("0").put(127, 7).code("0").put(116 - 11, 7); // 254 zeros
            b.code("10").code("10").code("10").code("10").code("0").payload() // three literals, one distance
        }),
    ];
    for (name, payload) in rows {
        assert_eq!(inflate(&mut inflater(), payload), Err(InflateError::Corrupt), "{name}");
        for n in [1, 2, 3, 7, 16] {
            assert_eq!(
                inflate_cut(&mut inflater(), payload, n),
                Err(InflateError::Corrupt),
                "{name}, cut by {n}"
            );
        }
    }
}

/// Not with an octet more, and not when the message ends.
#[test]
fn what_is_no_stream_is_refused_by_the_octet_that_shows_it() {
    let repeat_before_the_first = dynamic(257, 1, &[1, 1, 0, 0]).code("0").put(0, 2).octets();
    let rows: &[(&str, Vec<u8>)] = &[
        ("block type 3", Bits::default().header(false, 3).octets()),
        ("wrong complement of a stored length", vec![0x00, 0x05, 0x00, 0xFA, 0xFE]),
        ("symbol 286", fixed(|b| _ = b.code("11000110")).octets()),
        ("distance symbol 30", fixed(|b| _ = b.literal(b'a').code("0000001").code("11110")).octets()),
        ("distance before the beginning", fixed(|b| _ = b.literal(b'a').match_3(2)).octets()),
        ("287 literals", Bits::default().header(false, 2).put(287 - 257, 5).put(0, 9).octets()),
        ("a lone code of code lengths", dynamic(257, 1, &[0, 0, 1, 0]).octets()),
        ("repeats a length before the first", repeat_before_the_first),
    ];
    for (name, stream) in rows {
        let mut inflater = inflater();
        let (last, before) = stream.split_last().unwrap();
        assert_eq!(inflater.inflate(before, &mut Vec::new(), LIMIT), Ok(()), "{name}");
        assert_eq!(inflater.inflate(&[*last], &mut Vec::new(), LIMIT), Err(InflateError::Corrupt), "{name}");
    }
}

/// Of the code lengths many zeros are `0`, 1 is `10`, 2 is `11`.
fn one_and_two(literals: u32, distances: u32) -> Bits {
    dynamic(literals, distances, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2])
}

/// A block with one literal, the end of the block, and one distance, of these lengths, and then zeros.
fn one_code(literal: &str, distance: &str) -> Bits {
    let mut bits = one_and_two(257, 1);
    bits.code("0").put(127, 7).code("0").put(118 - 11, 7); // 256 zeros
    bits.code(literal).code(distance).code(if literal == "11" { "00" } else { "0" });
    bits
}

/// As `empty_dynamic`, with codes for nothing behind the end of the block and behind the first distance.
fn of_zeros(literals: u32, distances: u32) -> Bits {
    let mut bits = dynamic(literals, distances, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bits.code("1").put(138 - 11, 7).code("1").put(118 - 11, 7).code("0"); // 256 zeros, 1
    if literals > 257 {
        bits.code("1").put(literals - 257 - 11, 7);
    }
    bits.code("0");
    if distances > 1 {
        bits.code("1").put(distances - 1 - 11, 7);
    }
    bits.code("0"); // the end of the block
    bits
}

#[test]
fn a_block_may_announce_all_codes_that_there_are() {
    assert_eq!(
        inflate(&mut inflater(), &one_code("10", "10").payload()).unwrap(),
        b"",
        "the rows are near to this"
    );
    for (literals, distances) in [(286, 1), (257, 30), (286, 30)] {
        let payload = of_zeros(literals, distances).payload();
        assert_eq!(inflate(&mut inflater(), &payload).unwrap(), b"", "{literals} {distances}");
    }
}

/// Nothing waits for an octet that it does not need.
#[test]
fn what_ends_with_an_octet_is_there_at_once() {
    const NINE_BITS: &str = "110010000"; // the literal 144
    let literals = fixed(|b| _ = b.code(&NINE_BITS.repeat(5)));
    let repeated = fixed(|b| {
        b"abcdef".iter().for_each(|octet| _ = b.literal(*octet));
        b.match_3(6);
    });
    for (stream, expected) in [(literals, &[144; 5][..]), (repeated, b"abcdefabc")] {
        let mut message = Vec::new();
        inflater().inflate(&stream.octets(), &mut message, LIMIT).unwrap();
        assert_eq!(message, expected);
    }
    let mut last = Bits::default();
    last.header(true, 1).code(&NINE_BITS.repeat(6)).end();
    assert_eq!(last.octets().len(), 8);
    assert_eq!(inflate(&mut inflater(), &last.octets()).unwrap(), [144; 6]);
}

#[test]
fn after_an_error_nothing_more_is_inflated() {
    let mut inflater = inflater();
    assert_eq!(inflate(&mut inflater, &[0x07]), Err(InflateError::Corrupt));
    assert_eq!(inflate(&mut inflater, &[0x00]), Err(InflateError::Corrupt));
}

#[test]
fn blocks_of_all_types_follow_one_another() {
    let mut stream = Bits::default();
    stream.stored(false, b"stored ").header(false, 1).literal(b'f').literal(b'i').literal(b'x').end();
    stream.append(&empty_dynamic()).stored(false, b"").append(&empty_dynamic());
    stream.header(false, 1).end().header(false, 1).match_3(3).end().stored(false, b"!");
    for n in [1, 2, 3, 5, 8, 100] {
        assert_eq!(inflate_cut(&mut inflater(), &stream.payload(), n).unwrap(), b"stored fixfix!");
    }
}

#[test]
fn last_blocks_are_followed_by_further_ones() {
    let mut stream = Bits::default();
    stream.header(true, 1).literal(b'a').end().align();
    stream.stored(true, b"b").header(true, 1).match_3(2).end().align();
    let expected = b"ababa";
    for n in [1, 2, 100] {
        let mut inflater = inflater();
        assert_eq!(inflate_cut(&mut inflater, &stream.payload(), n).unwrap(), expected);
        // A message that ends with a last block needs neither the further octet nor the tail.
        assert_eq!(inflate_cut(&mut inflater, &stream.octets(), n).unwrap(), expected);
        assert_eq!(inflate_cut(&mut inflater, &stream.payload(), n).unwrap(), expected);
    }
}

#[test]
fn octets_behind_a_last_block_are_a_block() {
    let mut stream = Bits::default();
    stream.header(true, 1).literal(b'a').end().align().put(0x07, 8);
    assert_eq!(inflate(&mut inflater(), &stream.octets()), Err(InflateError::Corrupt));
}

#[test]
fn a_payload_without_octets_is_an_empty_message() {
    let mut inflater = inflater();
    assert_eq!(inflate(&mut inflater, &[]).unwrap(), b"");
    assert_eq!(inflate(&mut inflater, &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]).unwrap(), b"Hello");
    assert_eq!(inflate(&mut inflater, &[]).unwrap(), b"");
    assert_eq!(inflate(&mut inflater, &[0xF2, 0x00, 0x11, 0x00, 0x00]).unwrap(), b"Hello");
}

#[test]
fn a_payload_that_brings_the_tail_itself_has_one_more_empty_block() {
    let payload = [&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..], &TAIL, &[0x00]].concat();
    assert_eq!(inflate(&mut inflater(), &payload).unwrap(), b"Hello");
}

/// §7.1.2: the sender promised not to.
#[test]
fn distances_beyond_the_agreed_window_are_refused() {
    for n in 8..=14 {
        let window = bits(n).len();
        let stored = vec![b'x'; window + 1];
        let far = |distance| {
            let mut stream = Bits::default();
            stream.stored(false, &stored).header(false, 1).match_3(distance as u32).end();
            stream.payload()
        };
        // Within one call, and across calls.
        for cut in [usize::MAX, 100] {
            let mut inflater = Inflater::new(bits(n), true);
            let cut_at = |payload: &[u8]| cut.min(payload.len());
            let near = far(window);
            assert!(inflate_cut(&mut inflater, &near, cut_at(&near)).is_ok(), "{n} bits");
            let beyond = far(window + 1);
            let mut inflater = Inflater::new(bits(n), true);
            assert_eq!(
                inflate_cut(&mut inflater, &beyond, cut_at(&beyond)),
                Err(InflateError::Corrupt),
                "{n} bits"
            );
        }
    }
}

#[test]
fn the_window_reaches_into_earlier_messages() {
    for n in 8..=15 {
        let window = bits(n).len();
        let mut inflater = Inflater::new(bits(n), true);
        let mut all = Vec::new();
        for i in 0..200usize {
            let mut stream = Bits::default();
            stream.stored(false, &vec![i as u8; 1 + i * 37 % 500]);
            let last = inflate(&mut inflater, &stream.payload()).unwrap();
            all.extend_from_slice(&last);
            let distance = window.min(all.len());
            let payload = fixed(|b| _ = b.match_3(distance as u32).end()).payload();
            let again = inflate(&mut inflater, &payload).unwrap();
            assert_eq!(again.len(), 3);
            for octet in again {
                assert_eq!(octet, all[all.len() - distance], "{n} bits, message {i}");
                all.push(octet);
            }
        }
        assert!(inflater.heap_len() <= window + 6 * 1024);
    }
}

/// §8, and I-12: the limit is on what comes out, over all fragments.
#[test]
fn a_message_is_never_larger_than_its_limit() {
    let zeros = super::deflate(
        &mut super::Deflater::new(WindowBits::MAX, true, super::Level::default()),
        &vec![0; 1 << 24],
    );
    assert!(zeros.len() < 80_000);
    for limit in [0, 1, 2, 100, 1_000, 65_536, (1 << 24) - 1] {
        for n in [1000, usize::MAX] {
            let mut message = Vec::new();
            let mut inflater = inflater();
            let mut result = Ok(());
            for piece in zeros.chunks(n.min(zeros.len())) {
                result = result.and_then(|()| inflater.inflate(piece, &mut message, limit));
            }
            let result = result.and_then(|()| inflater.finish(&[], &mut message, limit));
            assert_eq!(result, Err(InflateError::TooBig));
            assert_eq!(message.len(), limit);
            assert!(message.capacity() <= limit.max(1024), "{} for {limit}", message.capacity());
        }
    }
    let mut message = Vec::new();
    inflater().finish(&zeros, &mut message, 1 << 24).unwrap();
    assert_eq!(message.len(), 1 << 24, "the limit itself is allowed");
}

#[test]
fn what_follows_the_last_octet_at_the_limit_is_still_looked_at() {
    let mut stream = Bits::default();
    stream.stored(false, b"12345").append(&empty_dynamic()).header(false, 1).end();
    let mut message = Vec::new();
    inflater().finish(&stream.payload(), &mut message, 5).unwrap();
    assert_eq!(message, b"12345");
    stream.stored(false, b"6");
    message.clear();
    assert_eq!(inflater().finish(&stream.payload(), &mut message, 5), Err(InflateError::TooBig));
}

#[test]
fn fragments_are_delivered_with_bounded_room() {
    let text = super::text(100_000, 7);
    let payload =
        super::deflate(&mut super::Deflater::new(WindowBits::MAX, true, super::Level::default()), &text);
    for room in [1, 10, 300, 4096, 1 << 20] {
        let mut inflater = inflater();
        let (mut all, mut piece) = (Vec::new(), Vec::new());
        for (i, input) in payload.chunks(1000).enumerate() {
            let last = i + 1 == payload.len().div_ceil(1000);
            let mut rest = input;
            loop {
                piece.clear();
                let Progress { consumed, done, .. } =
                    inflater.inflate_some(rest, last, &mut piece, room).unwrap();
                assert!(piece.len() <= room);
                all.extend_from_slice(&piece);
                rest = &rest[consumed..];
                if done {
                    break;
                }
                assert_eq!((piece.len(), inflater.is_in_message()), (room, true));
            }
            assert!(rest.is_empty());
        }
        assert!(all == text, "{room}");
        assert!(!inflater.is_in_message());
    }
}

#[test]
fn octets_that_were_not_consumed_leave_no_trace() {
    let text = b"Hello, hello, hello there";
    let payload = fixed(|b| text.iter().for_each(|octet| _ = b.literal(*octet))).end().payload();
    for room in 0..text.len() - 9 {
        let mut message = Vec::new();
        let consumed = inflater().inflate_some(&payload, true, &mut message, room).unwrap().consumed;
        let others = [&payload[..consumed], &[0xFF; 20]].concat();
        let mut inflater = inflater();
        message.clear();
        let progress = inflater.inflate_some(&others, true, &mut message, room).unwrap();
        assert_eq!(progress, Progress { consumed, done: false });
        inflater.inflate_some(&payload[consumed..], true, &mut message, LIMIT).unwrap();
        assert_eq!(message, text, "{room}");
    }
}

/// The last bits of a distance are those of the tail, and the match needs more room than there is.
#[test]
fn a_match_in_the_tail_waits_for_room() {
    // The lengths 1 to 15 and 18, which is many zeros, have codes of 4 bits.
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let of = |symbol| if matches!(symbol, 0 | 16 | 17) { 0 } else { 4 };
    let zeros = |bits: &mut Bits, n: u32| _ = bits.code("1111").put(n - 11, 7);
    let one_to_14 = |bits: &mut Bits| (0..14u32).for_each(|length| _ = bits.code(&format!("{length:04b}")));
    let mut stream = Bits::default();
    stream.stored(false, &[b'x'; 30_000]).append(&dynamic(285, 30, &order.map(of)));
    zeros(&mut stream, 138);
    zeros(&mut stream, 104);
    one_to_14(&mut stream);
    stream.code("1110"); // the end of the block, 15 bits
    zeros(&mut stream, 27);
    stream.code("1110"); // 227 octets or more, 15 bits and 5 further
    zeros(&mut stream, 14);
    one_to_14(&mut stream);
    stream.code("1110").code("1110"); // the last distance, 15 bits and 13 further
    stream.code(&"1".repeat(15)).put(0, 5).code(&"1".repeat(15));

    let mut inflater = inflater();
    let mut message = Vec::new();
    let progress = inflater.inflate_some(&stream.octets(), true, &mut message, 30_010).unwrap();
    assert_eq!((progress.done, message.len()), (false, 30_010));
    let rest = inflater.inflate_some(&[], true, &mut message, 40_000);
    assert_eq!(rest, Err(InflateError::Corrupt), "no block ends there");
    assert_eq!(message.len(), 30_227 + 10, "each further zero of the tail is a literal");
}

/// The last block ends inside of the tail; so two octets of it are left over, which are no block.
#[test]
fn a_last_block_that_ends_in_the_tail_is_refused_whatever_the_room() {
    // As above, but that the end of the block is `0`.
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let zeros = |bits: &mut Bits, n: u32| _ = bits.code("1111").put(n - 11, 7);
    let mut stream = Bits::default();
    stream.stored(false, &[b'x'; 30_000]).header(true, 2).put(285 - 257, 5).put(30 - 1, 5).put(19 - 4, 4);
    order.iter().for_each(|symbol| _ = stream.put(if matches!(symbol, 0 | 16 | 17) { 0 } else { 4 }, 3));
    zeros(&mut stream, 138);
    zeros(&mut stream, 104);
    (1..14u32).for_each(|length| _ = stream.code(&format!("{length:04b}"))); // 242 to 254: 2 to 14 bits
    stream.code("1110").code("0000"); // 255: 15 bits; the end of the block: one
    zeros(&mut stream, 27);
    stream.code("1110"); // 227 octets or more: 15 bits and 5 further
    zeros(&mut stream, 14);
    (0..14u32).for_each(|length| _ = stream.code(&format!("{length:04b}")));
    stream.code("1110").code("1110"); // the last distance: 15 bits and 13 further
    stream.code("10").code(&"1".repeat(15)).put(0, 5).code(&"1".repeat(15)).put(0, 5); // 8 bits are missing

    for room in [30_001, 30_010, LIMIT] {
        let mut inflater = inflater();
        let mut message = Vec::new();
        let result = inflater
            .inflate_some(&stream.octets(), true, &mut message, room)
            .and_then(|_| inflater.inflate_some(&[], true, &mut message, LIMIT));
        assert_eq!(result, Err(InflateError::Corrupt), "{room}");
        assert_eq!(message.len(), 30_228, "{room}");
    }
}

#[test]
fn what_stood_in_the_vector_before_is_no_context() {
    let mut message = b"HelloHello".to_vec();
    let payload = fixed(|b| _ = b.match_3(5).end()).payload();
    assert_eq!(inflater().finish(&payload, &mut message, LIMIT), Err(InflateError::Corrupt));
    assert_eq!(message, b"HelloHello");
}

#[test]
fn memory_is_taken_when_needed_and_given_back() {
    let mut inflater = Inflater::new(WindowBits::MAX, false);
    assert_eq!(inflater.heap_len(), 0);
    let text = super::text(10_000, 3);
    let payload =
        super::deflate(&mut super::Deflater::new(WindowBits::MAX, false, super::Level::default()), &text);
    assert!(inflate(&mut inflater, &payload).unwrap() == text);
    assert!(
        inflater.heap_len() < 6 * 1024,
        "a message in one piece needs no window: {}",
        inflater.heap_len()
    );
    assert!(inflate_cut(&mut inflater, &payload, 1000).unwrap() == text);
    assert!(inflater.heap_len() > 10_000);
    inflater.release();
    assert_eq!(inflater.heap_len(), 0);

    let (begun, ended) = payload.split_at(1000);
    let mut message = Vec::new();
    inflater.inflate(begun, &mut message, LIMIT).unwrap();
    let held = inflater.heap_len();
    inflater.release();
    assert_eq!(inflater.heap_len(), held, "inside of a message it is needed");
    inflater.finish(ended, &mut message, LIMIT).unwrap();
    assert!(message == text);

    let mut inflater = Inflater::new(bits(9), true);
    let payload = super::deflate(&mut super::Deflater::new(bits(9), true, super::Level::default()), &text);
    assert!(inflate_cut(&mut inflater, &payload, 100).unwrap() == text);
    assert!(inflater.heap_len() < 6 * 1024, "{}", inflater.heap_len());
    inflater.release();
    assert_eq!(inflater.heap_len(), 512, "the window stays");
}
