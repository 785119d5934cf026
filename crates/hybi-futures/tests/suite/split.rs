//! Two halves, handles, and who wakes whom.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::task::Poll;

use hybi::{Agreement, Connection, Timeout};
use hybi_futures::{
    CloseCause, CloseCode, CloseInfo, Config, Error, Event, Prepared, Reader, Runtime, State, UsageError,
    WebSocket, Writer,
};
use hybi_test::frames::{close_body, first, masked, unmasked};

use super::torn::{Fault, Torn};
use super::{Adapter, drain, drain_reader, echo, open, open_with, server};

/// Messages in each direction.
const MANY: u32 = 20_000;
/// A ping comes after so many messages.
const PING_EVERY: u32 = 1_000;

/// Sends so many numbered messages, with pings between.
pub async fn send_many<S, R: hybi_futures::Io<S>>(writer: &mut Writer<S, R>, many: u32) {
    for n in 0..many {
        writer.send(&n.to_be_bytes()).await.expect("sent");
        if n % PING_EVERY == 0 {
            writer.ping(&n.to_be_bytes()).await.expect("sent");
        }
    }
}

/// Receives as many, in order, then calls `all_there`. Returns how the connection ended, and how many pongs came.
pub async fn receive_many<S, R: hybi_futures::Io<S>>(
    mut reader: Reader<S, R>,
    many: u32,
    all_there: impl FnOnce(),
) -> (CloseInfo, u32) {
    let (mut messages, mut pongs, mut all_there) = (0_u32, 0, Some(all_there));
    loop {
        match reader.recv().await.expect("the end comes before") {
            Event::Binary(data) => {
                assert_eq!(&*data, messages.to_be_bytes());
                messages += 1;
                if messages == many {
                    all_there.take().expect("once")();
                }
            }
            Event::Pong(_) => pongs += 1,
            Event::Closed(info) => {
                assert_eq!(messages, many);
                return (info, pongs);
            }
            _ => {}
        }
    }
}

pub async fn many_messages_both_ways_with_pings_between<A: Adapter>() {
    let (client, server) = open::<A>();
    let (client_reader, mut client_writer) = client.into_split();
    let (server_reader, mut server_writer) = server.into_split();
    let gates = [super::Gate::default(), super::Gate::default()];
    let [client_has_all, server_has_all] = gates.clone();
    let serving = A::spawn(async move { receive_many(server_reader, MANY, || server_has_all.open()).await });
    let receiving =
        A::spawn(async move { receive_many(client_reader, MANY, || client_has_all.open()).await });
    let sending = A::spawn(async move { send_many(&mut server_writer, MANY).await });
    send_many(&mut client_writer, MANY).await;
    sending.await;
    for gate in gates {
        gate.wait().await;
    }
    client_writer.close(CloseCode::NORMAL, "all there").await.expect("it is open");
    for (end, pongs) in [receiving.await, serving.await] {
        assert_eq!((end.code(), end.reason(), end.is_clean()), (1000, "all there", true));
        assert!((1..=MANY / PING_EVERY).contains(&pongs), "{pongs}"); // RFC 6455 §5.5.3: some may be left out
    }
}

pub async fn the_writer_closes_and_the_reader_sees_the_end<A: Adapter>() {
    let (client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    let (mut reader, mut writer) = client.into_split();
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await });
    writer.send("hello").await.expect("sent");
    writer.close(CloseCode::NORMAL, "bye").await.expect("it is open");
    assert!(matches!(writer.send("late").await, Err(Error::Usage(UsageError::NotOpen))));
    let (events, end) = reading.await;
    assert_eq!(events, [r#"Text("hello")"#, r#"Close(Some(CloseFrame(1000, "bye")))"#]);
    assert_eq!(writer.state(), State::Closed);
    assert_eq!(echoing.await, end);
}

pub async fn a_reader_answers_pings_while_the_writer_rests<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let (mut reader, writer) = server.into_split();
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await.0 });
    for n in 0..100_u8 {
        client.ping(&[n]).await.expect("sent");
        assert!(matches!(client.recv().await, Some(Event::Pong([back])) if *back == n));
    }
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    assert!(drain::<A>(&mut client).await.1.is_clean());
    assert_eq!(reading.await.len(), 101);
    drop(writer);
}

