use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use futures::{SinkExt, StreamExt};
use std::task::{Context, Poll, Waker};
use yawc::{Frame, Options, Role as R, WebSocket};

pub const PEER: Peer =
    Peer { name: "yawc", note: "0.5 feature simd, with_utf8; poll_next/start_send, flush when pending", run };

fn run(io: MemIo, task: &Task) {
    let role = if task.role == Role::Server { R::Server } else { R::Client };
    let opts = Options::default().with_utf8().with_limits(64 << 20, 64 << 20);
    let mut ws = WebSocket::from_stream(io, role, opts).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut n = 0;
    while n < task.messages {
        match ws.poll_next_unpin(&mut cx) {
            Poll::Ready(Some(f)) => {
                while ws.poll_ready_unpin(&mut cx).is_pending() {}
                let (op, _fin, payload) = f.into_parts();
                let f = if op == yawc::OpCode::Text { Frame::text(payload) } else { Frame::binary(payload) };
                ws.start_send_unpin(f).unwrap();
                n += 1;
            }
            Poll::Ready(None) => panic!("end"),
            Poll::Pending => assert!(ws.poll_flush_unpin(&mut cx).is_ready()),
        }
    }
    assert!(ws.poll_flush_unpin(&mut cx).is_ready());
}
