//! See `hybi_fuzz::receive::client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::receive::client(octets));
