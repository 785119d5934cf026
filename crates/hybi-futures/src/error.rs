//! What a call on a socket may answer.

use std::{fmt, io};

use hybi::handshake::{AnswerError, JourneyError, RedirectError, RequestError, Response};
use hybi::{CloseInfo, HandshakeError, UsageError};

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The call may not be made, or not now. Nothing was written.
    Usage(UsageError),
    /// The transport failed. [`Event::Closed`](crate::Event::Closed) says so too.
    Io(io::Error),
    /// The answer to a request may not be given. Nothing was written.
    Answer(AnswerError),
    /// The opening handshake of a client of ours failed; the client was told.
    Handshake(HandshakeError),
    /// No connection to a server came about.
    Connect(ConnectError),
    /// The connection ended without a closing handshake. Only `Stream` says it so; else the last event does.
    Ended(CloseInfo),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
            Self::Handshake(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Ended(info) => {
                write!(f, "the connection ended without a closing handshake: {:?}", info.cause())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Usage(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Answer(error) => Some(error),
            Self::Handshake(error) => Some(error),
            Self::Connect(error) => Some(error),
            Self::Ended(_) => None,
        }
    }
}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Self {
        Self::Answer(error)
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

/// Why no connection came about.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address or something else in the request cannot be.
    Request(RequestError),
    /// The address, or that of the proxy, asks for TLS, and nobody said whom to trust. Nothing was dialed.
    NoTls,
    /// The transport failed.
    Io(io::Error),
    /// TLS did not come about: the server's certificate is not trusted or is for another name, or the two have
    /// nothing in common. Nothing was asked of the server. The source says what it was.
    Tls(io::Error),
    /// There is no tunnel through the proxy; its answer is beside the reason, if one came.
    Proxy(HandshakeError, Option<Box<Response>>),
    /// The opening handshake failed; the server's answer is beside the reason, if one came.
    Handshake(HandshakeError, Option<Box<Response>>),
    /// The server's answer is a redirect that is not followed.
    Redirect(RedirectError, Box<Response>),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::NoTls => f.write_str("the address asks for TLS, and there is no configuration for it"),
            Self::Io(error) => error.fmt(f),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Proxy(error, _) => write!(f, "proxy: {error}"),
            Self::Handshake(error, _) => error.fmt(f),
            Self::Redirect(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::NoTls => None,
            Self::Io(error) | Self::Tls(error) => Some(error),
            Self::Proxy(error, _) | Self::Handshake(error, _) => Some(error),
            Self::Redirect(error, _) => Some(error),
        }
    }
}

impl From<RequestError> for ConnectError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<JourneyError> for ConnectError {
    fn from(error: JourneyError) -> Self {
        match error {
            JourneyError::Proxy(error, response) => Self::Proxy(error, response),
            JourneyError::Handshake(error, response) => Self::Handshake(error, response),
            JourneyError::Redirect(error, response) => Self::Redirect(error, response),
            other => Self::Io(io::Error::other(other)),
        }
    }
}
