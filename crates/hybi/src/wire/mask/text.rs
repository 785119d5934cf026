//! Validating UTF-8 with vectors: the other half of what text needs when it is unmasked. RFC 3629.
//!
//! The method is John Keiser's and Daniel Lemire's, *Validating UTF-8 in less than one instruction per byte* (2021).
//! What is wrong about two neighbours is told by the halves of the first octet and the upper half of the second: three
//! lookups in tables of sixteen. What is left is whether the third and fourth octets of characters are where they
//! should be. All octets of a vector are looked at together, each with the three before it and with nothing else; so a
//! text may begin inside a character, and end in one.

#![allow(
    unsafe_code,
    reason = "vector instructions; what they are compared with is the standard library, in the tests"
)]

use core::arch::x86_64::{
    __m128i, __m256i, _mm_alignr_epi8, _mm_and_si128, _mm_loadu_si128, _mm_set_epi32, _mm_set1_epi8,
    _mm_shuffle_epi8, _mm_srli_epi16, _mm_subs_epu8, _mm_testz_si128, _mm256_alignr_epi8, _mm256_and_si256,
    _mm256_broadcastsi128_si256, _mm256_permute2x128_si256, _mm256_set_epi32, _mm256_set1_epi8,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_subs_epu8, _mm256_testz_si256,
};

use super::x86::{Avx2, Vectors};

/// A kind of pair that is in no text, as the sets of halves of octets that it has: bit *n* stands for the half *n*.
struct Wrong {
    /// Of the first octet the upper half, and the lower.
    first: (u16, u16),
    /// Of the second the upper half.
    second: u16,
}

const ANY: u16 = 0xFFFF;
/// The upper halves of ASCII, of octets that continue a character, and of octets that begin one of several.
const ASCII: u16 = 0x00FF;
const CONTINUES: u16 = 0x0F00;
const BEGINS: u16 = 0xF000;

const fn halves<const N: usize>(halves: [u8; N]) -> u16 {
    let (mut set, mut i) = (0, 0);
    while i < N {
        set |= 1 << halves[i];
        i += 1;
    }
    set
}

/// All of them. Bit *n* of what the tables say is the pair *n*.
const WRONG: [Wrong; 8] = [
    // A character of several octets that has only one.
    Wrong { first: (BEGINS, ANY), second: ASCII | BEGINS },
    // One of a single octet that goes on.
    Wrong { first: (ASCII, ANY), second: CONTINUES },
    // C0 and C1: two octets for what one says.
    Wrong { first: (halves([0xC]), halves([0, 1])), second: CONTINUES },
    // E0 80 to E0 9F: three octets for what two say.
    Wrong { first: (halves([0xE]), halves([0])), second: halves([8, 9]) },
    // ED A0 to ED BF: surrogates.
    Wrong { first: (halves([0xE]), halves([0xD])), second: halves([0xA, 0xB]) },
    // F0 80 to F0 8F: four octets for what three say. And F5 to FF, which begin nothing.
    Wrong { first: (halves([0xF]), ABOVE_F4 | halves([0])), second: halves([8]) },
    // F4 90 to F4 BF: above U+10FFFF. And F5 to FF.
    Wrong { first: (halves([0xF]), ABOVE_F4 | halves([4])), second: halves([9, 0xA, 0xB]) },
    // An octet that continues and one more: right in characters of three or four octets, and nowhere else.
    Wrong { first: (CONTINUES, ANY), second: CONTINUES },
];
const ABOVE_F4: u16 = 0xFFE0;
/// The bit of the last of them.
const TWO_CONTINUE: u8 = 0x80;

/// For each half of an octet, which of the pairs have it.
const fn table(which: u8) -> [u8; 16] {
    let mut table = [0; 16];
    let mut pair = 0;
    while pair < WRONG.len() {
        let set = match which {
            0 => WRONG[pair].first.0,
            1 => WRONG[pair].first.1,
            _ => WRONG[pair].second,
        };
        let mut half = 0;
        while half < 16 {
            if set >> half & 1 == 1 {
                table[half] |= 1 << pair;
            }
            half += 1;
        }
        pair += 1;
    }
    table
}

