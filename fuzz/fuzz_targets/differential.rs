//! See `hybi_fuzz::differential::differential`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::differential::differential(octets));
