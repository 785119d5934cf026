//! A stream that is never ready when it is asked first, and then moves one octet.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// What the stream reads, and what was written to it.
#[derive(Clone, Debug, Default)]
pub struct Tape(pub Arc<Mutex<Written>>);

#[derive(Debug, Default)]
pub struct Written {
    pub octets: Vec<u8>,
    /// Calls that wrote; and those that flushed after a write.
    pub writes: usize,
    pub flushes: usize,
    pub ended: bool,
}

impl Tape {
    pub fn written(&self) -> Vec<u8> {
        self.0.lock().unwrap().octets.clone()
    }
}

#[derive(Debug)]
pub struct Torn {
    script: Vec<u8>,
    read: usize,
    pub tape: Tape,
    /// Each direction is pending at every other call.
    reading: bool,
    writing: bool,
    /// As many octets as one call moves.
    most: usize,
    /// Where the first write moves others.
    first: Option<usize>,
    fault: Fault,
}

/// Where it breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    ReadFailsAt(usize, ErrorKind),
    WriteFailsAt(usize, ErrorKind),
    WriteZeroAt(usize),
}

impl Torn {
    /// Reads this, and then nothing more, without an end.
    pub fn new(script: &[u8]) -> Self {
        let tape = Tape::default();
        Self {
            script: script.into(),
            read: 0,
            tape,
            reading: false,
            writing: false,
            most: 1,
            first: None,
            fault: Fault::None,
        }
    }

    pub fn moving(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The first write need not wait, and moves so many octets.
    pub fn ready(self, first: usize) -> Self {
        Self { writing: true, first: Some(first), ..self }
    }

    pub fn with(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// Pending each time before something moves.
    fn turn(turn: &mut bool, cx: &Context<'_>) -> Poll<()> {
        *turn = !*turn;
        if *turn {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    pub fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        if let Fault::ReadFailsAt(at, kind) = self.fault
            && at == self.read
        {
            return Poll::Ready(Err(kind.into()));
        }
        if self.read == self.script.len() {
            return Poll::Pending; // for ever
        }
        std::task::ready!(Self::turn(&mut self.reading, cx));
        let n = self.most.min(space.len()).min(self.script.len() - self.read);
        let n = if let Fault::ReadFailsAt(at, _) = self.fault { n.min(at - self.read) } else { n };
        space[..n].copy_from_slice(&self.script[self.read..self.read + n]);
        self.read += n;
        Poll::Ready(Ok(n))
    }

    pub fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(Self::turn(&mut self.writing, cx));
        let mut tape = self.tape.0.lock().unwrap();
        assert!(!tape.ended, "written behind the end");
        let mut n = self.first.take().unwrap_or(self.most).min(octets.len());
        match self.fault {
            Fault::WriteZeroAt(at) => n = n.min(at - tape.octets.len()),
            Fault::WriteFailsAt(at, kind) if tape.octets.len() == at => return Poll::Ready(Err(kind.into())),
            Fault::WriteFailsAt(at, _) => n = n.min(at - tape.octets.len()),
            _ => {}
        }
        tape.octets.extend_from_slice(&octets[..n]);
        tape.writes += 1;
        Poll::Ready(Ok(n))
    }

    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(Self::turn(&mut self.writing, cx));
        self.tape.0.lock().unwrap().flushes += 1;
        Poll::Ready(Ok(()))
    }

    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(Self::turn(&mut self.writing, cx));
        self.tape.0.lock().unwrap().ended = true;
        Poll::Ready(Ok(()))
    }
}
