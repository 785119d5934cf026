use hybi_tokio::{CloseCode, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut socket, _response) = connect(url()).await?;
    socket.send("high water?").await?;
    if let Some(message) = socket.recv_message().await {
        println!("{}", message.as_str().unwrap_or("(binary)"));
    }
    socket.close(CloseCode::NORMAL, "").await?;
    while socket.recv().await.is_some() {} // until the server has answered
    Ok(())
}
