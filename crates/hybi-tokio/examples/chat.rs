//! A chat, and the page for it, on one port.
//!
//!     cargo run -p hybi-tokio --example chat
//!
//! Then open http://127.0.0.1:9001/ in two windows. The first message of a visitor is the name to go by.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use hybi_tokio::{
    Accept, Answer, Arrival, Clients, CloseCode, Config, Error, Listener, Pending, PlainRequest, Prepared,
    ServerSettings, Slow, Stream,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("http://{}/", listener.local_addr()?);
    serve(listener).await;
    Ok(())
}

pub(crate) async fn serve(listener: TcpListener) {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true; // requests for pages arrive, too
    // A task for each connection, a limit on handshakes in progress, and the set of who is there.
    Listener::new(listener).with_config(Config::default(), settings).run(arrive).await;
}

async fn arrive(arrival: Arrival<Stream>, clients: Clients) {
    let result = match arrival {
        Arrival::Plain(request) => page(request).await,
        Arrival::Upgrade(pending) => visit(pending, &clients).await,
    };
    if let Err(error) = result {
        println!("{error}");
    }
}

async fn page(request: PlainRequest<Stream>) -> Result<(), Error> {
    let answer = match request.head().path() {
        "/" => Answer::new(200)
            .with_header("Content-Type", "text/html; charset=utf-8")
            .with_body(include_str!("chat.html")),
        _ => Answer::new(404).with_body("there is one page: /\n"),
    };
    request.respond(answer).await
}

async fn visit(pending: Pending<Stream>, clients: &Clients) -> Result<(), Error> {
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
    let membership = clients.join(writer.handle());
    say(clients, &format!("{name} has come")).await;
    while let Some(message) = reader.recv_message().await {
        if let Some(text) = message.as_str() {
            say(clients, &format!("{name}: {text}")).await;
        }
    }
    drop(membership); // whoever drops it has left
    say(clients, &format!("{name} has left")).await;
    Ok(())
}

/// To all. The message is framed once, nobody waits for anybody, and who does not keep up is disconnected.
async fn say(clients: &Clients, text: &str) {
    clients.broadcast(&Prepared::new(text), Slow::Disconnect).await;
}
