//! The client that the Autobahn suite tests: `autobahn-client-tokio URL AGENT`. It asks the fuzzing server how
//! many cases there are, runs each, and has the report written.

use std::error::Error;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi_tokio::{ClientRequest, CloseCode, Config, Connector, Event};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "ws://127.0.0.1:9001".into());
    let agent = args.next().unwrap_or_else(|| "hybi-tokio".into());
    let url = url.trim_end_matches('/');
    let mut config = Config::default();
    config.limits.fragments = 100_000; // the suite sends 4 MiB in 65,536 fragments
    let connector = Connector::new(config);

    let (mut socket, _) = connector.connect(ClientRequest::new(&*format!("{url}/getCaseCount"))?).await?;
    let count = socket.recv_message().await;
    let count: usize = count.and_then(|m| m.as_str()?.parse().ok()).ok_or("no case count")?;
    while socket.recv().await.is_some() {}

    for case in 1..=count {
        let request = ClientRequest::new(&*format!("{url}/runCase?case={case}&agent={agent}"))?;
        let request = request.with_deflate(DeflateConfig::default());
        let (mut socket, _) = connector.connect(request).await?;
        while let Some((event, sender)) = socket.recv_with().await {
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
        connector.connect(ClientRequest::new(&*format!("{url}/updateReports?agent={agent}"))?).await?;
    socket.close(CloseCode::NORMAL, "").await?;
    while socket.recv().await.is_some() {}
    Ok(())
}