pub async fn deadlines_run_while_the_writer_alone_is_polled<A: Adapter>() {
    let mut config = Config::default();
    config.timeouts.write_stall = Some(A::short());
    let (peer, server) = server::<A>(config);
    let (mut reader, mut writer) = server.into_split();
    let error = writer.send(&vec![0; 8 << 20]).await.expect_err("nobody reads");
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    let end = drain_reader::<A>(&mut reader).await.1;
    assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
    drop(peer);
}

/// The writer waits for a full pipe; the reader is polled again and again beside it, and has things to say.
pub async fn a_writer_that_waits_keeps_its_waker<A: Adapter>() {
    let (mut peer, server) = server::<A>(Config::default());
    let (mut reader, mut writer) = server.into_split();
    let writing = A::spawn(async move { writer.send(&vec![7; 1 << 20]).await });
    assert_eq!(peer.read_exact(10).await[..2], [first::BINARY, 127]);
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await.0 });
    for n in 0..100_u8 {
        peer.write(&masked(first::PING, &[n])).await.expect("the reader reads");
    }
    peer.read_exact(1 << 20).await;
    writing.await.expect("sent");
    let pong = peer.read_exact(3).await;
    assert_eq!(pong[..2], [first::PONG, 1]);
    peer.write(&masked(first::CLOSE, &[])).await.expect("written");
    let rest = peer.read_to_end().await;
    assert!(rest.ends_with(&unmasked(first::CLOSE, &[])));
    assert!(rest.len() <= 20 * 3 + 2, "they do not pile up");
    assert_eq!(reading.await.len(), 101);
}

pub async fn many_handles_share_a_narrow_pipe<A: Adapter>()
where
    A::S: Send,
    <A::R as Runtime>::Timer: Send,
{
    const HANDLES: usize = 50;
    const EACH: usize = 20;
    let mut config = Config::default();
    (config.water.high, config.water.low) = (8_000, 2_000);
    let (client, mut server) = open_with::<A>(config, Config::default());
    let (mut reader, writer) = client.into_split();
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await.1 });
    let mut sending = Vec::new();
    for number in 0..HANDLES {
        let handle = writer.handle();
        sending.push(A::spawn(async move {
            for n in 0..EACH {
                let mut payload = vec![0; 3000];
                (payload[0], payload[1]) = (number as u8, n as u8);
                handle.send(&payload).await.expect("sent");
            }
        }));
    }
    let mut next = [0; HANDLES];
    for _ in 0..HANDLES * EACH {
        let message = server.recv_message().await.expect("all of them come");
        let (number, n) = (message.as_bytes()[0], message.as_bytes()[1]);
        assert_eq!(next[usize::from(number)], n, "each in order");
        next[usize::from(number)] += 1;
    }
    for sending in sending {
        sending.await;
    }
    server.close(CloseCode::NORMAL, "").await.expect("it is open");
    assert!(drain::<A>(&mut server).await.1.is_clean() && reading.await.is_clean());
    assert_eq!(writer.handle().state(), State::Closed);
    assert!(matches!(writer.handle().send("late").await, Err(Error::Usage(UsageError::NotOpen))));
}

pub async fn aborting_wakes_everybody<A: Adapter>()
where
    A::S: Send,
    <A::R as Runtime>::Timer: Send,
{
    let (mut peer, server) = server::<A>(Config::default());
    let (mut reader, mut writer) = server.into_split();
    let handle = writer.handle();
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await.1 });
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let handle = writer.handle();
            A::spawn(async move { handle.send(&vec![0; 1 << 20]).await })
        })
        .collect();
    let round_trip = A::spawn(writer_ping(writer.handle()));
    let writing = A::spawn(async move { writer.send(&vec![0; 1 << 20]).await });
    peer.read_exact(100_000).await; // they are at it
    handle.abort();
    assert!(writing.await.is_err());
    for waiting in waiting {
        assert!(waiting.await.is_err());
    }
    assert_eq!(round_trip.await, None);
    assert_eq!(reading.await.cause(), &CloseCause::Aborted);
    assert_eq!(handle.state(), State::Closed);
    peer.read_to_end().await;
}

async fn writer_ping(handle: hybi_futures::Handle) -> Option<std::time::Duration> {
    handle.ping(b"?").await.ok()?.await
}

