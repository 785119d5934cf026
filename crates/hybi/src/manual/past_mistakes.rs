//! Past mistakes of other implementations, and what keeps them out here.
//!
//! Published advisories alone, each with its identifier, under which it can be looked up at CVE, GitHub
//! (GHSA) or RustSec. They are listed because a mistake that careful people made will be made again. A few
//! are of HTTP libraries, where the same rule holds.
//!
//! Each ends with a test of this repository: `limits::` and the like are files in `crates/hybi/tests`,
//! `src::` is inside the core. That they exist is tested as well.
//!
//! # Memory that follows what is announced
//!
//! - **RUSTSEC-2022-0035, CVE-2022-35922: websocket (Rust).** There: a buffer of the announced length was
//!   allocated before any payload had come. Here: memory follows what was received: at most twice as much,
//!   and a step. `limits::memory_follows_what_was_received_not_what_was_announced`.
//! - **CVE-2020-27813: gorilla/websocket (Go).** There: the sum of lengths overflowed. Here: a length is 64
//!   bits until it is compared with a limit; its top bit fails the connection.
//!   `rfc6455::s5_2_framing::the_most_significant_bit_of_a_64_bit_length_must_be_0`.
//! - **CVE-2026-1528: undici (Node.js).** There: 64-bit lengths were handled as numbers that cannot hold
//!   them. Here: as above. `rfc6455::s10_4_limits::a_frame_above_its_limit_is_refused_by_its_header`.
//! - **CVE-2020-13935: Tomcat (Java).** There: an invalid length was not refused, and the reader went in
//!   circles. Here: refused when its last octet is in. `decoder::rules_and_where_they_break`.
//! - **CVE-2026-44545: daphne (Python).** There: the layer below had no limit by default, and nobody set one.
//!   Here: every default is finite. `limits::defaults_are_finite`.
//! - **RUSTSEC-2026-0007, CVE-2026-25541: bytes (Rust).** There: reserving overflowed. Here: no number of the
//!   peer reaches an allocation before it was limited, and ours are asked for in a way that may fail.
//!   `allocation_failure::every_allocation_may_fail_once`.
//!
//! # Many small pieces
//!
//! - **CVE-2026-48779: ws (Node.js), before 8.21.0.** There: an object for each fragment and for each read.
//!   Here: fragments are appended to one buffer, and counted.
//!   `limits::many_small_fragments_cost_their_octets`, `limits::fragment_limit`.
//! - **CVE-2026-12151: undici (Node.js).** There: pieces were kept without a limit on their number. Here: as
//!   above; empty ones are counted besides. `limits::a_million_empty_fragments_end_in_1008_without_growth`.
//! - **CVE-2014-0193: Netty (Java); CVE-2026-42786: Bandit (Elixir).** There: a limit for each frame, none
//!   for the message. Here: [`Limits::message`](crate::Limits::message) counts all fragments.
//!   `limits::message_limit`.
//! - **RUSTSEC-2026-0258: h2 (Rust).** There: empty frames were queued without limit. Here: no frame is
//!   queued inward: the next event is decided when it is asked for.
//!   `limits::who_takes_no_events_gets_no_octets`.
//!
//! # Compression
//!
//! - **CVE-2018-1000518: websockets (Python); CVE-2026-39804: Bandit (Elixir); CVE-2026-1526: undici
//!   (Node.js); CVE-2026-54490 and CVE-2026-54464: websocket-driver (Node.js, Ruby).** There: the limit was
//!   held against the compressed size. Here: it is held while inflating, before memory is taken.
//!   `compression::a_bomb_costs_no_more_than_the_limit`,
//!   `rfc7692::memory::a_bomb_costs_no_more_than_its_limit`.
//! - **CVE-2026-2229: undici (Node.js).** There: window bits of the peer were not checked. Here: a window is
//!   8 to 15, one or two digits, or the parameter is invalid.
//!   `rfc7692::params::a_client_fails_on_an_invalid_answer`,
//!   `rfc7692::params::numbers_that_do_not_exist_cannot_be_made`.
//! - **RUSTSEC-2024-0401: zlib-rs (Rust).** There: hostile input overflowed the stack. Here: the inflater is
//!   a machine of states, without recursion. `rfc7692::properties::any_payload_is_judged_alike`.
//!
//! # The opening handshake
//!
//! - **RUSTSEC-2023-0065, CVE-2023-43669: tungstenite (Rust).** There: the whole head was parsed again at
//!   each read. Here: the scanner remembers where it stopped.
//!   `src::http::head::each_octet_is_looked_at_once`.
//! - **CVE-2024-37890: ws (Node.js), before 8.17.1.** There: more fields than a limit: the rest was dropped,
//!   and a missing one was used. Here: too many fields are an answer with status 431.
//!   `handshake::request::limits_are_for_octets_and_fields`.
//! - **CVE-2026-54465: websocket-driver (Ruby).** There: a head without limit. Here: as above.
//!   `src::http::head::nothing_above_the_limit_is_stored`.
//! - **CVE-2021-32640: ws (Node.js), before 7.4.6.** There: a list of subprotocols took quadratic time. Here:
//!   one walk over the list. `src::handshake::subprotocol::long_lists_are_not_searched_for_each_name`.
//! - **CVE-2020-7662 and CVE-2020-7663: websocket-extensions (Node.js, Ruby).** There: a list of extensions
//!   took quadratic time. Here: one walk over the list. `src::extension::offer::long_headers_take_one_walk`.
//! - **npm advisory 550 (2017): ws (Node.js), before 3.3.1.** There: an extension whose name is that of a
//!   built-in property broke the server. Here: names are text that is compared, never a key.
//!   `rfc6455::s9_extensions::names_are_nothing_but_names`.
//! - **CVE-2026-61666: websocket-driver (Ruby).** There: an invalid `Host` raised an error that nobody
//!   caught. Here: status 400. `handshake::request::there_is_one_host`.
//! - **CVE-2026-1527: undici (Node.js); RUSTSEC-2017-0002: hyper (Rust).** There: a line break in a value of
//!   the caller began a new field. Here: values are checked where they are given.
//!   `handshake::client_request::headers_stay_in_their_line_and_the_handshakes_own_stay_ours`,
//!   `src::http::fields::a_caller_cannot_leave_his_line`.
//! - **RUSTSEC-2021-0020, RUSTSEC-2021-0078: hyper (Rust).** There: lenient lengths, so that a proxy and a
//!   server saw different requests. Here: an upgrade has no body, or is refused.
//!   `handshake::request::an_upgrade_has_no_body`.
//! - **GHSA-p773-8mf4-rjm5: @farmfe/core (Node.js).** There: no look at the origin: any page could drive a
//!   local server. Here: [`Request::origin_allowed`](crate::handshake::Request::origin_allowed), in the first
//!   example of the handshake; to call it is the application's to do.
//!   `handshake::request::origins_are_held_against_a_list`.
//!
//! # Sending
//!
//! - **RUSTSEC-2020-0043, CVE-2020-35896: ws (Rust).** There: the outgoing buffer had no bound. Here:
//!   [`Water::limit`](crate::Water::limit): then a send is refused. `limits::send_queue_limit`.
//! - **RUSTSEC-2024-0003: h2 (Rust); release notes of ws 8.23.0 (Node.js).** There: an answer was queued for
//!   each frame that asks for one. Here: while pongs wait, the newest takes the place of the last.
//!   `limits::a_flood_of_pings_that_nobody_takes_the_pongs_of`, `limits::pending_pong_limit`.
//! - **GHSA-2mhh-w6q8-5hxw (2016): ws (Node.js), before 1.0.1.** There: a ping with a number for a payload
//!   sent memory that was never written. Here: a payload is octets that exist; there is no memory here that
//!   is not written. `transcripts/control-ping.txt`.
//! - **CVE-2026-45736: ws (Node.js), before 8.20.1.** There: the same with a reason for closing. Here: a
//!   reason is a `&str`, and its octets are counted. `src::close::reason_is_counted_in_octets`.
//! - **CVE-2025-10148: curl (C).** There: one masking key for a whole connection. Here: a fresh key for each
//!   frame, from the source that was handed in. `sending::each_frame_of_a_client_takes_a_fresh_key`.
//!
//! # Work without end
//!
//! - **CVE-2025-5399: curl (C).** There: a crafted packet kept the reader in a loop. Here: each call consumes
//!   something, or answers that it needs more. `properties::any_octets_give_what_the_twin_gives`.
//! - **RUSTSEC-2023-0034, RUSTSEC-2024-0332: h2 (Rust).** There: frames that cost work and are never done
//!   with. Here: every octet has a bounded cost, and a head has a limit.
//!   `rfc7692::cost::the_work_for_an_octet_is_bounded`,
//!   `src::http::head::a_head_may_reach_its_limits_and_not_pass_them`.
//!
//! # Secrets
//!
//! - **CVE-2021-33880: websockets (Python).** There: a password was compared in a time that told how much of
//!   it was right. Here: nothing here compares credentials: the application sees the header.
//! - **CVE-2020-15133: faye-websocket (Ruby).** There: certificates were not verified by default. Here:
//!   rustls verifies certificate and host name, unless a configuration is handed in that says otherwise.
//!   `hybi-std::tls::a_certificate_that_is_not_trusted_ends_it_before_the_opening_handshake`.
