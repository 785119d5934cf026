//! The masking functions alone, ours next to those of the peers that can be called.

use std::hint::black_box;
use std::ops::Range;
use std::time::Instant;

use crate::kernels;

/// The source of peers that keep theirs private; see build.rs.
#[allow(dead_code, unused, unexpected_cfgs, unsafe_op_in_unsafe_fn, clippy::all, reason = "somebody else's")]
mod private {
    include!(concat!(env!("OUT_DIR"), "/private_masks.rs"));
}

/// The least time of a kernel at a length and a distance from alignment.
pub struct MaskRow {
    pub kernel: &'static str,
    pub len: usize,
    pub offset: usize,
    pub ns: f64,
}

type Mask = fn(&mut [u8], [u8; 4]);

pub const OURS: &str = "hybi";
/// The limits: what hand-written vector code does here.
pub const LIMIT: &str = "floor";
/// What it takes to call a function that does nothing: for the shortest payloads that is most of it.
pub const CALL: &str = "floor, a call alone";
pub const OURS_ASCII: &str = "hybi, and whether it is ASCII";
pub const LIMIT_ASCII: &str = "floor, and whether it is ASCII";

const KERNELS: [(&str, Mask); 11] = [
    (OURS, hybi::wire::mask::mask),
    (LIMIT, kernels::xor_best),
    ("tungstenite", private::tungstenite_mask::apply_mask),
    ("fastwebsockets", fastwebsockets::unmask),
    ("tokio-websockets", |payload, mut key| private::tokio_websockets_mask::frame(&mut key, payload)),
    ("yawc", yawc::mask::apply_mask),
    ("sockudo-ws", sockudo_ws::simd::apply_mask),
    ("octet by octet", kernels::xor_bytes),
    (CALL, |_, _| ()),
    (OURS_ASCII, |payload, key| {
        black_box(hybi::wire::mask::mask_ascii(payload, key));
    }),
    (LIMIT_ASCII, |payload, key| {
        black_box(kernels::xor_ascii(payload, key));
    }),
];

pub const LENGTHS: [usize; 9] = [4, 16, 20, 64, 125, 1024, 4096, 16 << 10, 1 << 20];
pub const OFFSETS: [usize; 3] = [0, 1, 6];

/// Payloads lie one behind the other in this much memory, each at the same distance from alignment, and the kernels go
/// through them: so none is judged by how soon it reads again what it has just written.
const AREA: usize = 16 << 10;

pub fn measure(rounds: usize) -> Vec<MaskRow> {
    let mut memory = vec![b'a'; (1 << 20) + AREA];
    let aligned = memory.as_ptr().align_offset(64);
    let mut rows = Vec::new();
    for len in LENGTHS {
        for offset in OFFSETS {
            let step = (offset + len).next_multiple_of(64);
            let area = &mut memory[aligned..aligned + step * (AREA / step).max(1)];
            let mut least = [f64::INFINITY; KERNELS.len()];
            for _ in 0..rounds {
                for (least, (_, kernel)) in least.iter_mut().zip(KERNELS) {
                    other_work(SETTLE);
                    let times = (0..10).map(|_| time(kernel, area, step, offset..offset + len));
                    *least = times.fold(*least, f64::min);
                }
            }
            rows.extend(KERNELS.iter().zip(least).map(|((kernel, _), ns)| MaskRow {
                kernel,
                len,
                offset,
                ns,
            }));
            area.fill(b'a');
        }
    }
    rows
}

/// Nanoseconds that a kernel takes for one of the payloads, which lie so many octets from one another.
fn time(kernel: Mask, area: &mut [u8], step: usize, payload: Range<usize>) -> f64 {
    let repeat = (30_000 / area.len()).max(1) + 1;
    let began = Instant::now();
    for _ in 0..repeat {
        for place in area.chunks_exact_mut(step) {
            kernel(black_box(&mut place[payload.clone()]), black_box([1, 2, 3, 4]));
        }
    }
    began.elapsed().as_nanos() as f64 / (repeat * (area.len() / step)) as f64
}

/// Some processors run at a lower frequency for a while when wide vectors were used. So much work without any lets them
/// come back: then no kernel pays for another one.
const SETTLE: u64 = 3_000_000;

/// Multiplications, each of which waits for the one before: what they take tells the frequency.
fn other_work(n: u64) {
    let mut product = 1u64;
    for _ in 0..n {
        product = black_box(product.wrapping_mul(3));
    }
    black_box(product);
}

/// How long other code takes behind each kernel that has just masked 16 KiB, as a multiple of what it takes by itself.
pub fn others(rounds: usize) -> Vec<(&'static str, f64)> {
    const WORK: u64 = 20_000;
    let mut memory = vec![b'a'; AREA];
    let mut least = |kernel: Option<Mask>| {
        other_work(SETTLE);
        let measured = (0..rounds * 20).map(|_| {
            if let Some(kernel) = kernel {
                kernel(black_box(&mut memory), black_box([1, 2, 3, 4]));
            }
            let began = Instant::now();
            other_work(WORK);
            began.elapsed().as_nanos() as f64
        });
        measured.fold(f64::INFINITY, f64::min)
    };
    let alone = least(None);
    KERNELS.iter().map(|&(name, kernel)| (name, least(Some(kernel)) / alone)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kernels_do_the_same() {
        for len in (0..200).chain([1000, 4099]) {
            let source: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut expected = source.clone();
            kernels::xor_bytes(&mut expected, [1, 2, 3, 4]);
            for (name, kernel) in KERNELS.into_iter().filter(|(name, _)| *name != CALL) {
                let mut payload = source.clone();
                kernel(&mut payload, [1, 2, 3, 4]);
                assert_eq!(payload, expected, "{name} {len}");
            }
        }
    }
}
