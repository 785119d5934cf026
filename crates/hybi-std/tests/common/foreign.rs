//! Peers that other people wrote, as `crates/hybi-test/interop` installs them under `<target>/interop`.
//!
//! If they are missing they are installed when `CI` or `HYBI_INTEROP` is set, and a test that cannot have its
//! peer then fails. Otherwise it says so, past the capture of test output, and passes: a clone is tested
//! with nothing but a compiler.
#![allow(dead_code, unreachable_pub, clippy::panic, reason = "each test file uses a part of it")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The command of a peer; `None` if it is not there and need not be.
pub fn peer(name: &str) -> Option<Command> {
    static SETUP: Mutex<()> = Mutex::new(()); // one at a time
    let _one = SETUP.lock().unwrap_or_else(PoisonError::into_inner);
    let needs_chromium = name == "page";
    if !is_there(name, needs_chromium) {
        let wished =
            ["CI", "HYBI_INTEROP"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
        if !wished {
            say_what_to_run(name);
            return None;
        }
        set_up(needs_chromium);
        assert!(is_there(name, needs_chromium), "there is no {name}, and it could not be installed");
    }
    Some(Command::new(bin().join(name)))
}

/// Runs a client to its end. It bounds its own time; its last line begins with `ok` if all was well.
pub fn expect_ok(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.starts_with("ok "), "{command:?}\n{stdout}\n{stderr}");
    stdout.trim_end().to_owned()
}

/// `<target>/interop`, beside the folder that Cargo gives to tests.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop")
}

fn bin() -> PathBuf {
    installed().join("bin")
}

fn is_there(name: &str, needs_chromium: bool) -> bool {
    // The stamp is written last.
    let in_path = |program: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
    };
    installed().join(".stamp").is_file()
        && bin().join(name).is_file()
        && (!needs_chromium || (in_path("chromium") && in_path("chromedriver")))
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("hybi-test").join("interop/setup.sh")
}

/// The script bounds its own time.
fn set_up(with_chromium: bool) {
    let mut command = Command::new(script());
    command.arg(installed()).args(with_chromium.then_some("--chromium")).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Straight to the standard error: what is printed by macros is not shown for a test that passes.
fn say_what_to_run(name: &str) {
    let message = format!(
        "\nNOT TESTED against {name}, which is not installed. To install it and test:\n    \
         HYBI_INTEROP=1 cargo test --workspace --locked --test interop\n\n"
    );
    let _ = std::io::stderr().write_all(message.as_bytes());
}