static FIRST_UPPER: [u8; 16] = table(0);
static FIRST_LOWER: [u8; 16] = table(1);
static SECOND_UPPER: [u8; 16] = table(2);

/// The least octets of a text: one vector of the narrower kind.
pub(super) const LEAST: usize = 16;

impl Avx2 {
    /// Whether a text that has come to the octets `before` can go on with `text`, which may end inside a character. A
    /// last octet that begins none (C0, C1, F5 to FF) is not noticed. There are at least [`LEAST`] octets.
    #[inline]
    pub(super) fn goes_on(self, text: &[u8], before: [u8; 3]) -> bool {
        #[target_feature(enable = "avx2")]
        fn enter(avx2: Avx2, text: &[u8], before: [u8; 3]) -> bool {
            match text.len() {
                ..32 => few_go_on::<_, 16>(avx2, text, before),
                32..64 => few_go_on::<_, 32>(avx2, text, before),
                _ => many_go_on::<_, 32>(avx2, text, before),
            }
        }
        // SAFETY: `self` exists, so the processor has what `enter` needs.
        unsafe { enter(self, text, before) }
    }
}

/// From one vector to two.
#[inline(always)]
fn few_go_on<V: Lookups<N>, const N: usize>(v: V, text: &[u8], before: [u8; 3]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
        debug_assert!(false, "a shorter text goes elsewhere");
        return false;
    };
    let mut wrong = wrong_behind(v, v.load(first), before);
    // Of the first three octets of the last vector nothing can be said without those that lie before it. They are seen
    // in the first vector, or in one more.
    wrong = v.or(wrong, wrong_alone(v, v.load(last)));
    if let Some(middle) = text.get(N - 3..2 * N - 3).and_then(<[u8]>::first_chunk) {
        wrong = v.or(wrong, wrong_alone(v, v.load(middle)));
    }
    v.is_zero(wrong)
}

/// Two vectors and more.
#[inline(always)]
fn many_go_on<V: Lookups<N>, const N: usize>(v: V, text: &[u8], before: [u8; 3]) -> bool {
    let (mut rest, mut wrong) = match ascii_at_front(v, text) {
        0 => (text, wrong_behind(v, at(v, text, 0), before)),
        ascii => (&text[ascii - N..], unfinished(v, v.ending(before))),
    };
    // What was not looked at, and one vector before it.
    while let Some(nine) = rest.get(..9 * N) {
        // Eight at once, whatever they are: where text has much of both kinds, a processor guesses wrong which comes
        // next more often than it is worth to know.
        for place in [N, 3 * N, 5 * N, 7 * N] {
            wrong = v.or(wrong, v.or(wrong_at(v, nine, place), wrong_at(v, nine, place + N)));
        }
        rest = &rest[8 * N..];
        while let Some(five) = rest.get(..5 * N)
            && are_ascii(v, five, [N, 2 * N, 3 * N, 4 * N])
        {
            wrong = v.or(wrong, unfinished(v, at(v, five, 0)));
            rest = &rest[4 * N..];
        }
    }
    while let Some(three) = rest.get(..3 * N) {
        wrong = v.or(wrong, v.or(wrong_at(v, three, N), wrong_at(v, three, 2 * N)));
        rest = &rest[2 * N..];
    }
    if let Some(two) = rest.get(..2 * N) {
        wrong = v.or(wrong, wrong_at(v, two, N));
    }
    if rest.len() > N {
        wrong = v.or(wrong, wrong_at(v, text, text.len() - N));
    }
    v.is_zero(wrong)
}

