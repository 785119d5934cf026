//! Addresses: the text that a caller gives or a redirect names, in; where to connect and what to ask for, out
//! (RFC 6455 §3, RFC 3986).
//!
//! ```text
//!   wss :// user:password @ server.example:9443 /chat ?room=7
//!   ws+unix : /run/chat.sock : /chat?room=7
//! ```
//!
//! What cannot be an address is refused before anything is sent. What is left goes into a request line and
//! a `Host` field as it is, so it holds no control character, no blank and nothing beyond ASCII.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::{fmt, str};

/// The address of a WebSocket.
///
/// The schemes are `ws` and `wss`; `http` reads as `ws`, and `https` as `wss`. `ws+unix:PATH:REQUEST` is a
/// Unix domain socket, and the target to request over it.
///
/// ```
/// use hybi::handshake::Uri;
///
/// let uri = Uri::parse("https://Server.example/chat?room=7")?;
/// assert_eq!((uri.host(), uri.port(), uri.is_secure()), ("server.example", 443, true));
/// assert_eq!(uri.target(), "/chat?room=7");
/// assert_eq!(uri.to_string(), "wss://server.example/chat?room=7");
///
/// let uri = Uri::parse("ws+unix:/run/chat.sock:/chat")?;
/// assert_eq!((uri.unix_path(), uri.target()), (Some("/run/chat.sock"), "/chat"));
/// # Ok::<(), hybi::handshake::UriError>(())
/// ```
///
/// `Display` and `Debug` leave out user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    secure: bool,
    place: Place,
    target: Box<str>,
    /// `user:password`, percent-decoded.
    userinfo: Option<Box<[u8]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Network { host: Box<str>, port: u16 },
    Unix { path: Box<str> },
}

/// Why a text is no address of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is none of `ws`, `wss`, `http`, `https` and `ws+unix`, or the `//` behind it is missing.
    Scheme,
    /// User or password have an octet that should have been percent-encoded, or a broken percent-encoding.
    Userinfo,
    /// The host is missing, or neither a name in ASCII nor an IP address.
    Host,
    /// The port is not a number of 1 to 65535.
    Port,
    /// The path of the Unix domain socket is missing, or what follows it is no request target.
    UnixPath,
    /// There is a fragment (RFC 6455 §3). A `#` that is meant as such is written `%23`.
    Fragment,
    /// There is a control character.
    Control,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme of the address is not ws:// or wss://",
            Self::Userinfo => "malformed user or password in the address",
            Self::Host => "missing or malformed host in the address",
            Self::Port => "malformed port in the address",
            Self::UnixPath => "missing socket path or malformed request path in the address",
            Self::Fragment => "fragment in the address (RFC 6455 §3)",
            Self::Control => "control character in the address",
        })
    }
}

impl core::error::Error for UriError {}

