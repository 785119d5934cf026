//! What the tests of the adapter share: a bound on time, two ends of a socket, frames by hand.
#![allow(dead_code, unreachable_pub, clippy::panic, reason = "each test file uses a part of it")]

pub mod readme;

use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use hybi::{Agreement, Connection};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseInfo, Config, Connector, Event, Pending, SystemEntropy,
    Transport, WebSocket,
};

/// No test takes longer. It is no expectation: it turns a hang into a failure.
pub const BOUND: Duration = Duration::from_secs(240);

/// Runs a test on a thread of its own, and fails it when that does not come to an end.
pub fn bounded<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (over, is_over) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _over = over; // dropped when the test ends, however it ends
        test()
    });
    match is_over.recv_timeout(BOUND) {
        Err(RecvTimeoutError::Timeout) => panic!("not over after {BOUND:?}"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// Two ends of a stream: the client's and the server's.
pub trait Pair: Transport + std::fmt::Debug + Send + Sized + 'static {
    fn pair() -> (Self, Self);
}

impl Pair for TcpStream {
    fn pair() -> (Self, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = Self::connect(listener.local_addr().expect("bound")).expect("it listens");
        let (server, _) = listener.accept().expect("it connected");
        for end in [&client, &server] {
            end.set_nodelay(true).expect("TCP has it");
        }
        (client, server)
    }
}

#[cfg(unix)]
impl Pair for UnixStream {
    fn pair() -> (Self, Self) {
        Self::pair().expect("two sockets")
    }
}

/// Makes a transport of what can be read, written and cloned, and never waits.
#[macro_export]
macro_rules! transport_that_never_waits {
    ($transport:ty) => {
        impl hybi_std::Transport for $transport {
            fn set_read_timeout(&self, _: Option<std::time::Duration>) -> std::io::Result<()> {
                Ok(())
            }
            fn set_write_timeout(&self, _: Option<std::time::Duration>) -> std::io::Result<()> {
                Ok(())
            }
            fn shutdown_write(&mut self) -> std::io::Result<()> {
                Ok(())
            }
            fn shutdown(&mut self) -> std::io::Result<()> {
                Ok(())
            }
            fn try_clone(&self) -> std::io::Result<Self> {
                Ok(self.clone())
            }
        }
    };
}

/// Tests that exist once for each kind of socket: `fn name<S>() { .. }` becomes `name::tcp` and `name::unix`.
#[macro_export]
macro_rules! over_each_socket {
    ($($(#[$meta:meta])* fn $name:ident<$socket:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn check<$socket: $crate::common::Pair>() $body

            #[test]
            fn tcp() {
                $crate::common::bounded(check::<std::net::TcpStream>);
            }

            #[cfg(unix)]
            #[test]
            fn unix() {
                $crate::common::bounded(check::<std::os::unix::net::UnixStream>);
            }
        }
    )*};
}

/// A client and a server with an open connection between them.
pub fn open<S: Pair>() -> (WebSocket<S>, WebSocket<S>) {
    open_with(Config::default(), Config::default())
}

/// The same with a configuration each.
pub fn open_with<S: Pair>(client: Config, server: Config) -> (WebSocket<S>, WebSocket<S>) {
    let (client_end, server_end) = S::pair();
    let accepting = thread::spawn(move || {
        pending(server_end, &Acceptor::new(server, Default::default()))
            .accept(Accept::new())
            .expect("accepted")
    });
    let request = ClientRequest::new("ws://test/").expect("an address");
    let (client, response) = Connector::new(client).handshake(client_end, request).expect("accepted");
    assert_eq!(response.status(), 101);
    (client, accepting.join().expect("the server is well"))
}

/// A request for an upgrade, before it is answered.
pub fn pending<S: Transport>(stream: S, acceptor: &Acceptor) -> Pending<S> {
    match acceptor.read(stream).expect("a good request") {
        Arrival::Upgrade(pending) => pending,
        Arrival::Plain(_) => panic!("an upgrade was requested"),
    }
}

/// A server without an opening handshake, and the bare socket of its client.
pub fn server<S: Pair>(config: impl Into<Arc<Config>>) -> (S, WebSocket<S>) {
    let (peer, end) = S::pair();
    (peer, WebSocket::new(end, Connection::server(Agreement::default(), config)))
}

/// A client without an opening handshake, and the bare socket of its server.
pub fn client<S: Pair>(config: impl Into<Arc<Config>>) -> (WebSocket<S>, S) {
    let (end, peer) = S::pair();
    (WebSocket::new(end, Connection::client(Agreement::default(), config, SystemEntropy)), peer)
}

/// Sends back what it gets until the connection is over, and returns how it ended.
pub fn echo<S: Transport>(mut socket: WebSocket<S>) -> CloseInfo {
    while let Some((event, sender)) = socket.recv_with() {
        match event {
            Event::Text(text) => sender.send(&text).expect("it is taken"),
            Event::Binary(data) => sender.send(&data).expect("it is taken"),
            _ => {}
        }
    }
    socket.close_info().expect("it is over").clone()
}

/// Receives to the end. The last event, and no other, says how it ended; after it there is nothing.
pub fn drain<S: Transport>(socket: &mut WebSocket<S>) -> (Vec<String>, CloseInfo) {
    let (mut events, mut ends) = (Vec::new(), Vec::new());
    while let Some(event) = socket.recv() {
        assert!(ends.is_empty(), "{event:?} behind the end");
        match event {
            Event::Closed(info) => ends.push(info),
            event => events.push(format!("{event:?}")),
        }
    }
    assert!(socket.recv().is_none() && socket.recv().is_none());
    let end = ends.pop().expect("an end");
    assert_eq!(socket.close_info(), Some(&end));
    (events, end)
}

/// A frame as a server sends it: first octet, length, payload.
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, None)
}

/// A frame as a client sends it.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, Some([0x37, 0xfa, 0x21, 0x3d]))
}

fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(mask_bit | len as u8),
        len @ 126..=65535 => {
            frame.push(mask_bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(mask_bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    let key = key.inspect(|key| frame.extend(key)).unwrap_or_default();
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
    frame
}

/// The payload of a close frame.
pub fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

/// One frame that a client sent: its first octet and its payload, unmasked.
pub fn read_masked(socket: &mut impl std::io::Read) -> (u8, Vec<u8>) {
    let mut octets = [0; 2];
    socket.read_exact(&mut octets).expect("a frame");
    let [first, len] = octets;
    assert_eq!(len & 0x80, 0x80, "a client masks");
    assert!(len & 0x7f < 126, "a short one");
    let (mut key, mut payload) = ([0; 4], vec![0; usize::from(len & 0x7f)]);
    socket.read_exact(&mut key).expect("a masking key");
    socket.read_exact(&mut payload).expect("a payload");
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(octet, key)| *octet ^= key);
    (first, payload)
}

/// Reads to the end of the stream.
pub fn read_to_end(socket: &mut impl std::io::Read) -> Vec<u8> {
    let mut octets = Vec::new();
    socket.read_to_end(&mut octets).expect("an orderly end");
    octets
}

/// Octets that differ from their neighbours and are the same in every run.
pub fn some_octets(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Text of so many octets, with characters of every length as far as they fit.
pub fn some_text(len: usize) -> String {
    "aé€😀".repeat(len / 10) + &"x".repeat(len % 10)
}

/// The shortest and longest payloads of each form of the length, and some that need many reads.
pub const SIZES: [usize; 10] = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 1 << 20, 2 << 20];
