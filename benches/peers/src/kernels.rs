//! The kernels of the floor codec: what this machine can do, not what any library does. x86-64 only.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[inline]
fn rot(key: u32, by: usize) -> u32 {
    key.rotate_right(8 * (by as u32 & 3))
}

/// Sliding window: 16 bytes starting at 32-n are 0xFF for the first n (0..=32) of two vectors.
static KEEP: [u8; 64] = {
    let mut t = [0u8; 64];
    let mut i = 0;
    while i < 32 {
        t[i] = 0xFF;
        i += 1;
    }
    t
};

/// Unmask `n <= 32` bytes in place and tell whether they are ASCII; no branches on the length.
/// Bytes behind the payload are read and written back unchanged.
/// # Safety
/// 32 bytes from `p` must be readable and writable.
#[inline(always)]
pub unsafe fn xor_ascii_32(p: *mut u8, n: usize, key: u32) -> bool {
    unsafe {
        debug_assert!(n <= 32);
        let m = _mm_set1_epi32(key as i32);
        let k = KEEP.as_ptr().add(32 - n);
        let (k0, k1) = (_mm_loadu_si128(k.cast()), _mm_loadu_si128(k.add(16).cast()));
        let a = _mm_xor_si128(_mm_loadu_si128(p.cast()), _mm_and_si128(m, k0));
        let b = _mm_xor_si128(_mm_loadu_si128(p.add(16).cast()), _mm_and_si128(m, k1));
        _mm_storeu_si128(p.cast(), a);
        _mm_storeu_si128(p.add(16).cast(), b);
        _mm_movemask_epi8(_mm_or_si128(_mm_and_si128(a, k0), _mm_and_si128(b, k1))) == 0
    }
}

/// dst[..32] = src[..32], the first n unmasked... for senders: `src ^ key` for n <= 32, over-writing to 32.
/// # Safety
/// 32 readable bytes at `src`, 32 writable at `dst`.
#[inline(always)]
pub unsafe fn copy_xor_32(src: *const u8, dst: *mut u8, key: u32) {
    unsafe {
        let m = _mm_set1_epi32(key as i32);
        let a = _mm_xor_si128(_mm_loadu_si128(src.cast()), m);
        let b = _mm_xor_si128(_mm_loadu_si128(src.add(16).cast()), m);
        _mm_storeu_si128(dst.cast(), a);
        _mm_storeu_si128(dst.add(16).cast(), b);
    }
}

/// Byte at a time, the definition.
pub fn xor_bytes(b: &mut [u8], key: [u8; 4]) {
    for (i, x) in b.iter_mut().enumerate() {
        *x ^= key[i & 3];
    }
}

/// 0..=31 bytes with at most two overlapping loads per width, no loops.
#[inline(always)]
unsafe fn xor_small(p: *mut u8, n: usize, key: u32) {
    unsafe {
        let k8 = key as u64 | (key as u64) << 32;
        if n >= 16 {
            let m = _mm_set1_epi32(key as i32);
            let mt = _mm_set1_epi32(rot(key, n) as i32); // the tail starts n-16 bytes in: same phase as n
            let a = _mm_loadu_si128(p.cast());
            let b = _mm_loadu_si128(p.add(n - 16).cast());
            _mm_storeu_si128(p.cast(), _mm_xor_si128(a, m));
            _mm_storeu_si128(p.add(n - 16).cast(), _mm_xor_si128(b, mt));
        } else if n >= 8 {
            let a = p.cast::<u64>().read_unaligned();
            let b = p.add(n - 8).cast::<u64>().read_unaligned();
            let kt = rot(key, n);
            p.cast::<u64>().write_unaligned(a ^ k8);
            p.add(n - 8).cast::<u64>().write_unaligned(b ^ (kt as u64 | (kt as u64) << 32));
        } else if n >= 4 {
            let a = p.cast::<u32>().read_unaligned();
            let b = p.add(n - 4).cast::<u32>().read_unaligned();
            p.cast::<u32>().write_unaligned(a ^ key);
            p.add(n - 4).cast::<u32>().write_unaligned(b ^ rot(key, n));
        } else if n > 0 {
            let k = key.to_le_bytes();
            *p ^= k[0];
            if n > 1 {
                *p.add(1) ^= k[1];
            }
            if n > 2 {
                *p.add(2) ^= k[2];
            }
        }
    }
}

