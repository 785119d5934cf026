//! permessage-deflate on connections (RFC 7692): the messages of two ends, and of a peer that is played by hand.

#![cfg(any(feature = "deflate", feature = "zlib-rs"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use std::sync::Arc;

use hybi::extension::permessage_deflate::{
    Deflate, DeflateConfig, Deflater, Inflater, Level, Memory as Keep, Params, WindowBits,
};
use hybi::{
    Agreement, CloseCause, Config, Connection, Delivery, Kind, Message, Payload, Prepared, ProtocolError,
    Role, UsageError,
};
use hybi_test::alloc::{Counting, Measure, look, look_away};
use hybi_test::endpoint::{Memory, config, open, open_agreed, receive, transmit_all};
use hybi_test::frames::{Frame, first, read_extended, to};
use hybi_test::pair::Pair;
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// RSV1 in the first octet of a frame.
const RSV1: u8 = 0x40;

fn no_takeover() -> Params {
    params(|params| (params.server_no_context_takeover, params.client_no_context_takeover) = (true, true))
}

fn params(change: impl FnOnce(&mut Params)) -> Params {
    let mut params = Params::default();
    change(&mut params);
    params
}

/// Settings that compress everything, with changes.
fn settings(change: impl FnOnce(&mut DeflateConfig)) -> DeflateConfig {
    let mut settings = DeflateConfig::default();
    settings.threshold = 0;
    change(&mut settings);
    settings
}

fn agreed(settings: &DeflateConfig, params: Params) -> Agreement {
    Agreement::default().with_deflate(Deflate::new(settings.clone(), params))
}

/// A connection that compresses everything.
fn compressing(role: Role, params: Params, config: Config) -> Connection {
    open_agreed(role, agreed(&settings(|_| {}), params), config)
}

fn pair(settings: &DeflateConfig, params: Params, config: &Config) -> Pair {
    let end = |role| open_agreed(role, agreed(settings, params), config.clone());
    Pair::of(end(Role::Client), end(Role::Server))
}

/// What was written so far, and is taken away.
fn written(connection: &mut Connection) -> Vec<Frame> {
    let octets = transmit_all(connection);
    read_extended(connection.role(), &octets, 4).unwrap()
}

fn is_compressed(connection: &mut Connection) -> bool {
    let frames = written(connection);
    assert!(frames.iter().skip(1).all(|frame| frame.rsv == 0), "RSV1 is for the first frame");
    frames[0].rsv == 4
}

/// A payload in stored blocks, made without the code under test.
fn stored(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for block in message.chunks(0xFFFF) {
        let len = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.push(0); // of the tail that is left out
    out
}

fn deflated(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(WindowBits::MAX, false, Level::default()).deflate(message, &mut out, true).unwrap();
    out
}

/// A thousand octets for each one that arrives: blocks of 16 MiB that refer to nothing before them, repeated.
fn gibibyte_of_zeros() -> Vec<u8> {
    let mut blocks = Vec::new();
    let mut deflater = Deflater::new(WindowBits::MAX, false, Level::default());
    deflater.deflate(&vec![0; 16 << 20], &mut blocks, false).unwrap();
    let mut payload = blocks.repeat(64);
    payload.push(0); // of the tail that is left out
    payload
}

/// Octets that compress a little.
fn octets(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x3F
    };
    (0..len).map(|_| next()).collect()
}

/// Text of characters of all lengths.
fn text(len: usize) -> String {
    let mut text = String::new();
    for character in "tide κόσμε 水 𝄞 ".chars().cycle() {
        if text.len() + character.len_utf8() > len {
            break;
        }
        text.push(character);
    }
    while text.len() < len {
        text.push('.');
    }
    text
}

/// Fragments joined to messages; their flags and, of text, their characters are right.
fn joined(events: Vec<Record>) -> Vec<Record> {
    let mut out = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for event in events {
        let Record::Fragment { kind, data, first, last } = event else {
            out.push(event);
            continue;
        };
        assert_eq!(first, open.is_none());
        if kind == Kind::Text {
            assert!(str::from_utf8(&data).is_ok(), "a character was cut");
        }
        let mut whole = open.take().unwrap_or_default();
        whole.extend_from_slice(&data);
        match (last, kind) {
            (false, _) => open = Some(whole),
            (true, Kind::Text) => out.push(Record::Text(whole)),
            (true, Kind::Binary) => out.push(Record::Binary(whole)),
        }
    }
    out
}

