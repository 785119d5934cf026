//! Pings of the application that wait for their pongs.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hybi::Event;

/// The time from a ping to its pong: what `ping` returns. It resolves when the pong was received, by whoever
/// receives; to `None` if the connection ends before. It need not be awaited.
#[derive(Debug)]
pub struct RoundTrip(Arc<Mutex<Flight>>);

#[derive(Debug)]
enum Flight {
    Under(Option<Waker>),
    Over(Option<Duration>),
}

/// The pings under way, in order.
#[derive(Debug)]
pub(crate) struct Pings {
    now: fn() -> Instant,
    waiting: Vec<Ping>,
}

#[derive(Debug)]
struct Ping {
    payload: Box<[u8]>,
    sent: Instant,
    flight: Arc<Mutex<Flight>>,
}

impl Future for RoundTrip {
    type Output = Option<Duration>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Duration>> {
        match &mut *lock(&self.0) {
            Flight::Over(elapsed) => Poll::Ready(*elapsed),
            Flight::Under(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Pings {
    pub(crate) fn new(now: fn() -> Instant) -> Self {
        Self { now, waiting: Vec::new() }
    }

    /// A ping was sent. Those that nobody asks about are forgotten, so a peer that never answers costs nothing.
    pub(crate) fn sent(&mut self, payload: &[u8]) -> RoundTrip {
        self.waiting.retain(|ping| Arc::strong_count(&ping.flight) > 1);
        let flight = Arc::new(Mutex::new(Flight::Under(None)));
        self.waiting.push(Ping { payload: payload.into(), sent: (self.now)(), flight: flight.clone() });
        RoundTrip(flight)
    }

    /// Something arrived, and mostly nobody waits for it.
    #[inline]
    pub(crate) fn see(&mut self, event: &Event<'_>) {
        if !self.waiting.is_empty() {
            self.answer(event);
        }
    }

    /// A pong answers the ping before it and all before that one, for a peer that is behind may answer the last alone
    /// (RFC 6455 §5.5.3).
    #[inline(never)]
    fn answer(&mut self, event: &Event<'_>) {
        match event {
            Event::Pong(payload) => {
                let answered = self.waiting.iter().position(|ping| *ping.payload == **payload);
                let now = answered.map(|_| (self.now)());
                for (ping, now) in
                    self.waiting.drain(..answered.map_or(0, |at| at + 1)).zip(now.into_iter().cycle())
                {
                    ping.over(Some(now.saturating_duration_since(ping.sent)));
                }
            }
            Event::Closed(_) => self.waiting.clear(),
            _ => {}
        }
    }
}

impl Ping {
    fn over(&self, elapsed: Option<Duration>) {
        let mut flight = lock(&self.flight);
        if let Flight::Under(waker) = &mut *flight {
            let waker = waker.take();
            *flight = Flight::Over(elapsed);
            drop(flight);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Drop for Ping {
    fn drop(&mut self) {
        self.over(None);
    }
}

fn lock(flight: &Mutex<Flight>) -> MutexGuard<'_, Flight> {
    flight.lock().unwrap_or_else(PoisonError::into_inner)
}
