//! See `hybi_fuzz::kernels::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::kernels::header(octets));
