//! The pair simulator: its clock, its wire, its ends.

use std::time::Duration;

use hybi::{Config, State};
use hybi_test::endpoint::config;
use hybi_test::pair::Pair;
use hybi_test::record::Record;

#[test]
fn the_clock_serves_each_deadline_at_its_own_moment() {
    let every = |seconds| config(|config| config.timeouts.keepalive = Some(Duration::from_secs(seconds)));
    let mut pair = Pair::new(every(2), every(3));
    let start = pair.now();
    assert_eq!(pair.next_deadline(), Some(start + Duration::from_secs(2)));
    pair.advance(Duration::from_secs(6));
    assert_eq!(pair.now(), start + Duration::from_secs(6));
    let pings = |events: &[Record]| events.iter().filter(|event| matches!(event, Record::Ping(_))).count();
    assert_eq!((pings(&pair.server.events), pings(&pair.client.events)), (3, 2));
}

#[test]
fn a_wire_has_room_and_reads_have_a_size() {
    let mut pair = Pair::default();
    (pair.server.reads, pair.server.room) = (false, 10);
    pair.client.connection.send(&[0; 100]).expect("it is open");
    pair.run();
    assert_eq!((pair.server.unread(), pair.client.sent.len()), (10, 10));
    (pair.server.reads, pair.server.chunk) = (true, 3);
    pair.run();
    assert_eq!(pair.server.take_events(), [Record::Binary(vec![0; 100])]);
    assert_eq!(pair.server.events, []);
}

#[test]
fn a_broken_wire_loses_what_is_on_it() {
    let mut pair = Pair::new(Config::default(), Config::default());
    pair.server.reads = false;
    pair.client.connection.send("lost").expect("it is open");
    pair.run();
    pair.server.reads = true;
    pair.break_wire();
    assert_eq!(pair.server.events, [Record::transport_ended()]);
    assert_eq!(pair.client.connection.state(), State::Closed);
}
