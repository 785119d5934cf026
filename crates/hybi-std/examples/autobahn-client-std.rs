//! The client that the Autobahn suite tests: `autobahn-client-std URL AGENT`. It asks the fuzzing server how
//! many cases there are, runs each, and has the report written.

use std::error::Error;
use std::time::Duration;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_std::{ClientRequest, CloseCode, Config, Connector, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "ws://127.0.0.1:9001".into());
    let agent = args.next().unwrap_or_else(|| "hybi-std".into());
    let url = url.trim_end_matches('/');
    let mut config = Config::default();
    config.limits.fragments = 100_000; // the suite sends 4 MiB in 65,536 fragments
    config.timeouts.handshake = Some(Duration::from_secs(60)); // it may be busy with another case
    let connector = Connector::new(config);

    let (mut socket, _) = connector.connect(ClientRequest::new(&*format!("{url}/getCaseCount"))?)?;
    let count: usize = socket.recv_message().and_then(|m| m.as_str()?.parse().ok()).ok_or("no case count")?;
    while socket.recv().is_some() {}

    for case in 1..=count {
        let request = ClientRequest::new(&*format!("{url}/runCase?case={case}&agent={agent}"))?;
        let request = request.with_deflate(DeflateConfig::default());
        let (mut socket, _) = connector.connect(request)?;
        while let Some((event, sender)) = socket.recv_with() {
            let sent = match event {
                Event::Text(text) => sender.send(&text),
                Event::Binary(data) => sender.send(&data),
                _ => Ok(()),
            };
            if sent.is_err() {
                break;
            }
        }
    }

    let (mut socket, _) =
        connector.connect(ClientRequest::new(&*format!("{url}/updateReports?agent={agent}"))?)?;
    socket.close(CloseCode::NORMAL, "")?;
    while socket.recv().is_some() {}
    Ok(())
}
