//! What the tests of this crate share.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::future::Future;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use hybi_async_std::{ClientRequest, CloseCode, CloseInfo, Event, Message, WebSocket, accept};

/// No wait is longer. It is no expectation: it turns a hang into a failure.
pub const BOUND: Duration = Duration::from_secs(240);

/// Runs a test on smol, and not for ever.
pub fn bounded(test: impl Future<Output = ()>) {
    smol::block_on(smol::future::or(test, async {
        smol::Timer::after(BOUND).await;
        unreachable!("it comes to an end");
    }));
}

pub fn request(url: &str) -> ClientRequest {
    ClientRequest::new(url).expect("an address")
}

/// Sends back what it gets, and tells how the connection ended.
pub async fn echo<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> CloseInfo {
    let mut socket = accept(stream).await.expect("a good request");
    while let Some((event, sender)) = socket.recv_with().await {
        match event {
            Event::Text(text) => sender.send(&text).expect("it is open"),
            Event::Binary(data) => sender.send(&data).expect("it is open"),
            _ => {}
        }
    }
    socket.close_info().expect("it is over").clone()
}

/// Messages of all sizes come back, and both sides close in order.
pub async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut client: WebSocket<S>) {
    for len in [0, 1, 125, 126, 200, 65_536, 3_000_000] {
        let octets = vec![7u8; len];
        client.send(&octets[..]).await.expect("it is open");
        let message = client.recv_message().await.expect("it comes back");
        assert!(message == Message::from(octets), "{len}");
    }
    client.send("high water?").await.expect("it is open");
    assert_eq!(client.recv_message().await, Some("high water?".into()));
    client.close(CloseCode::NORMAL, "").await.expect("the first close");
    while client.recv().await.is_some() {}
    assert!(client.close_info().expect("it is over").is_clean());
}
