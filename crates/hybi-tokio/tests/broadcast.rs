//! One message to many is framed once, and compressed once for each window that occurs: all transports are handed the
//! same octets, at the same place in memory.
#![cfg(any(feature = "deflate", feature = "zlib-rs"))]

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Window, WindowBits};
use hybi::handshake::{Accept, ClientRequest, Incoming, ServerHandshake};
use hybi_tokio::{Clients, Config, Membership, Prepared, Reader, Slow, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Remembers where what was written lies, and never brings anything.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Vec<(usize, usize)>>>);

impl Tap {
    /// The one place in memory of what was written.
    fn place(&self) -> (usize, usize) {
        let written = self.0.lock().expect("well");
        assert_eq!(written.len(), 1, "{written:?}");
        written[0]
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(octets)])
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = self.0.lock().expect("well");
        written.extend(slices.iter().map(|slice| (slice.as_ptr().addr(), slice.len())));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Member {
    tap: Tap,
    deflate: Option<Deflate>,
    _reader: Reader<Tap>,
    _membership: Membership,
}

/// A member that has agreed on this.
fn join(clients: &Clients, deflate: Option<DeflateConfig>) -> Member {
    let mut handshake = ServerHandshake::new(Config::default(), Default::default());
    let mut request = ClientRequest::new("ws://localhost/").expect("an address");
    let mut accept = Accept::new();
    if let Some(deflate) = deflate {
        request = request.with_deflate(deflate.clone());
        accept = accept.with_deflate(deflate);
    }
    let client = hybi::handshake::ClientHandshake::new(
        request,
        Config::default(),
        hybi::BoxEntropy::new(hybi::SystemEntropy),
    );
    let octets = client.transmit().to_vec();
    assert_eq!(handshake.receive(&octets), octets.len());
    assert!(matches!(handshake.poll_event(), Some(Incoming::Upgrade(_))));
    let mut connection = handshake.accept(accept).expect("nothing is wrong");
    connection.transmitted(connection.transmit().len()); // the answer
    let agreed = connection.agreement().deflate().cloned();
    let tap = Tap::default();
    let (reader, writer) = WebSocket::new(tap.clone(), connection).into_split();
    Member { tap, deflate: agreed, _membership: clients.join(writer.handle()), _reader: reader }
}

/// With a window of so many bits of the server.
fn window(bits: u8) -> Option<DeflateConfig> {
    let mut config = DeflateConfig::default();
    config.server_max_window_bits = Window::AtMost(WindowBits::new(bits).expect("8 to 15"));
    Some(config)
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(test);
}

/// Octets that are not much shorter when they are compressed.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut octets = Vec::new();
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        octets.push((state >> 57) as u8);
    }
    octets
}

#[test]
fn the_octets_exist_once_for_each_form() {
    run(async {
        let clients = Clients::default();
        let plain = [join(&clients, None), join(&clients, None)];
        let wide = [join(&clients, window(15)), join(&clients, window(15))];
        let narrow = [join(&clients, window(10)), join(&clients, window(10))];
        assert!(plain.iter().all(|member| member.deflate.is_none()));
        let mut news = Prepared::new(&noise());
        for member in wide.iter().chain(&narrow) {
            news = news.with_deflate(member.deflate.as_ref().expect("it was agreed on")); // twice each, made once
        }
        let told = clients.broadcast(&news, Slow::Drop).await;
        assert_eq!((told.sent, told.slow, told.gone), (6, 0, 0));
        let places = [plain, wide, narrow].map(|[a, b]| {
            assert_eq!(a.tap.place(), b.tap.place(), "the same octets");
            a.tap.place()
        });
        assert!(places[0] != places[1] && places[1] != places[2] && places[0] != places[2], "{places:?}");
        assert!(places[1].1 < places[0].1 && places[2].1 < places[0].1, "compressed: {places:?}");
    });
}
