//! Kind `extension-framework`: toy extensions through a handshake and a connection. `SHIM.md` section 7.
//!
//! The toys do as they are told, note what they are asked, and leave messages as they are.

use std::sync::{Arc, Mutex, PoisonError};

use hybi::extension::{
    AgreeError, Agreed, Extension, Extensions, Inward, Offer, Outward, Rsv, TransformError, Transforms,
    Transit, format_offers, parse_offers,
};
use hybi::handshake::{Accept, ClientHandshake, ClientRequest, Outcome, Request as Upgrade};
use hybi::{
    Agreement, BoxEntropy, Config, Connection, Event, HandshakeError, Opcode, ProtocolError, Role,
    UsageError, Versions,
};
use hybi_test::endpoint::{fixed_entropy, open_agreed};
use hybi_test::frames::{first, to};
use serde_json::{Value, json};

use crate::bytes;
use crate::request::{Object, Request, Unsupported, list, number, text, truth, unsupported};

/// What an extension of the request is told to do.
#[derive(Clone, Debug)]
struct Toy {
    name: String,
    rsv: Rsv,
    offers: Vec<Offer>,
    /// `None`: it declines.
    response: Option<Offer>,
    activate: bool,
    fail: Option<String>,
    notes: Arc<Mutex<Notes>>,
}

/// What the toys were asked.
#[derive(Debug, Default)]
struct Notes {
    offers_seen: Object,
    order: Vec<String>,
}

pub(crate) fn run(request: &Request) -> Result<Value, Unsupported> {
    crate::options::none_left(&request.options)?;
    let notes = Arc::default();
    let (mut input, mut extensions) = (Input::default(), Extensions::new());
    for (name, value) in request.input.as_object().into_iter().flatten() {
        match name.as_str() {
            "registered" => register(&mut extensions, value, &notes)?,
            "request" | "response" => input.header = Some(bytes::whole(text(name, value)?)?),
            "process" => input.process = Some(text(name, value)?.to_owned()),
            "frames" => input.frames = frames(value)?,
            _ => return unsupported(format!("extension-framework with {name}")),
        }
    }
    let mut answer = json!({});
    let agreement = match (request.role, &input.header) {
        (Role::Client, header) => {
            answer["header"] = shown(&format_offers(&extensions.offers()));
            header.as_ref().map_or(Ok(Agreement::default()), |header| client(extensions, header))
        }
        (Role::Server, None) => Ok(Agreement::default()),
        (Role::Server, Some(header)) => server(extensions, header).map(|(header, agreement)| {
            answer["header"] = header;
            agreement
        }),
    };
    match agreement {
        Err(error) => answer["error"] = json!({"kind": kind(error)?}),
        Ok(agreement) => {
            answer["active"] = agreement.extensions().collect();
            answer["legal"] = input.frames.iter().map(|frame| is_legal(agreement.agreed(), *frame)).collect();
            let connection = open_agreed(request.role, agreement, Config::default());
            if !process(connection, input.process.as_deref())? {
                answer["error"] = json!({"kind": "extension_failed", "name": look(&notes, |notes| notes.order.last().cloned())});
            }
        }
    }
    answer["offers_seen"] = look(&notes, |notes| notes.offers_seen.clone().into());
    answer["order"] = look(&notes, |notes| json!(notes.order));
    Ok(answer)
}

#[derive(Debug, Default)]
struct Input {
    header: Option<Vec<u8>>,
    process: Option<String>,
    frames: Vec<(u8, Rsv)>,
}

fn look<T>(notes: &Mutex<Notes>, at: impl FnOnce(&mut Notes) -> T) -> T {
    at(&mut notes.lock().unwrap_or_else(PoisonError::into_inner))
}

fn shown(header: &str) -> Value {
    if header.is_empty() { Value::Null } else { json!(header) }
}

// ---- what is asked

fn register(
    extensions: &mut Extensions,
    value: &Value,
    notes: &Arc<Mutex<Notes>>,
) -> Result<(), Unsupported> {
    for value in value.as_array().ok_or_else(|| Unsupported("registered is no list".to_owned()))? {
        let toy = Toy::parse(value, notes)?;
        extensions.register(toy).map_err(|error| Unsupported(error.to_string()))?;
    }
    Ok(())
}

impl Toy {
    fn parse(value: &Value, notes: &Arc<Mutex<Notes>>) -> Result<Self, Unsupported> {
        let name = text("name", &value["name"])?;
        let element = |params: &str| {
            let text = if params.is_empty() { name.to_owned() } else { format!("{name}; {params}") };
            let mut elements = parse_offers([text.as_bytes()]).unwrap_or_default();
            let one = elements.pop().filter(|_| elements.is_empty());
            one.ok_or_else(|| Unsupported(format!("{text:?} is no offer")))
        };
        let mut toy = Self {
            name: name.to_owned(),
            rsv: Rsv::NONE,
            offers: vec![element("")?],
            response: Some(element("")?),
            activate: true,
            fail: None,
            notes: notes.clone(),
        };
        for (name, value) in value.as_object().into_iter().flatten() {
            match name.as_str() {
                "name" => {}
                "rsv" => toy.rsv = rsv(value)?,
                "offers" => {
                    toy.offers =
                        list(name, value)?.iter().map(|text| element(text)).collect::<Result<_, _>>()?;
                }
                "response" if value.is_null() => toy.response = None,
                "response" => toy.response = Some(element(text(name, value)?)?),
                "activate" => toy.activate = truth(name, value)?,
                "fail" => toy.fail = Some(text(name, value)?.to_owned()),
                _ => return unsupported(format!("an extension with {name}")),
            }
        }
        Ok(toy)
    }

