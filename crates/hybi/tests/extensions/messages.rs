//! Messages through extensions: the order of operation, every cut, limits, and failures in each direction.

use hybi::extension::permessage_deflate::Inflater;
use hybi::extension::{Rsv, Transit};
use hybi::{
    CloseCode, Config, Connection, Delivery, Kind, Message, Payload, Prepared, ProtocolError, Role, State,
    UsageError,
};
use hybi_test::endpoint::{Memory, config, receive, transmit_all};
use hybi_test::frames::{Frame, first, read_extended, to};
use hybi_test::record::Record;

use crate::{open, open_with};

const DEFLATE: &str = "permessage-deflate";
/// All sets that have an extension which is not built in.
const SETS: [&[&str]; 7] = [
    &["x-runs"],
    &["x-sign"],
    &["x-sign", "x-runs"],
    &["x-runs", "x-sign"],
    &["x-sign", DEFLATE],
    &[DEFLATE, "x-sign"],
    &["x-runs", DEFLATE, "x-sign"],
];

/// What was written so far, and is taken away.
fn written(connection: &mut Connection) -> Vec<Frame> {
    let octets = transmit_all(connection);
    read_extended(connection.role(), &octets, 7).unwrap()
}

fn inflated(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Inflater::new(Default::default(), true).finish(payload, &mut out, 1 << 20).unwrap();
    out
}

/// What a message is on the wire for an end that agreed on the same as this one, as its peer sends it.
fn wire(end: &Connection, messages: &[(Kind, &[u8])]) -> Vec<Transit> {
    let (mut line, _) = end.agreement().agreed().lines(end.role().peer());
    let pass = |(kind, payload): &(Kind, &[u8])| {
        let mut message = Transit::new(*kind, *payload);
        line.pass(&mut message).unwrap();
        message
    };
    messages.iter().map(pass).collect()
}

fn failed(error: ProtocolError) -> Record {
    Record::Failed(error)
}

/// Whoever drives the lines by hand is told which extension failed, and asks later as well.
#[test]
fn lines_say_which_extension_failed() {
    let [mut client, _] = open(&["x-sign"]);
    let agreement = client.agreement().clone();
    let (mut outward, mut inward) = agreement.agreed().lines(Role::Client);
    assert!(outward.failed().is_none() && inward.failed().is_none());
    let mut message = Transit::new(Kind::Text, &b"tide"[..]);
    outward.pass(&mut message).unwrap();
    message.payload.push(b'!'); // not what was signed
    let failed = inward.pass(&mut message, 1000).unwrap_err();
    assert_eq!(inward.failed(), Some(&failed));
    assert_eq!(failed.to_string(), format!("the extension x-sign failed: {}", failed.error));
    assert!(outward.failed().is_none());
    client.abort();
}

/// §9.1: the order of the answer is the order in which messages are transformed that are sent.
#[test]
fn outward_in_the_order_of_the_answer() {
    for index in [0, 1] {
        let end = &mut open(&["x-sign", DEFLATE])[index];
        end.send("aaaaaaaaaaaa").unwrap();
        let [frame] = &written(end)[..] else { panic!("one frame") };
        assert_eq!(frame.rsv, 0b101);
        assert_eq!(inflated(&frame.payload), [&b"aaaaaaaaaaaa"[..], &[1, 0x8D]].concat());

        let end = &mut open(&[DEFLATE, "x-sign"])[index];
        end.send("aaaaaaaaaaaa").unwrap();
        let [frame] = &written(end)[..] else { panic!("one frame") };
        assert_eq!(frame.rsv, 0b101);
        assert_eq!(inflated(&frame.payload[..frame.payload.len() - 2]), b"aaaaaaaaaaaa");

        let end = &mut open(&["x-sign", "x-runs"])[index];
        end.send("aa").unwrap();
        let [frame] = &written(end)[..] else { panic!("one frame") };
        assert_eq!((frame.rsv, &frame.payload[..]), (0b001, &[b'a', 2, 1, 1, 0xC3, 1][..]));
    }
}

