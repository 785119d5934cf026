use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use tungstenite::protocol::{Role as R, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

pub const PEER: Peer =
    Peer { name: "tungstenite", note: "0.30 sync; read/write, flush when the stream would block", run };

fn run(io: MemIo, task: &Task) {
    let role = if task.role == Role::Server { R::Server } else { R::Client };
    let mut ws = WebSocket::from_raw_socket(io, role, Some(WebSocketConfig::default()));
    let mut n = 0;
    while n < task.messages {
        match ws.read() {
            Ok(m @ (Message::Text(_) | Message::Binary(_))) => {
                ws.write(m).unwrap();
                n += 1;
            }
            Ok(_) => unreachable!(),
            Err(Error::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => ws.flush().unwrap(),
            Err(e) => panic!("{e}"),
        }
    }
    ws.flush().unwrap();
}