    /// Notes that a message passes.
    fn pass(&self, direction: &str) -> Result<(), TransformError> {
        look(&self.notes, |notes| notes.order.push(self.name.clone()));
        if self.fail.as_deref() == Some(direction) { Err(TransformError::Invalid) } else { Ok(()) }
    }
}

/// Three digits, the first for RSV1.
fn rsv(value: &Value) -> Result<Rsv, Unsupported> {
    let digits = text("rsv", value)?;
    let bits = u8::from_str_radix(digits, 2).ok().filter(|_| digits.len() == 3);
    bits.map(Rsv::from_bits).ok_or_else(|| Unsupported(format!("rsv {digits}")))
}

fn frames(value: &Value) -> Result<Vec<(u8, Rsv)>, Unsupported> {
    let frame = |frame: &Value| {
        let opcode = number("opcode", &frame[0])?;
        let opcode = u8::try_from(opcode).map_err(|_| Unsupported(format!("opcode {opcode}")))?;
        Ok((opcode, rsv(&frame[1])?))
    };
    value.as_array().into_iter().flatten().map(frame).collect()
}

// ---- the toys

impl Extension for Toy {
    fn name(&self) -> &str {
        &self.name
    }

    fn rsv(&self) -> Rsv {
        self.rsv
    }

    fn offers(&self) -> Vec<Offer> {
        self.offers.clone()
    }

    fn answer(&self, offers: &[Offer]) -> Option<Offer> {
        let params = |offer: &Offer| {
            let text = offer.to_string();
            text.split_once("; ").map_or(String::new(), |(_, params)| params.to_owned())
        };
        let seen = offers.iter().map(params).collect();
        look(&self.notes, |notes| notes.offers_seen.insert(self.name.clone(), seen));
        self.response.clone()
    }

    fn agrees(&self, _: &Offer) -> bool {
        self.activate
    }

    fn transforms(&self, _: Role, _: &Offer) -> Transforms {
        Transforms { outward: Box::new(self.clone()), inward: Box::new(self.clone()) }
    }
}

impl Outward for Toy {
    fn outward(&mut self, _: &mut Transit) -> Result<(), TransformError> {
        self.pass("outgoing")
    }
}

impl Inward for Toy {
    fn inward(&mut self, _: &mut Transit, _: usize) -> Result<(), TransformError> {
        self.pass("incoming")
    }
}

// ---- what comes of it

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn client(extensions: Extensions, header: &[u8]) -> Result<Agreement, HandshakeError> {
    let request = ClientRequest::new("ws://h/").and_then(|request| request.with_key(KEY));
    let request = request.map_err(|_| HandshakeError::BadHttp)?.with_extensions(extensions);
    let mut handshake = ClientHandshake::new(request, Config::default(), BoxEntropy::new(fixed_entropy));
    let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: ";
    let _ = handshake.receive(&[head, header, b"\r\n\r\n"].concat());
    match handshake.poll_event() {
        Some(Outcome::Failed(error)) => Err(error),
        _ => handshake
            .into_connection()
            .map(|connection| connection.agreement().clone())
            .ok_or(HandshakeError::TransportEnded),
    }
}

/// The header of the answer, and what is agreed on.
fn server(extensions: Extensions, header: &[u8]) -> Result<(Value, Agreement), HandshakeError> {
    let fields = [
        ("Host", &b"h"[..]),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", KEY.as_bytes()),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Extensions", header),
    ];
    let request = Upgrade::from_parts(Versions::default(), "GET", (1, 1), "/", fields);
    let request = request.map_err(|refusal| refusal.error)?;
    let acceptance = request.accept(Accept::new().with_extensions(extensions));
    let acceptance = acceptance.map_err(|_| HandshakeError::BadExtensions)?;
    let header = acceptance.fields.get_str("Sec-WebSocket-Extensions").unwrap_or_default();
    Ok((shown(header), acceptance.agreement))
}

fn kind(error: HandshakeError) -> Result<&'static str, Unsupported> {
    Ok(match error {
        // A header that no HTTP field can hold is none of the language of extensions either.
        HandshakeError::BadExtensions | HandshakeError::BadHttp => "syntax",
        HandshakeError::UnacceptableExtensions(AgreeError::NotOffered) => "unknown_extension",
        HandshakeError::UnacceptableExtensions(AgreeError::RsvConflict) => "rsv_conflict",
        HandshakeError::UnacceptableExtensions(AgreeError::Unacceptable) => "unacceptable_params",
        other => return unsupported(format!("error {other:?} has no name here")),
    })
}

/// Bits of a frame whose opcode means nothing are legal where there are none.
fn is_legal(agreed: &Agreed, (opcode, rsv): (u8, Rsv)) -> bool {
    Opcode::from_bits(opcode).map_or(rsv == Rsv::NONE, |opcode| agreed.is_legal(opcode, rsv))
}

/// Sends or receives a message; false if an extension failed on it.
fn process(mut connection: Connection, direction: Option<&str>) -> Result<bool, Unsupported> {
    match direction {
        None => Ok(true),
        Some("outgoing") => match connection.send("Hello") {
            Ok(()) => Ok(true),
            Err(UsageError::ExtensionFailed) => Ok(false),
            Err(error) => unsupported(format!("refusal {error:?} has no name here")),
        },
        Some("incoming") => {
            let mut frame = to(connection.role(), first::TEXT, b"Hello");
            let mut input = connection.receive(&mut frame);
            match input.poll_event() {
                Some(Event::Text(_)) => Ok(true),
                Some(Event::Failed(ProtocolError::InvalidExtensionData)) => Ok(false),
                event => unsupported(format!("event {event:?} has no name here")),
            }
        }
        Some(direction) => unsupported(format!("process {direction}")),
    }
}
