//! Two halves of a WebSocket on two threads.

#[macro_use]
mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::*;
use hybi::{Agreement, Connection, Timeout};
use hybi_std::{
    CloseCause, CloseCode, CloseInfo, Config, Error, Event, Kind, Plain, Reader, State, Transport,
    UsageError, WebSocket, Writer,
};

const SHORT: Duration = Duration::from_millis(50);
/// Messages in each direction.
const MANY: u32 = 100_000;
/// A ping comes after so many messages.
const PING_EVERY: u32 = 1_000;

/// Receives to the end.
fn drain_reader<S: Transport>(reader: &mut Reader<S>) -> (Vec<String>, CloseInfo) {
    let (mut events, mut ends) = (Vec::new(), Vec::new());
    while let Some(event) = reader.recv() {
        assert!(ends.is_empty(), "{event:?} behind the end");
        match event {
            Event::Closed(info) => ends.push(info),
            event => events.push(format!("{event:?}")),
        }
    }
    assert!(reader.recv().is_none() && reader.recv().is_none());
    (events, ends.pop().expect("an end"))
}

/// Sends so many numbered messages, with pings between.
fn send_many<S: Transport>(writer: &mut Writer<S>) {
    for n in 0..MANY {
        writer.send(&n.to_be_bytes()).expect("sent");
        if n % PING_EVERY == 0 {
            writer.ping(&n.to_be_bytes()).expect("sent");
        }
    }
}

/// Receives as many, in order, and tells when all are there. Returns how the connection ended, and how many pongs came.
fn receive_many<S: Transport>(mut reader: Reader<S>, all_there: &mpsc::Sender<()>) -> (CloseInfo, u32) {
    let (mut messages, mut pongs) = (0_u32, 0);
    loop {
        match reader.recv().expect("the end comes before") {
            Event::Binary(data) => {
                assert_eq!(&*data, messages.to_be_bytes());
                messages += 1;
                if messages == MANY {
                    all_there.send(()).expect("somebody waits for it");
                }
            }
            Event::Pong(_) => pongs += 1,
            Event::Closed(info) => {
                assert_eq!(messages, MANY);
                return (info, pongs);
            }
            _ => {}
        }
    }
}

