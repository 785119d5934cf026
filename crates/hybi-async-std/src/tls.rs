//! TLS by rustls: whom a client trusts, and the step before `accept` of a server.

#[cfg(not(feature = "tls"))]
mod none {
    use std::io;

    use crate::stream::Stream;

    /// Without the feature `tls` there is no configuration of it.
    #[derive(Clone, Copy, Debug)]
    pub enum Tls {}

    pub(crate) fn default_client() -> Option<io::Result<Tls>> {
        None
    }

    #[allow(clippy::unused_async, reason = "the same as with TLS")]
    pub(crate) async fn start(_: Stream, tls: Tls, _: &str) -> io::Result<Stream> {
        match tls {}
    }

    #[cfg(feature = "net")]
    pub(crate) type ServerTls = Tls;

    #[cfg(feature = "net")]
    #[allow(clippy::unused_async, reason = "the same as with TLS")]
    pub(crate) async fn accept(
        _: Stream,
        tls: &ServerTls,
        _: Option<std::time::Duration>,
    ) -> io::Result<Stream> {
        match *tls {}
    }
}

#[cfg(all(feature = "net", not(feature = "tls")))]
pub(crate) use none::{ServerTls, accept};
#[cfg(not(feature = "tls"))]
pub(crate) use none::{Tls, default_client, start};
#[cfg(feature = "tls")]
pub use with_rustls::TlsAcceptor;
#[cfg(all(feature = "net", feature = "tls"))]
pub(crate) use with_rustls::{ServerTls, accept};
#[cfg(feature = "tls")]
pub(crate) use with_rustls::{Tls, default_client, start};

#[cfg(feature = "tls")]
mod with_rustls {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use futures_io::{AsyncRead, AsyncWrite};
    use futures_rustls::rustls::{ClientConfig, ServerConfig};
    use futures_rustls::{TlsStream, server};
    use hybi_futures::adapter::{self, tls};

    use crate::runtime::AsyncStd;
    use crate::stream::Stream;

    pub(crate) use tls::default_client_config as default_client;

    pub(crate) type Tls = Arc<ClientConfig>;
    #[cfg(feature = "net")]
    pub(crate) type ServerTls = Arc<ServerConfig>;

    /// The handshake is over when the server has shown a certificate for this name that the configuration trusts.
    pub(crate) async fn start(stream: Stream, config: Tls, server_name: &str) -> io::Result<Stream> {
        let connected =
            futures_rustls::TlsConnector::from(config).connect(tls::server_name(server_name)?, stream);
        Ok(TlsStream::from(connected.await?).into())
    }

    /// The same as the server.
    #[cfg(feature = "net")]
    pub(crate) async fn accept(
        stream: Stream,
        config: &ServerTls,
        limit: Option<Duration>,
    ) -> io::Result<Stream> {
        let accepted = TlsAcceptor::new(config.clone()).with_time_limit(limit).accept(stream).await?;
        Ok(TlsStream::from(accepted).into())
    }

    /// The step before [`accept`](crate::accept()) for a server with TLS: makes the TLS handshake on a connected
    /// stream, within a time limit of 10 seconds unless it is told another.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use hybi_async_std::{TlsAcceptor, accept};
    ///
    /// # fn certificate() -> Arc<hybi_async_std::rustls::ServerConfig> { unimplemented!() }
    /// # async fn serve() -> Result<(), hybi_async_std::Error> {
    /// let tls = TlsAcceptor::new(certificate()); // an `Arc<rustls::ServerConfig>`
    /// let listener = async_std::net::TcpListener::bind("127.0.0.1:9443").await?;
    /// let (stream, _) = listener.accept().await?;
    /// let mut socket = accept(tls.accept(stream).await?).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone)]
    pub struct TlsAcceptor {
        config: Arc<ServerConfig>,
        time_limit: Option<Duration>,
    }

    impl TlsAcceptor {
        /// An acceptor with this configuration, which has the certificate.
        pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
            Self { config: config.into(), time_limit: Some(Duration::from_secs(10)) }
        }

        /// The same with another time limit, or none.
        #[must_use]
        pub fn with_time_limit(self, time_limit: Option<Duration>) -> Self {
            Self { time_limit, ..self }
        }

        /// Makes the TLS handshake.
        ///
        /// Cancel safety: the stream belongs to the future; dropping that ends the connection.
        ///
        /// # Errors
        /// `InvalidData` with a `rustls::Error` as source, `TimedOut`, or those of the stream.
        pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
            &self,
            stream: S,
        ) -> io::Result<server::TlsStream<S>> {
            let accepted = futures_rustls::TlsAcceptor::from(self.config.clone()).accept(stream);
            adapter::in_time::<AsyncStd, _>(self.time_limit, accepted).await
        }
    }

    impl std::fmt::Debug for TlsAcceptor {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("TlsAcceptor").field("time_limit", &self.time_limit).finish_non_exhaustive()
        }
    }
}