macro_rules! kernel {
    ($name:ident, $feat:literal, $w:expr, $load:ident, $store:ident, $xor:ident, $set:ident, $ty:ty) => {
        /// In place, unaligned loads and stores, four vectors per turn, overlapping tail.
        /// # Safety
        /// The CPU must have the feature.
        #[target_feature(enable = $feat)]
        pub unsafe fn $name(b: &mut [u8], key: [u8; 4]) {
            unsafe {
                let key = u32::from_le_bytes(key);
                let n = b.len();
                let p = b.as_mut_ptr();
                if n < 32 {
                    return xor_small(p, n, key);
                }
                if n < $w {
                    // 32..63 for the 64-byte kernel
                    let m = _mm256_set1_epi32(key as i32);
                    let mt = _mm256_set1_epi32(rot(key, n) as i32);
                    let a = _mm256_loadu_si256(p.cast());
                    let c = _mm256_loadu_si256(p.add(n - 32).cast());
                    _mm256_storeu_si256(p.cast(), _mm256_xor_si256(a, m));
                    _mm256_storeu_si256(p.add(n - 32).cast(), _mm256_xor_si256(c, mt));
                    return;
                }
                let m = $set(key as i32);
                let mt = $set(rot(key, n) as i32);
                // Load the tail before anything is stored over it, store it last.
                let tail = $xor($load(p.add(n - $w).cast()), mt);
                let mut i = 0;
                while i + 4 * $w <= n {
                    let q = p.add(i);
                    let a = $load(q.cast());
                    let c = $load(q.add($w).cast());
                    let d = $load(q.add(2 * $w).cast());
                    let e = $load(q.add(3 * $w).cast());
                    $store(q.cast(), $xor(a, m));
                    $store(q.add($w).cast(), $xor(c, m));
                    $store(q.add(2 * $w).cast(), $xor(d, m));
                    $store(q.add(3 * $w).cast(), $xor(e, m));
                    i += 4 * $w;
                }
                while i + $w <= n {
                    let q = p.add(i);
                    $store(q.cast(), $xor($load(q.cast()), m));
                    i += $w;
                }
                $store(p.add(n - $w).cast(), tail);
            }
        }
    };
}

kernel!(
    xor_avx2_raw,
    "avx2",
    32,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_xor_si256,
    _mm256_set1_epi32,
    __m256i
);
kernel!(
    xor_avx512_raw,
    "avx512f,avx2",
    64,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_xor_si512,
    _mm512_set1_epi32,
    __m512i
);

/// In place with 16-byte vectors; always available on x86-64.
pub fn xor_sse2(b: &mut [u8], key: [u8; 4]) {
    let key = u32::from_le_bytes(key);
    let n = b.len();
    let p = b.as_mut_ptr();
    // SAFETY: all accesses are inside the slice.
    unsafe {
        if n < 32 {
            return xor_small(p, n, key);
        }
        let m = _mm_set1_epi32(key as i32);
        let mt = _mm_set1_epi32(rot(key, n) as i32);
        let tail = _mm_xor_si128(_mm_loadu_si128(p.add(n - 16).cast()), mt);
        let mut i = 0;
        while i + 64 <= n {
            for j in 0..4 {
                let q = p.add(i + 16 * j);
                _mm_storeu_si128(q.cast(), _mm_xor_si128(_mm_loadu_si128(q.cast()), m));
            }
            i += 64;
        }
        while i + 16 <= n {
            let q = p.add(i);
            _mm_storeu_si128(q.cast(), _mm_xor_si128(_mm_loadu_si128(q.cast()), m));
            i += 16;
        }
        _mm_storeu_si128(p.add(n - 16).cast(), tail);
    }
}

pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
}

