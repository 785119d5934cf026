//! Several servers on one port: the path of the request says which one is meant.
//!
//!     cargo run -p hybi-tokio --example paths
//!     hybi connect ws://127.0.0.1:9001/upper
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io;

use hybi_tokio::{Accept, Acceptor, Answer, Arrival, Error, WebSocket};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("ws://{0}/upper and ws://{0}/count", listener.local_addr()?);
    serve(listener).await
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let acceptor = Acceptor::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move { route(acceptor, stream).await });
    }
}

async fn route(acceptor: Acceptor, stream: TcpStream) -> Result<(), Error> {
    // The request is read and not yet answered: this is the place to decide.
    let Arrival::Upgrade(pending) = acceptor.read(stream).await? else { return Ok(()) };
    match pending.request().path() {
        "/upper" => upper(pending.accept(Accept::new()).await?).await,
        "/count" => count(pending.accept(Accept::new()).await?).await,
        _ => pending.reject(Answer::new(404).with_body("there are /upper and /count\n")).await,
    }
}

/// Text in capital letters.
async fn upper(mut socket: WebSocket<TcpStream>) -> Result<(), Error> {
    while let Some(message) = socket.recv_message().await {
        if let Some(text) = message.as_str() {
            socket.send(&*text.to_uppercase()).await?;
        }
    }
    Ok(())
}

/// How many messages there were.
async fn count(mut socket: WebSocket<TcpStream>) -> Result<(), Error> {
    let mut seen = 0;
    while socket.recv_message().await.is_some() {
        seen += 1;
        socket.send(&*format!("{seen}")).await?;
    }
    Ok(())
}
