//! What the tests of the command share: processes that are bounded in time and never left behind.
#![allow(dead_code, unreachable_pub, clippy::panic, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// No process runs longer. It is no expectation: it turns a hang into a failure.
pub const BOUND: Duration = Duration::from_secs(90);

/// How a process ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The command of this crate.
pub fn hybi(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybi"));
    command.args(arguments);
    command
}

/// Runs a process to its end with this input.
pub fn run(command: &mut Command, input: &str) -> Ended {
    let mut child = spawn(command.stderr(Stdio::piped()));
    let mut stdin = child.0.stdin.take().expect("it is piped");
    let _ = stdin.write_all(input.as_bytes()); // a process that ends early need not read all of it
    drop(stdin);
    end(child)
}

/// Waits for the end of a process whose outputs are piped.
pub fn end(mut child: Running) -> Ended {
    let outputs = (collect(child.0.stdout.take()), collect(child.0.stderr.take()));
    let text = |output: &Receiver<Vec<u8>>| match output.recv_timeout(BOUND) {
        Ok(octets) => String::from_utf8(octets).expect("it speaks UTF-8"),
        Err(_) => panic!("not over after {BOUND:?}"), // and dropping it kills it
    };
    let (stdout, stderr) = (text(&outputs.0), text(&outputs.1));
    let status = child.0.wait().expect("its outputs are closed, so it ends");
    Ended { code: status.code(), stdout, stderr }
}

/// Reads to the end on a thread of its own.
fn collect(output: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut octets = Vec::new();
        if let Some(mut output) = output {
            let _ = output.read_to_end(&mut octets);
        }
        let _ = send.send(octets); // the test may have given up
    });
    receive
}

/// A process that is ended when nobody needs it any more.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a process with piped input and output.
pub fn spawn(command: &mut Command) -> Running {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    Running(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// A running server, and what it prints.
#[derive(Debug)]
pub struct Server {
    _process: Running,
    lines: Receiver<String>,
}

impl Server {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut process = spawn(command);
        let lines = lines(process.0.stdout.take().expect("it is piped"));
        Self { _process: process, lines }
    }

    /// The next line that it prints.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(BOUND).expect("another line")
    }

    /// The next line with this in it.
    pub fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }
}

/// The lines of an output, as they come.
pub fn lines(output: ChildStdout) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

/// `hybi echo` at a free port, and that address: `127.0.0.1:PORT`.
pub fn echo(arguments: &[&str]) -> (Server, String) {
    let s = if arguments.contains(&"--tls-cert") { "s" } else { "" };
    let server = Server::start(hybi(&["echo", "--listen", "127.0.0.1:0"]).args(arguments));
    let line = server.line();
    let address =
        line.strip_prefix(&format!("listening on http{s}://")).and_then(|rest| rest.split('/').next());
    let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
    assert_eq!(line, format!("listening on http{s}://{address}/ and ws{s}://{address}/"));
    (server, address)
}
