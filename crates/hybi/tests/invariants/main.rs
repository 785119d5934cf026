//! What holds whatever arrives: the invariants of docs/verification.md, each asserted over every transcript and
//! over generated streams of a hostile peer, for both roles, in each way to hand octets over.
//!
//! A generated stream is told by its seed, which every complaint names: `Dice::seeded(seed)` replays it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

mod amplification;
mod ends;
mod memory;
mod violations;
mod work;

use hybi::{Agreement, Config, Connection, Role};
use hybi_test::alloc::Counting;
use hybi_test::dice::Dice;
use hybi_test::endpoint::open_agreed;
use hybi_test::hostile;
use hybi_test::transcript::{Transcript, read_all};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// How many generated streams a test looks at.
const STREAMS: u64 = if cfg!(debug_assertions) { 300 } else { 15_000 };

/// Something that arrives.
struct Arrival {
    name: String,
    role: Role,
    agreement: Agreement,
    config: Config,
    octets: Vec<u8>,
}

impl Arrival {
    /// The connection at which it arrives.
    fn open(&self) -> Connection {
        open_agreed(self.role, self.agreement.clone(), self.config.clone())
    }
}

/// Every transcript, for each of its roles.
fn transcripts() -> Vec<Arrival> {
    let arrivals = |(name, text): (String, String)| {
        let transcript = Transcript::parse(&text).unwrap();
        let arrival = |role: &Role| Arrival {
            name: name.clone(),
            role: *role,
            agreement: transcript.agreement(),
            config: transcript.config.clone(),
            octets: transcript.arrives(*role),
        };
        transcript.roles().iter().map(arrival).collect::<Vec<_>>()
    };
    read_all().into_iter().flat_map(arrivals).collect()
}

/// The stream of this seed.
fn generated(seed: u64) -> Arrival {
    let mut dice = Dice::seeded(seed);
    let role = dice.pick(&ROLES);
    let config = if dice.one_in(3) { Config::default() } else { hostile::config(&mut dice) };
    let frames = 1 + dice.below(40);
    let octets = hostile::stream(&mut dice, role, frames);
    Arrival { name: format!("seed {seed}"), role, agreement: Agreement::default(), config, octets }
}
