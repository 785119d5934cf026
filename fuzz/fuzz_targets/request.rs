//! A server's opening handshake says the same however a request is cut, and its answer is short.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (usize, &[u8])| hybi_fuzz::request(input.0, input.1));
