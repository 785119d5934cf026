//! What the front page gives a reader to copy: the two crates of one's own talk to `hybi echo`, and the command lines
//! are understood. The blocks of code stand in `readme/` once more, with the address of a server instead of the usual
//! one.
#![allow(clippy::print_stdout, clippy::panic, reason = "it is what readers are shown")]

mod common;

use std::cell::RefCell;

use common::{echo, hybi, run};

const README: &str = include_str!("../../../README.md");

type Told = Result<(), Box<dyn std::error::Error>>;

mod with_tokio {
    use super::url;

    include!("readme/tokio.rs");

    pub(super) fn run() -> super::Told {
        main()
    }
}

mod own_loop {
    use super::{address, url};

    include!("readme/own_loop.rs");

    pub(super) fn run() -> super::Told {
        main()
    }
}

thread_local! {
    /// Where the server of this test listens.
    static ADDRESS: RefCell<String> = const { RefCell::new(String::new()) };
}

fn address() -> String {
    ADDRESS.with_borrow(String::clone)
}

fn url() -> &'static str {
    format!("ws://{}/", address()).leak() // as short as what stands in its place
}

/// The code is the one that is shown.
fn is_shown(code: &str) {
    let code = code.replace("url()", "\"ws://127.0.0.1:9001/\"").replace("address()", "\"127.0.0.1:9001\"");
    assert!(README.contains(&format!("```rust,no_run\n{code}```\n")), "not on the front page:\n{code}");
}

fn talks_to_echo(code: &str, run: fn() -> Told) {
    is_shown(code);
    let (server, address) = echo(&["-vv"]);
    ADDRESS.set(address);
    run().expect("it runs");
    server.line_with(" text, 11 octets");
    server.line_with(" closed: 1000");
}

#[test]
fn the_client_on_tokio_that_is_shown_talks_to_echo() {
    talks_to_echo(include_str!("readme/tokio.rs"), with_tokio::run);
}

#[test]
fn the_loop_of_ones_own_that_is_shown_talks_to_echo() {
    talks_to_echo(include_str!("readme/own_loop.rs"), own_loop::run);
}

#[test]
fn no_other_code_is_shown_and_not_run() {
    assert_eq!(README.matches("```rust,no_run\n").count(), 2);
}

/// The lines in the blocks for a shell that call the command.
fn command_lines() -> impl Iterator<Item = &'static str> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter_map(|line| {
        let line = line.rsplit("| ").next()?; // what is piped into it
        Some(line.strip_prefix("hybi ")?.split('#').next()?.trim())
    })
}

#[test]
fn the_command_lines_that_are_shown_are_understood() {
    assert!(command_lines().count() > 5, "there are more");
    for line in command_lines() {
        // Looked at up to here, and then explained instead of done.
        let arguments: Vec<&str> = line.split(' ').chain(["--help"]).collect();
        let ended = run(&mut hybi(&arguments), "");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{line}");
    }
}
