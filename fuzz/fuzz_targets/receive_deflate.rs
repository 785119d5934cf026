//! Any frames on a connection with compression, in any reads, in any of the three ways to receive: the same events.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::deflate::receive(octets));
