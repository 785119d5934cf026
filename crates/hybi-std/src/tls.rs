//! TLS by rustls over any blocking transport: a connected stream in, an encrypted one out.
//!
//! rustls does the cryptography and moves no octet; this file moves them. The two directions of one stream may be
//! used by two threads, and what they share is locked for as long as it takes to compute, never while a socket is
//! waited for:
//!
//! ```text
//! read:  wait for the socket ──▶ lock state: decrypt ──▶ plaintext
//! write: lock outward ──▶ lock state: encrypt ──▶ wait for the socket
//! ```

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use crate::transport::{Timed, Transport, Waited};

/// A stream inside TLS. As a [`Transport`] it has the deadlines of the stream below, and can be cloned for two
/// threads, one reading and one writing.
///
/// The end that the peer announced (`close_notify`) is an end; one that it did not is an `UnexpectedEof`, since
/// anybody on the way could have cut there. Alerts and octets that cannot be decrypted are `InvalidData`, with the
/// [`rustls::Error`] as source. [`Transport::shutdown_write`] announces our own end; dropping it does not.
///
/// A write that was not finished in time (`WouldBlock`, `TimedOut`) has been encrypted: the next one has to begin
/// with the same octets, as it does for a connection of [`hybi`].
#[derive(Debug)]
pub struct TlsStream<S> {
    socket: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Connection>,
    /// What was read from the socket and not decrypted. Whoever reads holds it.
    inward: Mutex<Vec<u8>>,
    /// Whoever writes holds it.
    outward: Mutex<Outward>,
}

/// Encrypted octets on their way.
#[derive(Debug, Default)]
struct Outward {
    octets: Vec<u8>,
    written: usize,
    /// How many octets of a caller are in there that have not been reported as written.
    promised: usize,
}

/// As much is read from the socket at once: a record, more or less.
const READ: usize = 16 * 1024;
/// As much is encrypted before it is written.
const WRITE: usize = 32 * 1024;
/// How long the announcement of an end may take.
const PATIENCE: Duration = Duration::from_millis(100);

impl<S: Transport> TlsStream<S> {
    /// Makes the TLS handshake of a client, and returns when the server has shown a certificate for this name
    /// that the configuration trusts.
    ///
    /// # Errors
    /// `InvalidData` with a [`rustls::Error`] as source, `TimedOut` after the time limit, or those of the stream.
    pub fn client(
        stream: S,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        time_limit: Option<Duration>,
    ) -> io::Result<Self> {
        let state = ClientConnection::new(config, name).map_err(invalid)?;
        Self::handshake(stream, state.into(), time_limit)
    }

    /// Makes the TLS handshake of a server. See [`TlsAcceptor`].
    ///
    /// # Errors
    /// As [`Self::client`].
    pub fn server(stream: S, config: Arc<ServerConfig>, time_limit: Option<Duration>) -> io::Result<Self> {
        let state = ServerConnection::new(config).map_err(invalid)?;
        Self::handshake(stream, state.into(), time_limit)
    }

    fn handshake(stream: S, mut state: Connection, time_limit: Option<Duration>) -> io::Result<Self> {
        let mut socket = Timed::new(stream);
        let deadline = time_limit.map(|limit| socket.now() + limit);
        let mut scratch = [0; READ];
        let mut inward = Vec::new();
        state.set_buffer_limit(Some(WRITE));
        loop {
            transmit(&mut state, &mut socket, deadline)?; // the last of it comes behind the last that is read
            if !state.is_handshaking() {
                break;
            }
            let n = match socket.read(&mut scratch, deadline)? {
                Waited::Moved(0) => return Err(ended_early()),
                Waited::Moved(n) => n,
                Waited::Elapsed if deadline.is_some_and(|deadline| deadline <= socket.now()) => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Waited::Elapsed => continue,
            };
            let mut octets = &scratch[..n];
            while !octets.is_empty() && state.is_handshaking() {
                state.read_tls(&mut octets)?;
                if let Err(error) = state.process_new_packets() {
                    let _ = transmit(&mut state, &mut socket, deadline); // the alert that says why
                    socket.end_writing();
                    return Err(invalid(error));
                }
            }
            inward.extend_from_slice(octets);
        }
        let shared =
            Shared { state: Mutex::new(state), inward: Mutex::new(inward), outward: Mutex::default() };
        Ok(Self { socket: socket.into_stream(), shared: Arc::new(shared) })
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// What the TLS handshake brought: certificates, protocol, cipher suite.
    pub fn with_connection<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        look(&lock(&self.shared.state))
    }

