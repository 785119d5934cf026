//! A client behind a proxy: a tunnel is made through it (HTTP CONNECT), and the WebSocket is opened inside.
//!
//!     cargo run -p hybi-tokio --example proxy-client -- http://proxy.example:3128 ws://server.example/
//!
//! Without an address of a proxy the environment is asked: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`. That
//! is never done unless a program does it, as this one.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;

use hybi_tokio::{ClientRequest, CloseCode, ConnectError, Connector, Proxies, Proxy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(first), second) = (arguments.next(), arguments.next()) else {
        println!("proxy-client [PROXY] URL");
        return Ok(());
    };
    let (proxies, url) = match second {
        // A user and a password in the address of the proxy are for the proxy alone.
        Some(url) => (Proxies::all(Proxy::parse(&first)?), url),
        None => (Proxies::from_env(|name| std::env::var(name).ok())?, first),
    };
    println!("{}", ask(proxies, &url, "high water?").await?);
    Ok(())
}

/// Says something, and what comes back.
pub(crate) async fn ask(proxies: Proxies, url: &str, question: &str) -> Result<String, Box<dyn Error>> {
    let connector = Connector::default().with_proxy(proxies);
    let connected = connector.connect(ClientRequest::new(url)?).await;
    let mut socket = match connected {
        Ok((socket, _response)) => socket,
        // Whose refusal it is can be told apart.
        Err(ConnectError::Proxy(error, response)) => {
            let status = response.map_or(0, |response| response.status());
            return Err(format!("the proxy does not want to ({status}): {error}").into());
        }
        Err(error) => return Err(error.into()),
    };
    socket.send(question).await?;
    let answer = socket.recv_message().await.ok_or("no answer")?;
    socket.close(CloseCode::NORMAL, "").await?;
    while socket.recv().await.is_some() {}
    Ok(answer.as_str().unwrap_or("(binary)").to_owned())
}