/// How much of the front is ASCII, as far as can be told four vectors at a time; if it is all, that is told.
#[inline(always)]
fn ascii_at_front<V: Lookups<N>, const N: usize>(v: V, text: &[u8]) -> usize {
    let mut seen = 0;
    while let Some(four) = text.get(seen..seen + 4 * N) {
        if !are_ascii(v, four, [0, N, 2 * N, 3 * N]) {
            return seen;
        }
        seen += 4 * N;
    }
    let end = text.len() - N;
    let is_ascii = are_ascii(v, text, [seen.min(end), (seen + N).min(end), (seen + 2 * N).min(end), end]);
    if is_ascii { text.len() } else { seen }
}

#[inline(always)]
fn are_ascii<V: Lookups<N>, const N: usize>(v: V, text: &[u8], [a, b, c, d]: [usize; 4]) -> bool {
    v.is_ascii(v.or(v.or(at(v, text, a), at(v, text, b)), v.or(at(v, text, c), at(v, text, d))))
}

/// The vector that lies here.
#[inline(always)]
fn at<V: Lookups<N>, const N: usize>(v: V, text: &[u8], place: usize) -> V::Vector {
    v.load(text[place..].first_chunk().expect("callers ask for vectors that lie in the text"))
}

/// The octets that cannot follow what is before them: any bit says so. `one`: for each octet the one before it; and so
/// on.
#[inline(always)]
fn wrong<V: Lookups<N>, const N: usize>(
    v: V,
    octets: V::Vector,
    [one, two, three]: [V::Vector; 3],
) -> V::Vector {
    let half = v.all(0x0F);
    let upper = v.look_up(&FIRST_UPPER, v.and(v.shifted_bits(one), half));
    let lower = v.look_up(&FIRST_LOWER, v.and(one, half));
    let second = v.look_up(&SECOND_UPPER, v.and(v.shifted_bits(octets), half));
    let pairs = v.and(v.and(upper, lower), second);
    // The highest bit is set by what is at least E0 two octets before, and by what is at least F0 three before.
    let third = v.less(two, v.all(0xE0 - TWO_CONTINUE));
    let fourth = v.less(three, v.all(0xF0 - TWO_CONTINUE));
    v.xor(pairs, v.and(v.or(third, fourth), v.all(TWO_CONTINUE)))
}

/// The same for the vector that lies at a place of a text, three octets from its beginning or more. To load what lies
/// before costs less than to shift what is there.
#[inline(always)]
fn wrong_at<V: Lookups<N>, const N: usize>(v: V, text: &[u8], place: usize) -> V::Vector {
    wrong(v, at(v, text, place), [at(v, text, place - 1), at(v, text, place - 2), at(v, text, place - 3)])
}

/// The same for the first of a text, or of what goes on after `before`.
#[inline(always)]
fn wrong_behind<V: Lookups<N>, const N: usize>(v: V, octets: V::Vector, before: [u8; 3]) -> V::Vector {
    let before = v.ending(before);
    wrong(
        v,
        octets,
        [v.shifted::<15>(octets, before), v.shifted::<14>(octets, before), v.shifted::<13>(octets, before)],
    )
}

/// The same for one of which it is not known what comes before it: the first three octets do not count.
#[inline(always)]
fn wrong_alone<V: Lookups<N>, const N: usize>(v: V, octets: V::Vector) -> V::Vector {
    v.and(wrong_behind(v, octets, [0; 3]), v.load(&const { at_front([0; 3]) }))
}

/// Zero if no character begins in the last three octets that does not end there.
#[inline(always)]
fn unfinished<V: Lookups<N>, const N: usize>(v: V, octets: V::Vector) -> V::Vector {
    v.less(octets, v.load(&const { at_end([0xEF, 0xDF, 0xBF]) }))
}

const fn at_front<const N: usize>(octets: [u8; 3]) -> [u8; N] {
    let mut all = [0xFF; N];
    [all[0], all[1], all[2]] = octets;
    all
}

const fn at_end<const N: usize>(octets: [u8; 3]) -> [u8; N] {
    let mut all = [0xFF; N];
    [all[N - 3], all[N - 2], all[N - 1]] = octets;
    all
}