pub async fn a_peer_that_never_reads_stops_every_writer<A: Adapter>()
where
    A::S: Send,
    <A::R as Runtime>::Timer: Send,
{
    let mut config = Config::default();
    config.timeouts.write_stall = Some(A::short());
    let (peer, server) = server::<A>(config);
    let (mut reader, writer) = server.into_split();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let handle = writer.handle();
            A::spawn(async move { while handle.send(&vec![0; 300_000]).await.is_ok() {} })
        })
        .collect();
    let end = drain_reader::<A>(&mut reader).await.1;
    assert_eq!((end.code(), end.cause()), (1006, &CloseCause::TimedOut(Timeout::WriteStall)));
    for waiting in waiting {
        waiting.await;
    }
    drop(peer);
}

pub async fn dropping_the_writer_does_not_end_the_connection<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let (mut reader, writer) = server.into_split();
    drop(writer);
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await });
    client.send("still there").await.expect("sent");
    client.close(CloseCode::NORMAL, "").await.expect("it is open");
    assert!(drain::<A>(&mut client).await.1.is_clean());
    assert_eq!(reading.await.0[0], r#"Text("still there")"#);
}

pub async fn a_slow_receiver_does_not_hold_up_a_broadcast<A: Adapter>()
where
    A::S: Send,
    <A::R as Runtime>::Timer: Send,
{
    let news = Prepared::new(&vec![7; 10_000]);
    let (mut slow, server) = server::<A>(Config::default());
    let (mut reader, writer) = server.into_split();
    let reading = A::spawn(async move { drain_reader::<A>(&mut reader).await });
    let handle = writer.handle();
    let mut taken = 0;
    while handle.try_send_prepared(&news).is_ok() {
        taken += 1;
        assert!(taken < 10_000, "the queue is bounded");
    }
    assert!(matches!(handle.try_send_prepared(&news), Err(Error::Usage(UsageError::QueueFull))));
    slow.read_exact(taken * 10_004).await; // the reader transmits it
    handle.try_send_prepared(&news).expect("there is room");
    slow.read_exact(10_004).await;
    slow.write(&masked(first::CLOSE, &close_body(1000, ""))).await.expect("written");
    assert!(reading.await.1.is_clean());
}

pub async fn what_waits_before_the_split_is_not_lost<A: Adapter>() {
    let (mut client, server) = open::<A>();
    let echoing = A::spawn(echo::<A>(server));
    client.feed("fed before").await.expect("taken");
    let (mut reader, mut writer) = client.into_split();
    writer.send("sent after").await.expect("sent");
    for expected in ["fed before", "sent after"] {
        assert_eq!(reader.recv_message().await.expect("it comes back").as_str(), Some(expected));
    }
    writer.close(CloseCode::NORMAL, "").await.expect("it is open");
    assert!(drain_reader::<A>(&mut reader).await.1.is_clean());
    echoing.await;
}

pub async fn a_half_whose_transport_breaks<A: Adapter>() {
    for fault in
        [Fault::WriteFailsAt(3, ErrorKind::BrokenPipe), Fault::ReadFailsAt(5, ErrorKind::ConnectionReset)]
    {
        let stream = Torn::new(&masked(first::TEXT, b"cut")).with(fault);
        let connection = Connection::server(Agreement::default(), Config::default());
        let (mut reader, mut writer) = WebSocket::<_, A::R>::new(stream, connection).into_split();
        let mut sent = std::pin::pin!(writer.send("hello"));
        let mut sent_at = None;
        let mut events = Vec::new();
        poll_fn(|cx| {
            if sent_at.is_none()
                && let Poll::Ready(result) = sent.as_mut().poll(cx)
            {
                sent_at = Some(result);
            }
            while let Poll::Ready(event) = reader.poll_event(cx) {
                match event {
                    Some(event) => events.push(format!("{event:?}")),
                    None => return Poll::Ready(()),
                }
            }
            // A write that failed does not end the reading, and the script does not end either.
            if sent_at.is_some() && matches!(fault, Fault::WriteFailsAt(..)) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        match (fault, sent_at) {
            (Fault::WriteFailsAt(_, kind), Some(Err(Error::Io(error)))) => assert_eq!(error.kind(), kind),
            (Fault::ReadFailsAt(..), _) => assert_eq!(events.len(), 1, "{events:?}"),
            other => panic!("{other:?}"),
        }
        assert!(reader.io_error().is_some());
    }
}
