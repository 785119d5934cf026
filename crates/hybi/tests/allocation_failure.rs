//! Each allocation of a session fails once, one after another: the connection fails or a call is refused.
//! Nothing aborts or panics, nothing wrong is delivered or sent, somebody is told, and nothing leaks. I-35.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use std::sync::Arc;
use std::time::Duration;

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Deflater, Level, Params, WindowBits};
use hybi::extension::{
    Extension, Extensions, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit,
};
use hybi::{
    Agreement, CloseCode, Config, Connection, Delivery, Event, Instant, Kind, Message, ProtocolError, Role,
    State, UsageError,
};
use hybi_test::alloc::{Counting, Measure, look_away};
use hybi_test::endpoint::{Memory, config, open, open_agreed, open_with, receive, take_events, transmit_all};
use hybi_test::frames::{close_body, first, read_extended, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What happens in a session.
enum Do {
    Receive(Vec<u8>),
    Text(usize),
    Binary(usize),
    /// Handed over.
    Own(usize),
    Fragment(usize),
    Last(usize),
    Ping,
    Close(&'static str),
    Transmit,
    /// So many milliseconds pass.
    Wait(u64),
    Eof,
}

struct Session {
    name: &'static str,
    config: Config,
    deflate: bool,
    /// With an extension of somebody else, before permessage-deflate if that is there too.
    flip: bool,
    happens: Vec<Do>,
}

/// Inverts every bit, where the payload lies.
#[derive(Debug)]
struct Flip;

impl Extension for Flip {
    fn name(&self) -> &str {
        "x-flip"
    }
    fn rsv(&self) -> Rsv {
        Rsv::RSV2
    }
    fn offers(&self) -> Vec<Offer> {
        vec![Offer::new("x-flip").unwrap()]
    }
    fn answer(&self, offers: &[Offer]) -> Option<Offer> {
        offers.first().cloned()
    }
    fn agrees(&self, _: &Offer) -> bool {
        true
    }
    fn transforms(&self, _: Role, _: &Offer) -> Transforms {
        Transforms { outward: Box::new(Self), inward: Box::new(Self) }
    }
}

impl Outward for Flip {
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        message.rsv = message.rsv.with(Rsv::RSV2);
        self.inward(message, usize::MAX)
    }
}

impl Inward for Flip {
    fn inward(&mut self, message: &mut Transit, _: usize) -> Result<(), TransformError> {
        message.payload.iter_mut().for_each(|octet| *octet = !*octet);
        Ok(())
    }
}

fn session(name: &'static str, happens: Vec<Do>) -> Session {
    Session { name, config: Config::default(), deflate: false, flip: false, happens }
}

impl Session {
    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.config = config(change);
        self
    }

    fn deflated(self) -> Self {
        Self { deflate: true, ..self }
    }

    fn flipped(self) -> Self {
        Self { flip: true, ..self }
    }

    fn agreement(&self) -> Agreement {
        let mut extensions = Extensions::new();
        if self.flip {
            extensions.register(Flip).unwrap();
        }
        let (_, agreed) = extensions.answer(&extensions.offers());
        let agreement = Agreement::default().with_extensions(agreed);
        if !self.deflate {
            return agreement;
        }
        let mut settings = DeflateConfig::default();
        settings.threshold = 0;
        agreement.with_deflate(Deflate::new(settings, Params::default()))
    }

    /// Opens a connection whose allocation of this number fails, counted from its making on; 0: none. An extension of
    /// somebody else makes its transforms as it likes, and comes before that.
    fn open(&self, role: Role, number: usize) -> (Connection, Measure) {
        let (agreement, config) = look_away(|| (self.agreement(), Arc::new(self.config.clone())));
        let measure = Measure::start();
        measure.fail_at(if self.flip { 0 } else { number });
        let mut connection = open_agreed(role, agreement, config);
        measure.fail_at(0);
        if self.deflate && self.compresses() {
            // What the library of the compressor needs depends on nobody's messages. We ask whether there is memory
            // before it takes it (tests/rfc7692/memory.rs), for it cannot be told that there is none.
            look_away(|| {
                connection.send("first").unwrap();
                transmit(&mut connection, &mut Vec::new());
            });
        }
        let measure = if self.flip { Measure::start() } else { measure };
        measure.fail_at(number);
        (connection, measure)
    }

    /// It sends messages.
    fn compresses(&self) -> bool {
        let says = |step: &Do| matches!(step, Do::Text(_) | Do::Binary(_) | Do::Own(_) | Do::Fragment(_));
        self.happens.iter().any(says)
    }
}

