//! A server that has moved, and a client that follows it.
//!
//!     cargo run -p hybi-tokio --example redirect
//!
//! Redirects are not followed unless a policy says so. What was meant for the first server, credentials and cookies,
//! does not go to another one; and from wss:// there is no way to ws://.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::io;

use hybi_tokio::{
    Accept, Acceptor, Answer, Arrival, ClientRequest, CloseCode, ConnectError, Connector, Error, Redirects,
};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/old", listener.local_addr()?);
    tokio::spawn(serve(listener));
    println!("{}", greeting(&url).await?);
    Ok(())
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(stream: TcpStream) -> Result<(), Error> {
    let Arrival::Upgrade(pending) = Acceptor::default().read(stream).await? else { return Ok(()) };
    if pending.request().path() != "/new" {
        return pending.reject(Answer::new(308).with_header("Location", "/new")).await;
    }
    let mut socket = pending.accept(Accept::new()).await?;
    socket.send("you found us").await?;
    while socket.recv().await.is_some() {}
    Ok(())
}

/// What the server says first, wherever it is.
pub(crate) async fn greeting(url: &str) -> Result<String, Error> {
    let connector = Connector::default().with_redirects(Redirects::default()).on_redirect(|request| {
        println!("to {}", request.uri()); // it may add headers, or end the journey with `None`
        Some(request.clone())
    });
    let request = ClientRequest::new(url).map_err(ConnectError::from)?;
    let (mut socket, _response) = connector.connect(request).await?;
    let message = socket.recv_message().await;
    socket.close(CloseCode::NORMAL, "").await?;
    while socket.recv().await.is_some() {}
    Ok(message.and_then(|message| message.as_str().map(str::to_owned)).unwrap_or_default())
}
