//! Transports that do everything a transport may do: an octet at a time, not now, not at all, no more.
//!
//! What is received from a script is the same however the transport cuts and interrupts it; and when the
//! transport breaks at octet *k*, it is what came before, and one end.

#[macro_use]
mod common;

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, Mutex};

use common::{bounded, close_body, masked, unmasked};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCause, Config, Connector, Error, Event, WebSocket,
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A transport that reads from a script, and keeps what is written.
#[derive(Clone, Debug)]
struct Scripted {
    script: Vec<u8>,
    read: usize,
    written: Arc<Mutex<Vec<u8>>>,
    fault: Fault,
    /// Whether the last call was made to fail.
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Reads and writes move so many octets at most.
    AtMost(usize),
    /// Every other call fails so, and every second one moves one octet.
    EveryOther(ErrorKind),
    /// Reads fail so once this many octets were read.
    ReadFailsAt(usize, ErrorKind),
    /// Writes take so many octets, then none.
    WriteZeroAt(usize),
    /// Writes take so many octets, then fail so.
    WriteFailsAt(usize, ErrorKind),
}

impl Scripted {
    fn new(script: &[u8], fault: Fault) -> Self {
        Self { script: script.into(), read: 0, written: Arc::default(), fault, failed: false }
    }

    /// How many octets this call may move.
    fn allowance(&mut self) -> io::Result<usize> {
        match self.fault {
            Fault::AtMost(n) => Ok(n),
            Fault::EveryOther(kind) => {
                self.failed = !self.failed;
                if self.failed { Err(kind.into()) } else { Ok(1) }
            }
            _ => Ok(usize::MAX),
        }
    }
}

impl Read for Scripted {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut n = self.allowance()?.min(space.len()).min(self.script.len() - self.read);
        if let Fault::ReadFailsAt(at, kind) = self.fault {
            if self.read == at {
                return Err(kind.into());
            }
            n = n.min(at - self.read);
        }
        space[..n].copy_from_slice(&self.script[self.read..self.read + n]);
        self.read += n;
        Ok(n)
    }
}

impl Write for Scripted {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let allowance = self.allowance()?;
        let mut written = self.written.lock().expect("nobody panics with it");
        let mut n = allowance.min(octets.len());
        match self.fault {
            Fault::WriteZeroAt(at) => n = n.min(at - written.len()),
            Fault::WriteFailsAt(at, kind) if written.len() == at => return Err(kind.into()),
            Fault::WriteFailsAt(at, _) => n = n.min(at - written.len()),
            _ => {}
        }
        written.extend_from_slice(&octets[..n]);
        Ok(n)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(&slices.iter().map(|slice| &slice[..]).collect::<Vec<_>>().concat())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

transport_that_never_waits!(Scripted);

/// What came of a connection.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    events: Vec<String>,
    written: Vec<u8>,
    io_error: Option<ErrorKind>,
}

/// A server that reads a request and then frames, and echoes.
fn serve(script: &[u8], fault: Fault) -> Result<Outcome, Error> {
    let transport = Scripted::new(script, fault);
    let written = transport.written.clone();
    let Arrival::Upgrade(pending) = Acceptor::default().read(transport)? else {
        unreachable!("not asked for")
    };
    Ok(echo(pending.accept(Accept::new())?, &written))
}

/// A client that gets a response and then frames, and echoes.
fn request(script: &[u8], fault: Fault) -> Result<Outcome, Error> {
    let transport = Scripted::new(script, fault);
    let written = transport.written.clone();
    let request = ClientRequest::new("ws://test/").expect("an address").with_key("dGhlIHNhbXBsZSBub25jZQ==");
    let (socket, _) = Connector::default().handshake(transport, request.expect("a key"))?;
    Ok(echo(socket, &written))
}

fn echo(mut socket: WebSocket<Scripted>, written: &Mutex<Vec<u8>>) -> Outcome {
    let mut events = Vec::new();
    while let Some((event, sender)) = socket.recv_with() {
        events.push(format!("{event:?}"));
        let _ = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
    }
    assert!(socket.recv().is_none(), "nothing behind the end");
    let written = written.lock().expect("nobody panics with it").clone();
    Outcome { events, written, io_error: socket.io_error().map(io::Error::kind) }
}

