//! A runtime for tests: tasks of one thread, pipes in memory, a clock that jumps to the next timer when nobody can go
//! on. If there is no timer either, the test hangs, and is told so.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use hybi_futures::{Io, Runtime};

use crate::suite::Adapter;
use crate::suite::torn::Torn;

#[derive(Debug)]
pub(crate) enum Fake {}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static TIMERS: RefCell<Vec<(Instant, Waker)>> = const { RefCell::new(Vec::new()) };
    /// Timers that were made, and how often one was set to another time.
    static MADE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    static NEW: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Runtime for Fake {
    type Timer = Instant;

    fn now() -> Instant {
        *START + NOW.get()
    }
    fn timer(at: Instant) -> Instant {
        MADE.set((MADE.get().0 + 1, MADE.get().1));
        at
    }
    fn reset(timer: &mut Instant, at: Instant) {
        MADE.set((MADE.get().0, MADE.get().1 + 1));
        *timer = at;
    }
    fn poll_timer(timer: &mut Instant, cx: &mut Context<'_>) -> Poll<()> {
        if *timer <= Self::now() {
            return Poll::Ready(());
        }
        TIMERS.with_borrow_mut(|timers| timers.push((*timer, cx.waker().clone())));
        Poll::Pending
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Adapter for Fake {
    type R = Self;
    type S = Pipe;

    fn run(test: impl Future<Output = ()> + 'static) {
        let mut tasks: Vec<(Task, Arc<Flag>)> = Vec::new();
        NEW.with_borrow_mut(|new| new.push(Box::pin(test)));
        let mut main_is_over = false;
        while !main_is_over {
            for task in NEW.take() {
                tasks.push((task, Arc::new(Flag(AtomicBool::new(true)))));
            }
            let mut ran = false;
            let mut at = 0;
            while at < tasks.len() {
                let (task, flag) = &mut tasks[at];
                if flag.0.swap(false, Ordering::AcqRel) {
                    ran = true;
                    let waker = flag.clone().into();
                    if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                        main_is_over |= at == 0;
                        tasks[at].0 = Box::pin(std::future::pending());
                    }
                }
                at += 1;
            }
            if !ran && NEW.with_borrow(Vec::is_empty) && !main_is_over {
                jump();
            }
        }
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> impl Future<Output = T> {
        let slot = Rc::new(RefCell::new((None, None::<Waker>)));
        let result = slot.clone();
        NEW.with_borrow_mut(|new| {
            new.push(Box::pin(async move {
                let value = task.await;
                let mut result = result.borrow_mut();
                result.0 = Some(value);
                result.1.take().into_iter().for_each(Waker::wake);
            }));
        });
        std::future::poll_fn(move |cx| {
            let mut slot = slot.borrow_mut();
            match slot.0.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    slot.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    fn pair() -> (Pipe, Pipe) {
        let (a, b) = (Arc::new(Mutex::new(Half::default())), Arc::new(Mutex::new(Half::default())));
        (Pipe { inward: a.clone(), outward: b.clone() }, Pipe { inward: b, outward: a })
    }

    fn short() -> Duration {
        Duration::from_secs(5)
    }
}

/// Timers that were made by this thread, and how often one was set to another time.
pub(crate) fn made() -> (usize, usize) {
    MADE.get()
}

/// To the next timer that is still to come.
fn jump() {
    let next = TIMERS.with_borrow(|timers| timers.iter().map(|timer| timer.0).min());
    let next = next.unwrap_or_else(|| panic!("everybody waits, and there is no deadline"));
    NOW.set(NOW.get().max(next - *START));
    let due =
        TIMERS.with_borrow_mut(|timers| timers.extract_if(.., |timer| timer.0 <= next).collect::<Vec<_>>());
    due.into_iter().for_each(|timer| timer.1.wake());
}

/// One end of a pipe in memory.
#[derive(Debug)]
pub(crate) struct Pipe {
    inward: Arc<Mutex<Half>>,
    outward: Arc<Mutex<Half>>,
}

#[derive(Debug, Default)]
struct Half {
    octets: VecDeque<u8>,
    ended: bool,
    reader_is_gone: bool,
    /// The one waker of each direction, as sockets have it.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

const HOLDS: usize = 64 * 1024;

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut inward = self.inward.lock().unwrap();
        inward.reader_is_gone = true;
        inward.writer.take().into_iter().for_each(Waker::wake);
        drop(inward);
        let mut outward = self.outward.lock().unwrap();
        outward.ended = true;
        outward.reader.take().into_iter().for_each(Waker::wake);
    }
}

impl Io<Pipe> for Fake {
    fn poll_read(stream: &mut Pipe, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut half = stream.inward.lock().unwrap();
        if half.octets.is_empty() && !half.ended {
            half.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let n = half.octets.len().min(space.len());
        for (octet, place) in half.octets.drain(..n).zip(space) {
            *place = octet;
        }
        half.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(n))
    }

    fn poll_write(
        stream: &mut Pipe,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut half = stream.outward.lock().unwrap();
        if half.reader_is_gone || half.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = HOLDS - half.octets.len();
        if room == 0 {
            half.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = half.octets.len();
        half.octets.extend(slices.iter().flat_map(|slice| slice.iter()).take(room));
        half.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(half.octets.len() - before))
    }

    fn is_write_vectored(_: &Pipe) -> bool {
        true
    }

    fn poll_flush(_: &mut Pipe, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(stream: &mut Pipe, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut half = stream.outward.lock().unwrap();
        half.ended = true;
        half.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl Io<Torn> for Fake {
    fn poll_read(stream: &mut Torn, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        stream.poll_read(cx, space)
    }
    fn poll_write(
        stream: &mut Torn,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        stream.poll_write(cx, &slices[0])
    }
    fn is_write_vectored(_: &Torn) -> bool {
        false
    }
    fn poll_flush(stream: &mut Torn, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_flush(cx)
    }
    fn poll_close(stream: &mut Torn, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_close(cx)
    }
}
