//! A client that has asked a proxy for a tunnel: `SHIM.md` sections 3 and 5.3.

use std::sync::Arc;

use hybi::Config;
use hybi::handshake::{ConnectProxy, Outcome, Proxy, RequestError, Response, Uri};
use hybi_test::octets::hex;
use serde_json::{Value, json};

use crate::client::request_error;
use crate::endpoint;
use crate::meter::Meter;
use crate::request::{Object, Unsupported, pairs, text};

#[derive(Debug)]
pub(crate) struct ProxyDoor {
    pub(crate) tunnel: ConnectProxy,
    pub(crate) state: Tunnel,
    proxy: Proxy,
    target: Uri,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tunnel {
    Asked,
    Open,
    None,
}

/// What the caller wants of the proxy.
#[derive(Debug)]
pub(crate) struct Wishes {
    url: String,
    proxy: String,
    headers: Vec<(String, String)>,
}

impl Wishes {
    /// Takes what it knows out of the options.
    pub(crate) fn take(options: &mut Object) -> Result<Self, Unsupported> {
        let mut take = |name: &str, default: &str| match options.shift_remove(name) {
            Some(value) => text(name, &value).map(str::to_owned),
            None => Ok(default.to_owned()),
        };
        Ok(Self {
            url: take("url", crate::client::URL)?,
            proxy: take("proxy", "http://proxy.example.com")?,
            headers: match options.shift_remove("proxy_headers") {
                Some(value) => pairs("proxy_headers", &value)?,
                None => Vec::new(),
            },
        })
    }

    fn checked(&self) -> Result<(Proxy, Uri), RequestError> {
        let mut proxy = Proxy::parse(&self.proxy)?;
        for (name, value) in &self.headers {
            proxy = proxy.with_header(name, value)?;
        }
        Ok((proxy, Uri::parse(&self.url)?))
    }
}

impl ProxyDoor {
    /// Makes the request; `Err`: why the library does not.
    pub(crate) fn new(config: Arc<Config>, wishes: &Wishes, meter: &mut Meter) -> Result<Self, &'static str> {
        let (proxy, target) = meter.library(|| wishes.checked()).map_err(request_error)?;
        let tunnel = meter.library(|| ConnectProxy::new(&proxy, &target, config));
        Ok(Self { tunnel, state: Tunnel::Asked, proxy, target })
    }

    /// Writes the request: an entry of `attempts`.
    pub(crate) fn attempt(&mut self) -> Value {
        let attempt = json!({
            "url": self.target.to_string(),
            "host": self.proxy.host(),
            "port": self.proxy.port(),
            "secure": self.proxy.is_secure(),
            "unix_path": null,
            "request": hex(self.tunnel.transmit()),
        });
        self.tunnel.transmitted(self.tunnel.transmit().len());
        attempt
    }

    /// How it ended, if it did: the answer that opened the tunnel, or why there is none.
    pub(crate) fn poll(&mut self, meter: &mut Meter) -> Option<Result<Response, &'static str>> {
        Some(match meter.library(|| self.tunnel.poll_event())? {
            Outcome::Opened(response) => {
                self.state = Tunnel::Open;
                Ok(response)
            }
            Outcome::Failed(error) => {
                self.state = Tunnel::None;
                Err(endpoint::name(error))
            }
        })
    }
}
