//! A client whose request has been made, and the application that follows redirects: `SHIM.md` section 5.3.

use std::sync::Arc;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{
    ClientHandshake, ClientRequest, Outcome, RedirectError, Redirects, RequestError, Response,
};
use hybi::{BoxEntropy, Config, Connection, Version};
use hybi_test::octets::hex;
use serde_json::{Value, json};

use crate::deflate::{self, Mistake};
use crate::endpoint;
use crate::meter::Meter;
use crate::request::{Object, Unsupported, list, number, pairs, text, truth};
use crate::script::entropy;

#[derive(Debug)]
pub(crate) struct ClientDoor {
    pub(crate) handshake: ClientHandshake,
    pub(crate) failed: bool,
    config: Arc<Config>,
    redirects: Option<Redirects>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Ended {
    Not,
    Opened(Response),
    /// The next request was made, on another transport.
    Redirected,
    Failed(&'static str),
}

/// What the caller wants.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    url: Option<String>,
    version: Option<u64>,
    key: Option<String>,
    protocols: Vec<String>,
    origin: Option<String>,
    auth: Option<String>,
    headers: Vec<(String, String)>,
    follows: bool,
    max_redirects: Option<u32>,
    deflate: Option<Result<DeflateConfig, Mistake>>,
}

impl Wishes {
    /// Takes what it knows out of the options.
    pub(crate) fn take(options: &mut Object) -> Result<Self, Unsupported> {
        let mut wishes = Self { deflate: deflate::take_settings(options)?, ..Self::default() };
        let mut left = Object::new();
        for (name, value) in std::mem::take(options) {
            if !wishes.set(&name, &value)? {
                left.insert(name, value);
            }
        }
        *options = left;
        Ok(wishes)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<bool, Unsupported> {
        match name {
            "url" => self.url = Some(text(name, value)?.to_owned()),
            "version" => self.version = Some(number(name, value)?),
            "key" => self.key = Some(text(name, value)?.to_owned()),
            "protocols" => self.protocols = list(name, value)?,
            "origin" => self.origin = Some(text(name, value)?.to_owned()),
            "auth" => self.auth = Some(text(name, value)?.to_owned()),
            "headers" => self.headers = pairs(name, value)?,
            "follow_redirects" => self.follows = truth(name, value)?,
            "max_redirects" => self.max_redirects = u32::try_from(number(name, value)?).ok(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The request, or why the library does not make it.
    fn request(&self) -> Result<ClientRequest, &'static str> {
        let mut request = ClientRequest::new(self.url.as_deref().unwrap_or(URL)).map_err(request_error)?;
        if let Some(number) = self.version {
            let version = u8::try_from(number).ok().and_then(Version::from_number).ok_or("bad_version")?;
            request = request.with_version(version);
        }
        if let Some((user, password)) = self.auth.as_deref().and_then(|auth| auth.split_once(':')) {
            request = request.with_basic_auth(user, password);
        }
        if let Some(config) = &self.deflate {
            request = request.with_deflate(config.clone()?);
        }
        self.checked(request).map_err(request_error)
    }

    fn checked(&self, mut request: ClientRequest) -> Result<ClientRequest, RequestError> {
        for name in &self.protocols {
            request = request.with_subprotocol(name)?;
        }
        if let Some(origin) = &self.origin {
            request = request.with_origin(origin)?;
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value)?;
        }
        if let Some(key) = &self.key {
            request = request.with_key(key)?;
        }
        Ok(request)
    }
}

pub(crate) const URL: &str = "ws://server.example.com/chat";

impl ClientDoor {
    /// Makes the request; `Err`: why the library does not.
    pub(crate) fn new(config: Arc<Config>, wishes: &Wishes, meter: &mut Meter) -> Result<Self, &'static str> {
        let redirects = wishes.follows.then(|| {
            let mut redirects = Redirects::default();
            // Whoever asks to follow here follows everywhere; what goes along is the library's to say.
            redirects.allow_insecure = true;
            redirects.allow_unix = true;
            redirects.limit = wishes.max_redirects.unwrap_or(redirects.limit);
            redirects
        });
        let handshake = meter.library(|| {
            let request = wishes.request()?;
            Ok::<_, &'static str>(ClientHandshake::new(request, config.clone(), BoxEntropy::new(entropy)))
        })?;
        Ok(Self { handshake, failed: false, config, redirects })
    }

    /// Writes the request: an entry of `attempts`.
    pub(crate) fn attempt(&mut self) -> Value {
        let uri = self.handshake.request().uri();
        let unix = uri.unix_path();
        let host = uri.host().trim_start_matches('[').trim_end_matches(']');
        let attempt = json!({
            "url": uri.to_string(),
            "host": if unix.is_some() { Value::Null } else { json!(host) },
            "port": if unix.is_some() { Value::Null } else { json!(uri.port()) },
            "secure": uri.is_secure(),
            "unix_path": unix,
            "request": hex(self.handshake.transmit()),
        });
        let n = self.handshake.transmit().len();
        self.handshake.transmitted(n);
        attempt
    }

    /// How it ended, if it did.
    pub(crate) fn poll(&mut self, meter: &mut Meter) -> Ended {
        match meter.library(|| self.handshake.poll_event()) {
            None => Ended::Not,
            Some(Outcome::Opened(response)) => Ended::Opened(response),
            Some(Outcome::Failed(error)) => match self.next_request(meter) {
                Some(Ok(request)) => {
                    let config = self.config.clone();
                    self.handshake =
                        meter.library(|| ClientHandshake::new(request, config, BoxEntropy::new(entropy)));
                    Ended::Redirected
                }
                Some(Err(error)) => self.fail(redirect_error(error)),
                None => self.fail(endpoint::name(error)),
            },
        }
    }

    fn next_request(&mut self, meter: &mut Meter) -> Option<Result<ClientRequest, RedirectError>> {
        let (redirects, handshake) = (self.redirects.as_mut()?, &self.handshake);
        meter.library(|| redirects.next(handshake.request(), handshake.response()?))
    }

    fn fail(&mut self, why: &'static str) -> Ended {
        self.failed = true;
        Ended::Failed(why)
    }

    /// The connection, once the handshake is over and well.
    pub(crate) fn into_connection(self, meter: &mut Meter) -> Option<Box<Connection>> {
        meter.library(|| self.handshake.into_connection().map(Box::new))
    }
}

/// A response as the caller sees it.
pub(crate) fn show(response: &Response) -> Value {
    let headers: Vec<Value> =
        response.fields().iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
    json!({"status": response.status(), "headers": headers, "body": hex(response.body())})
}

pub(crate) fn request_error(error: RequestError) -> &'static str {
    match error {
        RequestError::BadUri(_) => "bad_url",
        RequestError::BadProtocol => "bad_protocol",
        _ => "bad_header",
    }
}

fn redirect_error(error: RedirectError) -> &'static str {
    match error {
        RedirectError::TooMany => "too_many_redirects",
        RedirectError::BadUri(_) => "bad_url",
        _ => "policy",
    }
}