/// Both directions of both roles, with state from one message to the next, and control frames between them.
#[test]
fn inward_reversed() {
    for names in SETS {
        let [mut client, mut server] = open(names);
        for n in 0..4 {
            let text = format!("tide {n} κόσμε {}", "a".repeat(n * 700));
            for (from, to) in [(0, 1), (1, 0)] {
                let ends = [&mut client, &mut server];
                ends[from].send(&text).unwrap();
                ends[from].ping(b"p").unwrap();
                ends[from].send_message(vec![7; n]).unwrap();
                let octets = transmit_all(ends[from]);
                let events = receive(ends[to], &octets);
                let expected = [Record::text(&text), Record::Ping(b"p".to_vec()), Record::Binary(vec![7; n])];
                assert_eq!(events[events.len() - 3..], expected, "{names:?}");
            }
        }
    }
}

/// Messages in one frame and in several, a ping in the middle, cut at every octet, in all ways to hand it over.
#[test]
fn any_cut_gives_the_same_events() {
    for names in SETS {
        for index in [0, 1] {
            let end = || open(names).into_iter().nth(index).unwrap();
            let role = end().role();
            let mut octets = Vec::new();
            let messages: [(Kind, &[u8]); 3] =
                [(Kind::Text, "high κόσμε".as_bytes()), (Kind::Binary, b""), (Kind::Text, &[b'a'; 40])];
            for (n, message) in wire(&end(), &messages).into_iter().enumerate() {
                let opcode = if message.kind == Kind::Text { 1 } else { 2 } | message.rsv.bits() << 4;
                let (one, two) = message.payload.split_at(message.payload.len() / 2);
                if n == 0 {
                    octets.extend(to(role, opcode, one));
                    octets.extend(to(role, first::PING, b"between"));
                    octets.extend(to(role, 0, b""));
                    octets.extend(to(role, first::CONTINUATION, two));
                } else {
                    octets.extend(to(role, first::FIN | opcode, &message.payload));
                }
            }
            let expected = [
                Record::Ping(b"between".to_vec()),
                Record::text("high κόσμε"),
                Record::Binary(Vec::new()),
                Record::text(&"a".repeat(40)),
            ];
            for memory in Memory::ALL {
                for cut in 0..octets.len() {
                    let (mut connection, mut events) = (end(), Vec::new());
                    memory.feed(&mut connection, &octets[..cut], &mut events);
                    memory.feed(&mut connection, &octets[cut..], &mut events);
                    assert_eq!(events, expected, "{names:?} {memory:?} {cut}");
                }
                let (mut connection, mut events) = (end(), Vec::new());
                for octet in octets.chunks(1) {
                    memory.feed(&mut connection, octet, &mut events);
                }
                assert_eq!(events, expected, "{names:?} {memory:?}");
            }
        }
    }
}

#[test]
fn large_messages_pass() {
    let payload: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8 | 0x80).collect();
    for names in SETS {
        for memory in Memory::ALL {
            let [mut client, mut server] = open(names);
            client.send(&payload).unwrap();
            let octets = transmit_all(&mut client);
            let mut events = Vec::new();
            for read in octets.chunks(50_000) {
                memory.feed(&mut server, read, &mut events);
            }
            assert!(events == [Record::Binary(payload.clone())], "{names:?} {memory:?}");
            assert_eq!(server.buffered_len(), 0);
        }
    }
}

/// What text is, is seen behind the extensions: on the wire it can be anything.
#[test]
fn text_is_validated_behind_the_extensions() {
    for strict in [true, false] {
        let settings = config(|config| config.strictness.utf8 = strict);
        for names in SETS {
            for index in [0, 1] {
                let end = &mut open_with(names, &settings)[index];
                let role = end.role();
                let message = &wire(end, &[(Kind::Text, b"\xC3")])[0];
                let octets = to(role, first::TEXT | message.rsv.bits() << 4, &message.payload);
                let expected = match strict {
                    true => failed(ProtocolError::InvalidUtf8),
                    false => Record::UncheckedText(b"\xC3".to_vec()),
                };
                assert_eq!(receive(end, &octets)[0], expected, "{names:?}");
            }
        }
    }
}

