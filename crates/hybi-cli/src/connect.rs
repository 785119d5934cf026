//! `hybi connect`: lines from the terminal go out as messages, messages are printed.
//!
//! One thread reads the terminal and owns the writer; the main thread owns the reader and decides how it
//! ended. The first may still wait for a line when the second is done: the end of the process ends it.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::{process, thread};

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::{HandshakeError, Timeout};
use hybi_std::{
    ClientRequest, CloseCause, CloseCode, CloseInfo, Config, ConnectError, Connector, Error, Event, Reader,
    Response, Transport, UsageError, WebSocket, Writer,
};

use crate::edit::{Editor, Terminal, Typed};
use crate::terminal::{self, Printer};
use crate::tls;

/// Talk to a WebSocket server: each line is sent as a text message, messages are printed.
///
/// Text messages are printed as they are, binary ones in hex, everything else goes to the standard error. The
/// end of the input closes the connection with 1000 and waits for the server's answer. The exit code is 0 if
/// the closing handshake was completed, 1 otherwise. The certificate of a wss:// server is always checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Lines that begin with a slash:
  /ping [TEXT]             send a ping; the pong is told
  /close [CODE [REASON]]   close, with 1000 unless said otherwise
  //TEXT                   the message /TEXT

On a terminal lines can be edited, and those of earlier runs are there: arrows, Ctrl-R to search. A line that begins
with a blank is not kept. Ctrl-D closes; so does Ctrl-C, and a second one does not wait for the server.

Examples:
  hybi connect ws://127.0.0.1:9001/
  hybi connect ws://127.0.0.1:9001/chat --subprotocol chat.v2 --subprotocol chat.v1
  hybi connect ws://127.0.0.1:9001/ --header 'Cookie: session=7' --origin https://example.com --ping 30
  hybi connect wss://localhost:9443/ --ca authority.pem
  hybi connect ws+unix:/run/chat.sock:/chat <messages.txt >answers.txt

Exit status:
  0  the closing handshake was completed
  1  no connection, one that broke, or a line that could not be sent
  2  the command line is no good

Environment:
  HYBI_HISTORY  the file that keeps the lines, instead of ~/.local/state/hybi/history; empty: none is kept")]
pub(crate) struct Options {
    /// Address: ws://HOST:PORT/PATH, wss:// likewise, or ws+unix:SOCKET:/PATH
    url: String,

    /// Subprotocol to offer; the first is liked best
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<String>,

    /// Header to add to the request
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Origin to claim, as a browser would
    #[arg(long)]
    origin: Option<String>,

    /// Trust the authorities in this file (PEM), instead of those that the operating system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Compress messages if the server can: permessage-deflate
    #[arg(long)]
    compress: bool,

    /// Send a ping so often, and give up when nothing comes back for 20 seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    ping: Option<Duration>,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let request = options.request()?;
    let uri = request.uri().to_string(); // without user and password
    let mut config = Config::default();
    config.timeouts.keepalive = options.ping;
    let mut connector = Connector::new(config);
    if let Some(authorities) = &options.ca {
        if !request.uri().is_secure() {
            return Err(format!("--ca is for wss:// addresses, and {uri} is none"));
        }
        connector = connector.with_tls(tls::client_config(authorities)?);
    }
    talk(&uri, connector.connect(request))
}

impl Options {
    fn request(&self) -> Result<ClientRequest, String> {
        let mut request = ClientRequest::new(&*self.url).map_err(|error| format!("{}: {error}", self.url))?;
        for name in &self.subprotocols {
            request =
                request.with_subprotocol(name).map_err(|error| format!("subprotocol {name}: {error}"))?;
        }
        if let Some(origin) = &self.origin {
            request = request.with_origin(origin).map_err(|error| format!("origin {origin}: {error}"))?;
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value).map_err(|error| format!("header {name}: {error}"))?;
        }
        Ok(if self.compress { request.with_deflate(DeflateConfig::default()) } else { request })
    }
}

