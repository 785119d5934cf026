//! See `hybi_fuzz::pair::pair`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::pair::pair(octets));
