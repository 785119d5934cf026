//! What a call on a socket may answer.

use std::{fmt, io};

use hybi::handshake::AnswerError;
use hybi::{HandshakeError, UsageError};

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
    Connect(crate::ConnectError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
            Self::Handshake(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
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

/// For who speaks `io`: an error of the transport is itself, a call that came too late is a `BrokenPipe`.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::Usage(UsageError::NotOpen) => Self::new(io::ErrorKind::BrokenPipe, error),
            error => Self::other(error),
        }
    }
}

impl From<crate::ConnectError> for Error {
    fn from(error: crate::ConnectError) -> Self {
        Self::Connect(error)
    }
}
