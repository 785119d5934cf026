//! Masking with words of eight octets, the key twice. The loop has no dependency between turns and no alignment to
//! peel, so compilers make vector code of it wherever there are vectors. aarch64 gets its vectors this way: NEON is
//! part of every such processor, so there is nothing to detect.
//!
//! Short payloads, and the ends of others, are done with two pieces of a fixed size that overlap: both are loaded
//! before either is stored. So no length needs a loop over octets.

use core::mem::MaybeUninit;

/// Up to here a payload is worth masking where it is sent or received, without a call.
pub(super) const SHORT: usize = 32;
/// Up to here it is two pieces that overlap, and no loop.
pub(super) const MEDIUM: usize = 64;

/// Masks in place; whether all that came out is ASCII.
#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) -> bool {
    mask_all(payload, key) & HIGH_BITS == 0
}

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Masks, and returns all octets that came out, one upon the other.
#[inline(always)] // the length decides, and is often known to be short where this is called
fn mask_all(payload: &mut [u8], key: [u8; 4]) -> u64 {
    match payload.len() {
        0..4 => mask_octets(payload, key),
        4..8 => mask_ends::<4>(payload, key),
        8..16 => mask_ends::<8>(payload, key),
        16..=SHORT => mask_ends::<16>(payload, key),
        _ => mask_more(payload, key),
    }
}

#[inline(never)]
fn mask_more(payload: &mut [u8], key: [u8; 4]) -> u64 {
    if payload.len() <= MEDIUM { mask_ends::<32>(payload, key) } else { mask_long(payload, key) }
}

/// From `N` to twice `N` octets.
#[inline(always)]
fn mask_ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let last_key = super::rotate(key, payload.len());
    let (Some(first), Some(last)) = (payload.first_chunk::<N>(), payload.last_chunk::<N>()) else { return 0 };
    let ((first, a), (last, b)) = (masked(first, key), masked(last, last_key));
    if let Some(octets) = payload.first_chunk_mut() {
        *octets = first;
    }
    if let Some(octets) = payload.last_chunk_mut() {
        *octets = last;
    }
    a | b
}

/// More than any of the fixed sizes, and usually many more.
#[inline]
fn mask_long(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let last_key = super::rotate(key, payload.len());
    let Some(last) = payload.last_chunk::<8>() else { return 0 };
    let (last, mut seen) = masked(last, last_key);
    for octets in payload.as_chunks_mut::<8>().0 {
        let plain = u64::from_ne_bytes(*octets) ^ word(key);
        seen |= plain;
        *octets = plain.to_ne_bytes();
    }
    if let Some(octets) = payload.last_chunk_mut() {
        *octets = last;
    }
    seen
}

/// Fewer octets than the key has.
#[inline(always)]
fn mask_octets(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let mut seen = 0;
    for (octet, key) in payload.iter_mut().zip(key) {
        *octet ^= key;
        seen |= *octet;
    }
    u64::from(seen)
}

/// Writes all of `out` with `payload`, masked; whether all of it is ASCII. Both have the same length.
#[inline(always)] // as `mask_all`
pub(super) fn copy(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    let seen = match payload.len() {
        0..=SHORT => copy_short(payload, out, key),
        33..=MEDIUM => copy_ends::<32>(payload, out, key),
        _ => copy_long(payload, out, key),
    };
    seen & HIGH_BITS == 0
}

/// The same for at most [`SHORT`] octets, and returns all of them, one upon the other.
#[inline(always)] // with a key of zeros, known where this is called, it is a copy and nothing else
pub(super) fn copy_short(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> u64 {
    assert!(payload.len() == out.len() && payload.len() <= SHORT);
    match payload.len() {
        0..4 => copy_octets(payload, out, key),
        4..8 => copy_ends::<4>(payload, out, key),
        8..16 => copy_ends::<8>(payload, out, key),
        _ => copy_ends::<16>(payload, out, key),
    }
}

/// From `N` to twice `N` octets.
#[inline(always)]
fn copy_ends<const N: usize>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> u64 {
    let last_key = super::rotate(key, payload.len());
    let mut all = 0;
    if let (Some(octets), Some(out)) = (payload.first_chunk::<N>(), out.first_chunk_mut()) {
        let (plain, seen) = masked(octets, key);
        *out = plain.map(MaybeUninit::new);
        all |= seen;
    }
    if let (Some(octets), Some(out)) = (payload.last_chunk::<N>(), out.last_chunk_mut()) {
        let (plain, seen) = masked(octets, last_key);
        *out = plain.map(MaybeUninit::new);
        all |= seen;
    }
    all
}

#[inline(never)]
fn copy_long(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> u64 {
    assert_eq!(payload.len(), out.len());
    let mut all = 0;
    for (octets, out) in payload.as_chunks::<8>().0.iter().zip(out.as_chunks_mut::<8>().0) {
        let (plain, seen) = masked(octets, key);
        *out = plain.map(MaybeUninit::new);
        all |= seen;
    }
    all | copy_ends::<8>(payload, out, key)
}

/// Fewer octets than the key has.
#[inline(always)]
fn copy_octets(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> u64 {
    let mut seen = 0;
    for ((octet, out), key) in payload.iter().zip(out).zip(key) {
        seen |= *out.write(octet ^ key);
    }
    u64::from(seen)
}

/// A piece of a fixed size, a multiple of four, and what came out one upon the other.
#[inline]
fn masked<const N: usize>(octets: &[u8; N], key: [u8; 4]) -> ([u8; N], u64) {
    let (mut plain, mut seen) = (*octets, 0);
    let (words, half) = plain.as_chunks_mut::<8>();
    for octets in words {
        let word = u64::from_ne_bytes(*octets) ^ word(key);
        seen |= word;
        *octets = word.to_ne_bytes();
    }
    for octets in half.as_chunks_mut::<4>().0 {
        let half = u32::from_ne_bytes(*octets) ^ u32::from_ne_bytes(key);
        seen |= u64::from(half);
        *octets = half.to_ne_bytes();
    }
    (plain, seen)
}

/// The key twice, in the order in which it lies in memory.
#[inline]
const fn word(key: [u8; 4]) -> u64 {
    let half = u32::from_ne_bytes(key) as u64;
    half << 32 | half
}