/// §10.4: no form of a message, from the wire to the application, is above the limit.
#[test]
fn the_limit_holds_in_every_stage() {
    let limited = config(|config| config.limits.message = 100);
    for index in [0, 1] {
        // As the application gets it: the extension stops by itself.
        let end = &mut open_with(&["x-runs"], &limited)[index];
        let role = end.role();
        let bomb = [to(role, first::BINARY, &[7, 100]), to(role, first::BINARY, &[7, 101])].concat();
        let events = receive(end, &bomb);
        assert_eq!(events[..2], [Record::Binary(vec![7; 100]), failed(ProtocolError::MessageTooBig)]);
        assert_eq!(written(end)[0].close_code(), Some(1009));

        // In between: 103 octets in runs, which a signature follows.
        let end = &mut open_with(&["x-sign", "x-runs"], &limited)[index];
        let message = &wire(end, &[(Kind::Binary, &[7; 99])])[0];
        let octets = to(role, first::BINARY | message.rsv.bits() << 4, &message.payload);
        assert_eq!(receive(end, &octets)[0], failed(ProtocolError::MessageTooBig));

        // On the wire, as soon as it is announced: nothing of the payload has come.
        for (names, first_octet) in [(&["x-sign"], first::BINARY | 0x10), (&["x-runs"], first::BINARY)] {
            let end = &mut open_with(names, &limited)[index];
            let octets = to(role, first_octet, &[0; 101]);
            let header_len = octets.len() - 101;
            let header = match role {
                Role::Server => [&octets[..1], &[0x80 | 101], &octets[2..6]].concat(),
                Role::Client => octets[..2].to_vec(),
            };
            assert_eq!(header.len(), header_len);
            assert_eq!(receive(end, &header)[0], failed(ProtocolError::MessageTooBig), "{names:?}");
        }

        // A message that is just as long passes.
        let end = &mut open_with(&["x-sign"], &limited)[index];
        let signature = wire(end, &[(Kind::Binary, &[])])[0].payload.len();
        let end = &mut open_with(&["x-sign"], &limited)[index];
        let payload = vec![7; 100 - signature];
        let message = &wire(end, &[(Kind::Binary, &payload)])[0];
        assert_eq!(message.payload.len(), 100);
        let octets = to(role, first::BINARY | message.rsv.bits() << 4, &message.payload);
        assert_eq!(receive(end, &octets), [Record::Binary(payload)]);

        // In fragments, all together.
        let end = &mut open_with(&["x-sign"], &limited)[index];
        let octets = [to(role, 0x12, &[0; 60]), to(role, 0, &[0; 41])].concat();
        assert_eq!(receive(end, &octets)[0], failed(ProtocolError::MessageTooBig));
    }
}

/// A message that an extension finds invalid fails the connection; those before it are delivered, nothing after it is.
#[test]
fn a_failure_inward_fails_the_connection() {
    for names in SETS.iter().filter(|names| names.contains(&"x-sign")) {
        for index in [0, 1] {
            let end = &mut open(names)[index];
            let role = end.role();
            let mut octets = Vec::new();
            for (n, message) in wire(end, &[(Kind::Text, &b"a"[..]); 4]).into_iter().enumerate() {
                if n != 2 {
                    octets.extend(to(role, first::TEXT | message.rsv.bits() << 4, &message.payload));
                }
            }
            let events = receive(end, &octets);
            let error = ProtocolError::InvalidExtensionData;
            assert_eq!(events[..3], [Record::text("a"), Record::text("a"), failed(error)], "{names:?}");
            assert_eq!(events.len(), 3);
            assert_eq!(end.state(), State::Closing);
            assert_eq!(written(end)[0].close_code(), Some(1007));
        }
    }
    let [mut client, mut server] = open(&["x-sign", DEFLATE]);
    let events = receive(&mut client, &to(Role::Client, first::TEXT | 0x50, b"\xFF"));
    assert_eq!(events[0], failed(ProtocolError::InvalidDeflate), "permessage-deflate says so itself");
    let events = receive(&mut server, &to(Role::Server, first::TEXT | 0x10, b"ab"));
    assert_eq!(
        events[0],
        failed(ProtocolError::InvalidExtensionData),
        "it is not compressed, and not signed"
    );
}

