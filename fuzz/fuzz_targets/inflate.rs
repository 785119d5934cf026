//! The inflater, in any reads and with any room, judges as other people's inflaters do, and keeps its limit.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::deflate::inflate(octets));
