//! The acceptance shim: answers the requests of `acceptance/run_cases.py`, as `acceptance/SHIM.md` says.
//!
//! ```text
//! stdin ──▶ request ──▶ script (a kind that runs steps) ──▶ answer ──▶ stdout
//!                  │       on an endpoint: a connection,        ▲
//!                  │       or a server, client or tunnel before │
//!                  └────▶ functions (one result) ───────────────┘
//! ```
//!
//! It states facts and judges nothing. All of its own work is done with the allocator looking away; only
//! calls of the library are counted, in [`meter`].

mod answer;
mod bytes;
mod client;
mod deflate;
mod endpoint;
mod errors;
mod eventsource;
mod framework;
mod functions;
mod hixie;
mod meter;
mod options;
mod proxy;
mod request;
mod script;
mod server;
mod step;

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use hybi_test::alloc::{self, Counting, look_away};
use request::{Request, Unsupported};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<()> {
    look_away(|| {
        std::panic::set_hook(Box::new(|_| {})); // the answer says it
        for line in io::stdin().lock().lines() {
            let answer = answer_line(&line?);
            let mut stdout = io::stdout().lock();
            writeln!(stdout, "{answer}")?;
            stdout.flush()?;
        }
        Ok(())
    })
}

fn answer_line(line: &str) -> Value {
    let request = match Request::parse(line) {
        Ok(request) => request,
        Err(Unsupported(why)) => return json!({"id": "", "unsupported": true, "why": why}),
    };
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(&request)));
    alloc::fill(None);
    let mut answer = match result {
        Ok(Ok(answer)) => answer,
        Ok(Err(Unsupported(why))) => json!({"unsupported": true, "why": why}),
        Err(panic) => json!({"panic": panic_text(&*panic)}),
    };
    answer["id"] = json!(request.id);
    answer
}

fn dispatch(request: &Request) -> Result<Value, Unsupported> {
    match request.kind.as_str() {
        "hixie" | "hixie-frames" | "hixie-send" if hixie::is_wanted(&request.options) => hixie::run(request),
        "handshake-request" if hixie::is_wanted(&request.options) => hixie::run(request),
        "hixie" => script::run_server(request),
        "frames" | "send" | "lifecycle" => script::run_open(request),
        "handshake-request" => script::run_server(request),
        "handshake-response" | "client-request" => script::run_client(request),
        "proxy" => script::run_proxy(request),
        "extension-header" => functions::extension_header(request),
        "extension-format" => functions::extension_format(request),
        "subprotocol-header" => functions::subprotocol_header(request),
        "deflate-params" => deflate::params(request),
        "deflate-offer" => deflate::offer(request),
        "extension-framework" => framework::run(request),
        "eventsource" => eventsource::run(request),
        kind => Err(Unsupported(kind.to_owned())),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
