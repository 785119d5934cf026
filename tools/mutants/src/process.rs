//! Runs a test program, with one mutant on or with a trace, and stops it at its first failure.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq)]
pub enum End {
    Passed,
    /// In this test, as far as it is known.
    Failed(String),
    TimedOut(String),
}

/// What one run asks for.
pub struct Run<'r> {
    pub program: &'r Path,
    pub folder: &'r Path,
    pub tests: &'r [&'r str],
    pub environment: (&'r str, String),
    /// Time of the processor, so that other work on the machine takes nothing of it.
    pub at_most: Duration,
}

/// A changed program may ask for memory without an end: so many KiB it gets.
const MEMORY_KIB: &str = "4194304";
/// What waits and does not work, or works beside much else, is stopped after so many times as long by the clock.
const PATIENCE: u32 = 10;

/// Ends what had all its time, on Linux and macOS.
const SIGXCPU: i32 = 24;

pub fn run(run: &Run<'_>) -> Result<End, String> {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v \"$0\"; ulimit -c 0; ulimit -St \"$1\"; shift; exec \"$@\"", MEMORY_KIB])
        .arg(run.at_most.as_secs().to_string())
        .arg(run.program)
        .args(["--exact", "--test-threads=1"])
        .args(run.tests)
        .env(run.environment.0, &run.environment.1)
        .current_dir(run.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", run.program.display()))?;
    let output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let (lines, said) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in output.split(b'\n') {
            let Ok(line) = line else { break };
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let until = Instant::now() + run.at_most * PATIENCE;
    let mut failed = None;
    let mut done = 0;
    let timed_out = loop {
        match said.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let Some(rest) = line.strip_prefix("test ") else { continue };
                if rest.ends_with("FAILED") {
                    failed = rest.split(' ').next().map(Into::into);
                    break false;
                }
                done += usize::from(rest.ends_with("ok") || rest.ends_with("ignored"));
            }
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
    };
    if timed_out || failed.is_some() {
        let _ = child.kill(); // it may have ended by itself
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    drop(said);
    let _ = reader.join();
    // Tests run in the order of their names.
    let mut names = run.tests.to_vec();
    names.sort_unstable();
    let running = names.get(done).copied().unwrap_or_default().to_string();
    Ok(match failed {
        Some(test) => End::Failed(test),
        None if timed_out || status.signal() == Some(SIGXCPU) => End::TimedOut(running),
        None if status.success() => End::Passed,
        None => End::Failed(running),
    })
}

/// The names of the tests of a program.
pub fn list(program: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(program)
        .args(["--list", "--format=terse"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(Into::into).collect())
}