/// A message, one in fragments with a ping between, one with a long header, the close.
fn frames(frame: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    [
        frame(0x81, "tide: é".as_bytes()),
        frame(0x02, b"high "),
        frame(0x89, b"ping"),
        frame(0x80, b"water"),
        frame(0x82, &[7; 200]),
        frame(0x88, &close_body(1000, "ebb")),
    ]
    .concat()
}

struct Case {
    script: Vec<u8>,
    head_len: usize,
    run: fn(&[u8], Fault) -> Result<Outcome, Error>,
}

/// One for each role.
fn cases() -> [Case; 2] {
    let case = |head: &[u8], frames: Vec<u8>, run| Case {
        script: [head, &frames].concat(),
        head_len: head.len(),
        run,
    };
    [case(REQUEST, frames(masked), serve), case(RESPONSE, frames(unmasked), request)]
}

impl Case {
    fn whole(&self) -> Outcome {
        let whole = (self.run)(&self.script, Fault::None).expect("it opens");
        let kinds: Vec<_> = whole.events.iter().filter_map(|event| event.split('(').next()).collect();
        assert_eq!(kinds, ["Text", "Ping", "Binary", "Binary", "Close", "Closed"]);
        assert!(whole.events[5].contains("cause: Handshake"), "{whole:?}");
        whole
    }

    /// Runs it and expects the same events, and as much output. That of a server is the same to the octet;
    /// the masking keys of a client differ, and so does where a pong goes among the messages.
    fn expect_the_same(&self, fault: Fault) {
        let (whole, outcome) = (self.whole(), (self.run)(&self.script, fault).expect("it opens"));
        assert_eq!(outcome.events, whole.events, "{fault:?}");
        assert_eq!(outcome.written.len(), whole.written.len(), "{fault:?}");
        assert_eq!(outcome.io_error, None, "{fault:?}");
    }
}

#[test]
fn a_few_octets_at_a_time() {
    bounded(|| {
        for case in cases() {
            for n in 1..20 {
                case.expect_the_same(Fault::AtMost(n));
            }
        }
    });
}

fn every_other_call_fails(kind: ErrorKind) {
    bounded(move || {
        for case in cases() {
            case.expect_the_same(Fault::EveryOther(kind));
        }
    });
}

#[test]
fn interrupted_calls() {
    every_other_call_fails(ErrorKind::Interrupted);
}

#[test]
fn calls_that_would_block() {
    every_other_call_fails(ErrorKind::WouldBlock);
}

#[test]
fn calls_that_time_out() {
    every_other_call_fails(ErrorKind::TimedOut);
}

/// The events of the whole script that are there after `k` octets, and then an end without a closing
/// handshake. `cut` runs the script to there.
fn expect_a_prefix(case: &Case, k: usize, outcome: &Outcome) {
    let whole = case.whole();
    let (end, before) = outcome.events.split_last().expect("an end");
    assert_eq!(before, &whole.events[..before.len()], "{k}");
    if before.len() < 5 {
        assert!(end.starts_with("Closed") && end.contains("cause: TransportEnded"), "{k}: {end}");
    } else {
        assert_eq!(end, &whole.events[5], "{k}"); // all but the end of the transport had come
    }
}

#[test]
fn a_reset_at_each_octet() {
    bounded(|| {
        for case in cases() {
            let mut most = 0;
            for k in 0..case.script.len() {
                let fault = Fault::ReadFailsAt(k, ErrorKind::ConnectionReset);
                let result = (case.run)(&case.script, fault);
                if k < case.head_len {
                    let error = result.expect_err("no handshake without a head").to_string();
                    assert_eq!(error, io::Error::from(ErrorKind::ConnectionReset).to_string(), "{k}");
                    continue;
                }
                let outcome = result.expect("it opens");
                expect_a_prefix(&case, k, &outcome);
                assert_eq!(outcome.io_error, Some(ErrorKind::ConnectionReset), "{k}");
                assert!(outcome.events.len() >= most, "{k}: {outcome:?}");
                most = outcome.events.len();
            }
            assert_eq!(most, 5, "all messages, and an end");
        }
    });
}

#[test]
fn an_end_at_each_octet() {
    bounded(|| {
        for case in cases() {
            for k in 0..case.script.len() {
                let result = (case.run)(&case.script[..k], Fault::None);
                if k < case.head_len {
                    let error = result.expect_err("no handshake without a head").to_string();
                    assert_eq!(error, "the transport ended during the handshake", "{k}");
                    continue;
                }
                let outcome = result.expect("it opens");
                expect_a_prefix(&case, k, &outcome);
                assert_eq!(outcome.io_error, None, "{k}: an end is no error");
            }
        }
    });
}