const TAKEOVERS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

fn takeovers() -> impl Iterator<Item = Params> {
    TAKEOVERS.into_iter().map(|(server, client)| {
        params(|params| {
            (params.server_no_context_takeover, params.client_no_context_takeover) = (server, client);
        })
    })
}

/// All ways to hand over octets, and small reads and large ones.
fn ways() -> impl Iterator<Item = (Memory, usize)> {
    Memory::ALL.into_iter().flat_map(|memory| [1, 7, 1000, usize::MAX].map(|chunk| (memory, chunk)))
}

twins! {
    fn messages_of_every_size_arrive(role) {
        let sizes = [0, 1, 2, 3, 125, 126, 127, 1023, 1024, 1025, 20_000, 65_535, 65_536, 70_000];
        for params in takeovers() {
            for (memory, chunk) in ways() {
                let mut pair = pair(&settings(|_| {}), params, &Config::default());
                (pair.end(role.peer()).memory, pair.end(role.peer()).chunk) = (memory, chunk);
                let max = if chunk > 10 && params.own_takeover(role) { usize::MAX } else { 2000 };
                for &len in sizes.iter().filter(|len| **len < max) {
                    pair.connection(role).send(&octets(len)).unwrap();
                    pair.connection(role).send(&*text(len)).unwrap();
                    pair.run();
                    assert_eq!(pair.end(role.peer()).take_events(), [
                        Record::Binary(octets(len)),
                        Record::Text(text(len).into_bytes()),
                    ], "{len}");
                }
                let sent = std::mem::take(&mut pair.end(role).sent);
                let frames = read_extended(role, &sent, 4).unwrap();
                assert!(frames.iter().all(|frame| frame.first() & 0xF0 == 0xC0), "{frames:?}");
            }
        }
    }

    fn context_is_taken_over_if_so_agreed_on_and_only_then(role) {
        for params in takeovers() {
            let mut connection = compressing(role, params, Config::default());
            connection.send(&octets(500)).unwrap();
            connection.send(&octets(500)).unwrap();
            let frames = written(&mut connection);
            let again = frames[1].payload.len();
            assert_eq!(again < 50, params.own_takeover(role), "{again} octets");
            let mut inflater = Inflater::new(WindowBits::MAX, params.own_takeover(role));
            for frame in frames {
                let mut out = Vec::new();
                inflater.finish(&frame.payload, &mut out, 500).unwrap();
                assert_eq!(out, octets(500));
            }
        }
    }

    fn messages_arrive_whatever_windows_were_agreed_on(role) {
        for bits in 9..=15 {
            let bits = WindowBits::new(bits).unwrap();
            for takeover in [false, true] {
                let params = params(|params| {
                    params.server_max_window_bits = bits;
                    params.client_max_window_bits = bits;
                    params.server_no_context_takeover = !takeover;
                    params.client_no_context_takeover = !takeover;
                });
                let mut pair = pair(&settings(|_| {}), params, &Config::default());
                for round in 0..2 {
                    // Repeated at distances around every window.
                    let message: Vec<u8> =
                        (8..=15).flat_map(|bits| octets((1 << bits) - 20 + round).repeat(2)).collect();
                    pair.connection(role).send(&message).unwrap();
                    pair.run();
                    assert!(pair.end(role.peer()).take_events() == [Record::Binary(message)], "{bits} bits");
                }
            }
        }
    }

    fn fragments_that_arrive_are_one_message(role) {
        let (message, twice) = (text(300), text(40));
        let mut expected = Record::Text(message.clone().into_bytes());
        for params in takeovers() {
            let mut deflater = Deflater::new(WindowBits::MAX, params.peer_takeover(role), Level::default());
            let mut both = [Vec::new(), Vec::new()];
            deflater.deflate(message.as_bytes(), &mut both[0], true).unwrap();
            deflater.deflate(message.as_bytes(), &mut both[1], true).unwrap();
            for delivery in [Delivery::Messages, Delivery::Fragments] {
                for cut in 0..both[0].len() {
                    let mut connection =
                        compressing(role, params, config(|config| config.delivery = delivery));
                    for payload in &both {
                        let (begin, end) = payload.split_at(cut.min(payload.len()));
                        let octets = [
                            to(role, 0x01 | RSV1, begin),
                            to(role, first::PING, b"between"),
                            to(role, 0x00, b""),
                            to(role, first::CONTINUATION, end),
                        ];
                        let events = joined(receive(&mut connection, &octets.concat()));
                        assert!(events.contains(&Record::Ping(b"between".to_vec())));
                        let events: Vec<_> =
                            events.into_iter().filter(|event| matches!(event, Record::Text(_))).collect();
                        assert_eq!(events, [expected.clone()], "{cut}");
                    }
                }
            }
        }
        // In stored blocks, with a control frame inside of a character.
        expected = Record::text(&twice);
        for cut in 0..twice.len() {
            let mut connection = compressing(role, Params::default(), Config::default());
            let payload = stored(twice.as_bytes());
            let (begin, end) = payload.split_at(5 + cut);
            let octets = [to(role, 0x01 | RSV1, begin), to(role, first::PONG, b""), to(role, 0x80, end)];
            let events = receive(&mut connection, &octets.concat());
            assert_eq!(events, [Record::Pong(Vec::new()), expected.clone()]);
        }
    }

    fn a_writer_compresses_across_its_fragments(role) {
        for params in takeovers() {
            let mut pair = pair(&settings(|_| {}), params, &Config::default());
            for round in 0..3 {
                let message = text(3000);
                let mut writer = pair.connection(role).start(Kind::Text).unwrap();
                if round == 1 {
                    writer.write(b"").unwrap();
                }
                for piece in message.as_bytes().chunks(701 + round) {
                    writer.write(piece).unwrap(); // inside of characters too
                }
                drop(writer);
                pair.connection(role).ping(b"between").unwrap();
                pair.run();
                pair.connection(role).writer().unwrap().finish(b"").unwrap();
                pair.run();
                assert_eq!(pair.end(role.peer()).take_events(), [
                    Record::Ping(b"between".to_vec()),
                    Record::Text(message.into_bytes()),
                ]);
                let sent = std::mem::take(&mut pair.end(role).sent);
                let frames = read_extended(role, &sent, 4).unwrap();
                assert_eq!(frames[0].first(), 0x41);
                let data: Vec<_> = frames.iter().filter(|frame| frame.opcode < 8).collect();
                assert!(data[1..].iter().all(|frame| frame.rsv == 0 && frame.opcode == 0));
                let len: usize = data.iter().map(|frame| frame.payload.len()).sum();
                assert!(len < 700, "{len} octets: the fragments do not share a context");
            }
        }
    }

    fn fragments_are_delivered_between_characters(role) {
        for (memory, chunk) in ways() {
            for wish in [true, false] {
                let delivery = config(|config| config.delivery = Delivery::Fragments);
                let mut pair = pair(&settings(|_| {}), Params::default(), &delivery);
                (pair.end(role.peer()).memory, pair.end(role.peer()).chunk) = (memory, chunk);
                // Characters of two to four octets across each place where a piece may end.
                for shift in 0..4 {
                    for character in ["κ", "水", "𝄞"] {
                        let message = ".".repeat(shift) + &character.repeat(300);
                        pair.connection(role).send(Payload::from(&message).compressed(wish)).unwrap();
                        pair.run();
                        let events = joined(pair.end(role.peer()).take_events());
                        assert_eq!(events, [Record::text(&message)]);
                    }
                }
                let message = octets(5_000);
                pair.connection(role).send(Payload::from(&message).compressed(wish)).unwrap();
                pair.connection(role).send(Payload::from("").compressed(wish)).unwrap();
                pair.run();
                let events = joined(pair.end(role.peer()).take_events());
                assert_eq!(events, [Record::Binary(message), Record::text("")]);
            }
        }
    }

    fn plain_and_compressed_messages_alternate(role) {
        for params in [Params::default(), no_takeover()] {
            for (memory, chunk) in ways() {
                let mut pair = pair(&settings(|_| {}), params, &Config::default());
                (pair.end(role.peer()).memory, pair.end(role.peer()).chunk) = (memory, chunk);
                let mut expected = Vec::new();
                for n in 0..12 {
                    let message = octets(if n % 4 > 1 && chunk > 10 { 30_000 } else { 50 * n });
                    let payload = Payload::from(&message).compressed(n % 2 == 0);
                    pair.connection(role).send(payload).unwrap();
                    expected.push(Record::Binary(message));
                }
                pair.run();
                assert!(pair.end(role.peer()).events == expected);
            }
        }
    }

    fn short_messages_go_out_as_they_are(role) {
        // Threshold, whether it holds with takeover, whether the context is taken over; what 63 and 64 become.
        for (with_takeover, params, short) in
            [(true, Params::default(), false), (true, no_takeover(), false), (false, no_takeover(), false),
             (false, Params::default(), true)]
        {
            let settings = settings(|settings| {
                (settings.threshold, settings.threshold_with_takeover) = (64, with_takeover);
            });
            let mut connection = open_agreed(role, agreed(&settings, params), Config::default());
            let mut send = |payload: Payload<'_>| {
                connection.send(payload).unwrap();
                is_compressed(&mut connection)
            };
            assert_eq!(send(Payload::from(&octets(63))), short);
            assert!(send(Payload::from(&octets(64))));
            assert!(send(Payload::from(&octets(3)).compressed(true)));
            assert!(!send(Payload::from(&octets(3000)).compressed(false)));
            connection.send_message(Message::from(octets(63))).unwrap();
            assert_eq!(is_compressed(&mut connection), short);
            connection.send_message(Message::from(octets(64))).unwrap();
            assert!(is_compressed(&mut connection));
            // The first fragment decides.
            for (fragment, wish, compressed) in
                [(63, None, short), (64, None, true), (3, Some(true), true), (3000, Some(false), false)]
            {
                let mut writer = connection.start(Kind::Binary).unwrap();
                if let Some(wish) = wish {
                    writer = writer.compressed(wish);
                }
                writer.write(&octets(fragment)).unwrap();
                writer.compressed(!compressed).finish(&octets(100)).unwrap(); // too late
                assert_eq!(is_compressed(&mut connection), compressed, "{fragment} {wish:?}");
            }
        }
        let mut plain = open(role);
        plain.send(Payload::from("not agreed on").compressed(true)).unwrap();
        assert!(!is_compressed(&mut plain));
    }

    fn reserved_bits_have_one_place(role) {
        let begin = to(role, 0x01 | RSV1, b"");
        for (before, octet) in [
            (&b""[..], first::PING | RSV1), (b"", first::PONG | RSV1), (b"", first::CLOSE | RSV1),
            (b"", first::TEXT | 0x20), (b"", first::TEXT | 0x10), (b"", first::TEXT | 0x70),
            (&begin, RSV1), (&begin, first::CONTINUATION | RSV1), (&begin, first::PING | RSV1),
        ] {
            for (memory, _) in ways() {
                let mut connection = compressing(role, Params::default(), Config::default());
                let mut events = Vec::new();
                memory.feed(&mut connection, &[before, &to(role, octet, &stored(b"m"))].concat(), &mut events);
                assert_eq!(events, [Record::Failed(ProtocolError::ReservedBits)], "{octet:x}");
                assert_eq!(written(&mut connection)[0].close_code(), Some(1002));
            }
        }
        let mut plain = open(role);
        let events = receive(&mut plain, &to(role, first::TEXT | RSV1, &stored(b"m")));
        assert_eq!(events, [Record::Failed(ProtocolError::ReservedBits)]);
        assert_eq!(written(&mut plain)[0].close_code(), Some(1002));
    }

    fn data_that_is_bad_or_cut_off_fails_the_connection(role) {
        let whole = stored(b"message");
        let bad = [&[0x07][..], &[0x00, 1, 0, 0, 0, 7, 0], &[0x02, 0x08, 0xFF, 0xFF, 0xFF]];
        // The tail that is left out would be the rest of the message if just four octets were cut off it.
        let cuts = (2..whole.len()).filter(|cut| *cut != whole.len() - 5);
        for payload in cuts.map(|cut| &whole[..cut]).chain(bad) {
            let mut connection = compressing(role, Params::default(), Config::default());
            let events = receive(&mut connection, &to(role, first::BINARY | RSV1, payload));
            assert_eq!(events, [Record::Failed(ProtocolError::InvalidDeflate)], "{payload:x?}");
            assert_eq!(written(&mut connection)[0].close_code(), Some(1007));
        }
        let mut connection = compressing(role, Params::default(), Config::default());
        let events = receive(&mut connection, &to(role, first::TEXT | RSV1, &stored(b"\xce")));
        assert_eq!(events, [Record::Failed(ProtocolError::InvalidUtf8)]);
    }

    fn the_limit_holds_for_what_was_inflated(role) {
        for delivery in [Delivery::Messages, Delivery::Fragments] {
            let limited = |limit| config(|config| (config.limits.message, config.delivery) = (limit, delivery));
            for (message, fragments) in [(octets(5000), 1), (octets(5000), 7), (vec![0; 300_000], 5)] {
                let payload = deflated(&message);
                let step = payload.len().div_ceil(fragments);
                let mut frames: Vec<u8> = Vec::new();
                let pieces: Vec<&[u8]> = payload.chunks(step).collect();
                for (n, piece) in pieces.iter().enumerate() {
                    let opcode = if n == 0 { 0x02 | RSV1 } else { 0 };
                    let fin = if n + 1 == pieces.len() { first::FIN } else { 0 };
                    frames.extend(to(role, fin | opcode, piece));
                }
                let mut connection = compressing(role, Params::default(), limited(message.len()));
                for _ in 0..2 {
                    assert!(joined(receive(&mut connection, &frames)) == [Record::Binary(message.clone())]);
                }
                let mut connection = compressing(role, Params::default(), limited(message.len() - 1));
                let events = receive(&mut connection, &frames);
                let too_big = Record::Failed(ProtocolError::MessageTooBig);
                assert!(events.last() == Some(&too_big), "{delivery:?}");
                assert!(delivery == Delivery::Fragments || events.len() == 1);
                assert_eq!(written(&mut connection)[0].close_code(), Some(1009));
            }
        }
    }

    fn a_bomb_costs_no_more_than_the_limit(role) {
        const LIMIT: usize = 1 << 20;
        let frame = look_away(|| to(role, first::BINARY | RSV1, &gibibyte_of_zeros()));
        assert!(frame.len() < 1_100_000, "{}", frame.len());
        for memory in Memory::ALL {
            for delivery in [Delivery::Messages, Delivery::Fragments] {
                let config = config(|config| (config.limits.message, config.delivery) = (LIMIT, delivery));
                let measure = Measure::start();
                let mut connection = compressing(role, Params::default(), config);
                let error = look_away(|| {
                    let mut lent = frame.clone();
                    let mut rest = &mut lent[..];
                    loop {
                        if let Some(error) = look(|| last_failure(&mut connection, memory, &mut rest)) {
                            break error;
                        }
                    }
                });
                assert_eq!(error, ProtocolError::MessageTooBig);
                assert_eq!(look_away(|| written(&mut connection)[0].close_code()), Some(1009));
                let peak = measure.peak();
                assert!(peak < (LIMIT + 128 * 1024) as isize, "{peak} {memory:?} {delivery:?}");
            }
        }
    }

    fn memory_is_given_back_between_messages_if_so_wished(role) {
        let message = octets(3000);
        let frame = to(role, first::BINARY | RSV1, &deflated(&message));
        let mut held = Vec::new();
        for keep in [Keep::Dedicated, Keep::Shared] {
            let settings = settings(|settings| settings.memory = keep);
            let mut connection = open_agreed(role, agreed(&settings, no_takeover()), Config::default());
            look_away(|| written(&mut connection).len());
            let measure = Measure::start();
            for _ in 0..3 {
                look_away(|| {
                    let mut lent = frame.clone();
                    look(|| {
                        let mut input = connection.receive(&mut lent);
                        assert!(matches!(input.poll_event(), Some(hybi::Event::Binary(_))));
                        assert!(input.poll_event().is_none());
                    });
                });
                connection.send(&message).unwrap();
                let n = connection.transmit().len();
                connection.transmitted(n);
            }
            held.push(measure.held());
        }
        assert!(held[0] > 30_000, "{held:?}");
        assert!(held[1] < 1_000, "{held:?}");
    }

    /// What is the matter, and what came before it, does not depend on how the octets arrive.
    fn any_cut_gives_the_same_events(role) {
        let limit = 200;
        let mut streams: Vec<Vec<u8>> = Vec::new();
        let mut message = |payload: &[u8]| streams.push(to(role, first::TEXT | RSV1, payload));
        message(&deflated(text(200).as_bytes()));
        message(&stored(text(200).as_bytes()));
        message(&stored(text(201).as_bytes()));
        message(&[&stored(&[b'.'; 200])[..], &stored(b"."), &[7]].concat());
        message(&stored(b"good \xFF bad"));
        message(&[&stored(b"\xFF")[..], &[0x07]].concat());
        message(&[&stored(b"\xce")[..], &[0x07]].concat());
        message(&[&stored(&[b'.'; 190])[..], &stored(b"\xFF. .........."), &[0x07]].concat());
        message(&stored(b"cut off in a character \xce"));
        message(&stored(b"cut off")[..9]);
        message(&[]);
        let context = [deflated(text(60).as_bytes()), deflated(text(70).as_bytes())];
        streams.push([
            to(role, first::TEXT | RSV1, &context[0]),
            to(role, first::TEXT, b"plain"),
            to(role, 0x01 | RSV1, &context[1][..5]),
            to(role, first::PING, b"p"),
            to(role, 0, b""),
            to(role, first::CONTINUATION, &context[1][5..]),
            to(role, first::CLOSE, &[3, 0xE8]),
        ].concat());
        for stream in &streams {
            for delivery in [Delivery::Messages, Delivery::Fragments] {
                let config = config(|config| (config.limits.message, config.delivery) = (limit, delivery));
                let play = |memory: Memory, reads: &[&[u8]]| {
                    let mut connection = compressing(role, Params::default(), config.clone());
                    let mut events = Vec::new();
                    for read in reads {
                        memory.feed(&mut connection, read, &mut events);
                    }
                    if delivery == Delivery::Fragments {
                        // How much of a message is delivered before its failure depends on the reads.
                        let failed = matches!(events.last(), Some(Record::Failed(_)));
                        events = if failed { events.split_off(events.len() - 1) } else { joined(events) };
                    }
                    (events, written(&mut connection))
                };
                let expected = play(Memory::Lent, &[stream]);
                for memory in Memory::ALL {
                    let each: Vec<&[u8]> = stream.chunks(1).collect();
                    assert_eq!(play(memory, &each), expected, "{stream:x?}");
                    for cut in 0..=stream.len() {
                        let (begin, end) = stream.split_at(cut);
                        assert_eq!(play(memory, &[begin, end]), expected, "{cut} of {stream:x?}");
                    }
                }
            }
        }
    }

    fn a_call_that_is_refused_does_not_spoil_the_context(role) {
        let config = config(|config| config.water.limit = 1000);
        let mut pair = pair(&settings(|_| {}), Params::default(), &config);
        let (one, other) = (octets(3000), octets(2000));
        pair.connection(role).send(&one).unwrap();
        assert_eq!(pair.connection(role).send(&other), Err(UsageError::QueueFull));
        let mut writer = pair.connection(role).start(Kind::Binary).unwrap();
        assert_eq!(writer.write(&other), Err(UsageError::QueueFull));
        drop(writer);
        pair.run();
        let mut writer = pair.connection(role).start(Kind::Text).unwrap();
        writer.write(text(100).as_bytes()).unwrap();
        assert_eq!(writer.write(b"\xFF"), Err(UsageError::NotUtf8));
        writer.finish(text(100).as_bytes()).unwrap();
        pair.run();
        pair.connection(role).send(&other).unwrap();
        pair.run();
        assert!(pair.end(role.peer()).events == [
            Record::Binary(one),
            Record::text(&text(100).repeat(2)),
            Record::Binary(other),
        ]);
    }

    fn no_memory_for_a_message_does_not_spoil_the_context(role) {
        let sizes = [2000, 3000, 1000];
        for number in 1.. {
            let mut pair = look_away(|| pair(&settings(|_| {}), Params::default(), &Config::default()));
            let mut expected = Vec::new();
            let mut failed = false;
            for (n, len) in sizes.into_iter().enumerate() {
                let message = look_away(|| octets(len));
                let measure = Measure::start();
                measure.fail_at(if n == 1 { number } else { 0 });
                let result = pair.connection(role).send(&message);
                measure.fail_at(0);
                match result {
                    Ok(()) => expected.push(Record::Binary(message)),
                    Err(error) => {
                        assert_eq!((n, error), (1, UsageError::OutOfMemory));
                        failed = true;
                    }
                }
            }
            pair.run();
            assert!(pair.end(role.peer()).events == expected, "allocation {number}");
            if !failed {
                assert!(number > 1);
                return;
            }
        }
    }

    fn a_prepared_message_may_be_compressed(role) {
        let prepared = Prepared::new(&*text(3000));
        let mut pair = pair(&settings(|_| {}), Params::default(), &Config::default());
        for round in 0..3 {
            pair.connection(role).send(&octets(500 * round)).unwrap();
            pair.connection(role).send_prepared(&prepared).unwrap();
            pair.run();
            assert!(pair.end(role.peer()).take_events() == [
                Record::Binary(octets(500 * round)),
                Record::text(&text(3000)),
            ]);
        }
    }

    /// The limit is for the message, not for its form on the wire, which may be longer; in fragments as well.
    fn a_message_at_the_limit_may_be_longer_while_it_is_compressed(role) {
        let message = octets(100);
        let wire = stored(&message);
        assert!(wire.len() > message.len());
        for cut in [1, 50, wire.len() - 1] {
            let frames = [
                to(role, 0x02 | RSV1, &wire[..cut]),
                to(role, first::CONTINUATION, &wire[cut..]),
            ]
            .concat();
            let limit = |len| config(|config| config.limits.message = len);
            let mut connection = compressing(role, Params::default(), limit(100));
            assert!(receive(&mut connection, &frames) == [Record::Binary(message.clone())], "cut at {cut}");
            let mut connection = compressing(role, Params::default(), limit(99));
            let failed = Record::Failed(ProtocolError::MessageTooBig);
            assert!(receive(&mut connection, &frames).contains(&failed), "cut at {cut}");
        }
    }

    /// What one fragment holds does not follow what a read brings: from the first piece of a message on.
    fn a_fragment_of_a_bomb_is_small(role) {
        let fragments = config(|config| config.delivery = Delivery::Fragments);
        let message = vec![0; 2 << 20];
        let frame = to(role, first::BINARY | RSV1, &deflated(&message));
        for memory in Memory::ALL {
            let mut connection = compressing(role, Params::default(), fragments.clone());
            for _ in 0..2 {
                let mut events = Vec::new();
                memory.feed(&mut connection, &frame, &mut events);
                let lens: Vec<usize> = events
                    .iter()
                    .map(|event| match event {
                        Record::Fragment { data, .. } => data.len(),
                        event => panic!("{event:?}"),
                    })
                    .collect();
                assert_eq!(lens.iter().sum::<usize>(), message.len(), "{memory:?}");
                assert!(lens.iter().all(|len| *len <= 264 << 10), "{memory:?}: {lens:?}");
            }
        }
    }

    /// Once for each window, outside of any connection. It refers to nothing, and nothing behind it refers to what came
    /// before it; where no form suits, the message goes as it is.
    fn a_prepared_message_is_compressed_once_for_all(role) {
        let both = |bits| {
            let bits = WindowBits::new(bits).unwrap();
            params(|params| (params.server_max_window_bits, params.client_max_window_bits) = (bits, bits))
        };
        let mut prepared = Prepared::new(&*text(3000));
        for bits in [10, 15, 10] {
            prepared = prepared.with_deflate(&Deflate::new(settings(|_| {}), both(bits)));
        }
        for (bits, compressed) in [(15, true), (12, true), (10, true), (9, false)] {
            let mut connection = compressing(role, both(bits), Config::default());
            connection.send_prepared(&prepared).unwrap();
            assert_eq!(is_compressed(&mut connection), compressed, "{bits}");
            let mut pair = pair(&settings(|_| {}), both(bits), &Config::default());
            for round in 1..4 {
                pair.connection(role).send(&octets(500)).unwrap();
                pair.connection(role).send_prepared(&prepared).unwrap();
                pair.connection(role).send(&octets(500)).unwrap();
                pair.run();
                assert!(pair.end(role.peer()).take_events() == [
                    Record::Binary(octets(500)),
                    Record::text(&text(3000)),
                    Record::Binary(octets(500)),
                ], "{bits}, round {round}");
            }
        }
        // One that is shorter than the threshold of its connection is not compressed.
        let shy = agreed(&settings(|settings| settings.threshold = 5000), both(15));
        let mut connection = open_agreed(role, shy, Config::default());
        connection.send_prepared(&prepared).unwrap();
        assert!(!is_compressed(&mut connection));
    }

    fn a_lent_message_is_compressed_as_any_other(role) {
        for len in [3000, 9000] {
            let mut connection = compressing(role, Params::default(), Config::default());
            drop(connection.sender().send_lent(&*text(len)).unwrap());
            assert!(is_compressed(&mut connection), "{len}");
        }
    }

    /// What comes again two thousand octets later is referred to where the window is large enough.
    fn a_prepared_message_has_a_form_for_each_window(role) {
        let both = |bits| {
            let bits = WindowBits::new(bits).unwrap();
            params(|params| (params.server_max_window_bits, params.client_max_window_bits) = (bits, bits))
        };
        let mut prepared = Prepared::new(&octets(2000).repeat(2));
        for bits in [10, 15] {
            prepared = prepared.with_deflate(&Deflate::new(settings(|_| {}), both(bits)));
        }
        let lengths = [15, 10].map(|bits| {
            let mut connection = compressing(role, both(bits), Config::default());
            connection.send_prepared(&prepared).unwrap();
            connection.buffered_len()
        });
        assert!(lengths[0] + 1000 < lengths[1], "{lengths:?}");
    }

    fn the_halves_keep_what_was_agreed_on(role) {
        let mut pair = pair(&settings(|_| {}), Params::default(), &Config::default());
        for _ in 0..2 {
            pair.connection(role.peer()).send(&octets(500)).unwrap();
        }
        let mut wire = transmit_all(pair.connection(role.peer()));
        let (mut receiver, mut sender) = compressing(role, Params::default(), Config::default()).into_split();
        let mut input = receiver.receive(&mut wire);
        for _ in 0..2 {
            let event = input.poll_event().map(Record::from);
            assert_eq!(event, Some(Record::Binary(octets(500))));
        }
        sender.send(&octets(500)).unwrap();
        assert_eq!(sender.transmit()[0], first::BINARY | RSV1);
    }

    fn a_failure_is_told_to_the_other_end(role) {
        let limit = config(|config| config.limits.message = 10);
        let mut pair = pair(&settings(|_| {}), Params::default(), &limit);
        pair.connection(role.peer()).send(&[0; 11]).unwrap();
        pair.run();
        let error = ProtocolError::MessageTooBig;
        assert_eq!(pair.end(role).events, [
            Record::Failed(error),
            Record::Closed(1006, Vec::new(), CloseCause::Failed(error)),
        ]);
        assert!(pair.end(role.peer()).events.ends_with(&[Record::clean(1009, "message too big")]));
    }
}

