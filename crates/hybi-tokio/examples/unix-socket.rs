//! Two programs on one machine: a WebSocket over a Unix socket. Who may connect is a matter of files and their
//! permissions.
//!
//!     cargo run -p hybi-tokio --example unix-socket -- /tmp/tide.sock
//!     hybi connect ws+unix:/tmp/tide.sock:/
#![allow(clippy::print_stdout, reason = "an example says what it does")]

#[cfg(unix)]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/tmp/tide.sock".into());
    let listener = tokio::net::UnixListener::bind(&path)?;
    println!("ws+unix:{path}:/");
    serve(listener).await
}

#[cfg(not(unix))]
fn main() {
    println!("there are no Unix sockets here");
}

/// A server accepts on any stream that tokio can read and write.
#[cfg(unix)]
pub(crate) async fn serve(listener: tokio::net::UnixListener) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let Ok(mut socket) = hybi_tokio::accept(stream).await else { return };
            while let Some(message) = socket.recv_message().await {
                if socket.send(&message).await.is_err() {
                    break;
                }
            }
        });
    }
}
