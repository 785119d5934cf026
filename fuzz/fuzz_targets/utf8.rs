//! The validator, fed in two pieces, says what the naive twin says of the whole.
#![no_main]

use hybi::utf8::Utf8Validator;
use hybi_test::twin::{Utf8, utf8};

libfuzzer_sys::fuzz_target!(|input: (usize, Vec<u8>)| {
    let (cut, octets) = input;
    let (a, b) = octets.split_at(cut % (octets.len() + 1));
    let mut validator = Utf8Validator::default();
    let taken = validator.update(a).and_then(|()| validator.update(b));
    let ours = match (taken, validator.finish()) {
        (Err(_), _) => Utf8::Wrong,
        (Ok(()), Err(_)) => Utf8::Unfinished,
        (Ok(()), Ok(())) => Utf8::Valid,
    };
    assert!(ours == utf8(&octets), "{octets:x?}");
});
