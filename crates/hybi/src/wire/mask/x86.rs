//! Masking with vectors, where a payload has at least one: SSE2, which every such processor has, where it is so short
//! that a call would cost more than the masking; else AVX2 or AVX-512 on processors that have them. What is shorter, or
//! finds no vectors, is left to `portable`.
//!
//! Both ends are vectors that overlap what lies between them, loaded before anything is stored over them and stored
//! last: so no length needs a loop over octets. Long payloads get the stores between the ends aligned, because a store
//! that crosses a cache line costs two.
//!
//! Much of what is `unsafe` stands here: loads and stores of whole vectors through references to arrays of their size,
//! and calls that need a processor with the instructions, of which [`Sse2`], [`Avx2`] and [`Avx512`] are the proof. The
//! kernel itself, which is the same for all, is safe.

#![allow(
    unsafe_code,
    reason = "vector instructions; the naive twin in `mod.rs` is what they are compared with"
)]

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32,
    _mm_storeu_si128, _mm_xor_si128, _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi32,
    _mm256_storeu_si256, _mm256_testz_si256, _mm256_xor_si256, _mm512_loadu_si512, _mm512_or_si512,
    _mm512_set1_epi32, _mm512_storeu_si512, _mm512_test_epi32_mask, _mm512_xor_si512,
};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::{SHORT, portable};

/// Shorter payloads are not worth aligning.
const ALIGN_FROM: usize = 1024;
/// The highest bit of each octet of a word, which ASCII does not have.
const HIGH_BITS: i32 = i32::from_ne_bytes([0x80; 4]);

/// Masks with the vectors that are worth it for this length, if there are any, else without.
#[inline(always)] // where the length is known to be short, no more than that is left of it
pub(super) fn mask<const ASCII: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
    match (payload.len(), Sse2::detect()) {
        (Sse2::LEAST..=SHORT, Some(sse2)) => mask_ends::<_, _, ASCII>(sse2, payload, key),
        (0..=SHORT, _) => portable::mask(payload, key),
        _ => mask_more::<ASCII>(payload, key),
    }
}

#[inline(always)]
fn mask_more<const ASCII: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
    if payload.len() <= Sse2::MOST
        && let Some(sse2) = Sse2::detect()
    {
        return sse2.mask::<ASCII>(payload, key);
    }
    let processor = Processor::known();
    if payload.len() >= Avx512::LEAST
        && let Some(avx512) = processor.avx512()
    {
        return avx512.mask::<ASCII>(payload, key);
    }
    match processor.avx2() {
        Some(avx2) => avx2.mask::<ASCII>(payload, key),
        None => mask_otherwise::<ASCII>(payload, key),
    }
}

/// The processor has no wider vectors, or was not asked.
#[cold]
#[inline(never)] // every way ends with a call, so none of them saves registers
fn mask_otherwise<const ASCII: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
    if Processor::known().was_asked() {
        return portable::mask(payload, key);
    }
    Processor::ask();
    mask_more::<ASCII>(payload, key)
}

/// The same for a copy.
#[inline(always)]
pub(super) fn copy<const ASCII: bool>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    match (payload.len(), Sse2::detect()) {
        (Sse2::LEAST..=SHORT, Some(sse2)) => copy_ends::<_, _, ASCII>(sse2, payload, out, key),
        (0..=SHORT, _) => portable::copy(payload, out, key),
        _ => copy_more::<ASCII>(payload, out, key),
    }
}

#[inline(always)]
fn copy_more<const ASCII: bool>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    if payload.len() <= Sse2::MOST
        && let Some(sse2) = Sse2::detect()
    {
        return sse2.copy::<ASCII>(payload, out, key);
    }
    let processor = Processor::known();
    if payload.len() >= Avx512::LEAST
        && let Some(avx512) = processor.avx512()
    {
        return avx512.copy::<ASCII>(payload, out, key);
    }
    match processor.avx2() {
        Some(avx2) => avx2.copy::<ASCII>(payload, out, key),
        None => copy_otherwise::<ASCII>(payload, out, key),
    }
}

/// As [`mask_otherwise`].
#[cold]
#[inline(never)]
fn copy_otherwise<const ASCII: bool>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    if Processor::known().was_asked() {
        return portable::copy(payload, out, key);
    }
    Processor::ask();
    copy_more::<ASCII>(payload, out, key)
}

/// What the processor has, beyond what it was compiled for.
#[derive(Clone, Copy)]
pub(super) struct Processor(u8);

/// What is known of it: zero before it was asked.
static PROCESSOR: AtomicU8 = AtomicU8::new(0);

impl Processor {
    const ASKED: u8 = 1;
    const AVX2: u8 = 2;
    /// And is of a generation that does not become slower when it is used: the ones before Ice Lake, which do, lack
    /// VBMI2.
    const AVX512: u8 = 4;

