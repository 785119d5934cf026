//! Clients: bare sockets that write a batch of frames and read as many octets as have to come back.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::traffic::{TEXT, push_frame};

#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) octets: usize,
}

pub(crate) struct Crowd {
    runtime: Runtime,
    sockets: Vec<TcpStream>,
    batch: Arc<[u8]>,
    back: Arc<[u8]>,
}

const MASK: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];

/// One text frame, with this mask if it is of a client.
fn frame(text: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Vec::new();
    push_frame(&mut frame, true, TEXT, text, mask);
    frame
}

impl Crowd {
    /// Connects. `raw`: what is written comes back as it is.
    pub(crate) fn open(port: u16, load: Load, raw: bool) -> Self {
        let text: Vec<u8> = (0..load.octets).map(|at| b'a' + (at % 23) as u8).collect();
        let batch = frame(&text, Some(MASK)).repeat(load.in_flight);
        let back = if raw { batch.clone() } else { frame(&text, None).repeat(load.in_flight) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let sockets = runtime.block_on(async {
            let mut sockets = Vec::new();
            for _ in 0..load.connections {
                let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
                socket.set_nodelay(true).expect("a socket");
                sockets.push(socket);
            }
            sockets
        });
        Self { runtime, sockets, batch: batch.into(), back: back.into() }
    }

    /// So many batches on each connection, all connections at once; the octets of the last are compared.
    pub(crate) fn run(&mut self, turns: u64) {
        let sockets = std::mem::take(&mut self.sockets);
        self.sockets = self.runtime.block_on(async {
            let mut all = JoinSet::new();
            for socket in sockets {
                all.spawn(turn(socket, self.batch.clone(), self.back.clone(), turns));
            }
            all.join_all().await
        });
    }

    /// One batch on the connection that was opened last.
    pub(crate) fn run_last(&mut self) {
        let socket = self.sockets.pop().expect("there is one");
        self.sockets.push(self.runtime.block_on(turn(socket, self.batch.clone(), self.back.clone(), 1)));
    }
}

async fn turn(mut socket: TcpStream, batch: Arc<[u8]>, back: Arc<[u8]>, turns: u64) -> TcpStream {
    let mut buffer = vec![0; back.len()];
    for _ in 0..turns {
        let (mut reading, mut writing) = socket.split();
        // Both at once: a server that answers while it reads must not be kept from it.
        let (written, read) = tokio::join!(writing.write_all(&batch), reading.read_exact(&mut buffer));
        written.and(read.map(drop)).expect("the server goes on");
    }
    assert!(buffer[..] == back[..], "it is no echo");
    socket
}
