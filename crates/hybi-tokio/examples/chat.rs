//! A chat, and the page for it, on one port.
//!
//!     cargo run -p hybi-tokio --example chat
//!
//! Then open http://127.0.0.1:9001/ in two windows. The first message of a visitor is the name to go by.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hybi_tokio::{
    Accept, Acceptor, Answer, Arrival, CloseCode, Config, Error, Handle, Pending, PlainRequest, Prepared,
    ServerSettings,
};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("http://{}/", listener.local_addr()?);
    serve(listener).await
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true; // requests for pages arrive, too
    let acceptor = Acceptor::new(Config::default(), settings);
    let room = Room::default();
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, room) = (acceptor.clone(), room.clone());
        tokio::spawn(async move {
            match acceptor.read(stream).await? {
                Arrival::Plain(request) => page(request).await,
                Arrival::Upgrade(pending) => visit(pending, room, number).await,
            }
        });
    }
    Ok(())
}

async fn page(request: PlainRequest<TcpStream>) -> Result<(), Error> {
    let answer = match request.head().path() {
        "/" => Answer::new(200)
            .with_header("Content-Type", "text/html; charset=utf-8")
            .with_body(include_str!("chat.html")),
        _ => Answer::new(404).with_body("there is one page: /\n"),
    };
    request.respond(answer).await
}

async fn visit(pending: Pending<TcpStream>, room: Room, number: u64) -> Result<(), Error> {
    // Any page on the web can make a browser connect to here: only our own may (RFC 6455 §10.2).
    let own = format!("http://{}", pending.request().host());
    if !pending.request().origin_allowed(&[&own]) {
        return pending.reject(Answer::new(403)).await;
    }
    let (mut reader, mut writer) = pending.accept(Accept::new()).await?.into_split();
    let Some(first) = reader.recv_message().await else { return Ok(()) };
    let Some(name) = first.as_str().filter(|name| (1..=20).contains(&name.len())) else {
        return writer.close(CloseCode::POLICY_VIOLATION, "a name of 1 to 20 octets comes first").await;
    };
    room.enter(number, writer.handle());
    room.say(&format!("{name} has come"));
    while let Some(message) = reader.recv_message().await {
        if let Some(text) = message.as_str() {
            room.say(&format!("{name}: {text}"));
        }
    }
    room.leave(number);
    room.say(&format!("{name} has left"));
    Ok(())
}

/// Who is there. A handle sends on a connection from anywhere.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<BTreeMap<u64, Handle>>>);

impl Room {
    fn enter(&self, number: u64, handle: Handle) {
        self.lock().insert(number, handle);
    }

    fn leave(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// Says it to all. The message is framed once; nobody waits for anybody, and who does not keep up is dropped.
    fn say(&self, text: &str) {
        let message = Prepared::new(text);
        for handle in self.lock().values() {
            if handle.try_send_prepared(&message).is_err() {
                handle.abort();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Handle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
