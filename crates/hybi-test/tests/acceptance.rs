//! The acceptance cases, by the shim and `acceptance/run_cases.py`.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use std::path::Path;
use std::process::Command;

/// Every case that the shim can answer, and each of those that receive something in every split as well.
#[test]
fn sample_cases_in_every_split() {
    let acceptance = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance");
    let mut command = Command::new("python3");
    command.arg(acceptance.join("run_cases.py")).arg("--shim").arg(env!("CARGO_BIN_EXE_shim"));
    command.args(["--every-split", "--gate", "must,seed,decision"]);
    command.args(["--limit", "60"]); // seconds for an answer: a bound, also without optimisation and beside other work
    if cfg!(debug_assertions) {
        command.arg("--no-work"); // times of builds without optimisation say nothing
    }
    for cases in ["sample-cases.json", "opening-cases.json", "extension-cases.json", "compression-cases.json"]
    {
        command.arg(acceptance.join(cases));
    }
    let output =
        command.output().unwrap_or_else(|error| panic!("python3 is needed to run the cases: {error}"));
    let report = String::from_utf8_lossy(&output.stdout);
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
    let acceptance = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance");
    for (exponent, noisy, passes) in [("1", "0", true), ("1", "9", true), ("2", "9", false)] {
        let mut command = Command::new("python3");
        command.arg(acceptance.join("run_cases.py")).args(["--only", "hostile-frames-172"]);
        let noisy_shim = acceptance.join("noisy_shim.py");
        let shim = env!("CARGO_BIN_EXE_shim");
        command.args(["--work-runs", "10", "--shim"]);
        command.arg(format!("python3 '{}' '{shim}' {exponent} {noisy}", noisy_shim.display()));
        command.arg(acceptance.join("hostile-cases.json"));
        let output =
            command.output().unwrap_or_else(|error| panic!("python3 is needed to run the cases: {error}"));
        let report = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), passes, "{exponent} {noisy}: {report}");
        assert_eq!(report.contains("work grows by"), !passes, "{exponent} {noisy}: {report}");
    }
}