impl Uri {
    /// Reads an address.
    ///
    /// Blanks, characters beyond ASCII and others that do not belong into a path or a query are
    /// percent-encoded there; a host name beyond ASCII has to come in its ASCII form.
    ///
    /// # Errors
    /// [`UriError`], one variant per rule.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if text.bytes().any(|octet| octet.is_ascii_control()) {
            return Err(UriError::Control);
        }
        if text.contains('#') {
            return Err(UriError::Fragment);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        let is = |names: [&str; 2]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
        if scheme.eq_ignore_ascii_case("ws+unix") {
            return Self::parse_unix(rest);
        }
        let secure = is(["wss", "https"]);
        if !secure && !is(["ws", "http"]) {
            return Err(UriError::Scheme);
        }
        let rest = rest.strip_prefix("//").ok_or(UriError::Scheme)?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_port)) => (parse_userinfo(userinfo)?, host_port),
            None => (None, authority),
        };
        let (host, port) = split_port(host_port).ok_or(UriError::Host)?;
        let host = parse_host(host)?;
        let port = parse_port(port, default_port(secure))?;
        Ok(Self { secure, place: Place::Network { host, port }, target: encode_target(target), userinfo })
    }

    /// `PATH` or `PATH:REQUEST`, as in `ws`: the first colon separates.
    fn parse_unix(rest: &str) -> Result<Self, UriError> {
        // `ws+unix:///run/x` has an empty authority before the same path; there is no other authority.
        let rest = match rest.strip_prefix("//") {
            Some(path) if !path.starts_with('/') || path.starts_with("//") => return Err(UriError::UnixPath),
            Some(path) => path,
            None => rest,
        };
        let (path, target) = rest.split_once(':').unwrap_or((rest, ""));
        if path.is_empty() || !(target.is_empty() || target.starts_with(['/', '?'])) {
            return Err(UriError::UnixPath);
        }
        let place = Place::Unix { path: path.into() };
        Ok(Self { secure: false, place, target: encode_target(target), userinfo: None })
    }

    /// Whether TLS comes first.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host to connect to: a name in lower case, or an IP address without brackets. `localhost` for a
    /// Unix domain socket.
    pub fn host(&self) -> &str {
        match &self.place {
            Place::Network { host, .. } => host,
            Place::Unix { .. } => "localhost",
        }
    }

    /// The port to connect to: the one that is named, or the default of the scheme.
    pub fn port(&self) -> u16 {
        match self.place {
            Place::Network { port, .. } => port,
            Place::Unix { .. } => default_port(false),
        }
    }

    /// The path of the Unix domain socket to connect to, if it is one.
    pub fn unix_path(&self) -> Option<&str> {
        match &self.place {
            Place::Network { .. } => None,
            Place::Unix { path } => Some(path),
        }
    }

    /// The request target: path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of `Host`: IPv6 addresses in brackets, and no port where it is the scheme's default (RFC
    /// 6455 §4.1).
    pub fn authority(&self) -> String {
        let host = self.host();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        if self.port() == default_port(self.secure) { host } else { format!("{host}:{}", self.port()) }
    }

    /// `user:password` of the address, percent-decoded.
    pub(crate) fn userinfo(&self) -> Option<&[u8]> {
        self.userinfo.as_deref()
    }

    /// The same without user and password.
    pub(crate) fn without_userinfo(self) -> Self {
        Self { userinfo: None, ..self }
    }

    /// Whether a request to the other one goes to the same place, so that credentials may stay: the same
    /// socket, or the same host and port. Both on the default port of their scheme counts as the same.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::Network { .. }, Place::Network { .. }) => self.authority() == other.authority(),
            (Place::Unix { path: a }, Place::Unix { path: b }) => a == b,
            _ => false,
        }
    }

    /// The address that a reference means, seen from this one (RFC 3986 §5.2).
    ///
    /// ```
    /// use hybi::handshake::Uri;
    /// let base = Uri::parse("ws://server.example/a/b?c")?;
    /// assert_eq!(base.resolve("../d")?.to_string(), "ws://server.example/d");
    /// assert_eq!(base.resolve("//other.example")?.to_string(), "ws://other.example/");
    /// # Ok::<(), hybi::handshake::UriError>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn resolve(&self, reference: &str) -> Result<Self, UriError> {
        if has_scheme(reference) {
            return Self::parse(reference).map(Self::without_dot_segments);
        }
        let base = self.clone().without_userinfo();
        if reference.starts_with("//") {
            let Place::Network { .. } = base.place else { return Err(UriError::Host) };
            let scheme = if base.secure { "wss" } else { "ws" };
            return Self::parse(&format!("{scheme}:{reference}")).map(Self::without_dot_segments);
        }
        if reference.bytes().any(|octet| octet.is_ascii_control()) {
            return Err(UriError::Control);
        }
        if reference.contains('#') {
            return Err(UriError::Fragment);
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match reference.as_bytes().first() {
            None => return Ok(base),
            Some(b'/') => reference.to_owned(),
            Some(b'?') => format!("{path}{reference}"),
            Some(_) => {
                let directory = path.rfind('/').map_or("/", |slash| &path[..=slash]);
                format!("{directory}{reference}")
            }
        };
        Ok(Self { target: encode_target(&target), ..base }.without_dot_segments())
    }

    fn without_dot_segments(self) -> Self {
        let (path, query) = self.target.split_at(self.target.find('?').unwrap_or(self.target.len()));
        let target = (remove_dot_segments(path) + query).into();
        Self { target, ..self }
    }
}

