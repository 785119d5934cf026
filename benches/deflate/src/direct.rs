//! The back ends, called directly: what there is to compare with.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// Turns messages into payloads.
pub(crate) trait Compress {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>);
    fn reset(&mut self);
}

/// Turns payloads into messages; false if it is corrupt.
pub(crate) trait Decompress {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool;
    fn reset(&mut self);
}

pub(crate) struct MinizCompress(Box<CompressorOxide>);

impl MinizCompress {
    pub(crate) fn new(level: u8) -> Self {
        Self(Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(level.into(), -15, 0))))
    }
}

impl Compress for MinizCompress {
    fn message(&mut self, mut payload: &[u8], out: &mut Vec<u8>) {
        loop {
            let at = out.len();
            out.resize(at + payload.len() / 2 + 256, 0);
            let (status, consumed, produced) =
                compress(&mut self.0, payload, &mut out[at..], TDEFLFlush::Sync);
            assert_eq!(status, TDEFLStatus::Okay);
            payload = &payload[consumed..];
            let full = produced == out.len() - at;
            out.truncate(at + produced);
            if payload.is_empty() && !full {
                break;
            }
        }
        out.truncate(out.len() - TAIL.len());
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

pub(crate) struct ZlibCompress(Deflate);

impl ZlibCompress {
    pub(crate) fn new(level: u8, window: u8) -> Self {
        Self(Deflate::new(level.into(), false, window))
    }
}

impl Compress for ZlibCompress {
    fn message(&mut self, mut payload: &[u8], out: &mut Vec<u8>) {
        loop {
            let at = out.len();
            out.resize(at + payload.len() / 2 + 256, 0);
            let (total_in, total_out) = (self.0.total_in(), self.0.total_out());
            self.0.compress(payload, &mut out[at..], DeflateFlush::SyncFlush).expect("a right state");
            let produced = (self.0.total_out() - total_out) as usize;
            payload = &payload[(self.0.total_in() - total_in) as usize..];
            let full = produced == out.len() - at;
            out.truncate(at + produced);
            if payload.is_empty() && !full {
                break;
            }
        }
        out.truncate(out.len() - TAIL.len());
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

/// The core of miniz_oxide with a ring as large as the window, and a copy from it.
pub(crate) struct MinizRing {
    state: Box<DecompressorOxide>,
    ring: Box<[u8]>,
    at: usize,
}

impl MinizRing {
    pub(crate) fn new(window: u8) -> Self {
        Self { state: Box::default(), ring: vec![0; 1 << window].into(), at: 0 }
    }
}

impl Decompress for MinizRing {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        for mut part in [payload, &TAIL] {
            loop {
                let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
                let (status, consumed, produced) =
                    decompress(&mut self.state, part, &mut self.ring, self.at, flags);
                out.extend_from_slice(&self.ring[self.at..self.at + produced]);
                self.at = (self.at + produced) & (self.ring.len() - 1);
                part = &part[consumed..];
                match status {
                    TINFLStatus::NeedsMoreInput => break,
                    TINFLStatus::HasMoreOutput => {}
                    _ => return false,
                }
            }
        }
        true
    }

    fn reset(&mut self) {
        self.state.init();
        self.at = 0;
    }
}

/// The core of miniz_oxide, stopping at the end of each block.
pub(crate) struct MinizBlocks(pub(crate) MinizRing);

impl Decompress for MinizBlocks {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let ring = &mut self.0;
        for mut part in [payload, &TAIL] {
            loop {
                let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
                    | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
                let (status, consumed, produced) =
                    decompress(&mut ring.state, part, &mut ring.ring, ring.at, flags);
                out.extend_from_slice(&ring.ring[ring.at..ring.at + produced]);
                ring.at = (ring.at + produced) & (ring.ring.len() - 1);
                part = &part[consumed..];
                match status {
                    TINFLStatus::NeedsMoreInput => break,
                    TINFLStatus::HasMoreOutput | TINFLStatus::BlockBoundary => {}
                    _ => return false,
                }
            }
        }
        true
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

pub(crate) struct ZlibInflate(Inflate);

impl ZlibInflate {
    pub(crate) fn new(window: u8) -> Self {
        Self(Inflate::new(false, window))
    }
}

impl Decompress for ZlibInflate {
    fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        for mut part in [payload, &TAIL] {
            loop {
                let at = out.len();
                out.resize(at + part.len() * 4 + 1024, 0);
                let (total_in, total_out) = (self.0.total_in(), self.0.total_out());
                if self.0.decompress(part, &mut out[at..], InflateFlush::NoFlush).is_err() {
                    return false;
                }
                let produced = (self.0.total_out() - total_out) as usize;
                part = &part[(self.0.total_in() - total_in) as usize..];
                let full = produced == out.len() - at;
                out.truncate(at + produced);
                if part.is_empty() && !full {
                    break;
                }
            }
        }
        true
    }

    fn reset(&mut self) {
        self.0.reset(false);
    }
}