/// The sessions; `to` makes frames of the peer.
fn sessions(role: Role) -> Vec<Session> {
    use Do::*;
    let from_peer = |frames: &[(u8, &[u8])]| {
        Receive(frames.iter().flat_map(|(first, payload)| to(role, *first, payload)).collect())
    };
    let big = vec![3; 40_000];
    let message = deflate(&b"tide after tide, ".repeat(500));
    vec![
        session("a short message", vec![from_peer(&[(first::TEXT, b"short")])]),
        session("many short messages", vec![from_peer(&[(first::TEXT, &b"short"[..]); 50])]),
        session("a large message", vec![from_peer(&[(first::BINARY, &big)])]),
        session("fragments", vec![from_peer(&[(0x01, b"a"), (0x00, &[b'b'; 3000]), (0x80, &[b'c'; 9000])])]),
        session(
            "pings between fragments",
            vec![
                from_peer(&[(0x02, b"1"), (first::PING, b"?"), (0x80, b"2"), (first::PING, &[7; 125])]),
                Transmit,
            ],
        ),
        session("pings without end", vec![from_peer(&[(first::PING, &[8; 100][..]); 40]), Transmit])
            .with(|config| config.limits.pending_pongs = 3),
        session("a close frame", vec![from_peer(&[(first::CLOSE, &close_body(1000, "bye"))]), Transmit, Eof]),
        session(
            "our close frame",
            vec![Close("bye"), Transmit, from_peer(&[(first::CLOSE, b"\x03\xE8")]), Eof],
        ),
        session("a failure", vec![from_peer(&[(first::TEXT, b"ok"), (first::TEXT, b"\xFF")]), Transmit, Eof]),
        session("a message too big", vec![from_peer(&[(0x02, &[1; 900]), (0x80, &[2; 200])]), Transmit])
            .with(|config| config.limits.message = 1000),
        session("in pieces", vec![from_peer(&[(0x01, "é".as_bytes()), (0x00, b"\xC3"), (0x80, b"\xA9")])])
            .with(|config| config.delivery = Delivery::Fragments),
        session("sends copies", vec![Text(10), Binary(300), Binary(70_000), Transmit]),
        session("sends what it owns", vec![Own(10), Own(5000), Own(70_000), Transmit]),
        session("sends fragments", vec![Fragment(10), Ping, Fragment(5000), Last(10), Transmit]),
        session(
            "answers",
            vec![from_peer(&[(first::TEXT, b"?")]), Text(3000), from_peer(&[(first::PING, b"!")]), Transmit],
        ),
        session("keeps alive", vec![Wait(0), Wait(1000), Transmit, Wait(2000), Transmit, Wait(9000)])
            .with(|config| config.timeouts.keepalive = Some(Duration::from_secs(1))),
        session("is idle", vec![Wait(0), Wait(1000), Wait(2000), Transmit])
            .with(|config| config.timeouts.idle = Some(Duration::from_secs(1))),
        session("ends inside a message", vec![from_peer(&[(0x01, &[b'a'; 5000])]), Eof]),
        session("compressed", vec![from_peer(&[(0xC1, &message), (0xC1, &message)])]).deflated(),
        session("compressed fragments", vec![from_peer(&[(0x41, &message[..20]), (0x80, &message[20..])])])
            .deflated(),
        session("compressed, in pieces", vec![from_peer(&[(0x41, &message[..20]), (0x80, &message[20..])])])
            .with(|config| config.delivery = Delivery::Fragments)
            .deflated(),
        session("compresses", vec![Text(500), Binary(9000), Own(9000), Fragment(100), Last(100), Transmit])
            .deflated(),
        session(
            "through an extension",
            vec![from_peer(&[(0x22, &big[..9000]), (first::PING, b"?"), (0x80, &big[9000..]), (0xA2, b"")])],
        )
        .flipped(),
        session("through two", vec![from_peer(&[(0xE2, &message), (0xE2, &message)])]).flipped().deflated(),
        session("through two, in pieces", vec![from_peer(&[(0x62, &message[..20]), (0x80, &message[20..])])])
            .with(|config| config.delivery = Delivery::Fragments)
            .flipped()
            .deflated(),
        session("not text behind an extension", vec![from_peer(&[(0xA1, b"ascii")]), Transmit, Eof])
            .flipped(),
        session(
            "sends through an extension",
            vec![Text(10), Own(9000), Fragment(3000), Ping, Last(3000), Binary(70_000), Transmit],
        )
        .flipped(),
        session(
            "sends through two",
            vec![Text(500), Own(9000), Fragment(100), Last(100), Binary(9), Transmit],
        )
        .flipped()
        .deflated(),
    ]
}

