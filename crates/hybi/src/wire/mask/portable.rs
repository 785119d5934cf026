//! Masking with words of eight octets. The loop has no dependency between turns and no alignment to peel, so
//! compilers make vector code of it wherever there are vectors. Short payloads and ends are done with two
//! words that overlap: both are loaded before either is stored.

#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    mask_all(payload, key);
}

#[inline]
pub(super) fn mask_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    mask_all(payload, key) & HIGH_BITS == 0
}

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Masks, and returns all octets that came out, one upon the other.
#[inline]
fn mask_all(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let len = payload.len();
    if len > 32 {
        return mask_long(payload, key);
    }
    let word = word(key);
    let end_word = word_after(key, len); // the key as it stands eight octets before the end, or sixteen
    if let (Some(&a), Some(&b)) = (payload.first_chunk(), payload.last_chunk()) {
        let (a, b) = (mask_words(a, word), mask_words(b, end_word));
        payload[..16].copy_from_slice(a.as_flattened());
        payload[len - 16..].copy_from_slice(b.as_flattened());
        seen(a) | seen(b)
    } else if let (Some(&a), Some(&b)) = (payload.first_chunk(), payload.last_chunk()) {
        let (a, b) = (u64::from_ne_bytes(a) ^ word, u64::from_ne_bytes(b) ^ end_word);
        payload[..8].copy_from_slice(&a.to_ne_bytes());
        payload[len - 8..].copy_from_slice(&b.to_ne_bytes());
        a | b
    } else {
        mask_octets(payload, key)
    }
}

#[inline]
fn mask_words(octets: [u8; 16], word: u64) -> [[u8; 8]; 2] {
    let (words, _) = octets.as_chunks();
    [words[0], words[1]].map(|octets| (u64::from_ne_bytes(octets) ^ word).to_ne_bytes())
}

#[inline]
fn seen([a, b]: [[u8; 8]; 2]) -> u64 {
    u64::from_ne_bytes(a) | u64::from_ne_bytes(b)
}

/// More than eight octets, and usually many.
#[inline(never)]
fn mask_long(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let end_key = word_after(key, payload.len());
    let Some(&end) = payload.last_chunk() else { return mask_octets(payload, key) };
    let end = u64::from_ne_bytes(end) ^ end_key;
    let mut seen = end;
    let word = word(key);
    for octets in payload.as_chunks_mut::<8>().0 {
        let plain = u64::from_ne_bytes(*octets) ^ word;
        seen |= plain;
        *octets = plain.to_ne_bytes();
    }
    if let Some(octets) = payload.last_chunk_mut() {
        *octets = end.to_ne_bytes();
    }
    seen
}

/// Fewer than eight octets.
#[inline]
fn mask_octets(payload: &mut [u8], key: [u8; 4]) -> u64 {
    let mut seen = 0;
    for (octet, key) in payload.iter_mut().zip([key, key].as_flattened()) {
        *octet ^= key;
        seen |= *octet;
    }
    u64::from(seen)
}

/// The key twice, in the order in which it lies in memory.
#[inline]
const fn word(key: [u8; 4]) -> u64 {
    let half = u32::from_ne_bytes(key) as u64;
    half << 32 | half
}

/// The key twice, as it stands at an octet whose distance from the first is `len` modulo four.
#[inline]
const fn word_after(key: [u8; 4], len: usize) -> u64 {
    word(super::rotate(key, len))
}
