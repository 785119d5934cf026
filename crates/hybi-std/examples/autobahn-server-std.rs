//! The server that the Autobahn suite tests: `autobahn-server-std PORT`. It sends back what it gets.

use std::io;
use std::net::TcpListener;
use std::thread;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_std::{Accept, Acceptor, Arrival, Config, Event};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(9002);
    let acceptor = Acceptor::new(config(), hybi::handshake::ServerSettings::default());
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let (stream, acceptor) = (stream?, acceptor.clone());
        thread::spawn(move || {
            let _ = stream.set_nodelay(true);
            if let Ok(Arrival::Upgrade(pending)) = acceptor.read(stream)
                && let Ok(socket) = pending.accept(Accept::new().with_deflate(DeflateConfig::default()))
            {
                echo(socket);
            }
        });
    }
    Ok(())
}

/// The suite sends 4 MiB in 65,536 fragments.
fn config() -> Config {
    let mut config = Config::default();
    config.limits.fragments = 100_000;
    config
}

fn echo<S: hybi_std::Transport>(mut socket: hybi_std::WebSocket<S>) {
    while let Some((event, sender)) = socket.recv_with() {
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
