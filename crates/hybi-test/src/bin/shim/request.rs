//! A request: one line of JSON. `SHIM.md` section 1.

use hybi::Role;
use serde_json::{Map, Value};

/// The right answer to what is not built, and to what the types of the library make impossible.
#[derive(Debug)]
pub(crate) struct Unsupported(pub(crate) String);

/// Why a thing is unsupported.
pub(crate) fn unsupported<T>(why: impl Into<String>) -> Result<T, Unsupported> {
    Err(Unsupported(why.into()))
}

pub(crate) type Object = Map<String, Value>;

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) role: Role,
    pub(crate) options: Object,
    pub(crate) input: Value,
}

impl Request {
    pub(crate) fn parse(line: &str) -> Result<Self, Unsupported> {
        let mut value: Value = serde_json::from_str(line).map_err(|error| Unsupported(error.to_string()))?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            id: text("id").ok_or(Unsupported("a request without id".to_owned()))?,
            kind: text("kind").unwrap_or_default(),
            role: match text("role").as_deref() {
                Some("client") => Role::Client,
                _ => Role::Server,
            },
            options: value["options"].as_object().cloned().unwrap_or_default(),
            input: value["input"].take(),
        })
    }
}

/// A member of an object that has to have a type.
pub(crate) fn number(name: &str, value: &Value) -> Result<u64, Unsupported> {
    value.as_u64().ok_or_else(|| Unsupported(format!("{name} is no number")))
}

pub(crate) fn truth(name: &str, value: &Value) -> Result<bool, Unsupported> {
    value.as_bool().ok_or_else(|| Unsupported(format!("{name} is neither true nor false")))
}

pub(crate) fn text<'v>(name: &str, value: &'v Value) -> Result<&'v str, Unsupported> {
    value.as_str().ok_or_else(|| Unsupported(format!("{name} is no text")))
}

pub(crate) fn seconds(name: &str, value: &Value) -> Result<std::time::Duration, Unsupported> {
    let seconds = value.as_f64().ok_or_else(|| Unsupported(format!("{name} is no number")))?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|error| Unsupported(format!("{name}: {error}")))
}

pub(crate) fn list(name: &str, value: &Value) -> Result<Vec<String>, Unsupported> {
    let items = value.as_array().ok_or_else(|| Unsupported(format!("{name} is no list")))?;
    items.iter().map(|item| text(name, item).map(str::to_owned)).collect()
}

/// Headers: a list of names and values.
pub(crate) fn pairs(name: &str, value: &Value) -> Result<Vec<(String, String)>, Unsupported> {
    let items = value.as_array().ok_or_else(|| Unsupported(format!("{name} is no list")))?;
    let pair = |item: &Value| Ok((text(name, &item[0])?.to_owned(), text(name, &item[1])?.to_owned()));
    items.iter().map(pair).collect()
}
