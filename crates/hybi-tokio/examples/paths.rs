//! Several servers on one port: the path of the request says which one is meant.
//!
//!     cargo run -p hybi-tokio --example paths
//!     hybi connect ws://127.0.0.1:9001/upper
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io;

use hybi_tokio::{Accept, Answer, Arrival, Error, Listener, Stream, WebSocket};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = Listener::bind("127.0.0.1:9001").await?;
    println!("ws://{0}/upper and ws://{0}/count", listener.local_addr()?);
    serve(listener).await;
    Ok(())
}

pub(crate) async fn serve(listener: Listener) {
    listener
        .run(async |arrival, _clients| {
            let _ = route(arrival).await; // an error: this one is gone
        })
        .await;
}

async fn route(arrival: Arrival<Stream>) -> Result<(), Error> {
    // The request is read and not yet answered: this is the place to decide.
    let Arrival::Upgrade(pending) = arrival else { return Ok(()) };
    match pending.request().path() {
        "/upper" => upper(pending.accept(Accept::new()).await?).await,
        "/count" => count(pending.accept(Accept::new()).await?).await,
        _ => pending.reject(Answer::new(404).with_body("there are /upper and /count\n")).await,
    }
}

/// Text in capital letters.
async fn upper(mut socket: WebSocket<Stream>) -> Result<(), Error> {
    while let Some(message) = socket.recv_message().await {
        if let Some(text) = message.as_str() {
            socket.send(&*text.to_uppercase()).await?;
        }
    }
    Ok(())
}

/// How many messages there were.
async fn count(mut socket: WebSocket<Stream>) -> Result<(), Error> {
    let mut seen = 0;
    while socket.recv_message().await.is_some() {
        seen += 1;
        socket.send(&*format!("{seen}")).await?;
    }
    Ok(())
}
