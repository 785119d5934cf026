//! What a large message allocates: a place for its header, where it is written from where it lies.
#![cfg(unix)]

use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use hybi::{Agreement, Connection};
use hybi_std::{Config, Error, Event, Handle, Payload, Reader, WebSocket, Writer};
use hybi_test::alloc::{Counting, Measure};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Who can send.
const SENDERS: [&str; 3] = ["the socket", "its writing half", "a handle"];

enum Sending {
    Whole(Box<WebSocket<UnixStream>>),
    Half(Reader<UnixStream>, Writer<UnixStream>),
    Handle(Reader<UnixStream>, Handle),
}

impl Sending {
    /// A server, and the bare socket of its client.
    fn served(who: &str) -> (UnixStream, Self) {
        let (peer, end) = UnixStream::pair().expect("two sockets");
        let bound = Some(Duration::from_secs(20)); // or a test that fails would wait for ever
        peer.set_read_timeout(bound).expect("a socket");
        let mut config = Config::default();
        config.timeouts.write_stall = bound;
        let server = WebSocket::new(end, Connection::server(Agreement::default(), config));
        if who == SENDERS[0] {
            return (peer, Self::Whole(Box::new(server)));
        }
        let (reader, writer) = server.into_split().expect("it can be cloned");
        let server = if who == SENDERS[1] {
            Self::Half(reader, writer)
        } else {
            Self::Handle(reader, writer.handle())
        };
        (peer, server)
    }

    fn send<'p>(&mut self, payload: impl Into<Payload<'p>>) -> Result<(), Error> {
        match self {
            Self::Whole(server) => server.send(payload),
            Self::Half(_, writer) => writer.send(payload),
            Self::Handle(_, handle) => handle.send(payload),
        }
    }

    fn recv(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Whole(server) => server.recv(),
            Self::Half(reader, _) | Self::Handle(reader, _) => reader.recv(),
        }
    }
}

#[test]
fn a_large_message_that_the_transport_takes_at_once_is_not_copied() {
    for who in SENDERS {
        let (mut peer, mut server) = Sending::served(who);
        let (payload, mut there) = (vec![7; 170_000], vec![0; 170_010]);
        let measure = Measure::start();
        for _ in 0..3 {
            server.send(&payload).expect("sent");
            peer.read_exact(&mut there).expect("all of it comes");
            assert!(there[..10] == *b"\x82\x7F\0\0\0\0\0\x02\x98\x10" && there[10..] == payload);
        }
        assert_eq!(measure.held(), 0, "{who}");
        assert!(measure.peak() < 1024, "{who}: {}", measure.peak());
    }
}

/// The rest of it goes out as the peer reads.
#[test]
fn a_large_message_that_the_transport_takes_in_parts_arrives_whole() {
    for who in SENDERS {
        let (mut peer, mut server) = Sending::served(who);
        let payload: Vec<u8> = (0..2_000_000).map(|n| n as u8).collect(); // more than a socket takes
        let mut there = vec![0; 10 + payload.len() + 6];
        thread::scope(|scope| {
            scope.spawn(|| {
                server.send(&payload).expect("sent");
                server.send("last").expect("sent");
            });
            peer.read_exact(&mut there).expect("all of it comes");
        });
        assert!(there[10..].starts_with(&payload) && there.ends_with(b"\x81\x04last"), "{who}");
    }
}

/// Whoever sent it is told: the peer cannot make anything of half a message. A half keeps the rest after a tick, and the
/// socket itself never: it waits until the peer reads.
#[test]
fn a_large_message_for_the_rest_of_which_there_is_no_memory_is_an_error() {
    for who in &SENDERS[1..] {
        let (_peer, mut server) = Sending::served(who);
        let payload = vec![7; 2_000_000]; // more than a socket takes
        let measure = Measure::start();
        server.send(&payload[..20_000]).expect("sent");
        measure.fail_at(2 * measure.allocations() + 1); // the header has its place again
        let sent = server.send(&payload);
        measure.fail_at(0);
        let Err(Error::Io(error)) = sent else { unreachable!("{who}: {sent:?}") };
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{who}");
        assert!(matches!(server.recv(), Some(Event::Closed(_))), "{who}");
    }
}

/// And so where the peer is gone.
#[test]
fn a_large_message_to_nobody_is_an_error() {
    for who in SENDERS {
        let (peer, mut server) = Sending::served(who);
        drop(peer);
        let sent = server.send(&vec![7; 20_000]);
        let Err(Error::Io(error)) = sent else { unreachable!("{who}: {sent:?}") };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{who}");
        assert!(matches!(server.recv(), Some(Event::Closed(_))), "{who}");
    }
}
