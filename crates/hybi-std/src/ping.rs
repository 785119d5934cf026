//! Round trips: a ping that was sent comes in, and how long its pong took goes out.
//!
//! Whoever sends pings and whoever receives pongs may be two threads. What waits here is bounded by the
//! [`RoundTrip`]s that somebody still holds. A pong is matched with its ping by the payload alone: nothing here
//! receives or sends.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use hybi::Event;

/// A ping on its way. It is answered by whoever receives on the connection, and may be dropped.
///
/// ```no_run
/// # use std::time::Duration;
/// # let (socket, _) = hybi_std::connect("ws://127.0.0.1:9001/")?;
/// let (mut reader, mut writer) = socket.into_split()?;
/// let receiving = std::thread::spawn(move || while reader.recv().is_some() {});
/// if let Some(took) = writer.ping(b"")?.wait(Duration::from_secs(5)) {
///     println!("there and back in {took:?}");
/// }
/// # Ok::<(), hybi_std::Error>(())
/// ```
#[derive(Debug)]
pub struct RoundTrip {
    trip: Arc<Trip>,
}

#[derive(Debug, Default)]
struct Trip {
    state: Mutex<TripState>,
    over: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TripState {
    #[default]
    UnderWay,
    Back(Duration),
    /// The connection ended first.
    Lost,
}

impl RoundTrip {
    /// How long it took, if the pong has come.
    pub fn elapsed(&self) -> Option<Duration> {
        match *lock(&self.trip.state) {
            TripState::Back(took) => Some(took),
            _ => None,
        }
    }

    /// Waits for the pong, at most so long; `None` also if the connection ends first. Somebody else has to
    /// receive meanwhile: to wait on the thread that receives is to wait in vain.
    pub fn wait(&self, timeout: Duration) -> Option<Duration> {
        let state = lock(&self.trip.state);
        let is_under_way = |state: &mut TripState| *state == TripState::UnderWay;
        drop(self.trip.over.wait_timeout_while(state, timeout, is_under_way));
        self.elapsed()
    }
}

impl Trip {
    fn end(&self, state: TripState) {
        *lock(&self.state) = state;
        self.over.notify_all();
    }
}

/// The pings of a connection that wait for their pongs.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    waiting: Mutex<Vec<Ping>>,
}

#[derive(Debug)]
struct Ping {
    payload: Box<[u8]>,
    sent: Instant,
    trip: Weak<Trip>,
}

impl Pings {
    /// A ping with this payload is about to be sent.
    pub(crate) fn sent(&self, payload: &[u8]) -> RoundTrip {
        let trip = Arc::new(Trip::default());
        let ping = Ping { payload: payload.into(), sent: Instant::now(), trip: Arc::downgrade(&trip) };
        let mut waiting = lock(&self.waiting);
        waiting.retain(|ping| ping.trip.strong_count() > 0); // nobody asks for the others
        waiting.push(ping);
        RoundTrip { trip }
    }

    /// A pong answers the ping with its payload and those before it, whose pongs the peer may have left out
    /// (RFC 6455 §5.5.3).
    fn answered(&self, payload: &[u8]) {
        let mut waiting = lock(&self.waiting);
        let Some(last) = waiting.iter().position(|ping| *ping.payload == *payload) else { return };
        for ping in waiting.drain(..=last) {
            if let Some(trip) = ping.trip.upgrade() {
                trip.end(TripState::Back(ping.sent.elapsed()));
            }
        }
    }

    fn end(&self) {
        for trip in lock(&self.waiting).drain(..).filter_map(|ping| ping.trip.upgrade()) {
            trip.end(TripState::Lost);
        }
    }
}

/// The side that receives: when it is gone, no pong comes any more.
#[derive(Debug, Default)]
pub(crate) struct Pongs(pub(crate) Arc<Pings>);

impl Pongs {
    /// Looks at what is received.
    #[inline]
    pub(crate) fn look(&self, event: Option<&Event<'_>>) {
        match event {
            Some(Event::Pong(payload)) => self.0.answered(payload),
            Some(Event::Closed(_)) => self.0.end(),
            _ => {}
        }
    }
}

impl Drop for Pongs {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
