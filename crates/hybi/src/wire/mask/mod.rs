//! Masking: RFC 6455 §5.3. Octet *i* of a payload is combined with octet *i* modulo 4 of the key by
//! exclusive or; doing it twice undoes it.
//!
//! All functions take any length at any alignment. A payload that is masked in pieces needs the key
//! turned in between: [`rotate`].

mod portable;
#[cfg(target_arch = "x86_64")]
mod text;
#[cfg(target_arch = "x86_64")]
mod x86;

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::header::EncodedHeader;

/// Up to so many octets are masked, or copied, in line: it costs less than a call.
pub(crate) const SHORT: usize = portable::SHORT;

/// From here on our own kernel copies what is not masked. The C library may take `rep movsb`, which on some processors
/// is several times slower where both sides lie alike in their pages; and buffers of an allocator often do.
const OWN_COPY: usize = 2048;

/// Masks or unmasks `payload` in place.
///
/// ```
/// use hybi::wire::mask::mask;
/// let mut payload = *b"Hello";
/// mask(&mut payload, [0x37, 0xfa, 0x21, 0x3d]); // the example of RFC 6455 §5.7
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    #[cfg(target_arch = "x86_64")]
    x86::mask::<false>(payload, key);
    #[cfg(not(target_arch = "x86_64"))]
    portable::mask(payload, key);
}

/// The same, and tells whether every octet that came out is ASCII. For text this is most of the work of
/// validating it, at no cost while the octets are at hand.
///
/// ```
/// use hybi::wire::mask::mask_ascii;
/// assert!(mask_ascii(&mut [b'a' ^ 1, b'b' ^ 2], [1, 2, 3, 4]));
/// assert!(!mask_ascii(&mut [0xFF], [1, 2, 3, 4]));
/// ```
#[inline(always)] // where the length is known to be short, no more than that is left of it
pub fn mask_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    #[cfg(target_arch = "x86_64")]
    return x86::mask::<true>(payload, key);
    #[cfg(not(target_arch = "x86_64"))]
    portable::mask(payload, key)
}

/// Appends `payload` to `out`, masked on the way: one pass. Tells whether what was appended is ASCII, if `ASCII` asks.
#[inline]
pub(crate) fn append_masked<const ASCII: bool>(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) -> bool {
    out.reserve(payload.len());
    append::<0, ASCII>(out, &[], 0, payload, key)
}

/// Writes `payload` to `out` from `at` on, masked on the way: over what is there if there is as much, else in its place.
#[inline]
#[allow(unsafe_code, reason = "initialised octets that a kernel overwrites")]
pub(crate) fn put_masked<const ASCII: bool>(
    out: &mut Vec<u8>,
    at: usize,
    payload: &[u8],
    key: [u8; 4],
) -> bool {
    debug_assert!(at <= out.len());
    let Some(place) = out.get_mut(at..at + payload.len()) else {
        out.truncate(at);
        return append_masked::<ASCII>(out, payload, key);
    };
    // SAFETY: the two types are laid out alike, and the kernels write nothing but values.
    let place = unsafe { core::slice::from_raw_parts_mut(place.as_mut_ptr().cast(), place.len()) };
    copy::<ASCII>(payload, place, key)
}

/// Appends a frame: a header, and a payload that is masked on the way if there is a key. There is room for
/// [`EncodedHeader::ROOM`] and the payload.
#[inline(always)] // where it is called the length is known to be short or not, and whether there is a key
pub(crate) fn append_frame(out: &mut Vec<u8>, header: &EncodedHeader, payload: &[u8], key: Option<[u8; 4]>) {
    if key.is_none() && payload.len() > SHORT && payload.len() < OWN_COPY {
        append::<2, false>(out, header.words(), header.len(), &[], [0; 4]);
        out.extend_from_slice(payload);
    } else if payload.len() <= SHORT {
        // Such a header has no octet in its second word.
        append::<1, false>(out, &[header.words()[0]], header.len(), payload, key.unwrap_or_default());
    } else {
        // With a key of zeros, known here, it is a copy in line and nothing else.
        append::<2, false>(out, header.words(), header.len(), payload, key.unwrap_or_default());
    }
}

/// Appends the first `n` octets of `header`, and `payload`, masked. Tells whether that is ASCII, if `ASCII` asks.
#[inline(always)]
#[allow(unsafe_code, reason = "the length of a vector whose spare capacity was written")]
fn append<const WORDS: usize, const ASCII: bool>(
    out: &mut Vec<u8>,
    header: &[[u8; 8]; WORDS],
    n: usize,
    payload: &[u8],
    key: [u8; 4],
) -> bool {
    let (room, len) = (8 * WORDS, payload.len());
    let spare = out.spare_capacity_mut().get_mut(..room + len).expect("the caller has reserved it");
    for (spare, word) in spare.as_chunks_mut().0.iter_mut().zip(header) {
        *spare = word.map(MaybeUninit::new); // more than `n`: what follows is written over the rest
    }
    let n = n.min(room);
    let ascii = copy::<ASCII>(payload, &mut spare[n..n + len], key);
    // SAFETY: there is capacity for so many octets more, and all of them were just written: `n` of the header, and
    // by the kernels as many as the payload has.
    unsafe { out.set_len(out.len() + n + len) };
    ascii
}