/// A message that an extension cannot send is refused, and all after it: the peer could not follow. What is received
/// goes on, and so do control frames.
#[test]
fn a_failure_outward_ends_that_direction() {
    for names in SETS.iter().filter(|names| names.contains(&"x-sign")) {
        for turned in [false, true] {
            let [mut end, mut peer] = open(names);
            if turned {
                (end, peer) = (peer, end);
            }
            end.send("before").unwrap();
            let error = UsageError::ExtensionFailed;
            assert_eq!(end.send(Payload::from("!").compressed(false)), Err(error), "{names:?}");
            assert_eq!(end.send("fine"), Err(error));
            assert_eq!(end.send_prepared(&Prepared::new("fine")), Err(error));
            assert_eq!(end.start(Kind::Text).unwrap_err(), error);
            let back = end.send_message("fine").unwrap_err();
            assert_eq!((back.error, back.payload), (error, Message::from("fine")));
            assert_eq!(end.state(), State::Open);

            end.ping(b"!").unwrap();
            let events = receive(&mut peer, &transmit_all(&mut end));
            assert_eq!(events, [Record::text("before"), Record::Ping(b"!".to_vec())]);
            peer.send("still here").unwrap();
            let events = receive(&mut end, &transmit_all(&mut peer));
            assert_eq!(events, [Record::Pong(b"!".to_vec()), Record::text("still here")]);
            end.close(CloseCode::INTERNAL_ERROR, "").unwrap();
            let events = receive(&mut peer, &transmit_all(&mut end));
            assert_eq!(events[0], Record::Close(Some((1011, Vec::new()))));
        }
    }
}

/// Whole messages pass, so there is one fragment; what the connection holds is bounded by the limit on messages.
#[test]
fn delivery_in_fragments_is_one_fragment() {
    for names in SETS {
        for index in [0, 1] {
            let settings = config(|config| config.delivery = Delivery::Fragments);
            let end = &mut open_with(names, &settings)[index];
            let role = end.role();
            let mut octets = Vec::new();
            for message in wire(end, &[(Kind::Text, "κόσμε".as_bytes()); 3]) {
                let (one, two) = message.payload.split_at(1);
                octets.push([to(role, 1 | message.rsv.bits() << 4, one), to(role, 0x80, two)].concat());
            }
            let data = "κόσμε".as_bytes();
            let whole =
                || Record::Fragment { kind: Kind::Text, data: data.to_vec(), first: true, last: true };
            for octet in octets[0].chunks(1).take(octets[0].len() - 1) {
                assert_eq!(receive(end, octet), []);
            }
            assert_eq!(receive(end, &octets[0][octets[0].len() - 1..]), [whole()], "{names:?}");
            assert_eq!(receive(end, &octets[1]), [whole()]);
            end.set_delivery(Delivery::Messages);
            assert_eq!(receive(end, &octets[2]), [Record::text("κόσμε")]);
        }
    }
}

#[test]
fn a_writer_collects_the_message_and_sends_it_when_it_is_finished() {
    for names in SETS {
        let [mut client, mut server] = open(names);
        let text = "high κόσμε water";
        let mut writer = server.start(Kind::Text).unwrap();
        for octet in text.as_bytes()[..10].chunks(1) {
            writer.write(octet).unwrap();
        }
        assert_eq!(writer.write(b"\xFF"), Err(UsageError::NotUtf8));
        drop(writer);
        assert_eq!(server.buffered_len(), 0, "it has not passed yet");
        assert_eq!(server.send("other"), Err(UsageError::MessageInProgress));
        server.ping(b"between").unwrap();
        server.writer().unwrap().finish(&text.as_bytes()[10..]).unwrap();
        server.send("next").unwrap();
        let events = receive(&mut client, &transmit_all(&mut server));
        let expected = [Record::Ping(b"between".to_vec()), Record::text(text), Record::text("next")];
        assert_eq!(events, expected, "{names:?}");

        drop(server.start(Kind::Binary).unwrap());
        server.send("nothing was begun").unwrap();
        server.start(Kind::Binary).unwrap().write(b"never finished").unwrap();
        server.close(CloseCode::NORMAL, "").unwrap();
        let events = receive(&mut client, &transmit_all(&mut server));
        assert_eq!(events[..2], [Record::text("nothing was begun"), Record::Close(Some((1000, Vec::new())))]);
    }
    let [_, mut server] = open(&["x-sign"]);
    server.start(Kind::Binary).unwrap().write(b"!").unwrap();
    let writer = server.writer().unwrap();
    assert_eq!(writer.finish(b"more"), Err(UsageError::ExtensionFailed));
    assert!(server.writer().is_none(), "the message came to nothing");
    assert_eq!(server.send("more"), Err(UsageError::ExtensionFailed));
}

