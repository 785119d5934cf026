//! An echo server and its client in one program: the example of the front page. A test calls its `main`.

use hybi_std::{CloseCode, Error, Event, accept, connect};

pub(crate) fn main() -> Result<(), Error> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = format!("ws://{}/", listener.local_addr()?);
    let server = std::thread::spawn(move || {
        let mut socket = accept(listener.accept()?.0)?;
        while let Some((event, sender)) = socket.recv_with() {
            if let Event::Text(text) = event {
                sender.send(&text)?; // the event lends its payload, and the sender comes beside it
            }
        }
        Ok::<(), Error>(())
    });

    let (mut socket, _response) = connect(&address)?;
    socket.send("high water?")?;
    assert_eq!(socket.recv_message(), Some("high water?".into()));
    socket.close(CloseCode::NORMAL, "")?;
    while socket.recv().is_some() {} // until the server has answered
    server.join().expect("the server does not panic")
}
