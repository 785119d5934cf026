//! Round trips, and many owners of one sending half.

#[macro_use]
mod common;

use std::sync::{Arc, Barrier};
use std::thread;

use common::*;
use hybi_std::{CloseCause, CloseCode, Config, Delivery, Error, Event, Handle, Prepared, State, UsageError};

const fn is_for_any_thread<T: Send + Sync + Clone + 'static>() {}
const _: () = is_for_any_thread::<Handle>();

over_each_socket! {
    fn a_ping_tells_how_long_its_pong_took<S>() {
        let (mut client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let first = client.ping(b"1").expect("sent");
        let second = client.ping(b"2").expect("sent");
        assert_eq!((first.elapsed(), second.elapsed()), (None, None));
        assert!(matches!(client.recv(), Some(Event::Pong(b"1"))), "it is an event as well");
        assert!(first.elapsed().is_some() && second.elapsed().is_none());
        assert_eq!(first.wait(BOUND), first.elapsed());
        assert!(matches!(client.recv_with(), Some((Event::Pong(b"2"), _))));
        assert!(second.elapsed().is_some());
        let unanswered = client.ping(b"3").expect("sent");
        client.abort();
        drain(&mut client);
        assert_eq!(unanswered.wait(BOUND), None, "the connection ended first");
        echoing.join().expect("well");
    }

    fn a_pong_answers_the_pings_before_it<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        let trips: Vec<_> = (0..4_u8).map(|n| server.ping(&[n]).expect("sent")).collect();
        peer.write_all(&masked(0x8a, b"nobody asked")).expect("written");
        assert!(matches!(server.recv(), Some(Event::Pong(b"nobody asked"))));
        assert!(trips.iter().all(|trip| trip.elapsed().is_none()));
        peer.write_all(&masked(0x8a, &[2])).expect("written"); // RFC 6455 §5.5.3: the others may be left out
        server.recv();
        let back: Vec<_> = trips.iter().map(|trip| trip.elapsed().is_some()).collect();
        assert_eq!(back, [true, true, true, false]);
        drop(server);
        assert_eq!(trips[3].wait(BOUND), None, "nobody receives any more");
    }

    fn a_round_trip_is_waited_for_on_another_thread<S>() {
        let (client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let (mut reader, mut writer) = client.into_split().expect("sockets can be cloned");
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        assert!(writer.ping(b"depth").expect("sent").wait(BOUND).is_some());
        assert!(writer.handle().ping(b"again").expect("sent").wait(BOUND).is_some());
        writer.close(CloseCode::NORMAL, "").expect("it is open");
        reading.join().expect("well");
        assert!(matches!(writer.ping(b"late"), Err(Error::Usage(UsageError::NotOpen))));
        echoing.join().expect("well");
    }

    fn many_threads_send_through_one_connection<S>() {
        const THREADS: usize = 8;
        const EACH: usize = 500;
        let (mut client, server) = open::<S>();
        let (mut reader, writer) = server.into_split().expect("sockets can be cloned");
        let start = Arc::new(Barrier::new(THREADS));
        let sending: Vec<_> = (0..THREADS).map(|thread| {
            let (handle, start) = (writer.handle(), start.clone());
            thread::spawn(move || {
                start.wait();
                for n in 0..EACH {
                    let message = format!("{thread} {n}");
                    match n % 4 {
                        0 => handle.send(&*message).expect("sent"),
                        1 => handle.send_message(message).expect("sent"),
                        2 => handle.send_prepared(&Prepared::new(&*message)).expect("sent"),
                        _ => handle.try_send_prepared(&Prepared::new(&*message)).expect("the peer keeps up"),
                    }
                }
            })
        }).collect();
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        let mut next = [0; THREADS];
        let mut all = 0;
        for message in client.messages().take(THREADS * EACH) {
            let (thread, n) = message.as_str().and_then(|text| text.split_once(' ')).expect("as it was sent");
            let (thread, n): (usize, usize) = (thread.parse().expect("a number"), n.parse().expect("a number"));
            assert_eq!(n, next[thread], "what one thread sends stays in order");
            next[thread] += 1;
            all += 1;
        }
        assert_eq!(all, THREADS * EACH);
        for thread in sending {
            thread.join().expect("well");
        }
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(drain(&mut client).1.is_clean());
        reading.join().expect("well");
        assert_eq!(writer.state(), State::Closed);
    }

    // A peer that does not read. Nothing waits for it, and what is held for it is bounded.
    fn a_message_for_many_waits_for_nobody<S>() {
        let (mut peer, server) = server::<S>(Config::default());
        let (mut reader, mut writer) = server.into_split().expect("sockets can be cloned");
        let handle = writer.handle();
        let news = Prepared::new(&[7; 10_000]);
        let mut taken = 0_u32;
        let error = loop {
            match handle.try_send_prepared(&news) {
                Ok(()) => taken += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Usage(UsageError::QueueFull)), "{error:?}");
        assert!((26..10_000).contains(&taken), "{taken}: high water is 256 KiB, and a socket takes something");
        assert_eq!(writer.state(), State::Open);

        // While another thread waits for the peer it is the same.
        let writing = thread::spawn(move || {
            writer.send("a last word").expect("sent");
            writer
        });
        while handle.try_send_prepared(&news).is_ok() {
            taken += 1;
        }
        // The peer reads after all: nothing of what was taken is lost. The reader looks after the rest.
        let reading = thread::spawn(move || while reader.recv().is_some() {});
        let (mut messages, mut words) = (0, 0);
        while messages < taken || words == 0 {
            let mut header = [0; 2];
            peer.read_exact(&mut header).expect("a frame");
            if header[0] == 0x81 {
                peer.read_exact(&mut [0; 11]).expect("the word");
                words += 1;
            } else {
                assert_eq!(header, [0x82, 126]);
                peer.read_exact(&mut [0; 10_002]).expect("the message");
                messages += 1;
            }
        }
        peer.write_all(&masked(0x88, &[])).expect("written");
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &[]));
        reading.join().expect("well");
        assert!(matches!(handle.try_send_prepared(&news), Err(Error::Usage(UsageError::NotOpen))));
        drop(writing.join().expect("well"));
    }

    fn fed_messages_go_out_with_a_flush<S>() {
        let (mut client, server) = open::<S>();
        let (_reader, mut writer) = server.into_split().expect("sockets can be cloned");
        for text in ["one", "two"] {
            writer.feed(text).expect("taken");
        }
        writer.flush().expect("flushed");
        assert_eq!(client.recv_message(), Some("one".into()));
        assert_eq!(client.recv_message(), Some("two".into()));
        let feeding = thread::spawn(move || writer.feed(&some_octets(300_000)).expect("taken")); // above high water
        assert_eq!(client.recv_message().map(|message| message.as_bytes().len()), Some(300_000));
        feeding.join().expect("well");
    }

    fn a_handle_can_end_the_connection<S>() {
        let (client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let (mut reader, writer) = client.into_split().expect("sockets can be cloned");
        let handle = writer.handle();
        drop(writer);
        assert_eq!(handle.state(), State::Open);
        handle.close(CloseCode::NORMAL, "enough").expect("it is open");
        while reader.recv().is_some() {}
        assert!(reader.close_info().expect("over").is_clean());
        assert!(reader.io_error().is_none());
        assert_eq!((handle.state(), echoing.join().expect("well").reason()), (State::Closed, "enough"));

        let (client, _server) = open::<S>();
        let (mut reader, writer) = client.into_split().expect("sockets can be cloned");
        writer.handle().abort();
        while reader.recv().is_some() {}
        assert_eq!(reader.close_info().expect("over").cause(), &CloseCause::Aborted);
    }

    fn delivery_is_switched_between_messages<S>() {
        let (mut client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        client.set_delivery(Delivery::Fragments);
        client.send("in pieces").expect("sent");
        assert!(matches!(client.recv(), Some(Event::Fragment(piece)) if piece.first));
        client.abort();
        echoing.join().expect("well");
    }

    fn the_parts_come_back_with_what_is_unread<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        let both = [masked(0x81, b"hi"), masked(0x81, b"there")].concat();
        peer.write_all(&both).expect("written");
        assert_eq!(server.recv_message(), Some("hi".into()));
        let (mut stream, mut connection) = server.into_parts();
        let mut unread = connection.take_unread();
        assert_eq!(connection.state(), State::Open);
        peer.shutdown_write().expect("it is open");
        unread.extend(read_to_end(&mut stream));
        assert_eq!(unread, masked(0x81, b"there"));
    }
}
