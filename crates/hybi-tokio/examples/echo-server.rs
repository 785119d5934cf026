//! A server that sends back what it gets.
//!
//!     cargo run -p hybi-tokio --example echo-server
//!     hybi connect ws://127.0.0.1:9001/
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io;

use hybi_tokio::{Event, WebSocket, accept};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("ws://{}/", listener.local_addr()?);
    serve(listener).await
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?; // short messages do not wait for one another
        // A task for each connection, from the opening handshake to the end.
        tokio::spawn(async move {
            match accept(stream).await {
                Ok(socket) => echo(socket).await,
                Err(error) => println!("{peer}: {error}"), // it was answered already
            }
        });
    }
}

async fn echo(mut socket: WebSocket<TcpStream>) {
    // An event lends its payload; the sender comes beside it. What it takes is flushed before the next wait.
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()), // pings are answered, a close is answered, and `None` comes when it is over
        };
        if sent.is_err() {
            break; // the peer does not read what comes back
        }
    }
}
