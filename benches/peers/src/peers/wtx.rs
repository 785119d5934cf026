use crate::stream::{MemIo, drive};
use crate::{Peer, Role, Task};
use std::future::poll_fn;
use std::io::IoSlice;
use std::task::Poll;
use wtx::collection::Vector;
use wtx::rng::Xorshift64;
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::{WebSocket, WebSocketBuffer, WebSocketPayloadOrigin};

pub const PEER: Peer = Peer {
    name: "wtx",
    note: "0.46 features optimization, xorshift masks; split_mut, write_frame(read_frame(Adaptive))",
    run,
};

struct Io(MemIo);
impl StreamReader for Io {
    async fn read(&mut self, b: &mut [u8]) -> wtx::Result<usize> {
        let io = self.0;
        Ok(poll_fn(|_| match io.st().read(b) {
            None => Poll::Pending,
            Some(n) => Poll::Ready(n),
        })
        .await)
    }
}
impl StreamWriter for Io {
    async fn write_all(&mut self, b: &[u8]) -> wtx::Result<()> {
        self.0.st().write(b);
        Ok(())
    }
    async fn write_all_vectored(&mut self, b: &[&[u8]]) -> wtx::Result<()> {
        let v: [IoSlice<'_>; 8] = std::array::from_fn(|i| IoSlice::new(b.get(i).copied().unwrap_or(&[])));
        self.0.st().write_vectored(&v[..b.len()]);
        Ok(())
    }
}

fn run(io: MemIo, task: &Task) {
    if task.role == Role::Server { drive(go::<false>(io, task)) } else { drive(go::<true>(io, task)) }
}

async fn go<const CLIENT: bool>(io: MemIo, task: &Task) {
    let mut ws =
        WebSocket::<(), _, _, _, CLIENT>::new((), false, Xorshift64::from(7), Io(io), WebSocketBuffer::new());
    let mut buf = Vector::new();
    let (mut common, mut reader, mut writer) = ws.split_mut();
    for _ in 0..task.messages {
        let mut f = reader.read_frame(&mut buf, &mut common, WebSocketPayloadOrigin::Adaptive).await.unwrap();
        writer.write_frame(&mut common, &mut f).await.unwrap();
    }
}
