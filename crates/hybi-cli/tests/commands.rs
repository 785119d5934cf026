//! The command as it is built: what it prints, and how it ends.
#![allow(clippy::panic, reason = "that is how a test fails")]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::{self, JoinHandle};

use common::*;
use hybi::handshake::Answer;
use hybi_std::{Accept, Acceptor, Arrival, CloseCode, Event, Pending, WebSocket};
use hybi_test::tls::{Authority, Files};

fn url(address: &str) -> String {
    format!("ws://{address}/")
}

/// What `hybi connect` does with this input.
fn connect(address: &str, arguments: &[&str], input: &str) -> Ended {
    run(hybi(&["connect", &url(address)]).args(arguments), input)
}

/// The same with an input that stays open: it is the server who ends it.
fn connect_and_listen(address: &str, arguments: &[&str]) -> Ended {
    let mut command = hybi(&["connect", &url(address)]);
    let mut child = spawn(command.args(arguments).stderr(Stdio::piped()));
    let input = child.0.stdin.take();
    let ended = end(child);
    drop(input);
    ended
}

/// A server that meets one client in this way.
fn server<T: Send + 'static>(
    meet: impl FnOnce(Pending<TcpStream>) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let meeting = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody connects");
        match Acceptor::default().read(stream).expect("a good request") {
            Arrival::Upgrade(pending) => meet(pending),
            Arrival::Plain(_) => panic!("an upgrade was requested"),
        }
    });
    (address, meeting)
}

fn open(pending: Pending<TcpStream>) -> WebSocket<TcpStream> {
    pending.accept(Accept::new()).expect("accepted")
}

fn close(mut socket: WebSocket<TcpStream>, code: u16, reason: &str) {
    socket.close(CloseCode::new(code).expect("a code"), reason).expect("it is open");
    while socket.recv().is_some() {}
}

/// The answer to a request by hand.
fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an orderly end");
    answer
}

// ---- help

