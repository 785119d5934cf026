//! Streams that a hostile peer would choose: much work for few octets.

use hybi::extension::permessage_deflate::{Inflater, WindowBits};

use crate::direct::{Decompress, MinizBlocks, MinizRing, ZlibInflate};
use crate::{Ours, time};

pub(crate) fn measure(rounds: usize) {
    blocks(rounds);
    messages(rounds);
}

fn blocks(rounds: usize) {
    let empty_dynamic = empty_dynamic();
    let streams: [(&str, Vec<u8>); 6] = [
        ("empty fixed blocks", repeat(800_000, |b| _ = b.put(0b010, 3).put(0, 7))),
        ("fixed blocks of a literal", repeat(100_000, |b| _ = b.put(0b010, 3).put(0x0C, 8).put(0, 7))),
        ("empty dynamic blocks", repeat(60_000, |b| b.append(&empty_dynamic))),
        ("empty stored blocks", [&[0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(200_000)[..], &[0]].concat()),
        (
            "stored blocks of an octet",
            [&[0x00, 0x01, 0x00, 0xFE, 0xFF, 0x61].repeat(160_000)[..], &[0]].concat(),
        ),
        ("large codes, no output", repeat(20_000, large_codes)),
    ];
    println!("ns per octet, one message\n");
    println!("| stream | octets | ours | miniz_oxide | .. stopping at blocks | zlib-rs |");
    println!("|---|---|---|---|---|---|");
    for (name, stream) in &streams {
        let list: [Box<dyn Decompress>; 4] = [
            Box::new(Ours(Inflater::new(WindowBits::MAX, true))),
            Box::new(MinizRing::new(15)),
            Box::new(MinizBlocks(MinizRing::new(15))),
            Box::new(ZlibInflate::new(15)),
        ];
        let speeds = list.map(|mut inflate| {
            let mut out = Vec::new();
            time(rounds, || {
                out.clear();
                assert!(inflate.message(stream, &mut out), "{name}");
            }) / stream.len() as f64
        });
        println!(
            "| {name} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            stream.len(),
            speeds[0],
            speeds[1],
            speeds[2],
            speeds[3]
        );
    }
}

fn messages(rounds: usize) {
    let tiny: [(&str, &[u8]); 3] = [
        ("an empty fixed block, 2 octets", &[0x02, 0x00]),
        ("a", &[0x4A, 0x04, 0x00]),
        ("empty, 1 octet", &[0x00]),
    ];
    println!("\nns per message, and per octet on the wire with the shortest header of a server\n");
    println!("| message | ours | miniz_oxide | zlib-rs |");
    println!("|---|---|---|---|");
    for (name, payload) in tiny {
        let list: [Box<dyn Decompress>; 3] = [
            Box::new(Ours(Inflater::new(WindowBits::MAX, true))),
            Box::new(MinizRing::new(15)),
            Box::new(ZlibInflate::new(15)),
        ];
        let cells = list.map(|mut inflate| {
            let mut out = Vec::new();
            let ns = time(rounds, || {
                for _ in 0..10_000 {
                    out.clear();
                    assert!(inflate.message(payload, &mut out));
                }
            }) / 10_000.0;
            format!("{ns:.0}; {:.0}", ns / (payload.len() + 2) as f64)
        });
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// One code, the end of the block, and one distance: as short as such a block gets.
fn empty_dynamic() -> Bitter {
    let mut block = Bitter::default();
    block.put(0b100, 3).put(0, 5).put(0, 5).put(14, 4);
    // 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1: lengths of 18 and 1 are 1.
    for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] {
        block.put(length, 3);
    }
    // 1 is code 0, 18 is code 1: 138 + 118 zeros, then 1, 1.
    block.put(1, 1).put(127, 7).put(1, 1).put(107, 7).put(0, 1).put(0, 1);
    block.put(0, 1);
    block
}

/// Writes bits, the lowest first.
#[derive(Default)]
struct Bitter {
    octets: Vec<u8>,
    n: usize,
}

impl Bitter {
    fn put(&mut self, bits: u32, n: usize) -> &mut Self {
        for i in 0..n {
            if self.n.is_multiple_of(8) {
                self.octets.push(0);
            }
            let last = self.octets.len() - 1;
            self.octets[last] |= ((bits >> i & 1) as u8) << (self.n % 8);
            self.n += 1;
        }
        self
    }

    fn append(&mut self, other: &Self) {
        for i in 0..other.n {
            self.put(u32::from(other.octets[i / 8] >> (i % 8)), 1);
        }
    }
}

/// A stream of blocks, ending as a message does.
fn repeat(times: usize, mut block: impl FnMut(&mut Bitter)) -> Vec<u8> {
    let mut all = Bitter::default();
    for _ in 0..times {
        block(&mut all);
    }
    all.put(0, 3);
    all.octets
}

/// 286 codes of up to 15 bits in few octets, then the end of the block.
fn large_codes(b: &mut Bitter) {
    // lengths: 9 bits for 226 symbols, 8 bits for 30: kraft = 226/512 + 30/256 + ..., built below
    let mut lengths = vec![8u32; 226];
    lengths.extend([9; 60]);
    // Complete: 226/256 + 60/512 = 512/512.
    b.put(0b100, 3).put(29, 5).put(0, 5).put(14, 4);
    // Code lengths used: 8, 9, 16 and, for the distance, 1.
    // order: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1
    for length in [1, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3] {
        b.put(length, 3);
    }
    // canonical: 16 = 0; 8 = 10; 1 = 110; 9 = 111, sent from their first bit.
    let mut at = 0;
    while at < lengths.len() {
        let length = lengths[at];
        if length == 8 {
            b.put(0b01, 2)
        } else {
            b.put(0b111, 3)
        };
        at += 1;
        let run = lengths[at..].iter().take_while(|l| **l == length).count();
        let mut run = run;
        while run >= 3 {
            let n = run.min(6);
            b.put(0, 1).put(n as u32 - 3, 2);
            at += n;
            run -= n;
        }
    }
    b.put(0b011, 3); // one distance code of one bit
    // The end of block is symbol 256: of 9 bits, the 31st of those that begin at 226 << 1.
    let code = (226u32 << 1) + 30;
    b.put(code.reverse_bits() >> (32 - 9), 9);
}