impl str::FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Uri {
    type Error = UriError;
    fn try_from(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl TryFrom<&String> for Uri {
    type Error = UriError;
    fn try_from(text: &String) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Uri {
    type Error = UriError;
    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

/// The address without user and password.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Network { .. } => {
                let scheme = if self.secure { "wss" } else { "ws" };
                write!(f, "{scheme}://{}{}", self.authority(), self.target)
            }
            Place::Unix { path } => write!(f, "ws+unix:{path}:{}", self.target),
        }
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({self})")
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Host and digits of the port; no digits where there is no port. `None`: a bracket without its other one.
fn split_port(host_port: &str) -> Option<(&str, &str)> {
    if host_port.starts_with('[') {
        let (host, rest) = host_port.split_at(host_port.find(']')? + 1);
        return if rest.is_empty() { Some((host, "")) } else { Some((host, rest.strip_prefix(':')?)) };
    }
    Some(host_port.split_once(':').unwrap_or((host_port, "")))
}

fn parse_port(digits: &str, default: u16) -> Result<u16, UriError> {
    if digits.is_empty() {
        return Ok(default);
    }
    let number = digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    number.filter(|port| *port != 0).ok_or(UriError::Port)
}

/// A name in lower case, or an address without its brackets.
fn parse_host(host: &str) -> Result<Box<str>, UriError> {
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr =
            address.strip_suffix(']').and_then(|text| text.parse().ok()).ok_or(UriError::Host)?;
        return Ok(address.to_string().into());
    }
    let is_host_octet =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
    if host.is_empty() || !host.bytes().all(is_host_octet) {
        return Err(UriError::Host);
    }
    Ok(host.to_ascii_lowercase().into())
}

/// Whether this can be the value of `Host` (RFC 9112 §3.2): what RFC 3986 calls host and port. A server
/// reads more than we would write.
pub(crate) fn is_host_port(value: &[u8]) -> bool {
    let Some((host, port)) = str::from_utf8(value).ok().and_then(split_port) else { return false };
    let is_address = |text: &str| text.strip_suffix(']').is_some_and(|text| text.parse::<Ipv6Addr>().is_ok());
    let host_is_fine = match host.strip_prefix('[') {
        Some(address) => is_address(address),
        None => !host.is_empty() && is_reg_name(host.as_bytes()),
    };
    host_is_fine
        && port.bytes().all(|octet| octet.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn is_reg_name(mut name: &[u8]) -> bool {
    while let Some((first, rest)) = name.split_first() {
        name = match (first, rest) {
            (b'%', [a, b, rest @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest,
            (octet, _) if is_unreserved(*octet) || is_sub_delim(*octet) => rest,
            _ => return false,
        };
    }
    true
}

/// Userinfo to the `user:password` of basic authorization.
fn parse_userinfo(text: &str) -> Result<Option<Box<[u8]>>, UriError> {
    // A second `@`, or what ends an authority for another parser, would leave open which host is meant.
    if text.contains(['@', '\\', '[', ']', ' ']) {
        return Err(UriError::Userinfo);
    }
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    if user.is_empty() && password.is_empty() {
        return Ok(None);
    }
    let mut decoded = Vec::new();
    percent_decode(user, &mut decoded)?;
    decoded.push(b':');
    percent_decode(password, &mut decoded)?;
    Ok(Some(decoded.into()))
}

fn percent_decode(text: &str, out: &mut Vec<u8>) -> Result<(), UriError> {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if octet != b'%' {
            out.push(octet);
            continue;
        }
        let mut digit = || octets.next().and_then(|octet| (octet as char).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UriError::Userinfo) };
        out.push((high * 16 + low) as u8);
    }
    Ok(())
}

/// Path and query as they go into a request line; the path is never empty (RFC 6455 §3).
fn encode_target(text: &str) -> Box<str> {
    let mut out = String::new();
    if !text.starts_with('/') {
        out.push('/');
    }
    for octet in text.bytes() {
        if is_target_octet(octet) {
            out.push(octet as char);
        } else {
            let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or_default().to_ascii_uppercase();
            out.extend(['%', digit(octet >> 4), digit(octet & 15)]);
        }
    }
    out.into()
}

/// `pchar`, `/` and `?` of RFC 3986; `%` stands for itself, and brackets, which many queries have, pass.
const fn is_target_octet(octet: u8) -> bool {
    is_unreserved(octet)
        || is_sub_delim(octet)
        || matches!(octet, b'/' | b'?' | b':' | b'@' | b'%' | b'[' | b']')
}

const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

const fn is_sub_delim(octet: u8) -> bool {
    matches!(octet, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// Whether a reference begins with a scheme (RFC 3986 §4.1).
fn has_scheme(reference: &str) -> bool {
    let scheme = reference.split(['/', '?', '#']).next().and_then(|start| start.split_once(':'));
    scheme.is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
    })
}

/// RFC 3986 §5.2.4 for a path that begins with a slash.
fn remove_dot_segments(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    out.truncate(out.rfind('/').unwrap_or(0));
                }
                if is_last {
                    out.push('/');
                }
            }
            _ => out.extend(["/", segment]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_to_connect_and_what_to_ask_for() {
        for (text, shown, host, port, target) in [
            ("ws://h", "ws://h/", "h", 80, "/"),
            ("WS://Server.Example:8080/A?B", "ws://server.example:8080/A?B", "server.example", 8080, "/A?B"),
            ("wss://h:443?q", "wss://h/?q", "h", 443, "/?q"),
            ("ws://h:443/", "ws://h:443/", "h", 443, "/"),
            ("wss://h:80/", "wss://h:80/", "h", 80, "/"),
            ("http://h:/x", "ws://h/x", "h", 80, "/x"),
            ("https://h/x", "wss://h/x", "h", 443, "/x"),
            ("ws://[::1]/", "ws://[::1]/", "::1", 80, "/"),
            ("ws://[2001:DB8::0:1]:0081/", "ws://[2001:db8::1]:81/", "2001:db8::1", 81, "/"),
            ("ws://127.0.0.1:9/?a=/b?c:d@e", "ws://127.0.0.1:9/?a=/b?c:d@e", "127.0.0.1", 9, "/?a=/b?c:d@e"),
            (
                "ws://h/a b\u{e4}<\"\\^`{|}>?q r\u{20ac}",
                "ws://h/a%20b%C3%A4%3C%22%5C%5E%60%7B%7C%7D%3E?q%20r%E2%82%AC",
                "h",
                80,
                "/a%20b%C3%A4%3C%22%5C%5E%60%7B%7C%7D%3E?q%20r%E2%82%AC",
            ),
            ("ws://h/%2f%zz?a[]=1", "ws://h/%2f%zz?a[]=1", "h", 80, "/%2f%zz?a[]=1"),
            ("ws://h//a/../b", "ws://h//a/../b", "h", 80, "//a/../b"),
        ] {
            let uri = Uri::parse(text).expect(text);
            assert_eq!(
                (uri.to_string().as_str(), uri.host(), uri.port(), uri.target()),
                (shown, host, port, target)
            );
            assert_eq!(Uri::parse(shown), Ok(uri), "what is shown reads back as the same");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        use UriError::{Control, Fragment, Host, Port, Scheme, UnixPath, Userinfo};
        for (text, error) in [
            ("", Scheme),
            ("h", Scheme),
            ("/chat", Scheme),
            ("gopher://h/", Scheme),
            ("ws:h", Scheme),
            ("ws:/h/", Scheme),
            (" ws://h/", Scheme),
            ("ws://", Host),
            ("ws:///x", Host),
            ("ws://:80/", Host),
            ("ws://a b/", Host),
            ("ws://a%41/", Host),
            ("ws://b\u{fc}cher.example/", Host),
            ("ws://[::1/", Host),
            ("ws://[::1]x/", Host),
            ("ws://[::1%25eth0]/", Host),
            ("ws://[v1.x]/", Host),
            ("ws://[127.0.0.1]/", Host),
            ("ws://::1/", Host),
            ("ws://good.example\\@evil.example/", Userinfo),
            ("ws://good.example\\.evil.example/", Host),
            ("ws://h:0/", Port),
            ("ws://h:65536/", Port),
            ("ws://h:+80/", Port),
            ("ws://h:80:80/", Port),
            ("ws://h:8 0/", Port),
            ("ws://a@b@h/", Userinfo),
            ("ws://a%4@h/", Userinfo),
            ("ws://a%+1@h/", Userinfo),
            ("ws://h/#", Fragment),
            ("ws://h/a#b", Fragment),
            ("ws+unix:/a:/b#c", Fragment),
            ("ws://h/a\r\nX: 1", Control),
            ("ws://h/\t", Control),
            ("ws://h/\x7f", Control),
            ("ws://h\n/", Control),
            ("ws+unix:", UnixPath),
            ("ws+unix::/x", UnixPath),
            ("ws+unix://host/x", UnixPath),
            ("ws+unix:////x", UnixPath),
            ("ws+unix:/run/x:y", UnixPath),
        ] {
            assert_eq!(Uri::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_unix_domain_socket() {
        for (text, path, target, shown) in [
            ("ws+unix:/run/x.sock", "/run/x.sock", "/", "ws+unix:/run/x.sock:/"),
            ("WS+UNIX:/run/x.sock:/live?a:b", "/run/x.sock", "/live?a:b", "ws+unix:/run/x.sock:/live?a:b"),
            ("ws+unix:./x:?q", "./x", "/?q", "ws+unix:./x:/?q"),
            ("ws+unix:///run/x:/y", "/run/x", "/y", "ws+unix:/run/x:/y"),
        ] {
            let uri = Uri::parse(text).expect("an address");
            assert_eq!(
                (uri.unix_path(), uri.target(), uri.to_string().as_str()),
                (Some(path), target, shown)
            );
            assert_eq!((uri.authority().as_str(), uri.is_secure()), ("localhost", false));
        }
    }

    #[test]
    fn userinfo_is_decoded_and_never_shown() {
        for (text, userinfo) in [
            ("ws://ada:lo%76e@h/", Some("ada:love")),
            ("ws://ada@h/", Some("ada:")),
            ("ws://:x@h/", Some(":x")),
            ("ws://a%40b:c%3ad:e@h/", Some("a@b:c:d:e")),
            ("ws://@h/", None),
            ("ws://:@h/", None),
        ] {
            let uri = Uri::parse(text).expect("an address");
            assert_eq!(uri.userinfo(), userinfo.map(str::as_bytes), "{text}");
            assert_eq!(format!("{uri} {uri:?}"), "ws://h/ Uri(ws://h/)");
        }
    }

    #[test]
    fn references_are_resolved() {
        // The examples of RFC 3986 §5.4 that have no fragment, and ours.
        let base = Uri::parse("http://u:p@a/b/c/d;p?q").expect("an address");
        for (reference, path) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("/a b:c", "/a%20b:c"),
            ("/a//../b", "/a/b"),
            ("1:2", "/b/c/1:2"), // neither is a scheme
            ("a_b:c", "/b/c/a_b:c"),
        ] {
            let resolved = base.resolve(reference).expect("an address");
            assert_eq!(resolved.to_string(), format!("ws://a{path}"), "{reference:?}");
            assert_eq!(resolved.userinfo(), None);
        }
        for (reference, shown) in
            [("//G:81", "ws://g:81/"), ("wss://x/a/../b", "wss://x/b"), ("HTTPS://x?y", "wss://x/?y")]
        {
            assert_eq!(base.resolve(reference).expect("an address").to_string(), shown);
        }
        for (reference, error) in [
            ("g:h", UriError::Scheme),
            ("#s", UriError::Fragment),
            ("g#s", UriError::Fragment),
            ("/a\r\nb", UriError::Control),
            ("//", UriError::Host),
            ("javascript:alert(1)", UriError::Scheme),
        ] {
            assert_eq!(base.resolve(reference), Err(error), "{reference:?}");
        }
        let unix = Uri::parse("ws+unix:/s:/a/b").expect("an address");
        assert_eq!(unix.resolve("c").expect("an address").to_string(), "ws+unix:/s:/a/c");
        assert_eq!(unix.resolve("//h/"), Err(UriError::Host));
    }

    #[test]
    fn what_a_server_takes_as_host() {
        for good in
            ["h", "h:", "H.example:80", "[::1]", "[::1]:8080", "a_b", "%41", "127.0.0.1:1", "xn--e1afmkfd"]
        {
            assert!(is_host_port(good.as_bytes()), "{good}");
        }
        for bad in [
            "", ":80", "a b", "[::1", "::1", "[]", "[::1]80", "a/b", "a@b", "a:b", "a:-1", "a:65536", "a,b",
            "a%4", "a\u{e4}", "a\tb", "http://a", "a:80:80", "a#", "a?",
        ] {
            let expected = bad == "a,b"; // a sub-delimiter: odd, and a name all the same
            assert_eq!(is_host_port(bad.as_bytes()), expected, "{bad}");
        }
        assert!(!is_host_port(b"\xff"));
    }

    #[test]
    fn what_is_the_same_place() {
        let same = |a: &str, b: &str| {
            Uri::parse(a).expect("an address").is_same_place(&Uri::parse(b).expect("an address"))
        };
        assert!(same("ws://h/a", "ws://H:80/b") && same("wss://h/", "ws://h/"));
        assert!(same("ws+unix:/s:/a", "ws+unix:/s:/b"));
        assert!(
            !same("ws://h/", "ws://h:81/") && !same("ws://h/", "ws://i/") && !same("ws://h:443/", "wss://h/")
        );
        assert!(!same("ws+unix:/s", "ws+unix:/t") && !same("ws+unix:/s", "ws://localhost/"));
    }
}
