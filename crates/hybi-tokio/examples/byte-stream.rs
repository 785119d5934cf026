//! A tunnel: what comes on a TCP port goes over a WebSocket to another TCP port.
//!
//!     cargo run -p hybi-tokio --example byte-stream -- server 127.0.0.1:9001 127.0.0.1:22
//!     cargo run -p hybi-tokio --example byte-stream -- client 127.0.0.1:2222 ws://127.0.0.1:9001/
//!     ssh -p 2222 127.0.0.1
//!
//! A WebSocket becomes a stream of octets, so that everything that copies octets works with it. Both ways are held
//! up when the other end is slow: memory stays bounded.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use hybi_tokio::{Error, Kind, accept, connect};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", listen, target] => serve(TcpListener::bind(listen).await?, target.into()).await,
        ["client", listen, url] => forward(TcpListener::bind(listen).await?, url.into()).await,
        _ => {
            println!("byte-stream server LISTEN TARGET | client LISTEN URL");
            Ok(())
        }
    }
}

/// From WebSockets to a TCP port.
pub(crate) async fn serve(listener: TcpListener, target: String) -> Result<(), Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        let target = target.clone();
        tokio::spawn(async move {
            let mut tunnel = accept(stream).await?.into_byte_stream(Kind::Binary);
            let mut tcp = TcpStream::connect(target).await?;
            copy_bidirectional(&mut tunnel, &mut tcp).await?;
            Ok::<(), Error>(())
        });
    }
}

/// From a TCP port to a WebSocket.
pub(crate) async fn forward(listener: TcpListener, url: String) -> Result<(), Error> {
    loop {
        let (mut tcp, _) = listener.accept().await?;
        let url = url.clone();
        tokio::spawn(async move {
            let (socket, _response) = connect(&url).await?;
            let mut tunnel = socket.into_byte_stream(Kind::Binary);
            // The end of one direction is passed on as a close; both ends see an orderly end.
            copy_bidirectional(&mut tunnel, &mut tcp).await?;
            Ok::<(), Error>(())
        });
    }
}
