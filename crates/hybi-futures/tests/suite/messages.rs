//! Messages both ways, in all the shapes that there are for them.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;

use futures_core::Stream;
use futures_sink::Sink;
use hybi::HandshakeError;
use hybi::handshake::ServerSettings;
use hybi_futures::{
    Accept, Acceptor, Answer, Arrival, CloseCause, CloseCode, Config, Error, Event, Kind, Message, Prepared,
    State, UsageError,
};
use hybi_test::frames::{close_body, first, masked, unmasked};

use super::torn::Torn;
use super::{Adapter, Peer, SIZES, Socket, client, drain, echo, open, server, some_octets, some_text};

async fn close<A: Adapter>(mut socket: Socket<A>) {
    socket.close(CloseCode::NORMAL, "done").await.expect("it is open");
    let (_, end) = drain::<A>(&mut socket).await;
    assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "done", true));
}

pub async fn messages_of_all_sizes_come_back<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    for len in SIZES {
        let (text, octets) = (some_text(len), some_octets(len));
        client.send(&text).await.expect("sent");
        assert!(client.recv_message().await == Some(Message::from(text)), "text of {len}");
        client.send(&octets).await.expect("sent");
        assert!(client.recv_message().await == Some(Message::from(octets)), "binary of {len}");
    }
    close::<A>(client).await;
    assert!(echoing.await.is_clean());
}

pub async fn owned_messages_come_back<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    for len in SIZES {
        for message in [Message::from(some_text(len)), Message::from(some_octets(len))] {
            client.send_message(message.clone()).await.expect("sent");
            assert!(client.recv_message().await == Some(message), "{len}");
        }
    }
    let mut writer = client.start(Kind::Text).expect("it is open");
    writer.write(b"high ").expect("taken");
    writer.finish(b"water").expect("taken");
    client.flush().await.expect("sent");
    assert_eq!(client.recv_message().await, Some("high water".into()));
    close::<A>(client).await;
    assert!(echoing.await.is_clean());
}

pub async fn what_is_fed_goes_out_with_the_flush<A: Adapter>() {
    let stream = Torn::new(&[]).moving(usize::MAX);
    let tape = stream.tape.clone();
    let connection = hybi::Connection::server(hybi::Agreement::default(), Config::default());
    let mut socket = hybi_futures::WebSocket::<_, A::R>::new(stream, connection);
    for _ in 0..100 {
        socket.feed("a hundred times").await.expect("taken");
    }
    assert_eq!(tape.0.lock().unwrap().writes, 0);
    socket.flush().await.expect("sent");
    socket.flush().await.expect("nothing to do");
    {
        let written = tape.0.lock().unwrap();
        assert_eq!((written.writes, written.flushes), (1, 1));
        assert_eq!(written.octets, unmasked(first::TEXT, b"a hundred times").repeat(100));
    }
    while tape.0.lock().unwrap().writes == 1 {
        socket.feed(&[0; 10_000]).await.expect("taken");
    }
    assert_eq!(socket.connection().buffered_len(), 0, "above high water it is flushed");
}

pub async fn a_prepared_message_goes_to_many<A: Adapter>() {
    let prepared = Prepared::new("news");
    let mut clients = Vec::new();
    for _ in 0..3 {
        let (client, mut server) = open::<A>();
        server.send_prepared(&prepared).await.expect("sent");
        clients.push((client, A::spawn(echo::<A>(server))));
    }
    for (mut client, echoing) in clients {
        assert_eq!(client.recv_message().await, Some("news".into()));
        close::<A>(client).await;
        assert!(echoing.await.is_clean());
    }
}

pub async fn a_ping_is_answered_and_its_time_is_known<A: Adapter>() {
    let (mut client, mut server) = open::<A>();
    let answering = A::spawn(async move { drain::<A>(&mut server).await.0 });
    for len in [0, 1, 125] {
        let round_trip = client.ping(&some_octets(len)).await.expect("sent");
        match client.recv().await {
            Some(Event::Pong(payload)) => assert_eq!(payload, some_octets(len)),
            other => panic!("{other:?}"),
        }
        assert!(round_trip.await.is_some());
    }
    assert!(matches!(client.ping(&[0; 126]).await, Err(Error::Usage(UsageError::ControlTooLong))));
    close::<A>(client).await;
    assert_eq!(answering.await.iter().filter(|event| event.starts_with("Ping")).count(), 3);

    // A peer that is behind may answer the last alone (RFC 6455 §5.5.3); one that was not asked answers nobody.
    let (mut client, mut peer) = super::client::<A>(Config::default());
    let round_trips = [client.ping(b"1").await.expect("sent"), client.ping(b"2").await.expect("sent")];
    let third = client.ping(b"3").await.expect("sent");
    peer.write(&[unmasked(first::PONG, b"who?"), unmasked(first::PONG, b"2")].concat())
        .await
        .expect("written");
    assert!(matches!(client.recv().await, Some(Event::Pong(b"who?"))));
    assert!(matches!(client.recv().await, Some(Event::Pong(b"2"))));
    for round_trip in round_trips {
        assert!(round_trip.await.is_some());
    }
    drop(client);
    assert_eq!(third.await, None);
}