fn deflate(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(WindowBits::MAX, false, Level::default()).deflate(message, &mut out, true).unwrap();
    out
}

/// What a session came to.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<Record>,
    sent: Vec<u8>,
    refused: Option<UsageError>,
}

impl Outcome {
    fn refused(&mut self, result: Result<(), UsageError>) -> bool {
        self.refused = self.refused.or(result.err());
        self.refused.is_some()
    }
}

/// Runs it until a call is refused. Only the library's allocations count.
fn run(session: &Session, connection: &mut Connection, memory: Memory) -> Outcome {
    let mut out = look_away(Outcome::default);
    for step in &session.happens {
        let payload = |len: usize| look_away(|| vec![b'p'; len]);
        let result = match step {
            Do::Receive(octets) => {
                for read in octets.chunks(1500) {
                    memory.show(connection, read, |event| out.events.push(record(event)));
                }
                Ok(())
            }
            Do::Text(len) => connection.send(str::from_utf8(&payload(*len)).unwrap()),
            Do::Binary(len) => connection.send(&payload(*len)),
            Do::Own(len) => {
                let message = look_away(|| Message::from(vec![b'o'; *len]));
                connection.send_message(message).map_err(|refused| look_away(|| refused.error))
            }
            Do::Fragment(len) => {
                let begun = connection.writer().is_some();
                let writer =
                    if begun { Ok(connection.writer().unwrap()) } else { connection.start(Kind::Binary) };
                writer.and_then(|mut writer| writer.write(&payload(*len)))
            }
            Do::Last(len) => connection.writer().map_or(Ok(()), |writer| writer.finish(&payload(*len))),
            Do::Ping => connection.ping(b"?"),
            Do::Close(reason) => connection.close(CloseCode::NORMAL, reason),
            Do::Transmit => {
                transmit(connection, &mut out.sent);
                Ok(())
            }
            Do::Wait(to) => {
                connection.handle_timeout(Instant::from_nanos(1 + to * 1_000_000));
                Ok(())
            }
            Do::Eof => {
                connection.receive_eof();
                Ok(())
            }
        };
        while let Some(event) = connection.poll_event() {
            look_away(|| out.events.push(record(&event)));
        }
        if out.refused(result) {
            break;
        }
    }
    out
}

fn transmit(connection: &mut Connection, sent: &mut Vec<u8>) {
    while !connection.transmit().is_empty() {
        look_away(|| sent.extend_from_slice(connection.transmit()));
        connection.transmitted(connection.transmit().len());
    }
}

fn record(event: &Event<'_>) -> Record {
    match event {
        Event::Text(text) => Record::text(text.as_str()),
        Event::Binary(data) => Record::Binary(data.to_vec()),
        Event::Fragment(piece) => Record::Fragment {
            kind: piece.kind,
            data: piece.data.to_vec(),
            first: piece.first,
            last: piece.last,
        },
        Event::Ping(payload) => Record::Ping(payload.to_vec()),
        Event::Close(frame) => Record::close(frame.as_ref()),
        Event::Failed(error) => Record::Failed(*error),
        Event::Closed(info) => Record::closed(info),
        other => panic!("not in these sessions: {other:?}"),
    }
}

/// Up to the first event that tells of an end: what was delivered.
fn delivered(events: &[Record]) -> &[Record] {
    let ends = |event: &Record| matches!(event, Record::Failed(_) | Record::Close(_) | Record::Closed(..));
    &events[..events.iter().position(ends).unwrap_or(events.len())]
}

