//! The request of a client (RFC 6455 §4.1): what the caller wants, checked as it is given, in; the octets of
//! an HTTP request out. A [`ClientRequest`] that exists can be written: each wrong name, value or address
//! fails where it is given, before anything is connected.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::is_reserved;
use super::response::Response;
use super::subprotocol::{SubprotocolSyntax, Subprotocols};
use crate::agreement::Agreement;
use crate::error::HandshakeError;
#[cfg(any(feature = "deflate", feature = "zlib-rs"))]
use crate::extension::permessage_deflate::DeflateConfig;
use crate::extension::{Extensions, format_offers, parse_offers};
use crate::http::fields::{Fields, InvalidField};
use crate::http::uri::{Uri, UriError, is_host_port};
use crate::version::{Version, Versions};

/// A request to open a connection.
///
/// ```
/// use hybi::handshake::ClientRequest;
/// let request = ClientRequest::new("wss://example.com/chat")?
///     .with_subprotocol("chat.v2")?
///     .with_subprotocol("chat.v1")?
///     .with_origin("https://example.com")?
///     .with_header("Cookie", "session=7")?;
/// assert_eq!(request.uri().port(), 443);
/// # Ok::<(), hybi::handshake::RequestError>(())
/// ```
///
/// User and password in the address become basic authorization (RFC 7617). `Debug` leaves out all
/// credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRequest {
    uri: Uri,
    version: Version,
    subprotocols: Subprotocols,
    require_subprotocol: bool,
    origin: Option<Box<[u8]>>,
    /// `user:password`, given apart from the address.
    basic: Option<Box<[u8]>>,
    /// In place of what the address says.
    host: Option<Box<[u8]>>,
    fields: Fields,
    key: Option<Box<str>>,
    extensions: Extensions,
}

/// What cannot be requested. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestError {
    /// The address is none.
    BadUri(UriError),
    /// A subprotocol is no token, or is offered twice (RFC 6455 §4.1, item 10).
    BadProtocol,
    /// A header whose name is no token or whose value has a control character; or which is the handshake's
    /// own (`Upgrade`, `Connection`, `Content-Length`, `Transfer-Encoding`, `Sec-WebSocket-*`); or a second
    /// `Host`, `Origin` or `Authorization`.
    BadHeader,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUri(error) => error.fmt(f),
            Self::BadProtocol => SubprotocolSyntax.fmt(f),
            Self::BadHeader => f.write_str("malformed, reserved or repeated header"),
        }
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::BadUri(error) => Some(error),
            _ => None,
        }
    }
}

impl From<UriError> for RequestError {
    fn from(error: UriError) -> Self {
        Self::BadUri(error)
    }
}

impl From<SubprotocolSyntax> for RequestError {
    fn from(_: SubprotocolSyntax) -> Self {
        Self::BadProtocol
    }
}

impl From<InvalidField> for RequestError {
    fn from(_: InvalidField) -> Self {
        Self::BadHeader
    }
}

impl From<core::convert::Infallible> for RequestError {
    fn from(never: core::convert::Infallible) -> Self {
        match never {}
    }
}

impl ClientRequest {
    /// A request for what this address names, in version 13 and without subprotocols.
    ///
    /// # Errors
    /// [`RequestError::BadUri`].
    pub fn new<U>(uri: U) -> Result<Self, RequestError>
    where
        U: TryInto<Uri>,
        RequestError: From<U::Error>,
    {
        Ok(Self {
            uri: uri.try_into()?,
            version: Version::default(),
            subprotocols: Subprotocols::default(),
            require_subprotocol: false,
            origin: None,
            basic: None,
            host: None,
            fields: Fields::default(),
            key: None,
            extensions: Extensions::new(),
        })
    }

    /// The same in another version.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// The same offering one more subprotocol, liked less than those before.
    ///
    /// # Errors
    /// The name is no token, or is offered already (RFC 6455 §4.1, item 10).
    pub fn with_subprotocol(mut self, name: &str) -> Result<Self, RequestError> {
        self.subprotocols.push(name)?;
        Ok(self)
    }

    /// The same, failing when the server chooses none of the subprotocols that are offered. RFC 6455
    /// allows the server not to choose.
    #[must_use]
    pub fn requiring_subprotocol(self) -> Self {
        Self { require_subprotocol: true, ..self }
    }

