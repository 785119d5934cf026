//! A hand-written codec with nothing but the echo path (strict header checks, masks, UTF-8, fragments,
//! size limit; no pings, no close, no extensions): the cost below which a real library can hardly go.
use crate::kernels::{boundary, copy_xor, copy_xor_32, xor_ascii, xor_ascii_32, xor_best};
use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use std::io::IoSlice;

pub const PEER: Peer = Peer {
    name: "floor",
    note: "hand-written minimum: 64 KiB read buffer, in-place unmask, borrowed payload, one write per read, large messages read straight into the message",
    run,
};

const BUF: usize = 64 * 1024 + 16;
/// Room behind the read buffer for whole-vector accesses.
const SLACK: usize = 32;
/// Payloads at least this long are written from where they lie instead of being copied to the write buffer.
const DIRECT: usize = 16 * 1024;

struct Out {
    buf: Vec<u8>,
    io: MemIo,
    seed: u64,
    client: bool,
}

impl Out {
    #[inline(always)]
    fn header(&mut self, op: u8, n: usize) -> ([u8; 14], usize, [u8; 4]) {
        let mut h = [0u8; 14];
        h[0] = 0x80 | op;
        let m = if self.client { 0x80 } else { 0 };
        let mut at = if n < 126 {
            h[1] = m | n as u8;
            2
        } else if n < 65536 {
            h[1] = m | 126;
            h[2..4].copy_from_slice(&(n as u16).to_be_bytes());
            4
        } else {
            h[1] = m | 127;
            h[2..10].copy_from_slice(&(n as u64).to_be_bytes());
            10
        };
        let mut key = [0; 4];
        if self.client {
            let mut x = self.seed;
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            self.seed = x;
            key = (x as u32).to_le_bytes();
            h[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        (h, at, key)
    }

    #[inline(always)]
    fn send(&mut self, op: u8, payload: &mut [u8]) {
        let n = payload.len();
        let (h, hl, key) = self.header(op, n);
        if n >= DIRECT {
            self.flush();
            if self.client {
                xor_best(payload, key);
            }
            self.io.st().write_vectored(&[IoSlice::new(&h[..hl]), IoSlice::new(payload)]);
            return;
        }
        self.buf.reserve(14 + n);
        // SAFETY: reserved above; a fixed 14-byte store, then the payload over its unused part.
        unsafe {
            let at = self.buf.len();
            let p = self.buf.as_mut_ptr().add(at);
            p.cast::<[u8; 14]>().write_unaligned(h);
            if self.client {
                copy_xor(payload, p.add(hl), key);
            } else {
                std::ptr::copy_nonoverlapping(payload.as_ptr(), p.add(hl), n);
            }
            self.buf.set_len(at + hl + n);
        }
    }
    fn flush(&mut self) {
        if !self.buf.is_empty() {
            self.io.st().write(&self.buf);
            self.buf.clear();
        }
    }
}

#[inline(always)]
fn utf8(b: &[u8]) -> bool {
    // Short texts: a word-wise ASCII test beats the call.
    if b.len() < 64 && b.is_ascii() {
        return true;
    }
    simdutf8::basic::from_utf8(b).is_ok()
}

fn run(io: MemIo, task: &Task) {
    let client = task.role == Role::Client;
    let mut out = Out { buf: Vec::with_capacity(96 * 1024), io, seed: 88172645463325252, client };
    let mut buf = vec![0u8; BUF + SLACK];
    let (mut start, mut end) = (0usize, 0usize);
    // A message being assembled: long single frames and fragments.
    let mut msg: Vec<u8> = Vec::new();
    let mut msg_op = 0u8; // 0: none
    let mut valid = 0usize; // validated prefix of msg
    let mut frame_left = 0usize; // payload bytes of the current frame still to come
    let mut frame_fin = false;
    let mut key = [0u8; 4];

    macro_rules! absorbed {
        ($from:expr, $unmasked:expr) => {{
            // msg[$from..] is new: unmask, validate what can be validated, in blocks that stay in the
            // first-level cache; ASCII needs one pass only.
            let mut at = $from;
            while at < msg.len() {
                let to = (at + 16 * 1024).min(msg.len());
                if client || $unmasked {
                    if msg_op == 1 {
                        let cut = valid + boundary(&msg[valid..to]);
                        assert!(simdutf8::basic::from_utf8(&msg[valid..cut]).is_ok());
                        valid = cut;
                    }
                } else if msg_op == 1 {
                    let ascii = xor_ascii(&mut msg[at..to], key);
                    if ascii && valid == at {
                        valid = to;
                    } else {
                        let cut = valid + boundary(&msg[valid..to]);
                        assert!(simdutf8::basic::from_utf8(&msg[valid..cut]).is_ok());
                        valid = cut;
                    }
                } else {
                    xor_best(&mut msg[at..to], key);
                }
                if !$unmasked {
                    key.rotate_left((to - at) & 3);
                }
                at = to;
            }
            if frame_left == 0 && frame_fin {
                assert!(msg_op != 1 || valid == msg.len());
                out.send(msg_op, &mut msg);
                msg.clear();
                msg_op = 0;
                valid = 0;
            }
        }};
    }

    loop {
        if frame_left > 0 {
            // Long frame: straight into the message.
            let from = msg.len();
            let want = frame_left;
            msg.reserve(want);
            // SAFETY: reserved; only bytes written by the read become part of the vector.
            let n = unsafe {
                let dst = std::slice::from_raw_parts_mut(msg.as_mut_ptr().add(from), want);
                match io.st().read(dst) {
                    None => {
                        out.flush();
                        continue;
                    }
                    Some(n) => {
                        msg.set_len(from + n);
                        n
                    }
                }
            };
            if n == 0 {
                return;
            }
            frame_left -= n;
            absorbed!(from, false);
            continue;
        }
        // Parse what is there.
        loop {
            let have = end - start;
            if have < 2 {
                break;
            }
            // The hottest path: a whole short message. Everything in fixed-size vectors.
            // SAFETY: start < end <= BUF, so header and 32 payload bytes lie inside buffer plus slack;
            // the output is reserved for the over-write.
            unsafe {
                let p = buf.as_mut_ptr().add(start);
                let b0 = *p;
                let n = (*p.add(1) & 127) as usize;
                let hl = if client { 2 } else { 6 };
                if n <= 32
                    && have >= hl + n
                    && msg_op == 0
                    && (b0 == 0x81 || b0 == 0x82)
                    && (*p.add(1) >> 7 == 1) != client
                {
                    let q = p.add(hl);
                    let ascii = if client {
                        b0 == 0x82 || std::slice::from_raw_parts(q, n).is_ascii()
                    } else {
                        xor_ascii_32(q, n, p.add(2).cast::<u32>().read_unaligned())
                    };
                    if !ascii && b0 == 0x81 {
                        assert!(simdutf8::basic::from_utf8(std::slice::from_raw_parts(q, n)).is_ok());
                    }
                    out.buf.reserve(6 + 32);
                    let at = out.buf.len();
                    let d = out.buf.as_mut_ptr().add(at);
                    *d = b0;
                    if client {
                        let mut x = out.seed;
                        x ^= x << 13;
                        x ^= x >> 7;
                        x ^= x << 17;
                        out.seed = x;
                        *d.add(1) = 0x80 | n as u8;
                        d.add(2).cast::<u32>().write_unaligned(x as u32);
                        copy_xor_32(q, d.add(6), x as u32);
                        out.buf.set_len(at + 6 + n);
                    } else {
                        *d.add(1) = n as u8;
                        d.add(2).cast::<[u8; 32]>().write_unaligned(q.cast::<[u8; 32]>().read_unaligned());
                        out.buf.set_len(at + 2 + n);
                    }
                    start += hl + n;
                    continue;
                }
            }
            let h = &buf[start..end];
            let b0 = h[0];
            let b1 = h[1];
            let hl;
            let len;
            match b1 & 127 {
                126 => {
                    if have < 4 {
                        break;
                    }
                    len = u16::from_be_bytes([h[2], h[3]]) as usize;
                    assert!(len > 125);
                    hl = 4;
                }
                127 => {
                    if have < 10 {
                        break;
                    }
                    len = u64::from_be_bytes(h[2..10].try_into().unwrap()) as usize;
                    assert!(len > 65535 && len <= 64 << 20);
                    hl = 10;
                }
                n => {
                    len = n as usize;
                    hl = 2;
                }
            }
            let hl = if client { hl } else { hl + 4 };
            assert!((b1 & 0x80 != 0) != client && b0 & 0x70 == 0);
            if have < hl {
                break;
            }
            if !client {
                key = h[hl - 4..hl].try_into().unwrap();
            }
            let op = b0 & 15;
            let fin = b0 & 0x80 != 0;
            assert!(if msg_op == 0 { op == 1 || op == 2 } else { op == 0 });
            if fin && msg_op == 0 && have >= hl + len {
                // The hot path: a whole message in the read buffer.
                let p = &mut buf[start + hl..start + hl + len];
                if !client {
                    xor_best(p, key);
                }
                assert!(op != 1 || utf8(p));
                out.send(op, p);
                start += hl + len;
                continue;
            }
            if fin && msg_op == 0 && hl + len <= BUF / 4 {
                // Small and incomplete: wait for the rest.
                break;
            }
            if msg_op == 0 {
                msg_op = op;
                msg.reserve(len);
            }
            assert!(msg.len() + len <= 64 << 20);
            let n = len.min(have - hl);
            let from = msg.len();
            if client {
                msg.extend_from_slice(&buf[start + hl..start + hl + n]);
            } else {
                // Unmask while copying.
                msg.reserve(n);
                // SAFETY: reserved, and copy_xor writes exactly n bytes.
                unsafe {
                    copy_xor(&buf[start + hl..start + hl + n], msg.as_mut_ptr().add(from), key);
                    msg.set_len(from + n);
                }
                key.rotate_left(n & 3);
            }
            start += hl + n;
            frame_left = len - n;
            frame_fin = fin;
            absorbed!(from, true);
            if frame_left > 0 {
                break;
            }
        }
        if frame_left > 0 {
            continue;
        }
        if start == end {
            start = 0;
            end = 0;
        } else if start > 0 {
            buf.copy_within(start..end, 0);
            end -= start;
            start = 0;
        }
        match io.st().read(&mut buf[end..BUF]) {
            None => out.flush(),
            Some(0) => {
                out.flush();
                return;
            }
            Some(n) => end += n,
        }
    }
}