    /// Announces the end of what we write, if nobody else is writing: it waits for a moment only.
    fn announce_end(&mut self) {
        let shared = self.shared.clone();
        let Some(mut outward) = try_lock(&shared.outward) else { return };
        let mut state = lock(&shared.state);
        state.send_close_notify();
        let _ = outward.collect(&mut state); // into memory
        drop(state);
        if self.socket.set_write_timeout(Some(PATIENCE)).is_ok() {
            let _ = outward.transmit(&mut self.socket); // a transport that is gone needs no end
        }
    }

    /// Tells the peer what rustls wants told (an alert), unless somebody is writing: who does it then tells.
    fn transmit_if_free(&mut self) {
        let shared = self.shared.clone();
        while lock(&shared.state).wants_write() {
            let Some(mut outward) = try_lock(&shared.outward) else { return };
            let collected = outward.collect(&mut lock(&shared.state));
            let told = self.socket.set_write_timeout(Some(PATIENCE)).and(collected);
            if told.and_then(|()| outward.transmit(&mut self.socket)).is_err() {
                return; // what fails here fails for whoever writes or reads next
            }
        }
    }

    /// Decrypts octets of the socket, as many as it takes to fill some of `buf`; `WouldBlock` if there are too
    /// few.
    fn decrypt(&mut self, octets: &mut &[u8], buf: &mut [u8]) -> io::Result<usize> {
        let shared = self.shared.clone();
        let mut state = lock(&shared.state);
        loop {
            match state.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && !octets.is_empty() => {}
                done => return done,
            }
            if state.read_tls(octets)? == 0 {
                return Err(ErrorKind::InvalidData.into());
            }
            if let Err(error) = state.process_new_packets() {
                drop(state);
                self.transmit_if_free();
                return Err(invalid(error));
            }
        }
    }
}

impl<S: Transport> Read for TlsStream<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let shared = self.shared.clone();
        let mut inward = lock(&shared.inward);
        let kept = std::mem::take(&mut *inward);
        let mut octets = &kept[..];
        let mut decrypted = self.decrypt(&mut octets, buf);
        inward.extend_from_slice(octets);
        let mut scratch = [0; READ];
        while matches!(&decrypted, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            let n = self.socket.read(&mut scratch)?; // its own `WouldBlock` is that time is over
            if n == 0 {
                lock(&shared.state).read_tls(&mut io::empty())?;
                let end = self.decrypt(&mut &[][..], buf);
                return end.map_err(|error| {
                    if error.kind() == ErrorKind::WouldBlock { ended_early() } else { error }
                });
            }
            let mut octets = &scratch[..n];
            decrypted = self.decrypt(&mut octets, buf);
            inward.extend_from_slice(octets);
        }
        decrypted
    }
}

impl<S: Transport> Write for TlsStream<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let shared = self.shared.clone();
        let mut outward = lock(&shared.outward);
        if outward.promised == 0 {
            outward.transmit(&mut self.socket)?; // an alert may wait there
            let mut state = lock(&shared.state);
            outward.promised = state.writer().write_vectored(bufs)?;
            outward.collect(&mut state)?;
        }
        outward.transmit(&mut self.socket)?;
        let n = std::mem::take(&mut outward.promised);
        drop(outward);
        self.transmit_if_free(); // whoever reads may have found us here
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        let shared = self.shared.clone();
        let mut outward = lock(&shared.outward);
        outward.collect(&mut lock(&shared.state))?;
        outward.transmit(&mut self.socket)?;
        self.socket.flush()
    }
}

