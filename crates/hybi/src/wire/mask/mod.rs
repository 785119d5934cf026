//! Masking: RFC 6455 §5.3. Octet *i* of a payload is combined with octet *i* modulo 4 of the key by
//! exclusive or; doing it twice undoes it.
//!
//! All functions take any length at any alignment. A payload that is masked in pieces needs the key
//! turned in between: [`rotate`].

mod portable;

use alloc::vec::Vec;

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
#[inline]
pub fn mask_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    portable::mask_ascii(payload, key)
}

/// Appends `payload` to `out`, masked. The caller has reserved the room. Block by block, so that what is
/// copied is masked while it is in the first-level cache.
#[inline]
pub(crate) fn append_masked(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    for block in payload.chunks(BLOCK) {
        let start = out.len();
        out.extend_from_slice(block);
        // Every block but the last is a multiple of four octets, so the key need not be turned.
        mask(&mut out[start..], key);
    }
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
mod tests {
    use super::*;
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

    #[test]
    fn kernels_equal_the_naive_twin_at_every_length_and_offset() {
        let key = [0xA1, 0x32, 0xC3, 0x54];
        let max = if cfg!(miri) { 70 } else { 300 };
        for len in 0..max {
            for offset in 0..9 {
                let source = sample(offset + len + 8, true);
                let (mut a, mut b, mut c) = (source.clone(), source.clone(), source.clone());
                let ascii = naive(&mut a[offset..offset + len], key);
                mask(&mut b[offset..offset + len], key);
                assert_eq!(a, b, "mask {len} at {offset}");
                assert_eq!(mask_ascii(&mut c[offset..offset + len], key), ascii, "{len} at {offset}");
                assert_eq!(a, c, "mask_ascii {len} at {offset}");
                let mut out = vec![9; offset];
                append_masked(&mut out, &source[offset..offset + len], key);
                assert_eq!(out[offset..], a[offset..offset + len], "append {len} at {offset}");
            }
        }
    }

    #[test]
    fn one_octet_above_ascii_is_seen_wherever_it_is() {
        for len in 1..100 {
            for at in 0..len {
                let mut payload = sample(len, false);
                payload[at] |= 0x80;
                assert!(!mask_ascii(&mut payload, [0; 4]), "{at} of {len}");
            }
            assert!(mask_ascii(&mut sample(len, false), [0; 4]));
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
    fn append_turns_nothing_between_blocks() {
        assert_eq!(BLOCK % 4, 0);
        let source = sample(2 * BLOCK + 3, true);
        let (mut out, mut expected) = (Vec::new(), source.clone());
        append_masked(&mut out, &source, [7, 8, 9, 10]);
        naive(&mut expected, [7, 8, 9, 10]);
        assert_eq!(out, expected);
    }
}
