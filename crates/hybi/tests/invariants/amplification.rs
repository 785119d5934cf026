//! The amplification theorem: how many octets the peer can make us send with one of its own. I-13.

use hybi_test::alloc::look_away;
use hybi_test::endpoint::{Memory, open, transmit_all};
use hybi_test::frames::{first, to};
use hybi_test::twins;

use super::{Arrival, STREAMS, generated, transcripts};
use hybi::Role;

/// The most that is sent once: a close frame of 125 octets with its header.
const ONCE: usize = 131;

/// A server answers a ping of six octets with two; a client one of two octets with six.
const fn factor(role: Role) -> usize {
    match role {
        Role::Server => 1,
        Role::Client => 3,
    }
}

/// Everything is transmitted at once, so that no pong is left out.
fn holds(arrival: &Arrival) {
    let mut connection = arrival.open();
    let (mut received, mut sent) = (0, 0);
    for read in arrival.octets.chunks(64) {
        Memory::Copied.show(&mut connection, read, |_| {});
        received += read.len();
        sent += look_away(|| transmit_all(&mut connection).len());
        let most = factor(arrival.role) * received + ONCE;
        assert!(sent <= most, "{}: {sent} octets out for {received} in", arrival.name);
    }
}

#[test]
fn every_transcript() {
    transcripts().iter().for_each(holds);
}

#[test]
fn hostile_streams() {
    (0..STREAMS).map(generated).for_each(|arrival| holds(&arrival));
}

twins! {
    /// The factor is met, and not a bit more: it says what it should.
    fn empty_pings_are_the_most(role) {
        let mut connection = open(role);
        let pings = to(role, first::PING, b"").repeat(1000);
        let mut sent = 0;
        for ping in pings.chunks(pings.len() / 1000) {
            Memory::Lent.show(&mut connection, ping, |_| {});
            sent += transmit_all(&mut connection).len();
        }
        match role {
            Role::Client => assert_eq!(sent, 3 * pings.len()),
            Role::Server => assert_eq!(3 * sent, pings.len()),
        }
    }

    /// A refused handshake is answered with at most 512 octets; tests/handshake has each refusal. Here: nothing
    /// that arrives behind it makes more of it.
    fn after_a_failure_nothing_more_is_sent(role) {
        let mut connection = open(role);
        Memory::Lent.show(&mut connection, &to(role, 0x83, b""), |_| {});
        assert!(transmit_all(&mut connection).len() <= ONCE);
        for _ in 0..100 {
            Memory::Own.show(&mut connection, &to(role, first::PING, b"?"), |_| {});
            Memory::Lent.show(&mut connection, &to(role, first::CLOSE, b""), |_| {});
        }
        assert!(transmit_all(&mut connection).is_empty());
    }
}
