//! A WebSocket as a stream of octets: the payloads of messages come out of `Read`, `Write` makes messages.
//!
//! Where one message ends and the next begins is not told. How the connection ended is: an orderly end is the
//! end of the stream, every other is an error, so nobody takes a part for the whole.

use std::io::{self, ErrorKind, Read, Write};

use hybi::{CloseCause, CloseCode, CloseInfo, Delivery, Event, Kind, Payload};

use crate::error::Error;
use crate::split::{Reader, Writer};
use crate::transport::Transport;
use crate::websocket::WebSocket;

/// A [`WebSocket`] as `Read` and `Write`: [`WebSocket::into_byte_stream`] makes one.
///
/// - *Reading* gives the payloads of all messages, text and binary, in order, as they arrive: however large a
///   message is, what is held of it is a piece. `Ok(0)` is the end: a completed closing handshake with 1000 or
///   without a code. Every other end is an error that says which.
/// - *Writing* sends a message for each call and flushes it, so memory stays bounded and small writes are better
///   collected by a [`BufWriter`](io::BufWriter). A binary message has at most 64 KiB; more is a further call. As
///   text, each call has to be text by itself, or is `InvalidData`.
/// - *Ending*: [`Self::shutdown`] says that nothing more is written, by a close frame with 1000; then read to
///   the end. Dropping it without is dropping the connection: the peer sees 1006, and an error.
///
/// One thread that both writes and reads much can wait for a peer that does the same: [`Self::into_split`].
///
/// ```no_run
/// use std::io;
/// use hybi_std::{Kind, connect};
///
/// let (socket, _) = connect("ws://127.0.0.1:9001/backup")?;
/// let mut stream = socket.into_byte_stream(Kind::Binary);
/// io::copy(&mut std::fs::File::open("tide.db")?, &mut stream)?;
/// stream.shutdown()?;
/// io::copy(&mut stream, &mut io::stdout())?; // what the server says to it, until it has closed too
/// # Ok::<(), hybi_std::Error>(())
/// ```
#[derive(Debug)]
pub struct ByteStream<S> {
    socket: WebSocket<S>,
    kind: Kind,
    rest: Rest,
}

/// The reading half of a [`ByteStream`].
#[derive(Debug)]
pub struct ByteReader<S: Transport> {
    reader: Reader<S>,
    rest: Rest,
}

/// The writing half of a [`ByteStream`]. Dropping it without [`Self::shutdown`] does not end the connection:
/// dropping both halves does.
#[derive(Debug)]
pub struct ByteWriter<S: Transport> {
    writer: Writer<S>,
    kind: Kind,
}

/// As much as one binary message has.
const MAX_MESSAGE: usize = 64 * 1024;

impl<S: Transport> ByteStream<S> {
    pub(crate) fn new(mut socket: WebSocket<S>, kind: Kind) -> Self {
        socket.set_delivery(Delivery::Fragments);
        Self { socket, kind, rest: Rest::default() }
    }

    /// Ends writing: begins the closing handshake with 1000. Read on until the end; what the peer sent before it
    /// answers still comes.
    ///
    /// # Errors
    /// Those of the transport.
    pub fn shutdown(&mut self) -> io::Result<()> {
        Ok(self.socket.close(CloseCode::NORMAL, "")?)
    }

    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.socket.close_info()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        self.socket.get_ref()
    }

    /// Two halves, for two threads.
    ///
    /// # Errors
    /// Those of [`Transport::try_clone`].
    pub fn into_split(self) -> io::Result<(ByteReader<S>, ByteWriter<S>)> {
        let (reader, writer) = self.socket.into_split()?;
        Ok((ByteReader { reader, rest: self.rest }, ByteWriter { writer, kind: self.kind }))
    }
}

impl<S: Transport> Read for ByteStream<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.rest.read(&mut self.socket, buf)
    }
}

impl<S: Transport> Write for ByteStream<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        write(self.kind, buf, |payload| self.socket.send(payload))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.socket.flush()?)
    }
}

impl<S: Transport> ByteReader<S> {
    /// How the connection ended, once it has.
    pub fn close_info(&self) -> Option<&CloseInfo> {
        self.reader.close_info()
    }
}

