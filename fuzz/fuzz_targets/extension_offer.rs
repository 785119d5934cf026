//! `Sec-WebSocket-Extensions`, any octets: what is read is written as the same, and any offer is answered or declined.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hybi_fuzz::deflate::extension_offer(octets));
