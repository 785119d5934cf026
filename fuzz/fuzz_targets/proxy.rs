//! See `hybi_fuzz::opening::proxy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::opening::proxy(octets));
