use crate::stream::{MemIo, drive};
use crate::{Peer, Role, Task};
use soketto::Data;
use soketto::connection::{Builder, Mode};

pub const PEER: Peer = Peer {
    name: "soketto",
    note: "0.8 receive_data/send_*; text checked by the caller with std::str::from_utf8 as its API asks",
    run,
};

fn run(io: MemIo, task: &Task) {
    drive(async move {
        let mode = if task.role == Role::Server { Mode::Server } else { Mode::Client };
        let (mut tx, mut rx) = Builder::new(io, mode).finish();
        let mut buf = Vec::new();
        for _ in 0..task.messages {
            buf.clear();
            match rx.receive_data(&mut buf).await.unwrap() {
                Data::Text(_) => tx.send_text(std::str::from_utf8(&buf).unwrap()).await.unwrap(),
                Data::Binary(_) => tx.send_binary_mut(&mut buf).await.unwrap(),
            }
        }
        tx.flush().await.unwrap();
    })
}
