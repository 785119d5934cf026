//! One connection of a server: octets and decisions in, events and octets out.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use hybi::Instant;
use md5::{Digest, Md5};

use crate::frames::{Frame, Frames};
use crate::request::{Head, Request, Version};

/// Bounds on what the peer can make the connection hold, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Octets of one text. 1 MiB.
    pub message: usize,
    /// Octets of the request's head. 16 KiB.
    pub head_bytes: usize,
    /// Headers of the request. 128.
    pub head_fields: usize,
    /// Octets that may wait to be written; a text that would pass them is [`Error::QueueFull`]. 1 MiB.
    pub write_buffer: usize,
    /// From the first [`handle_timeout`](Server::handle_timeout) to an open connection. 10 seconds.
    pub handshake: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            message: 1 << 20,
            head_bytes: 16 << 10,
            head_fields: 128,
            write_buffer: 1 << 20,
            handshake: Some(Duration::from_secs(10)),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request of one of the drafts: [`accept`](Server::accept) it or [`reject`](Server::reject) it.
    Request(Request),
    /// What came is of no such draft: [`take_unread`](Server::take_unread) gives it back, to be received by another.
    Other,
    /// A text.
    Text(String),
    /// The peer broke a rule or a limit. [`Event::Closed`] follows.
    Failed(Error),
    /// The end. It comes once, and nothing after it.
    Closed,
}

/// Why something is not done, or why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The request is broken; it was answered with 400.
    BadRequest,
    /// The opening handshake took too long.
    HandshakeTimeout,
    /// More than [`Settings::message`].
    MessageTooBig,
    /// The connection is not open, or there is no request to be answered.
    NotOpen,
    /// More would wait to be written than [`Settings::write_buffer`].
    QueueFull,
    /// The subprotocol was not asked for.
    BadSubprotocol,
    /// A status that refuses nothing.
    BadStatus,
}

/// How a request is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accept {
    /// One of [`Request::subprotocols`].
    pub subprotocol: Option<String>,
    /// Whether the client came by TLS: then the address that it is told begins with `wss`.
    pub secure: bool,
}

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Before the opening handshake is over.
    Connecting,
    /// Texts go both ways.
    Open,
    /// It is over.
    Closed,
}

/// A connection that waits for a request, or is open, or is over.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    stage: Stage,
    /// The head as far as it has come, and what came behind it before it was accepted.
    unread: Vec<u8>,
    /// Up to here there is no end of the head.
    looked_at: usize,
    frames: Frames,
    events: VecDeque<Event>,
    output: Vec<u8>,
    transmitted: usize,
    /// Texts that wait for the answer to the challenge.
    held_back: Vec<u8>,
    deadline: Deadline,
}

#[derive(Debug)]
enum Stage {
    Head,
    /// Of no draft: nothing is taken any more.
    Other,
    Request(Request),
    /// Draft 76: the head of the answer is written, and the last part of the challenge is missing.
    Challenge([u32; 2]),
    Open(Version),
    Closed(Option<Version>),
}

/// Before anybody has told the time there is no telling when it is over.
#[derive(Debug, Clone, Copy)]
enum Deadline {
    Unknown(Duration),
    At(Instant),
    Never,
}

/// Octets behind the head of draft 76 that belong to its challenge.
const CHALLENGE: usize = 8;
const END: [u8; 2] = [0xff, 0x00];
/// A text takes two octets to send, and many times as many here.
const MOST_EVENTS: usize = 64;

impl Server {
    /// A connection that waits for a request.
    pub fn new(settings: Settings) -> Self {
        Self {
            stage: Stage::Head,
            unread: Vec::new(),
            looked_at: 0,
            frames: Frames::new(settings.message),
            events: VecDeque::new(),
            output: Vec::new(),
            transmitted: 0,
            held_back: Vec::new(),
            deadline: settings.handshake.map_or(Deadline::Never, Deadline::Unknown),
            settings,
        }
    }

    /// An open connection, whose opening handshake somebody else has made.
    pub fn open(version: Version, settings: Settings) -> Self {
        Self { stage: Stage::Open(version), deadline: Deadline::Never, ..Self::new(settings) }
    }

