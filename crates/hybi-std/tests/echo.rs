//! Messages both ways between a client and a server of ours, over TCP and over Unix sockets.
#![allow(clippy::panic, reason = "that is how a test fails")]

#[macro_use]
mod common;

use std::thread;

use common::*;
use hybi_std::{
    CloseCode, Config, Delivery, Error, Event, Kind, Message, Payload, Prepared, State, Transport,
    UsageError, WebSocket,
};

/// Closes, waits for the end, and expects a clean one.
fn close<S: Transport>(mut socket: WebSocket<S>) {
    socket.close(CloseCode::NORMAL, "done").expect("it is open");
    let (_, end) = drain(&mut socket);
    assert!(end.is_clean(), "{end:?}");
    assert_eq!((end.code(), end.reason()), (1000, "done"));
}

/// A client of an echo server, used and then closed.
fn with_echo<S: Pair>(run: impl FnOnce(&mut WebSocket<S>)) {
    let (mut client, server) = open::<S>();
    let echoing = thread::spawn(|| echo(server));
    run(&mut client);
    close(client);
    let end = echoing.join().expect("the server is well");
    assert!(end.is_clean() && end.code() == 1000, "{end:?}");
}

over_each_socket! {
    fn messages_of_all_sizes_come_back<S>() {
        with_echo::<S>(|client| {
            for len in SIZES {
                let (text, octets) = (some_text(len), some_octets(len));
                client.send(&text).expect("sent");
                assert!(client.recv_message() == Some(Message::from(text)), "text of {len}");
                client.send(&octets).expect("sent");
                assert!(client.recv_message() == Some(Message::from(octets)), "binary of {len}");
            }
        });
    }

    fn owned_messages_come_back<S>() {
        with_echo::<S>(|client| {
            for len in SIZES {
                for message in [Message::from(some_text(len)), Message::from(some_octets(len))] {
                    client.send_message(message.clone()).expect("sent"); // a clone: it may not be masked in place
                    assert!(client.recv_message() == Some(message), "{len}");
                }
                client.send_message(some_octets(len)).expect("sent");
                assert!(client.recv_message() == Some(Message::from(some_octets(len))), "{len}");
            }
        });
    }

    fn fragments_come_back_as_one_message<S>() {
        with_echo::<S>(|client| {
            for len in SIZES {
                let text = some_text(len);
                let mut writer = client.start(Kind::Text).expect("it is open");
                for piece in text.as_bytes().chunks(len / 3 + 1) { // some cuts are inside a character
                    writer.write(piece).expect("taken");
                }
                writer.finish(b"").expect("whole characters");
                client.flush().expect("flushed");
                assert!(client.recv_message() == Some(Message::from(text)), "{len}");
            }
        });
    }

    fn a_message_is_not_interleaved_with_another<S>() {
        with_echo::<S>(|client| {
            client.start(Kind::Binary).expect("it is open").write(b"high ").expect("taken");
            assert!(matches!(client.send("no"), Err(Error::Usage(UsageError::MessageInProgress))));
            client.ping(b"between").expect("a control frame may come between");
            client.writer().expect("it is unfinished").finish(b"water").expect("taken");
            client.flush().expect("flushed");
            assert!(matches!(client.recv(), Some(Event::Pong(b"between"))));
            assert_eq!(client.recv_message(), Some(Message::from(&b"high water"[..])));
        });
    }

    fn many_messages_are_fed_and_flushed_at_once<S>() {
        with_echo::<S>(|client| {
            for n in 0..1000 {
                client.feed(&format!("message {n}")).expect("taken");
            }
            client.flush().expect("flushed");
            for n in 0..1000 {
                assert_eq!(client.recv_message(), Some(Message::from(format!("message {n}"))));
            }
        });
    }

    fn a_read_flushes_what_was_fed<S>() {
        with_echo::<S>(|client| {
            client.feed("tide").expect("taken");
            assert_eq!(client.recv_message(), Some(Message::from("tide")));
        });
    }

    fn what_is_sent_is_flushed_before_the_call_returns<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        let mut expect = |frame: Vec<u8>| {
            let mut arrived = vec![0; frame.len()];
            peer.read_exact(&mut arrived).expect("it arrives");
            assert_eq!(arrived, frame);
        };
        server.send("one").expect("sent");
        expect(unmasked(0x81, b"one"));
        server.send_message(vec![2, 2]).expect("sent");
        expect(unmasked(0x82, &[2, 2]));
        server.send_prepared(&Prepared::new("three")).expect("sent");
        expect(unmasked(0x81, b"three"));
        server.ping(b"four").expect("sent");
        expect(unmasked(0x89, b"four"));
        server.close(CloseCode::NORMAL, "five").expect("sent");
        expect(unmasked(0x88, &close_body(1000, "five")));
    }

    fn an_answer_is_sent_while_the_payload_is_lent<S>() {
        let (mut client, mut server) = open::<S>();
        client.send("question").expect("sent");
        match server.recv_with() {
            Some((Event::Text(text), sender)) => {
                sender.send(Payload::from(&text)).expect("sent");
                sender.send(text.as_bytes()).expect("sent");
            }
            other => panic!("{other:?}"),
        }
        let answering = thread::spawn(move || drain(&mut server));
        assert_eq!(client.recv_message(), Some(Message::from("question")));
        assert_eq!(client.recv_message(), Some(Message::from(&b"question"[..])));
        close(client);
        assert_eq!(answering.join().expect("well").0, [r#"Close(Some(CloseFrame(1000, "done")))"#]);
    }

    fn a_prepared_message_goes_to_many<S>() {
        let (small, large) = (Prepared::new("news"), Prepared::new(&some_octets(100_000)));
        let (clients, servers): (Vec<_>, Vec<_>) = (0..3).map(|_| open::<S>()).unzip();
        let sending = thread::spawn(move || {
            for mut server in servers {
                server.send_prepared(&small).expect("sent");
                server.send_prepared(&large).expect("sent");
                drain(&mut server);
            }
        });
        for mut client in clients {
            assert_eq!(client.recv_message(), Some(Message::from("news")));
            assert!(client.recv_message() == Some(Message::from(some_octets(100_000))));
            close(client);
        }
        sending.join().expect("well");
    }

    fn a_client_masks_a_prepared_message<S>() {
        with_echo::<S>(|client| {
            client.send_prepared(&Prepared::new("news")).expect("sent");
            assert_eq!(client.recv_message(), Some(Message::from("news")));
        });
    }

    fn a_ping_is_answered<S>() {
        let (mut client, mut server) = open::<S>();
        let answering = thread::spawn(move || drain(&mut server).0);
        for len in [0, 1, 125] {
            client.ping(&some_octets(len)).expect("sent");
            match client.recv() {
                Some(Event::Pong(payload)) => assert_eq!(payload, some_octets(len)),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(client.ping(&[0; 126]), Err(Error::Usage(UsageError::ControlTooLong))));
        close(client);
        let events = answering.join().expect("well");
        assert_eq!(events.iter().filter(|event| event.starts_with("Ping")).count(), 3, "{events:?}");
    }

    fn a_large_message_arrives_in_pieces_when_that_is_wished<S>() {
        let mut config = Config::default();
        config.delivery = Delivery::Fragments;
        let (mut client, mut server) = open_with::<S>(Config::default(), config);
        let text = some_text(1 << 20);
        let expected = text.clone();
        let receiving = thread::spawn(move || {
            let (mut joined, mut pieces) = (String::new(), 0);
            while let Some(event) = server.recv() {
                let Event::Fragment(piece) = event else { continue };
                assert_eq!((piece.kind, piece.first), (Kind::Text, pieces == 0));
                joined += std::str::from_utf8(&piece.data).expect("cut between characters");
                pieces += 1;
                assert_eq!(piece.last, joined.len() == expected.len());
            }
            assert!(joined == expected && pieces > 1);
        });
        client.send(&text).expect("sent");
        close(client);
        receiving.join().expect("well");
    }

    fn nothing_is_sent_once_it_is_closing<S>() {
        let (mut client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        assert_eq!(client.state(), State::Open);
        client.close(CloseCode::NORMAL, "").expect("it is open");
        assert!(matches!(client.send("late"), Err(Error::Usage(UsageError::NotOpen))));
        assert!(matches!(client.feed("late"), Err(Error::Usage(UsageError::NotOpen))));
        assert!(matches!(client.ping(b""), Err(Error::Usage(UsageError::NotOpen))));
        assert!(matches!(client.send_message("late"), Err(Error::Usage(UsageError::NotOpen))));
        assert!(drain(&mut client).1.is_clean());
        assert_eq!(client.state(), State::Closed);
        echoing.join().expect("well");
    }
}
