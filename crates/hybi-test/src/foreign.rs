//! Peers that other people wrote, as `crates/hybi-test/interop` installs them under `<target>/interop`.
//!
//! If they are missing they are installed when `CI` or `HYBI_INTEROP` is set, and a test that cannot have its
//! peer then fails. Otherwise it says so, past the capture of test output, and passes: a clone is tested
//! with nothing but a compiler.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

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

/// A foreign echo server on a port of its own. It is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    lines: mpsc::Receiver<String>,
    port: u16,
}

/// What a server takes to say something.
const BOUND: Duration = Duration::from_secs(240);

impl Server {
    /// Starts it, and waits until it listens.
    pub fn start(mut command: Command, arguments: &[&str]) -> Self {
        let command = command.arg("0").args(arguments).arg("--max-seconds=120").stdin(Stdio::null());
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it is installed");
        let stdout = process.stdout.take().expect("it is piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).all(|line| send.send(line).is_ok());
        });
        let mut server = Self { process, lines, port: 0 };
        let line = server.line();
        let port = line.strip_prefix("listening ").and_then(|port| port.parse().ok());
        server.port = port.unwrap_or_else(|| panic!("its first line is {line}"));
        server
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next line that it prints.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(BOUND).expect("it says more")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `<target>/interop`: the program that runs is somewhere under the folder that Cargo marks as its own.
fn installed() -> PathBuf {
    let program = std::env::current_exe().expect("a test is a program");
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or_else(|| panic!("{} is under no target folder", program.display())).join("interop")
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

/// The script bounds its own time.
fn set_up(with_chromium: bool) {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/setup.sh"));
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
