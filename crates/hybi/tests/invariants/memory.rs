//! The memory theorem: a connection holds at most a function of its configuration, and of what was received,
//! never of what was announced. I-7 to I-13.

use std::sync::Arc;

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Inflater, Params, WindowBits};
use hybi::{Agreement, Config, Connection, Prepared, Role};
use hybi_test::alloc::{Measure, look_away};
use hybi_test::endpoint::{Memory, open_agreed, open_with};
use hybi_test::frames::{close_body, first, mask_frame, to};
use hybi_test::{frames, twins};

use super::{Arrival, ROLES, STREAMS, generated, transcripts};

const KIB: usize = 1024;

/// What a connection may hold beside what its application gave it to send, in octets of heap, when so many octets
/// were received and all events were taken. The parts, in order:
///
/// - what is there always, and the newest pong while it is held;
/// - the receive buffer: one read, and the beginning of a frame;
/// - the message: at most twice what came of it and a step, and at most twice the limit;
/// - answers: pongs, and the close frame, in a buffer that grows by doubling;
/// - one more message while it is inflated, and what inflating needs.
fn bound(config: &Config, received: usize, deflate: bool) -> isize {
    const CONTROL: usize = 125 + 14;
    let limits = &config.limits;
    let message = match deflate {
        false => (2 * received + 16 * KIB).min(2 * limits.message + 16 * KIB),
        true => 2 * limits.message + 64 * KIB,
    };
    let answers = 2 * CONTROL * (limits.pending_pongs as usize + 3);
    let inflater = if deflate { 64 * KIB } else { 0 };
    (KIB + 64 * KIB + CONTROL + message + answers + inflater) as isize
}

/// Feeds it in reads of each size, and looks after each. Nothing is transmitted, so all answers wait.
fn holds(arrival: &Arrival, sizes: &[usize]) {
    let deflate = arrival.agreement.deflate().is_some();
    for memory in Memory::ALL {
        for n in sizes {
            let measure = Measure::start();
            let mut connection = arrival.open();
            for (i, read) in arrival.octets.chunks(*n).enumerate() {
                memory.show(&mut connection, read, |_| {});
                let bound = bound(&arrival.config, (i + 1) * n, deflate);
                let peak = measure.peak();
                assert!(peak <= bound, "{}, {memory:?}, reads of {n}: {peak} > {bound}", arrival.name);
            }
            drop(connection);
            assert_eq!(measure.held(), 0, "{}: something is left", arrival.name);
        }
    }
}

#[test]
fn the_bound_holds_over_every_transcript() {
    for arrival in transcripts() {
        holds(&arrival, if arrival.octets.len() > 5_000 { &[1500, 65_536] } else { &[1, 7, 1500] });
    }
}

#[test]
fn the_bound_holds_over_hostile_streams() {
    for seed in 0..STREAMS {
        let arrival = generated(seed);
        holds(&arrival, if arrival.octets.len() > 5_000 { &[4096] } else { &[7, 4096] });
    }
}

/// With permessage-deflate agreed and RSV1 set on the first frame of each message, so that noise is inflated.
#[test]
fn the_bound_holds_over_hostile_compressed_streams() {
    for seed in 0..STREAMS / 4 {
        let mut arrival = generated(seed);
        arrival.config.limits.message = arrival.config.limits.message.min(1 << 20);
        for at in 0..arrival.octets.len() {
            if matches!(arrival.octets[at], 0x81 | 0x82 | 0x01 | 0x02) && (at == 0 || at % 3 == 0) {
                arrival.octets[at] |= 0x40;
            }
        }
        arrival.agreement = deflate();
        holds(&arrival, &[4096]);
    }
}

fn deflate() -> Agreement {
    Agreement::default().with_deflate(Deflate::new(DeflateConfig::default(), Params::default()))
}

fn compressed(role: Role, config: impl Into<Arc<Config>>) -> Connection {
    open_agreed(role, deflate(), config)
}

/// I-7: every form of a length, on every kind of frame that may have one, and one octet of what it announces.
#[test]
fn nothing_is_allocated_from_a_length_that_is_only_announced() {
    let mut config = Config::default();
    (config.limits.frame, config.limits.message) = (usize::MAX / 2, usize::MAX / 2);
    let config = Arc::new(config);
    for role in ROLES {
        for memory in Memory::ALL {
            for (first, len) in [0x81u8, 0x82, 0x01, 0x02, 0xC1, 0xC2, 0x42].into_iter().flat_map(|first| {
                [126u64, 0xFFFF, 1 << 20, 1 << 30, 1 << 40, (1 << 62) - 1].map(|len| (first, len))
            }) {
                let octets = [frames::header(first, len), vec![0; 1]].concat();
                let octets = if role == Role::Server { mask_frame(&octets) } else { octets };
                let mut connection = compressed(role, config.clone());
                let measure = Measure::start();
                memory.show(&mut connection, &octets, |_| {});
                connection.recv_space();
                let inflater = if first & 0x40 != 0 { 48 * KIB } else { 0 };
                let most = (64 * KIB + inflater) as isize;
                assert!(measure.peak() <= most, "{first:x} of {len} to {role:?}: {}", measure.peak());
                look_away(|| drop(octets));
            }
        }
    }
}

