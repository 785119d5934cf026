use crate::stream::{MemIo, drive};
use crate::{Peer, Role, Task};
use futures::{SinkExt, StreamExt};
use std::task::{Context, Poll, Waker};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role as R;

pub const PEER: Peer =
    Peer { name: "tokio-tungstenite", note: "0.30; poll_next/start_send, flush when pending", run };

fn run(io: MemIo, task: &Task) {
    let role = if task.role == Role::Server { R::Server } else { R::Client };
    let mut ws = drive(WebSocketStream::from_raw_socket(io, role, None));
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
