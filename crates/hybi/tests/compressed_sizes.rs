//! What is compressed is all there, whatever room a back end had for it: messages that hardly compress, in many
//! sizes, each inflated again.

#![cfg(any(feature = "deflate", feature = "zlib-rs"))]

use hybi::extension::permessage_deflate::{Deflater, Inflater, Level, WindowBits};

/// A walk with steps of so many bits, as the rows of a photograph are.
fn walk(len: usize, bits: u32, seed: &mut u64) -> Vec<u8> {
    let mut at = 128u8;
    (0..len)
        .map(|_| {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            at = at.wrapping_add((*seed >> 32) as u8 >> (8 - bits));
            at
        })
        .collect()
}

#[test]
fn every_octet_arrives() {
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    for (takeover, level) in [(true, 6), (false, 6), (true, 1), (true, 9)] {
        let level = Level::new(level).expect("a level");
        let mut deflater = Deflater::new(WindowBits::MAX, takeover, level);
        let mut inflater = Inflater::new(WindowBits::MAX, takeover);
        for n in 0..120 {
            let message = walk(20_000 + (n * 7919) % 60_000, 3 + n as u32 % 6, &mut seed);
            let (mut payload, mut back) = (Vec::new(), Vec::new());
            deflater.deflate(&message, &mut payload, true).expect("memory");
            inflater.finish(&payload, &mut back, 1 << 20).expect("what we compress inflates");
            assert!(back == message, "{} octets of {}, at level {level:?}", back.len(), message.len());
        }
    }
}