impl<S: Transport> Read for ByteReader<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.rest.read(&mut self.reader, buf)
    }
}

impl<S: Transport> ByteWriter<S> {
    /// Ends writing, as [`ByteStream::shutdown`] does.
    ///
    /// # Errors
    /// Those of the transport.
    pub fn shutdown(&mut self) -> io::Result<()> {
        Ok(self.writer.close(CloseCode::NORMAL, "")?)
    }
}

impl<S: Transport> Write for ByteWriter<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        write(self.kind, buf, |payload| self.writer.send(payload))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.writer.flush()?)
    }
}

/// Sends one message of a caller's octets, and tells how many of them went into it.
fn write(kind: Kind, buf: &[u8], send: impl FnOnce(Payload<'_>) -> Result<(), Error>) -> io::Result<usize> {
    if buf.is_empty() {
        return Ok(0);
    }
    let payload = match kind {
        Kind::Binary => Payload::binary(&buf[..buf.len().min(MAX_MESSAGE)]),
        Kind::Text => Payload::text(buf).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?,
    };
    let len = payload.as_bytes().len();
    send(payload)?;
    Ok(len)
}

/// What receives: a whole socket, or its reading half.
trait Source {
    fn recv(&mut self) -> Option<Event<'_>>;
    fn ending(&self) -> (Option<&CloseInfo>, Option<&io::Error>);
}

impl<S: Transport> Source for WebSocket<S> {
    fn recv(&mut self) -> Option<Event<'_>> {
        self.recv()
    }
    fn ending(&self) -> (Option<&CloseInfo>, Option<&io::Error>) {
        (self.close_info(), self.io_error())
    }
}

impl<S: Transport> Source for Reader<S> {
    fn recv(&mut self) -> Option<Event<'_>> {
        self.recv()
    }
    fn ending(&self) -> (Option<&CloseInfo>, Option<&io::Error>) {
        (self.close_info(), self.io_error())
    }
}

/// What arrived and did not fit into the caller's memory.
#[derive(Debug, Default)]
struct Rest {
    octets: Vec<u8>,
    start: usize,
}

impl Rest {
    fn read(&mut self, source: &mut impl Source, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.octets.is_empty() {
            return self.receive(source, buf);
        }
        let rest = &self.octets[self.start..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.start += n;
        if self.start == self.octets.len() {
            *self = Self::default(); // its memory too
        }
        Ok(n)
    }

    fn receive(&mut self, source: &mut impl Source, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(event) = source.recv() {
            let octets = match &event {
                Event::Text(text) => text.as_bytes(),
                Event::Binary(data) | Event::UncheckedText(data) => data.as_bytes(),
                Event::Fragment(piece) => piece.data.as_bytes(),
                _ => continue,
            };
            let n = octets.len().min(buf.len());
            if n > 0 {
                buf[..n].copy_from_slice(&octets[..n]);
                *self = Self { octets: octets[n..].to_vec(), start: 0 };
                return Ok(n);
            }
        }
        let (info, error) = source.ending();
        info.map_or(Ok(0), |info| end(info, error))
    }
}

/// The end of the stream, if it was one.
fn end(info: &CloseInfo, error: Option<&io::Error>) -> io::Result<usize> {
    let kind = match info.cause() {
        CloseCause::Handshake if matches!(info.code(), 1000 | 1005) => return Ok(0),
        CloseCause::Handshake | CloseCause::Aborted => ErrorKind::ConnectionAborted,
        CloseCause::Failed(_) => ErrorKind::InvalidData,
        CloseCause::TimedOut(_) => ErrorKind::TimedOut,
        _ => error.map_or(ErrorKind::UnexpectedEof, io::Error::kind),
    };
    let text = match (info.cause(), error) {
        (CloseCause::Handshake, _) => format!("closed with {} {}", info.code(), info.reason()),
        (CloseCause::Failed(rule), _) => rule.to_string(),
        (_, Some(error)) => error.to_string(),
        (cause, None) => format!("no closing handshake: {cause:?}"),
    };
    Err(io::Error::new(kind, text))
}
