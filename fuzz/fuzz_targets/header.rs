//! A header that parses encodes to the octets that it was parsed from, unless these were a longer form.
#![no_main]

use hybi::wire::header::{FrameHeader, Parsed};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    match FrameHeader::parse(octets) {
        Ok(Parsed::Header(header, len)) if header.is_shortest(len) => assert_eq!(*header.encode(), octets[..len]),
        Ok(Parsed::Header(header, len)) => assert!(header.encoded_len() < len),
        Ok(Parsed::Incomplete(needed)) => assert!(needed > octets.len() && needed <= 14),
        Err(_) => {}
    }
});
