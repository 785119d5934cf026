//! The acceptance cases, by the shim and `acceptance/run_cases.py`.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file beside the runner.
fn acceptance(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance").join(name)
}

/// Gives these cases to a shim. What the runner says, and whether it was content.
fn run_cases(shim: impl AsRef<OsStr>, options: &[&str], cases: &[&str]) -> (String, Output) {
    let mut command = Command::new("python3");
    command.arg(acceptance("run_cases.py")).arg("--shim").arg(shim).args(options);
    command.args(cases.iter().map(|name| acceptance(name)));
    let output =
        command.output().unwrap_or_else(|error| panic!("python3 is needed to run the cases: {error}"));
    (String::from_utf8_lossy(&output.stdout).into_owned(), output)
}

/// Every case that the shim can answer, and each of those that receive something in every split as well.
#[test]
fn sample_cases_in_every_split() {
    // Seconds for an answer: a bound, also without optimisation and beside other work.
    let mut options = vec!["--every-split", "--gate", "must,seed,decision", "--limit", "60"];
    if cfg!(debug_assertions) {
        options.push("--no-work"); // times of builds without optimisation say nothing
    }
    let cases = ["sample-cases.json", "opening-cases.json", "extension-cases.json", "compression-cases.json"];
    let (report, output) = run_cases(env!("CARGO_BIN_EXE_shim"), &options, &cases);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    // That it ran, and ran what is built: the numbers only grow.
    let passed =
        report.lines().find_map(|line| line.strip_prefix("all ")?.split_whitespace().next()?.parse().ok());
    assert!(passed.is_some_and(|passed: usize| passed >= 500), "{report}");
}

/// Other work on the machine makes a case slow now and then: that is measured again. Work that does grow faster than what
/// arrives is found all the same.
#[test]
fn work_is_measured_until_the_machine_is_quiet() {
    let (noisy_shim, shim) = (acceptance("noisy_shim.py"), env!("CARGO_BIN_EXE_shim"));
    for (exponent, noisy, passes) in [("1", "0", true), ("1", "9", true), ("2", "9", false)] {
        let shim = format!("python3 '{}' '{shim}' {exponent} {noisy}", noisy_shim.display());
        let options = ["--only", "hostile-frames-172", "--work-runs", "10"];
        let (report, output) = run_cases(shim, &options, &["hostile-cases.json"]);
        assert_eq!(output.status.success(), passes, "{exponent} {noisy}: {report}");
        assert_eq!(report.contains("work grows by"), !passes, "{exponent} {noisy}: {report}");
    }
}
