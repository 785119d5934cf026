//! See `hybi_fuzz::receive::server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::receive::server(octets));
