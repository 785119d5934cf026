//! News for whoever opens the page, on one port, over blocking sockets.
//!
//!     cargo run -p hybi-eventsource --example news
//!
//! Then open http://127.0.0.1:9001/. Whoever was away for a while gets what came meanwhile: the id of an event is its
//! place in the list, and a browser that comes back names the last one it saw.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use hybi_eventsource::{Event, EventStream, Settings, is_requested, last_event_id};
use hybi_std::{Answer, Arrival, Config, Listener, PlainRequest, ServerSettings, Stream};

fn main() -> io::Result<()> {
    let news = Arc::new(News::default());
    let listener = Listener::bind("127.0.0.1:9001")?;
    println!("http://{}/", listener.local_addr()?);
    let editor = news.clone();
    std::thread::spawn(move || {
        for number in 1.. {
            editor.publish(format!("It is {number} s later."));
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    serve(listener, news)
}

/// All that was published.
#[derive(Default)]
pub(crate) struct News {
    lines: Mutex<Vec<String>>,
    published: Condvar,
}

impl News {
    pub(crate) fn publish(&self, line: String) {
        self.lines.lock().expect("nobody panics").push(line);
        self.published.notify_all();
    }

    /// The line at this place, if it comes in time.
    fn wait_for(&self, place: usize, timeout: Duration) -> Option<String> {
        let lines = self.lines.lock().expect("nobody panics");
        let is_missing = |lines: &mut Vec<String>| lines.len() <= place;
        let (lines, _) =
            self.published.wait_timeout_while(lines, timeout, is_missing).expect("nobody panics");
        lines.get(place).cloned()
    }
}

pub(crate) fn serve(listener: Listener, news: Arc<News>) -> io::Result<()> {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true; // all of them are
    listener.with_config(Config::default(), settings).run(move |arrival, _| {
        let Arrival::Plain(request) = arrival else { return };
        let result = match request.head().path() {
            "/news" if is_requested(request.head()) => stream(request, &news),
            "/" => page(request),
            _ => request.respond(Answer::new(404)).map_err(io::Error::from),
        };
        if let Err(error) = result {
            println!("{error}"); // whoever closes the page, for one
        }
    })
}

fn page(request: PlainRequest<Stream>) -> io::Result<()> {
    let answer = Answer::new(200)
        .with_header("Content-Type", "text/html; charset=utf-8")
        .with_body(include_str!("news.html"));
    Ok(request.respond(answer)?)
}

/// Until the reader has gone, which a write shows: at the latest that of a ping.
fn stream(request: PlainRequest<Stream>, news: &News) -> io::Result<()> {
    let seen = last_event_id(request.head()).parse::<usize>();
    let mut place = seen.map_or(0, |last| last.saturating_add(1));
    let (_, mut socket) = request.into_parts();
    let mut stream = EventStream::new(Settings::default());
    let start = Instant::now();
    let now = || hybi::Instant::ZERO + start.elapsed();
    loop {
        stream.handle_timeout(now());
        while !stream.transmit().is_empty() {
            let n = socket.write(stream.transmit())?;
            stream.transmitted(n);
        }
        let left = stream.poll_timeout().map_or(Duration::MAX, |deadline| deadline.since(now()));
        if let Some(line) = news.wait_for(place, left) {
            stream.send(&Event::new(&line).with_id(&place.to_string())).map_err(io::Error::other)?;
            place += 1;
        }
    }
}
