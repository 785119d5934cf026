//! How connections end: every way, one last event each time, and what it says.

use std::io::ErrorKind;

use hybi::{Agreement, Connection, Timeout};
use hybi_futures::{CloseCause, CloseCode, Config, Event, ProtocolError, State, WebSocket};
use hybi_test::frames::{close_body, first, masked, unmasked};

use super::torn::{Fault, Torn};
use super::{Adapter, client, drain, open, server};

fn closing_in<A: Adapter>() -> Config {
    let mut config = Config::default();
    config.timeouts.close = Some(A::short());
    config
}

pub async fn the_client_closes<A: Adapter>() {
    let (mut client, mut server) = open::<A>();
    let serving = A::spawn(async move { drain::<A>(&mut server).await });
    client.close(CloseCode::NORMAL, "ebb").await.expect("it is open");
    assert_eq!(client.state(), State::Closing);
    let (events, end) = drain::<A>(&mut client).await;
    assert_eq!(events, [r#"Close(Some(CloseFrame(1000, "ebb")))"#]);
    assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "ebb", true));
    assert_eq!(serving.await, (events, end));
    assert!(client.io_error().is_none());
}

pub async fn the_server_closes<A: Adapter>() {
    let (mut client, mut server) = open::<A>();
    server.close(CloseCode::GOING_AWAY, "flood").await.expect("it is open");
    let serving = A::spawn(async move { drain::<A>(&mut server).await });
    let (events, end) = drain::<A>(&mut client).await;
    assert_eq!(events, [r#"Close(Some(CloseFrame(1001, "flood")))"#]);
    assert_eq!((end.code(), end.reason(), end.cause()), (1001, "flood", &CloseCause::Handshake));
    assert_eq!(serving.await, (events, end));
}

pub async fn both_close_at_once<A: Adapter>() {
    let (mut client, mut server) = open::<A>();
    client.close(CloseCode::NORMAL, "client").await.expect("it is open");
    server.close(CloseCode::NORMAL, "server").await.expect("it is open");
    let serving = A::spawn(async move { drain::<A>(&mut server).await.1 });
    let end = drain::<A>(&mut client).await.1;
    assert_eq!((end.reason(), end.is_clean()), ("server", true));
    let end = serving.await;
    assert_eq!((end.reason(), end.is_clean()), ("client", true));
}

pub async fn the_server_ends_the_transport_first<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(Config::default());
    peer.write(&masked(first::CLOSE, &close_body(1000, "bye"))).await.expect("written");
    assert!(drain::<A>(&mut server).await.1.is_clean());
    assert_eq!(peer.read_to_end().await, unmasked(first::CLOSE, &close_body(1000, "bye"))); // the socket is still there
    drop(server);
}

pub async fn the_close_frame_is_answered_before_the_application_asks_again<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(Config::default());
    peer.write(&masked(first::CLOSE, &[])).await.expect("written");
    assert!(matches!(server.recv().await, Some(Event::Close(None))));
    assert_eq!(peer.read_to_end().await, unmasked(first::CLOSE, &[]));
}

pub async fn a_client_waits_for_the_server_to_end_the_transport<A: Adapter>() {
    let (mut client, mut peer) = client::<A>(Config::default());
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    let closing = A::spawn(async move { drain::<A>(&mut client).await.1 });
    assert_eq!(peer.read_exact(8).await[..2], [first::CLOSE, 0x82]);
    peer.write(&unmasked(first::CLOSE, &close_body(1000, ""))).await.expect("written");
    peer.write(b"whatever comes behind it is not looked at").await.expect("the client still reads");
    drop(peer);
    assert!(closing.await.is_clean());
}

pub async fn a_client_does_not_wait_for_that_for_ever<A: Adapter>() {
    let (mut client, mut peer) = client::<A>(closing_in::<A>());
    peer.write(&unmasked(first::CLOSE, &close_body(1000, ""))).await.expect("written");
    assert!(drain::<A>(&mut client).await.1.is_clean());
    assert_eq!(peer.read_to_end().await.len(), 8); // the client ended it
}

