//! The server: `hybi-futures` reads the request, the application decides.

use futures_io::{AsyncRead, AsyncWrite};

use crate::{Acceptor, Error, WebSocket};

/// Makes the opening handshake on a connected stream and accepts whatever good request comes, from any
/// origin. To look at the request first, use an [`Acceptor`].
///
/// Cancel safety: the stream belongs to the future; dropping that ends the connection.
///
/// # Errors
/// [`Error::Handshake`] if the request is no good (it was answered), [`Error::Io`].
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, Error> {
    Acceptor::default().accept(stream).await
}
