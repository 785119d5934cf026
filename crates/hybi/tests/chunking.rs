//! All transcripts, in every way: whole, octet by octet, cut after each octet, with octets behind the end;
//! in lent memory, in the connection's own, and copied; for each role.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use std::fs;
use std::path::Path;

use hybi_test::transcript::play;

#[test]
fn every_transcript_in_every_way() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it is readable").path())
        .collect();
    files.sort();
    let (mut played, mut ways, mut complaints) = (0, 0, Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")) {
        let text = fs::read_to_string(file).expect("a transcript is text");
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match std::panic::catch_unwind(|| play(&name, &text)) {
            Ok(more) => ways += more,
            Err(panic) => complaints.push(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
        }
        played += 1;
    }
    assert!(complaints.is_empty(), "{} of {played}:\n{}", complaints.len(), complaints.join("\n"));
    assert!(played >= 60 && ways > 5_000, "{played} transcripts in {ways} ways");
}
