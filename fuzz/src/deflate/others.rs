//! Inflaters that other people wrote, as judges: what both accept or both refuse is to be accepted or refused.
//!
//! They differ in what RFC 1951 leaves open, such as codes without a symbol for the end of a block; there one of them
//! has to say what is said here.

use hybi::extension::permessage_deflate::InflateError;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

type Verdict<'a> = Result<&'a [u8], InflateError>;

/// What the end of a message loses.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

pub(super) struct Judges {
    limit: usize,
    miniz: Miniz,
    /// All payloads so far, with their tails.
    stream: Vec<u8>,
    /// All messages so far.
    len: usize,
}

impl Judges {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, miniz: Miniz::new(), stream: Vec::new(), len: 0 }
    }

    pub(super) fn judge(&mut self, payload: &[u8], ours: Verdict<'_>) {
        let theirs = self.miniz.message(payload, self.limit);
        self.stream.extend_from_slice(payload);
        self.stream.extend_from_slice(&TAIL);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
            (Err(ours), Err(theirs)) if ours == theirs => {}
            (Err(_), Err(_)) => {} // one of them came to the limit before what is wrong
            (ours, theirs) => {
                let zlib = zlib(&self.stream, self.len + self.limit);
                assert_eq!(zlib.map(|_| ours.is_ok()), zlib, "{ours:?}, and not {theirs:?}");
            }
        }
        self.len += ours.map_or(0, <[u8]>::len);
    }
}

/// A message after the other, in one output, so that they share the window.
struct Miniz {
    state: DecompressorOxide,
    out: Vec<u8>,
    at: usize,
    /// The last block of the message has ended, and nothing follows in its octet.
    is_at_end: bool,
}

impl Miniz {
    fn new() -> Self {
        Self { state: DecompressorOxide::new(), out: Vec::new(), at: 0, is_at_end: true }
    }

    fn message(&mut self, payload: &[u8], limit: usize) -> Verdict<'_> {
        let start = self.at;
        // A message may be larger than the limit before that is noticed.
        self.out.resize(start + limit + 1024, 0);
        if payload.is_empty() {
            return Ok(&[]);
        }
        self.is_at_end = false;
        let mut last = false;
        for (mut part, is_tail) in [(payload, false), (&TAIL[..], true)] {
            if is_tail && last {
                break; // a message that ends with a last block needs no tail
            }
            last = self.feed(&mut part, start, limit)?;
        }
        if self.is_at_end { Ok(&self.out[start..self.at]) } else { Err(InflateError::Corrupt) }
    }

    /// Whether it ended with a last block.
    fn feed(&mut self, part: &mut &[u8], start: usize, limit: usize) -> Result<bool, InflateError> {
        let flags = TINFL_FLAG_HAS_MORE_INPUT
            | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY
            | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        loop {
            let (status, consumed, produced) =
                decompress(&mut self.state, part, &mut self.out, self.at, flags);
            *part = &part[consumed..];
            self.at += produced;
            if self.at - start > limit {
                return Err(InflateError::TooBig);
            }
            self.is_at_end = part.is_empty();
            match status {
                TINFLStatus::Done => {
                    self.state = DecompressorOxide::new();
                    if part.is_empty() {
                        return Ok(true);
                    }
                }
                TINFLStatus::BlockBoundary => {
                    let left = self.state.block_boundary_state().map_or(0, |state| state.num_bits);
                    self.is_at_end &= left == 0;
                    if self.is_at_end {
                        return Ok(false);
                    }
                }
                TINFLStatus::NeedsMoreInput => {
                    self.is_at_end = false;
                    return Ok(false);
                }
                TINFLStatus::HasMoreOutput => return Err(InflateError::TooBig),
                _ => return Err(InflateError::Corrupt),
            }
        }
    }
}

/// Whether zlib-rs takes a stream; `None` where it cannot tell: after a last block, and whether all ends with a block.
fn zlib(stream: &[u8], limit: usize) -> Option<bool> {
    let mut inflate = zlib_rs::Inflate::new(false, 15);
    let mut out = vec![0; limit + 1024];
    match inflate.decompress(stream, &mut out, zlib_rs::InflateFlush::SyncFlush) {
        Ok(zlib_rs::Status::StreamEnd) => None,
        Err(_) => Some(false),
        Ok(_) => Some(true),
    }
}
