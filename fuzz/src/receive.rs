//! What a connection makes of what arrives: what the reference model says, in any cut, in any way to hand it over.

use hybi::{Config, Role};
use hybi_test::dice::Dice;
use hybi_test::endpoint::Memory;
use hybi_test::hostile;
use hybi_test::twin::{Course, Decoded, decode_in};
use hybi_test::verdict::verdict;

/// What arrives, and where.
pub struct Arrival {
    /// What else happens.
    pub course: Course,
    /// The limits.
    pub config: Config,
    /// The octets.
    pub octets: Vec<u8>,
    /// In which memory.
    pub memory: Memory,
    cuts: Dice<'static>,
}

impl Arrival {
    /// The input decides about the course, the limits, how the octets are cut, and either is the octets, or makes
    /// frames that are mostly legal.
    pub fn of(role: Role, input: &[u8]) -> Self {
        let mut dice = Dice::of(input);
        let as_it_is = dice.one_in(2);
        let course = Course { closing: dice.one_in(4), ends: dice.one_in(2) };
        let mut config = hostile::config(&mut dice);
        config.limits.pending_pongs = u32::MAX; // how many are left out depends on how the octets are cut
        let memory = dice.pick(&Memory::ALL);
        let cuts = Dice::seeded(dice.below(256) as u64);
        // Long payloads show little more than that they are long, and take their time.
        let room = if dice.one_in(256) { 140_000 } else { 600 };
        let octets =
            if as_it_is { dice.rest().to_vec() } else { hostile::stream_within(&mut dice, role, 64, room) };
        Self { course, config, octets, memory, cuts }
    }
}

/// An input by which these octets arrive as they are, in one read, with the default limits but few of them.
pub fn input_of(role: Role, octets: &[u8]) -> Vec<u8> {
    let before = (1..64)
        .map(|n| [&[1][..], &vec![0; n]].concat())
        .find(|before| Arrival::of(role, &[before, &b"end"[..]].concat()).octets == b"end");
    [before.expect("the decisions before the octets are few"), octets.to_vec()].concat()
}

/// What arrives at a client.
pub fn client(input: &[u8]) {
    receive(Role::Client, input);
}

/// What arrives at a server.
pub fn server(input: &[u8]) {
    receive(Role::Server, input);
}

fn receive(role: Role, input: &[u8]) {
    let Arrival { course, config, octets, memory, mut cuts } = Arrival::of(role, input);
    let expected = Decoded { unfinished: 0, ..decode_in(course, role, &config, &octets) };
    let reads = hostile::reads(&mut cuts, &octets);
    assert_eq!(verdict(course, role, &config, memory, &reads), expected, "{memory:?}");
}
