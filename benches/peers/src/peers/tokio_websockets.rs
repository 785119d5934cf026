use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use futures::{SinkExt, StreamExt};
use std::task::{Context, Poll, Waker};
use tokio_websockets::{ClientBuilder, Limits, ServerBuilder};

pub const PEER: Peer =
    Peer { name: "tokio-websockets", note: "0.13 fastrand; poll_next/start_send, flush when pending", run };

fn run(io: MemIo, task: &Task) {
    let mut ws = if task.role == Role::Server {
        ServerBuilder::new().limits(Limits::unlimited()).serve(io)
    } else {
        ClientBuilder::new().limits(Limits::unlimited()).take_over(io)
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
