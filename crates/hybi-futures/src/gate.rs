//! The gate of a server: who is inside, how many are still shaking hands, and whether anybody may come in.
//!
//! It counts, and it wakes whoever waits for a count to change. It neither reads nor writes.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// Nobody may stay: looked at by every task whenever it is polled, so it has no lock.
    lost: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    listening: bool,
    stopping: bool,
    handshakes: usize,
    /// Those who are inside, and how to wake each.
    inside: BTreeMap<u64, Option<Waker>>,
    /// Those who wait for a change of the above.
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// A socket that is listened on; the gate is told when it is closed.
pub(crate) struct Listening<S> {
    pub(crate) socket: S,
    _closed: Closed,
}

struct Closed(Arc<Gate>);

/// The place of one connection. It is free again when this is dropped, by a panic too.
pub(crate) struct Place {
    gate: Arc<Gate>,
    number: u64,
    /// The waker that the gate has.
    waker: Option<Waker>,
}

/// See [`Place::unless_lost`].
pub(crate) struct UnlessLost<'p, F> {
    place: &'p mut Place,
    future: F,
}

/// A handshake in progress, until it is dropped.
pub(crate) struct Handshake(Arc<Gate>);

/// Waits until something is so.
struct Until<'g, F> {
    gate: &'g Gate,
    is: F,
    number: Option<u64>,
}

impl Gate {
    pub(crate) fn listening<S>(self: &Arc<Self>, socket: S) -> Listening<S> {
        self.lock().listening = true;
        Listening { socket, _closed: Closed(self.clone()) }
    }

    /// Nobody comes in any more.
    pub(crate) fn stop(&self) {
        self.change(|state| state.stopping = true);
    }

    /// Ends every task that is left.
    pub(crate) fn drop_all(&self) {
        self.lost.store(true, Ordering::SeqCst);
        let wakers: Vec<Waker> = self.lock().inside.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until one more handshake may begin; false if none may any more.
    pub(crate) async fn admits(&self, limit: usize) -> bool {
        self.until(
            |state| {
                if state.stopping { Some(false) } else { (state.handshakes < limit).then_some(true) }
            },
        )
        .await
    }

    /// Somebody comes in.
    pub(crate) fn enter(self: &Arc<Self>) -> (Place, Handshake) {
        let mut state = self.lock();
        let number = state.number();
        state.inside.insert(number, None);
        state.handshakes += 1;
        (Place { gate: self.clone(), number, waker: None }, Handshake(self.clone()))
    }

    /// Waits until nobody is inside, and the socket is closed.
    pub(crate) async fn is_empty(&self) {
        self.until(|state| (!state.listening && state.inside.is_empty()).then_some(())).await;
    }

    /// What the future brings, unless stopping comes first.
    pub(crate) async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut stopping = pin!(self.until(|state| state.stopping.then_some(())));
        let mut future = pin!(future);
        poll_fn(|cx| match stopping.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => future.as_mut().poll(cx).map(Some),
        })
        .await
    }

    async fn until<T>(&self, is: impl Fn(&State) -> Option<T>) -> T {
        let mut until = Until { gate: self, is, number: None };
        poll_fn(|cx| until.poll(cx)).await
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let waiting = {
            let mut state = self.lock();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl<T, F: Fn(&State) -> Option<T>> Until<'_, F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        let mut state = self.gate.lock();
        if let Some(value) = (self.is)(&state) {
            return Poll::Ready(value);
        }
        let number = *self.number.get_or_insert_with(|| state.number());
        state.waiting.insert(number, cx.waker().clone());
        Poll::Pending
    }
}

impl<F> Drop for Until<'_, F> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.gate.lock().waiting.remove(&number);
        }
    }
}

impl Place {
    /// What the future brings, unless the task has to end before.
    pub(crate) fn unless_lost<F: Future + Unpin>(&mut self, future: F) -> UnlessLost<'_, F> {
        UnlessLost { place: self, future }
    }

    /// Whether the task has to end; if not, it is woken when it has to.
    fn is_lost(&mut self, cx: &Context<'_>) -> bool {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
            self.gate.lock().inside.insert(self.number, self.waker.clone());
        }
        self.gate.lost.load(Ordering::SeqCst) // behind the waker: whoever sets it afterwards finds that
    }
}

impl<F: Future + Unpin> Future for UnlessLost<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.place.is_lost(cx) { Poll::Ready(None) } else { Pin::new(&mut self.future).poll(cx).map(Some) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.change(|state| drop(state.inside.remove(&self.number)));
    }
}

impl Handshake {
    /// Ends it; whether the server is stopping.
    pub(crate) fn over(self) -> bool {
        self.0.lock().stopping
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.change(|state| state.handshakes -= 1);
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.change(|state| state.listening = false);
    }
}
