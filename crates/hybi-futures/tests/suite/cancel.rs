//! Every future is dropped wherever it waits, and nothing is lost, repeated or put in another order.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_sink::Sink;
use hybi::{Agreement, Connection, Message, Prepared};
use hybi_futures::{Acceptor, CloseCode, Config, Event, Handle, Reader, Runtime, WebSocket, Writer};
use hybi_test::frames::{close_body, first, masked, unmasked};

use super::Adapter;
use super::torn::{Tape, Torn};

type Socket<A> = WebSocket<Torn, <A as Adapter>::R>;

/// A server that reads this, and moves an octet at a time; more of what it says itself, where that is long.
fn server<A: Adapter>(script: &[u8]) -> (Socket<A>, Tape) {
    serving::<A>(Torn::new(script))
}

fn serving<A: Adapter>(stream: Torn) -> (Socket<A>, Tape) {
    let tape = stream.tape.clone();
    (WebSocket::new(stream, Connection::server(Agreement::default(), Config::default())), tape)
}

/// Messages whole and in pieces, pings between, a long one, the close.
fn script() -> Vec<u8> {
    [
        masked(first::TEXT, "tide: é".as_bytes()),
        masked(first::PING, b"one"),
        masked(first::BINARY & 0x0f, b"high "),
        masked(first::PING, b"two"),
        masked(first::CONTINUATION | 0x80, b"water"),
        masked(first::PONG, b"unasked"),
        masked(first::BINARY, &[7; 2_000]),
        masked(first::CLOSE, &close_body(1000, "ebb")),
    ]
    .concat()
}

/// What comes of it, and what has to be said.
fn expected() -> (Vec<String>, Vec<u8>) {
    let events = [
        r#"Text("tide: é")"#.into(),
        "Ping([111, 110, 101])".into(),
        "Ping([116, 119, 111])".into(),
        format!("Binary({:?})", b"high water"),
        format!("Pong({:?})", b"unasked"),
        format!("Binary({:?})", [7; 2_000]),
        r#"Close(Some(CloseFrame(1000, "ebb")))"#.into(),
        r#"Closed(CloseInfo { frame: Some(CloseFrame(1000, "ebb")), cause: Handshake })"#.into(),
    ];
    let said = [
        unmasked(first::PONG, b"one"),
        unmasked(first::PONG, b"two"),
        unmasked(first::CLOSE, &close_body(1000, "ebb")),
    ];
    (events.into(), said.concat())
}

/// Polls once and drops. The waker does nothing: it is polled again anyway.
fn once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls so many times and drops.
fn times<T>(n: usize, future: impl Future<Output = T>) -> Poll<T> {
    let mut future = pin!(future);
    for _ in 0..n {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Poll::Ready(value);
        }
    }
    Poll::Pending
}

/// Polls to the end.
fn whole<T>(future: impl Future<Output = T>) -> T {
    match times(1_000_000, future) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it does not come to an end"),
    }
}

pub async fn receiving<A: Adapter>() {
    let (events, said) = expected();
    for how in 0..4 {
        let (mut socket, tape) = server::<A>(&script());
        let mut seen = Vec::new();
        loop {
            let event = match how {
                0 => once(socket.recv()).map(|event| event.map(|event| format!("{event:?}"))),
                1 => once(socket.recv_with()).map(|event| event.map(|(event, _)| format!("{event:?}"))),
                2 => once(socket.recv_message()).map(|message| message.map(|message| format!("{message:?}"))),
                _ => {
                    let next = poll_fn(|cx| Pin::new(&mut socket).poll_next(cx));
                    once(next).map(|item| item.map(|item| format!("{:?}", item.expect("a clean end"))))
                }
            };
            match event {
                Poll::Ready(Some(event)) => seen.push(event),
                Poll::Ready(None) => break,
                Poll::Pending => {}
            }
        }
        if how < 2 {
            assert_eq!(seen, events);
        } else {
            let mut messages: Vec<_> = vec![format!("{:?}", Message::from("tide: é"))];
            messages.push(format!("{:?}", Message::from(b"high water".to_vec())));
            messages.push(format!("{:?}", Message::from(vec![7; 2_000])));
            assert_eq!(seen, messages);
        }
        assert_eq!(tape.written(), said);
        assert!(tape.0.lock().unwrap().ended);
    }
}

pub async fn reading_a_half<A: Adapter>() {
    let (events, said) = expected();
    let (socket, tape) = server::<A>(&script());
    let (mut reader, _writer) = socket.into_split();
    let mut seen = Vec::new();
    while let Some(event) = loop {
        match once(reader.recv()) {
            Poll::Ready(event) => break event,
            Poll::Pending => {}
        }
    } {
        seen.push(format!("{event:?}"));
    }
    assert_eq!(seen, events);
    assert_eq!(tape.written(), said);
}