#[test]
fn help_names_the_commands_and_shows_examples() {
    let help = run(&mut hybi(&["--help"]), "");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for part in [
        "Usage: hybi",
        "echo",
        "connect",
        "bench",
        "completions",
        "Examples:",
        "hybi connect ws://127.0.0.1:9001/",
        "Exit status:",
        "Environment:",
    ] {
        assert!(help.stdout.contains(part), "{part}: {}", help.stdout);
    }
    let version = run(&mut hybi(&["--version"]), "");
    assert_eq!(version.stdout, format!("hybi {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_explains_each_option() {
    for (command, parts) in [
        (
            "echo",
            &[
                "--listen",
                "[default: 127.0.0.1:9001]",
                "--max-connections",
                "--tls-cert",
                "--tls-key",
                "--verbose",
                "Examples:",
                "Exit status:",
            ][..],
        ),
        (
            "connect",
            &[
                "--subprotocol",
                "--header",
                "--origin",
                "--ca",
                "--ping",
                "/close [CODE [REASON]]",
                "Examples:",
                "Exit status:",
                "HYBI_HISTORY",
            ],
        ),
        (
            "bench",
            &["--connections", "--in-flight", "--size", "--kind", "--json", "Examples:", "Exit status:"],
        ),
    ] {
        let help = run(&mut hybi(&[command, "--help"]), "");
        assert_eq!(help.code, Some(0));
        for part in parts {
            assert!(help.stdout.contains(part), "{part}: {}", help.stdout);
        }
    }
}

#[test]
fn what_is_no_command_line() {
    for arguments in [
        &[][..],
        &["tide"],
        &["connect"],
        &["connect", "ws://h/", "--header", "x"],
        &["connect", "ws://h/", "--ping", "0"],
        &["connect", "wss://h/", "--insecure"], // certificates are always checked
        &["echo", "--tls-cert", "certificate.pem"],
        &["echo", "--tls-key", "key.pem"],
        &["bench", "ws://h/", "--connections", "0"],
        &["bench", "ws://h/", "--duration", "0"],
        &["bench", "ws://h/", "--kind", "tide"],
        &["completions", "abacus"],
    ] {
        let ended = run(&mut hybi(arguments), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains("Usage:") || ended.stderr.contains("error:"), "{}", ended.stderr);
    }
}

// ---- echo

#[test]
fn the_page_is_served_and_nothing_else_is() {
    let (_server, address) = echo(&[]);
    let page = http(&address, "GET /");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for part in [
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Security-Policy: default-src 'none';",
        "<title>hybi echo</title>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let head = http(&address, "HEAD /");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(http(&address, "GET /favicon.ico").starts_with("HTTP/1.1 404 "));
    assert!(http(&address, "GET /../Cargo.toml").starts_with("HTTP/1.1 404 "));
    assert!(http(&address, "DELETE /").starts_with("HTTP/1.1 405 "));
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = include_str!("../src/page.html");
    for part in ["src=", "@import", "url(", "fetch(", "innerHTML", "document.write", "http://127", "https://"]
    {
        assert!(!page.contains(part), "{part}");
    }
    let (http, svg) = (page.matches("http:").count(), page.matches("http://www.w3.org/2000/svg").count());
    assert_eq!(http, svg, "no address but the name of a namespace");
    for id in ["status", "text", "send-text", "send-binary", "close", "log", "latency"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn a_verbose_server_tells_what_happens() {
    let (server, address) = echo(&["-vv"]);
    let ended = connect(
        &format!("{address}/tide?x=1"),
        &["--subprotocol", "chat"],
        "high\n/ping\n/close 4001 it's \"ebb\"\n",
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(server.line().ends_with(" open: /tide?x=1/, subprotocol chat"));
    assert!(server.line().ends_with(" text, 4 octets"));
    assert!(server.line().ends_with(" ping, 0 octets"));
    assert!(server.line().ends_with(" closed: 4001 it's \"ebb\""));
    http(&address, "GET /tide");
    assert!(server.line().ends_with(" GET /tide: 404"));
}

#[test]
fn above_the_limit_of_connections() {
    let (server, address) = echo(&["-v", "--max-connections", "1"]);
    let (mut first, _) = hybi_std::connect(&url(&address)).expect("there is room for one");
    let refused = connect(&address, &[], "");
    assert_eq!(refused.code, Some(1));
    let expected = format!(
        "hybi: cannot connect to ws://{address}/: the server answered with status 503\n  too many connections\n"
    );
    assert_eq!(refused.stderr, expected);
    assert!(http(&address, "GET /").starts_with("HTTP/1.1 200 "), "there is room for the page");
    first.close(CloseCode::NORMAL, "").expect("it is open");
    while first.recv().is_some() {}
    server.line_with(" closed: 1000");
    // The place is free once its thread is at its end, which is a little later than the line.
    assert!((0..1000).any(|_| connect(&address, &[], "").code == Some(0)));
}

#[test]
fn an_address_that_is_taken() {
    let (_server, address) = echo(&[]);
    let second = run(&mut hybi(&["echo", "--listen", &address]), "");
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""));
    assert!(second.stderr.starts_with(&format!("hybi: cannot listen at {address}: ")), "{}", second.stderr);
}

// ---- connect

#[test]
fn lines_come_back() {
    let (_server, address) = echo(&[]);
    let ended =
        connect(&address, &[], "high water\n\ntide: \u{e9}\u{20ac}\u{1f600} <b>\n//slash\r\nno end of line");
    assert_eq!(ended.stdout, "high water\n\ntide: \u{e9}\u{20ac}\u{1f600} <b>\n/slash\nno end of line\n");
    assert_eq!(ended.stderr, format!("connected to ws://{address}/\nclosed: 1000\n"));
    assert_eq!(ended.code, Some(0));
}

#[test]
fn many_lines_come_back() {
    let (_server, address) = echo(&[]);
    let lines: String = (0..5000).map(|n| format!("line {n}\n")).collect();
    let long = "x".repeat(1 << 20) + "\n";
    let ended = connect(&address, &[], &(lines.clone() + &long));
    assert!(ended.stdout == lines + &long);
    assert_eq!(ended.code, Some(0));
}

/// Only where both want it.
#[test]
fn messages_are_compressed_if_wished() {
    let line = "high water at four, low water at ten; ".repeat(40) + "\n";
    for (server, client) in [(true, true), (true, false), (false, true)] {
        let wish = |is: bool| if is { &["--compress"][..] } else { &[] };
        let (echo, address) = echo(&[&["-v"], wish(server)].concat());
        let ended = connect(&address, wish(client), &line.repeat(3));
        assert_eq!((ended.code, &ended.stdout), (Some(0), &line.repeat(3)), "{}", ended.stderr);
        let both = server && client;
        assert_eq!(ended.stderr.contains("/, permessage-deflate\n"), both, "{}", ended.stderr);
        assert_eq!(echo.line_with(" open: /").ends_with("/, permessage-deflate"), both);
    }
}

#[test]
fn a_ping_is_told_and_a_close_has_its_code() {
    let (_server, address) = echo(&[]);
    let ended = connect(
        &address,
        &["--subprotocol", "v2", "--subprotocol", "v1"],
        "/ping depth\n/close 4000 all told\nlate\n",
    );
    let expected =
        format!("connected to ws://{address}/, subprotocol v2\npong depth\nclosed: 4000 all told\n");
    assert_eq!((ended.code, ended.stderr, ended.stdout.as_str()), (Some(0), expected, ""));
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("hybi-cli-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a free path");
    let meeting = thread::spawn(move || {
        let mut socket = hybi_std::accept(listener.accept().expect("somebody connects").0).expect("accepted");
        socket.send("hello over there").expect("sent");
        while socket.recv().is_some() {}
    });
    let ended = run(&mut hybi(&["connect", &format!("ws+unix:{}:/", path.display())]), "");
    meeting.join().expect("well");
    std::fs::remove_file(&path).expect("it was there");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "hello over there\n"), "{}", ended.stderr);
}

#[test]
fn what_the_server_is_asked() {
    let (address, meeting) = server(|pending| {
        let request = pending.request();
        let cookie = request.fields().get_str("Cookie").map(str::to_owned);
        let asked = (request.target().to_owned(), request.origin().map(str::to_owned), cookie);
        close(open(pending), 1000, "");
        asked
    });
    let arguments = ["--origin", "https://tide.test", "--header", "Cookie: depth=7"];
    assert_eq!(connect(&address, &arguments, "").code, Some(0));
    let asked = meeting.join().expect("well");
    assert_eq!(asked, ("/".into(), Some("https://tide.test".into()), Some("depth=7".into())));
}

#[test]
fn a_binary_message_is_printed_in_hex() {
    let (address, meeting) = server(|pending| {
        let mut socket = open(pending);
        socket.send(&[0x00, 0x0f, 0xa0, 0xff]).expect("sent");
        socket.send("\x1b[2Jtext").expect("sent");
        close(socket, 1000, "");
    });
    let ended = connect(&address, &[], "");
    meeting.join().expect("well");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "000fa0ff\n\x1b[2Jtext\n"));
}

