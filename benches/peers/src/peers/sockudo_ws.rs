use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use futures::{SinkExt, StreamExt};
use sockudo_ws::{Config, WebSocketStream};
use std::task::{Context, Poll, Waker};

pub const PEER: Peer = Peer {
    name: "sockudo-ws",
    note: "3.1 WebSocketStream, timers off; poll_next/start_send, flush when pending",
    run,
};

fn run(io: MemIo, task: &Task) {
    let c = Config::builder().idle_timeout(0).auto_ping(false).build();
    let mut ws = if task.role == Role::Server {
        WebSocketStream::server(io, c)
    } else {
        WebSocketStream::client(io, c)
    };
    let mut cx = Context::from_waker(Waker::noop());
    let mut n = 0;
    while n < task.messages {
        match ws.poll_next_unpin(&mut cx) {
            Poll::Ready(Some(m)) => {
                while ws.poll_ready_unpin(&mut cx).is_pending() {}
                ws.start_send_unpin(m.unwrap()).unwrap();
                n += 1;
            }
            Poll::Ready(None) => panic!("end"),
            Poll::Pending => assert!(ws.poll_flush_unpin(&mut cx).is_ready()),
        }
    }
    assert!(ws.poll_flush_unpin(&mut cx).is_ready());
}
