//! Incremental check of an output byte stream: every frame is parsed, unmasked and compared with the
//! message it should echo. Works on arbitrary splits of the stream.

pub struct Verifier {
    expect: Vec<Vec<u8>>, // messages, cycled
    opcode: u8,
    /// `Some(true)`: every frame must be masked, `Some(false)`: none may be, `None`: do not care.
    masked: Option<bool>,
    msg: usize,       // index into expect
    off: usize,       // bytes of that message already seen
    in_message: bool, // a first fragment was seen
    head: [u8; 14],
    head_len: usize,
    left: usize, // payload bytes left in the current frame
    fin: bool,
    key: [u8; 4],
    key_pos: usize,
    is_masked: bool,
    pub messages: u64,
    pub frames: u64,
}

#[inline]
fn need(head: &[u8]) -> usize {
    if head.len() < 2 {
        return 2;
    }
    let ext = match head[1] & 127 {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + ext + if head[1] & 0x80 != 0 { 4 } else { 0 }
}

impl Verifier {
    pub fn new(expect: Vec<Vec<u8>>, opcode: u8, masked: Option<bool>) -> Self {
        Verifier {
            expect,
            opcode,
            masked,
            msg: 0,
            off: 0,
            in_message: false,
            head: [0; 14],
            head_len: 0,
            left: 0,
            fin: false,
            key: [0; 4],
            key_pos: 0,
            is_masked: false,
            messages: 0,
            frames: 0,
        }
    }

    /// At a message boundary?
    pub fn idle(&self) -> bool {
        self.head_len == 0 && self.left == 0 && !self.in_message
    }

    pub fn feed(&mut self, mut b: &[u8]) {
        loop {
            if self.left == 0 && self.head_len == usize::MAX {
                self.end_frame();
            }
            if b.is_empty() && self.head_len != usize::MAX {
                return;
            }
            if self.head_len != usize::MAX {
                // header
                while self.head_len < need(&self.head[..self.head_len]) {
                    let want = need(&self.head[..self.head_len]) - self.head_len;
                    let n = want.min(b.len());
                    if n == 0 {
                        return;
                    }
                    self.head[self.head_len..self.head_len + n].copy_from_slice(&b[..n]);
                    self.head_len += n;
                    b = &b[n..];
                }
                self.begin_frame();
                continue;
            }
            let n = self.left.min(b.len());
            if n == 0 {
                if self.left == 0 {
                    continue;
                }
                return;
            }
            let want = &self.expect[self.msg];
            assert!(self.off + n <= want.len(), "echo longer than the message");
            let want = &want[self.off..self.off + n];
            let got = &b[..n];
            if self.is_masked {
                let mut ok = true;
                // 8 bytes at a time
                let k = u64::from_le_bytes(std::array::from_fn(|i| self.key[(self.key_pos + i) & 3]));
                let mut i = 0;
                while i + 8 <= n {
                    let g = u64::from_le_bytes(got[i..i + 8].try_into().unwrap());
                    let w = u64::from_le_bytes(want[i..i + 8].try_into().unwrap());
                    ok &= g ^ k == w;
                    i += 8;
                }
                while i < n {
                    ok &= got[i] ^ self.key[(self.key_pos + i) & 3] == want[i];
                    i += 1;
                }
                assert!(ok, "echo differs (masked)");
                self.key_pos = (self.key_pos + n) & 3;
            } else {
                assert!(got == want, "echo differs");
            }
            self.off += n;
            self.left -= n;
            b = &b[n..];
        }
    }

    fn begin_frame(&mut self) {
        let h = &self.head[..self.head_len];
        assert_eq!(h[0] & 0x70, 0, "reserved bits set");
        self.fin = h[0] & 0x80 != 0;
        let op = h[0] & 15;
        let want = if self.in_message { 0 } else { self.opcode };
        assert_eq!(op, want, "wrong opcode");
        self.in_message = true;
        self.is_masked = h[1] & 0x80 != 0;
        if let Some(m) = self.masked {
            assert_eq!(self.is_masked, m, "mask bit");
        }
        let (len, at) = match h[1] & 127 {
            126 => (u16::from_be_bytes([h[2], h[3]]) as usize, 4),
            127 => (u64::from_be_bytes(h[2..10].try_into().unwrap()) as usize, 10),
            n => (n as usize, 2),
        };
        if self.is_masked {
            self.key.copy_from_slice(&h[at..at + 4]);
        }
        self.key_pos = 0;
        self.left = len;
        self.head_len = usize::MAX; // "in payload"
    }

    fn end_frame(&mut self) {
        self.head_len = 0;
        self.frames += 1;
        if self.fin {
            assert_eq!(self.off, self.expect[self.msg].len(), "echo shorter than the message");
            self.messages += 1;
            self.msg = (self.msg + 1) % self.expect.len();
            self.off = 0;
            self.in_message = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{self, Kind, Rng};

    #[test]
    fn accepts_good_and_refuses_bad() {
        let msgs: Vec<_> = [0usize, 1, 125, 126, 70000]
            .iter()
            .map(|n| traffic::payload(Kind::Mixed, *n, *n as u64))
            .collect();
        for masked in [false, true] {
            for frag in [None, Some(1000)] {
                let mut r = Rng::new(3);
                let mut s = vec![];
                for m in &msgs {
                    traffic::push_message(&mut s, 1, m, frag, masked, &mut r);
                }
                for step in [1usize, 3, 7, 1000, 100000] {
                    let mut v = Verifier::new(msgs.clone(), 1, Some(masked));
                    for c in s.chunks(step) {
                        v.feed(c);
                    }
                    v.feed(&[]);
                    assert_eq!(v.messages, msgs.len() as u64);
                    assert!(v.idle());
                }
                let mut bad = s.clone();
                let n = bad.len() - 3;
                bad[n] ^= 1;
                let got = std::panic::catch_unwind(|| {
                    let mut v = Verifier::new(msgs.clone(), 1, Some(masked));
                    v.feed(&bad);
                });
                assert!(got.is_err());
            }
        }
    }
}
