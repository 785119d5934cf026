//! A server that waits for a request, and the application behind it: `SHIM.md` section 5.2.

use std::sync::Arc;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::handshake::{Accept, Answer, AnswerError, Incoming, Request, ServerHandshake, ServerSettings};
use hybi::{Config, Connection, Version};
use serde_json::Value;

use crate::deflate::{self, Mistake};
use crate::endpoint;
use crate::meter::Meter;
use crate::request::{Object, Unsupported, list, number, pairs, text, truth, unsupported};

#[derive(Debug)]
pub(crate) struct ServerDoor {
    pub(crate) handshake: ServerHandshake,
    application: Application,
    /// What the application has not decided on.
    request: Option<Request>,
}

/// What the application wants.
#[derive(Debug, Default)]
pub(crate) struct Application {
    versions: Vec<u64>,
    protocols: Vec<String>,
    selects_last: bool,
    accept_protocol: Option<String>,
    path: Option<String>,
    authorize: Authorize,
    allowed_origins: Option<Vec<String>>,
    require_origin: bool,
    closing: bool,
    response_headers: Vec<(String, String)>,
    deflate: Option<Result<DeflateConfig, Mistake>>,
}

#[derive(Debug, Default)]
enum Authorize {
    #[default]
    Yes,
    No,
    With(u16, Vec<(String, String)>),
    Later,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Decided {
    Nothing,
    Accepted(Box<Connection>),
    /// Why there will be no connection.
    Failed(&'static str),
    /// The library refused what the application answered.
    Refused(&'static str),
}

impl Application {
    /// Takes what it knows out of the options.
    pub(crate) fn take(options: &mut Object) -> Result<Self, Unsupported> {
        let mut application = Self { deflate: deflate::take_settings(options)?, ..Self::default() };
        let mut left = Object::new();
        for (name, value) in std::mem::take(options) {
            if !application.set(&name, &value)? {
                left.insert(name, value);
            }
        }
        *options = left;
        Ok(application)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<bool, Unsupported> {
        match name {
            "versions" => {
                let versions = value.as_array().ok_or_else(|| Unsupported("versions".to_owned()))?;
                self.versions = versions.iter().map(|value| number(name, value)).collect::<Result<_, _>>()?;
            }
            "protocols" => self.protocols = list(name, value)?,
            "select_protocol" if value == "last" => self.selects_last = true,
            "accept_protocol" => self.accept_protocol = Some(text(name, value)?.to_owned()),
            "path" => self.path = Some(text(name, value)?.to_owned()),
            "authorize" => self.authorize = authorize(value)?,
            "allowed_origins" => self.allowed_origins = Some(list(name, value)?),
            "require_origin" => self.require_origin = truth(name, value)?,
            "closing" => self.closing = truth(name, value)?,
            "response_headers" => self.response_headers = pairs(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Why the request is refused, with the answer; `None`: nothing speaks against it.
    fn refusal(&self, request: &Request) -> Option<(&'static str, Answer)> {
        if self.path.as_ref().is_some_and(|path| path != request.path()) {
            return Some(("bad_path", Answer::new(404)));
        }
        let allowed = |allowed: &Vec<String>| {
            request.origin_allowed(&allowed.iter().map(String::as_str).collect::<Vec<_>>())
        };
        if !self.allowed_origins.as_ref().is_none_or(allowed)
            || self.require_origin && request.origin().is_none()
        {
            return Some(("bad_origin", Answer::new(403)));
        }
        match &self.authorize {
            Authorize::No => return Some(("refused", Answer::new(403))),
            Authorize::With(status, headers) => {
                let with = |answer: Answer, (name, value): &(String, String)| answer.with_header(name, value);
                return Some(("refused", headers.iter().fold(Answer::new(*status), with)));
            }
            Authorize::Yes | Authorize::Later => {}
        }
        self.closing.then(|| ("shutting_down", Answer::new(503)))
    }

    fn acceptance(&self, request: &Request) -> Result<Accept, Mistake> {
        let supported: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        let chosen = match (&self.accept_protocol, self.selects_last) {
            (Some(name), _) => Some(name.as_str()),
            (None, true) => request.subprotocols().iter().last(),
            (None, false) => request.select_subprotocol(&supported),
        };
        let mut accept = chosen.map_or_else(Accept::new, |name| Accept::new().with_subprotocol(name));
        if let Some(config) = &self.deflate {
            accept = accept.with_deflate(config.clone()?);
        }
        let with = |accept: Accept, (name, value): &(String, String)| accept.with_header(name, value);
        Ok(self.response_headers.iter().fold(accept, with))
    }
}

impl ServerDoor {
    pub(crate) fn new(
        config: Arc<Config>,
        application: Application,
        meter: &mut Meter,
    ) -> Result<Self, Unsupported> {
        let mut settings = ServerSettings::default();
        for &number in &application.versions {
            let Some(version) = u8::try_from(number).ok().and_then(Version::from_number) else {
                return unsupported(format!("version {number}"));
            };
            settings.versions = settings.versions.with(version);
        }
        if !application.versions.is_empty() && !application.versions.contains(&13) {
            return unsupported("a server without version 13");
        }
        let handshake = meter.library(|| ServerHandshake::new(config, settings));
        Ok(Self { handshake, application, request: None })
    }

    /// What came, and what the application says to it.
    pub(crate) fn poll(&mut self, meter: &mut Meter) -> Decided {
        match meter.library(|| self.handshake.poll_event()) {
            None | Some(Incoming::Plain(_)) => Decided::Nothing,
            Some(Incoming::Failed(error)) => Decided::Failed(endpoint::name(error)),
            Some(Incoming::Upgrade(request)) => {
                if let Some((why, answer)) = self.application.refusal(&request) {
                    return match meter.library(|| self.handshake.reject(answer)) {
                        Ok(()) => Decided::Failed(why),
                        Err(error) => Decided::Refused(answer_error(error)),
                    };
                }
                self.request = Some(request);
                match self.application.authorize {
                    Authorize::Later => Decided::Nothing,
                    _ => self.accept(meter),
                }
            }
        }
    }

    /// The application accepts.
    pub(crate) fn accept(&mut self, meter: &mut Meter) -> Decided {
        let Some(request) = &self.request else { return Decided::Refused("not_open") };
        let accept = match self.application.acceptance(request) {
            Ok(accept) => accept,
            Err(mistake) => return Decided::Refused(mistake),
        };
        match meter.library(|| self.handshake.accept(accept).map(Box::new)) {
            Ok(connection) => Decided::Accepted(connection),
            Err(error) => Decided::Refused(answer_error(error)),
        }
    }
}

fn authorize(value: &Value) -> Result<Authorize, Unsupported> {
    match value {
        Value::Bool(true) => Ok(Authorize::Yes),
        Value::Bool(false) => Ok(Authorize::No),
        Value::String(later) if later == "later" => Ok(Authorize::Later),
        Value::Object(answer) => {
            let status = number("status", answer.get("status").unwrap_or(&Value::Null))?;
            let headers =
                answer.get("headers").map_or(Ok(Vec::new()), |headers| pairs("headers", headers))?;
            // A number that is no `u16` is no status either.
            Ok(Authorize::With(u16::try_from(status).unwrap_or(u16::MAX), headers))
        }
        _ => unsupported("this way to authorize"),
    }
}

fn answer_error(error: AnswerError) -> &'static str {
    match error {
        AnswerError::BadProtocol => "bad_protocol",
        AnswerError::BadHeader => "bad_header",
        AnswerError::BadStatus => "bad_status",
        _ => "not_open",
    }
}