/// Writes all of `out` with `payload`, masked; whether all of it is ASCII, if `ASCII` asks. Both have the same length.
#[inline(always)] // as `mask_ascii`
fn copy<const ASCII: bool>(payload: &[u8], out: &mut [MaybeUninit<u8>], key: [u8; 4]) -> bool {
    #[cfg(target_arch = "x86_64")]
    return x86::copy::<ASCII>(payload, out, key);
    #[cfg(not(target_arch = "x86_64"))]
    portable::copy(payload, out, key)
}

/// Whether a text that has come to the octets `before` can go on with `text`, which may end inside a character. A last
/// octet that begins none (C0, C1, F5 to FF) is not noticed. `None`: the processor lacks the vectors for it, or the
/// text is shorter than one.
#[inline]
pub(crate) fn goes_on(text: &[u8], before: [u8; 3]) -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    if text.len() >= text::LEAST
        && let Some(avx2) = x86::Avx2::detect()
    {
        return Some(avx2.goes_on(text, before));
    }
    let _ = (text, before); // elsewhere that is all
    None
}

/// The key for what follows after `n` octets.
///
/// ```
/// use hybi::wire::mask::rotate;
/// assert_eq!(rotate([1, 2, 3, 4], 5), [2, 3, 4, 1]);
/// ```
#[inline]
pub const fn rotate(key: [u8; 4], n: usize) -> [u8; 4] {
    u32::from_le_bytes(key).rotate_right(8 * (n as u32 & 3)).to_le_bytes()
}

/// Octets worked on at a time where two passes follow one another: a quarter of a usual L1 data cache.
pub(crate) const BLOCK: usize = 8 * 1024;