    #[inline]
    fn known() -> Self {
        Self(PROCESSOR.load(Relaxed))
    }

    /// Asks it, so that it is known.
    pub(super) fn ask() -> Self {
        #[cfg(feature = "std")]
        let (avx2, avx512) = (
            std::arch::is_x86_feature_detected!("avx2"),
            std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vbmi2"),
        );
        #[cfg(not(feature = "std"))]
        let (avx2, avx512) = (
            cfg!(target_feature = "avx2"),
            cfg!(all(target_feature = "avx512f", target_feature = "avx512vbmi2")),
        );
        let avx2 = if avx2 { Self::AVX2 } else { 0 };
        let avx512 = if avx512 { Self::AVX512 } else { 0 };
        PROCESSOR.store(Self::ASKED | avx2 | avx512, Relaxed);
        Self::known()
    }

    #[inline]
    fn was_asked(self) -> bool {
        self.0 & Self::ASKED != 0
    }

    #[inline]
    pub(super) fn avx2(self) -> Option<Avx2> {
        (self.0 & Self::AVX2 != 0).then_some(Avx2(()))
    }

    #[inline]
    pub(super) fn avx512(self) -> Option<Avx512> {
        (self.0 & Self::AVX512 != 0).then_some(Avx512(()))
    }
}

/// Proof that the processor has SSE2: that it was compiled for one. Only code for kernels of operating systems is not.
#[derive(Clone, Copy)]
pub(super) struct Sse2(());

impl Sse2 {
    /// The least octets of a payload: one vector.
    const LEAST: usize = 16;
    /// Up to here four of them, and no call, are better than one or two wider ones.
    const MOST: usize = 64;

    #[inline]
    pub(super) fn detect() -> Option<Self> {
        cfg!(target_feature = "sse2").then_some(Self(()))
    }
}

/// Proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let known = Processor::known();
        if known.was_asked() { known.avx2() } else { Processor::ask().avx2() }
    }
}

/// Proof that the processor has AVX-512, and that it is worth it.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// The least octets of a payload: one vector.
    const LEAST: usize = 64;
}

/// What a kernel does with vectors of `N` octets, on a processor that is proven to have them.
pub(super) trait Vectors<const N: usize>: Copy {
    type Vector: Copy;

    fn load(self, octets: &[u8; N]) -> Self::Vector;
    /// `T` is an octet, initialised or not.
    fn store<T: Octet>(self, octets: &mut [T; N], vector: Self::Vector);
    /// The key, again and again.
    fn key(self, key: [u8; 4]) -> Self::Vector;
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn or(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Whether no octet has its highest bit.
    fn is_ascii(self, octets: Self::Vector) -> bool;
}

/// What enters the kernel.
macro_rules! kernel {
    ($proof:ident, $feature:tt, $n:literal) => {
        impl $proof {
            /// Masks in place; whether all that came out is ASCII, if `ASCII` asks.
            #[inline]
            pub(super) fn mask<const ASCII: bool>(self, payload: &mut [u8], key: [u8; 4]) -> bool {
                #[target_feature(enable = $feature)]
                fn enter<const ASCII: bool>(proof: $proof, payload: &mut [u8], key: [u8; 4]) -> bool {
                    mask_by::<_, $n, ASCII>(proof, payload, key)
                }
                // SAFETY: `self` exists, so the processor has what `enter` needs.
                unsafe { enter::<ASCII>(self, payload, key) }
            }

            /// Writes all of `out` with `payload`, masked; whether all of it is ASCII, if `ASCII` asks. Both have the
            /// same length.
            #[inline]
            pub(super) fn copy<const ASCII: bool>(
                self,
                payload: &[u8],
                out: &mut [MaybeUninit<u8>],
                key: [u8; 4],
            ) -> bool {
                #[target_feature(enable = $feature)]
                fn enter<const ASCII: bool>(
                    proof: $proof,
                    payload: &[u8],
                    out: &mut [MaybeUninit<u8>],
                    key: [u8; 4],
                ) -> bool {
                    copy_by::<_, $n, ASCII>(proof, payload, out, key)
                }
                // SAFETY: `self` exists, so the processor has what `enter` needs.
                unsafe { enter::<ASCII>(self, payload, out, key) }
            }
        }
    };
}

kernel!(Sse2, "sse2", 16);
kernel!(Avx2, "avx2", 32);
kernel!(Avx512, "avx512f", 64);

/// Implements [`Vectors`]. The widths differ in names, and in how vectors are tested.
macro_rules! vectors {
    (
        $proof:ident, $n:literal, $vector:ident,
        $load:ident, $store:ident, $set:ident, $xor:ident, $or:ident,
        |$octets:ident| $is_ascii:expr
    ) => {
        // Each function is a single instruction once it is in line in a function with the feature, and has to get
        // there.
        impl Vectors<$n> for $proof {
            type Vector = $vector;

            #[inline(always)]
            fn load(self, octets: &[u8; $n]) -> $vector {
                // SAFETY: `self` exists; the reference is to as many octets as are read, and the load needs no
                // alignment.
                unsafe { $load(octets.as_ptr().cast()) }
            }

            #[inline(always)]
            fn store<T: Octet>(self, octets: &mut [T; $n], vector: $vector) {
                // SAFETY: `self` exists; the reference is to as many octets as are written, the store needs no
                // alignment, and every octet is a valid `T`.
                unsafe { $store(octets.as_mut_ptr().cast(), vector) }
            }

            #[inline(always)]
            fn key(self, key: [u8; 4]) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $set(i32::from_ne_bytes(key)) }
            }

            #[inline(always)]
            fn xor(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $xor(a, b) }
            }

