//! What holds for any input, any cut, any way to hand octets over, and any program of calls.
//!
//! A counterexample that was found becomes a transcript, so nothing is kept beside this file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use hybi::utf8::Utf8Validator;
use hybi::wire::header::{FrameHeader, Parsed};
use hybi::wire::mask;
use hybi::{
    Agreement, CloseCause, CloseCode, Config, Connection, Delivery, Kind, Opcode, Payload, Prepared,
    ProtocolError, Role,
};
use hybi_test::caller::{Call, Caller};
use hybi_test::dice::Dice;
use hybi_test::endpoint::{
    Memory, config, nap, numbered_entropy, open, open_with, take_events, transmit_all,
};
use hybi_test::frames::{self, first, read_all};
use hybi_test::pair::Pair;
use hybi_test::record::{Record, join};
use hybi_test::twin::{self, Course, Utf8};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

/// `PROPTEST_CASES` asks for more. Whoever fails says its seed, which `PROPTEST_RNG_SEED` replays.
#[allow(clippy::print_stdout, reason = "it is shown if the test fails")]
fn cases(usual: u32) -> ProptestConfig {
    let mut default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if default.rng_seed == RngSeed::Random {
        default.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(0));
    }
    println!("PROPTEST_RNG_SEED={}", default.rng_seed);
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases: if cfg!(miri) { 4 } else { usual }, ..default },
    }
}

fn role() -> impl Strategy<Value = Role> + Clone {
    select(&[Role::Client, Role::Server][..])
}

fn memory() -> impl Strategy<Value = Memory> {
    select(&Memory::ALL[..])
}

/// Payloads with characters in them, so that cuts hit the middle of one.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zé€𐀀]{0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
        1 => (120usize..135, any::<u8>()).prop_map(|(n, octet)| vec![octet & 0x7F; n]),
        1 => vec(select(&[0xC3u8, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x90, 0x80, 0xED, 0x41][..]), 0..9),
    ]
}

/// A frame: mostly legal by itself, in an order that mostly is.
fn frame() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let firsts = [0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x80, 0x89, 0x8A];
    prop_oneof![
        12 => (select(firsts.to_vec()), payload()),
        2 => (select(vec![0x00, 0x80]), payload()),
        1 => (Just(0x88), close_payload()),
        1 => (any::<u8>(), payload()),
    ]
}

fn close_payload() -> impl Strategy<Value = Vec<u8>> {
    let codes = select(vec![0u16, 999, 1000, 1001, 1004, 1005, 1011, 1015, 3000, 4999, 5000]);
    prop_oneof![
        Just(Vec::new()),
        payload(),
        (codes, payload()).prop_map(|(code, reason)| [&code.to_be_bytes()[..], &reason].concat()),
    ]
}

/// What may arrive at `role`: frames, sometimes spoilt, cut off or nothing but noise.
fn arrival(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let stream = move || {
        let length_octets = prop_oneof![20 => Just(0), 1 => Just(2), 1 => Just(8)];
        vec((frame(), length_octets), 0..12).prop_map(move |frames| {
            let on_wire = |((first, payload), length_octets): ((u8, Vec<u8>), usize)| match length_octets {
                0 => frames::to(role, first, &payload),
                n => lengthened(role, first, &payload, n),
            };
            frames.into_iter().flat_map(on_wire).collect::<Vec<u8>>()
        })
    };
    let spoilt = (stream(), vec((any::<Index>(), any::<u8>()), 0..3)).prop_map(|(mut octets, spoils)| {
        let len = octets.len();
        for (at, octet) in spoils.into_iter().filter(|_| len > 0) {
            octets[at.index(len)] = octet;
        }
        octets
    });
    prop_oneof![6 => stream(), 3 => spoilt, 1 => vec(any::<u8>(), 0..60)]
}

/// A frame whose length takes 2 or 8 octets, whether it needs them or not.
fn lengthened(role: Role, first: u8, payload: &[u8], length_octets: usize) -> Vec<u8> {
    let len = (payload.len() as u64).to_be_bytes();
    let second = if length_octets == 2 { 126 } else { 127 };
    let frame = [&[first, second], &len[8 - length_octets..], payload].concat();
    if role.peer().masks() { frames::mask_frame(&frame) } else { frame }
}

fn arrival_at_any() -> impl Strategy<Value = (Role, Vec<u8>)> {
    role().prop_flat_map(|role| arrival(role).prop_map(move |octets| (role, octets)))
}