    /// The same saying from which origin it comes, as browsers do (§10.2). The name of the header depends
    /// on the version.
    ///
    /// # Errors
    /// It has a control character, or there is an `Origin` already.
    pub fn with_origin(mut self, origin: &str) -> Result<Self, RequestError> {
        if self.origin.is_some() || self.fields.contains("Origin") {
            return Err(RequestError::BadHeader);
        }
        self.origin = Some(checked("Origin", origin.as_bytes())?);
        Ok(self)
    }

    /// The same with basic authorization (RFC 7617). User and password in the address win over these, and a
    /// header `Authorization` wins over both.
    #[must_use]
    pub fn with_basic_auth(mut self, user: &str, password: &str) -> Self {
        self.basic = Some(format!("{user}:{password}").into_bytes().into());
        self
    }

    /// The same with one more header. Names may repeat, but for `Host`, `Origin` and `Authorization`. A `Host`
    /// takes the place of what the address says.
    ///
    /// # Errors
    /// [`RequestError::BadHeader`].
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, RequestError> {
        let value = value.as_ref();
        let is = |own: &str| name.eq_ignore_ascii_case(own);
        let is_doubled = (is("Host") && self.host.is_some())
            || (is("Origin") && (self.origin.is_some() || self.fields.contains(name)))
            || (is("Authorization") && self.fields.contains(name));
        if is_reserved(name) || is_doubled {
            return Err(RequestError::BadHeader);
        }
        if is("Host") {
            let host = checked(name, value)?;
            if !is_host_port(&host) {
                return Err(RequestError::BadHeader);
            }
            self.host = Some(host);
        } else {
            self.fields.push(name, value)?;
        }
        Ok(self)
    }

    /// The same with this `Sec-WebSocket-Key` instead of a fresh nonce: for tests that compare octets. A
    /// nonce is used for one connection (§4.1), so a redirected request does not keep it.
    ///
    /// # Errors
    /// The text is empty, or not of the alphabet of base64.
    pub fn with_key(mut self, key: &str) -> Result<Self, RequestError> {
        let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
        if key.is_empty() || !key.bytes().all(is_digit) {
            return Err(RequestError::BadHeader);
        }
        self.key = Some(key.into());
        Ok(self)
    }

    /// The address.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The subprotocols that are offered.
    pub fn subprotocols(&self) -> &Subprotocols {
        &self.subprotocols
    }

    /// The same with the offers of these extensions, in place of those that were given before (RFC 6455 §9.1). If the
    /// server chooses none, the connection has none: see
    /// [`Agreement::missing_extensions`](crate::Agreement::missing_extensions).
    #[must_use]
    pub fn with_extensions(self, extensions: Extensions) -> Self {
        Self { extensions, ..self }
    }

    /// The same with an offer of permessage-deflate (RFC 7692 §5), behind the extensions that are there.
    #[cfg(any(feature = "deflate", feature = "zlib-rs"))]
    #[must_use]
    pub fn with_deflate(mut self, config: impl Into<Arc<DeflateConfig>>) -> Self {
        self.extensions.put_permessage_deflate(config.into());
        self
    }

    /// What was agreed of extensions, by the header of the response: nothing that was not offered (RFC 6455
    /// §9.1), and each at most once.
    pub(super) fn judge_extensions(
        &self,
        fields: &Fields,
        agreement: Agreement,
    ) -> Result<Agreement, HandshakeError> {
        const NAME: &str = "Sec-WebSocket-Extensions";
        if !fields.contains(NAME) {
            return Ok(agreement);
        }
        let answers = parse_offers(fields.get_all(NAME)).map_err(|_| HandshakeError::BadExtensions)?;
        let agreed = self.extensions.agree(&self.extensions.offers(), &answers);
        agreed.map(|agreed| agreement.with_extensions(agreed)).map_err(HandshakeError::UnacceptableExtensions)
    }

