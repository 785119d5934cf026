//! Messages both ways.
use hybi_tokio::*;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn smoke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("well");
    let addr = listener.local_addr().expect("well");
    let server = tokio::spawn(async move {
        let mut socket = accept(listener.accept().await.expect("well").0).await.expect("well");
        while let Some((event, sender)) = socket.recv_with().await {
            match event {
                Event::Text(text) => sender.send(&text).expect("well"),
                Event::Binary(data) => sender.send(&data).expect("well"),
                _ => {}
            }
        }
        socket.close_info().cloned()
    });
    let stream = TcpStream::connect(addr).await.expect("well");
    let request = ClientRequest::new("ws://test/").expect("well");
    let (mut client, _) = Connector::default().handshake(stream, request).await.expect("well");
    for n in [0, 1, 200, 70_000, 3_000_000] {
        client.send(&vec![7u8; n][..]).await.expect("well");
        assert!(client.recv_message().await.expect("well").as_bytes() == vec![7u8; n]);
    }
    client.close(CloseCode::NORMAL, "").await.expect("well");
    while client.recv().await.is_some() {}
    assert!(client.close_info().expect("well").is_clean());
    assert!(server.await.expect("well").expect("well").is_clean());
}