/// The best kernel of the machine; short inputs stay inline.
#[inline]
pub fn xor_best(b: &mut [u8], key: [u8; 4]) {
    let n = b.len();
    if n < 32 {
        // SAFETY: inside the slice.
        return unsafe { xor_small(b.as_mut_ptr(), n, u32::from_le_bytes(key)) };
    }
    if has_avx512() {
        // SAFETY: checked.
        unsafe { xor_avx512_al(b, key) }
    } else if has_avx2() {
        // SAFETY: checked.
        unsafe { xor_avx2_raw(b, key) }
    } else {
        xor_sse2(b, key)
    }
}

/// Like `xor_avx512`, but long inputs get a first unaligned vector and then aligned stores only.
/// # Safety
/// The CPU must have avx512f and avx2.
#[target_feature(enable = "avx512f,avx2")]
unsafe fn xor_avx512_al(b: &mut [u8], key: [u8; 4]) {
    unsafe {
        let n = b.len();
        if n < 512 {
            return xor_avx512_raw(b, key);
        }
        let key = u32::from_le_bytes(key);
        let p = b.as_mut_ptr();
        let head = (64 - (p as usize & 63)) & 63;
        // Both ends are loaded before anything is stored over them.
        let first = _mm512_xor_si512(_mm512_loadu_si512(p.cast()), _mm512_set1_epi32(key as i32));
        let tail =
            _mm512_xor_si512(_mm512_loadu_si512(p.add(n - 64).cast()), _mm512_set1_epi32(rot(key, n) as i32));
        let m = _mm512_set1_epi32(rot(key, head) as i32);
        let mut i = head;
        while i + 256 <= n {
            let q = p.add(i);
            let a = _mm512_load_si512(q.cast());
            let c = _mm512_load_si512(q.add(64).cast());
            let d = _mm512_load_si512(q.add(128).cast());
            let e = _mm512_load_si512(q.add(192).cast());
            _mm512_store_si512(q.cast(), _mm512_xor_si512(a, m));
            _mm512_store_si512(q.add(64).cast(), _mm512_xor_si512(c, m));
            _mm512_store_si512(q.add(128).cast(), _mm512_xor_si512(d, m));
            _mm512_store_si512(q.add(192).cast(), _mm512_xor_si512(e, m));
            i += 256;
        }
        while i + 64 <= n {
            let q = p.add(i);
            _mm512_store_si512(q.cast(), _mm512_xor_si512(_mm512_load_si512(q.cast()), m));
            i += 64;
        }
        _mm512_storeu_si512(p.add(n - 64).cast(), tail);
        _mm512_storeu_si512(p.cast(), first);
    }
}
/// dst = src ^ key, equal lengths, n >= 32; stores are aligned after the first one.
#[target_feature(enable = "avx2")]
unsafe fn copy_xor_avx2(src: *const u8, dst: *mut u8, n: usize, key: u32) {
    unsafe {
        let a = _mm256_loadu_si256(src.cast());
        _mm256_storeu_si256(dst.cast(), _mm256_xor_si256(a, _mm256_set1_epi32(key as i32)));
        let mut i = if n >= 256 { 32 - (dst as usize & 31) } else { 32 };
        let m = _mm256_set1_epi32(rot(key, i) as i32);
        while i + 128 <= n {
            let a = _mm256_loadu_si256(src.add(i).cast());
            let b = _mm256_loadu_si256(src.add(i + 32).cast());
            let c = _mm256_loadu_si256(src.add(i + 64).cast());
            let d = _mm256_loadu_si256(src.add(i + 96).cast());
            _mm256_storeu_si256(dst.add(i).cast(), _mm256_xor_si256(a, m));
            _mm256_storeu_si256(dst.add(i + 32).cast(), _mm256_xor_si256(b, m));
            _mm256_storeu_si256(dst.add(i + 64).cast(), _mm256_xor_si256(c, m));
            _mm256_storeu_si256(dst.add(i + 96).cast(), _mm256_xor_si256(d, m));
            i += 128;
        }
        while i + 32 <= n {
            let a = _mm256_loadu_si256(src.add(i).cast());
            _mm256_storeu_si256(dst.add(i).cast(), _mm256_xor_si256(a, m));
            i += 32;
        }
        if i < n {
            let mt = _mm256_set1_epi32(rot(key, n) as i32);
            let a = _mm256_loadu_si256(src.add(n - 32).cast());
            _mm256_storeu_si256(dst.add(n - 32).cast(), _mm256_xor_si256(a, mt));
        }
    }
}

