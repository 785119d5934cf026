//! How connections end: every way, one last event each time, and what it says.

#[macro_use]
mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use common::*;
use hybi::Timeout;
use hybi_std::{CloseCause, CloseCode, Config, Event, ProtocolError, State};

/// Long enough to be told from nothing, short enough to wait for.
const SHORT: Duration = Duration::from_millis(50);

fn closing_in(timeout: Duration) -> Config {
    let mut config = Config::default();
    config.timeouts.close = Some(timeout);
    config
}

over_each_socket! {
    fn the_client_closes<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || drain(&mut server));
        client.close(CloseCode::NORMAL, "ebb").expect("it is open");
        assert_eq!(client.state(), State::Closing);
        let (events, end) = drain(&mut client);
        assert_eq!(events, [r#"Close(Some(CloseFrame(1000, "ebb")))"#]);
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "ebb", true));
        assert_eq!(serving.join().expect("well"), (events, end));
        assert!(client.io_error().is_none());
    }

    fn the_server_closes<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || {
            server.close(CloseCode::GOING_AWAY, "flood").expect("it is open");
            drain(&mut server)
        });
        let (events, end) = drain(&mut client);
        assert_eq!(events, [r#"Close(Some(CloseFrame(1001, "flood")))"#]);
        assert_eq!((end.code(), end.reason(), end.cause()), (1001, "flood", &CloseCause::Handshake));
        assert_eq!(serving.join().expect("well"), (events, end));
    }

    fn both_close_at_once<S>() {
        let (mut client, mut server) = open::<S>();
        client.close(CloseCode::NORMAL, "client").expect("it is open");
        server.close(CloseCode::NORMAL, "server").expect("it is open");
        let serving = thread::spawn(move || drain(&mut server).1);
        let end = drain(&mut client).1;
        assert_eq!((end.reason(), end.is_clean()), ("server", true));
        let end = serving.join().expect("well");
        assert_eq!((end.reason(), end.is_clean()), ("client", true));
    }

    fn a_close_frame_without_a_body_is_1005<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || drain(&mut server));
        client.close_with(None).expect("it is open");
        let (events, end) = drain(&mut client);
        assert_eq!(events, ["Close(None)"]);
        assert_eq!((end.code(), end.frame(), end.is_clean()), (1005, None, true));
        assert_eq!(serving.join().expect("well"), (events, end));
    }

    fn closing_twice_is_closing_once<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || drain(&mut server).0);
        client.close(CloseCode::NORMAL, "first").expect("it is open");
        client.close(CloseCode::GOING_AWAY, "second").expect("the second does nothing");
        assert!(drain(&mut client).1.is_clean());
        assert_eq!(serving.join().expect("well"), [r#"Close(Some(CloseFrame(1000, "first")))"#]);
    }

    fn what_was_sent_before_the_close_still_arrives<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || drain(&mut server).0);
        client.feed("last").expect("taken");
        client.feed("words").expect("taken");
        client.close(CloseCode::NORMAL, "").expect("it is open");
        drain(&mut client);
        let close = r#"Close(Some(CloseFrame(1000, "")))"#;
        assert_eq!(serving.join().expect("well"), [r#"Text("last")"#, r#"Text("words")"#, close]);
    }

    fn messages_arrive_until_the_peer_answers_the_close<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        server.close(CloseCode::NORMAL, "").expect("it is open");
        peer.write_all(&masked(0x81, b"crossing")).expect("written");
        peer.write_all(&masked(0x88, &close_body(1000, ""))).expect("written");
        let (events, end) = drain(&mut server);
        assert_eq!(events, [r#"Text("crossing")"#, r#"Close(Some(CloseFrame(1000, "")))"#]);
        assert!(end.is_clean());
    }

    fn the_server_ends_the_transport_first<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        peer.write_all(&masked(0x88, &close_body(1000, "bye"))).expect("written");
        let serving = thread::spawn(move || {
            let end = drain(&mut server).1;
            (server, end) // the socket is still there
        });
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &close_body(1000, "bye")));
        assert!(serving.join().expect("well").1.is_clean());
    }

    fn the_close_frame_is_answered_before_the_application_asks_again<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        peer.write_all(&masked(0x88, &[])).expect("written");
        assert!(matches!(server.recv(), Some(Event::Close(None))));
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &[]));
    }

    fn a_client_waits_for_the_server_to_end_the_transport<S>() {
        let (mut client, mut peer) = client::<S>(Config::default());
        client.close(CloseCode::NORMAL, "").expect("it is open");
        let closing = thread::spawn(move || drain(&mut client).1);
        assert_eq!(read_masked(&mut peer), (0x88, close_body(1000, "")));
        peer.write_all(&unmasked(0x88, &close_body(1000, ""))).expect("written");
        peer.write_all(b"whatever comes behind it is not looked at").expect("the client still reads");
        drop(peer);
        assert!(closing.join().expect("well").is_clean());
    }

    fn a_client_does_not_wait_for_that_for_ever<S>() {
        let (mut client, mut peer) = client::<S>(closing_in(SHORT));
        peer.write_all(&unmasked(0x88, &close_body(1000, ""))).expect("written");
        let end = drain(&mut client).1;
        assert!(end.is_clean(), "{end:?}");
        assert_eq!(read_masked(&mut peer).0, 0x88);
        assert_eq!(read_to_end(&mut peer), b""); // the client ended it
    }

    fn a_peer_that_never_answers_our_close<S>() {
        let (mut peer, mut server) = server::<S>(closing_in(SHORT));
        server.close(CloseCode::NORMAL, "").expect("it is open");
        let (events, end) = drain(&mut server);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Close)));
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &close_body(1000, "")));
    }

    fn a_peer_that_talks_on_and_never_answers_our_close<S>() {
        let (mut client, mut peer) = client::<S>(closing_in(SHORT));
        let talking = thread::spawn(move || while peer.write_all(&unmasked(0x82, &[0; 1000])).is_ok() {});
        client.close(CloseCode::NORMAL, "").expect("it is open");
        let end = drain(&mut client).1;
        assert_eq!(end.cause(), &CloseCause::TimedOut(Timeout::Close));
        drop(client);
        talking.join().expect("the client ended it");
    }

    fn a_peer_that_half_closes<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        peer.write_all(&masked(0x81, b"goodbye")).expect("written");
        peer.shutdown_write().expect("it is open");
        let (events, end) = drain(&mut server);
        assert_eq!(events, [r#"Text("goodbye")"#]);
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1006, "", false));
        assert_eq!(end.cause(), &CloseCause::TransportEnded);
        assert!(server.io_error().is_none(), "an end is no error");
        assert_eq!(read_to_end(&mut peer), b"");
    }

    fn a_peer_that_half_closes_behind_its_close_frame<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        peer.write_all(&masked(0x88, &close_body(1000, ""))).expect("written");
        peer.shutdown_write().expect("it is open");
        assert!(drain(&mut server).1.is_clean());
        assert_eq!(read_to_end(&mut peer), unmasked(0x88, &close_body(1000, "")));
    }

    fn a_peer_that_ends_inside_a_frame<S>() {
        let (mut client, mut peer) = client::<S>(Config::default());
        peer.write_all(&unmasked(0x82, &[7; 1000])[..500]).expect("written");
        drop(peer);
        let (events, end) = drain(&mut client);
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
    }

    fn a_peer_that_breaks_a_rule_is_told_so<S>() {
        let (mut peer, mut server) = server::<S>(Config::default());
        peer.write_all(&masked(0x83, b"reserved")).expect("written");
        let serving = thread::spawn(move || drain(&mut server));
        let told = read_to_end(&mut peer); // our side is ended behind the close frame
        assert_eq!(told[0], 0x88);
        assert_eq!(told[2..4], 1002_u16.to_be_bytes());
        drop(peer);
        let (events, end) = serving.join().expect("well");
        assert_eq!(events, ["Failed(ReservedOpcode)"]);
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::Failed(ProtocolError::ReservedOpcode)));
    }

    fn a_peer_that_breaks_a_rule_and_stays<S>() {
        let (mut client, mut peer) = client::<S>(closing_in(SHORT));
        peer.write_all(&masked(0x81, b"masked")).expect("written");
        let (events, end) = drain(&mut client);
        assert_eq!(events, ["Failed(MaskedFrame)"]);
        assert_eq!(end.cause(), &CloseCause::Failed(ProtocolError::MaskedFrame));
        let (first, payload) = read_masked(&mut peer);
        assert_eq!((first, &payload[..2]), (0x88, &1002_u16.to_be_bytes()[..]));
        assert_eq!(read_to_end(&mut peer), b"");
    }

    fn a_message_above_the_limit_is_1009<S>() {
        let mut config = closing_in(SHORT);
        config.limits.message = 10;
        let (mut peer, mut server) = server::<S>(config);
        peer.write_all(&masked(0x81, b"0123456789")).expect("written");
        peer.write_all(&masked(0x81, b"0123456789a")).expect("written");
        let (events, end) = drain(&mut server);
        assert_eq!(events, [r#"Text("0123456789")"#, "Failed(MessageTooBig)"]);
        assert_eq!(end.cause(), &CloseCause::Failed(ProtocolError::MessageTooBig));
        let told = read_to_end(&mut peer);
        assert_eq!((told[0], &told[2..4]), (0x88, &1009_u16.to_be_bytes()[..]));
    }

    fn a_peer_that_never_reads<S>() {
        let mut config = Config::default();
        config.timeouts.write_stall = Some(SHORT);
        let (peer, mut server) = server::<S>(config);
        let payload = vec![0; 1 << 20];
        while server.send(&payload).is_ok() && server.state() == State::Open {}
        let (events, end) = drain(&mut server);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
        drop(peer);
    }

    fn a_peer_that_is_silent_after_a_ping<S>() {
        let mut config = Config::default();
        (config.timeouts.keepalive, config.timeouts.pong) = (Some(SHORT), Some(SHORT));
        let (mut peer, mut server) = server::<S>(config);
        let end = drain(&mut server).1;
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Pong)));
        assert!(read_to_end(&mut peer).starts_with(&unmasked(0x89, b"1")));
    }

    fn a_peer_that_is_idle<S>() {
        let mut config = Config::default();
        config.timeouts.idle = Some(SHORT);
        let (mut client, mut server) = open_with::<S>(Config::default(), config);
        let serving = thread::spawn(move || drain(&mut server).1);
        let end = drain(&mut client).1;
        assert_eq!((end.code(), end.is_clean()), (1001, true));
        assert!(serving.join().expect("well").is_clean());
    }

    fn aborting<S>() {
        let (mut client, mut server) = open::<S>();
        let serving = thread::spawn(move || drain(&mut server));
        client.feed("never transmitted").expect("taken");
        client.abort();
        assert_eq!(client.state(), State::Closed);
        let (events, end) = drain(&mut client);
        assert!(events.is_empty());
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::Aborted));
        let (events, end) = serving.join().expect("well");
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
    }

    fn dropping_a_socket_ends_the_transport<S>() {
        let (client, mut server) = open::<S>();
        drop(client);
        assert_eq!(drain(&mut server).1.cause(), &CloseCause::TransportEnded);
    }
}

