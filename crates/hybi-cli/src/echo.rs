//! `hybi echo`: a thread for each connection sends back what it gets; a browser gets the page.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{Answer, ServerSettings};
use hybi_std::{Accept, Acceptor, Arrival, Config, Error, Event, Pending, Stream, TlsAcceptor, WebSocket};

use crate::{page, terminal, tls};

/// Serve WebSockets that send back every message, and a web page to try them with.
///
/// Every path is a WebSocket. The first subprotocol that a client offers is accepted. A plain GET of / is
/// answered with a page that connects back to this server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hybi echo                          then open http://127.0.0.1:9001/
  hybi echo --listen 127.0.0.1:0 -v  any free port; say what happens
  hybi echo --listen 0.0.0.0:9001    for other machines, such as a phone, too
  hybi echo --tls-cert certificate.pem --tls-key key.pem      https:// and wss://

Exit status:
  1  it cannot listen, or a certificate is no good; otherwise it serves until it is ended")]
pub(crate) struct Options {
    /// Address to listen at; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9001")]
    listen: String,

    /// Open WebSockets at a time; what comes above is refused with 503
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_connections: usize,

    /// Compress messages with clients that can: permessage-deflate
    #[arg(long)]
    compress: bool,

    /// Certificate of this server (PEM), with those between it and the authority: serves https:// and wss://
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Say when connections open and end; twice: each message as well
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// Connections in their opening handshake, or asking for the page, at a time beside the open ones.
const DOORSTEP: usize = 64;

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let server = Arc::new(Server::new(options)?);
    let cannot = |error: io::Error| format!("cannot listen at {}: {error}", options.listen);
    let listener = TcpListener::bind(&*options.listen).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let s = if server.tls.is_some() { "s" } else { "" };
    say(format_args!("listening on http{s}://{address}/ and ws{s}://{address}/"));

    let threads = Places::new(options.max_connections.saturating_add(DOORSTEP));
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                terminal::error(&format!("cannot accept a connection: {error}"));
                thread::sleep(Duration::from_millis(100)); // no more files: some will be closed
                continue;
            }
        };
        let Some(place) = threads.take() else { continue }; // dropped: even the doorstep is full
        let server = server.clone();
        let spawned = thread::Builder::new().spawn(move || {
            let _place = place;
            server.serve(stream, peer);
        });
        if let Err(error) = spawned {
            terminal::error(&format!("cannot start a thread: {error}"));
        }
    }
}

/// What all connections share.
struct Server {
    acceptor: Acceptor,
    tls: Option<TlsAcceptor>,
    open: Places,
    /// permessage-deflate, if it is wished.
    deflate: Option<Arc<DeflateConfig>>,
    verbose: u8,
}

impl Server {
    fn new(options: &Options) -> Result<Self, String> {
        let tls = match (&options.tls_cert, &options.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::server_config(certificate, key)?),
            _ => None,
        };
        let mut config = Config::default();
        // Peers that are gone do not keep their places.
        config.timeouts.keepalive = Some(Duration::from_secs(30));
        config.timeouts.write_stall = Some(Duration::from_secs(30));
        // An echo is as large as the message, and finds little waiting before it.
        config.water.limit = config.limits.message + config.water.high;
        let mut settings = ServerSettings::default();
        settings.plain_requests = true;
        Ok(Self {
            acceptor: Acceptor::new(config, settings),
            tls: tls.map(TlsAcceptor::new),
            open: Places::new(options.max_connections),
            deflate: options.compress.then(Arc::default),
            verbose: options.verbose,
        })
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        let arrival = self.secured(stream).map_err(Error::from).and_then(|stream| self.acceptor.read(stream));
        let served = match arrival {
            Ok(Arrival::Upgrade(pending)) => self.open(pending, peer),
            Ok(Arrival::Plain(plain)) => {
                let answer = page::answer(plain.head());
                self.tell(
                    1,
                    peer,
                    format_args!("{} {}: {}", plain.head().method(), plain.head().target(), answer.status()),
                );
                plain.respond(answer)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            self.tell(1, peer, format_args!("no connection: {error}"));
        }
    }

    fn secured(&self, stream: TcpStream) -> io::Result<Stream> {
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(tls) => tls.accept(stream.into())?.into(),
            None => stream.into(),
        })
    }

    fn open(&self, pending: Pending<Stream>, peer: SocketAddr) -> Result<(), Error> {
        let Some(_place) = self.open.take() else {
            self.tell(1, peer, format_args!("refused: too many connections"));
            return pending.reject(Answer::new(503).with_body("too many connections\n"));
        };
        let mut accept = Accept::new();
        let mut about = pending.request().target().to_owned();
        if let Some(name) = pending.request().subprotocols().iter().next() {
            accept = accept.with_subprotocol(name);
            about = format!("{about}, subprotocol {name}");
        }
        if let Some(config) = &self.deflate {
            accept = accept.with_deflate(config.clone());
        }
        let socket = pending.accept(accept)?;
        for name in socket.agreement().extensions() {
            about = format!("{about}, {name}");
        }
        self.tell(1, peer, format_args!("open: {about}"));
        self.echo(socket, peer)
    }

    fn echo(&self, mut socket: WebSocket<Stream>, peer: SocketAddr) -> Result<(), Error> {
        while let Some((event, sender)) = socket.recv_with() {
            match event {
                Event::Text(text) => {
                    self.tell(2, peer, format_args!("text, {} octets", text.as_bytes().len()));
                    sender.send(&text)?;
                }
                Event::Binary(data) => {
                    self.tell(2, peer, format_args!("binary, {} octets", data.len()));
                    sender.send(&data)?;
                }
                Event::Ping(payload) => self.tell(2, peer, format_args!("ping, {} octets", payload.len())),
                Event::Failed(error) => self.tell(1, peer, format_args!("failed: {error}")),
                Event::Closed(info) => {
                    let how = if info.is_clean() { "closed" } else { "broken off" };
                    let reason = info.reason();
                    let gap = if reason.is_empty() { "" } else { " " };
                    self.tell(1, peer, format_args!("{how}: {}{gap}{reason}", info.code()));
                    continue;
                }
                _ => continue,
            }
            if sender.is_above_high_water() {
                socket.flush()?; // before the next, which may be as large
            }
        }
        Ok(())
    }

    /// One line about a connection, if that is wished.
    fn tell(&self, level: u8, peer: SocketAddr, what: fmt::Arguments<'_>) {
        if self.verbose >= level {
            say(format_args!("{peer} {what}"));
        }
    }
}

/// One line on the standard output, whole even among threads. A server does not end because nobody reads it.
fn say(line: fmt::Arguments<'_>) {
    let line = terminal::visible(&line.to_string()).replace('\n', "\\n"); // peers choose some of it
    match terminal::report(&line) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => terminal::error(&error.to_string()),
        _ => {}
    }
}

/// A number of places, each taken for as long as its [`Place`] lives.
struct Places {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

struct Place(Arc<AtomicUsize>);

impl Places {
    fn new(limit: usize) -> Self {
        Self { taken: Arc::default(), limit }
    }

    fn take(&self) -> Option<Place> {
        let more = |taken| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Place(self.taken.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
    }
}
