//! What a server makes of any octets, in any reads, in any of the three ways to receive.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (Vec<u16>, Vec<u8>)| hybi_fuzz::receive(hybi::Role::Server, &input.0, &input.1));
