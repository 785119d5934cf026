//! UTF-8 validation that can stop inside a character and go on later: RFC 6455 §8.1, RFC 3629.
//!
//! Whole characters go through simdutf8. Of a character whose rest has not arrived up to three octets are kept, and
//! looked at by themselves or with what follows them, so that the first octet that cannot be right fails at once
//! (Autobahn 6.4.*).

use core::ops::Range;

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

    /// The same for a piece of `memory`, in which the unfinished character lies before it. What lies behind it is
    /// [made use of](is_utf8_in).
    #[inline]
    pub(crate) fn update_in(&mut self, memory: &mut [u8], piece: Range<usize>) -> Result<(), NotUtf8> {
        let start = piece.start - self.len as usize;
        debug_assert_eq!(&memory[start..piece.start], self.partial(), "it lies before the piece");
        let whole = start + whole_len(&memory[start..piece.end]);
        if !is_utf8_in(memory, start..whole) {
            return Err(NotUtf8);
        }
        self.keep(&memory[whole..piece.end])
    }

    /// Takes a piece that is known to be ASCII, and not empty: all there is to check is that it begins no character's
    /// middle.
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
        let (whole, partial) = octets.split_at(whole_len(octets));
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

/// So many octets behind a text let it be validated in whole blocks.
const ROOM: usize = 64;

/// Whether a part of `memory` is UTF-8, whole characters only. simdutf8 takes blocks of 64 octets, and copies what is
/// left over to a block of zeros; what is shorter it does not take. So what lies behind the text is taken away for as
/// long as that lasts, and zeros are put in its place, if there is [`ROOM`].
#[inline(never)] // short text is ASCII more often than not, and does not get here
pub(crate) fn is_utf8_in(memory: &mut [u8], text: Range<usize>) -> bool {
    let len = text.len();
    let room = memory.get_mut(text.end..).and_then(<[u8]>::first_chunk_mut::<ROOM>);
    let Some(room) = room.filter(|_| !len.is_multiple_of(ROOM)) else {
        return is_utf8(&memory[text]);
    };
    let behind = core::mem::replace(room, [0; ROOM]);
    let is_utf8 = simdutf8::basic::from_utf8(&memory[text.start..][..len.next_multiple_of(ROOM)]).is_ok();
    if let Some(room) = memory[text.end..].first_chunk_mut() {
        *room = behind;
    }
    is_utf8
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
        let (mut validator, mut roomy) = (Utf8Validator::default(), Utf8Validator::default());
        let mut from = 0;
        for to in cuts.iter().copied().chain([octets.len()]) {
            let result = validator.update(&octets[from..to]);
            assert_eq!(update_in(&mut roomy, octets, from..to), result, "{octets:x?} up to {to}");
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
        assert_eq!(roomy.finish(), validator.finish());
    }

    /// The same where they lie, with memory behind them that is of no text and has to be left as it was.
    fn update_in(validator: &mut Utf8Validator, octets: &[u8], piece: Range<usize>) -> Result<(), NotUtf8> {
        let memory = [&octets[..piece.end], &[0xFF; ROOM]].concat();
        let mut used = memory.clone();
        let result = validator.update_in(&mut used, piece);
        assert_eq!(used, memory);
        result
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

    /// From less than a block to some, with a character at every place, whole or without its last octet; and with as
    /// much memory behind as is made use of, with one octet less, and with none.
    #[test]
    fn blocks_and_what_is_left_over() {
        let lengths =
            if cfg!(miri) { [63, 64, 65].as_slice() } else { &[1, 3, 30, 63, 64, 65, 127, 128, 200] };
        for &len in lengths {
            for at in 0..len {
                for char in ["é", "€", "😀"].map(str::as_bytes) {
                    for octets in [char, &char[..char.len() - 1]] {
                        let mut text = vec![b'a'; len];
                        let end = len.min(at + octets.len());
                        text[at..end].copy_from_slice(&octets[..end - at]);
                        let expected = core::str::from_utf8(&text).is_ok();
                        for behind in [ROOM, ROOM - 1, 0] {
                            let memory = [&text[..], &vec![0x80; behind]].concat();
                            let mut used = memory.clone();
                            assert_eq!(is_utf8_in(&mut used, 0..len), expected, "{text:x?} and {behind}");
                            assert_eq!(used, memory);
                        }
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
