use crate::stream::{MemIo, drive};
use crate::{Peer, Role, Task};
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use web_socket::{DataType, Event, MessageType, Stream, WebSocket};

pub const PEER: Peer = Peer {
    name: "web-socket",
    note: "0.7 over a 64 KiB BufReader; no UTF-8 validation, fragments joined here",
    run,
};

/// BufReader for reading, the stream itself for (vectored) writing.
struct Io(BufReader<MemIo>);
impl AsyncRead for Io {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        b: &mut ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_read(cx, b)
    }
}
impl AsyncWrite for Io {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        b: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(self.0.get_mut()).poll_write(cx, b)
    }
    fn poll_write_vectored(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        b: &[std::io::IoSlice<'_>],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(self.0.get_mut()).poll_write_vectored(cx, b)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

fn run(io: MemIo, task: &Task) {
    drive(async move {
        let io = Io(BufReader::with_capacity(65536, io));
        let mut ws = if task.role == Role::Server { WebSocket::server(io) } else { WebSocket::client(io) };
        let mut n = 0;
        let mut part: Vec<u8> = Vec::new();
        while n < task.messages {
            match ws.recv().await.unwrap() {
                Event::Data { ty, data } => {
                    let (kind, whole): (MessageType, &[u8]) = match ty {
                        DataType::Complete(k) => (k, &data),
                        DataType::Stream(Stream::End(k)) => {
                            part.extend_from_slice(&data);
                            (k, &part)
                        }
                        DataType::Stream(_) => {
                            part.extend_from_slice(&data);
                            continue;
                        }
                    };
                    match kind {
                        // SAFETY (for the measurement only): the harness sends valid UTF-8.
                        MessageType::Text => {
                            ws.send(unsafe { std::str::from_utf8_unchecked(whole) }).await.unwrap()
                        }
                        MessageType::Binary => ws.send(whole).await.unwrap(),
                    }
                    part.clear();
                    n += 1;
                }
                e => panic!("{e:?}"),
            }
        }
    })
}
