//! What a server leaves behind: no task and no descriptor, whoever came and however they went. Alone in its program,
//! for it counts what the whole program has.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hybi_async_std::{Accept, Arrival, Clients, Event, Listener, Prepared, Slow, Stream};
use hybi_test::visitors::{descriptors, impatient, visit};

const BOUND: Duration = Duration::from_secs(60);

async fn chat(arrival: Arrival<Stream>, clients: Clients) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let Ok(socket) = pending.accept(Accept::new()).await else { return };
    let (mut reader, writer) = socket.into_split();
    let me = clients.join(writer.handle());
    while let Some(event) = reader.recv().await {
        if let Event::Text(text) = event {
            clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Drop).await;
        }
    }
}

/// A task that is alive, until it is dropped.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve_visitors(alive: &Arc<AtomicUsize>) {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
    let listener = listener.with_config(impatient(), Default::default());
    let address = listener.local_addr().expect("bound");
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let count = alive.clone();
    let spawn = move |task| {
        count.fetch_add(1, Ordering::SeqCst);
        let one = Alive(count.clone());
        smol::spawn(async move {
            let (_one, task): (_, hybi_async_std::Task) = (one, task);
            task.await;
        })
        .detach();
    };
    let serving = smol::spawn(listener.run_with(spawn, chat));
    let stay = smol::unblock(move || visit(address, 5)).await;
    // Nobody is dropped by the stop: all have gone, or go, by the deadlines of their own.
    let stopped = stopper.stop(BOUND).await;
    assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
    serving.await;
    assert!(clients.is_empty());
    drop(stay);
}

#[test]
fn nothing_is_left() {
    // The files of the runtime itself.
    drop(smol::block_on(Listener::bind("127.0.0.1:0")).expect("a free port"));
    let (before, alive) = (descriptors(), Arc::new(AtomicUsize::new(0)));
    smol::block_on(serve_visitors(&alive));
    let until = std::time::Instant::now() + BOUND;
    while alive.load(Ordering::SeqCst) > 0 && std::time::Instant::now() < until {
        std::thread::yield_now(); // a task that has returned is counted for a moment more
    }
    assert_eq!((alive.load(Ordering::SeqCst), descriptors()), (0, before));
}