#[test]
fn writes_that_fail_at_each_octet() {
    bounded(|| {
        for case in cases() {
            let whole = case.whole();
            for k in 0..whole.written.len() {
                for (fault, kind) in [
                    (Fault::WriteZeroAt(k), ErrorKind::WriteZero),
                    (Fault::WriteFailsAt(k, ErrorKind::BrokenPipe), ErrorKind::BrokenPipe),
                ] {
                    let outcome = match (case.run)(&case.script, fault) {
                        Ok(outcome) => outcome,
                        Err(Error::Io(error) | Error::Connect(hybi_std::ConnectError::Io(error))) => {
                            assert_eq!(error.kind(), kind, "{fault:?}");
                            continue; // the handshake was not over
                        }
                        Err(error) => unreachable!("{fault:?}: {error:?}"),
                    };
                    assert_eq!(outcome.io_error, Some(kind), "{fault:?}");
                    let ends = outcome.events.iter().filter(|event| event.starts_with("Closed")).count();
                    assert_eq!(ends, 1, "{fault:?}: {outcome:?}");
                    assert!(
                        outcome.events.last().is_some_and(|event| event.starts_with("Closed")),
                        "{outcome:?}"
                    );
                }
            }
        }
    });
}

fn server(fault: Fault) -> (WebSocket<Scripted>, Arc<Mutex<Vec<u8>>>) {
    let transport = Scripted::new(b"", fault);
    let written = transport.written.clone();
    let connection = hybi::Connection::server(hybi::Agreement::default(), Config::default());
    (WebSocket::new(transport, connection), written)
}

/// A long message is written from where it lies, behind what waits.
#[test]
fn a_long_message_is_whole_however_it_is_taken() {
    bounded(|| {
        let payload: Vec<u8> = (0..20_000u32).map(|i| (i % 251) as u8).collect();
        let expected = [b"\x81\x06before\x82\x7E\x4E\x20", &payload[..]].concat();
        for fault in [
            Fault::None,
            Fault::AtMost(1),
            Fault::AtMost(9),
            Fault::AtMost(7000),
            Fault::EveryOther(ErrorKind::Interrupted),
            Fault::EveryOther(ErrorKind::WouldBlock),
            Fault::EveryOther(ErrorKind::TimedOut),
        ] {
            let (mut socket, written) = server(fault);
            socket.feed("before").expect("it is open");
            socket.send(&payload).expect("it is taken");
            assert!(*written.lock().expect("nobody panics with it") == expected, "{fault:?}");

            let (socket, written) = server(fault);
            let (_reader, mut writer) = socket.into_split().expect("it can be cloned");
            writer.feed("before").expect("it is open");
            writer.send(&payload).expect("it is taken");
            writer.handle().send(&payload).expect("it is taken");
            let expected = [&expected, &expected[8..]].concat();
            assert!(*written.lock().expect("nobody panics with it") == expected, "{fault:?}");
        }
    });
}

#[test]
fn a_send_says_that_the_transport_failed() {
    for (fault, kind, len) in [
        (Fault::WriteZeroAt(3), ErrorKind::WriteZero, 5),
        (Fault::WriteFailsAt(0, ErrorKind::BrokenPipe), ErrorKind::BrokenPipe, 5),
        (Fault::WriteZeroAt(3), ErrorKind::WriteZero, 20_000),
        (Fault::WriteFailsAt(700, ErrorKind::BrokenPipe), ErrorKind::BrokenPipe, 20_000),
    ] {
        let (mut socket, _) = server(fault);
        match socket.send(&vec![b'x'; len]) {
            Err(Error::Io(error)) => assert_eq!(error.kind(), kind),
            other => unreachable!("{other:?}"),
        }
        match socket.recv() {
            Some(Event::Closed(info)) => assert_eq!(info.cause(), &CloseCause::TransportEnded),
            other => unreachable!("{other:?}"),
        }
        assert!(socket.recv().is_none());
        assert_eq!(socket.io_error().map(io::Error::kind), Some(kind));

        let (_reader, mut writer) = server(fault).0.into_split().expect("it can be cloned");
        match writer.send(&vec![b'x'; len]) {
            Err(Error::Io(error)) => assert_eq!(error.kind(), kind),
            other => unreachable!("{other:?}"),
        }
    }
}
