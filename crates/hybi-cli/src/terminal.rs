//! What people see: messages go to the standard output, all else to the standard error. On a terminal lines have the
//! time (UTC) and colours; in a file or for a program they are plain.
//!
//! While a line is being edited, whoever prints would write into it: then the [editor](crate::edit) prints for all.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::styling::{AnsiColor, Style};

const TIME: Style = Style::new().dimmed();
const SENT_BACK: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Cyan.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`
    #[default]
    Auto,
    Always,
    Never,
}

static WHEN: OnceLock<When> = OnceLock::new();
/// Prints above the line that is being edited.
static EDITOR: Mutex<Option<Box<dyn rustyline::ExternalPrinter + Send>>> = Mutex::new(None);

pub(crate) fn set_colours(when: When) {
    let _ = WHEN.set(when); // it is said once
}

/// Hands printing over to an editor, or takes it back.
pub(crate) fn set_editor(printer: Option<Box<dyn rustyline::ExternalPrinter + Send>>) {
    if let Ok(mut editor) = EDITOR.lock() {
        *editor = printer;
    }
}

/// Prints nothing, in its turn: up a line, and down.
pub(crate) fn nothing() {
    if let Ok(mut editor) = EDITOR.lock()
        && let Some(printer) = &mut *editor
    {
        let _ = printer.print("\x1b[A\n".into());
    }
}

/// Says something that is no message: one line, never an error of ours if nobody listens.
pub(crate) fn note(line: &str) {
    let line = decorated(io::stderr().is_terminal(), NOTE, "", line);
    let _ = put(&mut io::stderr().lock(), &line);
}

/// Why it does not go on.
pub(crate) fn error(message: &str) {
    let is_terminal = io::stderr().is_terminal();
    let name = painted(is_terminal, ERROR, "hybi:");
    let message = if is_terminal { visible(message) } else { message.into() };
    let _ = put(&mut io::stderr().lock(), &format!("{name} {message}"));
}

/// Says what is wrong with the line that was just typed. It is not being edited any more.
pub(crate) fn complain(complaint: &str) {
    let line = decorated(io::stderr().is_terminal(), ERROR, "", complaint);
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// One line of a server's report.
pub(crate) fn report(line: &str) -> io::Result<()> {
    let line = decorated(io::stdout().is_terminal(), Style::new(), "", line);
    put(&mut io::stdout().lock(), &line)
}

/// Prints messages: plain lines to a file or a program; marked, and harmless, to a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    for_people: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self { for_people: io::stdout().is_terminal() }
    }

    /// A text message, as it is.
    pub(crate) fn text(self, text: &str) -> io::Result<()> {
        self.line(text)
    }

    /// A binary message, in hex.
    pub(crate) fn binary(self, octets: &[u8]) -> io::Result<()> {
        if self.for_people {
            self.line(&format!("binary, {} octets: {}", octets.len(), hex(octets)))
        } else {
            self.line(&hex(octets))
        }
    }

    fn line(self, line: &str) -> io::Result<()> {
        put(&mut io::stdout().lock(), &decorated(self.for_people, SENT_BACK, "< ", line))
    }
}

fn put(out: &mut impl io::Write, line: &str) -> io::Result<()> {
    if let Ok(mut editor) = EDITOR.lock()
        && let Some(printer) = &mut *editor
    {
        return printer.print(format!("{line}\n")).map_err(io::Error::other);
    }
    writeln!(out, "{line}")?;
    out.flush()
}

/// For people: the time, a mark, and nothing that commands the terminal. For programs: the line.
fn decorated(for_people: bool, style: Style, mark: &str, line: &str) -> String {
    if !for_people {
        return line.into();
    }
    let line = visible(line);
    let marked =
        if mark.is_empty() { painted(true, style, &line) } else { painted(true, style, mark) + &line };
    format!("{} {marked}", painted(true, TIME, &clock()))
}

fn painted(is_terminal: bool, style: Style, text: &str) -> String {
    let is_coloured = match WHEN.get().copied().unwrap_or_default() {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
            is_terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
        }
    };
    if is_coloured { format!("{style}{text}{style:#}") } else { text.into() }
}

/// The time of day in UTC, to the millisecond.
fn clock() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time_of_day(now.as_millis() as u64)
}

fn time_of_day(millis: u64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// The text without the power to move the cursor, to rename the window, or to hide anything.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => visible.push(char),
            char if char.is_control() => visible.extend(char.escape_default()),
            // Marks that turn the direction of writing.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => visible.extend(char.escape_unicode()),
            char => visible.push(char),
        }
    }
    visible
}

/// Two lower-case digits per octet.
fn hex(octets: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * octets.len());
    for octet in octets {
        let _ = write!(hex, "{octet:02x}"); // writing to a string does not fail
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day() {
        assert_eq!(time_of_day(0), "00:00:00.000Z");
        assert_eq!(time_of_day(1_764_252_034_007), "14:00:34.007Z");
    }

    #[test]
    fn octets_are_two_digits_each() {
        assert_eq!(hex(&[]), "");
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }

    #[test]
    fn a_message_cannot_command_the_terminal() {
        assert_eq!(visible("tide: \u{e9}\n\thigh"), "tide: \u{e9}\n\thigh");
        assert_eq!(visible("\x1b[2J\x07\r\u{9b}"), "\\u{1b}[2J\\u{7}\\r\\u{9b}");
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
    }
}
