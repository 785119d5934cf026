//! Sending and receiving at once: one task reads the terminal, another prints what arrives.
//!
//!     cargo run -p hybi-tokio --example split -- ws://127.0.0.1:9001/
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use hybi_tokio::{CloseCode, CloseInfo, Error, Event, Reader, Stream, Writer, connect};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:9001/".into());
    let (socket, _response) = connect(&url).await?;
    let (reader, writer) = socket.into_split();

    // The terminal blocks, so it has a thread; lines come from there.
    let (typed, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                break;
            }
        }
    });

    let speaking = tokio::spawn(speak(writer, lines));
    if let Some(end) = listen(reader, |message| println!("{message}")).await {
        println!("closed: {} {}", end.code(), end.reason());
    }
    speaking.abort(); // it may still wait for a line
    Ok(())
}

/// Each line is a message, and the end of the lines is the end of the conversation.
pub(crate) async fn speak(
    mut writer: Writer<Stream>,
    mut lines: mpsc::Receiver<String>,
) -> Result<(), Error> {
    while let Some(line) = lines.recv().await {
        writer.send(&*line).await?; // waits while the server is slow
    }
    writer.close(CloseCode::NORMAL, "that was all").await
}

/// Prints what arrives, until the end. The reader answers pings while it waits, and the close of the server.
pub(crate) async fn listen(mut reader: Reader<Stream>, mut print: impl FnMut(&str)) -> Option<CloseInfo> {
    while let Some(event) = reader.recv().await {
        match event {
            Event::Text(text) => print(text.as_str()),
            Event::Binary(data) => print(&format!("{} octets", data.len())),
            _ => {}
        }
    }
    reader.close_info().cloned()
}