pub async fn a_round_trip_ends_with_the_connection<A: Adapter>() {
    let (mut client, peer) = client::<A>(Config::default());
    let round_trip = client.ping(b"anybody?").await.expect("sent");
    let waiting = A::spawn(round_trip);
    drop(peer);
    drain::<A>(&mut client).await;
    assert_eq!(waiting.await, None);
}

pub async fn a_stream_and_a_sink_of_messages<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    for n in 0..100_u32 {
        poll_fn(|cx| Sink::poll_ready(Pin::new(&mut client), cx)).await.expect("there is room");
        Pin::new(&mut client).start_send(n.to_be_bytes().to_vec().into()).expect("taken");
    }
    poll_fn(|cx| Sink::poll_close(Pin::new(&mut client), cx)).await.expect("sent");
    assert_eq!(client.state(), State::Closing);
    let mut received = Vec::new();
    while let Some(message) = poll_fn(|cx| Pin::new(&mut client).poll_next(cx)).await {
        received.push(message.expect("a clean end"));
    }
    let expected: Vec<_> = (0..100_u32).map(|n| Message::from(n.to_be_bytes().to_vec())).collect();
    assert_eq!(received, expected);
    assert!(echoing.await.is_clean());
}

pub async fn a_stream_tells_of_an_end_without_a_handshake<A: Adapter>() {
    let (mut client, mut peer) = client::<A>(Config::default());
    peer.write(&unmasked(first::TEXT, b"last words")).await.expect("written");
    drop(peer);
    let mut next = async || poll_fn(|cx| Pin::new(&mut client).poll_next(cx)).await;
    assert!(matches!(next().await, Some(Ok(message)) if message.as_str() == Some("last words")));
    assert!(
        matches!(next().await, Some(Err(Error::Ended(info))) if *info.cause() == CloseCause::TransportEnded)
    );
    assert!(next().await.is_none() && next().await.is_none());
}

