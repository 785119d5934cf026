//! What a server leaves behind: no thread and no descriptor, whoever came and however they went. Alone in its program,
//! for it counts what the whole program has.
#![cfg(target_os = "linux")]

use std::thread;
use std::time::Duration;

use hybi_std::{Accept, Arrival, Clients, Event, Listener, Prepared, Slow, Stream};
use hybi_test::visitors::{descriptors, impatient, visit};

const BOUND: Duration = Duration::from_secs(60);

/// Threads of connections. One that has returned may be there for a moment more.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("hybi-connection"))
        .count()
}

fn chat(arrival: Arrival<Stream>, clients: &Clients) {
    let Arrival::Upgrade(pending) = arrival else { return };
    let Ok(socket) = pending.accept(Accept::new()) else { return };
    let Ok((mut reader, writer)) = socket.into_split() else { return };
    let me = clients.join(writer.handle());
    while let Some(event) = reader.recv() {
        if let Event::Text(text) = event {
            clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Drop);
        }
    }
}

#[test]
fn nothing_is_left() {
    let before = descriptors();
    let listener = Listener::bind("127.0.0.1:0").expect("a free port");
    let listener = listener.with_config(impatient(), Default::default());
    let address = listener.local_addr().expect("bound");
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let serving = thread::spawn(move || listener.run(chat));
    let stay = visit(address, 5);
    assert!(threads() > 0, "this is how they are counted");
    // Nobody is dropped by the stop: all have gone, or go, by the deadlines of their own.
    let stopped = stopper.stop(BOUND);
    assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
    serving.join().expect("well").expect("well");
    assert!(clients.is_empty());
    let until = std::time::Instant::now() + BOUND;
    while threads() > 0 && std::time::Instant::now() < until {
        thread::yield_now();
    }
    assert_eq!(threads(), 0);
    drop(stay);
    assert_eq!(descriptors(), before);
}