    /// The same request in an older version: the newest of these that a refusal names (RFC 6455 §4.4). `None`
    /// where it names none that is older than the one asked for.
    ///
    /// ```
    /// use hybi::handshake::{ClientHandshake, ClientRequest};
    /// use hybi::{BoxEntropy, Config, Version, Versions};
    /// # let entropy = BoxEntropy::new(|out: &mut [u8]| out.fill(7));
    /// let request = ClientRequest::new("ws://example.com/")?;
    /// let mut handshake = ClientHandshake::new(request, Config::default(), entropy);
    /// let taken = handshake.receive(b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\n\r\n");
    /// let refusal = handshake.response().expect("one came");
    ///
    /// let ours = Versions::default().with(Version::V8);
    /// let next = handshake.request().in_older_version(refusal, ours).expect("both know it");
    /// assert_eq!(next.version(), Version::V8);
    /// # Ok::<(), hybi::handshake::RequestError>(())
    /// ```
    pub fn in_older_version(&self, refusal: &Response, versions: Versions) -> Option<Self> {
        let is_named = |version: &Version| {
            let number = version.to_string();
            refusal.fields().list("Sec-WebSocket-Version").any(|named| named == number.as_bytes())
        };
        let is_refusal = matches!(refusal.status(), 400..=499);
        let version = versions.iter().find(|version| *version < self.version && is_named(version))?;
        is_refusal.then(|| Self { key: None, ..self.clone() }.with_version(version))
    }

    pub(super) fn requires_subprotocol(&self) -> bool {
        self.require_subprotocol
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The octets of the request, with this key (§4.1, items 1 to 12).
    pub(super) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut fields = Fields::default();
        fields.push_own("Host", &self.host_field());
        fields.push_own("Upgrade", b"websocket");
        fields.push_own("Connection", b"Upgrade");
        fields.push_own("Sec-WebSocket-Key", key);
        let mut out = format!("GET {} HTTP/1.1\r\n", self.uri.target()).into_bytes();
        fields.encode(&mut out);
        self.offer().encode(&mut out);
        self.fields.encode(&mut out);
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The value of `Host`.
    pub(super) fn host_field(&self) -> Box<[u8]> {
        self.host.clone().unwrap_or_else(|| self.uri.authority().into_bytes().into())
    }

    /// The headers that the caller gave.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// What is offered, and by whom.
    pub(super) fn offer(&self) -> Fields {
        let mut fields = Fields::default();
        fields.push_own("Sec-WebSocket-Version", self.version.to_string().as_bytes());
        if !self.subprotocols.is_empty() {
            fields.push_own("Sec-WebSocket-Protocol", self.subprotocols.to_string().as_bytes());
        }
        let offers = self.extensions.offers();
        if !offers.is_empty() {
            fields.push_own("Sec-WebSocket-Extensions", format_offers(&offers).as_bytes());
        }
        if let Some(origin) = &self.origin {
            fields.push_own(self.version.origin_header(), origin);
        }
        if let Some(credentials) = self.credentials() {
            fields.push_own("Authorization", format!("Basic {}", STANDARD.encode(credentials)).as_bytes());
        }
        fields
    }

    /// `user:password` that go into `Authorization`, unless there is one already.
    fn credentials(&self) -> Option<&[u8]> {
        if self.fields.contains("Authorization") {
            return None;
        }
        self.uri.userinfo().or(self.basic.as_deref())
    }

    /// The same request to another address, after a redirect. Credentials are for the place that they were
    /// given for: another host or port gets none, neither ours nor those that the redirect names; and what
    /// went over TLS does not go without it.
    pub(super) fn moved_to(&self, uri: Uri) -> Self {
        let mut next = Self { key: None, ..self.clone() };
        let stays = self.uri.is_same_place(&uri);
        let is_as_secure = uri.is_secure() || !self.uri.is_secure();
        if stays && is_as_secure {
            // The first credentials stay; those of the redirect count where there were none.
            next.basic = self.uri.userinfo().or(self.basic.as_deref()).map(Into::into);
            next.uri = if next.basic.is_some() { uri.without_userinfo() } else { uri };
            return next;
        }
        next.uri = uri.without_userinfo();
        next.basic = None;
        for name in ["Authorization", "Cookie", "Cookie2", "Proxy-Authorization"] {
            next.fields.remove(name);
        }
        if !stays {
            next.host = None;
        }
        next
    }
}

/// A value as it will be written.
fn checked(name: &str, value: &[u8]) -> Result<Box<[u8]>, InvalidField> {
    let mut fields = Fields::default();
    fields.push(name, value)?;
    Ok(fields.get(name).unwrap_or_default().into())
}

impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("uri", &self.uri)
            .field("version", &self.version)
            .field("subprotocols", &self.subprotocols)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
