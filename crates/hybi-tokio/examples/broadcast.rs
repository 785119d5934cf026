//! One message to many: each line that is typed goes to everybody who is connected.
//!
//!     cargo run -p hybi-tokio --example broadcast
//!     hybi connect ws://127.0.0.1:9001/          in as many other terminals as you like
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use hybi_tokio::{Accept, Arrival, Clients, Error, Listener, Prepared, Slow, Stream};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("ws://{}/; type something", listener.local_addr()?);
    let listener = Listener::new(listener);
    // The terminal blocks, so it has a thread; lines come from there.
    let (typed, mut lines) = mpsc::channel::<String>(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                break;
            }
        }
    });
    let clients = listener.clients().clone();
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            println!("{} heard it", tell(&clients, &line).await);
        }
    });
    serve(listener).await;
    Ok(())
}

pub(crate) async fn serve(listener: Listener) {
    listener
        .run(async |arrival, clients| {
            let _ = attend(arrival, &clients).await; // an error: this one is gone
        })
        .await;
}

async fn attend(arrival: Arrival<Stream>, clients: &Clients) -> Result<(), Error> {
    let Arrival::Upgrade(pending) = arrival else { return Ok(()) };
    let (mut reader, writer) = pending.accept(Accept::new()).await?.into_split();
    let _membership = clients.join(writer.handle()); // until it is dropped
    // Somebody has to receive, or pings and closes are never answered. What the client says is of no interest.
    while reader.recv().await.is_some() {}
    Ok(())
}

/// Sends it to all, and says to how many.
///
/// The message is framed once, and all connections share its octets. A connection with too much waiting does not hold
/// up the others: this message it does not get (`Slow` has other policies). So no slow reader costs more memory than
/// its high water mark.
pub(crate) async fn tell(clients: &Clients, text: &str) -> usize {
    clients.broadcast(&Prepared::new(text), Slow::Drop).await.sent
}
