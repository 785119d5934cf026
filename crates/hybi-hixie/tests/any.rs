//! Any octets: the same events and the same output in any cut, one end, and bounds that hold.

use hybi_hixie::{Accept, Event, Server, Settings, State, Version};
use hybi_test::dice::Dice;

const REQUESTS: [&str; 3] = [
    "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: h\r\nOrigin: o\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\
     Upgrade: WebSocket\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\r\n^n:ds[4U",
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
];

/// A request that may be broken, and frames that mostly are whole.
fn stream(dice: &mut Dice<'_>, opening: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    if opening {
        octets.extend_from_slice(dice.pick(&REQUESTS).as_bytes());
        if dice.one_in(4) {
            let at = dice.below(octets.len());
            octets[at] = dice.octet();
        }
    }
    for _ in 0..dice.below(12) {
        match dice.below(8) {
            0..4 => {
                octets.push(0x00);
                let n = dice.below(40);
                octets.extend((0..n).map(|_| dice.octet()));
                octets.push(0xff);
            }
            4 => octets.extend([dice.octet() | 0x80, dice.octet(), dice.octet()]),
            5 => octets.extend([0xff, 0x00]),
            6 => octets.extend([0x80 | dice.octet(), 0x03, 1, 2, 3]),
            _ => octets.push(dice.octet()),
        }
    }
    octets
}

/// Everything that happens, and everything that is written.
fn run(
    octets: &[u8],
    version: Option<Version>,
    mut cut: impl FnMut() -> usize,
) -> (Vec<Event>, Vec<u8>, State) {
    let mut settings = Settings::default();
    (settings.message, settings.head_bytes, settings.head_fields) = (32, 400, 8);
    let mut server = match version {
        Some(version) => Server::open(version, settings),
        None => Server::new(settings),
    };
    let (mut events, mut written, mut rest) = (Vec::new(), Vec::new(), octets);
    loop {
        let n = cut().min(rest.len());
        let taken = server.receive(&rest[..n]);
        assert!(taken <= n);
        rest = &rest[taken..];
        while let Some(event) = server.poll_event() {
            if let Event::Request(_) = event {
                server.accept(&Accept::default()).expect("it waits");
            }
            if let Event::Text(text) = &event {
                assert!(text.len() <= 3 * 32, "as much as the limit, and a replacement has three octets");
            }
            events.push(event);
        }
        written.extend_from_slice(server.transmit());
        server.transmitted(server.transmit().len());
        if rest.is_empty() || events.last() == Some(&Event::Other) {
            break;
        }
    }
    if events.last() == Some(&Event::Other) {
        let mut whole = server.take_unread();
        whole.extend_from_slice(rest);
        assert_eq!(whole, octets, "nothing is lost for whoever is next");
    }
    let ends = events.iter().filter(|event| **event == Event::Closed).count();
    assert_eq!(ends, usize::from(server.state() == State::Closed));
    (events, written, server.state())
}

#[test]
fn the_same_in_any_cut() {
    let (mut opened, mut failed) = (0, 0);
    for seed in 0..20_000 {
        let mut dice = Dice::seeded(seed);
        let version = dice.pick(&[None, Some(Version::Hixie75), Some(Version::Hixie76)]);
        let octets = stream(&mut dice, version.is_none());
        let whole = run(&octets, version, || usize::MAX);
        let most = 1 + dice.below(20);
        let pieces = run(&octets, version, || 1 + dice.below(most));
        assert_eq!(pieces, whole, "seed {seed}, pieces of at most {most}: {octets:?}");
        opened += usize::from(whole.2 == State::Open);
        failed += usize::from(whole.0.iter().any(|event| matches!(event, Event::Failed(_))));
    }
    assert!(opened > 1000 && failed > 1000, "{opened} open at the end, {failed} failed");
}