twins! {
    fn there_are_twenty_sessions_and_more(role) {
        assert!(sessions(role).len() >= 20);
    }

    fn every_allocation_may_fail_once(role) {
        for session in sessions(role) {
            for memory in Memory::ALL {
                let (mut connection, _) = session.open(role, 0);
                let right = run(&session, &mut connection, memory);
                let mut number = 0;
                loop {
                    number += 1;
                    let (mut connection, measure) = session.open(role, number);
                    let mut outcome = run(&session, &mut connection, memory);
                    measure.fail_at(0);
                    let failed = measure.allocations() >= number;
                    judge(&session, &mut connection, &mut outcome, &right, failed, number);
                    drop(connection);
                    assert!(measure.held() <= 0, "{}, {memory:?}, allocation {number}: a leak", session.name);
                    if !failed {
                        break;
                    }
                }
            }
        }
    }
}

twins! {
    /// The same for two halves: each event is told, or the end; only a pong may be left out.
    fn every_allocation_of_the_halves_may_fail_once(role) {
        let tide = deflate(&b"tide after tide, ".repeat(500));
        let octets = [
            to(role, 0xC1, &tide),
            to(role, first::PING, b"are you there"),
            to(role, 0x01, b"half "),
            to(role, first::CONTINUATION, b"and half"),
            to(role, first::CLOSE, &close_body(1000, "bye")),
        ]
        .concat();
        let session = session("halves", vec![]).deflated();
        for number in 1.. {
            let (connection, measure) = session.open(role, number);
            let (mut receiver, mut sender) = connection.into_split();
            let mut memory = look_away(|| octets.clone());
            let (mut ends, mut texts) = (0, 0);
            for read in memory.chunks_mut(10) {
                let mut input = receiver.receive(read);
                while let Some(event) = input.poll_event() {
                    ends += usize::from(matches!(event, Event::Closed(_) | Event::Failed(_)));
                    texts += usize::from(matches!(event, Event::Text(_)));
                }
                drop(input);
                while let Some(reply) = receiver.poll_reply() {
                    sender.handle_reply(reply);
                }
            }
            let mut sent = Vec::new();
            while !sender.transmit().is_empty() {
                look_away(|| sent.extend_from_slice(sender.transmit()));
                sender.transmitted(sender.transmit().len());
            }
            measure.fail_at(0);
            assert!(ends >= 1 || sender.poll_gave_up().is_some(), "allocation {number}");
            read_extended(role, &sent, 0).unwrap();
            if measure.allocations() < number {
                return assert_eq!((ends, texts), (1, 2), "nothing failed");
            }
        }
    }
}

/// Without memory for the copy, nothing has passed, and the next message can be sent. Without memory for the frame of
/// what has passed, the peer could not follow.
#[test]
fn a_message_that_passed_and_was_not_sent_ends_its_direction() {
    let flipped = session("", vec![]).flipped();
    for (number, then) in [(1, Ok(())), (2, Err(UsageError::ExtensionFailed))] {
        let (mut connection, measure) = flipped.open(Role::Server, number);
        assert_eq!(connection.send("high water"), Err(UsageError::OutOfMemory), "allocation {number}");
        measure.fail_at(0);
        assert_eq!(connection.buffered_len(), 0);
        assert_eq!(connection.send("high water"), then);
        assert_eq!(connection.start(Kind::Text).map(drop), then);
        connection.ping(b"?").unwrap();
    }
}

fn judge(
    session: &Session,
    connection: &mut Connection,
    outcome: &mut Outcome,
    right: &Outcome,
    failed: bool,
    number: usize,
) {
    let what = format!("{} as {:?}, allocation {number}", session.name, connection.role());
    if !failed {
        return assert_eq!(outcome, right, "{what}: nothing failed");
    }
    let expected = delivered(&right.events);
    let got = delivered(&outcome.events);
    assert!(expected.starts_with(got), "{what}: {:?}", outcome.events);
    let told = |event: &Record| !matches!(event, Record::Failed(_)) || right.events.contains(event);
    let reasons: Vec<_> = outcome.events.iter().filter(|event| !told(event)).collect();
    assert!(
        reasons.iter().all(|event| **event == Record::Failed(ProtocolError::OutOfMemory)),
        "{what}: {reasons:?}"
    );
    let quiet = outcome.refused.is_none() && connection.state() == State::Open;
    look_away(|| {
        transmit(connection, &mut outcome.sent);
        let rsv = if session.deflate { 4 } else { 0 } | if session.flip { 2 } else { 0 };
        read_extended(connection.role(), &outcome.sent, rsv)
            .unwrap_or_else(|complaint| panic!("{what}: {complaint}"));
        let mut rest = Vec::new();
        take_events(connection, &mut rest);
    });
    assert!(!quiet || got == expected, "{what} failed, and nobody was told");
}

