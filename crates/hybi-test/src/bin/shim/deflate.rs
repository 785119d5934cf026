//! permessage-deflate: the options of `SHIM.md` sections 5.1 and 5.4, and two function kinds of section 7.

use hybi::Role;
use hybi::extension::permessage_deflate::{
    Deflate, DeflateConfig, Level, Params, Takeover, Window, WindowBits,
};
use hybi::extension::{Offer, parse_offers};
use serde_json::{Value, json};

use crate::bytes;
use crate::request::{Object, Request, Unsupported, number, text, truth, unsupported};

/// Why the library does not make these settings.
pub(crate) type Mistake = &'static str;

const BAD_WINDOW_BITS: Mistake = "bad_window_bits";

/// The settings of option `deflate` with `level` and `threshold`, if permessage-deflate is on.
pub(crate) fn take_settings(
    options: &mut Object,
) -> Result<Option<Result<DeflateConfig, Mistake>>, Unsupported> {
    let Some(value) = options.shift_remove("deflate") else { return Ok(None) };
    let config = take_work(options)?;
    settings(config, &value).map(Some)
}

/// What option `pmd` says was agreed on, with `level` and `threshold`.
pub(crate) fn take_agreed(options: &mut Object) -> Result<Option<Deflate>, Unsupported> {
    let Some(value) = options.shift_remove("pmd") else { return Ok(None) };
    let config = take_work(options)?;
    let mut params = Params::default();
    for (name, value) in value.as_object().ok_or_else(|| Unsupported("pmd is no object".to_owned()))? {
        match name.as_str() {
            "server_no_context_takeover" => params.server_no_context_takeover = truth(name, value)?,
            "client_no_context_takeover" => params.client_no_context_takeover = truth(name, value)?,
            "server_max_window_bits" => params.server_max_window_bits = agreed_bits(name, value)?,
            "client_max_window_bits" => params.client_max_window_bits = agreed_bits(name, value)?,
            _ => return unsupported(format!("pmd with {name}")),
        }
    }
    Ok(Some(Deflate::new(config, params)))
}

fn agreed_bits(name: &str, value: &Value) -> Result<WindowBits, Unsupported> {
    bits(value).map_err(|_| Unsupported(format!("{name} of {value}")))
}

/// How much work goes into compression, and into what.
fn take_work(options: &mut Object) -> Result<DeflateConfig, Unsupported> {
    let mut config = DeflateConfig::default();
    if let Some(value) = options.shift_remove("level") {
        let level = u8::try_from(number("level", &value)?).ok().and_then(|level| Level::new(level).ok());
        config.level = level.ok_or_else(|| Unsupported(format!("level {value}")))?;
    }
    if let Some(value) = options.shift_remove("threshold") {
        config.threshold = usize::try_from(number("threshold", &value)?).unwrap_or(usize::MAX);
        config.threshold_with_takeover = false; // so it is meant here
    }
    Ok(config)
}

/// Section 5.4. The inner result is the library's.
fn settings(mut config: DeflateConfig, value: &Value) -> Result<Result<DeflateConfig, Mistake>, Unsupported> {
    for (name, value) in value.as_object().ok_or_else(|| Unsupported("deflate is no object".to_owned()))? {
        let window = match name.as_str() {
            "server_no_context_takeover" => {
                config.server_no_context_takeover = takeover(name, value)?;
                continue;
            }
            "client_no_context_takeover" => {
                config.client_no_context_takeover = takeover(name, value)?;
                continue;
            }
            "server_max_window_bits" if *value != true => &mut config.server_max_window_bits,
            "client_max_window_bits" => &mut config.client_max_window_bits,
            _ => return unsupported(format!("deflate with {name} of {value}")),
        };
        *window = match value {
            Value::Bool(true) => Window::Any,
            Value::Bool(false) => Window::Full,
            value => match bits(value) {
                Ok(bits) => Window::AtMost(bits),
                Err(mistake) => return Ok(Err(mistake)),
            },
        };
    }
    Ok(Ok(config))
}

fn takeover(name: &str, value: &Value) -> Result<Takeover, Unsupported> {
    Ok(if truth(name, value)? { Takeover::None } else { Takeover::Always })
}

fn bits(value: &Value) -> Result<WindowBits, Mistake> {
    let bits = value.as_u64().and_then(|bits| u8::try_from(bits).ok()).ok_or(BAD_WINDOW_BITS)?;
    WindowBits::new(bits).map_err(|_| BAD_WINDOW_BITS)
}

/// Kind `deflate-offer`.
pub(crate) fn offer(request: &Request) -> Result<Value, Unsupported> {
    Ok(match of_request(request)? {
        Ok(config) => json!({"value": config.offer().to_string()}),
        Err(mistake) => json!({"refused": [mistake]}),
    })
}

/// Kind `deflate-params`.
pub(crate) fn params(request: &Request) -> Result<Value, Unsupported> {
    let header = bytes::whole(text("input", &request.input)?)?;
    let config = of_request(request)?.map_err(|mistake| Unsupported(mistake.to_owned()))?;
    let fail = json!({"result": "fail"});
    let Ok(offers) = parse_offers([&header[..]]) else { return Ok(fail) };
    Ok(match request.role {
        Role::Server => match config.answer(&offers) {
            Some((answer, _)) => json!({"result": "accept", "params": named(&answer)?}),
            None => json!({"result": "decline"}),
        },
        Role::Client => match &offers[..] {
            [answer] => config.agree(answer).map_or(Ok(fail), |params| {
                Ok(json!({"result": "accept", "params": in_force(named(answer)?, &params)}))
            })?,
            _ => fail,
        },
    })
}

fn of_request(request: &Request) -> Result<Result<DeflateConfig, Mistake>, Unsupported> {
    let mut options = request.options.clone();
    let config = take_settings(&mut options)?;
    crate::options::none_left(&options)?;
    Ok(config.unwrap_or_else(|| Ok(DeflateConfig::default())))
}

/// The parameters that an answer names.
fn named(answer: &Offer) -> Result<Object, Unsupported> {
    let value = |value: Option<&str>| match value {
        None => Ok(json!(true)),
        Some(digits) => digits.parse().map(|bits: u64| json!(bits)),
    };
    let pair = |name: &str, value: Value| (name.to_owned(), value);
    answer
        .params()
        .iter()
        .map(|param| Ok(pair(param.name(), value(param.value())?)))
        .collect::<Result<_, std::num::ParseIntError>>()
        .map_err(|error| Unsupported(error.to_string()))
}

/// The same with what else is in force.
fn in_force(mut named: Object, params: &Params) -> Object {
    let Params { client_max_window_bits: client, server_max_window_bits: server, .. } = params;
    for (name, bits) in [("client_max_window_bits", client), ("server_max_window_bits", server)] {
        if *bits != WindowBits::MAX || named.contains_key(name) {
            named.insert(name.to_owned(), json!(bits.get()));
        }
    }
    for (name, is) in [
        ("client_no_context_takeover", params.client_no_context_takeover),
        ("server_no_context_takeover", params.server_no_context_takeover),
    ] {
        if is {
            named.insert(name.to_owned(), json!(true));
        }
    }
    named
}