/// What validation does with vectors of `N` octets beside what masking does, on a processor that is proven to have them.
trait Lookups<const N: usize>: Vectors<N> {
    /// The same octet everywhere.
    fn all(self, octet: u8) -> Self::Vector;
    /// Zeros, and these octets at the end.
    fn ending(self, octets: [u8; 3]) -> Self::Vector;
    fn and(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// By so much less, but not less than zero.
    fn less(self, octets: Self::Vector, by: Self::Vector) -> Self::Vector;
    /// For each octet the one that is 16 - `SHIFT` before it.
    fn shifted<const SHIFT: i32>(self, octets: Self::Vector, before: Self::Vector) -> Self::Vector;
    /// The upper half of each octet in place of the lower; what the upper is then is not said.
    fn shifted_bits(self, octets: Self::Vector) -> Self::Vector;
    /// What the table has for each of these halves.
    fn look_up(self, table: &[u8; 16], halves: Self::Vector) -> Self::Vector;
    fn is_zero(self, octets: Self::Vector) -> bool;
}

/// Implements it. Each function is an instruction or two once it is in line in a function with the feature, and has to
/// get there.
macro_rules! lookups {
    (
        $n:literal, $vector:ident, $set:ident, $and:ident, $less:ident, $shift:ident, $shuffle:ident, $testz:ident,
        |$last:ident| $ending:expr, |$octets:ident, $before:ident| $joined:expr, |$table:ident| $tables:expr
    ) => {
        impl Lookups<$n> for Avx2 {
            #[inline(always)]
            fn all(self, octet: u8) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $set(octet as i8) }
            }

            #[inline(always)]
            fn ending(self, [a, b, c]: [u8; 3]) -> $vector {
                let $last = i32::from_le_bytes([0, a, b, c]);
                // SAFETY: `self` exists.
                unsafe { $ending }
            }

            #[inline(always)]
            fn and(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $and(a, b) }
            }

            #[inline(always)]
            fn less(self, octets: $vector, by: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $less(octets, by) }
            }

            #[inline(always)]
            fn shifted<const SHIFT: i32>(self, $octets: $vector, $before: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $joined }
            }

            #[inline(always)]
            fn shifted_bits(self, octets: $vector) -> $vector {
                // SAFETY: `self` exists.
                unsafe { $shift::<4>(octets) }
            }

            #[inline(always)]
            fn look_up(self, table: &[u8; 16], halves: $vector) -> $vector {
                // SAFETY: `self` exists; the reference is to as many octets as are read, and the load needs no
                // alignment.
                unsafe {
                    let $table = _mm_loadu_si128(table.as_ptr().cast());
                    $shuffle($tables, halves)
                }
            }

            #[inline(always)]
            fn is_zero(self, octets: $vector) -> bool {
                // SAFETY: `self` exists.
                unsafe { $testz(octets, octets) != 0 }
            }
        }
    };
}

lookups!(
    16,
    __m128i,
    _mm_set1_epi8,
    _mm_and_si128,
    _mm_subs_epu8,
    _mm_srli_epi16,
    _mm_shuffle_epi8,
    _mm_testz_si128,
    |last| _mm_set_epi32(last, 0, 0, 0),
    |octets, before| _mm_alignr_epi8::<SHIFT>(octets, before),
    |table| table
);
lookups!(
    32,
    __m256i,
    _mm256_set1_epi8,
    _mm256_and_si256,
    _mm256_subs_epu8,
    _mm256_srli_epi16,
    _mm256_shuffle_epi8,
    _mm256_testz_si256,
    |last| _mm256_set_epi32(last, 0, 0, 0, 0, 0, 0, 0),
    // The instruction shifts each half by itself: before the lower one lies the upper half of `before`, before the
    // upper one the lower.
    |octets, before| _mm256_alignr_epi8::<SHIFT>(octets, _mm256_permute2x128_si256::<0x21>(before, octets)),
    |table| _mm256_broadcastsi128_si256(table)
);