/// Limits small enough to be met.
fn some_config() -> impl Strategy<Value = Config> {
    (any::<bool>(), any::<bool>(), any::<bool>(), select(vec![1usize, 20, 130, 1 << 20]), 1u32..6).prop_map(
        |(utf8, shortest, pong, limit, fragments)| {
            config(|config| {
                config.strictness.utf8 = utf8;
                config.strictness.shortest_length = shortest;
                config.automatic.pong = pong;
                config.limits.frame = limit;
                config.limits.message = limit + limit / 2;
                config.limits.fragments = fragments;
                config.limits.empty_fragments = fragments / 2 + 1;
            })
        },
    )
}

/// Where to cut, as lengths of reads that repeat.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![usize::MAX]), Just(vec![1]), vec(1usize..20, 1..6), vec(1usize..200, 1..4)]
}

fn reads<'o>(octets: &'o [u8], cuts: &'o [usize]) -> impl Iterator<Item = &'o [u8]> {
    let mut rest = octets;
    cuts.iter().cycle().map_while(move |n| {
        let (read, behind) = rest.split_at(rest.len().min(*n));
        rest = behind;
        (!read.is_empty()).then_some(read)
    })
}

/// What a connection makes of it: events, and the frames that it sent.
fn outcome(
    role: Role,
    config: &Config,
    memory: Memory,
    octets: &[u8],
    cuts: &[usize],
) -> (Vec<Record>, Vec<(u8, Vec<u8>)>) {
    let mut connection = open_with(role, config.clone());
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    for read in reads(octets, cuts) {
        memory.feed(&mut connection, read, &mut events);
        sent.extend(transmit_all(&mut connection));
    }
    let failed = matches!(events.last(), Some(Record::Failed(_)));
    let mut frames: Vec<_> =
        read_all(role, &sent).unwrap().into_iter().map(|frame| (frame.first(), frame.payload)).collect();
    if let (true, Some((_, payload))) = (failed, frames.last_mut()) {
        payload.truncate(2); // the words after the code are free
    }
    (events, frames)
}

/// What a caller may do, decided as a fuzzer would; it shrinks to the smallest reads.
fn ways_to_receive() -> impl Strategy<Value = Vec<Call>> {
    vec(vec(any::<u8>(), 30).prop_map(|octets| Call::any(&mut Dice::of(&octets))), 1..40)
}

/// What a caller is told, and what goes out, if it does this again and again until all has arrived; or for so long that
/// it gives up, and lets the rest come at once.
fn told(connection: Connection, octets: &[u8], calls: &[Call]) -> (Vec<Record>, Vec<u8>) {
    let mut caller = Caller::new(connection, octets);
    for call in calls.iter().cycle().take(150) {
        if caller.is_over() {
            break;
        }
        caller.call(call);
    }
    caller.end();
    (caller.events, caller.sent)
}

/// Where the first difference is: messages are too long to be looked at.
fn difference(told: &[Record], expected: &[Record]) -> Option<String> {
    let at = (0..told.len().max(expected.len())).find(|i| told.get(*i) != expected.get(*i))?;
    let show = |event: Option<&Record>| {
        let event = event.map_or("nothing".to_owned(), |event| format!("{event:?}"));
        format!("{event:.60} ({} characters)", event.len())
    };
    Some(format!("event {at} is {}, and not {}", show(told.get(at)), show(expected.get(at))))
}

