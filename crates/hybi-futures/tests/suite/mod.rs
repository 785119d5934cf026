//! Tests that hold for every asynchronous adapter. An adapter includes this file by its path, says what its runtime
//! is ([`Adapter`]), and stamps the tests out: `suite!(Here)`.
//!
//! Nothing sleeps: where the adapter's clock can be moved, it jumps when nobody has anything to do.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each adapter uses a part of it"
)]

pub mod cancel;
pub mod ends;
pub mod messages;
pub mod split;
pub mod torn;

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::sync::Arc;

use hybi::{Agreement, Connection, SystemEntropy};
use hybi_futures::{CloseInfo, Config, Event, Io, Reader, WebSocket};

/// A runtime under test.
pub trait Adapter: 'static {
    type R: Io<Self::S> + Io<torn::Torn>;
    /// One end of a stream.
    type S: 'static;

    /// Runs a test to its end, and all that it spawned, in bounded time.
    fn run(test: impl Future<Output = ()> + 'static);
    /// Runs something beside the test.
    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> impl Future<Output = T>;
    /// Two ends of a stream, which holds 64 KiB in each direction.
    fn pair() -> (Self::S, Self::S);
    /// How much of its time a timeout is given where this clock has to be waited for.
    fn short() -> std::time::Duration;
}

pub type Socket<A> = WebSocket<<A as Adapter>::S, <A as Adapter>::R>;

/// The bare end of a stream.
pub struct Peer<A: Adapter>(pub A::S);

impl<A: Adapter> Peer<A> {
    pub async fn write(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let n = poll_fn(|cx| A::R::poll_write(&mut self.0, cx, &[IoSlice::new(octets)])).await?;
            octets = &octets[n..];
        }
        poll_fn(|cx| A::R::poll_flush(&mut self.0, cx)).await
    }

    pub async fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| A::R::poll_read(&mut self.0, cx, space)).await
    }

    pub async fn read_exact(&mut self, len: usize) -> Vec<u8> {
        let mut octets = vec![0; len];
        let mut at = 0;
        while at < len {
            let n = self.read(&mut octets[at..]).await.expect("it can be read");
            assert!(n > 0, "the end after {at} of {len} octets");
            at += n;
        }
        octets
    }

    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let (mut octets, mut space) = (Vec::new(), [0; 4096]);
        loop {
            match self.read(&mut space).await.expect("an orderly end") {
                0 => return octets,
                n => octets.extend_from_slice(&space[..n]),
            }
        }
    }

    pub async fn end_writing(&mut self) {
        poll_fn(|cx| A::R::poll_close(&mut self.0, cx)).await.expect("an end");
    }
}

/// A client and a server with an open connection between them.
pub fn open<A: Adapter>() -> (Socket<A>, Socket<A>) {
    open_with::<A>(Config::default(), Config::default())
}

pub fn open_with<A: Adapter>(client: Config, server: Config) -> (Socket<A>, Socket<A>) {
    let (client_end, server_end) = A::pair();
    let client = Connection::client(Agreement::default(), client, SystemEntropy);
    let server = Connection::server(Agreement::default(), server);
    (WebSocket::new(client_end, client), WebSocket::new(server_end, server))
}

/// A server, and the bare end of its client.
pub fn server<A: Adapter>(config: impl Into<Arc<Config>>) -> (Peer<A>, Socket<A>) {
    let (peer, end) = A::pair();
    (Peer(peer), WebSocket::new(end, Connection::server(Agreement::default(), config)))
}

/// A client, and the bare end of its server.
pub fn client<A: Adapter>(config: impl Into<Arc<Config>>) -> (Socket<A>, Peer<A>) {
    let (end, peer) = A::pair();
    (WebSocket::new(end, Connection::client(Agreement::default(), config, SystemEntropy)), Peer(peer))
}

/// Sends back what it gets until the connection is over, and returns how it ended.
pub async fn echo<A: Adapter>(mut socket: Socket<A>) -> CloseInfo {
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text).expect("it is taken"),
            Event::Binary(data) => sender.send(&data).expect("it is taken"),
            _ => {}
        }
    }
    socket.close_info().expect("it is over").clone()
}

