//! All transcripts, in every way: whole, octet by octet, cut after each octet, with octets behind the end;
//! in lent memory, in the connection's own, and copied; for each role.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use std::collections::BTreeSet;

use hybi::{Config, Role};
use hybi_test::endpoint::Memory;
use hybi_test::transcript::{Transcript, play, read_all};
use hybi_test::twin::Course;
use hybi_test::verdict::verdict;

#[test]
fn every_transcript_in_every_way() {
    let transcripts = read_all();
    let (mut ways, mut complaints) = (0, Vec::new());
    for (name, text) in &transcripts {
        match std::panic::catch_unwind(|| play(name, text)) {
            Ok(more) => ways += more,
            Err(panic) => complaints.push(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
        }
    }
    let played = transcripts.len();
    assert!(complaints.is_empty(), "{} of {played}:\n{}", complaints.len(), complaints.join("\n"));
    assert!(played >= 60 && ways > 5_000, "{played} transcripts in {ways} ways");
}

/// `n` octets can be cut in 2 to the power of `n - 1` ways. What arrives in a short transcript, in each of them.
#[test]
fn short_streams_in_all_ways_that_there_are() {
    let longest = if cfg!(debug_assertions) { 10 } else { 14 };
    let mut streams = BTreeSet::new();
    for (_, text) in &read_all() {
        let transcript = Transcript::parse(text).expect("it is played above");
        for role in transcript.roles() {
            let octets = transcript.arrives(*role);
            if (2..=longest).contains(&octets.len()) {
                streams.insert((*role == Role::Server, octets));
            }
        }
    }
    let config = Config::default();
    for (is_server, octets) in &streams {
        let role = if *is_server { Role::Server } else { Role::Client };
        let course = Course { ends: true, ..Course::default() };
        let whole = verdict(course, role, &config, Memory::Lent, &[octets]);
        for way in 0..1usize << (octets.len() - 1) {
            let reads = cut(octets, way);
            let memory = Memory::ALL[way % Memory::ALL.len()];
            assert_eq!(verdict(course, role, &config, memory, &reads), whole, "{role:?} {octets:x?} {way:b}");
        }
    }
    assert!(streams.len() >= 100, "{}", streams.len());
}

/// Cuts behind each octet whose bit is set.
fn cut(octets: &[u8], way: usize) -> Vec<&[u8]> {
    let mut reads = Vec::new();
    let mut start = 0;
    for end in 1..=octets.len() {
        if end == octets.len() || way >> (end - 1) & 1 == 1 {
            reads.push(&octets[start..end]);
            start = end;
        }
    }
    reads
}
