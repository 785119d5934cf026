//! Which proxy a connection goes through, if any: settings in; for each address, a [`Proxy`] or none, out.
//!
//! The settings can be given, or read from variables of the environment as other programs do. There is no
//! standard for these variables; what is done here is what curl and most others have in common, and it is
//! done for callers that ask for it and for nobody else.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::proxy::Proxy;
use crate::http::uri::{Uri, UriError};

/// Which proxy to use for which address. Without any settings, which is the default, it is none.
///
/// ```
/// use hybi::handshake::{Proxies, Proxy, Uri};
///
/// let all = Proxies::all(Proxy::parse("http://proxy.example:3128")?);
/// let some = Proxies::from_env(|name| match name {
///     "https_proxy" => Some("http://proxy.example:3128".into()),
///     "no_proxy" => Some("localhost, .internal.example, 10.0.0.0/8".into()),
///     _ => None,
/// })?; // in earnest: `Proxies::from_env(|name| std::env::var(name).ok())`
///
/// for (address, proxied) in [
///     ("wss://server.example/", true),
///     ("ws://server.example/", false), // no `http_proxy`
///     ("wss://chat.internal.example/", false),
///     ("wss://10.1.2.3/", false),
/// ] {
///     let uri = Uri::parse(address)?;
///     assert_eq!(some.select(&uri).is_some(), proxied, "{address}");
///     assert!(all.select(&uri).is_some());
/// }
/// # Ok::<(), hybi::handshake::UriError>(())
/// ```
///
/// A Unix domain socket is never reached through a proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `ws`.
    plain: Option<Proxy>,
    /// For `wss`.
    secure: Option<Proxy>,
    exempt: Vec<Exempt>,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    All,
    /// This name and those below it, at any port or at one.
    Name(Box<str>, Option<u16>),
    /// Addresses that begin with so many bits of this one, at any port or at one.
    Addresses(IpAddr, u8, Option<u16>),
}

impl Proxies {
    /// One proxy for all addresses.
    pub fn all(proxy: Proxy) -> Self {
        Self { plain: Some(proxy.clone()), secure: Some(proxy), exempt: Vec::new() }
    }

    /// What the variables of the environment say, which `get` reads by their names.
    ///
    /// | variable | |
    /// |---|---|
    /// | `http_proxy`, `HTTP_PROXY` | the proxy for `ws` |
    /// | `https_proxy`, `HTTPS_PROXY` | the proxy for `wss` |
    /// | `all_proxy`, `ALL_PROXY` | where the one above is missing |
    /// | `no_proxy`, `NO_PROXY` | what is reached without: names (with all names below them), addresses, networks as `10.0.0.0/8`, each perhaps with a port; `*` is everything |
    ///
    /// Lower case wins, and an empty value counts as missing. A proxy without a scheme is an `http://` one.
    /// `HTTP_PROXY` is not read where there is a `REQUEST_METHOD`: in a CGI program a client can set it, by a
    /// header `Proxy`.
    ///
    /// # Errors
    /// [`UriError`]: a proxy is named and cannot be used. To go without it could show to the network what was
    /// meant to be kept from it.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, UriError> {
        let filled = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let upper_http = || if filled("REQUEST_METHOD").is_some() { None } else { filled("HTTP_PROXY") };
        let all = || filled("all_proxy").or_else(|| filled("ALL_PROXY"));
        let plain = filled("http_proxy").or_else(upper_http).or_else(all);
        let secure = filled("https_proxy").or_else(|| filled("HTTPS_PROXY")).or_else(all);
        let exempt = filled("no_proxy").or_else(|| filled("NO_PROXY")).unwrap_or_default();
        Ok(Self {
            plain: plain.as_deref().map(parse_proxy).transpose()?,
            secure: secure.as_deref().map(parse_proxy).transpose()?,
            exempt: parse_exempt(&exempt),
        })
    }

    /// The same, but for what this list names, which is reached without a proxy. Its form is that of `NO_PROXY`
    /// in [`from_env`](Self::from_env).
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        self.exempt.extend(parse_exempt(list));
        self
    }

    /// The proxy on the way to this address.
    pub fn select(&self, uri: &Uri) -> Option<&Proxy> {
        let proxy = if uri.is_secure() { &self.secure } else { &self.plain };
        let is_direct = uri.unix_path().is_some()
            || self.exempt.iter().any(|exempt| exempt.covers(uri.host(), uri.port()));
        proxy.as_ref().filter(|_| !is_direct)
    }
}

/// One proxy for all addresses.
impl From<Proxy> for Proxies {
    fn from(proxy: Proxy) -> Self {
        Self::all(proxy)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("plain", &self.plain)
            .field("secure", &self.secure)
            .field("exempt", &self.exempt)
            .finish()
    }
}

fn parse_proxy(value: &str) -> Result<Proxy, UriError> {
    let value = value.trim();
    if value.contains("://") { Proxy::parse(value) } else { Proxy::parse(&(String::from("http://") + value)) }
}

fn parse_exempt(list: &str) -> Vec<Exempt> {
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).map(Exempt::parse).collect()
}