#[test]
fn ten_thousand_idle_connections_hold_no_context() {
    const MANY: usize = 10_000;
    let message = octets(300);
    let mut frame = to(Role::Server, first::BINARY | RSV1, &deflated(&message));
    let masked = frame.clone();
    let settings = Arc::new(settings(|settings| settings.memory = Keep::Shared));
    let config = Arc::new(Config::default());
    let mut connections = Vec::with_capacity(MANY);
    let measure = Measure::start();
    for _ in 0..MANY {
        let agreement = Agreement::default().with_deflate(Deflate::new(settings.clone(), no_takeover()));
        let mut connection = open_agreed(Role::Server, agreement, config.clone());
        frame.copy_from_slice(&masked);
        let mut input = connection.receive(&mut frame);
        let (event, sender) = input.poll_event_with().unwrap();
        assert!(matches!(event, hybi::Event::Binary(data) if data.len() == message.len()));
        sender.send(&message).unwrap();
        assert!(input.poll_event().is_none());
        drop(input);
        let sent = connection.transmit();
        assert_eq!(sent[0], first::BINARY | RSV1);
        let n = sent.len();
        assert!(n < message.len());
        connection.transmitted(n);
        connections.push(connection);
    }
    let each = measure.held() as usize / connections.len();
    assert!(each < 256, "{each} octets of heap");
    assert!(size_of::<Connection>() < 1024, "{}", size_of::<Connection>());
}