proptest! {
    #![proptest_config(cases(400))]

    /// I-1, I-2: the same as the naive twin, however it is cut and handed over.
    #[test]
    fn any_octets_give_what_the_twin_gives(
        (role, octets) in arrival_at_any(),
        config in some_config(),
        memory in memory(),
        cuts in cuts(),
    ) {
        let expected = twin::decode(role, &config, &octets);
        let (events, sent) = outcome(role, &config, memory, &octets, &cuts);
        prop_assert_eq!(events, expected.events);
        prop_assert_eq!(sent, expected.owed);
    }

    /// An event may be decided and left, and anything may arrive meanwhile in any way: nothing changes.
    #[test]
    fn any_ways_to_receive_tell_the_same(
        (role, octets) in arrival_at_any(),
        mut config in some_config(),
        calls in ways_to_receive(),
        pieces in any::<bool>(),
    ) {
        let expected = twin::decode_in(Course { ends: true, closing: false }, role, &config, &octets);
        if pieces {
            config.delivery = Delivery::Fragments;
        }
        let (events, sent) = told(open_with(role, config.clone()), &octets, &calls);
        prop_assert_eq!(join(events, config.strictness.utf8), expected.events);
        // Pongs may replace one another while none is transmitted; the rest is said as ever.
        let frames = read_all(role, &sent).unwrap();
        let closes = |first: u8| first == 0x88;
        let said = frames.iter().filter(|frame| closes(frame.first())).count();
        prop_assert_eq!(said, expected.owed.iter().filter(|(first, _)| closes(*first)).count());
    }

    /// The same in pieces: joined, they are the messages.
    #[test]
    fn pieces_are_the_messages(
        (role, octets) in arrival_at_any(),
        mut config in some_config(),
        memory in memory(),
        cuts in cuts(),
    ) {
        let expected = twin::decode(role, &config, &octets);
        config.delivery = Delivery::Fragments;
        let (events, sent) = outcome(role, &config, memory, &octets, &cuts);
        prop_assert_eq!(join(events, config.strictness.utf8), expected.events);
        prop_assert_eq!(sent, expected.owed);
    }

    /// I-4: after a failure or a close frame nothing happens, whatever comes.
    #[test]
    fn the_end_is_final((role, octets) in arrival_at_any(), memory in memory(), more in vec(any::<u8>(), 1..40)) {
        let mut connection = open_with(role, Config::default());
        let mut events = Vec::new();
        memory.feed(&mut connection, &octets, &mut events);
        transmit_all(&mut connection);
        if !matches!(events.last(), Some(Record::Failed(_) | Record::Closed(..))) {
            return Ok(()); // about every third is over
        }
        let before = (events.len(), connection.state());
        memory.feed(&mut connection, &more, &mut events);
        prop_assert_eq!((events.len(), connection.state()), before);
        prop_assert_eq!(transmit_all(&mut connection), []);
        connection.receive_eof();
        take_events(&mut connection, &mut events);
        connection.receive_eof();
        take_events(&mut connection, &mut events);
        let closed = events.iter().filter(|event| matches!(event, Record::Closed(..))).count();
        prop_assert_eq!(closed, 1);
    }

    #[test]
    fn headers_parse_as_they_were_encoded(
        fin in any::<bool>(),
        opcode in select(vec![Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Close]),
        rsv in 0u8..8,
        key in any::<Option<[u8; 4]>>(),
        len in prop_oneof![0u64..300, 65_000u64..66_000, any::<u64>()],
        behind in vec(any::<u8>(), 0..20),
    ) {
        let Some(header) = FrameHeader::new(fin, opcode, len) else {
            prop_assert!(len >> 63 == 1 || opcode.is_control() && (!fin || len > 125));
            return Ok(());
        };
        let header = key.map_or(header, |key| header.masked(key)).with_rsv(rsv);
        let octets = [&header.encode()[..], &behind].concat();
        prop_assert_eq!(FrameHeader::parse(&octets), Ok(Parsed::Header(header, octets.len() - behind.len())));
        let naive = frames::header(header.encode()[0], len);
        prop_assert_eq!(&octets[2..naive.len()], &naive[2..]);
        prop_assert_eq!(octets[1] & 0x7F, naive[1]);
    }

    #[test]
    fn headers_encode_as_they_were_parsed(octets in vec(any::<u8>(), 0..16)) {
        if let Ok(Parsed::Header(header, len)) = FrameHeader::parse(&octets) {
            prop_assert_eq!(header.is_shortest(len), *header.encode() == octets[..len]);
        }
    }

    #[test]
    fn masking_equals_the_twin(octets in vec(any::<u8>(), 0..300), key in any::<[u8; 4]>(), cut in any::<Index>()) {
        let expected = twin::mask(&octets, &key);
        let cut = cut.index(octets.len() + 1);
        let mut pieces = octets.clone();
        mask::mask(&mut pieces[..cut], key);
        let ascii = mask::mask_ascii(&mut pieces[cut..], mask::rotate(key, cut));
        prop_assert_eq!(ascii, expected[cut..].is_ascii());
        prop_assert_eq!(pieces, expected);
    }

    /// The validator fails in the piece that holds the first octet that cannot be right, and not before.
    #[test]
    fn utf8_in_pieces_equals_the_twin(octets in payload(), cuts in cuts()) {
        let mut validator = Utf8Validator::default();
        let mut seen = 0;
        for piece in reads(&octets, &cuts) {
            seen += piece.len();
            let right = twin::utf8(&octets[..seen]) != Utf8::Wrong;
            prop_assert_eq!(validator.update(piece).is_ok(), right);
            if !right {
                return Ok(());
            }
        }
        prop_assert_eq!(validator.finish().is_ok(), twin::utf8(&octets) == Utf8::Valid);
    }
}