over_each_socket! {
    fn many_messages_both_ways_with_pings_between<S>() {
        let (client, server) = open::<S>();
        let (client_has_all, wait_for_client) = mpsc::channel();
        let (server_has_all, wait_for_server) = mpsc::channel();
        let (client_reader, mut client_writer) = client.into_split().expect("sockets can be cloned");
        let (server_reader, mut server_writer) = server.into_split().expect("sockets can be cloned");
        let readers = [
            thread::spawn(move || receive_many(client_reader, &client_has_all)),
            thread::spawn(move || receive_many(server_reader, &server_has_all)),
        ];
        let serving = thread::spawn(move || send_many(&mut server_writer));
        send_many(&mut client_writer);
        wait_for_client.recv().expect("the client gets all");
        wait_for_server.recv().expect("the server gets all");
        client_writer.close(CloseCode::NORMAL, "all there").expect("it is open");
        serving.join().expect("well");
        for reader in readers {
            let (end, pongs) = reader.join().expect("well");
            assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "all there", true));
            assert!((1..=MANY / PING_EVERY).contains(&pongs), "{pongs}"); // RFC 6455 §5.5.3: some may be left out
        }
    }

    fn the_writer_closes_and_the_reader_sees_the_end<S>() {
        let (client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
        let reading = thread::spawn(move || drain_reader(&mut reader));
        writer.send("hello").expect("sent");
        writer.close(CloseCode::NORMAL, "bye").expect("it is open");
        assert!(matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen))));
        let (events, end) = reading.join().expect("well");
        assert_eq!(events, [r#"Text("hello")"#, r#"Close(Some(CloseFrame(1000, "bye")))"#]);
        assert_eq!((end.code(), end.is_clean()), (1000, true));
        assert_eq!(writer.state(), State::Closed);
        assert_eq!(echoing.join().expect("well"), end);
    }

    fn the_peer_closes_and_the_writer_is_told<S>() {
        let (client, mut server) = open::<S>();
        let serving = thread::spawn(move || {
            server.close(CloseCode::GOING_AWAY, "").expect("it is open");
            drain(&mut server).1
        });
        let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
        let (events, end) = drain_reader(&mut reader);
        assert_eq!(events, [r#"Close(Some(CloseFrame(1001, "")))"#]);
        assert_eq!((end.code(), end.is_clean()), (1001, true));
        assert!(serving.join().expect("well").is_clean());
        assert!(matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen))));
    }

    fn a_reader_answers_pings_while_the_writer_rests<S>() {
        let (mut client, server) = open::<S>();
        let (mut reader, writer) = server.into_split().expect("sockets can be cloned");
        let reading = thread::spawn(move || drain_reader(&mut reader).0);
        for n in 0..100_u8 {
            client.ping(&[n]).expect("sent");
            assert!(matches!(client.recv(), Some(Event::Pong([back])) if *back == n));
        }
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert_eq!(reading.join().expect("well").len(), 101);
        drop(writer);
    }

    fn dropping_the_writer_does_not_end_the_connection<S>() {
        let (mut client, server) = open::<S>();
        let (mut reader, writer) = server.into_split().expect("sockets can be cloned");
        drop(writer);
        let reading = thread::spawn(move || drain_reader(&mut reader));
        client.send("still there").expect("sent");
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        assert_eq!(reading.join().expect("well").0[0], r#"Text("still there")"#);
    }

    fn whatever_a_sender_can_say<S>() {
        let (client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
        writer
            .say(|sender| {
                let mut message = sender.start(Kind::Text)?;
                message.write(b"high ")?;
                Ok(message.finish(b"water")?)
            })
            .expect("sent");
        assert_eq!(reader.recv_message().expect("it comes back").as_str(), Some("high water"));
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain_reader(&mut reader).1.is_clean());
        assert!(echoing.join().expect("well").is_clean());
    }

    // The writer holds the writing side for as long as the peer does not read. The reader goes on, and what it
    // wants said does not pile up.
    fn pings_that_nobody_can_answer_take_no_memory<S>() {
        let (mut peer, server) = server::<S>(Config::default());
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        let (seen_all, wait_for_reader) = mpsc::channel();
        let reading = thread::spawn(move || {
            let mut pings = 0;
            while let Some(event) = reader.recv() {
                if matches!(event, Event::Ping(_)) {
                    pings += 1;
                }
                if pings == MANY {
                    // All that the two halves hold, written out: the answers would be megabytes.
                    assert!(format!("{reader:?}").len() < 1 << 20);
                    seen_all.send(()).expect("somebody waits for it");
                    pings = 0;
                }
            }
        });
        const LEN: usize = 16 << 20; // no socket takes that at once
        let writing = thread::spawn(move || writer.send(&vec![0; LEN]));

        let mut header = [0; 10];
        peer.read_exact(&mut header).expect("the writer is at it");
        assert_eq!(header[..2], [0x82, 127]);
        let ping = masked(0x89, b"0123");
        for _ in 0..MANY / PING_EVERY {
            peer.write_all(&ping.repeat(PING_EVERY as usize)).expect("the reader reads");
        }
        wait_for_reader.recv().expect("the reader does not wait for the writer");

        peer.read_exact(&mut vec![0; LEN]).expect("the message");
        writing.join().expect("well").expect("sent");
        peer.write_all(&masked(0x88, &[])).expect("written");
        let pongs = read_to_end(&mut peer);
        reading.join().expect("well");
        let pongs = pongs.strip_suffix(&unmasked(0x88, &[])[..]).expect("a close frame is last");
        let pong = unmasked(0x8a, b"0123");
        assert!(pongs.chunks(pong.len()).all(|frame| frame == pong));
        assert!((1..=20).contains(&(pongs.len() / pong.len())), "{} pongs", pongs.len() / pong.len());
    }

    fn aborting_wakes_the_reader<S>() {
        for _ in 0..50 { // now and then the reader waits for the transport already
            let (client, mut server) = open::<S>();
            server.send("go").expect("sent");
            let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
            let (at_it, wait_for_reader) = mpsc::channel();
            let reading = thread::spawn(move || {
                reader.recv_message().expect("it was sent");
                at_it.send(()).expect("somebody waits for it");
                drain_reader(&mut reader).1
            });
            wait_for_reader.recv().expect("it came");
            writer.abort();
            let end = reading.join().expect("well");
            assert_eq!((end.code(), end.cause()), (1006, &CloseCause::Aborted));
            assert_eq!(drain(&mut server).1.cause(), &CloseCause::TransportEnded);
        }
    }

    fn a_peer_that_never_answers_our_close<S>() {
        let mut config = Config::default();
        config.timeouts.close = Some(SHORT);
        let (mut peer, server) = server::<S>(config);
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        let (events, end) = drain_reader(&mut reader);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Close)));
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &close_body(1000, "")));
    }

    fn a_peer_that_never_reads<S>() {
        let mut config = Config::default();
        config.timeouts.write_stall = Some(SHORT);
        let (peer, server) = server::<S>(config);
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        let reading = thread::spawn(move || drain_reader(&mut reader).1);
        let payload = vec![0; 1 << 20];
        while writer.send(&payload).is_ok() && writer.state() == State::Open {}
        let end = reading.join().expect("well");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
        drop(peer);
    }

    fn a_peer_that_is_silent_after_a_ping<S>() {
        let mut config = Config::default();
        (config.timeouts.keepalive, config.timeouts.pong) = (Some(SHORT), Some(SHORT));
        let (mut peer, server) = server::<S>(config);
        let (mut reader, _writer) = server.into_split().expect("sockets can be cloned");
        let end = drain_reader(&mut reader).1;
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Pong)));
        assert!(read_to_end(&mut peer).starts_with(&unmasked(0x89, b"1")));
    }

    fn a_peer_that_goes_away<S>() {
        let (peer, server) = server::<S>(Config::default());
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        drop(peer);
        assert_eq!(drain_reader(&mut reader).1.cause(), &CloseCause::TransportEnded);
        assert!(writer.send("into the void").is_err());
        assert_eq!(writer.state(), State::Closed);
    }

    fn a_peer_that_breaks_a_rule_is_told_so<S>() {
        let (mut peer, server) = server::<S>(Config::default());
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        peer.write_all(&masked(0x83, b"reserved")).expect("written");
        let reading = thread::spawn(move || drain_reader(&mut reader));
        let told = read_to_end(&mut peer);
        assert_eq!((told[0], &told[2..4]), (0x88, &1002_u16.to_be_bytes()[..]));
        drop(peer);
        let (events, end) = reading.join().expect("well");
        assert_eq!(events, ["Failed(ReservedOpcode)"]);
        assert!(matches!(end.cause(), CloseCause::Failed(_)));
        assert!(matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen))));
    }

    fn what_waits_before_the_split_is_not_lost<S>() {
        let (mut client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        client.feed("fed before").expect("taken");
        let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
        writer.send("sent after").expect("sent");
        for expected in ["fed before", "sent after"] {
            assert_eq!(reader.recv_message().expect("it comes back").as_str(), Some(expected));
        }
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain_reader(&mut reader).1.is_clean());
        echoing.join().expect("well");
    }
}

