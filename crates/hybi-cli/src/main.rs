//! The command `hybi`: an echo server with a web page, a client for the terminal, and a load generator.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod bench;
mod connect;
mod echo;
mod edit;
mod page;
mod terminal;
mod tls;

/// WebSockets from the command line.
#[derive(Debug, Parser)]
#[command(name = "hybi", version, propagate_version = true, after_help = EXAMPLES, after_long_help = LONG)]
struct Options {
    /// Colours: `auto` has them on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: terminal::When,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Echo(echo::Options),
    Connect(connect::Options),
    Bench(bench::Options),
    /// Print a script that completes this command in a shell
    ///
    /// For bash: `hybi completions bash >~/.local/share/bash-completion/completions/hybi`. For fish: `hybi
    /// completions fish >~/.config/fish/completions/hybi.fish`. For zsh: write it as `_hybi` to a folder of
    /// `$fpath`.
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const EXAMPLES: &str = "\
Examples:
  hybi echo                                 serve; then open http://127.0.0.1:9001/ in a browser
  hybi connect ws://127.0.0.1:9001/         talk to it; each line is a message
  hybi bench ws://127.0.0.1:9001/           how many messages a second, and how late they come back
  printf 'hello\\n' | hybi connect ws://127.0.0.1:9001/

`hybi help COMMAND` says more about each.";

const LONG: &str = "\
Examples:
  hybi echo                                 serve; then open http://127.0.0.1:9001/ in a browser
  hybi connect ws://127.0.0.1:9001/         talk to it; each line is a message
  hybi bench ws://127.0.0.1:9001/           how many messages a second, and how late they come back
  printf 'hello\\n' | hybi connect ws://127.0.0.1:9001/

Exit status:
  0  it did what it was asked for; for `connect`, the closing handshake was completed too
  1  it could not: no connection, a connection that broke, an answer that was wrong
  2  the command line is no good

Environment:
  NO_COLOR      no colours, if it is set to anything
  HYBI_HISTORY  the file that keeps the lines of `hybi connect`; empty: none is kept

`hybi help COMMAND` says more about each.";

fn main() -> ExitCode {
    let options = Options::parse();
    terminal::set_colours(options.color);
    let result = match options.command {
        Command::Echo(options) => echo::run(&options),
        Command::Connect(options) => connect::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new(); // `generate` would panic where it cannot write
            clap_complete::generate(shell, &mut Options::command(), "hybi", &mut script);
            io::stdout().write_all(&script).map_err(|error| format!("cannot write the script: {error}"))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            terminal::error(&message);
            ExitCode::FAILURE
        }
    }
}
