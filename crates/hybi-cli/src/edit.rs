//! Lines that are edited on a terminal, with a history; what arrives meanwhile is printed above them.
//!
//! rustyline does the editing. It knows no way to end a line from outside, so when the connection is over the terminal
//! is put back as it was and the process ends around it.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs, io, thread};

use rustyline::config::Builder;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;

use crate::terminal;

const KEPT: usize = 1000;

/// Whether a line is being edited just now, or nearly.
static AT_PROMPT: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
pub(crate) struct Editor {
    editor: rustyline::Editor<(), FileHistory>,
    history: Option<PathBuf>,
}

/// What was typed.
#[derive(Debug)]
pub(crate) enum Typed {
    Line(String),
    /// Ctrl-D, or the terminal is gone.
    End,
    /// Ctrl-C.
    Interrupted,
}

impl Editor {
    /// Takes the terminal over; `None` if it cannot be edited on.
    pub(crate) fn start() -> Option<Self> {
        let config = Builder::new()
            .max_history_size(KEPT)
            .and_then(|builder| builder.history_ignore_dups(true))
            .ok()?
            .history_ignore_space(true)
            .bracketed_paste(false) // each line of what is pasted is a message
            .build();
        let mut editor = rustyline::Editor::with_config(config).ok()?;
        let history = history();
        if let Some(file) = &history {
            let _ = editor.load_history(file); // there is none at first
        }
        terminal::set_editor(Some(Box::new(editor.create_external_printer().ok()?)));
        Some(Self { editor, history })
    }

    pub(crate) fn read(&mut self) -> Typed {
        AT_PROMPT.store(true, Ordering::SeqCst);
        let line = self.editor.readline("> ");
        AT_PROMPT.store(false, Ordering::SeqCst);
        match line {
            Ok(line) => {
                if self.editor.add_history_entry(&line).unwrap_or(false)
                    && let Some(file) = &self.history
                {
                    let _ = self.editor.append_history(file); // a history that cannot be kept stops nobody
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(_) => Typed::End,
        }
    }
}

/// The terminal as it was before.
#[derive(Debug)]
pub(crate) struct Terminal {
    #[cfg(unix)]
    mode: Option<rustix::termios::Termios>,
}

impl Terminal {
    pub(crate) fn remember() -> Self {
        Self {
            #[cfg(unix)]
            mode: rustix::termios::tcgetattr(rustix::stdio::stdin()).ok(),
        }
    }

    /// Takes the terminal back from the editor, when all that was to be printed is printed.
    pub(crate) fn restore(&self) {
        // The editor prints one thing after the other, and holds one that waits: when it has taken the second of these,
        // which leave no trace, all before them is on the screen.
        for _ in 0..2 {
            while !AT_PROMPT.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            terminal::nothing();
        }
        terminal::set_editor(None);
        #[cfg(unix)]
        if let Some(mode) = &self.mode {
            let _ = rustix::termios::tcsetattr(
                rustix::stdio::stdin(),
                rustix::termios::OptionalActions::Drain,
                mode,
            );
        }
        // The prompt, as late as can be: behind the second of them the editor draws it once more.
        let _ = write!(io::stdout(), "\r\x1b[J");
        let _ = io::stdout().flush();
    }
}

/// Where lines are kept: HYBI_HISTORY, or a file of the user's state.
fn history() -> Option<PathBuf> {
    if let Some(file) = env::var_os("HYBI_HISTORY") {
        return Some(file.into()).filter(|file: &PathBuf| !file.as_os_str().is_empty());
    }
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| Some(set("HOME")?.join(".local").join("state")))?;
    let folder = state.join("hybi");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