/// A socket that is dropped with octets unread is reset: that is how TCP says that they were lost.
fn reset_by_peer(mut peer: TcpStream) {
    peer.read_exact(&mut [0]).expect("something arrived, and more is unread");
    drop(peer);
}

#[test]
fn a_reset_inside_a_frame() {
    bounded(|| {
        let (mut client, mut peer) = client::<TcpStream>(Config::default());
        client.send("to be left unread").expect("sent");
        peer.write_all(&unmasked(0x81, b"before")).expect("written");
        assert_eq!(client.recv_message().expect("it came").as_str(), Some("before"));
        peer.write_all(&unmasked(0x82, &[7; 1000])[..500]).expect("written");
        reset_by_peer(peer);
        let (events, end) = drain(&mut client);
        assert!(events.is_empty(), "{events:?}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert_eq!(client.io_error().map(std::io::Error::kind), Some(ErrorKind::ConnectionReset));
    });
}

#[test]
fn sending_on_a_connection_that_was_reset() {
    bounded(|| {
        let (mut peer, mut server) = server::<TcpStream>(Config::default());
        peer.write_all(&masked(0x81, b"unread at the end")).expect("written");
        server.send("to be left unread").expect("sent");
        reset_by_peer(peer);
        let error = loop {
            if let Err(error) = server.send("into the void") {
                break error; // the first ones may be taken: nobody knows yet
            }
        };
        assert!(matches!(error, hybi_std::Error::Io(_)), "{error:?}");
        let (_, end) = drain(&mut server);
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
        assert!(server.io_error().is_some());
    });
}