pub async fn a_peer_that_never_answers_our_close<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(closing_in::<A>());
    server.close(CloseCode::NORMAL, "").await.expect("it is open");
    let (events, end) = drain::<A>(&mut server).await;
    assert!(events.is_empty());
    assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Close)));
    assert_eq!(peer.read_to_end().await, unmasked(first::CLOSE, &close_body(1000, "")));
}

pub async fn a_peer_that_talks_on_and_never_answers_our_close<A: Adapter>() {
    let (mut client, mut peer) = client::<A>(closing_in::<A>());
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    peer.write(&unmasked(first::BINARY, &[0; 1000]).repeat(20)).await.expect("written");
    let (events, end) = drain::<A>(&mut client).await;
    assert_eq!(events.len(), 20);
    assert_eq!(end.cause(), &CloseCause::TimedOut(Timeout::Close));
}

pub async fn a_peer_that_never_reads<A: Adapter>() {
    for receiving in [false, true] {
        let mut config = Config::default();
        config.timeouts.write_stall = Some(A::short());
        let (peer, mut server) = server::<A>(config);
        if receiving {
            server.connection().send(&vec![0; 8 << 20]).expect("queued");
        } else {
            let error = server.send(&vec![0; 8 << 20]).await.expect_err("nobody reads");
            assert!(matches!(error, hybi_futures::Error::Io(error) if error.kind() == ErrorKind::TimedOut));
        }
        let end = drain::<A>(&mut server).await.1;
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
        drop(peer);
    }
}

pub async fn a_peer_that_half_closes<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(Config::default());
    peer.write(&[masked(first::TEXT, b"last"), masked(first::CLOSE, &[])].concat()).await.expect("written");
    peer.end_writing().await;
    let (events, end) = drain::<A>(&mut server).await;
    assert_eq!(events, [r#"Text("last")"#, "Close(None)"]);
    assert!(end.is_clean());
    assert_eq!(peer.read_to_end().await, unmasked(first::CLOSE, &[]), "it could still read");
}

pub async fn a_peer_that_goes_away_inside_a_frame<A: Adapter>() {
    let frames = [masked(first::TEXT, b"whole"), masked(first::BINARY, &[7; 300])].concat();
    for cut in [0, 1, 11, 12, 20, frames.len() - 1] {
        let (mut peer, mut server) = server::<A>(Config::default());
        peer.write(&frames[..cut]).await.expect("written");
        drop(peer);
        let (events, end) = drain::<A>(&mut server).await;
        assert_eq!(events.len(), usize::from(cut >= 11), "{cut}");
        assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TransportEnded));
    }
}

pub async fn a_peer_that_breaks_a_rule_is_told_so<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(Config::default());
    peer.write(&masked(0x83, b"reserved")).await.expect("written");
    let serving = A::spawn(async move { drain::<A>(&mut server).await });
    let told = peer.read_to_end().await;
    assert_eq!((told[0], &told[2..4]), (first::CLOSE, &1002_u16.to_be_bytes()[..]));
    drop(peer);
    let (events, end) = serving.await;
    assert_eq!(events, ["Failed(ReservedOpcode)"]);
    assert_eq!(end.cause(), &CloseCause::Failed(ProtocolError::ReservedOpcode));
}

pub async fn a_peer_that_is_silent_after_a_ping<A: Adapter>() {
    let mut config = Config::default();
    (config.timeouts.keepalive, config.timeouts.pong) = (Some(A::short()), Some(A::short()));
    let (mut peer, mut server) = server::<A>(config);
    let end = drain::<A>(&mut server).await.1;
    assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::Pong)));
    assert!(peer.read_to_end().await.starts_with(&unmasked(first::PING, b"1")));
}