#[test]
fn a_prepared_message_passes_like_any() {
    for names in SETS {
        for turned in [false, true] {
            let [mut end, mut peer] = open(names);
            if turned {
                (end, peer) = (peer, end);
            }
            let mut news = Prepared::new("high water");
            if let Some(deflate) = end.agreement().deflate() {
                news = news.with_deflate(deflate);
            }
            for _ in 0..2 {
                end.send_prepared(&news).unwrap();
                end.send("at four").unwrap();
            }
            let events = receive(&mut peer, &transmit_all(&mut end));
            let both = [Record::text("high water"), Record::text("at four")];
            assert_eq!(events, [&both[..], &both[..]].concat(), "{names:?}");
        }
    }
}

/// The wish of one message reaches permessage-deflate wherever it stands, and others can see it.
#[test]
fn the_wish_to_compress_reaches_the_extensions() {
    for names in [&["x-sign", DEFLATE], &[DEFLATE, "x-sign"]] {
        let [mut client, mut server] = open(names);
        for (wish, rsv) in [(None, 0b101), (Some(false), 0b001), (Some(true), 0b101)] {
            let payload = Payload::from("aaaaaaaaaaaaaaaa");
            server.send(wish.map_or(payload, |wish| payload.compressed(wish))).unwrap();
            let writer = server.start(Kind::Text).unwrap();
            let mut writer = if let Some(wish) = wish { writer.compressed(wish) } else { writer };
            writer.write(b"aaaaaaaa").unwrap();
            writer.finish(b"aaaaaaaa").unwrap();
            let octets = transmit_all(&mut server);
            let frames = read_extended(Role::Server, &octets, 7).unwrap();
            assert_eq!(frames.iter().map(|frame| frame.rsv).collect::<Vec<_>>(), [rsv, rsv], "{names:?}");
            assert_eq!(receive(&mut client, &octets), vec![Record::text("aaaaaaaaaaaaaaaa"); 2]);
        }
    }
    assert_eq!(Transit::new(Kind::Text, "a").compress, None);
    assert_eq!(Transit::new(Kind::Text, "a").rsv, Rsv::NONE);
}

#[test]
fn a_split_connection_runs_each_half() {
    for names in SETS {
        let [client, server] = open(names);
        let ((mut receiver, mut sender), (mut hears, mut says)) = (client.into_split(), server.into_split());
        for n in 0..3 {
            sender.send(&vec![n; 300]).unwrap();
            says.send("at four").unwrap();
            for (from, to, expected) in [
                (&mut sender, &mut hears, Record::Binary(vec![n; 300])),
                (&mut says, &mut receiver, Record::text("at four")),
            ] {
                let mut octets = from.transmit().to_vec();
                from.transmitted(octets.len());
                let mut input = to.receive(&mut octets);
                assert_eq!(input.poll_event().map(Record::from), Some(expected), "{names:?}");
                assert!(input.poll_event().is_none());
            }
        }
    }
}

#[test]
fn a_full_queue_refuses_before_anything_passes() {
    let settings = config(|config: &mut Config| config.water.limit = 1);
    let [mut client, mut server] = open_with(&["x-sign"], &settings);
    server.send("one").unwrap();
    assert_eq!(server.send("two"), Err(UsageError::QueueFull));
    let mut octets = transmit_all(&mut server);
    server.start(Kind::Text).unwrap().write(b"th").unwrap();
    server.ping(b"").unwrap();
    assert_eq!(server.writer().unwrap().write(b"r"), Err(UsageError::QueueFull));
    octets.extend(transmit_all(&mut server));
    server.writer().unwrap().finish(b"ree").unwrap();
    octets.extend(transmit_all(&mut server));
    let expected = [Record::text("one"), Record::Ping(Vec::new()), Record::text("three")];
    assert_eq!(receive(&mut client, &octets), expected, "the numbers of the messages are right");
}