/// # Safety
/// `dst` must be writable for `src.len()` bytes and not overlap `src`.
#[inline]
pub unsafe fn copy_xor(src: &[u8], dst: *mut u8, key: [u8; 4]) {
    let n = src.len();
    let k = u32::from_le_bytes(key);
    unsafe {
        if n >= 32 && has_avx2() {
            return copy_xor_avx2(src.as_ptr(), dst, n, k);
        }
        if (16..32).contains(&n) {
            let m = _mm_set1_epi32(k as i32);
            let mt = _mm_set1_epi32(rot(k, n) as i32);
            let a = _mm_loadu_si128(src.as_ptr().cast());
            let b = _mm_loadu_si128(src.as_ptr().add(n - 16).cast());
            _mm_storeu_si128(dst.cast(), _mm_xor_si128(a, m));
            _mm_storeu_si128(dst.add(n - 16).cast(), _mm_xor_si128(b, mt));
            return;
        }
        std::ptr::copy_nonoverlapping(src.as_ptr(), dst, n);
        xor_sse2(std::slice::from_raw_parts_mut(dst, n), key);
    }
}

/// Unmask in place and tell whether every resulting byte is ASCII, in one pass.
#[target_feature(enable = "avx2")]
unsafe fn xor_ascii_avx2(b: &mut [u8], key: u32) -> bool {
    unsafe {
        let n = b.len();
        let p = b.as_mut_ptr();
        if n < 32 {
            xor_small(p, n, key);
            return b.is_ascii();
        }
        let m = _mm256_set1_epi32(key as i32);
        let tail =
            _mm256_xor_si256(_mm256_loadu_si256(p.add(n - 32).cast()), _mm256_set1_epi32(rot(key, n) as i32));
        let mut acc = tail;
        let mut i = 0;
        while i + 128 <= n {
            let a = _mm256_xor_si256(_mm256_loadu_si256(p.add(i).cast()), m);
            let b = _mm256_xor_si256(_mm256_loadu_si256(p.add(i + 32).cast()), m);
            let c = _mm256_xor_si256(_mm256_loadu_si256(p.add(i + 64).cast()), m);
            let d = _mm256_xor_si256(_mm256_loadu_si256(p.add(i + 96).cast()), m);
            _mm256_storeu_si256(p.add(i).cast(), a);
            _mm256_storeu_si256(p.add(i + 32).cast(), b);
            _mm256_storeu_si256(p.add(i + 64).cast(), c);
            _mm256_storeu_si256(p.add(i + 96).cast(), d);
            acc = _mm256_or_si256(acc, _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
            i += 128;
        }
        while i + 32 <= n {
            let a = _mm256_xor_si256(_mm256_loadu_si256(p.add(i).cast()), m);
            _mm256_storeu_si256(p.add(i).cast(), a);
            acc = _mm256_or_si256(acc, a);
            i += 32;
        }
        _mm256_storeu_si256(p.add(n - 32).cast(), tail);
        _mm256_movemask_epi8(acc) == 0
    }
}
/// # Safety
/// CPU must have avx512f, avx512bw and avx2.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
unsafe fn xor_ascii_avx512(b: &mut [u8], key: u32) -> bool {
    unsafe {
        let n = b.len();
        let p = b.as_mut_ptr();
        if n < 64 {
            return xor_ascii_avx2(b, key);
        }
        let m = _mm512_set1_epi32(key as i32);
        let tail =
            _mm512_xor_si512(_mm512_loadu_si512(p.add(n - 64).cast()), _mm512_set1_epi32(rot(key, n) as i32));
        let mut acc = tail;
        let mut i = 0;
        while i + 256 <= n {
            let a = _mm512_xor_si512(_mm512_loadu_si512(p.add(i).cast()), m);
            let b = _mm512_xor_si512(_mm512_loadu_si512(p.add(i + 64).cast()), m);
            let c = _mm512_xor_si512(_mm512_loadu_si512(p.add(i + 128).cast()), m);
            let d = _mm512_xor_si512(_mm512_loadu_si512(p.add(i + 192).cast()), m);
            _mm512_storeu_si512(p.add(i).cast(), a);
            _mm512_storeu_si512(p.add(i + 64).cast(), b);
            _mm512_storeu_si512(p.add(i + 128).cast(), c);
            _mm512_storeu_si512(p.add(i + 192).cast(), d);
            acc = _mm512_or_si512(acc, _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
            i += 256;
        }
        while i + 64 <= n {
            let a = _mm512_xor_si512(_mm512_loadu_si512(p.add(i).cast()), m);
            _mm512_storeu_si512(p.add(i).cast(), a);
            acc = _mm512_or_si512(acc, a);
            i += 64;
        }
        _mm512_storeu_si512(p.add(n - 64).cast(), tail);
        _mm512_movepi8_mask(acc) == 0
    }
}
pub fn xor_ascii(b: &mut [u8], key: [u8; 4]) -> bool {
    let k = u32::from_le_bytes(key);
    if is_x86_feature_detected!("avx512bw") && has_avx512() && has_avx2() {
        // SAFETY: checked
        unsafe { xor_ascii_avx512(b, k) }
    } else if has_avx2() {
        // SAFETY: checked
        unsafe { xor_ascii_avx2(b, k) }
    } else {
        xor_sse2(b, key);
        b.is_ascii()
    }
}

/// Length of the longest prefix that does not end inside a multi-byte sequence
/// (judged by the lead byte only; a malformed tail is left for the validator to refuse).
#[inline]
pub fn boundary(b: &[u8]) -> usize {
    let n = b.len();
    for back in 1..=3.min(n) {
        let c = b[n - back];
        if c < 0x80 {
            return n;
        }
        if c >= 0xC0 {
            let need = if c >= 0xF0 {
                4
            } else if c >= 0xE0 {
                3
            } else {
                2
            };
            return if need > back { n - back } else { n };
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn kernels_agree() {
        for n in (0..700).chain([1023, 1024, 4099, 5000]) {
            let src: Vec<u8> = (0..n + 8).map(|i| (i * 7 + 3) as u8).collect();
            for off in 0..4 {
                let key = [1, 200, 31, 77];
                let mut want = src[off..off + n].to_vec();
                xor_bytes(&mut want, key);
                type Mask = fn(&mut [u8], [u8; 4]);
                let fs: [Mask; 3] = [xor_bytes, xor_sse2, xor_best];
                for (j, f) in fs.iter().enumerate() {
                    let mut s = src.clone();
                    f(&mut s[off..off + n], key);
                    assert_eq!(&s[off..off + n], &want[..], "kernel {j} n {n}");
                    assert_eq!(&s[..off], &src[..off]);
                    assert_eq!(&s[off + n..], &src[off + n..]);
                }
                let mut d = vec![0xAA; n + 8];
                unsafe { copy_xor(&src[off..off + n], d.as_mut_ptr().add(4), key) };
                assert_eq!(&d[4..4 + n], &want[..]);
                assert!(d[..4].iter().chain(&d[4 + n..]).all(|b| *b == 0xAA));
                if n <= 32 {
                    let mut s = src.clone();
                    s.resize(off + 64, 0xEE);
                    let before = s.clone();
                    let a = unsafe { xor_ascii_32(s.as_mut_ptr().add(off), n, u32::from_le_bytes(key)) };
                    assert_eq!(&s[off..off + n], &want[..]);
                    assert_eq!(&s[off + n..], &before[off + n..]);
                    assert_eq!(a, want.is_ascii());
                }
                let mut s = src.clone();
                let a = xor_ascii(&mut s[off..off + n], key);
                assert_eq!(&s[off..off + n], &want[..]);
                assert_eq!(a, want.is_ascii());
            }
        }
    }
}
