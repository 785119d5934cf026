//! A proxy that makes tunnels (HTTP CONNECT), for tests: whatever host it is asked for, it goes to one place.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hybi_std::{TlsAcceptor, Transport};
use rustls::ServerConfig;

/// A proxy on a port of its own, for one tunnel after the other. Its threads end with their connections, and the
/// one that listens with the test.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    heads: mpsc::Receiver<String>,
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Manner {
    /// It makes a tunnel to here, whatever was asked for.
    Tunnel(SocketAddr),
    /// It answers this and ends.
    Refuse(String),
}

impl Proxy {
    /// Starts one that speaks TLS to its clients, if it has a certificate.
    pub fn start(tls: Option<Arc<ServerConfig>>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (send, heads) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, manner, send) = (tls.clone(), manner.clone(), send.clone());
                thread::spawn(move || match tls {
                    Some(config) => serve(TlsAcceptor::new(config).accept(stream)?, &manner, &send),
                    None => serve(stream, &manner, &send),
                });
            }
        });
        Self { address, heads }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The head of the next request that it got.
    pub fn head(&self) -> String {
        self.heads.recv_timeout(Duration::from_secs(30)).expect("it was asked")
    }

    /// Whether it was asked more than [`Self::head`] has told.
    pub fn was_asked(&self) -> bool {
        self.heads.try_recv().is_ok()
    }
}

fn serve<S>(mut client: S, manner: &Manner, heads: &mpsc::Sender<String>) -> io::Result<()>
where
    S: Transport + Send + 'static,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        client.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let _ = heads.send(String::from_utf8_lossy(&head).into_owned()); // perhaps nobody asks for it
    let server = match manner {
        Manner::Tunnel(address) => TcpStream::connect(address)?,
        Manner::Refuse(answer) => {
            client.write_all(answer.as_bytes())?;
            client.shutdown_write()?;
            return io::copy(&mut client, &mut io::sink()).map(drop);
        }
    };
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 Tunnel\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let outward = thread::spawn(move || {
        let _ = pump(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut from_server = server;
    let _ = pump(&mut from_server, &mut client);
    let _ = client.shutdown_write();
    let _ = outward.join();
    Ok(())
}

/// Passes on what comes, at once.
fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut octets = [0; 16 * 1024];
    loop {
        match from.read(&mut octets)? {
            0 => return Ok(()),
            n => to.write_all(&octets[..n])?,
        }
        to.flush()?;
    }
}