/// Something that arrives and breaks no rule: a message in one frame or in some, or a ping, of this length.
#[derive(Clone, Debug)]
enum Orderly {
    /// Where it is cut; whether a ping stands behind each cut.
    Message(Kind, usize, Vec<Index>, bool),
    Ping(usize),
}

/// How it goes on behind all that.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Eof,
    Close,
    /// Text of this length that is no text at one place.
    Failure(usize, Index),
}

fn orderly() -> impl Strategy<Value = Vec<Orderly>> {
    let kind = select(&[Kind::Text, Kind::Binary][..]);
    let cuts = prop_oneof![2 => Just(Vec::new()), 1 => vec(any::<Index>(), 1..4)];
    let message = (kind, long(), cuts, any::<bool>())
        .prop_map(|(kind, len, cuts, pings)| Orderly::Message(kind, len, cuts, pings));
    let ping = (0usize..126).prop_map(Orderly::Ping);
    vec(prop_oneof![4 => message, 1 => ping], 1..if cfg!(miri) { 3 } else { 12 })
}

fn ending() -> impl Strategy<Value = Ending> {
    let failure = (long(), any::<Index>()).prop_map(|(len, at)| Ending::Failure(len + 1, at));
    prop_oneof![2 => Just(Ending::Eof), 1 => Just(Ending::Close), 1 => failure]
}

/// Around the lengths where something changes, and between them.
fn long() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![2 => 0usize..130, 2 => 0usize..3000, 1 => 0usize..20_000, 1 => 16_383usize..16_387, 1 => 0usize..90_000]
}

/// No part of it is like another, and no two are alike.
fn long_payload(kind: Kind, number: usize, len: usize) -> Vec<u8> {
    if kind == Kind::Binary {
        return Dice::seeded(number as u64).octets(len);
    }
    let behind = if number.is_multiple_of(2) { " " } else { "é€𐀀" };
    let mut text = String::new();
    for n in number * 100_000.. {
        text.push_str(&n.to_string());
        text.push_str(behind);
        if text.len() >= len {
            break;
        }
    }
    let end = (0..=len).rfind(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text.into_bytes()
}

/// The octets, and the events.
fn orderly_stream(role: Role, messages: &[Orderly], ending: Ending) -> (Vec<u8>, Vec<Record>) {
    let (mut octets, mut events) = (Vec::new(), Vec::new());
    let ping = |octets: &mut Vec<u8>, events: &mut Vec<Record>, payload: Vec<u8>| {
        octets.extend(frames::to(role, first::PING, &payload));
        events.push(Record::Ping(payload));
    };
    for (number, message) in messages.iter().enumerate() {
        let (kind, len, cuts, pings) = match message {
            Orderly::Message(kind, len, cuts, pings) => (*kind, *len, cuts, *pings),
            Orderly::Ping(len) => {
                ping(&mut octets, &mut events, vec![number as u8; *len]);
                continue;
            }
        };
        let payload = long_payload(kind, number, len);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut start, mut opcode) = (0, kind as u8);
        for cut in cuts {
            octets.extend(frames::to(role, opcode, &payload[start..cut]));
            (start, opcode) = (cut, 0);
            if pings {
                ping(&mut octets, &mut events, vec![number as u8; 3]);
            }
        }
        octets.extend(frames::to(role, first::FIN | opcode, &payload[start..]));
        events.push(record(kind, payload));
    }
    match ending {
        Ending::Eof => events.push(Record::transport_ended()),
        Ending::Close => {
            octets.extend(frames::to(role, first::CLOSE, b""));
            events.extend([Record::Close(None), Record::clean(1005, "")]);
        }
        Ending::Failure(len, at) => {
            let mut payload = vec![b'a'; len];
            payload[at.index(len)] = 0xFF;
            octets.extend(frames::to(role, first::TEXT, &payload));
            let error = ProtocolError::InvalidUtf8;
            events
                .extend([Record::Failed(error), Record::Closed(1006, Vec::new(), CloseCause::Failed(error))]);
        }
    }
    if !matches!(ending, Ending::Eof) {
        octets.extend(frames::to(role, first::TEXT, b"never"));
    }
    (octets, events)
}

