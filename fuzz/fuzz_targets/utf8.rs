//! See `hybi_fuzz::kernels::utf8`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::kernels::utf8(octets));
