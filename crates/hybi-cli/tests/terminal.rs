//! The command on a terminal: lines are edited and remembered, messages are printed above them, and the terminal is
//! left as it was.
#![cfg(unix)]
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use common::{BOUND, Running, echo, hybi};
use hybi_std::{CloseCode, WebSocket};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// A terminal with a process on it.
struct Terminal {
    keys: File,
    /// The terminal's other side, to look at its mode; it also keeps the terminal alive.
    screen: File,
    shown: Receiver<Vec<u8>>,
    seen: String,
    process: Option<Running>,
}

impl Terminal {
    fn start(command: &mut Command) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keys).and_then(|()| unlockpt(&keys)).expect("it is ours");
        let name = ptsname(&keys, Vec::new()).expect("it has a name").into_string().expect("a plain one");
        let screen = File::options().read(true).write(true).open(name).expect("its other side");
        tcsetwinsize(&screen, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        let side = || screen.try_clone().expect("another handle");
        command.stdin(side()).stdout(side()).stderr(side()).env("TERM", "xterm");
        let process = Running(command.spawn().expect("it starts"));
        let (mut from, keys) = (File::from(keys.try_clone().expect("another handle")), File::from(keys));
        let (send, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut octets) {
                if send.send(octets[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keys, screen, shown, seen: String::new(), process: Some(process) }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it takes keys");
    }

    /// The same, and then the prompt: before it is there, the system takes the keys for itself.
    fn expect_line(&mut self, part: &str) {
        self.expect(part);
        self.expect("> ");
    }

    /// Waits until this was shown, and forgets all before its end. Returns what was shown up to there.
    fn expect(&mut self, part: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(part) {
                let rest = self.seen.split_off(at + part.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            match self.shown.recv_timeout(BOUND) {
                Ok(octets) => self.seen += &String::from_utf8_lossy(&octets),
                Err(_) => panic!("{part} was not shown, but {:?}", self.seen),
            }
        }
    }

    /// The exit code, and that the terminal shows what is typed, and gives lines, as before.
    fn end(mut self) -> Option<i32> {
        let mut process = self.process.take().expect("it runs");
        let code = wait(&mut process.0);
        let mode = tcgetattr(&self.screen).expect("it is a terminal");
        assert!(
            mode.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON),
            "the terminal is as it was"
        );
        code
    }
}

fn wait(process: &mut Child) -> Option<i32> {
    process.wait().expect("it ends").code()
}

/// `hybi connect` on a terminal, with a history of its own.
fn connect(address: &str, history: &PathBuf) -> Terminal {
    let mut command = hybi(&["connect", &format!("ws://{address}/")]);
    Terminal::start(command.env("HYBI_HISTORY", history).env_remove("NO_COLOR"))
}

fn history(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("hybi-history-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

#[test]
fn lines_are_edited_and_remembered() {
    let (_server, address) = echo(&[]);
    let history = history("edited");
    let mut terminal = connect(&address, &history);
    terminal.expect_line(&format!("connected to ws://{address}/"));
    terminal.press("helo\x1b[Dl\r"); // back by one, and the missing letter
    terminal.expect_line("\x1b[32m< \x1b[0mhello\r\n");
    terminal.press("\x1b[A\r"); // the line before
    terminal.expect_line("\x1b[32m< \x1b[0mhello\r\n");
    terminal.press(" secret\r");
    terminal.expect_line("\x1b[32m< \x1b[0m secret\r\n");
    terminal.press("/tide\r");
    terminal.expect_line("not sent: no command /tide");
    terminal.press("\x04"); // Ctrl-D
    terminal.expect("closed: 1000");
    assert_eq!(terminal.end(), Some(0));
    let kept = fs::read_to_string(&history).expect("it was written");
    assert!(kept.lines().any(|line| line == "hello") && !kept.contains("secret"), "{kept}");
    assert_eq!(fs::metadata(&history).expect("it is there").permissions().mode() & 0o077, 0, "nobody else's");

    let mut again = connect(&address, &history);
    again.expect("> ");
    again.press("\x1b[A\x1b[A\r"); // the line before the last one
    again.expect_line("\x1b[32m< \x1b[0mhello\r\n");
    again.press("\x03"); // Ctrl-C
    again.expect("closed: 1000");
    assert_eq!(again.end(), Some(0));
    fs::remove_file(history).expect("it was there");
}

#[test]
fn what_arrives_is_printed_above_the_line() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let history = history("above");
    let mut terminal = connect(&address, &history);
    let mut socket: WebSocket<_> = hybi_std::accept(listener.accept().expect("it connects").0).expect("good");
    terminal.expect("> ");
    terminal.press("high wa");
    terminal.expect("high wa");
    socket.send("the tide \x1b[2J turns").expect("sent");
    terminal.expect("< \x1b[0mthe tide \\u{1b}[2J turns\r\n"); // without power over the screen
    terminal.expect("high wa"); // the line is there again
    terminal.press("ter\r");
    assert_eq!(socket.recv_message(), Some("high water".into()));
    terminal.expect_line("\n");
    // The other side ends it, in the middle of a line.
    terminal.press("and th");
    terminal.expect("and th");
    for n in 0..50 {
        socket.send(&format!("last words {n}")).expect("sent");
    }
    socket.close(CloseCode::GOING_AWAY, "the moon sets").expect("sent");
    while socket.recv().is_some() {}
    for n in 0..50 {
        terminal.expect(&format!("< \x1b[0mlast words {n}\r\n"));
    }
    terminal.expect("closed: 1001 the moon sets");
    assert_eq!(terminal.end(), Some(0));
    let _ = fs::remove_file(history);
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let mut terminal = connect(&address, &PathBuf::new());
    let socket = hybi_std::accept(listener.accept().expect("it connects").0).expect("a good request");
    terminal.expect("> ");
    terminal.press("\x03");
    terminal.expect("> ");
    terminal.press("late\r");
    terminal.expect_line("not sent: the connection is being closed");
    terminal.press("\x03");
    terminal.expect("the server was not waited for");
    assert_eq!(terminal.end(), Some(1));
    drop(socket);
}

#[test]
fn colours_are_a_matter_of_taste() {
    let (_server, address) = echo(&[]);
    for (arguments, no_color, has_colours) in [
        (&[][..], "", true),
        (&[], "1", false),
        (&["--color=always"], "1", true),
        (&["--color=never"], "", false),
    ] {
        let mut command = hybi(&["connect", &format!("ws://{address}/")]);
        command.args(arguments).env("HYBI_HISTORY", "").env("NO_COLOR", no_color);
        let mut terminal = Terminal::start(&mut command);
        let shown = terminal.expect("connected to ") + &terminal.expect("> ");
        terminal.press("\x04");
        let shown = shown + &terminal.expect("closed: 1000");
        assert_eq!(shown.contains("\x1b[36m"), has_colours, "{arguments:?} {no_color}: {shown:?}");
        let time = shown.split('Z').next().expect("a first part").trim_start_matches("\x1b[2m");
        assert!(time.len() == 12 && time.as_bytes()[2] == b':', "lines have the time: {shown:?}");
        assert_eq!(terminal.end(), Some(0));
    }
}

#[test]
fn a_server_on_a_terminal_says_when() {
    let mut terminal = Terminal::start(hybi(&["echo", "--listen", "127.0.0.1:0"]).env("NO_COLOR", "1"));
    let line = terminal.expect("/\r\n");
    assert!(line.contains("Z listening on http://127.0.0.1:"), "{line:?}");
}

#[test]
fn a_measurement_shows_how_far_it_is() {
    let (_server, address) = echo(&[]);
    let url = format!("ws://{address}/");
    let mut terminal = Terminal::start(&mut hybi(&["bench", &url, "--duration", "0.5"]));
    terminal.expect("messages/s");
    terminal.expect("latency   p50 ");
    assert_eq!(terminal.end(), Some(0));
}