/// A way to say something, and the octets of it.
struct Way<S> {
    say: for<'s> fn(&'s mut S) -> Pin<Box<dyn Future<Output = ()> + 's>>,
    octets: Vec<u8>,
}

macro_rules! way {
    (|$socket:ident| $said:expr, $octets:expr) => {
        Way {
            say: |$socket| Box::pin(async move { $said.await.map(drop).expect("it is taken") }),
            octets: $octets,
        }
    };
}

fn large() -> Vec<u8> {
    super::some_octets(5000)
}

fn longer() -> Vec<u8> {
    super::some_octets(20_000)
}

/// Drops each way to say something at each place; then says something else. Both are there, whole and in order.
fn expect_whole<S>(ways: Vec<Way<S>>, make: impl Fn() -> (S, Tape), then: &Way<S>) {
    let mut most = 0;
    for (number, way) in ways.iter().enumerate() {
        for polls in 1.. {
            let (mut socket, tape) = make();
            let over = times(polls, (way.say)(&mut socket)).is_ready();
            whole((then.say)(&mut socket));
            assert!(
                tape.written() == [&way.octets[..], &then.octets].concat(),
                "way {number} after {polls} polls"
            );
            if over {
                most = most.max(polls);
                break;
            }
        }
    }
    assert!(most > 3, "they waited at many places");
}

pub async fn sending<A: Adapter>() {
    let then: Way<Socket<A>> = way!(|socket| socket.send("then"), unmasked(first::TEXT, b"then"));
    let ways: Vec<Way<Socket<A>>> = vec![
        way!(|socket| socket.send("said"), unmasked(first::TEXT, b"said")),
        way!(|socket| socket.send_message("owned"), unmasked(first::TEXT, b"owned")),
        way!(
            |socket| async { socket.send_prepared(&Prepared::new("many")).await },
            unmasked(first::TEXT, b"many")
        ),
        way!(|socket| socket.ping(b"ping"), unmasked(first::PING, b"ping")),
        way!(
            |socket| async {
                socket.feed("fed").await?;
                socket.flush().await
            },
            unmasked(first::TEXT, b"fed")
        ),
        way!(
            |socket| async {
                Pin::new(&mut *socket).start_send("sunk".into())?;
                poll_fn(|cx| Sink::poll_flush(Pin::new(&mut *socket), cx)).await
            },
            unmasked(first::TEXT, b"sunk")
        ),
    ];
    expect_whole(ways, || server::<A>(&[]), &then);

    // Long ones go by reference, in a queue of several pieces.
    let ways: Vec<Way<Socket<A>>> =
        vec![way!(|socket| socket.send_message(large()), unmasked(first::BINARY, &large()))];
    expect_whole(ways, || serving::<A>(Torn::new(&[]).moving(100)), &then);

    // Longer ones are written from where they lie, behind what waits, until the stream makes them wait.
    for first in FIRST {
        let octets = [unmasked(first::TEXT, b"before"), unmasked(first::BINARY, &longer())].concat();
        let ways: Vec<Way<Socket<A>>> = vec![way!(
            |socket| async {
                socket.feed("before").await?;
                socket.send(&longer()).await
            },
            octets
        )];
        expect_whole(ways, || serving::<A>(Torn::new(&[]).moving(5000).ready(first)), &then);
    }

    let close: Way<Socket<A>> = way!(|socket| socket.flush(), Vec::new());
    let ways: Vec<Way<Socket<A>>> = vec![
        way!(
            |socket| socket.close(CloseCode::NORMAL, "bye"),
            unmasked(first::CLOSE, &close_body(1000, "bye"))
        ),
        way!(|socket| socket.close_with(None), unmasked(first::CLOSE, &[])),
    ];
    expect_whole(ways, || server::<A>(&[]), &close);
}

/// Octets that a stream takes at once.
const FIRST: [usize; 7] = [1, 8, 10, 12, 13, 5000, 19_999];

type Halves<A> = (Reader<Torn, <A as Adapter>::R>, Writer<Torn, <A as Adapter>::R>);

fn halves<A: Adapter>() -> (Halves<A>, Tape) {
    let (socket, tape) = server::<A>(&[]);
    (socket.into_split(), tape)
}

