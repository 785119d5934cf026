//! A client's opening handshake says the same however an answer is cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (usize, &[u8])| hybi_fuzz::response(input.0, input.1));
