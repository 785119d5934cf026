//! UTF-8 validation that can stop inside a character and go on later: RFC 6455 §8.1, RFC 3629.
//!
//! Whole characters go through simdutf8. Of a character whose rest has not arrived up to three octets are kept, and
//! looked at by themselves, so that the first octet that cannot be right fails at once (Autobahn 6.4.*).

use crate::message::NotUtf8;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8Validator {
    /// The first octets of a character whose rest has not arrived, at the front; `len` of them.
    partial: [u8; 3],
    len: u8,
}

impl Utf8Validator {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`NotUtf8`] if no text can begin with what was taken so far. The validator is then of no more use.
    #[inline]
    pub fn update(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        if self.is_in_char() { self.go_on(piece) } else { self.take(piece) }
    }

    /// Takes a piece that is known to be ASCII: all there is to check is that it begins no character's middle.
    #[inline]
    pub(crate) fn update_ascii(&mut self, piece_is_empty: bool) -> Result<(), NotUtf8> {
        if self.is_in_char() && !piece_is_empty { Err(NotUtf8) } else { Ok(()) }
    }

    /// The text is over.
    ///
    /// # Errors
    /// [`NotUtf8`] if it ends inside a character.
    #[inline]
    pub fn finish(&mut self) -> Result<(), NotUtf8> {
        if self.is_in_char() { Err(NotUtf8) } else { Ok(()) }
    }

    fn is_in_char(&self) -> bool {
        self.len > 0
    }

    /// The first octets of a character whose rest has not arrived: none to three.
    pub(crate) fn partial(&self) -> &[u8] {
        &self.partial[..self.len as usize]
    }

    /// How many octets the unfinished character misses; zero if there is none.
    pub(crate) fn missing(&self) -> usize {
        match self.partial() {
            [] => 0,
            partial @ [lead, ..] => char_len(*lead) - partial.len(),
        }
    }

    /// Gives the unfinished character the octets that it misses, as far as they are there, and takes the rest.
    fn go_on(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        let (missing, rest) = piece.split_at(self.missing().min(piece.len()));
        let mut char = [0; 4];
        let (before, n) = (self.partial().len(), self.partial().len() + missing.len());
        char[..before].copy_from_slice(self.partial());
        char[before..n].copy_from_slice(missing);
        self.take(&char[..n])?;
        if rest.is_empty() { Ok(()) } else { self.take(rest) }
    }

    /// Takes octets that begin with a character.
    #[inline]
    fn take(&mut self, octets: &[u8]) -> Result<(), NotUtf8> {
        let (whole, partial) = split_partial(octets);
        if !is_utf8(whole) {
            return Err(NotUtf8);
        }
        self.keep(partial)
    }

    /// Remembers the beginning of a character, if it is one.
    fn keep(&mut self, partial: &[u8]) -> Result<(), NotUtf8> {
        if !begins_char(partial) {
            return Err(NotUtf8);
        }
        self.partial[..partial.len()].copy_from_slice(partial);
        self.len = partial.len() as u8;
        Ok(())
    }
}

/// Whether the octets are UTF-8, whole characters only.
#[inline]
pub(crate) fn is_utf8(octets: &[u8]) -> bool {
    match octets.first_chunk::<64>() {
        // simdutf8 leaves so few to the standard library; most are ASCII, and a test in line costs less than a call.
        None => octets.is_ascii() || core::str::from_utf8(octets).is_ok(),
        Some(_) => simdutf8::basic::from_utf8(octets).is_ok(),
    }
}

/// Cuts off the octets at the end that begin a character and do not finish it.
fn split_partial(piece: &[u8]) -> (&[u8], &[u8]) {
    let tail = &piece[piece.len().saturating_sub(3)..];
    for (back, octet) in tail.iter().rev().enumerate() {
        match octet {
            0x80..=0xBF => {} // in the middle of a character: look further back
            0xC0.. if char_len(*octet) > back + 1 => return piece.split_at(piece.len() - back - 1),
            _ => break,
        }
    }
    (piece, &[])
}

/// How many octets the character has that begins with `lead`. Octets that begin none count as one, so that
/// they reach the validator, which refuses them.
const fn char_len(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Whether some character begins with what [`split_partial`] cut off, a lead and octets that continue one: some leads
/// have fewer second octets than others (RFC 3629 §4).
fn begins_char(partial: &[u8]) -> bool {
    match partial {
        [0xE0, second, ..] => *second >= 0xA0,
        [0xED, second, ..] => *second <= 0x9F,
        [0xF0, second, ..] => *second >= 0x90,
        [0xF4, second, ..] => *second <= 0x8F,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let mut validator = Utf8Validator::default();
        let mut from = 0;
        for to in cuts.iter().copied().chain([octets.len()]) {
            let result = validator.update(&octets[from..to]);
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
                if cfg!(miri) && (a ^ b) % 5 != 0 {
                    continue;
                }
                for &c in &octets {
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

    #[test]
    fn missing_counts_to_the_end_of_the_character() {
        let mut validator = Utf8Validator::default();
        for (octet, missing) in [(0xF0, 3), (0x9F, 2), (0x98, 1), (0x80, 0)] {
            assert_eq!(validator.update(&[octet]), Ok(()));
            assert_eq!(validator.missing(), missing);
        }
    }
}
