//! One message to many: each line that is typed goes to everybody who is connected.
//!
//!     cargo run -p hybi-tokio --example broadcast
//!     hybi connect ws://127.0.0.1:9001/          in as many other terminals as you like
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hybi_tokio::{Error, Handle, Prepared, UsageError, accept};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("ws://{}/; type something", listener.local_addr()?);
    let audience = Audience::default();
    let speaker = audience.clone();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            println!("{} heard it", speaker.tell(&line));
        }
    });
    serve(listener, audience).await
}

pub(crate) async fn serve(listener: TcpListener, audience: Audience) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(attend(stream, audience.clone()));
    }
}

async fn attend(stream: TcpStream, audience: Audience) -> Result<(), Error> {
    let (mut reader, writer) = accept(stream).await?.into_split();
    audience.lock().push(writer.handle());
    // Somebody has to receive, or pings and closes are never answered. What the client says is of no interest.
    while reader.recv().await.is_some() {}
    Ok(())
}

/// Everybody who listens.
#[derive(Clone, Default)]
pub(crate) struct Audience(Arc<Mutex<Vec<Handle>>>);

impl Audience {
    /// Sends it to all, and says to how many.
    ///
    /// The message is framed once, and all connections share its octets. A connection with too much waiting does not
    /// hold up the others: this one it does not get. So no slow reader costs more memory than its high water mark.
    pub(crate) fn tell(&self, text: &str) -> usize {
        let message = Prepared::new(text);
        let mut told = 0;
        self.lock().retain(|handle| match handle.try_send_prepared(&message) {
            Ok(()) => {
                told += 1;
                true
            }
            Err(Error::Usage(UsageError::QueueFull)) => true, // slow: perhaps the next one
            Err(_) => false,                                  // gone
        });
        told
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Handle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