#[test]
fn pings_go_out_by_themselves() {
    let (address, meeting) = server(|pending| {
        let mut socket = open(pending);
        while !matches!(socket.recv().expect("a ping comes"), Event::Ping(b"3")) {}
        close(socket, 1001, "enough");
    });
    let ended = connect_and_listen(&address, &["--ping", "0.02"]);
    meeting.join().expect("well");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("closed: 1001 enough\n"), "{}", ended.stderr);
}

#[test]
fn a_refusal_is_told_with_its_status_and_body() {
    let (address, meeting) = server(|pending| {
        pending.reject(Answer::new(403).with_body("who are you?\nsay it\n")).expect("answered");
    });
    let ended = connect(&address, &[], "never sent\n");
    meeting.join().expect("well");
    let expected = format!(
        "hybi: cannot connect to ws://{address}/: the server answered with status 403\n  who are you?\n  say it\n"
    );
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr), (Some(1), "", expected));
}

#[test]
fn a_redirect_is_told_with_its_place() {
    let (address, meeting) = server(|pending| {
        pending.reject(Answer::new(307).with_header("Location", "ws://elsewhere/")).expect("answered");
    });
    let ended = connect(&address, &[], "");
    meeting.join().expect("well");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.ends_with("the server answered with status 307, see ws://elsewhere/\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_server_that_breaks_off() {
    let (address, meeting) = server(|pending| {
        let mut socket = open(pending);
        socket.send("and then").expect("sent");
        socket.abort();
    });
    let ended = connect_and_listen(&address, &[]);
    meeting.join().expect("well");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.ends_with("hybi: the server ended the connection without closing it\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_server_that_breaks_a_rule() {
    let (address, meeting) = server(|pending| {
        let mut socket = open(pending);
        let mut stream = socket.get_ref();
        stream.write_all(b"\x83\x00").expect("written"); // a reserved opcode
        let closed = matches!(socket.recv(), Some(Event::Close(Some(frame))) if frame.code() == CloseCode::PROTOCOL_ERROR);
        assert!(closed, "the client says so");
    });
    let ended = connect_and_listen(&address, &[]);
    meeting.join().expect("well");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hybi: the server broke a rule: reserved opcode"), "{}", ended.stderr);
}

#[test]
fn a_line_that_cannot_be_sent_is_an_error() {
    let (_server, address) = echo(&[]);
    let too_long = format!("/ping {}\n", "x".repeat(126));
    for (line, complaint) in [
        ("/tide\n", "not sent: no command /tide; there are /ping and /close, and //tide sends /tide"),
        ("/close 1006\n", "not sent: 1006 is no close code (1000, or 3000 to 4999)"),
        (&*too_long, "not sent: the payload of a control frame is longer than 125 octets"),
    ] {
        let ended = connect(&address, &[], &format!("before\n{line}behind\n"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "before\n"));
        assert!(ended.stderr.ends_with(&format!("hybi: {complaint}\n")), "{}", ended.stderr);
    }
}

#[test]
fn where_no_connection_can_be() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = url(&listener.local_addr().expect("bound").to_string());
    drop(listener);
    let refused = format!("cannot connect to {nobody}: ");
    let secret = nobody.replace("ws://", "wss://user:secret@");
    let refused_secret = refused.replace("ws://", "wss://"); // without user and password
    for (arguments, start) in [
        (&["connect", &*nobody][..], &*refused),
        (&["connect", &*secret], &*refused_secret),
        (&["connect", "ws://h/", "--ca", "x.pem"], "--ca is for wss:// addresses, and ws://h/ is none"),
        (&["connect", "wss://h/", "--ca", "no/file.pem"], "cannot read certificates from no/file.pem: "),
        (
            &["connect", "wss://h/", "--ca", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
            "there is no certificate in ",
        ),
        (&["connect", "127.0.0.1:9001"], "127.0.0.1:9001: the scheme of the address is not ws:// or wss://"),
        (&["connect", "ws://h/", "--subprotocol", "a b"], "subprotocol a b: "),
        (&["connect", "ws://h/", "--header", "Upgrade: x"], "header Upgrade: "),
    ] {
        let ended = run(&mut hybi(arguments), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(ended.stderr.starts_with(&format!("hybi: {start}")), "{}", ended.stderr);
    }
}

// ---- bench

#[test]
fn a_measurement() {
    let (_server, address) = echo(&[]);
    let arguments = ["--connections", "3", "--in-flight", "5", "--size", "300", "--duration", "0.2"];
    let ended = run(hybi(&["bench", &url(&address)]).args(arguments), "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("3 connections, 5 in flight on each, text of 300 octets, "), "{lines:?}");
    let starts = ["messages  ", "payload   ", "latency   p50 "];
    assert!(lines.len() == 4 && lines[1..].iter().zip(starts).all(|(line, start)| line.starts_with(start)));
}

#[test]
fn a_measurement_for_programs() {
    let (_server, address) = echo(&["--compress"]);
    let arguments = ["--json", "--kind", "binary", "--compress", "--size", "2000", "--duration", "0.2"];
    let ended = run(hybi(&["bench", &url(&address)]).args(arguments), "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&report["kind"], &report["size"]), (&"binary".into(), &2000.into()));
    assert_eq!(report["extensions"], "permessage-deflate");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let latency = &report["latency_us"];
    assert!(number(&report["messages"]) > 0.0 && number(&report["messages_per_second"]) > 0.0);
    let rising = ["min", "p50", "p90", "p99", "p99.9"].map(|name| number(&latency[name]));
    assert!(rising.is_sorted() && rising[0] > 0.0, "{latency}");
}

/// More is under way than the system holds: nobody waits for the other for ever.
#[test]
fn a_measurement_of_large_messages() {
    let (_server, address) = echo(&[]);
    let arguments = ["--size", "3000000", "--in-flight", "8", "--duration", "0.2"];
    let ended = run(hybi(&["bench", &url(&address)]).args(arguments), "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn no_echo_is_no_measurement() {
    let (address, meeting) = server(|pending| {
        let mut socket = open(pending);
        socket.send("something else").expect("sent");
        while socket.recv().is_some() {}
    });
    let ended = run(&mut hybi(&["bench", &url(&address)]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let complaint = "hybi: what came back is not what was sent: is it an echo server?\n";
    assert_eq!(ended.stderr, complaint);
    meeting.join().expect("well");

    let (address, meeting) = server(|pending| close(open(pending), 1001, ""));
    let ended = run(&mut hybi(&["bench", &url(&address)]), "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "hybi: the server closed with 1001\n"));
    meeting.join().expect("well");
    let ended = run(&mut hybi(&["bench", "ws://127.0.0.1:1/"]), "");
    assert!(ended.code == Some(1) && ended.stderr.starts_with("hybi: cannot connect to ws://127.0.0.1:1/: "));
}

// ---- completions

#[test]
fn every_shell_has_its_completions() {
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef hybi"),
        ("fish", "complete -c hybi"),
        ("powershell", "hybi"),
    ] {
        let ended = run(&mut hybi(&["completions", shell]), "");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        for part in [part, "connect", "in-flight"] {
            assert!(ended.stdout.contains(part), "{shell}: {part}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_script_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = hybi(&["completions", "bash"]).stdout(full).output().expect("it starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.starts_with("hybi: cannot write the script: "), "{complaint}");
}

// ---- inside TLS, with a certificate authority that exists for one test

/// `hybi echo` with a certificate for localhost, the address of its WebSockets, and the files.
fn echo_with_tls(arguments: &[&str]) -> (Server, String, Files) {
    let authority = Authority::new();
    let files = authority.issue(&["localhost"]).write(&authority);
    let (certificate, key) = (path(files.certificate()), path(files.key()));
    let (server, address) = echo(&[&["--tls-cert", &certificate, "--tls-key", &key][..], arguments].concat());
    let url = format!("wss://localhost{}/", address.trim_start_matches("127.0.0.1"));
    (server, url, files)
}

fn path(path: PathBuf) -> String {
    path.to_str().expect("a plain name").to_owned()
}

#[test]
fn lines_come_back_over_tls() {
    let (server, url, files) = echo_with_tls(&["-v"]);
    let trusted = path(files.authority());
    let ended = run(&mut hybi(&["connect", &url, "--ca", &trusted]), "high water\n/close 4000 ebb\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "high water\n"), "{}", ended.stderr);
    assert_eq!(ended.stderr, format!("connected to {url}\nclosed: 4000 ebb\n"));
    assert!(server.line().ends_with(" open: /"));
    assert!(server.line().ends_with(" closed: 4000 ebb"));
}

/// Many lines each way at once: two threads share one TLS connection.
#[test]
fn many_lines_come_back_over_tls() {
    let (_server, url, files) = echo_with_tls(&[]);
    let lines: String = (0..2000).map(|n| format!("{n} {}\n", "tide".repeat(n % 50))).collect();
    let ended = run(&mut hybi(&["connect", &url, "--ca", &path(files.authority())]), &lines);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout == lines);
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let (server, url, files) = echo_with_tls(&["-v"]);
    let other = Authority::new();
    let stranger = other.issue(&["localhost"]).write(&other);
    let trusted = path(files.authority());
    let by_address = url.replace("localhost", "127.0.0.1");
    for (url, arguments, reason) in [
        (&url, &["--ca", &*path(stranger.authority())][..], "UnknownIssuer"),
        (&url, &[], ""), // the operating system does not know it either
        (&by_address, &["--ca", &trusted], "certificate not valid for name"),
    ] {
        let ended = run(hybi(&["connect", url]).args(arguments), "high water\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let start = format!("hybi: cannot connect to {url}: TLS: ");
        assert!(ended.stderr.starts_with(&start) && ended.stderr.contains(reason), "{}", ended.stderr);
        let line = server.line();
        assert!(line.contains(" no connection: "), "{line}");
    }
}

#[test]
fn certificates_that_cannot_be_used() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (ours, theirs) =
        (ours.issue(&["localhost"]).write(&ours), theirs.issue(&["localhost"]).write(&theirs));
    let (certificate, other) = (path(ours.certificate()), path(theirs.key()));
    for (certificate, key, start) in [
        (&*certificate, "no/file.pem", "cannot read a key from no/file.pem: ".to_owned()),
        (&*certificate, &*certificate, format!("cannot read a key from {certificate}: ")),
        (&*certificate, &*other, format!("cannot use {certificate} with {other}: ")),
        (&*other, &*other, format!("there is no certificate in {other}")),
    ] {
        let arguments = ["echo", "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key];
        let ended = run(&mut hybi(&arguments), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("hybi: {start}")), "{}", ended.stderr);
    }
}