/// Hands over the next octets; the failure, if there is one.
fn last_failure(connection: &mut Connection, memory: Memory, rest: &mut &mut [u8]) -> Option<ProtocolError> {
    let failed = |event: hybi::Event<'_>| match event {
        hybi::Event::Failed(error) => Some(error),
        _ => None,
    };
    match memory {
        Memory::Lent | Memory::Hibernating => {
            let mut input = connection.receive(std::mem::take(rest));
            while let Some(event) = input.poll_event() {
                if let Some(error) = failed(event) {
                    return Some(error);
                }
            }
            return None;
        }
        Memory::Own | Memory::Reclaimed => {
            if memory == Memory::Reclaimed && connection.reclaim_buffer().is_none() {
                connection.lend_buffer(vec![0; 4096]).expect("none is lent");
            }
            let space = connection.recv_space();
            let n = space.len().min(rest.len());
            space[..n].copy_from_slice(&rest[..n]);
            connection.received(n);
            *rest = &mut std::mem::take(rest)[n..];
        }
        Memory::Copied => {
            let n = rest.len().min(4096);
            let n = connection.receive_copy(&rest[..n]);
            *rest = &mut std::mem::take(rest)[n..];
        }
    }
    std::iter::from_fn(|| connection.poll_event().map(failed)).flatten().next()
}
