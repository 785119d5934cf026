//! Thousands of lives of a client and a server on a network that delays, breaks and is cut, in virtual time: nothing
//! is lost, doubled or reordered, both ends are told their end once, and rightly.
//!
//! `HYBI_LIVES` asks for more of them, `HYBI_SEED` for one to begin with; a complaint names its seed.

use hybi::CloseCause;
use hybi_test::simulation::{Life, live};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn every_life_comes_to_its_end() {
    let first = number("HYBI_SEED", 0);
    let lives: Vec<Life> = (first..first + number("HYBI_LIVES", 2_000)).map(live).collect();
    let ended = |is: fn(&CloseCause) -> bool| {
        lives.iter().flat_map(|life| &life.causes).filter(|cause| is(cause)).count()
    };
    // All sorts of ends have to occur, or the simulation shows nothing.
    let few = lives.len() / 100;
    assert!(ended(|cause| *cause == CloseCause::Handshake) > few);
    assert!(ended(|cause| *cause == CloseCause::Aborted) > few);
    assert!(ended(|cause| *cause == CloseCause::TransportEnded) > few);
    assert!(ended(|cause| matches!(cause, CloseCause::TimedOut(_))) > few);
    assert!(lives.iter().filter(|life| life.broken).count() > few);
    assert!(lives.iter().map(|life| life.messages).sum::<usize>() > lives.len());
}
