//! The connection agrees with the reference model (`hybi_test::twin`) on every stream: the same events and the same
//! answers, whatever arrives, however it is cut and handed over, with any limits, closing already or not, and
//! whether or not the transport ends.
//!
//! Streams are generated from a seed, which each complaint names; `HYBI_STREAMS` asks for more of them, and
//! `HYBI_SEED` for a stream to begin with. tests/properties.rs asks the same of streams that it can shrink.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use hybi::{CloseCode, Config, Delivery, Role};
use hybi_test::dice::Dice;
use hybi_test::endpoint::{Memory, open_with, take_events, transmit_all};
use hybi_test::frames::read_all;
use hybi_test::hostile;
use hybi_test::record::{Record, join};
use hybi_test::twin::{Course, Decoded, decode_in};

/// What a connection makes of reads: all events, and the frames that answer.
fn outcome(course: Course, role: Role, config: &Config, memory: Memory, reads: &[&[u8]]) -> Decoded {
    let mut connection = open_with(role, config.clone());
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    if course.closing {
        connection.close(CloseCode::GOING_AWAY, "").unwrap();
        transmit_all(&mut connection);
    }
    for read in reads {
        memory.feed(&mut connection, read, &mut events);
        sent.extend(transmit_all(&mut connection));
    }
    let failed = matches!(events.last(), Some(Record::Failed(_)));
    if course.ends {
        connection.receive_eof();
        take_events(&mut connection, &mut events);
        sent.extend(transmit_all(&mut connection));
    }
    let frames = read_all(role, &sent).unwrap();
    let mut owed: Vec<_> = frames.into_iter().map(|frame| (frame.first(), frame.payload)).collect();
    if let (true, Some((0x88, payload))) = (failed, owed.last_mut()) {
        payload.truncate(2); // the words after the code are free
    }
    Decoded { events: join(events, config.strictness.utf8), owed, unfinished: 0 }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn every_stream_is_judged_alike() {
    let first = number("HYBI_SEED", 0);
    let mut seen = [0u32; 3];
    for seed in first..first + number("HYBI_STREAMS", if cfg!(debug_assertions) { 300 } else { 20_000 }) {
        let mut dice = Dice::seeded(seed);
        let role = dice.pick(&[Role::Client, Role::Server]);
        let mut config = hostile::config(&mut dice);
        config.limits.pending_pongs = 1000; // how many are left out depends on how the octets are cut
        let course = Course { closing: dice.one_in(4), ends: dice.one_in(2) };
        let frames = 1 + dice.below(30);
        let octets = hostile::stream(&mut dice, role, frames);
        let reads = hostile::reads(&mut dice, &octets);
        let expected = Decoded { unfinished: 0, ..decode_in(course, role, &config, &octets) };
        for memory in Memory::ALL {
            let seen = outcome(course, role, &config, memory, &reads);
            assert_eq!(seen, expected, "seed {seed} in {memory:?} memory");
        }
        seen[0] += u32::from(expected.events.iter().any(|event| matches!(event, Record::Failed(_))));
        seen[1] += u32::from(expected.events.iter().any(|event| matches!(event, Record::Text(_))));
        seen[2] += u32::from(config.delivery == Delivery::Fragments);
    }
    assert!(seen.iter().all(|n| *n > 0), "streams of all sorts: {seen:?}");
}