twins! {
    fn a_pong_that_is_held_waits_for_memory(role) {
        let mut connection = open_with(role, config(|config| config.limits.pending_pongs = 1));
        receive(&mut connection, &[to(role, first::PING, b"1"), to(role, first::PING, b"2")].concat());
        let measure = Measure::start();
        measure.fail_at(1); // for the second pong, when the first has been transmitted
        let sent = look_away(|| connection.transmit().to_vec());
        connection.transmitted(sent.len());
        measure.fail_at(0);
        assert_eq!(receive(&mut open(role.peer()), &sent), [Record::Pong(b"1".to_vec())]);
        assert!(!connection.is_silent(), "it is to be sent");
        connection.send("x").unwrap();
        let sent = transmit_all(&mut connection);
        let arrived = receive(&mut open(role.peer()), &sent);
        assert_eq!(arrived, [Record::Text(b"x".to_vec()), Record::Pong(b"2".to_vec())]);
    }
    fn a_close_frame_that_had_no_memory_leaves_the_pong_before_it(role) {
        let mut connection = open_with(role, config(|config| config.limits.pending_pongs = 1));
        receive(&mut connection, &[to(role, first::PING, b"1"), to(role, first::PING, b"2")].concat());
        let measure = Measure::start();
        measure.fail_at(1); // for the pong that is held
        assert_eq!(connection.sender().close_with(None), Err(UsageError::OutOfMemory));
        measure.fail_at(0);
        connection.sender().close_with(None).unwrap();
        let sent = transmit_all(&mut connection);
        let arrived = receive(&mut open(role.peer()), &sent);
        assert_eq!(arrived[..2], [Record::Pong(b"1".to_vec()), Record::Pong(b"2".to_vec())]);
        assert!(matches!(arrived[2], Record::Close(_)));
    }
}

twins! {
    fn without_memory_for_a_read_the_connection_fails(role) {
        let mut connection = open(role);
        let measure = Measure::start();
        measure.fail_at(1);
        assert!(connection.recv_space().is_empty());
        measure.fail_at(0);
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [Record::Failed(ProtocolError::OutOfMemory)]);
    }
}

/// What could not be queued comes back as what it was.
#[test]
fn a_message_that_could_not_be_queued_comes_back() {
    let text = "low water ".repeat(1000);
    for message in [Message::from(text.clone()), Message::from(text.clone().into_bytes())] {
        let mut connection = open(Role::Server);
        let measure = Measure::start();
        measure.fail_at(1);
        let refused = connection.send_message(message).unwrap_err();
        measure.fail_at(0);
        assert_eq!(refused.error, UsageError::OutOfMemory);
        connection.send_message(refused.payload).unwrap();
        assert!(transmit_all(&mut connection).ends_with(text.as_bytes()));
    }
}

/// The peer could make nothing of half a message.
#[test]
fn without_memory_for_the_rest_of_a_lent_message_the_connection_fails() {
    for taken in [0, 2, 100] {
        let mut connection = open(Role::Server);
        let payload = vec![7; 10_000];
        let mut outgoing = connection.sender().send_lent(&payload).unwrap();
        outgoing.transmitted(taken);
        let measure = Measure::start();
        measure.fail_at(1);
        drop(outgoing);
        measure.fail_at(0);
        assert_eq!(connection.buffered_len(), 0);
        assert_eq!(connection.send("x"), Err(UsageError::NotOpen));
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert!(matches!(events[..], [Record::Closed(..)]), "{events:?}");
        let cause = connection.close_info().map(hybi::CloseInfo::cause);
        assert_eq!(cause, Some(&hybi::CloseCause::Failed(ProtocolError::OutOfMemory)));
    }
}

