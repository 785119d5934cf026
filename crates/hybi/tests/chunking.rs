//! All transcripts, in every way: whole, octet by octet, cut after each octet, with octets behind the end;
//! in lent memory, in the connection's own, and copied; for each role.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use hybi_test::transcript::{play, read_all};

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
