//! The server that the Autobahn suite tests: `autobahn-server-async-std PORT`. It sends back what it gets.

use std::io;
use std::net::Shutdown;

use async_std::net::{TcpListener, TcpStream};
use async_std::task;
use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::ServerSettings;
use hybi_async_std::{Accept, Acceptor, Arrival, Config, Event, WithShutdown};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(9002);
    let acceptor = Acceptor::new(config(), ServerSettings::default());
    task::block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            task::spawn(serve(acceptor.clone(), stream));
        }
    })
}

/// The suite sends 4 MiB in 65,536 fragments.
fn config() -> Config {
    let mut config = Config::default();
    config.limits.fragments = 100_000;
    config
}

async fn serve(acceptor: Acceptor, stream: TcpStream) {
    let stream = WithShutdown::new(stream, |stream| stream.shutdown(Shutdown::Write));
    let Ok(Arrival::Upgrade(pending)) = acceptor.read(stream).await else { return };
    let accept = Accept::new().with_deflate(DeflateConfig::default());
    let Ok(mut socket) = pending.accept(accept).await else { return };
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