/// What makes a connection fail, and how it is found out.
fn failures(role: Role) -> Vec<(&'static str, Vec<u8>)> {
    let other = |frame: Vec<u8>| if role == Role::Server { mask_frame(&frame) } else { frame };
    vec![
        ("reserved opcode", to(role, 0x83, b"")),
        ("reserved bit", to(role, 0xA1, b"")),
        ("no UTF-8", to(role, first::TEXT, b"\xFF")),
        (
            "no UTF-8, and most of the frame is to come",
            to(role, first::TEXT, &[0xFF; 100_000])[..100].to_vec(),
        ),
        ("no deflate", to(role, 0xC2, &[0xFF; 10])),
        ("a frame too big", other(frames::header(first::BINARY, 1 << 40))),
        ("close frame of one octet", to(role, first::CLOSE, b"\x00")),
        ("close code", to(role, first::CLOSE, &close_body(1005, "no"))),
        ("wrong direction", to(role.peer(), first::TEXT, b"hi")),
    ]
}

twins! {
    /// I-6: at most 4 KiB of heap after any failure, in whatever state it came: inside a message, with output
    /// waiting, with both windows of the compression in use. What comes afterwards is not held either.
    fn after_any_failure_at_most_4_kib_are_held(role) {
        for (name, bad) in failures(role) {
            for memory in Memory::ALL {
                for inside in [&b""[..], &to(role, 0x02, &[7; 100_000]), &to(role, 0x42, &[0x4A, 0x4C, 0x04])] {
                    if inside.first().is_some_and(|first| first & 0x0F == 2) && name.starts_with("no ") {
                        continue; // a message may not begin inside another: that is another failure
                    }
                    let config = Arc::new(Config::default());
                    let before = look_away(|| {
                        let message = deflated(&vec![b'x'; 50_000]);
                        [to(role, 0xC2, &message), to(role, first::PING, &[1; 125])].concat()
                    });
                    let measure = Measure::start();
                    let mut connection = compressed(role, config);
                    memory.show(&mut connection, &before, |_| {});
                    connection.send(&vec![b'y'; 50_000]).unwrap();
                    memory.show(&mut connection, inside, |_| {});
                    memory.show(&mut connection, &bad, |_| {});
                    while !connection.transmit().is_empty() {
                        connection.transmitted(connection.transmit().len());
                    }
                    assert!(measure.held() <= 4 * KIB as isize, "{name}, {memory:?}: {}", measure.held());
                    memory.show(&mut connection, &before, |_| {});
                    assert!(measure.held() <= 4 * KIB as isize, "{name}, {memory:?}, behind it: {}", measure.held());
                    connection.receive_eof();
                    while connection.poll_event().is_some() {}
                    assert!(measure.held() <= 4 * KIB as isize, "{name}, {memory:?}, later: {}", measure.held());
                    look_away(|| drop(before));
                }
            }
        }
    }
}

twins! {
    /// Not even while the close frame waits, however much was sent before.
    fn what_a_busy_connection_was_used_to_is_not_kept_for_its_close_frame(role) {
        for memory in Memory::ALL {
            for cut in [0, 50] {
                let message = to(role, first::BINARY, &[7; 100]);
                let measure = Measure::start();
                let mut connection = open_with(role, Config::default());
                memory.show(&mut connection, &message[..cut], |_| {});
                for len in [80_000, 6000] {
                    connection.send(&vec![7; len]).unwrap();
                    while !connection.transmit().is_empty() {
                        connection.transmitted(connection.transmit().len());
                    }
                }
                memory.show(&mut connection, &message[cut..], |_| {});
                memory.show(&mut connection, &to(role, 0x83, b""), |_| {});
                assert!(!connection.transmit().is_empty(), "it waits");
                assert!(measure.held() <= 4 * KIB as isize, "{memory:?}, {cut}: {}", measure.held());
                look_away(|| drop(message));
            }
        }
    }
}

