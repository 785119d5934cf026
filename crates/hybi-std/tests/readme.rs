//! What the front page says: its example runs, and its table has the defaults.

mod common;
#[path = "../examples/echo.rs"]
mod example;

use std::time::Duration;

use hybi_std::Config;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_example_is_the_one_that_is_shown_and_runs() {
    let code = include_str!("../examples/echo.rs").replace("pub(crate) fn main", "fn main");
    let (_, code) = code.split_once("\n\n").expect("a header, then the code");
    let shown = README.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(code));
    common::bounded(|| example::main().expect("it runs"));
}

#[test]
fn the_commands_are_near_the_top() {
    let top: String = README.lines().take(25).collect::<Vec<_>>().join("\n");
    for command in ["cargo run --release -p hybi-cli -- echo", "cargo test --workspace --locked"] {
        assert!(top.contains(command), "{command}");
    }
}

#[test]
fn the_table_has_every_default() {
    let Config { limits, timeouts, water, .. } = Config::default();
    let size = |octets: usize| match octets {
        octets if octets % (1 << 20) == 0 => format!("{} MiB", octets >> 20),
        octets => format!("{} KiB", octets >> 10),
    };
    let time = |timeout: Option<Duration>| {
        timeout.map_or("off".into(), |timeout| format!("{} s", timeout.as_secs()))
    };
    let rows = [
        ("limits.message", size(limits.message)),
        ("limits.frame", size(limits.frame)),
        ("limits.fragments", limits.fragments.to_string()),
        ("limits.empty_fragments", limits.empty_fragments.to_string()),
        ("limits.pending_pongs", limits.pending_pongs.to_string()),
        ("limits.head_bytes", size(limits.head_bytes)),
        ("limits.head_fields", limits.head_fields.to_string()),
        ("timeouts.handshake", time(timeouts.handshake)),
        ("timeouts.keepalive", time(timeouts.keepalive)),
        ("timeouts.pong", time(timeouts.pong)),
        ("timeouts.idle", time(timeouts.idle)),
        ("timeouts.close", time(timeouts.close)),
        ("timeouts.write_stall", time(timeouts.write_stall)),
        ("water.high", size(water.high)),
        ("water.low", size(water.low)),
        ("water.limit", size(water.limit)),
    ];
    for (field, default) in &rows {
        let start = format!("| `{field}` | {default} ");
        assert!(README.lines().any(|line| line.starts_with(&start)), "{start}");
    }
    let shown = README.lines().filter(|line| {
        ["limits", "timeouts", "water"].iter().any(|group| line.starts_with(&format!("| `{group}.")))
    });
    assert_eq!(shown.count(), rows.len());
}

#[test]
fn links_lead_somewhere() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://")) {
        assert!(root.join(link).exists(), "{link}");
    }
}