proptest! {
    #![proptest_config(cases(200))]

    /// The same with messages that do not fit in a read, and that are read to their final place.
    #[test]
    fn any_ways_to_receive_tell_long_messages(
        role in role(),
        messages in orderly(),
        ending in ending(),
        calls in ways_to_receive(),
        pieces in any::<bool>(),
    ) {
        let (octets, expected) = orderly_stream(role, &messages, ending);
        let config = config(|config| {
            config.delivery = if pieces { Delivery::Fragments } else { Delivery::Messages };
        });
        let (events, sent) = told(open_with(role, config), &octets, &calls);
        prop_assert_eq!(difference(&join(events, true), &expected), None);
        prop_assert!(read_all(role, &sent).is_ok());
    }
}

/// What an application may do.
#[derive(Clone, Debug)]
enum Do {
    Send(Kind, usize),
    Own(Kind, usize),
    /// And so much of it is taken at once.
    Lent(Kind, usize, usize),
    /// And each of these writes takes so much of what waits.
    LentMut(usize, Vec<usize>),
    Prepared(usize),
    Write(Kind, usize, bool),
    Ping(u8),
    /// One write of so much at most; one read: so a frame may have begun to arrive, or to go out.
    Transmit(usize),
    Read(usize),
    /// Memory of this capacity to queue in; and back.
    LendQueue(usize),
    ReclaimQueue,
    /// Hibernates, if nothing is under way.
    Nap,
    Run,
}

fn calls() -> impl Strategy<Value = Vec<(Role, Do)>> {
    let kind = || select(&[Kind::Text, Kind::Binary][..]);
    let len = || prop_oneof![4 => 0usize..200, 1 => 4000usize..9000, 1 => 60_000usize..70_000];
    let call = prop_oneof![
        3 => (kind(), len()).prop_map(|(kind, len)| Do::Send(kind, len)),
        2 => (kind(), len()).prop_map(|(kind, len)| Do::Own(kind, len)),
        2 => (kind(), len(), len()).prop_map(|(kind, len, taken)| Do::Lent(kind, len, taken)),
        2 => (len(), vec(len(), 0..5)).prop_map(|(len, writes)| Do::LentMut(len, writes)),
        1 => len().prop_map(Do::Prepared),
        3 => (kind(), 0usize..3000, any::<bool>()).prop_map(|(kind, len, last)| Do::Write(kind, len, last)),
        2 => any::<u8>().prop_map(Do::Ping),
        2 => len().prop_map(|len| Do::Transmit(len + 1)),
        2 => len().prop_map(|len| Do::Read(len + 1)),
        1 => (0usize..9000).prop_map(Do::LendQueue),
        1 => Just(Do::ReclaimQueue),
        1 => Just(Do::Nap),
        2 => Just(Do::Run),
    ];
    vec((role(), call), 1..if cfg!(miri) { 6 } else { 30 })
}

/// What one end said, and the other has to be given.
#[derive(Default)]
struct Said {
    messages: Vec<Record>,
    pings: Vec<Record>,
    open: Option<(Kind, Vec<u8>)>,
}

fn record(kind: Kind, data: Vec<u8>) -> Record {
    if kind == Kind::Text { Record::Text(data) } else { Record::Binary(data) }
}

/// Different at each call and of each length; ASCII.
fn filler(said: &Said, len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + ((i * 7 + said.messages.len() * 3 + said.pings.len()) % 26) as u8).collect()
}

