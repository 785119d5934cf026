//! What a server leaves behind: no task and no descriptor, whoever came and however they went. Alone in its program,
//! for it counts what the whole program has open.
#![cfg(target_os = "linux")]

use std::time::Duration;

use hybi_test::visitors::{descriptors, impatient, visit};
use hybi_tokio::{Accept, Arrival, Clients, Event, Listener, Prepared, Slow, Stream};

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

#[test]
fn nothing_is_left() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let before = descriptors();
    runtime.block_on(async {
        let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = listener.with_config(impatient(), Default::default());
        let address = listener.local_addr().expect("bound");
        let (clients, stopper) = (listener.clients().clone(), listener.stopper());
        let serving = tokio::spawn(listener.run(chat));
        let stay = tokio::task::spawn_blocking(move || visit(address, 10)).await.expect("well");
        // Nobody is dropped by the stop: all have gone, or go, by the deadlines of their own.
        let stopped = stopper.stop(BOUND).await;
        assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
        serving.await.expect("well");
        assert!(clients.is_empty());
        let metrics = tokio::runtime::Handle::current().metrics();
        let none_is_left = async {
            while metrics.num_alive_tasks() > 0 {
                tokio::task::yield_now().await; // a task that has returned is counted for a moment more
            }
        };
        tokio::time::timeout(BOUND, none_is_left).await.expect("no task is left");
        drop(stay);
    });
    assert_eq!(descriptors(), before);
}
