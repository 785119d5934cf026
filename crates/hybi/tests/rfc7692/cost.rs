//! What a peer makes us work: at most 200 ns for each octet it sends, whatever blocks it sends. Time of the processor
//! counts, so other work on the machine is no matter.

use std::time::Duration;

use super::bits::{Bits, dynamic, empty_dynamic};
use super::inflate;
use hybi::extension::permessage_deflate::{Inflater, WindowBits};
use hybi_test::work::{assert_cost, spent};

#[test]
fn the_work_for_an_octet_is_bounded() {
    let rows: [(&str, Bits); 8] = [
        ("empty fixed blocks", fixed("")),
        ("fixed blocks of one literal", fixed("00110001")),
        ("empty dynamic blocks", empty_dynamic()),
        ("dynamic blocks of many codes", many_codes()),
        ("dynamic blocks of the longest codes", long_codes()),
        ("empty stored blocks", Bits::default().stored(false, b"").clone()),
        ("stored blocks of one octet", Bits::default().stored(false, b"a").clone()),
        ("last blocks", Bits::default().header(true, 1).end().align().clone()),
    ];
    for (name, block) in rows {
        let mut stream = Bits::default();
        for _ in 0..4_000 {
            if name == "last blocks" {
                stream.align();
            }
            stream.append(&block);
        }
        let payload = stream.payload();
        assert_cost(name, "octet", payload.len(), 200, || time(&payload));
    }
}

fn time(payload: &[u8]) -> Duration {
    let mut inflater = Inflater::new(WindowBits::MAX, true);
    spent(|| {
        inflate(&mut inflater, payload).unwrap();
    })
}

fn fixed(code: &str) -> Bits {
    Bits::default().header(false, 1).code(code).end().clone()
}

/// 286 literal codes of 8 and 9 bits.
fn many_codes() -> Bits {
    // 16 is `0`, 8 is `10`, 1 is `110`, 9 is `111`.
    let mut bits = dynamic(286, 1, &[1, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    repeat(&mut bits, "10", 226);
    repeat(&mut bits, "111", 60);
    bits.code("110");
    bits.code("111100010"); // 256 is the 31st code of 9 bits
    bits
}

/// A length and then the same again, as often as needed.
fn repeat(bits: &mut Bits, length: &str, mut times: usize) {
    bits.code(length);
    times -= 1;
    while times >= 3 {
        let n = times.min(6);
        bits.code("0").put(n as u32 - 3, 2);
        times -= n;
    }
    for _ in 0..times {
        bits.code(length);
    }
}

/// As many codes of 15 bits as there is room for: second tables everywhere.
fn long_codes() -> Bits {
    // 256 codes of 15 bits take 1/128; codes of 1 to 7 bits take the rest.
    // 16 is `0`, 15 is `10`, and the lengths 1 to 7 have codes of 5 bits: 11000 up to 11110; 8 fills.
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let of = |symbol| match symbol {
        16 => 1,
        15 => 2,
        1..=8 => 5,
        _ => 0,
    };
    let mut bits = dynamic(263, 1, &order.map(of));
    repeat(&mut bits, "10", 256);
    for length in [7u32, 6, 5, 4, 3, 2, 1] {
        bits.put((0b11000 + length - 1).reverse_bits() >> 27, 5);
    }
    bits.put(0b00011, 5); // the distance: length 1, `11000`
    bits.code("1111110"); // 256 is the only code of 7 bits
    bits
}
