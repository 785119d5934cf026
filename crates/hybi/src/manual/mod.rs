//! The manual: for a person who embeds the core in a program of their own.
//!
//! | chapter | what it answers |
//! |---|---|
//! | [`run_loop`] | what to call, in which order, and what happens to one byte |
//! | [`buffers`] | whose memory octets arrive in, what moves when, what a connection holds |
//! | [`opening`] | from a transport, or a request that somebody else has read, to a connection |
//! | [`compression`] | when to switch it on, what it costs, and what it gives away |
//! | [`limits`] | what a peer may cost, what it is told beyond that, what the application must still do |
//! | [`closing`] | states, who ends the transport, deadlines, 1005 and 1006 |
//! | [`keepalive`] | a clock that is a number, and the one next deadline |
//! | [`extensions`] | what changes messages on their way, who agrees to it, and one of your own |
//! | [`drafts`] | versions 7 and 8 |
//! | [`event_loop`] | embedding in a loop of your own: readiness in one function |
//! | [`adapters`] | writing an adapter: duties in order, and the traps |
//! | [`testing`] | fixed entropy, a clock that jumps, two connections on one wire |
//! | [`past_mistakes`] | advisories of other implementations, and what keeps each out here |
//!
//! The chapters can be read in any order, but the first explains the words that the others use. Every example
//! runs with the tests. What a method does stands on the method; here is how they belong together.
//!
//! This module is empty, and exists in the documentation alone.

pub mod adapters;
pub mod buffers;
pub mod closing;
pub mod compression;
pub mod drafts;
pub mod event_loop;
pub mod extensions;
pub mod keepalive;
pub mod limits;
pub mod opening;
pub mod past_mistakes;
pub mod run_loop;
pub mod testing;
