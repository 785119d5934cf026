//! What the targets assert.

pub mod deflate;

use hybi::handshake::{ClientHandshake, ClientRequest, ServerHandshake, ServerSettings};
use hybi::{BoxEntropy, Config, Role};
use hybi_test::endpoint::{self, Memory};
use hybi_test::twin;

/// Small enough for an input to pass each of them.
fn config() -> Config {
    endpoint::config(|config| {
        config.limits.message = 3000;
        config.limits.frame = 1000;
        config.limits.fragments = 12;
        config.limits.empty_fragments = 3;
        config.limits.head_bytes = 512;
        config.limits.head_fields = 12;
    })
}

/// Any octets, cut anywhere, in each way to receive: the events of the naive twin.
pub fn receive(role: Role, cuts: &[u16], octets: &[u8]) {
    let expected = twin::decode(role, &config(), octets).events;
    for memory in Memory::ALL {
        let mut connection = endpoint::open_with(role, config());
        let mut events = Vec::new();
        let (mut rest, mut cuts) = (octets, cuts.iter());
        while !rest.is_empty() {
            let n = cuts.next().map_or(rest.len(), |cut| usize::from(*cut) % rest.len() + 1);
            memory.feed(&mut connection, &rest[..n], &mut events);
            rest = &rest[n..];
        }
        let told = events.iter().take(expected.len()).eq(&expected) && events.len() <= expected.len() + 1;
        assert!(told, "{memory:?}: {events:?} instead of {expected:?}");
        let sent = endpoint::transmit_all(&mut connection);
        hybi_test::frames::read_all(role, &sent).expect("what is sent are whole frames");
    }
}

/// A request, whole and cut once.
pub fn request(cut: usize, octets: &[u8]) {
    let run = |reads: &[&[u8]]| {
        let mut handshake = ServerHandshake::new(config(), ServerSettings::default());
        for read in reads {
            let _ = handshake.receive(read);
        }
        assert!(handshake.transmit().len() <= 1024);
        (format!("{:?}", handshake.poll_event()), handshake.transmit().to_vec())
    };
    let (a, b) = octets.split_at(cut % (octets.len() + 1));
    assert_eq!(run(&[octets]), run(&[a, b]));
}

/// A response, whole and cut once.
pub fn response(cut: usize, octets: &[u8]) {
    let run = |reads: &[&[u8]]| {
        let request = ClientRequest::new("ws://example.com/").expect("an address");
        let entropy = BoxEntropy::new(endpoint::fixed_entropy);
        let mut handshake = ClientHandshake::new(request, config(), entropy);
        for read in reads {
            let _ = handshake.receive(read);
        }
        format!("{:?}", handshake.poll_event())
    };
    let (a, b) = octets.split_at(cut % (octets.len() + 1));
    assert_eq!(run(&[octets]), run(&[a, b]));
}