impl Exempt {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self::All;
        }
        if let Some((address, bits)) = parse_network(entry) {
            return Self::Addresses(address, bits, None);
        }
        // A port, unless the colon is one of several, as in an IPv6 address.
        let with_port = entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let port = with_port.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.map_or((entry, None), |(host, port)| (host, Some(port)));
        match parse_network(host.trim_matches(['[', ']'])) {
            Some((address, bits)) => Self::Addresses(address, bits, port),
            None => Self::Name(host.trim_matches('.').to_ascii_lowercase().into(), port),
        }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Name(name, at) => {
                let host = host.trim_end_matches('.');
                let is_below = host.strip_suffix(&**name).is_some_and(|rest| rest.ends_with('.'));
                let is_address = host.parse::<IpAddr>().is_ok(); // the end of one is no name above it
                !is_address && (host == &**name || is_below) && at.is_none_or(|at| at == port)
            }
            Self::Addresses(network, bits, at) => {
                let is_inside =
                    host.parse().is_ok_and(|address: IpAddr| shares_bits(address, *network, *bits));
                is_inside && at.is_none_or(|at| at == port)
            }
        }
    }
}

/// An address, or the first bits of some.
fn parse_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let len = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(len);
    (bits <= len).then_some((address, bits))
}

fn shares_bits(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    // All bits to the left, so that the first ones are the same for both lengths.
    let number = |address| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let differ = number(a) ^ number(b);
    a.is_ipv4() == b.is_ipv4() && differ.leading_zeros() >= bits.into()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn chosen(variables: &[(&str, &str)], address: &str) -> Option<String> {
        let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
        let proxies = Proxies::from_env(get).expect("good");
        proxies.select(&Uri::parse(address).expect(address)).map(ToString::to_string)
    }

    #[test]
    fn the_variables_of_the_environment() {
        let (plain, secure) = ("ws://h/", "wss://h/");
        for (variables, for_plain, for_secure) in [
            (&[][..], None, None),
            (&[("http_proxy", "http://a")], Some("http://a"), None),
            (&[("HTTP_PROXY", "http://a")], Some("http://a"), None),
            (&[("https_proxy", "a:1")], None, Some("http://a:1")),
            (&[("HTTPS_PROXY", "https://a/")], None, Some("https://a")),
            (&[("all_proxy", "a")], Some("http://a"), Some("http://a")),
            (&[("ALL_PROXY", " a ")], Some("http://a"), Some("http://a")),
            (&[("all_proxy", "a"), ("http_proxy", "b")], Some("http://b"), Some("http://a")),
            (&[("HTTP_PROXY", "a"), ("http_proxy", "b")], Some("http://b"), None),
            (&[("HTTP_PROXY", "a"), ("http_proxy", "")], Some("http://a"), None),
            (&[("HTTP_PROXY", "a"), ("REQUEST_METHOD", "GET")], None, None),
            (&[("http_proxy", "a"), ("REQUEST_METHOD", "GET")], Some("http://a"), None),
            (&[("all_proxy", "a"), ("no_proxy", "h")], None, None),
            (&[("all_proxy", "a"), ("NO_PROXY", "*")], None, None),
        ] {
            assert_eq!(chosen(variables, plain).as_deref(), for_plain, "{variables:?}");
            assert_eq!(chosen(variables, secure).as_deref(), for_secure, "{variables:?}");
            assert_eq!(chosen(variables, "ws+unix:/s"), None);
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error() {
        for (value, error) in [
            ("socks5://a", UriError::Scheme),
            ("a:b", UriError::Port),
            ("http://", UriError::Host),
            ("a#b", UriError::Fragment),
        ] {
            let get = |name: &str| (name == "https_proxy").then(|| value.into());
            assert_eq!(Proxies::from_env(get), Err(error), "{value}");
        }
    }

    #[test]
    fn what_is_reached_without_a_proxy() {
        for (list, address, direct) in [
            ("h.example", "ws://h.example/", true),
            ("h.example", "ws://H.EXAMPLE:81/", true),
            ("h.example", "ws://sub.h.example/", true),
            ("h.example", "ws://h.example./", true),
            ("h.example", "ws://oh.example/", false),
            ("h.example", "ws://example/", false),
            (".h.example", "ws://h.example/", true),
            (".H.example", "ws://sub.h.example/", true),
            ("h.example:81", "ws://h.example:81/", true),
            ("h.example:81", "ws://h.example/", false),
            ("a, b\tc,,d", "wss://d/", true),
            ("a, b\tc,,d", "wss://e/", false),
            ("*", "wss://e/", true),
            ("127.0.0.1", "ws://127.0.0.1/", true),
            ("127.0.0.1", "ws://127.0.0.2/", false),
            ("127.0.0.1:80", "ws://127.0.0.1/", true),
            ("127.0.0.1:81", "ws://127.0.0.1/", false),
            ("10.0.0.0/8", "ws://10.255.0.1/", true),
            ("10.0.0.0/8", "ws://11.0.0.1/", false),
            ("10.0.0.0/33", "ws://10.0.0.1/", false),
            ("0.0.0.0/0", "ws://1.2.3.4/", true),
            ("0.0.0.0/0", "ws://[::1]/", false),
            ("::1", "ws://[::1]/", true),
            ("[::1]", "ws://[::1]/", true),
            ("[::1]:81", "ws://[::1]/", false),
            ("[::1]:81", "ws://[::1]:81/", true),
            ("fe80::/10", "ws://[fe80::1]/", true),
            ("fe80::/10", "ws://[fd00::1]/", false),
            ("0.1", "ws://127.0.0.1/", false),
        ] {
            let proxies = Proxies::all(Proxy::parse("http://p").expect("good")).except(list);
            let uri = Uri::parse(address).expect(address);
            assert_eq!(proxies.select(&uri).is_none(), direct, "{list} {address}");
        }
    }
}
