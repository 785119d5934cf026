//! Masking with words of eight octets. The loops have no dependency between turns and no alignment to
//! peel, so compilers make vector code of them wherever there are vectors.

#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<8>();
    let word_key = word(key);
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ word_key).to_ne_bytes();
    }
    for (octet, key) in rest.iter_mut().zip([key, key].as_flattened()) {
        *octet ^= key;
    }
}

#[inline]
pub(super) fn mask_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    let (words, rest) = payload.as_chunks_mut::<8>();
    let word_key = word(key);
    let mut seen = 0;
    for word in words {
        let plain = u64::from_ne_bytes(*word) ^ word_key;
        seen |= plain;
        *word = plain.to_ne_bytes();
    }
    let mut seen_rest = 0;
    for (octet, key) in rest.iter_mut().zip([key, key].as_flattened()) {
        *octet ^= key;
        seen_rest |= *octet;
    }
    seen & HIGH_BITS == 0 && seen_rest.is_ascii()
}

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The key twice, in the order in which it lies in memory.
const fn word(key: [u8; 4]) -> u64 {
    let [a, b, c, d] = key;
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}
