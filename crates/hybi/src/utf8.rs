//! UTF-8 validation that can stop inside a character and go on later: RFC 6455 §8.1, RFC 3629.
//!
//! Text is looked at in vectors where the processor has AVX2, wherever it was cut; else whole characters go through
//! simdutf8, or the standard library if they are few. Of what came before three octets are kept, so that the first
//! octet that cannot be right fails at once (Autobahn 6.4.*).

use crate::message::NotUtf8;
use crate::wire::mask;

/// A validator for text that arrives in pieces.
///
/// ```
/// use hybi::utf8::Utf8Validator;
/// let mut validator = Utf8Validator::default();
/// assert!(validator.update(b"caf\xc3").is_ok());
/// assert!(validator.update(b"\xa9").is_ok());
/// assert!(validator.finish().is_ok());
///
/// // F4 90 begins no character: it would be above U+10FFFF. No need to wait for its end.
/// assert!(validator.update(b"\xf4").is_ok());
/// assert!(validator.update(b"\x90").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// The last three octets, as far as they belong to an unfinished character. If there is none they only have to end
    /// one: zeros do, and octets behind which ASCII came.
    last: [u8; 3],
}

impl Utf8Validator {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`NotUtf8`] if no text can begin with what was taken so far. The validator is then of no more use.
    #[inline]
    pub fn update(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        match mask::goes_on(piece, self.last) {
            Some(goes_on) => self.come_to(goes_on, piece),
            None => self.update_otherwise(piece),
        }
    }

    /// What the kernel tells of a piece.
    #[inline]
    fn come_to(&mut self, goes_on: bool, piece: &[u8]) -> Result<(), NotUtf8> {
        match piece.last_chunk() {
            // Of an octet that begins no character it did not tell where that is the last.
            Some(last @ [_, _, 0x00..=0xBF | 0xC2..=0xF4]) if goes_on => {
                self.last = *last;
                Ok(())
            }
            _ => Err(NotUtf8),
        }
    }

    /// Without the kernel.
    #[inline(never)]
    fn update_otherwise(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        let partial = self.partial();
        if partial.is_empty() {
            return self.take(piece);
        }
        let mut char = [0; 4];
        let (missing, rest) = piece.split_at(self.missing().min(piece.len()));
        let (before, n) = (partial.len(), partial.len() + missing.len());
        char[..before].copy_from_slice(partial);
        char[before..n].copy_from_slice(missing);
        self.take(&char[..n])?;
        if rest.is_empty() { Ok(()) } else { self.take(rest) }
    }

    /// Takes octets that begin with a character.
    fn take(&mut self, octets: &[u8]) -> Result<(), NotUtf8> {
        let (whole, partial) = octets.split_at(whole_len(octets));
        if !is_utf8_otherwise(whole) || !begins_char(partial) {
            return Err(NotUtf8);
        }
        self.last = [0; 3];
        self.last[3 - partial.len()..].copy_from_slice(partial);
        Ok(())
    }

    /// Takes a piece that is known to be ASCII, and not empty: all there is to check is that no character is unfinished
    /// before it.
    #[inline]
    pub(crate) fn update_ascii(&self) -> Result<(), NotUtf8> {
        self.finish()
    }

    /// The text is over.
    ///
    /// # Errors
    /// [`NotUtf8`] if it ends inside a character.
    #[inline]
    pub fn finish(&self) -> Result<(), NotUtf8> {
        if self.partial().is_empty() { Ok(()) } else { Err(NotUtf8) }
    }

    /// The first octets of a character whose rest has not arrived: none to three.
    #[inline]
    pub(crate) fn partial(&self) -> &[u8] {
        &self.last[whole_len(&self.last)..]
    }

    /// How many octets the unfinished character misses; zero if there is none.
    pub(crate) fn missing(&self) -> usize {
        match self.partial() {
            [] => 0,
            partial @ [lead, ..] => char_len(*lead) - partial.len(),
        }
    }
}

/// Whether the octets are UTF-8, whole characters only.
#[inline(never)] // most text is ASCII, and most of that is seen to be while it is unmasked
pub(crate) fn is_utf8(octets: &[u8]) -> bool {
    match mask::goes_on(octets, [0; 3]) {
        Some(goes_on) => goes_on && whole_len(octets) == octets.len(),
        None => is_utf8_otherwise(octets),
    }
}

/// Without the kernel.
fn is_utf8_otherwise(octets: &[u8]) -> bool {
    match octets.first_chunk::<64>() {
        // simdutf8 leaves so few to the standard library; a test in line costs less than a call, if they are ASCII.
        None => octets.is_ascii() || core::str::from_utf8(octets).is_ok(),
        Some(_) => simdutf8::basic::from_utf8(octets).is_ok(),
    }
}

/// How many octets there are without those at the end that seem to begin a character and not to finish it.
#[inline]
fn whole_len(piece: &[u8]) -> usize {
    // Without a loop, and without a branch where the compiler finds none: text is cut anywhere.
    let cut = match piece {
        [.., 0xF0..=0xFF, _, _] => 3,
        [.., 0xE0..=0xFF, _] => 2,
        [.., 0xC0..=0xFF] => 1,
        _ => 0,
    };
    piece.len() - cut
}

