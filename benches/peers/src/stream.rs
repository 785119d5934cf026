//! An in-memory stream that plays the operating system. Reads are copies out of a prepared block, over and over, in
//! pieces of at most `read` octets, and after each piece the stream says once that it would block. Writes are copies to
//! a bounded sink, which is verified whenever it is full, with the clock stopped.

use crate::{clock::thread_cpu_ns, verify::Verifier};
use std::io;

pub struct State {
    block: Vec<u8>,
    pos: usize,
    left: u64,
    chunk: usize,
    chunk_left: usize,
    blocked: bool,
    sink: Vec<u8>,
    sink_cap: usize,
    verifier: Option<Verifier>,
    pub excluded_ns: u64,
    pub reads: u64,
    pub writes: u64,
    pub blocks: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

impl State {
    /// `total`: bytes to deliver before end of stream.
    pub fn new(
        block: Vec<u8>,
        total: u64,
        chunk: usize,
        sink_cap: usize,
        verifier: Option<Verifier>,
    ) -> Box<State> {
        Box::new(State {
            block,
            pos: 0,
            left: total,
            chunk,
            chunk_left: chunk,
            blocked: false,
            sink: Vec::with_capacity(sink_cap),
            sink_cap,
            verifier,
            excluded_ns: 0,
            reads: 0,
            writes: 0,
            blocks: 0,
            bytes_in: 0,
            bytes_out: 0,
        })
    }

    /// Bytes copied, or `None` for "would block" (given once per chunk). 0 at end of stream.
    #[inline]
    pub fn read(&mut self, dst: &mut [u8]) -> Option<usize> {
        let n = self.next_len(dst.len())?;
        dst[..n].copy_from_slice(&self.block[self.pos..self.pos + n]);
        self.took(n);
        Some(n)
    }

    /// The next piece as a slice of at most `cap` bytes; follow with `took`.
    #[inline]
    fn next_len(&mut self, cap: usize) -> Option<usize> {
        if self.chunk_left == 0 {
            if !self.blocked {
                self.blocked = true;
                self.blocks += 1;
                return None;
            }
            self.blocked = false;
            self.chunk_left = self.chunk;
        }
        let mut n = cap.min(self.chunk_left).min(self.block.len() - self.pos);
        if (n as u64) > self.left {
            n = self.left as usize;
        }
        Some(n)
    }

    #[inline]
    fn took(&mut self, n: usize) {
        self.reads += 1;
        self.pos += n;
        if self.pos == self.block.len() {
            self.pos = 0;
        }
        self.left -= n as u64;
        self.chunk_left -= n;
        self.bytes_in += n as u64;
    }

    #[inline]
    fn put(&mut self, mut b: &[u8]) {
        self.bytes_out += b.len() as u64;
        loop {
            let room = self.sink_cap - self.sink.len();
            if b.len() < room {
                self.sink.extend_from_slice(b);
                return;
            }
            let (now, rest) = b.split_at(room);
            self.sink.extend_from_slice(now);
            self.drain();
            b = rest;
            if b.is_empty() {
                return;
            }
        }
    }

    #[inline]
    pub fn write(&mut self, b: &[u8]) -> usize {
        self.writes += 1;
        self.put(b);
        b.len()
    }

    #[inline]
    pub fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> usize {
        self.writes += 1;
        let mut n = 0;
        for b in bufs {
            self.put(b);
            n += b.len();
        }
        n
    }

    #[cold]
    #[inline(never)]
    pub fn drain(&mut self) {
        let t = thread_cpu_ns();
        if let Some(v) = &mut self.verifier {
            v.feed(&self.sink);
        }
        self.sink.clear();
        self.excluded_ns += thread_cpu_ns() - t;
    }

    /// End of run: everything verified, returns the number of messages seen by the verifier.
    pub fn finish(&mut self) -> Option<u64> {
        self.drain();
        self.verifier.as_mut().map(|v| {
            v.feed(&[]);
            assert!(v.idle(), "output ends inside a message");
            v.messages
        })
    }
}

/// Copyable handle to a [`State`]; the state must outlive it and stay on one thread.
#[derive(Clone, Copy)]
pub struct MemIo(*mut State);
// SAFETY: the harness uses a handle from one thread only; some APIs ask for `Send` bounds all the same.
unsafe impl Send for MemIo {}
unsafe impl Sync for MemIo {}

impl MemIo {
    pub fn new(s: &mut State) -> MemIo {
        MemIo(s)
    }
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub fn st(&self) -> &mut State {
        // SAFETY: see the type's contract; no two references are held across calls.
        unsafe { &mut *self.0 }
    }
}

impl io::Read for MemIo {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.st().read(buf).ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }
}
impl io::Write for MemIo {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.st().write(buf))
    }
    #[inline]
    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.st().write_vectored(bufs))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

mod async_impls {
    use super::MemIo;
    use std::io::{self, IoSlice};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    impl tokio::io::AsyncRead for MemIo {
        #[inline]
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let st = self.st();
            // The spare capacity is treated as plain bytes, like the kernel would.
            // SAFETY: only initialised bytes are reported back.
            let dst = unsafe { &mut *(buf.unfilled_mut() as *mut [std::mem::MaybeUninit<u8>] as *mut [u8]) };
            match st.read(dst) {
                None => Poll::Pending,
                Some(n) => {
                    // SAFETY: `read` wrote n bytes.
                    unsafe { buf.assume_init(n) };
                    buf.advance(n);
                    Poll::Ready(Ok(()))
                }
            }
        }
    }
    impl tokio::io::AsyncWrite for MemIo {
        #[inline]
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(self.st().write(b)))
        }
        #[inline]
        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            b: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(self.st().write_vectored(b)))
        }
        fn is_write_vectored(&self) -> bool {
            true
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    impl futures_io::AsyncRead for MemIo {
        #[inline]
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
            match self.st().read(buf) {
                None => Poll::Pending,
                Some(n) => Poll::Ready(Ok(n)),
            }
        }
    }
    impl futures_io::AsyncWrite for MemIo {
        #[inline]
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(self.st().write(b)))
        }
        #[inline]
        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            b: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(self.st().write_vectored(b)))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}

/// Poll a future to completion with a waker that does nothing: "would block" is simply retried.
pub fn drive<F: std::future::Future>(f: F) -> F::Output {
    let mut f = std::pin::pin!(f);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(v) = f.as_mut().poll(&mut cx) {
            return v;
        }
    }
}
