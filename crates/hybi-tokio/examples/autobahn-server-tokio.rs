//! The server that the Autobahn suite tests: `autobahn-server-tokio PORT`. It sends back what it gets.

use std::io;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_tokio::{Accept, Acceptor, Arrival, Config, Event, ServerSettings, WebSocket};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(9002);
    let acceptor = Acceptor::new(config(), ServerSettings::default());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Ok(Arrival::Upgrade(pending)) = acceptor.read(stream).await
                && let Ok(socket) = pending.accept(Accept::new().with_deflate(DeflateConfig::default())).await
            {
                echo(socket).await;
            }
        });
    }
}

/// The suite sends 4 MiB in 65,536 fragments.
fn config() -> Config {
    let mut config = Config::default();
    config.limits.fragments = 100_000;
    config
}

async fn echo(mut socket: WebSocket<TcpStream>) {
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}
