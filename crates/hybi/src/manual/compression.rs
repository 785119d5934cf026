//! Compression: when to switch it on, what it costs, and what it gives away.
//!
//! permessage-deflate (RFC 7692) compresses each message before it is framed and inflates it as it arrives. It is
//! used where both sides ask for it, and it is off until it is asked for:
//!
//! ```
//! use hybi::extension::permessage_deflate::DeflateConfig;
//! use hybi::handshake::ClientRequest;
//!
//! let request = ClientRequest::new("ws://example.com/")?.with_deflate(DeflateConfig::default());
//! # Ok::<(), hybi::handshake::RequestError>(())
//! ```
//!
//! A server says the same of its answer (`Acceptance::with_deflate`, or `Accept::with_deflate` of an adapter), and
//! declines what it cannot serve: then the connection goes on without.
//!
//! # When
//!
//! Text that repeats itself, such as JSON, becomes half to a sixth of its size. It costs processor time on both
//! sides, and memory for each connection that keeps its context. So it is for messages of some hundred octets or
//! more on links that are slow or paid for. It is not for media, which are compressed already, and hardly for
//! connections inside of one building.
//!
//! # Do not compress secrets beside text that others choose
//!
//! The length of a compressed message tells what it has in common with itself and, where the context is taken over,
//! with the messages before it. Encryption does not hide lengths. Who can put text of their own into what we send,
//! and see how long it becomes, can find out a secret that is sent in the same message or the same context, octet by
//! octet (the attacks CRIME and BREACH; RFC 7692 §8). TLS does not help; it is where the attack is worth the trouble.
//!
//! So keep them apart: no compression on connections that carry credentials or tokens beside what others write, or
//! at least not for the messages with the secrets. A message is left out by a word, whatever the settings are, and
//! what is left out is no part of the context either:
//!
//! ```
//! use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
//! use hybi::{Agreement, Config, Connection, Payload};
//!
//! let agreed = Deflate::new(DeflateConfig::default(), Params::default());
//! let mut connection = Connection::server(Agreement::default().with_deflate(agreed), Config::default());
//! connection.send(Payload::text(b"token: 8f3a..").unwrap().compressed(false))?;
//! assert_eq!(connection.transmit()[0], 0x81); // the bit that says compressed (RSV1) is clear
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! Messages that are received are not affected: what the peer compresses, it gives away itself.
//!
//! # Which messages
//!
//! [`DeflateConfig::threshold`] is 1,024 octets: what is shorter goes out as it is. With a context to refer to, much
//! shorter messages are worth it, and [`DeflateConfig::threshold_with_takeover`] off compresses all of them:
//!
//! ```
//! use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
//! use hybi::{Agreement, Config, Connection};
//!
//! let mut settings = DeflateConfig::default();
//! settings.threshold_with_takeover = false;
//! let agreed = Deflate::new(settings, Params::default());
//! let mut connection = Connection::server(Agreement::default().with_deflate(agreed), Config::default());
//! connection.send("Hello")?;
//! assert_eq!(connection.transmit(), [0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]); // RFC 7692 §7.2.3.2
//! connection.transmitted(9);
//! connection.send("Hello")?;
//! assert_eq!(connection.transmit(), [0xc1, 5, 0xf2, 0x00, 0x11, 0x00, 0x00]); // by the context
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! A message that is sent in fragments is compressed or not as its first fragment says. Each fragment is flushed, so
//! it can be read when it arrives; small fragments compress badly.
//!
//! # Context and memory
//!
//! Where the context is taken over, a message refers to the messages before it: small messages become much smaller,
//! and both ends keep a window for as long as the connection lives. For each connection, idle or not:
//!
//! | | miniz_oxide | zlib-rs |
//! |---|---:|---:|
//! | what compresses, once something was sent | 314 KiB | 192 to 316 KiB, by window |
//! | what inflates, once something arrived | 6 to 37 KiB, by window and by what came | the same |
//!
//! So ten thousand connections that keep their contexts need three gigabytes. Three settings make it less:
//!
//! - [`server_no_context_takeover`][takeover] and its twin of the client, set to
//!   [`Takeover::None`]: each message stands alone, and with [`Memory::Shared`] all memory is given back when the
//!   message is over. Then an idle connection costs what it costs without compression. The price is the ratio of
//!   small messages (2.6 instead of 5.1 for JSON of 1 KiB) and the work of beginning anew.
//! - [`Memory::Dedicated`], the default, keeps the memory between messages even where no context is taken over. It is
//!   for connections that send all the time.
//! - Smaller windows for the peer ([`client_max_window_bits`][window] of a server)
//!   make what inflates smaller: its memory follows the window, and what was received.
//!
//! The settings are one value that connections share; hand over an `Arc`.
//!
//! # Windows, and which compressor keeps them how
//!
//! Either compressor keeps the window that was agreed on, from 8 to 15 bits, and the inflater fails a peer that does
//! not.
//!
//! - *miniz_oxide* (feature `deflate`, the default) is safe Rust and needs no std. It knows no window below 15 bits,
//!   so it is kept by beginning anew, primed with the last half of the window. The memory stays the same, and it
//!   costs speed: for JSON of 1 KiB at level 6, 25 MB/s at 12 bits where it is 34 at 15, with a ratio of 4.5 instead
//!   of 5.1.
//! - *zlib-rs* (feature `zlib-rs`, which wins over the other) is two to six times faster at level 1 and one and a
//!   half times at level 6, has `unsafe` code inside, and needs std. It keeps windows by itself: 78 MB/s at 12 bits
//!   and 60 at 15, with ratios of 4.6 and 5.1. Smaller windows need less memory.
//!
//! Levels are 0, which stores, to 9; the default is 6. Level 1 is two to six times faster for three quarters of the
//! ratio. Everything that was measured, with commands, stands in `docs/performance` of the repository.
//!
//! # What a peer can do
//!
//! A thousand octets of zeros become one octet, so what arrives says nothing of what it becomes. [`Limits::message`]
//! holds for the inflated message, over all its fragments, and is looked at *before* each piece of output: a gibibyte
//! in a megabyte costs no more than the limit, and the peer is told 1009. What does not inflate is 1007. With
//! [`Delivery::Fragments`] a message is handed over as it inflates, and no message is ever whole in memory.
//!
//! The work for an octet received is bounded too: below 200 ns, whatever the blocks are.
//!
//! # One message for many
//!
//! A [`Prepared`] message is framed once and sent on many connections; [`Prepared::with_deflate`] compresses it once
//! for each window that occurs. Connections that agreed on nothing get it as it is:
//!
//! ```
//! use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
//! use hybi::{Agreement, Config, Connection, Prepared};
//!
//! let agreed = Deflate::new(DeflateConfig::default(), Params::default());
//! let news = Prepared::new(&*"high water ".repeat(200)).with_deflate(&agreed);
//! let mut compressing = Connection::server(Agreement::default().with_deflate(agreed), Config::default());
//! let mut plain = Connection::server(Agreement::default(), Config::default());
//! compressing.send_prepared(&news)?;
//! plain.send_prepared(&news)?;
//! assert!(compressing.transmit().len() < 100 && plain.transmit().len() > 2_200);
//! # Ok::<(), hybi::UsageError>(())
//! ```
//!
//! After such a message our own context begins anew, because the peer's window holds what ours does not. So it is for
//! broadcasts, not for a conversation with one message now and then for all.
//!
//! [takeover]: crate::extension::permessage_deflate::DeflateConfig::server_no_context_takeover
//! [window]: crate::extension::permessage_deflate::DeflateConfig::client_max_window_bits
//! [`Delivery::Fragments`]: crate::Delivery::Fragments
//! [`DeflateConfig::threshold`]: crate::extension::permessage_deflate::DeflateConfig::threshold
//! [`DeflateConfig::threshold_with_takeover`]: crate::extension::permessage_deflate::DeflateConfig::threshold_with_takeover
//! [`Limits::message`]: crate::Limits::message
//! [`Memory::Dedicated`]: crate::extension::permessage_deflate::Memory::Dedicated
//! [`Memory::Shared`]: crate::extension::permessage_deflate::Memory::Shared
//! [`Prepared`]: crate::Prepared
//! [`Prepared::with_deflate`]: crate::Prepared::with_deflate
//! [`Takeover::None`]: crate::extension::permessage_deflate::Takeover::None