pub async fn octets_both_ways<A: Adapter>() {
    let (client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    let mut stream = client.into_byte_stream(Kind::Binary);
    let sent = some_octets(1 << 20);
    let (mut at, mut received, mut space) = (0, Vec::new(), vec![0; 10_000]);
    // Both directions at once, as a copy in two directions does it.
    poll_fn(|cx| {
        loop {
            let mut moved = false;
            if at < sent.len()
                && let std::task::Poll::Ready(n) = stream.poll_write(cx, &sent[at..])
            {
                at += n.expect("written");
                moved = true;
            }
            if let std::task::Poll::Ready(n) = stream.poll_read(cx, &mut space) {
                received.extend_from_slice(&space[..n.expect("read")]);
                moved = true;
            }
            if received.len() == sent.len() {
                return std::task::Poll::Ready(());
            }
            if !moved {
                return std::task::Poll::Pending;
            }
        }
    })
    .await;
    assert!(received == sent);
    poll_fn(|cx| stream.poll_flush(cx)).await.expect("flushed");
    poll_fn(|cx| stream.poll_close(cx)).await.expect("closed");
    assert_eq!(poll_fn(|cx| stream.poll_read(cx, &mut space)).await.expect("an end"), 0);
    assert!(stream.close_info().is_some_and(|info| info.is_clean() && info.code() == 1000));
    let late = poll_fn(|cx| stream.poll_write(cx, b"late")).await.expect_err("it is over");
    assert_eq!(late.kind(), ErrorKind::BrokenPipe);
    assert!(echoing.await.is_clean());
}

pub async fn octets_end_where_the_peer_closes<A: Adapter>() {
    let (mut peer, server) = server::<A>(Config::default());
    let mut stream = server.into_byte_stream(Kind::Text);
    for part in
        [masked(first::TEXT, b"of whatever "), masked(first::BINARY, b""), masked(first::BINARY, b"kind")]
    {
        peer.write(&part).await.expect("written");
    }
    peer.write(&masked(first::CLOSE, &close_body(1000, ""))).await.expect("written");
    let (mut received, mut space) = (Vec::new(), [0; 5]);
    loop {
        match poll_fn(|cx| stream.poll_read(cx, &mut space)).await.expect("an end in order") {
            0 => break,
            n => received.extend_from_slice(&space[..n]),
        }
    }
    assert_eq!(received, b"of whatever kind");

    let (_peer, server) = super::server::<A>(Config::default());
    let mut stream = server.into_byte_stream(Kind::Text);
    let error = poll_fn(|cx| stream.poll_write(cx, b"\xff")).await.expect_err("no text");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

pub async fn octets_that_break_off<A: Adapter>() {
    let (mut peer, server) = server::<A>(Config::default());
    let mut stream = server.into_byte_stream(Kind::Binary);
    peer.write(&masked(first::BINARY, b"half")[..8]).await.expect("written");
    drop(peer);
    let error = poll_fn(|cx| stream.poll_read(cx, &mut [0; 100])).await.expect_err("no end in order");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

pub async fn what_was_not_delivered_can_be_had<A: Adapter>() {
    let (mut peer, mut server) = server::<A>(Config::default());
    let frames =
        [masked(first::TEXT, b"one"), masked(first::TEXT, b"two"), masked(first::TEXT, b"three")[..5].into()];
    peer.write(&frames.concat()).await.expect("written");
    assert_eq!(server.recv_message().await, Some("one".into()));
    let (stream, mut connection) = server.into_parts();
    assert_eq!(connection.take_unread(), frames[1..].concat());
    drop(stream);
}

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

pub async fn requests_are_accepted_and_rejected<A: Adapter>() {
    let acceptor = Acceptor::<A::R>::new(Config::default(), ServerSettings::default());
    let (peer, end) = A::pair();
    let mut peer = Peer::<A>(peer);
    peer.write(&[REQUEST, &masked(first::TEXT, b"early")].concat()).await.expect("written");
    let Arrival::Upgrade(pending) = acceptor.read(end).await.expect("a good one") else {
        panic!("an upgrade")
    };
    assert_eq!(pending.request().target(), "/chat");
    let mut socket: Socket<A> = pending.accept(Accept::new()).await.expect("accepted");
    assert_eq!(socket.recv_message().await, Some("early".into()));
    drop(socket);
    let answer = String::from_utf8(peer.read_to_end().await).expect("a head");
    assert!(
        answer.starts_with("HTTP/1.1 101 ") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{answer}"
    );

    let (peer, end) = A::pair();
    let mut peer = Peer::<A>(peer);
    peer.write(REQUEST).await.expect("written");
    let Arrival::Upgrade(pending) = acceptor.read(end).await.expect("a good one") else {
        panic!("an upgrade")
    };
    let rejecting = A::spawn(pending.reject(Answer::new(403)));
    assert!(peer.read_to_end().await.starts_with(b"HTTP/1.1 403 "));
    drop(peer);
    rejecting.await.expect("it was told");

    let (peer, end) = A::pair();
    let mut peer = Peer::<A>(peer);
    peer.write(b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: tea\r\nConnection: Upgrade\r\n\r\n")
        .await
        .expect("written");
    let accepting = A::spawn(async move { Acceptor::<A::R>::default().accept(end).await.map(drop) });
    assert!(peer.read_to_end().await.starts_with(b"HTTP/1.1 426 "));
    assert!(matches!(accepting.await, Err(Error::Handshake(HandshakeError::BadUpgrade)))); // in bounded time
}

pub async fn a_server_that_is_no_server_of_ours<A: Adapter>() {
    let (peer, end) = A::pair();
    let mut peer = Peer::<A>(peer);
    peer.write(b"not HTTP at all\r\n\r\n").await.expect("written");
    let accepted = Acceptor::<A::R>::default().accept(end).await;
    assert!(matches!(accepted, Err(Error::Handshake(HandshakeError::BadHttp))));
    assert!(peer.read_to_end().await.starts_with(b"HTTP/1.1 400 "));

    let (peer, end) = A::pair();
    drop(peer);
    let accepted = Acceptor::<A::R>::default().accept(end).await;
    assert!(matches!(accepted, Err(Error::Handshake(HandshakeError::TransportEnded) | Error::Io(_))));
}

pub async fn a_handshake_that_takes_too_long<A: Adapter>() {
    let mut config = Config::default();
    config.timeouts.handshake = Some(A::short());
    let (peer, end) = A::pair();
    let mut peer = Peer::<A>(peer);
    peer.write(&REQUEST[..REQUEST.len() - 1]).await.expect("written");
    let accepted = Acceptor::<A::R>::new(config, ServerSettings::default()).accept(end).await;
    assert!(matches!(accepted, Err(Error::Handshake(HandshakeError::TimedOut))));
    assert!(peer.read_to_end().await.starts_with(b"HTTP/1.1 408 "));
}