fn act(pair: &mut Pair, role: Role, call: &Do, said: &mut Said) {
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    let connection = pair.connection(role);
    match *call {
        Do::Send(kind, len) => {
            let data = filler(said, len);
            let result = match kind {
                Kind::Text => connection.send(text(&data).as_str()),
                Kind::Binary => connection.send(&data),
            };
            assert_eq!(result.is_ok(), said.open.is_none(), "{result:?}");
            said.messages.extend(result.is_ok().then(|| record(kind, data)));
        }
        Do::Own(kind, len) => {
            let data = filler(said, len);
            let result = match kind {
                Kind::Text => connection.send_message(text(&data)),
                Kind::Binary => connection.send_message(data.clone()),
            };
            assert_eq!(result.is_ok(), said.open.is_none());
            said.messages.extend(result.is_ok().then(|| record(kind, data)));
        }
        Do::Lent(kind, len, taken) => {
            let data = filler(said, len);
            let payload =
                if kind == Kind::Text { Payload::text(&data).unwrap() } else { Payload::from(&data) };
            let result = pair.send_lent(role, payload, taken);
            assert_eq!(result.is_ok(), said.open.is_none());
            said.messages.extend(result.is_ok().then(|| record(kind, data)));
        }
        Do::LentMut(len, ref writes) => {
            let data = filler(said, len);
            let result = pair.send_lent_mut(role, &mut data.clone(), writes);
            assert_eq!(result.is_ok(), said.open.is_none());
            said.messages.extend(result.is_ok().then(|| record(Kind::Binary, data)));
        }
        Do::Prepared(len) => {
            let data = filler(said, len);
            let result = connection.send_prepared(&Prepared::new(&data));
            said.messages.extend(result.is_ok().then(|| record(Kind::Binary, data)));
        }
        Do::Write(kind, len, last) => {
            let data = filler(said, len);
            let (kind, mut before) = said.open.take().unwrap_or((kind, Vec::new()));
            let going_on = connection.writer().is_some();
            let mut writer =
                if going_on { connection.writer().unwrap() } else { connection.start(kind).unwrap() };
            before.extend_from_slice(&data);
            if last {
                writer.finish(&data).unwrap();
                said.messages.push(record(kind, before));
            } else {
                writer.write(&data).unwrap();
                said.open = Some((kind, before));
            }
        }
        Do::Ping(octet) => {
            connection.ping(&[octet]).unwrap();
            said.pings.push(Record::Ping(vec![octet]));
        }
        Do::Transmit(most) => pair.transmit(role, most),
        Do::Read(most) => pair.read(role, most),
        Do::LendQueue(len) => drop(connection.sender().lend_buffer(Vec::with_capacity(len))),
        Do::ReclaimQueue => drop(connection.sender().reclaim_buffer()),
        Do::Nap => drop(nap(connection)),
        Do::Run => pair.run(),
    }
}

proptest! {
    #![proptest_config(cases(100))]

    /// Nothing is lost, nothing overtakes, what goes over the wire is a legal stream of frames, and no masking key is
    /// used twice.
    #[test]
    fn any_program_of_calls_loses_and_reorders_nothing(
        calls in calls(),
        chunk in select(vec![11usize, 100, 4096, usize::MAX]),
        room in select(vec![37usize, 300, 65_536, usize::MAX]),
        memories in (memory(), memory()),
        close in any::<Option<bool>>(),
    ) {
        let client = Connection::client(Agreement::default(), Config::default(), numbered_entropy());
        let mut pair = Pair::of(client, open(Role::Server));
        (pair.client.memory, pair.server.memory) = memories;
        for end in [&mut pair.client, &mut pair.server] {
            (end.chunk, end.room) = (chunk, room);
        }
        let mut said = [Said::default(), Said::default()];
        for (role, call) in &calls {
            act(&mut pair, *role, call, &mut said[usize::from(*role == Role::Server)]);
        }
        if let Some(by_client) = close {
            let role = if by_client { Role::Client } else { Role::Server };
            pair.connection(role).close(CloseCode::NORMAL, "").unwrap();
        }
        pair.run();
        for (role, said) in [(Role::Client, &said[0]), (Role::Server, &said[1])] {
            let frames = read_all(role, &pair.end(role).sent);
            prop_assert!(frames.is_ok(), "{:?}", frames.err());
            let keys: Vec<_> = frames.iter().flatten().filter_map(|frame| frame.key).collect();
            prop_assert_eq!(keys.len(), keys.iter().collect::<HashSet<_>>().len());
            let heard = &pair.end(role.peer()).events;
            let messages = heard.iter().filter(|event| matches!(event, Record::Text(_) | Record::Binary(_)));
            let pings = heard.iter().filter(|event| matches!(event, Record::Ping(_)));
            // Whoever closes first may find that what the other had not transmitted yet was dropped.
            if close.is_none() || close == Some(role == Role::Client) {
                prop_assert!(messages.eq(&said.messages));
                prop_assert!(pings.eq(&said.pings));
            } else {
                prop_assert!(said.messages.iter().zip(messages).all(|(a, b)| a == b));
            }
        }
        let clean = [Record::clean(1000, "")];
        for role in [Role::Client, Role::Server].into_iter().filter(|_| close.is_some()) {
            prop_assert!(pair.end(role).events.ends_with(&clean));
            prop_assert!(pair.end(role).has_closed());
        }
    }
}
