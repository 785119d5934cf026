//! Completion: the kernel fills memory of ours and says when it has (io_uring, by tokio-uring). It sends back what it
//! gets.
//!
//!     cargo run --release -p hybi-examples --bin io-uring -- 127.0.0.1:9001
//!
//! While an operation is under way its buffer belongs to the kernel: it is handed over, and comes back with the result.
//! The core has no buffer of its own here. The opening handshake is as everywhere; then a `Decoder` finds the frames in
//! the buffer that came back, and unmasks them where they lie. `echo` is all that is said, and knows nothing of the
//! kernel: its test plays completions of every size.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::io;

#[cfg(target_os = "linux")]
mod echo;
#[cfg(target_os = "linux")]
mod kernel;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let address = address.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    serve(address)
}

#[cfg(target_os = "linux")]
fn serve(address: std::net::SocketAddr) -> io::Result<()> {
    kernel::serve(address)
}

#[cfg(not(target_os = "linux"))]
fn serve(_: std::net::SocketAddr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into()) // other systems complete in other ways
}