impl<S: Transport> Transport for TlsStream<S> {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(timeout)
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.announce_end();
        self.socket.shutdown_write()
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.announce_end();
        self.socket.shutdown()
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, shared: self.shared.clone() })
    }
}

impl Outward {
    /// Takes over what rustls has encrypted.
    fn collect(&mut self, state: &mut Connection) -> io::Result<()> {
        while state.wants_write() {
            state.write_tls(&mut self.octets)?;
        }
        Ok(())
    }

    /// Writes until nothing is left; what is left after an error goes first the next time.
    fn transmit(&mut self, socket: &mut impl Write) -> io::Result<()> {
        while self.written < self.octets.len() {
            match socket.write(&self.octets[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.octets, self.written) = (Vec::new(), 0);
        Ok(())
    }
}

/// Writes what rustls wants to tell during the handshake.
fn transmit<S: Transport>(
    state: &mut Connection,
    socket: &mut Timed<S>,
    deadline: Option<hybi::Instant>,
) -> io::Result<()> {
    let mut outward = Outward::default();
    outward.collect(state)?;
    while outward.written < outward.octets.len() {
        match socket.write(&[IoSlice::new(&outward.octets[outward.written..])], deadline)? {
            Waited::Moved(n) => outward.written += n,
            Waited::Elapsed if deadline.is_some_and(|deadline| deadline <= socket.now()) => {
                return Err(ErrorKind::TimedOut.into());
            }
            Waited::Elapsed => {}
        }
    }
    Ok(())
}

/// The step before [`accept`](crate::accept) for a server with TLS: makes the TLS handshake on a connected stream,
/// within a time limit of 10 seconds unless it is told another.
///
/// ```no_run
/// use std::sync::Arc;
/// use hybi_std::{TlsAcceptor, accept};
///
/// # fn certificate() -> Arc<hybi_std::rustls::ServerConfig> { unimplemented!() }
/// let tls = TlsAcceptor::new(certificate()); // an `Arc<rustls::ServerConfig>`
/// let listener = std::net::TcpListener::bind("127.0.0.1:9443")?;
/// let (stream, _) = listener.accept()?;
/// let mut socket = accept(tls.accept(stream)?)?;
/// # Ok::<(), hybi_std::Error>(())
/// ```
#[derive(Clone, Debug)]
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
    /// # Errors
    /// As [`TlsStream::server`].
    pub fn accept<S: Transport>(&self, stream: S) -> io::Result<TlsStream<S>> {
        TlsStream::server(stream, self.config.clone(), self.time_limit)
    }
}

/// Whether a client knows whom to trust without being told.
pub(crate) const HAS_ROOTS: bool = cfg!(any(feature = "tls-platform-roots", feature = "tls-webpki-roots"));

/// What a client trusts unless it is told what to: the roots of the operating system, or else those of Mozilla.
#[cfg(not(any(feature = "tls-platform-roots", feature = "tls-webpki-roots")))]
pub(crate) fn default_client_config() -> io::Result<Arc<ClientConfig>> {
    Err(ErrorKind::Unsupported.into())
}

/// What a client trusts unless it is told what to: the roots of the operating system, or else those of Mozilla.
#[cfg(any(feature = "tls-platform-roots", feature = "tls-webpki-roots"))]
pub(crate) fn default_client_config() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(invalid)?;
    #[cfg(feature = "tls-platform-roots")]
    let builder = {
        let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(invalid)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    #[cfg(not(feature = "tls-platform-roots"))]
    let builder = {
        let _ = provider;
        builder.with_root_certificates(rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() })
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

fn ended_early() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the stream ended without the end that TLS announces")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