/// Receives to the end. The last event, and no other, says how it ended; after it there is nothing.
pub async fn drain<A: Adapter>(socket: &mut Socket<A>) -> (Vec<String>, CloseInfo) {
    let (mut events, mut ends) = (Vec::new(), Vec::new());
    while let Some(event) = socket.recv().await {
        assert!(ends.is_empty(), "{event:?} behind the end");
        match event {
            Event::Closed(info) => ends.push(info),
            event => events.push(format!("{event:?}")),
        }
    }
    assert!(socket.recv().await.is_none() && socket.recv().await.is_none());
    let end = ends.pop().expect("an end");
    assert_eq!(socket.close_info(), Some(&end));
    (events, end)
}

/// The same for a reader.
pub async fn drain_reader<A: Adapter>(reader: &mut Reader<A::S, A::R>) -> (Vec<String>, CloseInfo) {
    let (mut events, mut ends) = (Vec::new(), Vec::new());
    while let Some(event) = reader.recv().await {
        assert!(ends.is_empty(), "{event:?} behind the end");
        match event {
            Event::Closed(info) => ends.push(info),
            event => events.push(format!("{event:?}")),
        }
    }
    assert!(reader.recv().await.is_none() && reader.recv().await.is_none());
    (events, ends.pop().expect("an end"))
}

/// Opens once, and lets whoever waits go on.
#[derive(Clone, Default)]
pub struct Gate(Arc<std::sync::Mutex<(bool, Option<std::task::Waker>)>>);

impl Gate {
    pub fn open(&self) {
        let mut gate = self.0.lock().unwrap();
        gate.0 = true;
        gate.1.take().into_iter().for_each(std::task::Waker::wake);
    }

    pub async fn wait(&self) {
        poll_fn(|cx| {
            let mut gate = self.0.lock().unwrap();
            gate.1 = Some(cx.waker().clone());
            if gate.0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

/// Octets that differ from their neighbours and are the same in every run.
pub fn some_octets(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Text of so many octets, with characters of every length as far as they fit.
pub fn some_text(len: usize) -> String {
    "aé€😀".repeat(len / 10) + &"x".repeat(len % 10)
}

/// The shortest and longest payloads of each form of the length, and some that need many reads.
pub const SIZES: [usize; 10] = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 1 << 20, 2 << 20];

/// The tests, for one adapter.
#[macro_export]
macro_rules! suite {
    ($adapter:ty: $($file:ident { $($test:ident)* })*) => {$(
        mod $file {
            use super::*;
            $(#[test]
            fn $test() {
                <$adapter as suite::Adapter>::run($crate::suite::$file::$test::<$adapter>());
            })*
        }
    )*};
    ($adapter:ty) => {
        suite! { $adapter:
            cancel {
                receiving reading_a_half sending sending_by_a_half sending_by_a_handle
                a_call_that_was_not_polled_did_nothing an_acceptor_that_is_dropped_drops_its_stream
            }
            messages {
                messages_of_all_sizes_come_back owned_messages_come_back what_is_fed_goes_out_with_the_flush
                a_prepared_message_goes_to_many a_ping_is_answered_and_its_time_is_known
                a_round_trip_ends_with_the_connection a_stream_and_a_sink_of_messages
                a_stream_tells_of_an_end_without_a_handshake octets_both_ways octets_end_where_the_peer_closes
                octets_that_break_off what_was_not_delivered_can_be_had requests_are_accepted_and_rejected
                a_server_that_is_no_server_of_ours a_handshake_that_takes_too_long
            }
            ends {
                the_client_closes the_server_closes both_close_at_once the_server_ends_the_transport_first
                the_close_frame_is_answered_before_the_application_asks_again
                a_client_waits_for_the_server_to_end_the_transport a_client_does_not_wait_for_that_for_ever
                a_peer_that_never_answers_our_close a_peer_that_talks_on_and_never_answers_our_close
                a_peer_that_never_reads a_peer_that_half_closes a_peer_that_goes_away_inside_a_frame
                a_peer_that_breaks_a_rule_is_told_so a_peer_that_is_silent_after_a_ping a_peer_that_is_idle
                keepalive_pings_go_out_while_nobody_else_speaks aborting every_way_to_break
            }
            split {
                many_messages_both_ways_with_pings_between the_writer_closes_and_the_reader_sees_the_end
                a_reader_answers_pings_while_the_writer_rests deadlines_run_while_the_writer_alone_is_polled
                a_writer_that_waits_keeps_its_waker many_handles_share_a_narrow_pipe aborting_wakes_everybody
                a_peer_that_never_reads_stops_every_writer dropping_the_writer_does_not_end_the_connection
                a_slow_receiver_does_not_hold_up_a_broadcast what_waits_before_the_split_is_not_lost
                a_half_whose_transport_breaks
            }
        }
    };
}