            #[inline(always)]
            fn or(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $or(a, b) }
            }

            #[inline(always)]
            fn is_ascii(self, $octets: $vector) -> bool {
                // SAFETY: `self` exists.
                unsafe { $is_ascii }
            }
        }
    };
}

vectors!(
    Sse2,
    16,
    __m128i,
    _mm_loadu_si128,
    _mm_storeu_si128,
    _mm_set1_epi32,
    _mm_xor_si128,
    _mm_or_si128,
    |octets| _mm_movemask_epi8(octets) == 0
);
// For texts that have no wider one.
vectors!(
    Avx2,
    16,
    __m128i,
    _mm_loadu_si128,
    _mm_storeu_si128,
    _mm_set1_epi32,
    _mm_xor_si128,
    _mm_or_si128,
    |octets| _mm_movemask_epi8(octets) == 0
);
vectors!(
    Avx2,
    32,
    __m256i,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_set1_epi32,
    _mm256_xor_si256,
    _mm256_or_si256,
    |octets| _mm256_testz_si256(octets, _mm256_set1_epi32(HIGH_BITS)) != 0
);
vectors!(
    Avx512,
    64,
    __m512i,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_set1_epi32,
    _mm512_xor_si512,
    _mm512_or_si512,
    |octets| _mm512_test_epi32_mask(octets, _mm512_set1_epi32(HIGH_BITS)) == 0
);

/// What an octet can be stored to.
///
/// # Safety
/// One octet large, and any octet is a valid value.
pub(super) unsafe trait Octet {}
// SAFETY: it is an octet.
unsafe impl Octet for u8 {}
// SAFETY: it has the layout of an octet, and need not even be initialised.
unsafe impl Octet for MaybeUninit<u8> {}

/// From one vector to two.
#[inline(always)]
fn mask_ends<V: Vectors<N>, const N: usize, const ASCII: bool>(
    v: V,
    payload: &mut [u8],
    key: [u8; 4],
) -> bool {
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else { return false };
    let first = v.xor(v.load(first), v.key(key));
    let last = v.xor(v.load(last), v.key(super::rotate(key, payload.len())));
    store_ends(v, payload, first, last);
    ASCII && v.is_ascii(v.or(first, last))
}

/// The same for a copy.
#[inline(always)]
fn copy_ends<V: Vectors<N>, const N: usize, const ASCII: bool>(
    v: V,
    payload: &[u8],
    out: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) -> bool {
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else { return false };
    assert_eq!(payload.len(), out.len());
    let first = v.xor(v.load(first), v.key(key));
    let last = v.xor(v.load(last), v.key(super::rotate(key, payload.len())));
    if let Some(octets) = out.first_chunk_mut() {
        v.store(octets, first);
    }
    if let Some(octets) = out.last_chunk_mut() {
        v.store(octets, last);
    }
    ASCII && v.is_ascii(v.or(first, last))
}

