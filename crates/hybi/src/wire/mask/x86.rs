//! Masking with AVX2, for payloads of at least one vector on processors that have it.
//!
//! Both ends are vectors that overlap what lies between them, loaded before anything is stored over them and stored
//! last: so no length needs a loop over octets. Long payloads get the stores between the ends aligned, because a store
//! that crosses a cache line costs two.
//!
//! This is the one place with `unsafe` code: loads and stores of whole vectors through references to arrays of their
//! size, and calls that need the processor to have AVX2, of which [`Avx2`] is the proof.

#![allow(
    unsafe_code,
    reason = "vector instructions; the naive twin in `mod.rs` is what they are compared with"
)]

use core::arch::x86_64::{
    __m256i, _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm256_testz_si256, _mm256_xor_si256,
};
use core::mem::MaybeUninit;

/// Octets of a vector.
const VECTOR: usize = 32;
/// Octets of one turn of the main loop.
const TURN: usize = 4 * VECTOR;
/// Shorter payloads are not worth aligning.
const ALIGN_FROM: usize = 1024;

/// Proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The proof, if there is one. Asking costs a load and a test: the answer is kept by the standard library.
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        #[cfg(feature = "std")]
        let there = std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(feature = "std"))]
        let there = cfg!(target_feature = "avx2");
        there.then_some(Self(()))
    }

    /// Masks in place; whether all that came out is ASCII, if `ASCII` asks. `payload` has at least 32 octets.
    #[inline]
    pub(super) fn mask<const ASCII: bool>(self, payload: &mut [u8], key: [u8; 4]) -> bool {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { mask::<ASCII>(payload, key) }
    }

    /// Writes all of `out` with `payload`, masked; whether all of it is ASCII, if `ASCII` asks. Both have the same
    /// length, at least 32 octets.
    #[inline]
    pub(super) fn copy<const ASCII: bool>(
        self,
        payload: &[u8],
        out: &mut [MaybeUninit<u8>],
        key: [u8; 4],
    ) -> bool {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { copy::<ASCII>(payload, out, key) }
    }
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn mask<const ASCII: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
        debug_assert!(false, "a shorter payload goes to the portable kernel");
        return super::portable::mask_ascii(payload, key);
    };
    let last_key = vector(super::rotate(key, payload.len()));
    let first = _mm256_xor_si256(load(first), vector(key));
    let last = _mm256_xor_si256(load(last), last_key);
    let mut seen = _mm256_or_si256(first, last);
    if payload.len() <= TURN {
        seen = _mm256_or_si256(seen, mask_inner(payload, vector(key), last_key));
        store_ends(payload, first, last);
        return ASCII && is_ascii(seen);
    }

    let from = if payload.len() < ALIGN_FROM { 0 } else { payload.as_ptr().align_offset(VECTOR) % VECTOR };
    let key = vector(super::rotate(key, from));
    let (turns, rest) = payload[from..].as_chunks_mut::<TURN>();
    for turn in turns {
        let [a, b, c, d] = vectors_mut(turn);
        let (w, x) = (_mm256_xor_si256(load(a), key), _mm256_xor_si256(load(b), key));
        let (y, z) = (_mm256_xor_si256(load(c), key), _mm256_xor_si256(load(d), key));
        store(a, w);
        store(b, x);
        store(c, y);
        store(d, z);
        if ASCII {
            seen = _mm256_or_si256(seen, _mm256_or_si256(_mm256_or_si256(w, x), _mm256_or_si256(y, z)));
        }
    }
    for octets in rest.as_chunks_mut().0 {
        let plain = _mm256_xor_si256(load(octets), key);
        store(octets, plain);
        if ASCII {
            seen = _mm256_or_si256(seen, plain);
        }
    }
    store_ends(payload, first, last);
    ASCII && is_ascii(seen)
}

