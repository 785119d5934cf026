//! `relay`: what ends say to one another through it, fragments and pings included; and what they must not say.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use common::{Server, close, http, talk};
use hybi_std::{
    Accept, Acceptor, Arrival, ClientRequest, CloseCode, Config, Connector, Event, Kind, Stream, WebSocket,
};

/// The relay in front of `epoll`, which is dropped last.
fn relayed_echo() -> (Server, Server) {
    let behind = Server::start(env!("CARGO_BIN_EXE_epoll"), &["127.0.0.1:0"]);
    let url = format!("ws://{}/", behind.address);
    (Server::start(env!("CARGO_BIN_EXE_relay"), &["127.0.0.1:0", &url]), behind)
}

/// The relay in front of a server that does this with one connection, in its first subprotocol.
fn relayed<T: Send + 'static>(
    meet: impl FnOnce(WebSocket<std::net::TcpStream>, String) -> T + Send + 'static,
) -> (Server, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}", listener.local_addr().expect("bound"));
    let meeting = thread::spawn(move || {
        let stream = listener.accept().expect("the relay connects").0;
        let Arrival::Upgrade(pending) = Acceptor::default().read(stream).expect("a good request") else {
            unreachable!("plain requests are answered by themselves")
        };
        let request = pending.request();
        let asked = format!("{} of {}", request.target(), request.origin().unwrap_or("nowhere"));
        let name = request.subprotocols().iter().next().map(str::to_owned);
        let accept = name.map_or_else(Accept::new, |name| Accept::new().with_subprotocol(&name));
        meet(pending.accept(accept).expect("accepted"), asked)
    });
    (Server::start(env!("CARGO_BIN_EXE_relay"), &["127.0.0.1:0", &url]), meeting)
}

#[test]
fn messages_of_all_lengths() {
    let (relay, _behind) = relayed_echo();
    talk(relay.connect(), &[0, 1, 125, 126, 65_535, 65_536, 65_537, 3_000_000]);
    let mut sockets: Vec<_> = (0..10).map(|_| relay.connect()).collect();
    for socket in &mut sockets {
        socket.send("tide").expect("sent");
        assert_eq!(socket.recv_message(), Some("tide".into()));
    }
    sockets.into_iter().for_each(close);
    assert!(http(&relay.address).starts_with("HTTP/1.1 426 "));
}

#[test]
fn what_is_asked_and_answered_is_passed_on() {
    let (relay, meeting) = relayed(|mut socket, asked| {
        while socket.recv().is_some() {}
        asked
    });
    let request = ClientRequest::new(&*format!("ws://{}/tides?at=4", relay.address)).expect("good");
    let request =
        request.with_subprotocol("v2").and_then(|it| it.with_origin("https://tide.test")).expect("good");
    let (socket, response): (WebSocket<Stream>, _) =
        Connector::new(Config::default()).connect(request).expect("accepted");
    assert_eq!(response.subprotocol(), Some("v2"));
    close(socket);
    assert_eq!(meeting.join().expect("well"), "/tides?at=4 of https://tide.test");
}

/// A fragment arrives while the next has not been sent: the message is nowhere assembled. A ping goes to the end.
#[test]
fn frames_pass_one_by_one() {
    let (relay, meeting) = relayed(|mut socket, _| {
        socket.set_delivery(hybi_std::Delivery::Fragments);
        let mut seen = Vec::new();
        while let Some((event, sender)) = socket.recv_with() {
            match event {
                Event::Fragment(fragment) => {
                    seen.push((fragment.data.to_vec(), fragment.last));
                    sender.send("got it").expect("sent");
                }
                Event::Ping(payload) => assert_eq!(payload, b"depth"),
                _ => {}
            }
        }
        seen
    });
    let mut socket = relay.connect();
    socket
        .start(Kind::Binary)
        .and_then(|mut writer| Ok(writer.write(b"ebb")?))
        .expect("nothing is under way");
    socket.flush().expect("sent");
    assert_eq!(socket.recv_message(), Some("got it".into()));
    socket.ping(b"depth").map(drop).expect("sent");
    while !matches!(socket.recv(), Some(Event::Pong(b"depth"))) {}
    socket.writer().expect("it is under way").finish(b"flow").expect("sent");
    socket.flush().expect("sent");
    close(socket);
    let seen = meeting.join().expect("well");
    assert_eq!(seen.iter().flat_map(|(data, _)| data.clone()).collect::<Vec<_>>(), b"ebbflow");
    assert!(seen.len() >= 2 && seen[0] == (b"ebb".to_vec(), false), "{seen:?}");
}

#[test]
fn who_breaks_a_rule_is_told_by_way_of_the_other_end() {
    let (relay, meeting) = relayed(|mut socket, _| {
        let mut codes = Vec::new();
        while let Some(event) = socket.recv() {
            if let Event::Close(Some(frame)) = event {
                codes.push(frame.code());
            }
        }
        codes
    });
    let mut stream = relay.connect().into_parts().0;
    stream.write_all(b"\x83\x80\0\0\0\0").expect("written"); // a reserved opcode
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an orderly end");
    assert_eq!(answer, b"\x88\x02\x03\xea");
    assert_eq!(meeting.join().expect("well"), [CloseCode::PROTOCOL_ERROR]);
}

#[test]
fn nobody_behind() {
    let relay = Server::start(env!("CARGO_BIN_EXE_relay"), &["127.0.0.1:0", "ws://127.0.0.1:1/"]);
    let refused = hybi_std::connect(&format!("ws://{}/", relay.address)).map(drop);
    assert!(refused.is_err_and(|error| error.to_string().contains("502")));
}