#[test]
fn a_transport_without_a_second_owner_cannot_be_split() {
    let stream = Plain(io::Cursor::new(Vec::new()));
    let connection = Connection::server(Agreement::default(), Config::default());
    let error = WebSocket::new(stream, connection).into_split().expect_err("it has one owner");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Takes an octet at a time, and at once.
#[derive(Clone, Debug)]
struct Drip {
    taken: mpsc::Sender<()>,
}

impl Read for Drip {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Drip {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let _ = self.taken.send(()); // nobody counts
        Ok(octets.len().min(1))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

transport_that_never_waits!(Drip);

/// Many seconds would pass before all of it is taken.
#[test]
fn an_abort_is_seen_while_the_transport_takes_little_at_a_time() {
    for is_lent in [true, false] {
        bounded(move || {
            let (taken, is_taken) = mpsc::channel();
            let connection = Connection::server(Agreement::default(), Config::default());
            let (_reader, mut writer) =
                WebSocket::new(Drip { taken }, connection).into_split().expect("it can be cloned");
            let handle = writer.handle();
            let sending = thread::spawn(move || {
                let payload = vec![7; 64 << 20];
                if is_lent { writer.send(&payload) } else { writer.feed(&payload) }
            });
            is_taken.recv().expect("it begins");
            drop(is_taken);
            handle.abort();
            match sending.join().expect("well") {
                Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                other => unreachable!("{other:?}"),
            }
        });
    }
}
