//! An echo server for wss://, with a certificate and its key in files (PEM).
//!
//!     cargo run -p hybi-tokio --features tls --example tls-server -- certificate.pem key.pem
//!     hybi connect wss://localhost:9443/ --ca authority.pem
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;
use std::io;
use std::sync::Arc;

use hybi_tokio::rustls::ServerConfig;
use hybi_tokio::rustls::pki_types::pem::PemObject;
use hybi_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use hybi_tokio::{Error as WebSocketError, TlsAcceptor, accept};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(certificate), Some(key)) = (arguments.next(), arguments.next()) else {
        println!("tls-server CERTIFICATE KEY");
        return Ok(());
    };
    let config = read(&certificate, &key)?;
    let listener = TcpListener::bind("127.0.0.1:9443").await?;
    println!("wss://localhost:{}/", listener.local_addr()?.port());
    Ok(serve(listener, config).await?)
}

/// The certificate, with those between it and the authority behind it, and its key.
pub(crate) fn read(certificate: &str, key: &str) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let ring = Arc::new(hybi_tokio::rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key)?))
}

pub(crate) async fn serve(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<()> {
    let tls = TlsAcceptor::new(config); // with 10 seconds for each handshake
    loop {
        let (stream, peer) = listener.accept().await?;
        let tls = tls.clone();
        // The TLS handshake waits for the client: it belongs into the task, too.
        tokio::spawn(async move {
            if let Err(error) = echo(tls, stream).await {
                println!("{peer}: {error}");
            }
        });
    }
}

async fn echo(tls: TlsAcceptor, stream: TcpStream) -> Result<(), WebSocketError> {
    stream.set_nodelay(true)?;
    let mut socket = accept(tls.accept(stream).await?).await?;
    while let Some(message) = socket.recv_message().await {
        socket.send(&message).await?;
    }
    Ok(())
}