twins! {
    /// Not even if no event is asked for.
    fn of_what_comes_after_a_failure_nothing_is_kept(role) {
        let mut connection = open_with(role, Config::default());
        let mut later = to(role, first::PING, &[1; 125]).repeat(50);
        Memory::Lent.show(&mut connection, &to(role, 0x83, b""), |_| {});
        let measure = Measure::start();
        drop(connection.receive(&mut later));
        assert_eq!(connection.receive_copy(&later), later.len());
        assert_eq!((measure.allocations(), measure.held(), connection.held_len()), (0, 0, 0));
        look_away(|| drop(later));
    }
}

twins! {
    /// A read of nothing needs no memory.
    fn of_nothing_nothing_is_kept(role) {
        let mut connection = open_with(role, Config::default());
        let measure = Measure::start();
        assert_eq!(connection.receive_copy(b""), 0);
        assert_eq!((measure.allocations(), connection.held_len()), (0, 0));
    }
}

twins! {
    /// A flood of pings that nobody takes the pongs of needs no memory for each; and when the transport takes nothing
    /// any more, what waited is gone.
    fn a_held_pong_is_replaced_where_it_is(role) {
        let mut connection = open_with(role, Config::default());
        let measure = Measure::start();
        let mut ping = look_away(|| to(role, first::PING, &[1; 125]));
        let mut answer = |connection: &mut Connection| {
            let mut input = connection.receive(&mut ping);
            while input.poll_event().is_some() {}
            drop(input);
            ping = look_away(|| to(role, first::PING, &[2; 125]));
        };
        (0..100).for_each(|_| answer(&mut connection));
        let before = measure.allocations();
        (0..100).for_each(|_| answer(&mut connection));
        assert_eq!(measure.allocations(), before);
        connection.transmit_lost();
        assert_eq!(measure.held(), 0);
    }
}

fn deflated(message: &[u8]) -> Vec<u8> {
    use hybi::extension::permessage_deflate::{Deflater, Level};
    let mut out = Vec::new();
    Deflater::new(WindowBits::MAX, false, Level::default()).deflate(message, &mut out, true).unwrap();
    out
}

twins! {
    /// One buffer joins, or inflates, all messages of a read; when the read has been looked at, it is given back.
    fn memory_that_joins_a_message_serves_the_next_of_the_read(role) {
        let tide = b"tide after tide, ".repeat(60);
        let fragments = [to(role, 0x01, &tide[..300]), to(role, first::CONTINUATION, &tide[300..])].concat();
        for message in [fragments, to(role, 0xC1, &deflated(&tide))] {
            let mut connection = compressed(role, Config::default());
            let octets = message.repeat(50);
            Memory::Lent.show(&mut connection, &octets, |_| {}); // the inflater has all its memory now
            let measure = Measure::start();
            let mut messages = 0;
            Memory::Lent.show(&mut connection, &octets, |_| messages += 1);
            assert_eq!(messages, 50);
            assert!(measure.allocations() <= 5, "{}", measure.allocations());
            assert_eq!(measure.held(), 0);
            look_away(|| drop(octets));
        }
    }

    /// Not even the beginning of a small message keeps what a large one needed.
    fn memory_of_a_large_message_does_not_stay_with_a_small_one(role) {
        let large = [to(role, 0x01, &[b'a'; 1 << 20]), to(role, first::CONTINUATION, b"")].concat();
        for memory in Memory::ALL {
            let mut connection = compressed(role, Config::default());
            let measure = Measure::start();
            let octets = look_away(|| [large.clone(), to(role, 0x01, b"small")].concat());
            let mut messages = 0;
            memory.show(&mut connection, &octets, |_| messages += 1);
            assert_eq!(messages, 1);
            assert!(measure.held() <= 17 * KIB as isize, "{memory:?}: {}", measure.held());
            look_away(|| drop(octets));
        }
    }
}

#[test]
fn a_prepared_message_holds_its_frame() {
    let measure = Measure::start();
    let prepared = Prepared::new(&[7; 5000]);
    assert!((5004..5100).contains(&measure.held()), "{}", measure.held());
    drop(prepared);
}

/// What docs/verification.md says of the parts that have a fixed size.
#[test]
fn the_parts_of_the_bound() {
    let measure = Measure::start();
    let mut inflater = Inflater::new(WindowBits::MAX, true);
    let mut out = look_away(|| Vec::with_capacity(1 << 20));
    inflater.inflate(&look_away(|| deflated(&vec![b'x'; 500_000])), &mut out, 1 << 20).unwrap();
    assert!(measure.peak() <= 48 * KIB as isize, "an inflater: {}", measure.peak());
    look_away(|| drop(out));
    let measure = Measure::start();
    let connection = open_with(Role::Server, Arc::new(Config::default()));
    assert!(
        measure.held() + size_of_val(&connection) as isize <= KIB as isize,
        "{}",
        size_of_val(&connection)
    );
}