#[inline(always)]
fn mask_by<V: Vectors<N>, const N: usize, const ASCII: bool>(v: V, payload: &mut [u8], key: [u8; 4]) -> bool {
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
        debug_assert!(false, "a shorter payload goes to another kernel");
        return portable::mask(payload, key);
    };
    let last_key = v.key(super::rotate(key, payload.len()));
    let first = v.xor(v.load(first), v.key(key));
    let last = v.xor(v.load(last), last_key);
    let mut seen = v.or(first, last);
    if payload.len() <= 4 * N {
        if let Some(inner) = mask_inner(v, payload, v.key(key), last_key) {
            seen = v.or(seen, inner);
        }
        store_ends(v, payload, first, last);
        return ASCII && v.is_ascii(seen);
    }

    let from = if payload.len() < ALIGN_FROM { 0 } else { payload.as_ptr().align_offset(N) % N };
    let key = v.key(super::rotate(key, from));
    let (turns, rest) = payload[from..].as_chunks_mut().0.as_chunks_mut::<4>();
    for [a, b, c, d] in turns {
        let (w, x) = (v.xor(v.load(a), key), v.xor(v.load(b), key));
        let (y, z) = (v.xor(v.load(c), key), v.xor(v.load(d), key));
        v.store(a, w);
        v.store(b, x);
        v.store(c, y);
        v.store(d, z);
        if ASCII {
            seen = v.or(seen, v.or(v.or(w, x), v.or(y, z)));
        }
    }
    for octets in rest {
        let plain = v.xor(v.load(octets), key);
        v.store(octets, plain);
        if ASCII {
            seen = v.or(seen, plain);
        }
    }
    store_ends(v, payload, first, last);
    ASCII && v.is_ascii(seen)
}

/// What lies behind the first vector and before the last of at most four: two vectors that overlap, and no loop.
/// `None` if there is less than one.
#[inline(always)]
fn mask_inner<V: Vectors<N>, const N: usize>(
    v: V,
    payload: &mut [u8],
    first_key: V::Vector,
    last_key: V::Vector,
) -> Option<V::Vector> {
    let second = v.xor(v.load(payload[N..].first_chunk()?), first_key);
    let end = payload.len() - N;
    let third = v.xor(v.load(payload[..end].last_chunk()?), last_key);
    v.store(payload[N..].first_chunk_mut()?, second);
    v.store(payload[..end].last_chunk_mut()?, third);
    Some(v.or(second, third))
}

/// Stores over both ends, last because what lies between them was read before.
#[inline(always)]
fn store_ends<V: Vectors<N>, const N: usize>(v: V, payload: &mut [u8], first: V::Vector, last: V::Vector) {
    if let Some(octets) = payload.last_chunk_mut() {
        v.store(octets, last);
    }
    if let Some(octets) = payload.first_chunk_mut() {
        v.store(octets, first);
    }
}

#[inline(always)]
fn copy_by<V: Vectors<N>, const N: usize, const ASCII: bool>(
    v: V,
    payload: &[u8],
    out: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) -> bool {
    let len = payload.len();
    assert_eq!(len, out.len());
    let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
        debug_assert!(false, "a shorter payload goes to another kernel");
        return portable::copy(payload, out, key);
    };
    let last_key = v.key(super::rotate(key, len));
    let (first, last) = (v.xor(v.load(first), v.key(key)), v.xor(v.load(last), last_key));
    let mut seen = v.or(first, last);
    if let Some(octets) = out.first_chunk_mut() {
        v.store(octets, first);
    }
    if len <= 4 * N {
        if let Some(inner) = copy_inner(v, payload, out, v.key(key), last_key) {
            seen = v.or(seen, inner);
        }
        if let Some(octets) = out.last_chunk_mut() {
            v.store(octets, last);
        }
        return ASCII && v.is_ascii(seen);
    }

    let from = if len < ALIGN_FROM { 0 } else { out.as_ptr().align_offset(N) % N };
    let key = v.key(super::rotate(key, from));
    let (turns, rest) = payload[from..].as_chunks().0.as_chunks::<4>();
    let (out_turns, out_rest) = out[from..].as_chunks_mut().0.as_chunks_mut::<4>();
    for (turn, out) in turns.iter().zip(out_turns) {
        for (octets, out) in turn.iter().zip(out) {
            let plain = v.xor(v.load(octets), key);
            v.store(out, plain);
            if ASCII {
                seen = v.or(seen, plain);
            }
        }
    }
    for (octets, out) in rest.iter().zip(out_rest) {
        let plain = v.xor(v.load(octets), key);
        v.store(out, plain);
        if ASCII {
            seen = v.or(seen, plain);
        }
    }
    if let Some(octets) = out.last_chunk_mut() {
        v.store(octets, last);
    }
    ASCII && v.is_ascii(seen)
}

/// As [`mask_inner`], for a copy.
#[inline(always)]
fn copy_inner<V: Vectors<N>, const N: usize>(
    v: V,
    payload: &[u8],
    out: &mut [MaybeUninit<u8>],
    first_key: V::Vector,
    last_key: V::Vector,
) -> Option<V::Vector> {
    let end = payload.len() - N;
    let second = v.xor(v.load(payload[N..].first_chunk()?), first_key);
    let third = v.xor(v.load(payload[..end].last_chunk()?), last_key);
    v.store(out[N..].first_chunk_mut()?, second);
    v.store(out[..end].last_chunk_mut()?, third);
    Some(v.or(second, third))
}