pub async fn sending_by_a_half<A: Adapter>() {
    let then: Way<Halves<A>> = way!(|halves| halves.1.send("then"), unmasked(first::TEXT, b"then"));
    let ways: Vec<Way<Halves<A>>> = vec![
        way!(|halves| halves.1.send("said"), unmasked(first::TEXT, b"said")),
        way!(|halves| halves.1.send_message("owned"), unmasked(first::TEXT, b"owned")),
        way!(
            |halves| async { halves.1.send_prepared(&Prepared::new("many")).await },
            unmasked(first::TEXT, b"many")
        ),
        way!(|halves| halves.1.ping(b"ping"), unmasked(first::PING, b"ping")),
        way!(|halves| halves.1.say(|sender| Ok(sender.send("so")?)), unmasked(first::TEXT, b"so")),
        way!(
            |halves| async {
                halves.1.feed("fed").await?;
                halves.1.flush().await
            },
            unmasked(first::TEXT, b"fed")
        ),
    ];
    expect_whole(ways, halves::<A>, &then);

    for first in FIRST {
        let octets = [unmasked(first::TEXT, b"before"), unmasked(first::BINARY, &longer())].concat();
        let ways: Vec<Way<Halves<A>>> = vec![way!(
            |halves| async {
                halves.1.feed("before").await?;
                halves.1.send(&longer()).await
            },
            octets
        )];
        let halves = || {
            let (socket, tape) = serving::<A>(Torn::new(&[]).moving(1000).ready(first));
            (socket.into_split(), tape)
        };
        expect_whole(ways, halves, &then);
    }

    let close: Way<Halves<A>> = way!(|halves| halves.1.flush(), Vec::new());
    let ways: Vec<Way<Halves<A>>> = vec![
        way!(
            |halves| halves.1.close(CloseCode::NORMAL, "bye"),
            unmasked(first::CLOSE, &close_body(1000, "bye"))
        ),
        way!(|halves| halves.1.close_with(None), unmasked(first::CLOSE, &[])),
    ];
    expect_whole(ways, halves::<A>, &close);
}

pub async fn sending_by_a_handle<A: Adapter>()
where
    <A::R as Runtime>::Timer: Send,
{
    let handles = || {
        let ((reader, writer), tape) = halves::<A>();
        ((writer.handle(), reader), tape)
    };
    type Handles<A> = (Handle, Reader<Torn, <A as Adapter>::R>);
    let then: Way<Handles<A>> = way!(|handles| handles.0.send("then"), unmasked(first::TEXT, b"then"));
    let ways: Vec<Way<Handles<A>>> = vec![
        way!(|handles| handles.0.send("said"), unmasked(first::TEXT, b"said")),
        way!(|handles| handles.0.send_message("owned"), unmasked(first::TEXT, b"owned")),
        way!(
            |handles| async { handles.0.send_prepared(&Prepared::new("many")).await },
            unmasked(first::TEXT, b"many")
        ),
        way!(|handles| handles.0.ping(b"ping"), unmasked(first::PING, b"ping")),
    ];
    expect_whole(ways, handles, &then);

    for first in FIRST {
        let handles = || {
            let (socket, tape) = serving::<A>(Torn::new(&[]).moving(1000).ready(first));
            let (reader, writer) = socket.into_split();
            ((writer.handle(), reader), tape)
        };
        let ways: Vec<Way<Handles<A>>> =
            vec![way!(|handles| handles.0.send(&longer()), unmasked(first::BINARY, &longer()))];
        expect_whole(ways, handles, &then);
    }
}

pub async fn a_call_that_was_not_polled_did_nothing<A: Adapter>() {
    let (mut socket, tape) = server::<A>(&[]);
    drop(socket.send("not said"));
    drop(socket.ping(b"not said"));
    drop(socket.close(CloseCode::NORMAL, "not said"));
    assert_eq!(socket.connection().buffered_len(), 0);
    whole(socket.send("said")).expect("sent");
    let (mut reader, mut writer) = socket.into_split();
    drop(writer.send("not said"));
    drop(reader.recv());
    whole(writer.send("said too")).expect("sent");
    assert_eq!(tape.written(), [unmasked(first::TEXT, b"said"), unmasked(first::TEXT, b"said too")].concat());
}

pub async fn an_acceptor_that_is_dropped_drops_its_stream<A: Adapter>() {
    let request = b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let frames = masked(first::TEXT, b"behind the request");
    for polls in 0.. {
        let stream = Torn::new(&[&request[..], &frames].concat());
        let tape = stream.tape.clone();
        let acceptor = Acceptor::<A::R>::default();
        let accepted = times(polls, acceptor.accept(stream));
        if let Poll::Ready(socket) = accepted {
            let mut socket = socket.expect("a good request");
            assert!(
                matches!(whole(socket.recv()), Some(Event::Text(text)) if text.as_str() == "behind the request")
            );
            assert!(polls > request.len(), "it waited at each octet");
            break;
        }
        assert_eq!(std::sync::Arc::strong_count(&tape.0), 1, "after {polls} polls");
    }
}
