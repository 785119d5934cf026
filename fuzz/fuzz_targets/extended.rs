//! See `hybi_fuzz::opening::extended`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::opening::extended(octets));
