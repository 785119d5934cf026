//! What people see: messages go to the standard output, all else to the standard error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

/// Says something that is no message: one line, never an error of ours if nobody listens.
pub(crate) fn note(line: &str) {
    let line = if io::stderr().is_terminal() { visible(line) } else { line.into() };
    let _ = writeln!(io::stderr().lock(), "{line}");
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
        if self.for_people { self.line(&format!("< {}", visible(text))) } else { self.line(text) }
    }

    /// A binary message, in hex.
    pub(crate) fn binary(self, octets: &[u8]) -> io::Result<()> {
        if self.for_people {
            self.line(&format!("< binary, {} octets: {}", octets.len(), hex(octets)))
        } else {
            self.line(&hex(octets))
        }
    }

    fn line(self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }
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