/// How many octets the character has that begins with `lead`.
const fn char_len(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Whether some character begins with what [`whole_len`] left out: some leads have fewer second octets than others
/// (RFC 3629 §4), and some octets are none.
fn begins_char(partial: &[u8]) -> bool {
    let Some((lead, rest)) = partial.split_first() else { return true };
    let seconds = match lead {
        0xE0 => 0xA0..=0xBF,
        0xED => 0x80..=0x9F,
        0xF0 => 0x90..=0xBF,
        0xF4 => 0x80..=0x8F,
        0xC2..=0xF4 => 0x80..=0xBF,
        _ => return false,
    };
    rest.first().is_none_or(|second| seconds.contains(second))
        && rest.get(1).is_none_or(|third| (0x80..=0xBF).contains(third))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// The naive twin: how many octets can be taken before it is certain that this is no UTF-8.
    /// `None`: it may go on for ever. Tries every way to go on after each octet.
    fn fails_at(octets: &[u8]) -> Option<usize> {
        (1..=octets.len()).find(|n| !is_prefix_of_utf8(&octets[..*n]))
    }

    fn is_prefix_of_utf8(octets: &[u8]) -> bool {
        match core::str::from_utf8(octets) {
            Ok(_) => true,
            Err(e) => e.error_len().is_none(), // the standard library tells "unfinished" from "wrong"
        }
    }

    fn check(octets: &[u8], cuts: &[usize]) {
        let expected = fails_at(octets);
        let (mut validator, mut otherwise) = (Utf8Validator::default(), Utf8Validator::default());
        let mut from = 0;
        for to in cuts.iter().copied().chain([octets.len()]) {
            let result = validator.update(&octets[from..to]);
            assert_eq!(otherwise.update_otherwise(&octets[from..to]), result, "{octets:x?} up to {to}");
            match expected {
                Some(n) if n <= to => {
                    assert_eq!(result, Err(NotUtf8), "{octets:x?} up to {to}");
                    return;
                }
                _ => assert_eq!(result, Ok(()), "{octets:x?} up to {to}"),
            }
            from = to;
        }
        assert_eq!(validator.finish().is_ok(), core::str::from_utf8(octets).is_ok(), "{octets:x?}");
        assert_eq!(otherwise.finish(), validator.finish());
    }

    fn check_every_cut(octets: &[u8]) {
        check(octets, &[]);
        check(octets, &(1..octets.len()).collect::<Vec<_>>());
        for a in 0..=octets.len() {
            for b in a..=octets.len() {
                check(octets, &[a, b]);
            }
        }
    }

    #[test]
    fn every_pair_and_the_edges_of_longer_characters() {
        let edges =
            [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC];
        let more = [0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF];
        let octets: Vec<u8> = edges.into_iter().chain(more).collect();
        for &a in &octets {
            for &b in &octets {
                for &c in &octets {
                    if cfg!(miri) && (u32::from(a) * 7 + u32::from(b) * 3 + u32::from(c)) % 61 != 0 {
                        continue;
                    }
                    for d in [0x41, 0x80, 0xBF, 0xC2] {
                        check(&[a, b, c, d], &[]);
                        check(&[a, b, c, d], &[1, 2, 3]);
                        check(&[b'x', a, b, c], &[2]);
                        check(&[a, b, c, d], &[2]);
                    }
                }
            }
        }
    }

    #[test]
    fn texts_cut_everywhere() {
        for text in [
            "",
            "a",
            "κόσμε",
            "€uro",
            "𐍈 and 😀",
            "Hello-µ@ßöäüàá-UTF-8!!",
            "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}",
        ] {
            check_every_cut(text.as_bytes());
        }
    }

    #[test]
    fn wrong_octets_fail_at_once() {
        let wrong: &[&[u8]] = &[
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x88\x80\x80\x80",
            b"ab\xfe",
            b"\x80",
            b"\xc3(",
            b"\xe2\x28\xa1",
        ];
        for octets in wrong {
            assert!(fails_at(octets).is_some());
            check_every_cut(octets);
        }
    }

    /// From less than a vector to some, with a character at every place, whole or without its last octet.
    #[test]
    fn vectors_and_what_is_left_over() {
        let lengths = if cfg!(miri) { [16, 31, 65].as_slice() } else { &[1, 3, 15, 16, 30, 47, 64, 65, 200] };
        for &len in lengths {
            for at in (0..len).step_by(if cfg!(miri) { 9 } else { 1 }) {
                for char in ["é", "€", "😀"].map(str::as_bytes) {
                    for octets in [char, &char[..char.len() - 1], &char[1..], b"\xC0", b"\xFF"] {
                        let mut text = vec![b'a'; len];
                        let end = len.min(at + octets.len());
                        text[at..end].copy_from_slice(&octets[..end - at]);
                        let expected = core::str::from_utf8(&text).is_ok();
                        assert_eq!(is_utf8(&text), expected, "{text:x?}");
                        assert_eq!(is_utf8_otherwise(&text), expected, "{text:x?}");
                        check(&text, &[]);
                        check(&text, &[at]);
                        check(&text, &[at + 1]);
                    }
                }
            }
        }
    }

    #[test]
    fn missing_counts_to_the_end_of_the_character() {
        let mut validator = Utf8Validator::default();
        for (octet, missing) in [(0xF0, 3), (0x9F, 2), (0x98, 1), (0x80, 0)] {
            assert_eq!(validator.update(&[octet]), Ok(()));
            assert_eq!(validator.missing(), missing);
        }
    }
}
