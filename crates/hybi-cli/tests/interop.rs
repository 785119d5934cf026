//! The command against peers that other people wrote: clients of the npm package `ws` and the Python package
//! `websockets`, their servers, and the page in Chromium.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{BOUND, Server, echo, end, hybi, lines, spawn};
use hybi_test::foreign::{expect_ok, peer};

/// The page is loaded from `hybi echo` and used: text and binary, both ways, latency, close.
#[test]
fn the_page_in_chromium() {
    let Some(mut page) = peer("page") else { return };
    let (server, address) = echo(&["-vv"]);
    let said = expect_ok(page.args([&format!("http://{address}/"), "--timeout=80"]));
    assert!(
        said.starts_with("ok text=1 binary=1 octets=16 latency=")
            && said.ends_with("ms many=0 extensions=- closed"),
        "{said}"
    );
    server.line_with(" GET /: 200");
    server.line_with(" open: /");
    server.line_with(" text, ");
    server.line_with(" binary, 16 octets");
    server.line_with(" closed: 1000 bye");
}

/// Everything fits, and every button works.
#[test]
fn the_page_on_a_phone() {
    let Some(mut page) = peer("page") else { return };
    let (server, address) = echo(&["-v"]);
    let said = expect_ok(page.args([&format!("http://{address}/"), "--phone", "--timeout=80"]));
    assert!(said.starts_with("ok text=1 binary=1 "), "{said}");
    server.line_with(" closed: 1000 bye");
    server.line_with(" open: /");
    server.line_with(" closed: 1000 bye");
}

#[test]
fn the_page_says_that_it_was_refused() {
    let Some(mut page) = peer("page") else { return };
    let (_server, address) = echo(&["--max-connections=0"]);
    let said = expect_ok(page.args([&format!("http://{address}/"), "--refused", "--phone", "--timeout=80"]));
    assert_eq!(said, "ok refused");
}

/// A thousand messages each way, above the threshold. No parameter was agreed on, so both keep their context.
#[test]
fn the_page_in_chromium_compresses() {
    let Some(mut page) = peer("page") else { return };
    let (server, address) = echo(&["-v", "--compress"]);
    let said = expect_ok(page.args([&format!("http://{address}/"), "--many=1000", "--timeout=80"]));
    assert!(said.ends_with(" many=1000 extensions=permessage-deflate closed"), "{said}");
    server.line_with(" open: /, permessage-deflate");
    server.line_with(" closed: 1000 bye");
}

fn client_of_echo(name: &str, compress: Option<&str>) {
    let Some(mut client) = peer(name) else { return };
    let (server, address) = echo(&[&["-v"], compress.as_slice()].concat());
    let said = expect_ok(client.args([&format!("ws://{address}/"), "8", "--timeout=80"]));
    assert!(said.contains(" messages=16 pings=8 ") && said.contains(" close=1000 "), "{said}");
    let extensions = if compress.is_some() { "permessage-deflate" } else { "-" };
    assert!(said.contains(&format!(" extensions={extensions} ")), "{said}");
    server.line_with(" closed: 1000 done");
}

#[test]
fn the_client_of_ws_and_echo() {
    client_of_echo("ws-client", None);
    client_of_echo("ws-client", Some("--compress"));
}

#[test]
fn the_client_of_websockets_and_echo() {
    client_of_echo("websockets-client", None);
    client_of_echo("websockets-client", Some("--compress"));
}

fn connect_to_server(name: &str, compress: Option<&str>) {
    let Some(mut command) = peer(name) else { return };
    let server = Server::start(command.args(["0", "--max-seconds=120"]));
    let line = server.line();
    let port = line.strip_prefix("listening ").expect("its first line");
    let url = format!("ws://127.0.0.1:{port}/");
    let mut command = hybi(&[&["connect", &url], compress.as_slice()].concat());
    let mut child = spawn(command.stderr(Stdio::piped()));
    let mut input = child.0.stdin.take().expect("it is piped");
    let answers = lines(child.0.stdout.take().expect("it is piped"));
    input.write_all("Gr\u{fc}\u{df}e\n/ping depth\n".as_bytes()).expect("written");
    assert_eq!(answers.recv_timeout(BOUND).as_deref(), Ok("Gr\u{fc}\u{df}e"));
    // Not before: a server may answer a close frame without having echoed all that came before it.
    input.write_all(b"/close 4000 all told\n").expect("written");
    let ended = end(child);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("pong depth\n"), "{}", ended.stderr);
    assert_eq!(ended.stderr.contains("/, permessage-deflate\n"), compress.is_some(), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("closed: 4000 all told\n"), "{}", ended.stderr);
    server.line_with("closed 4000 all told");
}

#[test]
fn connect_and_the_server_of_ws() {
    connect_to_server("ws-server", None);
    connect_to_server("ws-server", Some("--compress"));
}

#[test]
fn connect_and_the_server_of_websockets() {
    connect_to_server("websockets-server", None);
    connect_to_server("websockets-server", Some("--compress"));
}
