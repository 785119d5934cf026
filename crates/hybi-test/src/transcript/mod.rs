//! Transcripts: what was said on a connection, as a text that reads like a capture.
//!
//! ```text
//! # RFC 6455 §5.4: control frames may stand between fragments.
//! role both                     client, server, or both: then frames stand unmasked, one a line
//! set limits.message 100        what differs from the default configuration
//! deflate server_max_window_bits=10    permessage-deflate was agreed on, with these parameters
//!
//! > 01 03 "Hel"                 octets that arrive
//! > 89 01 "?"
//! ! ping "?"                    the event that follows
//! < 8a 01 "?"                   the octets that have to be transmitted
//! > 80 02 "lo"
//! ! text "Hello"
//! @ 20s                         time passes, until the clock shows so much; it begins with the connection
//! call close 1000 "bye"         the application says something
//! < 88 05 03e8 "bye"
//! = state closing               a look: state, transport, deadline
//! = deadline 50s
//! > eof                         the transport ends (or: > lost)
//! ! closed 1006 eof
//! = state closed
//! ```
//!
//! After each group of lines that begin with `>`, and after each other thing that happens, *exactly* the
//! events and octets that are written down have to follow. Octets are as in [`octets`](crate::octets).
//! A call that is refused: `call ping {00*126} -> ControlTooLong`. Fragments that are delivered one after another
//! stand as one: `fragment text first last "Hello"`.
//!
//! [`play`] plays a transcript whole, octet by octet, cut in two after each octet, and with octets behind its
//! end; each in all [ways](crate::endpoint::Memory) to hand octets to a connection, for each role.

mod parse;
mod play;

use std::fs;
use std::path::Path;

pub use parse::{Action, Call, Look, Roles, Step, Transcript};
pub use play::{play, replay};

/// All transcripts of this repository: name and text, by name.
///
/// # Panics
/// If they cannot be read.
pub fn read_all() -> Vec<(String, String)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../hybi/tests/transcripts"));
    let mut all: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a transcript is text"))
        })
        .collect();
    all.sort();
    all
}
