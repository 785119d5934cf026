//! The connection agrees with the reference model (`hybi_test::twin`) on every stream: the same events and the same
//! answers, whatever arrives, however it is cut and handed over, with any limits, closing already or not, and
//! whether or not the transport ends.
//!
//! Streams are generated from a seed, which each complaint names; `HYBI_STREAMS` asks for more of them, and
//! `HYBI_SEED` for a stream to begin with. tests/properties.rs asks the same of streams that it can shrink.

use hybi::{Delivery, Role};
use hybi_test::dice::Dice;
use hybi_test::endpoint::Memory;
use hybi_test::hostile;
use hybi_test::record::Record;
use hybi_test::twin::{Course, Decoded, decode_in};
use hybi_test::verdict::verdict;

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
        config.limits.pending_pongs = u32::MAX; // how many are left out depends on how the octets are cut
        let course = Course { closing: dice.one_in(4), ends: dice.one_in(2) };
        let frames = 1 + dice.below(30);
        let octets = hostile::stream(&mut dice, role, frames);
        let reads = hostile::reads(&mut dice, &octets);
        let expected = Decoded { unfinished: 0, ..decode_in(course, role, &config, &octets) };
        for memory in Memory::ALL {
            let seen = verdict(course, role, &config, memory, &reads);
            assert_eq!(seen, expected, "seed {seed} in {memory:?} memory");
        }
        seen[0] += u32::from(expected.events.iter().any(|event| matches!(event, Record::Failed(_))));
        seen[1] += u32::from(expected.events.iter().any(|event| matches!(event, Record::Text(_))));
        seen[2] += u32::from(config.delivery == Delivery::Fragments);
    }
    assert!(seen.iter().all(|n| *n > 0), "streams of all sorts: {seen:?}");
}