/// From the opening handshake to the end.
fn talk<S: Transport + Send + 'static>(
    uri: &str,
    connected: Result<(WebSocket<S>, Response), ConnectError>,
) -> Result<(), String> {
    let (socket, _response) = connected.map_err(|error| no_connection(uri, &error))?;
    let subprotocol = socket.agreement().subprotocol().map(|name| format!(", subprotocol {name}"));
    let extensions: String = socket.agreement().extensions().map(|name| format!(", {name}")).collect();
    let (reader, writer) = socket.into_split().map_err(|error| format!("cannot use {uri}: {error}"))?;
    terminal::note(&format!("connected to {uri}{}{extensions}", subprotocol.unwrap_or_default()));

    let (complain, complaints) = mpsc::channel();
    let terminal = Terminal::remember();
    let for_people = io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    let editor = if for_people { Editor::start() } else { None };
    let is_edited = editor.is_some();
    thread::spawn(move || match editor {
        Some(editor) => speak_edited(writer, editor),
        None => speak(writer, &complain),
    });
    let end = listen(reader);
    if is_edited {
        terminal.restore();
    }
    let told = judge(&end?)?;
    match complaints.try_recv() {
        Ok(complaint) => Err(complaint),
        Err(_) => {
            terminal::note(&told);
            Ok(())
        }
    }
}

/// Why there is no connection, with what the server said about it.
pub(crate) fn no_connection(uri: &str, error: &ConnectError) -> String {
    let mut message = format!("cannot connect to {uri}: {error}");
    let ConnectError::Handshake(reason, Some(response)) = error else { return message };
    let is_redirect = matches!(reason, HandshakeError::UnexpectedStatus(300..400));
    if let Some(location) = response.fields().get_str("Location").filter(|_| is_redirect) {
        message += &format!(", see {location}");
    }
    for line in String::from_utf8_lossy(response.body()).lines() {
        message += &format!("\n  {line}");
    }
    message
}

// ---- what comes in

/// Prints what arrives, until the end.
fn listen<S: Transport>(mut reader: Reader<S>) -> Result<CloseInfo, String> {
    let printer = Printer::new();
    let mut end = None;
    while let Some(event) = reader.recv() {
        let printed = match event {
            Event::Text(text) => printer.text(text.as_str()),
            Event::Binary(data) => printer.binary(&data),
            Event::Pong(payload) => {
                terminal::note(format!("pong {}", String::from_utf8_lossy(payload)).trim_end());
                Ok(())
            }
            Event::Closed(info) => {
                end = Some(info);
                Ok(())
            }
            _ => Ok(()),
        };
        printed.map_err(|error| format!("cannot print a message: {error}"))?;
    }
    end.ok_or_else(|| "the connection is over".into())
}

/// Whether this was a clean end, and how to say it.
fn judge(end: &CloseInfo) -> Result<String, String> {
    match end.cause() {
        CloseCause::Handshake if end.reason().is_empty() => Ok(format!("closed: {}", end.code())),
        CloseCause::Handshake => Ok(format!("closed: {} {}", end.code(), end.reason())),
        CloseCause::TransportEnded => Err("the server ended the connection without closing it".into()),
        CloseCause::Failed(error) => Err(format!("the server broke a rule: {error}")),
        CloseCause::TimedOut(Timeout::Close) => {
            Err("the server did not answer the close frame in time".into())
        }
        CloseCause::TimedOut(Timeout::Pong) => Err("the server is silent: no answer to a ping".into()),
        CloseCause::TimedOut(Timeout::WriteStall) => Err("the server does not take what is sent".into()),
        other => Err(format!("the connection was given up: {other:?}")),
    }
}

// ---- what goes out

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
enum Line<'l> {
    Text(&'l str),
    Ping(&'l str),
    Close(CloseCode, &'l str),
}

/// Sends each line, until there is none, and closes. At a terminal a bad line is told and forgotten; elsewhere
/// nobody would see it, so it is the last one, and a complaint that makes the program fail.
fn speak<S: Transport>(mut writer: Writer<S>, complaints: &mpsc::Sender<String>) {
    let mut input = io::stdin().lock();
    let for_people = io::stdin().is_terminal();
    let mut line = Vec::new();
    let complaint = loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => break None,
            Ok(_) => {}
            Err(error) => break Some(format!("cannot read the input: {error}")),
        }
        match say(&mut writer, without_end(&line)) {
            Ok(true) => {}
            Ok(false) => return,
            Err(complaint) if for_people => terminal::complain(&complaint),
            Err(complaint) => break Some(complaint),
        }
    };
    if let Some(complaint) = complaint {
        let _ = complaints.send(complaint); // before the close, so that it is there at the end
    }
    let _ = writer.close(CloseCode::NORMAL, ""); // if the transport is gone, the reader knows
}

