//! Echo servers, each as fast as its library allows: what was received is sent back, and flushed when the socket has
//! nothing more for the moment.

use std::future::{Future, poll_fn};
use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    attend: fn(TcpStream) -> Pin<Box<dyn Future<Output = ()>>>,
}

macro_rules! server {
    ($name:literal, $note:literal, $attend:expr) => {
        Server { name: $name, note: $note, attend: |stream| Box::pin($attend(stream)) }
    };
}

pub(crate) const SERVERS: &[Server] = &[
    server!("raw", "read some, write it back", raw),
    server!("hybi-tokio", "recv_with, sender.send", hybi),
    server!("tokio-tungstenite", "0.30; Stream and Sink, flushed when pending", tokio_tungstenite),
    server!("fastwebsockets", "0.10 FragmentCollector; write_frame(read_frame())", fastwebsockets),
    server!("tokio-websockets", "0.13; Stream and Sink, flushed when pending", tokio_websockets),
    server!("yawc", "0.5; Stream and Sink, flushed when pending", yawc),
    server!("sockudo-ws", "3.1; Stream and Sink, timers off, flushed when pending", sockudo_ws),
    server!("web-socket", "0.7 over a BufReader of 8 KiB; no UTF-8 validation", web_socket),
];

/// Serves until standard input ends.
pub(crate) fn serve(name: &str) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let server = SERVERS.iter().find(|server| server.name == name).expect("a server of that name");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("bound").port());
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            tokio::task::spawn_local((server.attend)(stream));
        }
    });
}

async fn raw(mut stream: TcpStream) {
    thread_local! {
        static SCRATCH: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    loop {
        // Nothing is held while nothing comes, as a server with many connections would do it.
        if stream.readable().await.is_err() {
            return;
        }
        let mut scratch = SCRATCH.take();
        scratch.resize(64 * 1024, 0);
        match stream.try_read(&mut scratch) {
            Ok(0) => return,
            Ok(n) => {
                if stream.write_all(&scratch[..n]).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        SCRATCH.set(scratch);
    }
}

async fn hybi(stream: TcpStream) {
    use hybi_tokio::{Config, Event, WebSocket};
    let connection = hybi::Connection::server(hybi::Agreement::default(), Config::default());
    let mut socket = WebSocket::new(stream, connection);
    while let Some((event, sender)) = socket.recv_with().await {
        let sent = match event {
            Event::Text(text) => sender.send(&text),
            Event::Binary(data) => sender.send(&data),
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Sends back through the `Sink` whatever the `Stream` has, and flushes when it has nothing.
async fn through<T, M, E>(mut socket: T, mut back: impl FnMut(M) -> Option<M>)
where
    T: Stream + Sink<M, Error = E> + Unpin,
    T::Item: Received<M>,
{
    poll_fn(|cx| poll_through(&mut socket, &mut back, cx)).await;
}

/// What an item of a stream is a message in: itself, or a result.
trait Received<M> {
    fn message(self) -> Option<M>;
}

impl<M, E> Received<M> for Result<M, E> {
    fn message(self) -> Option<M> {
        self.ok()
    }
}

impl Received<Self> for yawc::Frame {
    fn message(self) -> Option<Self> {
        Some(self)
    }
}

fn poll_through<T, M, E>(
    socket: &mut T,
    back: &mut impl FnMut(M) -> Option<M>,
    cx: &mut Context<'_>,
) -> Poll<()>
where
    T: Stream + Sink<M, Error = E> + Unpin,
    T::Item: Received<M>,
{
    loop {
        match Pin::new(&mut *socket).poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
        match Pin::new(&mut *socket).poll_next(cx) {
            Poll::Ready(Some(item)) => {
                let Some(message) = item.message() else { return Poll::Ready(()) };
                if let Some(message) = back(message)
                    && Pin::new(&mut *socket).start_send(message).is_err()
                {
                    return Poll::Ready(());
                }
            }
            Poll::Ready(None) => return Poll::Ready(()),
            Poll::Pending => {
                let _ = Pin::new(&mut *socket).poll_flush(cx);
                return Poll::Pending;
            }
        }
    }
}

async fn tokio_tungstenite(stream: TcpStream) {
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    through(socket, |message| (message.is_text() || message.is_binary()).then_some(message)).await;
}

async fn fastwebsockets(stream: TcpStream) {
    use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    while let Ok(frame) = socket.read_frame().await {
        if !matches!(frame.opcode, OpCode::Text | OpCode::Binary) || socket.write_frame(frame).await.is_err()
        {
            return;
        }
    }
}

async fn tokio_websockets(stream: TcpStream) {
    let socket = tokio_websockets::ServerBuilder::new().serve(stream);
    through(socket, |message| (message.is_text() || message.is_binary()).then_some(message)).await;
}

async fn yawc(stream: TcpStream) {
    use yawc::{Frame, OpCode, Options, Role, WebSocket};
    let options = Options::default().with_utf8().with_limits(64 << 20, 64 << 20);
    let socket = WebSocket::from_stream(stream, Role::Server, options).expect("an open stream");
    through(socket, |frame: Frame| {
        let (kind, _, payload) = frame.into_parts();
        match kind {
            OpCode::Text => Some(Frame::text(payload)),
            OpCode::Binary => Some(Frame::binary(payload)),
            _ => None,
        }
    })
    .await;
}

async fn sockudo_ws(stream: TcpStream) {
    use sockudo_ws::{Config, Message, WebSocketStream};
    let config = Config::builder().idle_timeout(0).auto_ping(false).build();
    let socket = WebSocketStream::server(stream, config);
    through(socket, |message| matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message))
        .await;
}

async fn web_socket(stream: TcpStream) {
    use tokio::io::BufStream;
    use web_socket::{DataType, Event, MessageType, WebSocket};
    let mut socket = WebSocket::server(BufStream::new(stream));
    while let Ok(event) = socket.recv().await {
        let Event::Data { ty: DataType::Complete(kind), data } = event else { return };
        let sent = match kind {
            // SAFETY (for the measurement only): the clients send valid UTF-8.
            MessageType::Text => socket.send(unsafe { std::str::from_utf8_unchecked(&data) }).await,
            MessageType::Binary => socket.send(&data[..]).await,
        };
        if sent.is_err() || socket.stream.flush().await.is_err() {
            return;
        }
    }
}
