//! The kernel's side: what is under way, and whose memory it has meanwhile.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use hybi::Config;
use hybi::handshake::{Accept, Incoming, ServerHandshake, ServerSettings};
use tokio_uring::buf::BoundedBuf;
use tokio_uring::net::{TcpListener, TcpStream};

use crate::echo::Echo;

const READ: usize = 64 * 1024;

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    match tokio_uring::Runtime::new(&tokio_uring::builder()) {
        Ok(runtime) => runtime.block_on(listen(address)),
        Err(error) => {
            println!("the kernel refuses io_uring: {error}"); // some containers forbid it
            Err(error)
        }
    }
}

async fn listen(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}/", listener.local_addr()?);
    let config = Rc::new(Config::default());
    loop {
        let (stream, _) = listener.accept().await?;
        tokio_uring::spawn(talk(stream, config.clone()));
    }
}

/// One connection, to its end. Nobody asks how it ended.
async fn talk(stream: TcpStream, config: Rc<Config>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let limit = config.timeouts.handshake.unwrap_or_default();
    let mut buffer = tokio::time::timeout(limit, open(&stream, &config)).await??;
    let mut filled = buffer.len();
    buffer.resize(filled.max(READ), 0);
    let (mut echo, mut answers) = (Echo::new(&config), Vec::new());
    loop {
        let done = echo.completed(&mut buffer[..filled], &mut answers);
        buffer.copy_within(done..filled, 0);
        filled -= done;
        answers = write_all(&stream, answers).await?;
        if echo.is_over() {
            return stream.shutdown(Shutdown::Both);
        }
        let (read, back) = stream.read(buffer.slice(filled..READ)).await;
        buffer = back.into_inner();
        match read? {
            0 => return Ok(()),
            n => filled += n,
        }
    }
}

/// The opening handshake. Returns what came behind the request.
async fn open(stream: &TcpStream, config: &Config) -> io::Result<Vec<u8>> {
    let mut handshake = ServerHandshake::new(config.clone(), ServerSettings::default());
    let mut buffer = vec![0; 4096];
    loop {
        let (read, back) = stream.read(buffer).await;
        buffer = back;
        match read? {
            0 => handshake.receive_eof(),
            n => {
                let taken = handshake.receive(&buffer[..n]);
                debug_assert_eq!(taken, n, "there is room for 64 KiB behind a request");
            }
        }
        if let Some(Incoming::Upgrade(_)) = handshake.poll_event() {
            let mut connection = handshake.accept(Accept::new()).map_err(io::Error::other)?;
            write_all(stream, connection.transmit().to_vec()).await?;
            return Ok(connection.take_unread()); // all that it ever holds: the frames are ours to decode
        }
        if handshake.error().is_some() {
            write_all(stream, handshake.transmit().to_vec()).await?; // it was answered
            stream.shutdown(Shutdown::Both)?;
            return Err(ErrorKind::InvalidData.into());
        }
    }
}

/// Hands the octets to the kernel until it has written them all. The memory comes back empty.
async fn write_all(stream: &TcpStream, octets: Vec<u8>) -> io::Result<Vec<u8>> {
    if octets.is_empty() {
        return Ok(octets);
    }
    let (written, mut octets) = stream.write_all(octets).await;
    octets.clear();
    written.map(|()| octets)
}