/// What lies behind the first vector and before the last of at most a turn: two vectors that overlap, and no loop.
#[inline]
#[target_feature(enable = "avx2")]
fn mask_inner(payload: &mut [u8], first_key: __m256i, last_key: __m256i) -> __m256i {
    let (Some((_, front)), Some((back, _))) =
        (payload.split_first_chunk::<VECTOR>(), payload.split_last_chunk::<VECTOR>())
    else {
        return _mm256_setzero_si256();
    };
    let (Some(second), Some(third)) = (front.first_chunk(), back.last_chunk()) else {
        return _mm256_setzero_si256();
    };
    let (second, third) =
        (_mm256_xor_si256(load(second), first_key), _mm256_xor_si256(load(third), last_key));
    if let Some(octets) = payload[VECTOR..].first_chunk_mut() {
        store(octets, second);
    }
    let end = payload.len() - VECTOR;
    if let Some(octets) = payload[..end].last_chunk_mut() {
        store(octets, third);
    }
    _mm256_or_si256(second, third)
}

/// Stores over both ends, last because what lies between them was read before.
#[inline]
#[target_feature(enable = "avx2")]
fn store_ends(payload: &mut [u8], first: __m256i, last: __m256i) {
    if let Some(octets) = payload.last_chunk_mut() {
        store(octets, last);
    }
    if let Some(octets) = payload.first_chunk_mut() {
        store(octets, first);
    }
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn copy<const ASCII: bool>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    let len = payload.len();
    assert_eq!(len, out.len());
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
        debug_assert!(false, "a shorter payload goes to the portable kernel");
        return super::portable::copy(payload, out, key);
    };
    let (first_key, last_key) = (vector(key), vector(super::rotate(key, len)));
    let from = if len < ALIGN_FROM { 0 } else { out.as_ptr().align_offset(VECTOR) % VECTOR };
    let key = vector(super::rotate(key, from));
    let (first, last) = (_mm256_xor_si256(load(first), first_key), _mm256_xor_si256(load(last), last_key));
    let mut seen = _mm256_or_si256(first, last);
    if let Some(octets) = out.first_chunk_mut() {
        store(octets, first);
    }
    let (turns, rest) = payload[from..].as_chunks::<TURN>();
    let (out_turns, out_rest) = out[from..].as_chunks_mut::<TURN>();
    for (turn, out) in turns.iter().zip(out_turns) {
        for (octets, out) in turn.as_chunks().0.iter().zip(vectors_mut(out)) {
            let plain = _mm256_xor_si256(load(octets), key);
            store(out, plain);
            if ASCII {
                seen = _mm256_or_si256(seen, plain);
            }
        }
    }
    for (octets, out) in rest.as_chunks().0.iter().zip(out_rest.as_chunks_mut().0) {
        let plain = _mm256_xor_si256(load(octets), key);
        store(out, plain);
        if ASCII {
            seen = _mm256_or_si256(seen, plain);
        }
    }
    if let Some(octets) = out.last_chunk_mut() {
        store(octets, last);
    }
    ASCII && is_ascii(seen)
}

/// Whether no octet has its highest bit.
#[inline]
#[target_feature(enable = "avx2")]
fn is_ascii(octets: __m256i) -> bool {
    _mm256_testz_si256(octets, _mm256_set1_epi32(i32::from_ne_bytes([0x80; 4]))) != 0
}

/// The key eight times.
#[inline]
#[target_feature(enable = "avx2")]
fn vector(key: [u8; 4]) -> __m256i {
    _mm256_set1_epi32(i32::from_ne_bytes(key))
}

/// The four vectors of a turn.
#[inline]
fn vectors_mut<T>(turn: &mut [T; TURN]) -> &mut [[T; VECTOR]; 4] {
    turn.as_chunks_mut().0.try_into().expect("a turn is four vectors")
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(octets: &[u8; VECTOR]) -> __m256i {
    // SAFETY: the reference is to as many octets as are read, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

/// `T` is an octet, initialised or not.
#[inline]
#[target_feature(enable = "avx2")]
fn store<T: Octet>(octets: &mut [T; VECTOR], vector: __m256i) {
    // SAFETY: the reference is to as many octets as are written, the store needs no alignment, and every octet is a
    // valid `T`.
    unsafe { _mm256_storeu_si256(octets.as_mut_ptr().cast(), vector) }
}

/// What an octet can be stored to.
///
/// # Safety
/// One octet large, and any octet is a valid value.
unsafe trait Octet {}
// SAFETY: it is an octet.
unsafe impl Octet for u8 {}
// SAFETY: it has the layout of an octet, and need not even be initialised.
unsafe impl Octet for MaybeUninit<u8> {}