pub async fn a_peer_that_is_idle<A: Adapter>() {
    let mut config = closing_in::<A>();
    config.timeouts.idle = Some(A::short());
    let (mut peer, mut server) = server::<A>(config);
    let end = drain::<A>(&mut server).await.1;
    assert_eq!(end.cause(), &CloseCause::TimedOut(Timeout::Idle));
    assert_eq!(peer.read_to_end().await, unmasked(first::CLOSE, &close_body(1001, "idle")));
}

pub async fn keepalive_pings_go_out_while_nobody_else_speaks<A: Adapter>() {
    let mut config = Config::default();
    config.timeouts.keepalive = Some(A::short());
    let (mut client, mut server) = super::open_with::<A>(Config::default(), config);
    let serving = A::spawn(async move { drain::<A>(&mut server).await.0 });
    for n in ["1", "2", "3"] {
        assert!(matches!(client.recv().await, Some(Event::Ping(payload)) if payload == n.as_bytes()));
    }
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    drain::<A>(&mut client).await;
    let pongs = serving.await;
    assert!(pongs.iter().filter(|event| event.starts_with("Pong")).count() >= 3, "{pongs:?}");
}

pub async fn aborting<A: Adapter>() {
    let (mut client, mut server) = open::<A>();
    client.feed("never sent").await.expect("taken");
    client.abort();
    assert_eq!(client.state(), State::Closed);
    assert_eq!(drain::<A>(&mut client).await.1.cause(), &CloseCause::Aborted);
    let (events, end) = drain::<A>(&mut server).await;
    assert_eq!((events.len(), end.cause()), (0, &CloseCause::TransportEnded));
}

/// A script that is cut at every octet, and answers that cannot be written from every octet on.
pub async fn every_way_to_break<A: Adapter>() {
    let script = [
        masked(first::TEXT, b"one"),
        masked(first::PING, b"two"),
        masked(first::BINARY, &[3; 126]),
        masked(first::CLOSE, &close_body(1000, "ebb")),
    ]
    .concat();
    let run = async |fault| {
        let stream = Torn::new(&script).with(fault);
        let tape = stream.tape.clone();
        let connection = Connection::server(Agreement::default(), Config::default());
        let mut socket = WebSocket::<_, A::R>::new(stream, connection);
        let mut events = Vec::new();
        while let Some((event, sender)) = socket.recv_with().await {
            events.push(format!("{event:?}"));
            let _ = match event {
                Event::Text(text) => sender.send(&text),
                Event::Binary(data) => sender.send(&data),
                _ => Ok(()),
            };
        }
        assert!(socket.recv().await.is_none(), "nothing behind the end");
        let ends = events.iter().filter(|event| event.starts_with("Closed")).count();
        assert!(
            ends == 1 && events.last().is_some_and(|event| event.starts_with("Closed")),
            "{fault:?}: {events:?}"
        );
        (events, tape.written(), socket.io_error().map(std::io::Error::kind))
    };
    let whole = run(Fault::None).await;
    assert_eq!((whole.0.len(), whole.2), (5, None));
    for at in 0..script.len() {
        let (events, _, error) = run(Fault::ReadFailsAt(at, ErrorKind::ConnectionReset)).await;
        assert_eq!(events[..events.len() - 1], whole.0[..events.len() - 1], "{at}");
        assert_eq!(error, Some(ErrorKind::ConnectionReset), "{at}");
        assert!(events.last().is_some_and(|end| end.contains("TransportEnded")), "{at}: {events:?}");
    }
    for at in 0..whole.1.len() {
        for (fault, kind) in [
            (Fault::WriteFailsAt(at, ErrorKind::BrokenPipe), ErrorKind::BrokenPipe),
            (Fault::WriteZeroAt(at), ErrorKind::WriteZero),
        ] {
            let (_, written, error) = run(fault).await;
            assert_eq!((written, error), (whole.1[..at].to_vec(), Some(kind)), "{at}");
        }
    }
}
