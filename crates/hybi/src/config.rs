//! How a connection behaves: plain data with good defaults. Every limit is finite unless it is told not to be.

use core::time::Duration;

/// The configuration of a connection. Change what you need of the default:
///
/// ```
/// use core::time::Duration;
/// use hybi::Config;
///
/// let mut config = Config::default();
/// config.limits.message = 1 << 20;
/// config.timeouts.keepalive = Some(Duration::from_secs(30));
/// ```
///
/// A connection keeps it in an [`Arc`](alloc::sync::Arc): hand over a `Config`, or a clone of an
/// `Arc<Config>` that many connections share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// What the peer may make us hold.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// The marks of the send queue.
    pub water: Water,
    /// Whole messages, or fragments as they arrive.
    pub delivery: Delivery,
    /// What is done without being asked.
    pub automatic: Automatic,
    /// What is checked.
    pub strictness: Strictness,
}

/// What the peer may make us hold or do. Each limit is enforced before memory is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of one message, all fragments together. Default 64 MiB. Above: close code 1009.
    pub message: usize,
    /// Octets of the payload of one data frame. Default 16 MiB. Above: close code 1009.
    pub frame: usize,
    /// Frames that one message may have. Default 16,384. Above: close code 1008.
    pub fragments: u32,
    /// Empty fragments in a row. Default 4,096. Above: close code 1008.
    pub empty_fragments: u32,
    /// Pongs that may wait to be transmitted. A further ping replaces the last one, as RFC 6455 §5.5.3
    /// allows, so every ping is answered while the peer reads. Default 16; at least 2.
    pub pending_pongs: u32,
    /// Octets of the head of an HTTP request or response. Default 16 KiB.
    pub head_bytes: usize,
    /// Header fields of an HTTP request or response. Default 100.
    pub head_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 64 << 20,
            frame: 16 << 20,
            fragments: 16_384,
            empty_fragments: 4_096,
            pending_pongs: 16,
            head_bytes: 16 << 10,
            head_fields: 100,
        }
    }
}

/// How long things may take. `None` switches one off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the start to an open connection. Default 10 s.
    pub handshake: Option<Duration>,
    /// A ping goes out each time so long has passed; its payload counts up from `1`. Default off.
    pub keepalive: Option<Duration>,
    /// From a keepalive ping to a sign of life: any octet that arrives is one. Default 20 s; without
    /// `keepalive` it has no effect.
    pub pong: Option<Duration>,
    /// Nothing received for so long: the connection is closed with 1001. Octets that arrive only leave a mark,
    /// so it takes between once and twice the time. Default off.
    pub idle: Option<Duration>,
    /// From our first close frame to the end of the transport. Default 30 s.
    pub close: Option<Duration>,
    /// Output waits, and the transport takes none of it for so long: the connection is dropped. As above, it
    /// takes between once and twice the time. Default off.
    pub write_stall: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Some(Duration::from_secs(10)),
            keepalive: None,
            pong: Some(Duration::from_secs(20)),
            idle: None,
            close: Some(Duration::from_secs(30)),
            write_stall: None,
        }
    }
}

/// The marks of the send queue, in octets of waiting output, framing included.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Water {
    /// Above it an application should wait before it sends more; adapters do. Default 256 KiB.
    pub high: usize,
    /// Once the queue was above `high`, falling to this makes an
    /// [`Event::Writable`](crate::Event::Writable). Default 64 KiB.
    pub low: usize,
    /// Once so much waits, nothing more is taken: [`UsageError::QueueFull`](crate::UsageError). So what waits
    /// is at most this and one message more. Default 16 MiB.
    pub limit: usize,
}

impl Default for Water {
    fn default() -> Self {
        Self { high: 256 << 10, low: 64 << 10, limit: 16 << 20 }
    }
}

/// How received messages reach the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole: [`Event::Text`](crate::Event::Text) and [`Event::Binary`](crate::Event::Binary).
    #[default]
    Messages,
    /// In pieces, as they arrive: [`Event::Fragment`](crate::Event::Fragment). What a connection holds is
    /// then bounded by its receive buffer, whatever the size of the message. Text is cut between characters. Where
    /// an [extension of yours](crate::extension) was agreed on, the only piece is the whole message.
    Fragments,
}

/// What a connection does without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Automatic {
    /// Each ping is answered (RFC 6455 §5.5.2). Default on. Off, the application sends the pongs.
    pub pong: bool,
    /// A connection of version 7 or 8 uses the close codes that their drafts had: 1009 is written as 1004, and
    /// read from it; 1008 is written as 1002. Default off: the codes of RFC 6455 in all versions.
    pub draft_close_codes: bool,
}

impl Default for Automatic {
    fn default() -> Self {
        Self { pong: true, draft_close_codes: false }
    }
}

/// What a connection checks beyond what memory safety needs. Everything, by default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Strictness {
    /// Text messages and close reasons have to be UTF-8 (RFC 6455 §8.1). Off, text arrives as
    /// [`Event::UncheckedText`](crate::Event::UncheckedText): octets that nobody looked at.
    pub utf8: bool,
    /// Payload lengths have to be in their shortest form (§5.2).
    pub shortest_length: bool,
}

impl Default for Strictness {
    fn default() -> Self {
        Self { utf8: true, shortest_length: true }
    }
}
