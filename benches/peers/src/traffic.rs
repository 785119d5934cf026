//! What the workloads send: reproducible payloads, and frames built by hand.

pub const CONT: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;

fn push_header(out: &mut Vec<u8>, fin: bool, opcode: u8, len: usize, mask: Option<[u8; 4]>) {
    out.push((fin as u8) << 7 | opcode);
    let m = if mask.is_some() { 0x80 } else { 0 };
    if len < 126 {
        out.push(m | len as u8);
    } else if len < 65536 {
        out.push(m | 126);
        out.extend_from_slice(&(len as u16).to_be_bytes());
    } else {
        out.push(m | 127);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
    if let Some(k) = mask {
        out.extend_from_slice(&k);
    }
}

pub fn push_frame(out: &mut Vec<u8>, fin: bool, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    push_header(out, fin, opcode, payload.len(), mask);
    match mask {
        None => out.extend_from_slice(payload),
        Some(k) => out.extend(payload.iter().enumerate().map(|(i, b)| b ^ k[i & 3])),
    }
}

/// One message, optionally split into fragments of `frag` bytes.
pub fn push_message(
    out: &mut Vec<u8>,
    opcode: u8,
    payload: &[u8],
    frag: Option<usize>,
    masked: bool,
    r: &mut Rng,
) {
    let step = frag.unwrap_or(usize::MAX).max(1);
    let mut off = 0usize;
    let mut first = true;
    loop {
        let end = payload.len().min(off.saturating_add(step));
        let mask = masked.then(|| (r.next() as u32 | 0x0101_0101).to_le_bytes());
        push_frame(out, end == payload.len(), if first { opcode } else { CONT }, &payload[off..end], mask);
        first = false;
        off = end;
        if off == payload.len() {
            break;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Pseudo-random bytes.
    Binary,
    /// Pure ASCII, JSON-looking.
    Ascii,
    /// JSON-looking with about one character in eight non-ASCII (2, 3 and 4 byte forms).
    Mixed,
}

const WORDS: &[&str] = &[
    "price",
    "volume",
    "symbol",
    "bid",
    "ask",
    "timestamp",
    "channel",
    "message",
    "user",
    "id",
    "typing",
    "presence",
    "update",
    "snapshot",
    "order",
    "book",
    "quantity",
    "side",
    "buy",
    "sell",
    "status",
    "ok",
];
const MIXED: &[&str] = &["é", "ß", "ü", "ж", "世", "界", "こ", "€", "🦀", "🎉", "ñ", "ø"];

/// `len` bytes of the given kind; text kinds are always valid UTF-8 of exactly that length.
pub fn payload(kind: Kind, len: usize, seed: u64) -> Vec<u8> {
    let mut r = Rng::new(seed.wrapping_add(77));
    let mut out = Vec::with_capacity(len + 64);
    match kind {
        Kind::Binary => {
            out.resize(len, 0);
            r.fill(&mut out);
            return out;
        }
        Kind::Ascii | Kind::Mixed => {
            while out.len() < len {
                let w = WORDS[r.below(WORDS.len() as u64) as usize];
                out.extend_from_slice(b"{\"");
                out.extend_from_slice(w.as_bytes());
                out.extend_from_slice(b"\":");
                if r.below(2) == 0 {
                    out.extend_from_slice(format!("{}.{:02}", r.below(100000), r.below(100)).as_bytes());
                } else {
                    out.push(b'"');
                    let w = WORDS[r.below(WORDS.len() as u64) as usize];
                    out.extend_from_slice(w.as_bytes());
                    if kind == Kind::Mixed {
                        for _ in 0..3 {
                            out.extend_from_slice(MIXED[r.below(MIXED.len() as u64) as usize].as_bytes());
                        }
                    }
                    out.push(b'"');
                }
                out.extend_from_slice(b"},");
            }
        }
    }
    // Cut back to a character boundary, then pad with ASCII.
    let mut cut = len;
    while cut > 0 && cut < out.len() && (out[cut] & 0xC0) == 0x80 {
        cut -= 1;
    }
    out.truncate(cut);
    out.resize(len, b'.');
    debug_assert!(std::str::from_utf8(&out).is_ok());
    out
}

/// xorshift64*, only to make the same data each time.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
    }
}
