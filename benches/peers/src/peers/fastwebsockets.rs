use crate::stream::{MemIo, drive};
use crate::{Peer, Role, Task};
use fastwebsockets::{FragmentCollector, OpCode, Role as R, WebSocket};

pub const PEER: Peer =
    Peer { name: "fastwebsockets", note: "0.10 FragmentCollector; write_frame(read_frame())", run };

fn run(io: MemIo, task: &Task) {
    drive(async move {
        let role = if task.role == Role::Server { R::Server } else { R::Client };
        let mut ws = FragmentCollector::new(WebSocket::after_handshake(io, role));
        for _ in 0..task.messages {
            let f = ws.read_frame().await.unwrap();
            assert!(matches!(f.opcode, OpCode::Text | OpCode::Binary));
            ws.write_frame(f).await.unwrap();
        }
    })
}