    /// Takes octets that the transport brought, and says how many: all of them, but while a request waits for its
    /// answer, or many events to be taken, only as many as there is room for. Offer the rest again then. After the end
    /// they are dropped.
    #[must_use = "what is not taken has to be offered again"]
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        match self.stage {
            Stage::Head | Stage::Other | Stage::Request(_) => {
                let room = self.settings.head_bytes.saturating_sub(self.unread.len());
                let n = room.min(octets.len());
                self.unread.extend_from_slice(&octets[..n]);
                if let Stage::Head = self.stage {
                    self.read_head();
                }
                return n;
            }
            Stage::Challenge(numbers) => {
                self.unread.extend_from_slice(octets);
                self.answer_challenge(numbers);
            }
            Stage::Open(version) => return octets.len() - self.read_frames(version, octets, MOST_EVENTS),
            Stage::Closed(_) => {}
        }
        octets.len()
    }

    /// The transport has ended.
    pub fn receive_eof(&mut self) {
        self.end();
        (self.output, self.transmitted) = (Vec::new(), 0);
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Accepts the request. With draft 76 the connection is open when the last octets of the request are there too,
    /// which a proxy may hold back until it has seen the head of the answer; what is sent meanwhile waits.
    ///
    /// # Errors
    /// [`Error::NotOpen`], [`Error::BadSubprotocol`]. Nothing was written.
    pub fn accept(&mut self, accept: &Accept) -> Result<(), Error> {
        let Stage::Request(request) = &self.stage else { return Err(Error::NotOpen) };
        if accept
            .subprotocol
            .as_deref()
            .is_some_and(|name| !request.subprotocols().any(|other| other == name))
        {
            return Err(Error::BadSubprotocol);
        }
        let (version, numbers) = (request.version(), request.numbers);
        let head = accepted(request, accept);
        self.output.extend_from_slice(head.as_bytes());
        match version {
            Version::Hixie75 => {
                self.stage = Stage::Open(version);
                self.deadline = Deadline::Never;
                let unread = core::mem::take(&mut self.unread);
                self.read_frames(version, &unread, usize::MAX);
            }
            Version::Hixie76 => {
                self.stage = Stage::Challenge(numbers);
                self.answer_challenge(numbers);
            }
        }
        Ok(())
    }

    /// Rejects the request, with a status from 400 to 599 and a text.
    ///
    /// # Errors
    /// [`Error::NotOpen`], [`Error::BadStatus`]. Nothing was written.
    pub fn reject(&mut self, status: u16, text: &str) -> Result<(), Error> {
        let Stage::Request(_) = &self.stage else { return Err(Error::NotOpen) };
        if !(400..600).contains(&status) {
            return Err(Error::BadStatus);
        }
        self.respond(status, text);
        self.end();
        Ok(())
    }

    /// Sends a text: queues it.
    ///
    /// # Errors
    /// [`Error::NotOpen`], [`Error::QueueFull`].
    pub fn send(&mut self, text: &str) -> Result<(), Error> {
        let waiting = self.transmit().len() + self.held_back.len();
        let queue = match self.stage {
            Stage::Open(_) => &mut self.output,
            Stage::Challenge(_) => &mut self.held_back,
            _ => return Err(Error::NotOpen),
        };
        if text.len() + 2 > self.settings.write_buffer.saturating_sub(waiting) {
            return Err(Error::QueueFull);
        }
        queue.push(0x00);
        queue.extend_from_slice(text.as_bytes());
        queue.push(0xff);
        Ok(())
    }

    /// Ends the connection. Draft 76 has two octets that say so; draft 75 just ends the transport. Neither has a code
    /// or a reason, and what the peer still sends is dropped.
    pub fn close(&mut self) {
        if let Stage::Open(Version::Hixie76) = self.stage {
            self.output.extend_from_slice(&END);
        }
        self.end();
    }

    /// What waits to be written.
    pub fn transmit(&self) -> &[u8] {
        &self.output[self.transmitted..]
    }

    /// So much of it was written.
    ///
    /// # Panics
    /// If that is more than was waiting.
    pub fn transmitted(&mut self, len: usize) {
        assert!(len <= self.transmit().len(), "more was transmitted than there was");
        self.transmitted += len;
        if self.transmitted == self.output.len() {
            (self.output, self.transmitted) = (Vec::new(), 0);
        } else if self.transmitted > self.output.len() / 2 {
            self.output.drain(..self.transmitted); // so rarely that each octet moves once at the most
            self.transmitted = 0;
        }
    }

    /// What was received and is for somebody else, after [`Event::Other`].
    pub fn take_unread(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.unread)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; [`Instant::ZERO`] is at once.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.deadline {
            Deadline::Unknown(_) => Some(Instant::ZERO),
            Deadline::At(at) => Some(at),
            Deadline::Never => None,
        }
    }

    /// It is so late.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.deadline {
            Deadline::Unknown(limit) => self.deadline = Deadline::At(now + limit),
            Deadline::At(at) if at <= now => self.fail(Error::HandshakeTimeout),
            Deadline::At(_) | Deadline::Never => {}
        }
    }

    /// Where the connection is.
    pub fn state(&self) -> State {
        match self.stage {
            Stage::Head | Stage::Other | Stage::Request(_) | Stage::Challenge(_) => State::Connecting,
            Stage::Open(_) => State::Open,
            Stage::Closed(_) => State::Closed,
        }
    }

    /// The draft that an open connection speaks, or spoke.
    pub fn version(&self) -> Option<Version> {
        match self.stage {
            Stage::Challenge(_) => Some(Version::Hixie76),
            Stage::Open(version) => Some(version),
            Stage::Closed(version) => version,
            Stage::Head | Stage::Other | Stage::Request(_) => None,
        }
    }

    /// Whether the transport should be ended now: it is over, and all is written.
    pub fn wants_close(&self) -> bool {
        self.state() == State::Closed && self.transmit().is_empty()
    }

    // ---- in

    fn read_head(&mut self) {
        let from = self.looked_at.saturating_sub(3);
        let end = self.unread[from..].windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end.map(|at| from + at + 4) else {
            self.looked_at = self.unread.len();
            if self.unread.len() >= self.settings.head_bytes {
                self.is_other(); // whoever takes it over has a limit too
            }
            return;
        };
        match Request::parse(&self.unread[..end], self.settings.head_fields) {
            Head::Request(request) => {
                self.unread.drain(..end);
                self.events.push_back(Event::Request(request.clone()));
                self.stage = Stage::Request(request);
            }
            Head::Bad => {
                self.respond(400, "a broken request for a WebSocket of an old draft\n");
                self.fail(Error::BadRequest);
            }
            Head::Other => self.is_other(),
        }
    }

    fn is_other(&mut self) {
        self.stage = Stage::Other;
        self.deadline = Deadline::Never;
        self.events.push_back(Event::Other);
    }

    fn answer_challenge(&mut self, numbers: [u32; 2]) {
        if self.unread.len() < CHALLENGE {
            return;
        }
        let unread = core::mem::take(&mut self.unread);
        let (challenge, rest) = unread.split_at(CHALLENGE);
        let mut digest = Md5::new();
        for number in numbers {
            digest.update(number.to_be_bytes());
        }
        digest.update(challenge);
        self.output.extend_from_slice(&digest.finalize());
        self.output.append(&mut self.held_back);
        self.stage = Stage::Open(Version::Hixie76);
        self.deadline = Deadline::Never;
        self.read_frames(Version::Hixie76, rest, usize::MAX);
    }

    /// Reads until so many events wait; how many octets are left.
    fn read_frames(&mut self, version: Version, mut octets: &[u8], most_events: usize) -> usize {
        while self.events.len() < most_events
            && let Some(frame) = self.frames.read(&mut octets)
        {
            match frame {
                Frame::Text(text) => self.events.push_back(Event::Text(text)),
                Frame::End if version == Version::Hixie75 => {}
                Frame::End => {
                    self.close(); // and so it is answered
                    return 0;
                }
                Frame::TooBig => {
                    self.events.push_back(Event::Failed(Error::MessageTooBig));
                    self.close();
                    return 0;
                }
            }
        }
        octets.len()
    }

    // ---- the end

    fn respond(&mut self, status: u16, text: &str) {
        let head = format!(
            "HTTP/1.1 {status} \r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n",
            text.len()
        );
        self.output.extend_from_slice(head.as_bytes());
        self.output.extend_from_slice(text.as_bytes());
    }

    fn fail(&mut self, error: Error) {
        self.events.push_back(Event::Failed(error));
        self.end();
    }

    fn end(&mut self) {
        if self.state() == State::Closed {
            return;
        }
        self.stage = Stage::Closed(self.version());
        self.deadline = Deadline::Never;
        self.frames.clear();
        (self.unread, self.held_back) = (Vec::new(), Vec::new());
        self.events.push_back(Event::Closed);
    }
}

