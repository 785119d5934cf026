//! The tool on a crate whose survivors are known.

use std::path::Path;
use std::process::Command;

#[test]
fn what_the_sample_misses_is_named() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sample");
    let _ = std::fs::remove_dir_all(&out); // of the time before
    let run = |options: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_hybi-mutants"))
            .args([
                "--workspace",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sample"),
                "--package",
                "sample",
            ])
            .arg("--out")
            .arg(&out)
            .args(options)
            .output()
            .expect("the tool runs");
        let text = String::from_utf8(output.stdout).expect("it writes text");
        (output.status.code(), text, String::from_utf8_lossy(&output.stderr).into_owned())
    };

    let (status, text, complaints) = run(&[]);
    assert_eq!(status, Some(1), "{complaints}");
    let missed: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("missed: ")).collect();
    assert_eq!(
        missed,
        [
            "lib.rs:10:7: < becomes <= in is_small",
            "lib.rs:14:7: + becomes * in sum",
            "lib.rs:20:9: arm 6 is gone in day; no test comes there",
            "lib.rs:20:14: guard is_small(number - 4) always holds in day; no test comes there",
            "lib.rs:20:14: guard is_small(number - 4) never holds in day; no test comes there",
            "lib.rs:20:30: - becomes + in day; no test comes there",
            "lib.rs:20:30: - becomes / in day; no test comes there",
            "lib.rs:25:8: body gives true in is_leap; no test comes there",
            "lib.rs:25:8: body gives false in is_leap; no test comes there",
            "lib.rs:26:14: == becomes != in is_leap; no test comes there",
            "lib.rs:26:10: % becomes / in is_leap; no test comes there",
            "lib.rs:26:10: % becomes + in is_leap; no test comes there",
        ]
    );
    // `double` has to be const, and a port has no default.
    let sum: Vec<_> =
        text.lines().find(|line| line.starts_with("sum ")).expect("a sum").split_whitespace().collect();
    assert_eq!(sum, ["sum", "38", "33", "19", "2", "12", "1", "4"]);

    let (status, text, complaints) = run(&["--resume"]);
    assert_eq!(status, Some(0), "{complaints}");
    assert!(!text.contains("missed:"), "all have been judged: {text}");
    let (status, text, complaints) = run(&["--again", "--only", "sum"]);
    assert_eq!(status, Some(1), "{complaints}");
    assert!(text.contains("missed: lib.rs:14:7: + becomes * in sum"), "{text}");
}
