//! See `hybi_fuzz::opening::journey`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::opening::journey(octets));
