//! The clients: they compare what comes back with what they sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::ClientRequest;
use hybi_test::dice::Dice;
use hybi_tokio::{CloseCode, Config, Connector, Message, Stream, WebSocket};
use tokio::time::sleep;

#[derive(Default)]
struct Totals {
    connections: AtomicUsize,
    compressed: AtomicUsize,
    aborted: AtomicUsize,
    messages: AtomicUsize,
    octets: AtomicUsize,
}

/// As many clients at a time, for so long.
pub(crate) async fn main(port: u16, many: usize, time: Duration) {
    let (totals, end) = (Arc::new(Totals::default()), Instant::now() + time);
    let clients: Vec<_> = (0..many).map(|n| tokio::spawn(client(n, port, end, totals.clone()))).collect();
    for client in clients {
        client.await.expect("it saw what it sent");
    }
    let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    println!(
        "{} connections, {} of them compressed, {} aborted; {} messages of {} octets came back as they were sent",
        of(&totals.connections),
        of(&totals.compressed),
        of(&totals.aborted),
        of(&totals.messages),
        of(&totals.octets)
    );
}

async fn client(n: usize, port: u16, end: Instant, totals: Arc<Totals>) {
    let mut dice = Dice::seeded(n as u64);
    sleep(millis(&mut dice, 10_000)).await; // not all at once
    let compressed = n.is_multiple_of(2);
    while Instant::now() < end {
        // A few thousand for each address, so that ports suffice.
        let url = format!("ws://127.0.0.{}:{port}/", 1 + n / 5000);
        let mut request = ClientRequest::new(&url).expect("an address");
        if compressed {
            request = request.with_deflate(DeflateConfig::default());
        }
        let (socket, _) = Connector::new(Config::default()).connect(request).await.expect("it listens");
        totals.connections.fetch_add(1, Ordering::SeqCst);
        totals.compressed.fetch_add(compressed.into(), Ordering::SeqCst);
        visit(socket, &mut dice, end, &totals).await;
    }
}

/// Some messages, and an end.
async fn visit(mut socket: WebSocket<Stream>, dice: &mut Dice<'_>, end: Instant, totals: &Totals) {
    for _ in 0..2 + dice.below(20) {
        if Instant::now() >= end {
            break;
        }
        let message = message(dice);
        let sent = socket.send_message(message.clone()).await;
        sent.expect("the server reads");
        let back = socket.recv_message().await.expect("an echo");
        assert!(back == message, "an echo of {} octets is another", message.as_bytes().len());
        totals.messages.fetch_add(1, Ordering::SeqCst);
        totals.octets.fetch_add(message.as_bytes().len(), Ordering::SeqCst);
        sleep(millis(dice, 20_000)).await;
    }
    if dice.one_in(4) {
        // In the middle of a message that the server will not see whole.
        let _ = socket.feed(&[7u8; 1000][..]).await;
        socket.abort();
        totals.aborted.fetch_add(1, Ordering::SeqCst);
        return;
    }
    socket.close(CloseCode::NORMAL, "").await.expect("it is open");
    while socket.recv_message().await.is_some() {}
    assert!(socket.close_info().is_some_and(hybi_tokio::CloseInfo::is_clean), "{:?}", socket.close_info());
}

fn millis(dice: &mut Dice<'_>, below: usize) -> Duration {
    Duration::from_millis(dice.below(below) as u64)
}

/// Mostly short, now and then long; text and octets.
fn message(dice: &mut Dice<'_>) -> Message {
    let most = dice.pick(&[20, 20, 200, 200, 200, 2000, 2000, 20_000, 200_000]);
    let len = dice.below(most);
    if dice.one_in(2) {
        let words = ["harbour ", "tide ", "ebb é ", "42, "];
        let mut text = String::new();
        while text.len() < len {
            text.push_str(words[dice.below(words.len())]);
        }
        Message::from(text)
    } else {
        Message::from(dice.octets(len))
    }
}
