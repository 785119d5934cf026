//! The function kinds: one result of a pure function. `SHIM.md` section 7.

use hybi::extension::{NotAToken, Offer, format_offers, parse_offers};
use hybi::handshake::Subprotocols;
use serde_json::{Value, json};

use crate::bytes;
use crate::request::{Request, Unsupported, text};

pub(crate) fn extension_header(request: &Request) -> Result<Value, Unsupported> {
    let header = bytes::whole(text("input", &request.input)?)?;
    let Ok(offers) = parse_offers([&header[..]]) else { return Ok(json!({"result": "syntax_error"})) };
    let show = |offer: &Offer| {
        let params = offer.params().iter().map(|param| json!({"name": param.name(), "value": param.value()}));
        json!({"name": offer.name(), "params": params.collect::<Vec<_>>()})
    };
    Ok(json!({"result": "ok", "offers": offers.iter().map(show).collect::<Vec<_>>()}))
}

pub(crate) fn extension_format(request: &Request) -> Result<Value, Unsupported> {
    let list = request.input.as_array().ok_or_else(|| Unsupported("a list of offers".to_owned()))?;
    let offers: Result<Vec<Offer>, NotAToken> = list.iter().map(offer).collect::<Result<_, _>>()?;
    Ok(match offers {
        Ok(offers) => json!({"value": format_offers(&offers)}),
        Err(NotAToken) => json!({"refused": ["not_a_token"]}),
    })
}

/// The inner result is the library's.
fn offer(value: &Value) -> Result<Result<Offer, NotAToken>, Unsupported> {
    let mut offer = Offer::new(text("name", &value["name"])?);
    for param in value["params"].as_array().into_iter().flatten() {
        let name = text("name", &param["name"])?;
        let value = match &param["value"] {
            Value::Null | Value::Bool(true) => None,
            Value::Number(number) => Some(number.to_string()),
            value => Some(text("value", value)?.to_owned()),
        };
        offer = offer.and_then(|offer| offer.with_param(name, value.as_deref()));
    }
    Ok(offer)
}

pub(crate) fn subprotocol_header(request: &Request) -> Result<Value, Unsupported> {
    let header = bytes::whole(text("input", &request.input)?)?;
    Ok(match Subprotocols::parse([&header[..]]) {
        Ok(list) => json!({"result": "ok", "protocols": list.iter().collect::<Vec<_>>()}),
        Err(_) => json!({"result": "syntax_error"}),
    })
}