/// The same with lines that are edited. It goes on after the close, so that what arrives until the server has answered
/// still finds its way to the screen.
fn speak_edited<S: Transport>(mut writer: Writer<S>, mut editor: Editor) {
    let mut is_closing = false;
    loop {
        match editor.read() {
            Typed::Line(_) if is_closing => terminal::complain("not sent: the connection is being closed"),
            Typed::Line(line) => match say(&mut writer, line.as_bytes()) {
                Ok(goes_on) => is_closing = !goes_on,
                Err(complaint) => terminal::complain(&complaint),
            },
            Typed::Interrupted if is_closing => {
                terminal::complain("the server was not waited for");
                process::exit(1); // no line is being edited: the terminal is as it was
            }
            Typed::End if is_closing => thread::sleep(Duration::from_millis(10)), // the terminal is gone
            Typed::Interrupted | Typed::End => {
                let _ = writer.close(CloseCode::NORMAL, ""); // if the transport is gone, the reader knows
                is_closing = true;
            }
        }
    }
}

/// Does what a line says. `false`: the connection is at its end, and no more lines are wanted.
fn say<S: Transport>(writer: &mut Writer<S>, line: &[u8]) -> Result<bool, String> {
    let line = str::from_utf8(line).map_err(|_| "not sent: the line is not UTF-8")?;
    let line = parse(line)?;
    let said = match line {
        Line::Text(text) => writer.send(text),
        Line::Ping(text) => writer.ping(text.as_bytes()).map(drop),
        Line::Close(code, reason) => writer.close(code, reason),
    };
    match said {
        Ok(()) => Ok(!matches!(line, Line::Close(..))),
        Err(Error::Usage(UsageError::NotOpen) | Error::Io(_)) => Ok(false), // the reader knows why
        Err(error) => Err(format!("not sent: {error}")),
    }
}

fn parse(line: &str) -> Result<Line<'_>, String> {
    let Some(command) = line.strip_prefix('/') else { return Ok(Line::Text(line)) };
    if command.starts_with('/') {
        return Ok(Line::Text(command));
    }
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    match name {
        "ping" => Ok(Line::Ping(rest)),
        "close" if rest.is_empty() => Ok(Line::Close(CloseCode::NORMAL, "")),
        "close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let valid = code.parse().ok().and_then(CloseCode::new);
            let valid =
                valid.ok_or_else(|| format!("not sent: {code} is no close code (1000, or 3000 to 4999)"))?;
            Ok(Line::Close(valid, reason))
        }
        _ => Err(format!(
            "not sent: no command /{name}; there are /ping and /close, and //{name} sends /{name}"
        )),
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

// ---- what the command line says

pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("not of the form 'Name: value'")?;
    Ok((name.into(), value.trim().into()))
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number")?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("more than nothing is needed".into()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let close = |code, reason| Line::Close(CloseCode::new(code).expect("a code"), reason);
        for (line, parsed) in [
            ("", Line::Text("")),
            ("hello /close", Line::Text("hello /close")),
            ("//close", Line::Text("/close")),
            ("/ping", Line::Ping("")),
            ("/ping a b", Line::Ping("a b")),
            ("/close", close(1000, "")),
            ("/close 4000", close(4000, "")),
            ("/close 1001 going away", close(1001, "going away")),
        ] {
            assert_eq!(parse(line), Ok(parsed), "{line}");
        }
        for line in ["/", "/quit", "/pings", "/close now", "/close 1006", "/close 999", "/close 70000"] {
            assert!(parse(line).is_err_and(|complaint| complaint.starts_with("not sent: ")), "{line}");
        }
        for (line, without) in [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\n\n", "a\n"), ("\r\n", "")] {
            assert_eq!(without_end(line.as_bytes()), without.as_bytes());
        }
    }

    #[test]
    fn arguments() {
        assert_eq!(header("Cookie: a=b: c"), Ok(("Cookie".into(), "a=b: c".into())));
        assert!(header("Cookie").is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "x", "inf", "NaN", "1e99"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
