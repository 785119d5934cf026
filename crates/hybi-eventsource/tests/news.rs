//! The example, over sockets: read by its octets, and in Chromium.

#[path = "../examples/news.rs"]
#[allow(dead_code, reason = "its `main`")]
mod news;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use hybi_eventsource::{Event, EventStream, Settings, is_requested, last_event_id};
use hybi_std::{Answer, Arrival, Config, Listener, ServerSettings};
use hybi_test::foreign::peer;
use news::News;

/// What a test waits for longer has failed.
const BOUND: Duration = Duration::from_secs(80);

fn start(news: Arc<News>) -> SocketAddr {
    let listener = Listener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || news::serve(listener, news));
    address
}

/// Asks, and reads as many lines.
fn read(address: SocketAddr, lines: &str, count: usize) -> Vec<String> {
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket.set_read_timeout(Some(BOUND)).expect("a socket");
    write!(socket, "GET /news HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{lines}\r\n")
        .expect("it reads");
    let all = BufReader::new(socket).lines().map(|line| line.expect("it writes"));
    all.skip_while(|line| !line.is_empty()).skip(3).take(count).collect()
}

#[test]
fn a_reader_that_comes_back_gets_what_it_missed() {
    let news = Arc::new(News::default());
    let address = start(news.clone());
    for line in ["low water at ten", "high water\nat four", "fog"] {
        news.publish(line.to_owned());
    }
    let all =
        ["id: 0", "data: low water at ten", "", "id: 1", "data: high water", "data: at four", "", "id: 2"];
    assert_eq!(read(address, "", all.len()), all);
    assert_eq!(read(address, "Last-Event-ID: 0\r\n", 2), all[3..5]);
    assert_eq!(read(address, "Last-Event-ID: 1\r\n", 2), ["id: 2", "data: fog"]);

    let other = thread::spawn(move || read(address, "Last-Event-ID: 2\r\n", 2));
    news.publish("wind".to_owned());
    assert_eq!(other.join().expect("it reads"), ["id: 3", "data: wind"]);
}

/// Ended when it is dropped.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says by requests what it was given, and how the stream ended.
const PAGE: &str = r#"<!doctype html><script>
const source = new EventSource("/events");
const tell = (what) => fetch("/tell?" + encodeURIComponent(JSON.stringify(what)));
source.onmessage = (event) => tell([event.type, event.data, event.lastEventId]);
source.addEventListener("note", (event) => tell([event.type, event.data, event.lastEventId]));
</script>"#;

/// Chromium reads the stream, comes back when it ends, names the last id, and stays away after a 204.
#[test]
fn in_chromium() {
    if peer("page").is_none() {
        return; // it has said what to run
    }
    let (tell, told) = mpsc::channel();
    let listener = Listener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let listener = listener.with_config(Config::default(), settings);
    thread::spawn(move || {
        listener.run(move |arrival, _| {
            let Arrival::Plain(request) = arrival else { return };
            let answer = match request.head().path() {
                "/" => Answer::new(200).with_header("Content-Type", "text/html").with_body(PAGE),
                "/tell" => {
                    let _ = tell.send(request.head().query().unwrap_or_default().to_owned());
                    Answer::new(204)
                }
                "/events" if last_event_id(request.head()) == "9" => {
                    let _ = tell.send("back".to_owned());
                    Answer::new(204)
                }
                "/events" if is_requested(request.head()) => {
                    let mut settings = Settings::default();
                    settings.retry = Duration::from_millis(1);
                    let mut stream = EventStream::new(settings);
                    for event in [
                        Event::new(" one\r\ntwo\rthree\n"),
                        Event::new("").with_type("note").with_id("9"),
                        Event::new("\u{e9}"),
                    ] {
                        stream.send(&event).expect("it is open");
                        stream.ping().expect("it is open");
                    }
                    let (_, mut socket) = request.into_parts();
                    let _ = socket.write_all(stream.transmit());
                    return; // and so it ends
                }
                _ => Answer::new(404),
            };
            let _ = request.respond(answer);
        })
    });
    let profile = std::env::temp_dir().join(format!("hybi-eventsource-{}", std::process::id()));
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
    let quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--remote-debugging-port=0",
    ];
    let browser = Command::new("chromium")
        .args(flags)
        .args(quiet)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{address}/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let browser = Browser(browser.expect("it is installed"));
    let mut all: Vec<String> = (0..4).map(|_| told.recv_timeout(BOUND).expect("the page tells")).collect();
    all.sort(); // requests of a page may pass one another
    drop(browser);
    let _ = std::fs::remove_dir_all(profile);
    let expected = [
        "%5B%22message%22%2C%22%20one%5Cntwo%5Cnthree%5Cn%22%2C%22%22%5D",
        "%5B%22message%22%2C%22%C3%A9%22%2C%229%22%5D",
        "%5B%22note%22%2C%22%22%2C%229%22%5D",
        "back",
    ];
    assert_eq!(all, expected);
}