#[cfg(test)]
#[allow(unsafe_code, reason = "reads back what a kernel wrote to memory that need not be initialised")]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    /// The definition, octet by octet: the twin that every kernel is compared with.
    fn naive(payload: &mut [u8], key: [u8; 4]) -> bool {
        for (i, octet) in payload.iter_mut().enumerate() {
            *octet ^= key[i % 4];
        }
        payload.iter().all(u8::is_ascii)
    }

    fn sample(len: usize, high: bool) -> Vec<u8> {
        (0..len).map(|i| (i as u8).wrapping_mul(31) & if high { 0xFF } else { 0x7F }).collect()
    }

    type Copy = fn(&[u8], &mut [MaybeUninit<u8>], [u8; 4]) -> bool;

    /// A kernel that this processor can run, and the least length that it is called with.
    struct Kernel {
        name: &'static str,
        least: usize,
        mask: fn(&mut [u8], [u8; 4]),
        mask_ascii: fn(&mut [u8], [u8; 4]) -> bool,
        copy: Copy,
    }

    fn kernels() -> Vec<Kernel> {
        let portable = Kernel {
            name: "portable",
            least: 0,
            mask: |payload, key| {
                portable::mask(payload, key);
            },
            mask_ascii: portable::mask,
            copy: portable::copy,
        };
        let mut all = vec![
            Kernel { name: "the one that is chosen", least: 0, mask, mask_ascii, copy: copy::<true> },
            portable,
        ];
        #[cfg(target_arch = "x86_64")]
        macro_rules! vectors {
            ($proof:expr, $name:literal, $least:literal) => {
                if $proof.is_some() {
                    all.push(Kernel {
                        name: $name,
                        least: $least,
                        mask: |payload, key| {
                            $proof.expect(THERE).mask::<false>(payload, key);
                        },
                        mask_ascii: |payload, key| $proof.expect(THERE).mask::<true>(payload, key),
                        copy: |payload, out, key| $proof.expect(THERE).copy::<true>(payload, out, key),
                    });
                }
            };
        }
        #[cfg(target_arch = "x86_64")]
        {
            const THERE: &str = "it was there before";
            vectors!(x86::Sse2::detect(), "SSE2", 16);
            vectors!(x86::Processor::ask().avx2(), "AVX2", 32);
            vectors!(x86::Processor::ask().avx512(), "AVX-512", 64);
        }
        all
    }

    /// All lengths to a few turns of the longest loop, and some at which stores are aligned.
    fn lengths() -> impl Iterator<Item = usize> {
        let (all, long): (usize, &[usize]) = if cfg!(miri) {
            (9, &[16, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 160, 257, 320, 1061])
        } else {
            (600, &[1023, 1024, 1060, 1151, 1152, 5000])
        };
        (0..all).chain(long.iter().copied())
    }

    fn same_at(kernel: &Kernel, len: usize, offset: usize) {
        let (key, at) = ([0xA1, 0x32, 0xC3, 0x54], offset..offset + len);
        let source = sample(offset + len + 8, true);
        let mut expected = source.clone();
        let ascii = naive(&mut expected[at.clone()], key);
        let what = format!("{} {len} at {offset}", kernel.name);

        let mut payload = source.clone();
        (kernel.mask)(&mut payload[at.clone()], key);
        assert_eq!(payload, expected, "{what}");
        let mut payload = source.clone();
        assert_eq!((kernel.mask_ascii)(&mut payload[at.clone()], key), ascii, "{what}: ASCII");
        assert_eq!(payload, expected, "{what}: ASCII");
        let mut out = vec![MaybeUninit::new(9); source.len()];
        let same = (kernel.copy)(&source[at.clone()], &mut out[at.clone()], key) == ascii;
        assert!(same, "{what}: ASCII of a copy");
        for (i, octet) in out.iter().enumerate() {
            // SAFETY: the vector was made of values.
            let octet = unsafe { octet.assume_init() };
            assert_eq!(octet, if at.contains(&i) { expected[i] } else { 9 }, "{what}: octet {i} of a copy");
        }
    }

    #[test]
    fn kernels_equal_the_naive_twin_at_every_length_and_alignment() {
        for kernel in kernels() {
            for len in lengths().filter(|len| *len >= kernel.least) {
                for offset in
                    (0..if cfg!(miri) { 1 } else { 65 }).step_by(if len < 300 { 1 } else { 3 }).chain([63])
                {
                    same_at(&kernel, len, offset);
                }
            }
        }
    }

    #[test]
    fn one_octet_above_ascii_is_seen_wherever_it_is() {
        for kernel in kernels() {
            for len in lengths().filter(|len| *len >= kernel.least) {
                for at in (0..len).step_by(if cfg!(miri) {
                    len / 5 + 1
                } else if len < 300 {
                    1
                } else {
                    61
                }) {
                    let mut payload = sample(len, false);
                    payload[at] |= 0x80;
                    assert!(!(kernel.mask_ascii)(&mut payload, [0; 4]), "{} {at} of {len}", kernel.name);
                    let mut out = vec![MaybeUninit::uninit(); len];
                    assert!(!(kernel.copy)(&payload, &mut out, [0; 4]), "{} {at} of {len}", kernel.name);
                }
                let mut payload = sample(len, false);
                let mut out = vec![MaybeUninit::uninit(); len];
                assert!((kernel.copy)(&payload, &mut out, [0; 4]), "{} {len}", kernel.name);
                assert!((kernel.mask_ascii)(&mut payload, [0; 4]), "{} {len}", kernel.name);
            }
        }
    }

    /// Nor do two, where they lie alike in what is looked at together.
    #[test]
    fn two_octets_above_ascii_do_not_hide_one_another() {
        for kernel in kernels() {
            for len in [16, 40, 72, 200].into_iter().filter(|len| *len >= kernel.least) {
                for distance in [8, 16, 32, 64].into_iter().filter(|distance| *distance < len) {
                    for at in (0..len - distance).step_by(if cfg!(miri) { 13 } else { 1 }) {
                        let mut payload = sample(len, false);
                        payload[at] |= 0x80;
                        payload[at + distance] |= 0x80;
                        let what = format!("{} {at} and {distance} on, of {len}", kernel.name);
                        let mut out = vec![MaybeUninit::uninit(); len];
                        assert!(!(kernel.copy)(&payload, &mut out, [0; 4]), "{what}");
                        assert!(!(kernel.mask_ascii)(&mut payload, [0; 4]), "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn pieces_with_a_turned_key_equal_the_whole() {
        let (key, len) = ([1, 2, 3, 4], 37);
        let mut whole = sample(len, true);
        naive(&mut whole, key);
        for cut in 0..=len {
            let mut pieces = sample(len, true);
            mask(&mut pieces[..cut], key);
            mask(&mut pieces[cut..], rotate(key, cut));
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn append_leaves_what_was_there() {
        for len in lengths() {
            let source = sample(len, true);
            let (mut out, mut expected) = (vec![9; 3], source.clone());
            let ascii = append_masked::<true>(&mut out, &source, [7, 8, 9, 10]);
            assert_eq!(ascii, naive(&mut expected, [7, 8, 9, 10]));
            assert_eq!((&out[..3], &out[3..]), (&[9; 3][..], &expected[..]));
        }
    }

    #[test]
    fn what_is_put_goes_over_what_is_there() {
        for len in lengths().filter(|len| *len > 0) {
            let source = sample(len, true);
            let mut expected = source.clone();
            let ascii = naive(&mut expected, [7, 8, 9, 10]);
            for there in [0, len - 1, len, len + 5] {
                let mut out = vec![9; 3 + there];
                assert_eq!(put_masked::<true>(&mut out, 3, &source, [7, 8, 9, 10]), ascii);
                let behind = [9; 5];
                let behind = if there > len { &behind[..] } else { &[] };
                assert_eq!(out, [&[9; 3], &expected[..], behind].concat(), "{len} over {there}");
            }
        }
    }
}