#[cfg(test)]
mod tests {
    use super::super::x86::Processor;
    use alloc::vec::Vec;

    /// The naive twin: whether some text begins so, as far as the kernel tells.
    fn naive(text: &[u8], before: [u8; 3]) -> bool {
        let all = [&before, text].concat();
        core::str::from_utf8(&all).err().is_none_or(|error| {
            let is_last = error.valid_up_to() + 1 == all.len();
            error.error_len().is_none() || is_last && matches!(all.last(), Some(0xC0..)) // none is told behind it
        })
    }

    fn same(text: &[u8], before: [u8; 3]) {
        if let Some(avx2) = Processor::ask().avx2() {
            assert_eq!(avx2.goes_on(text, before), naive(text, before), "{before:x?} {text:x?}");
        }
    }

    fn step(all: usize, miri: usize) -> usize {
        if cfg!(miri) { miri } else { all }
    }

    /// Every two octets, and after them every kind of octet.
    #[test]
    fn every_pair() {
        let kinds = [0x41, 0x80, 0xBF, 0xC2];
        for first in (0..=0xFF).step_by(step(1, 13)) {
            for second in (0..=0xFF).step_by(step(1, 31)) {
                for (third, fourth) in kinds.into_iter().flat_map(|third| kinds.map(|fourth| (third, fourth)))
                {
                    let mut text = *b"sixteen or more.";
                    text[7..11].copy_from_slice(&[first, second, third, fourth]);
                    same(&text, [0; 3]);
                }
            }
        }
    }

    const SAMPLES: [&[u8]; 13] = [
        "é".as_bytes(),
        "€".as_bytes(),
        "😀".as_bytes(),
        b"\xC3",
        b"\xE2\x82",
        b"\xF0\x9F\x98",
        b"\xA9",
        b"\x82\xAC",
        b"\x9F\x98\x80",
        b"\xED\xA0\x80",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80",
        b"\xC1",
    ];

    /// Among ASCII and among other text, in every length up to some vectors, and where the loops take one turn more.
    #[test]
    fn every_place_of_every_length() {
        let lengths = (16..140).step_by(step(1, 21)).chain((140..700).step_by(step(29, 250)));
        let lengths = lengths.chain(if cfg!(miri) { 0..0 } else { 285..291 });
        for len in lengths {
            for filler in ["a", "Ångström"] {
                let text: Vec<u8> = filler.bytes().cycle().take(len).collect();
                for place in (0..len).step_by(step(1, len / 5)) {
                    for sample in SAMPLES {
                        let mut text = text.clone();
                        let end = len.min(place + sample.len());
                        text[place..end].copy_from_slice(&sample[..end - place]);
                        same(&text, [0; 3]);
                    }
                }
            }
        }
    }

    /// In ASCII that goes on for long behind other text.
    #[test]
    fn every_place_of_ascii_behind_other_text() {
        for place in (250..690).step_by(step(1, 90)) {
            for sample in SAMPLES {
                let mut text = ["é".as_bytes(), &[b'a'; 700]].concat();
                text[place..place + sample.len()].copy_from_slice(sample);
                same(&text, [0; 3]);
            }
        }
    }

    #[test]
    fn what_came_before() {
        const MORE: [&[u8]; 4] = [b"\x80", b"\x9F\x80", b"a", b"\x80\x80\x80\x80"];
        let before: [[u8; 3]; 9] = [
            [0; 3],
            *b"\0\0\xC3",
            *b"\0\0\xE2",
            *b"\0\xE2\x82",
            *b"\0\0\xF0",
            *b"\0\xF0\x9F",
            *b"\xF0\x9F\x98",
            *b"a\xC3\xA9",
            *b"\xE2\x82\xAC",
        ];
        for before in before {
            for sample in SAMPLES.into_iter().chain(MORE) {
                for len in (16..70).step_by(step(1, 17)).chain([128, 160, 300]) {
                    let text = [sample, &[b'a'; 300][..]].concat();
                    same(&text[..len], before);
                }
            }
        }
    }
}
