//! A whole server on the runtimes that have these streams: each starts tasks in its own way, and the rest is the same.

mod common;

use std::io::ErrorKind;

use common::{BOUND, bounded};
use hybi_async_std::{
    Accept, Answer, Arrival, Clients, CloseInfo, Event, Listener, Prepared, Slow, Stream, Task, WebSocket,
    connect,
};

/// Passes what each says on to the others, on one path.
async fn chat(arrival: Arrival<Stream>, clients: Clients) {
    let Arrival::Upgrade(pending) = arrival else { return };
    if pending.request().path() != "/chat" {
        return pending.reject(Answer::new(404)).await.expect("rejected");
    }
    let socket = pending.accept(Accept::new()).await.expect("accepted");
    let (mut reader, mut writer) = socket.into_split();
    let me = clients.join(writer.handle());
    writer.send("welcome").await.expect("it is open");
    while let Some(event) = reader.recv().await {
        if let Event::Text(text) = event {
            clients.broadcast_except(me.id(), &Prepared::new(&text), Slow::Disconnect).await;
        }
    }
}

async fn join(url: &str) -> WebSocket<Stream> {
    let (mut client, _) = connect(url).await.expect("it listens");
    assert_eq!(client.recv_message().await, Some("welcome".into()));
    client
}

async fn drain(mut client: WebSocket<Stream>) -> CloseInfo {
    while client.recv().await.is_some() {}
    client.close_info().expect("it is over").clone()
}

/// The life of a server, of which others say only where it listens and how tasks are started.
async fn live(listener: Listener, chat_at: &str, spawn: fn(Task)) {
    let (clients, stopper) = (listener.clients().clone(), listener.stopper());
    let (over, is_over) = std::sync::mpsc::channel();
    spawn(Box::pin(async move {
        listener.run_with(spawn, chat).await;
        over.send(()).expect("somebody waits");
    }));
    let mut members = [join(chat_at).await, join(chat_at).await, join(chat_at).await];
    members[0].send("ebb").await.expect("sent");
    assert_eq!(members[1].recv_message().await, Some("ebb".into()));
    assert_eq!(members[2].recv_message().await, Some("ebb".into()));
    let told = clients.broadcast(&Prepared::new("to all"), Slow::Drop).await;
    assert_eq!((told.sent, told.slow, told.gone), (3, 0, 0));
    for member in &mut members {
        assert_eq!(member.recv_message().await, Some("to all".into()), "and not one's own before");
    }
    let error = connect(&chat_at.replace("/chat", "/")).await.expect_err("nothing is there");
    assert!(format!("{error:?}").contains("404"), "{error:?}");

    for member in members {
        spawn(Box::pin(async move {
            let end = drain(member).await;
            assert_eq!((end.code(), end.is_clean()), (1001, true));
        }));
    }
    let stopped = stopper.stop(BOUND).await;
    assert_eq!((stopped.aborted, stopped.is_empty), (0, true));
    assert!(clients.is_empty());
    is_over.recv_timeout(BOUND).expect("it has returned");
    connect(chat_at).await.expect_err("nobody listens any more");
}

async fn live_on_tcp(spawn: fn(Task)) {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/chat", listener.local_addr().expect("bound"));
    live(listener, &url, spawn).await;
}

fn by_smol(task: Task) {
    smol::spawn(task).detach();
}

#[test]
fn a_whole_server_on_smol() {
    bounded(live_on_tcp(by_smol));
}

#[test]
fn a_whole_server_on_async_std() {
    async_std::task::block_on(async {
        let server = live_on_tcp(|task| drop(async_std::task::spawn(task)));
        async_std::future::timeout(BOUND, server).await.expect("it comes to an end");
    });
}

#[cfg(unix)]
#[test]
fn a_whole_server_on_a_unix_socket() {
    let folder = std::env::temp_dir().join(format!("hybi-async-std-server-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder of its own");
    bounded(async {
        let path = folder.join("socket");
        let listener = Listener::bind_unix(&path).expect("nobody else is there");
        assert_eq!(listener.local_addr().expect_err("it has a path").kind(), ErrorKind::Unsupported);
        live(listener, &format!("ws+unix:{}:/chat", path.display()), by_smol).await;
    });
    std::fs::remove_dir_all(&folder).expect("it is there");
}
