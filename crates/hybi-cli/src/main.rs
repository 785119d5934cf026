//! The command `hybi`: an echo server with a web page, and a client for the terminal.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod connect;
mod echo;
mod page;
mod terminal;
mod tls;

/// WebSockets from the command line.
#[derive(Debug, Parser)]
#[command(name = "hybi", version, propagate_version = true, after_help = EXAMPLES)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Echo(echo::Options),
    Connect(connect::Options),
}

const EXAMPLES: &str = "\
Examples:
  hybi echo                                 serve; then open http://127.0.0.1:9001/ in a browser
  hybi connect ws://127.0.0.1:9001/         talk to it; each line is a message
  printf 'hello\\n' | hybi connect ws://127.0.0.1:9001/

`hybi help COMMAND` says more about each.";

fn main() -> ExitCode {
    let result = match Options::parse().command {
        Command::Echo(options) => echo::run(&options),
        Command::Connect(options) => connect::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            terminal::note(&format!("hybi: {message}"));
            ExitCode::FAILURE
        }
    }
}