#[test]
fn without_memory_for_its_header_nothing_of_a_lent_message_is_sent() {
    let mut connection = open(Role::Server);
    let measure = Measure::start();
    measure.fail_at(1);
    assert_eq!(connection.sender().send_lent(&[7; 10_000]).map(drop), Err(UsageError::OutOfMemory));
    measure.fail_at(0);
    assert_eq!(connection.buffered_len(), 0);
    connection.sender().send_lent(&[7; 10_000]).map(drop).unwrap();
}

#[test]
fn without_memory_for_its_header_a_lent_message_is_not_masked_where_it_lies() {
    let (mut connection, mut payload) = (open(Role::Client), [7; 10_000]);
    let measure = Measure::start();
    measure.fail_at(1);
    let refused = connection.sender().send_lent_mut(&mut payload[..]).map(drop);
    measure.fail_at(0);
    assert_eq!((refused, payload, connection.buffered_len()), (Err(UsageError::OutOfMemory), [7; 10_000], 0));
    let measure = Measure::start();
    let mut outgoing = connection.sender().send_lent_mut(&mut payload[..]).unwrap();
    outgoing.transmitted(8 + 10_000);
    drop(outgoing);
    assert!(measure.peak() < 100, "{} for a header", measure.peak());
}

/// That of the first piece that it masks serves the others. Without it nothing is sent.
#[test]
fn a_client_needs_memory_for_one_piece_of_a_lent_message() {
    let payload = vec![7; 300_000];
    let mut connection = open(Role::Client);
    let measure = Measure::start();
    measure.fail_at(1);
    assert_eq!(connection.sender().send_lent(&payload).map(drop), Err(UsageError::OutOfMemory));
    measure.fail_at(0);
    assert_eq!(connection.buffered_len(), 0);

    connection.sender().lend_buffer(Vec::with_capacity(65_600)).unwrap();
    connection.send("waits").unwrap();
    let mut outgoing = connection.sender().send_lent(&payload).unwrap();
    let mut slices = [&[][..]; 4];
    let used = outgoing.transmit_slices(&mut slices);
    let waiting: usize = slices[..used].iter().map(|slice| slice.len()).sum();
    let measure = Measure::start();
    measure.fail_at(1);
    outgoing.transmitted(waiting);
    measure.fail_at(0);
    assert_eq!(measure.allocations(), 0);
    drop(outgoing);
    assert_eq!(connection.buffered_len(), 300_000 - 65_536);
}

/// Octets behind the head of an opening handshake, and what a server answers.
#[cfg(feature = "handshake")]
mod handshake {
    use hybi::handshake::{Accept, ServerHandshake, ServerSettings};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    fn asked() -> ServerHandshake {
        let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
        assert_eq!(server.receive(REQUEST), REQUEST.len());
        server
    }

    #[test]
    fn without_memory_for_what_comes_behind_it_is_not_taken() {
        let mut server = asked();
        let frame = to(Role::Server, first::TEXT, b"early");
        let measure = Measure::start();
        measure.fail_at(1);
        assert_eq!(server.receive(&frame), 0);
        measure.fail_at(0);
        assert_eq!(server.receive(&frame), frame.len());
        let mut connection = server.accept(Accept::new()).unwrap();
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [Record::Text(b"early".to_vec())]);
    }

    /// The last allocation is the queue's: without it nothing of the answer is sent, and nothing that would be behind
    /// it.
    #[test]
    fn without_memory_for_the_answer_the_connection_is_given_up() {
        let measure = Measure::start();
        let mut server = asked();
        let before = measure.allocations();
        server.accept(Accept::new()).unwrap();
        let needed = measure.allocations() - before;

        let mut server = asked();
        let measure = Measure::start();
        measure.fail_at(needed);
        let mut connection = server.accept(Accept::new()).unwrap();
        measure.fail_at(0);
        assert_eq!(measure.allocations(), needed);
        assert!(connection.transmit().is_empty() && connection.send("x").is_err());
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert!(matches!(events[..], [Record::Closed(..)]), "{events:?}");
    }
}