/// The head of the answer. Clients of draft 75 compare its first lines octet by octet.
fn accepted(request: &Request, accept: &Accept) -> String {
    let (words, prefix) = match request.version() {
        Version::Hixie75 => ("Web Socket Protocol Handshake", ""),
        Version::Hixie76 => ("WebSocket Protocol Handshake", "Sec-"),
    };
    let scheme = if accept.secure { "wss" } else { "ws" };
    let mut head = format!("HTTP/1.1 101 {words}\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n");
    let location = format!("{scheme}://{}{}", request.host(), request.target());
    let fields = [
        (format!("{prefix}WebSocket-Origin"), request.origin()),
        (format!("{prefix}WebSocket-Location"), Some(location.as_str())),
        (request.subprotocol_field().to_owned(), accept.subprotocol.as_deref()),
    ];
    for (name, value) in &fields {
        if let Some(value) = value {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    head
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadRequest => "the request is broken",
            Self::HandshakeTimeout => "the opening handshake took too long",
            Self::MessageTooBig => "a message is too big",
            Self::NotOpen => "the connection is not open",
            Self::QueueFull => "too much waits to be written",
            Self::BadSubprotocol => "the subprotocol was not asked for",
            Self::BadStatus => "the status refuses nothing",
        })
    }
}

impl core::error::Error for Error {}
