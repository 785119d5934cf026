//! Drafts: the versions before RFC 6455, for devices that nobody updates any more.
//!
//! | `Sec-WebSocket-Version` | documents | here |
//! |---|---|---|
//! | 7 | HyBi draft 07 | [`Version::V7`], where it is switched on |
//! | 8 | HyBi drafts 08 to 12 | [`Version::V8`], where it is switched on |
//! | 13 | HyBi drafts 13 to 17, RFC 6455 | [`Version::V13`], the default |
//! | 9 to 12 | reserved: "were not and will not be used" (RFC 6455 §4.1) | refused |
//!
//! A server says which it speaks. Whoever asks for another gets status 426 and the list.
//!
//! ```
//! use hybi::handshake::ServerSettings;
//! use hybi::Version;
//!
//! let mut settings = ServerSettings::default(); // version 13 alone
//! settings.versions = settings.versions.with(Version::V8).with(Version::V7);
//! assert_eq!(settings.versions.to_string(), "13, 8, 7");
//! ```
//!
//! A client asks for one:
//!
//! ```
//! use hybi::handshake::ClientRequest;
//! use hybi::Version;
//!
//! let request = ClientRequest::new("ws://camera.local/")?.with_version(Version::V8);
//! assert_eq!(request.version().number(), 8);
//! # Ok::<(), hybi::handshake::RequestError>(())
//! ```
//!
//! # What differs
//!
//! Frames, masking and the accept value are the same from draft 07 to the RFC. These are not:
//!
//! | what | versions 7 and 8 | 13 |
//! |---|---|---|
//! | header of the origin | `Sec-WebSocket-Origin`; drafts 11 and 12, also version 8, say `Origin` | `Origin` |
//! | close codes | 1004 for a frame that is too large, neither 1008 nor 1009; used where [`Automatic::draft_close_codes`] says so | 1008, 1009; no 1004 |
//! | reserved bits and opcodes, text that is not UTF-8 | early drafts let them pass | fail the connection; here in all versions |
//!
//! [`Request::origin_allowed`] looks at both headers for versions 7 and 8, and each that is there has to be
//! in the list.
//!
//! The extensions of the drafts, `deflate-stream` and `x-webkit-deflate-frame`, are declined in silence.
//!
//! An application that serves old clients should know that their authors could not read today's rules: look
//! at what fails, with [`Event::Failed`], before blaming the network.
//!
//! [`Automatic::draft_close_codes`]: crate::Automatic::draft_close_codes
//! [`Version::V7`]: crate::Version::V7
//! [`Version::V8`]: crate::Version::V8
//! [`Version::V13`]: crate::Version::V13
//! [`Request::origin_allowed`]: crate::handshake::Request::origin_allowed
//! [`Event::Failed`]: crate::Event::Failed
