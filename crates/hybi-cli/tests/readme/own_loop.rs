use hybi::handshake::{ClientHandshake, ClientRequest, Outcome};
use hybi::{BoxEntropy, CloseCode, Config, Event, SystemEntropy, TransportAction};
use std::io::{Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = std::net::TcpStream::connect(address())?;
    let mut scratch = [0; 4096];

    // The opening handshake: octets out, octets in, and it becomes a connection.
    let request = ClientRequest::new(url())?;
    let mut handshake = ClientHandshake::new(request, Config::default(), BoxEntropy::new(SystemEntropy));
    stream.write_all(handshake.transmit())?;
    handshake.transmitted(handshake.transmit().len());
    let mut connection = loop {
        match stream.read(&mut scratch)? {
            0 => handshake.receive_eof(),
            n => assert_eq!(handshake.receive(&scratch[..n]), n),
        }
        match handshake.poll_event() {
            Some(Outcome::Opened(_)) => break handshake.into_connection().expect("it is open"),
            Some(Outcome::Failed(error)) => return Err(error.into()),
            None => {}
        }
    };

    connection.send("high water?")?; // say: it is queued
    loop {
        // Out: events until there are none, then octets until there are none.
        while let Some((event, sender)) = connection.poll_event_with() {
            match event {
                Event::Text(text) => {
                    println!("{}", text.as_str());
                    sender.close(CloseCode::NORMAL, "")?;
                }
                Event::Closed(info) => println!("closed: {}", info.code()),
                _ => {}
            }
        }
        while !connection.transmit().is_empty() {
            let n = stream.write(connection.transmit())?;
            connection.transmitted(n);
        }
        if connection.transport_action() == TransportAction::Close {
            return Ok(());
        }
        // In: what the transport brings.
        match stream.read(&mut scratch)? {
            0 => connection.receive_eof(),
            n => assert_eq!(connection.receive_copy(&scratch[..n]), n),
        }
    }
}
