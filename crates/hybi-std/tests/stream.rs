//! A WebSocket as a stream of octets.

#[macro_use]
mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::thread;

use common::*;
use hybi_std::{CloseCode, Config, Kind};

/// The error that reading on ends with.
fn failure(stream: &mut impl Read) -> ErrorKind {
    io::copy(stream, &mut io::sink()).expect_err("this is no end of a stream").kind()
}

over_each_socket! {
    fn a_mebibyte_through_an_echo<S>() {
        let (client, server) = open::<S>();
        let echoing = thread::spawn(|| echo(server));
        let (mut reading, mut writing) = client.into_byte_stream(Kind::Binary).into_split().expect("two");
        let octets = some_octets(1 << 20);
        let expected = octets.clone();
        let copying = thread::spawn(move || {
            assert_eq!(io::copy(&mut &*octets, &mut writing).expect("taken"), 1 << 20);
            writing.shutdown().expect("it is open");
            assert_eq!(writing.write(b"late").expect_err("it is over").kind(), ErrorKind::BrokenPipe);
        });
        let mut back = Vec::new();
        assert_eq!(io::copy(&mut reading, &mut back).expect("an orderly end"), 1 << 20);
        assert!(back == expected);
        assert_eq!(reading.close_info().map(hybi_std::CloseInfo::code), Some(1000));
        copying.join().expect("well");
        assert!(echoing.join().expect("well").is_clean());
    }

    fn two_streams_copied_into_one_another<S>() {
        let (client, server) = open::<S>();
        let serving = thread::spawn(move || {
            let mut stream = server.into_byte_stream(Kind::Binary);
            let mut octets = Vec::new();
            stream.read_to_end(&mut octets).expect("an orderly end");
            octets
        });
        let mut stream = client.into_byte_stream(Kind::Binary);
        io::copy(&mut &*some_octets(300_000), &mut stream).expect("taken");
        stream.shutdown().expect("it is open");
        assert_eq!(stream.read(&mut [0; 10]).expect("an orderly end"), 0);
        assert_eq!(stream.read(&mut [0; 10]).expect("it stays over"), 0);
        assert!(serving.join().expect("well") == some_octets(300_000));
    }

    fn reads_do_not_care_where_messages_begin<S>() {
        let (mut peer, server) = server::<S>(Config::default());
        let mut stream = server.into_byte_stream(Kind::Text);
        for frame in [masked(0x81, b"hi"), masked(0x82, &[]), masked(0x89, b"ping"), masked(0x02, b"gh "), masked(0x80, b"water")] {
            peer.write_all(&frame).expect("written");
        }
        let mut some = [0; 4];
        assert_eq!(stream.read(&mut []).expect("nothing was asked for"), 0);
        stream.read_exact(&mut some).expect("there is more");
        assert_eq!(&some, b"high");
        for octet in b" water" {
            let mut one = [0];
            stream.read_exact(&mut one).expect("there is more");
            assert_eq!(one[0], *octet);
        }
        stream.write_all("é".as_bytes()).expect("it is text");
        assert_eq!(stream.write(&"é".as_bytes()[..1]).expect_err("half a character").kind(), ErrorKind::InvalidData);
        assert_eq!(stream.write(b"").expect("nothing is nothing"), 0);
        let mut said = [0; 8];
        peer.read_exact(&mut said).expect("a pong and a message");
        assert_eq!(said, *b"\x8a\x04ping\x81\x02");
    }

    fn a_message_larger_than_memory_should_be_comes_in_pieces<S>() {
        let mut config = Config::default();
        config.limits.message = 64 << 20;
        let (mut peer, server) = server::<S>(config);
        const LEN: usize = 8 << 20;
        let writing = thread::spawn(move || {
            peer.write_all(&masked(0x82, &vec![7; LEN])).expect("somebody reads");
            peer
        });
        let mut stream = server.into_byte_stream(Kind::Binary);
        let mut some = [0; 1000];
        let mut read = 0;
        for half in [LEN / 2, LEN] {
            while read < half {
                read += stream.read(&mut some).expect("there is more");
            }
            assert!(format!("{stream:?}").len() < 1 << 20, "one piece of it, written out, not all");
        }
        drop(writing.join().expect("well"));
        assert_eq!(failure(&mut stream), ErrorKind::UnexpectedEof);
    }

    fn an_end_that_is_none_is_an_error<S>() {
        let ends: [(Vec<u8>, ErrorKind); 4] = [
            (masked(0x88, &close_body(1001, "leaving")), ErrorKind::ConnectionAborted),
            (masked(0x88, &close_body(4000, "")), ErrorKind::ConnectionAborted),
            (masked(0x83, b""), ErrorKind::InvalidData),
            (masked(0x82, b"a half")[..4].to_vec(), ErrorKind::UnexpectedEof),
        ];
        for (octets, kind) in ends {
            let (mut peer, server) = server::<S>(Config::default());
            peer.write_all(&octets).expect("written");
            peer.shutdown_write().expect("it is open");
            assert_eq!(failure(&mut server.into_byte_stream(Kind::Binary)), kind, "{octets:?}");
        }
    }

    fn a_close_frame_without_a_code_is_an_end<S>() {
        let (mut peer, server) = server::<S>(Config::default());
        peer.write_all(&masked(0x88, &[])).expect("written");
        assert_eq!(server.into_byte_stream(Kind::Binary).read(&mut [0]).expect("an end"), 0);
    }

    fn dropping_it_is_no_orderly_end<S>() {
        let (client, server) = open::<S>();
        drop(client.into_byte_stream(Kind::Binary));
        assert_eq!(failure(&mut server.into_byte_stream(Kind::Binary)), ErrorKind::UnexpectedEof);
    }

    fn what_was_read_with_the_handshake_is_not_lost<S>() {
        let (mut client, server) = open::<S>();
        client.send("early").expect("sent");
        client.close(CloseCode::NORMAL, "").expect("it is open");
        let serving = thread::spawn(move || {
            let mut all = String::new();
            server.into_byte_stream(Kind::Text).read_to_string(&mut all).map(|_| all)
        });
        assert!(drain(&mut client).1.is_clean());
        assert_eq!(serving.join().expect("well").expect("an orderly end"), "early");
    }
}
