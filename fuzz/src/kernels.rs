//! Headers, masks and characters, against naive twins.

use hybi::utf8::Utf8Validator;
use hybi::wire::header::{FrameHeader, Parsed};
use hybi_test::dice::Dice;
use hybi_test::twin::{self, Utf8};

/// A header that parses encodes to the octets that it was parsed from, unless these were a longer form.
pub fn header(octets: &[u8]) {
    match FrameHeader::parse(octets) {
        Ok(Parsed::Header(header, len)) if header.is_shortest(len) => {
            assert_eq!(*header.encode(), octets[..len])
        }
        Ok(Parsed::Header(header, len)) => assert!(header.encoded_len() < len),
        Ok(Parsed::Incomplete(needed)) => assert!(needed > octets.len() && needed <= 14),
        Err(_) => {}
    }
}

/// Octets that are masked in two pieces, at any place in memory, are masked as by the twin, and ASCII is seen.
pub fn mask(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let key = [dice.octet(), dice.octet(), dice.octet(), dice.octet()];
    let (start, cut) = (dice.below(64), dice.below(256));
    let payload = dice.rest();
    let expected = twin::mask(payload, &key);
    let mut memory = [&vec![0; start], payload].concat();
    let (a, b) = memory[start..].split_at_mut(cut.min(payload.len()));
    let ascii = hybi::wire::mask::mask_ascii(a, key);
    assert_eq!(ascii, expected[..a.len()].is_ascii());
    hybi::wire::mask::mask(b, hybi::wire::mask::rotate(key, a.len()));
    assert_eq!(memory[start..], expected);
    assert!(memory[..start].iter().all(|octet| *octet == 0), "nothing around it is touched");
}

/// The validator, fed in pieces, fails in the piece that holds the first octet that cannot be right.
pub fn utf8(octets: &[u8]) {
    let mut dice = Dice::of(octets);
    let n = 1 + dice.below(512);
    let text = dice.rest();
    // Once wrong, always wrong: so the first octet that cannot be right is found by halves.
    let ends: Vec<usize> = (1..=text.len()).collect();
    let good = ends.partition_point(|end| twin::utf8(&text[..*end]) != Utf8::Wrong);
    let mut validator = Utf8Validator::default();
    let mut seen = 0;
    for piece in text.chunks(n) {
        seen += piece.len();
        let right = seen <= good;
        assert_eq!(validator.update(piece).is_ok(), right, "{:x?}", &text[..seen]);
        if !right {
            return;
        }
    }
    assert_eq!(validator.finish().is_ok(), twin::utf8(text) == Utf8::Valid, "{text:x?}");
}
