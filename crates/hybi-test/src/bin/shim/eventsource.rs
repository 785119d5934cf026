//! A stream of server-sent events, or the request for one: `SHIM.md` section 3.

use std::time::Duration;

use hybi::handshake::{Incoming, RequestHead, ServerHandshake, ServerSettings};
use hybi::{Config, Instant};
use hybi_eventsource::{Event, EventStream, SendError, Settings};
use hybi_test::octets::hex;
use serde_json::{Value, json};

use crate::bytes;
use crate::request::{Object, Request, Unsupported, number, pairs, seconds, text, unsupported};

pub(crate) fn run(request: &Request) -> Result<Value, Unsupported> {
    let Some(steps) = request.input.as_array() else { return unsupported("a script is a list") };
    let steps: Vec<&Object> = steps.iter().filter_map(Value::as_object).collect();
    match steps.first().map(|step| &step["op"]) {
        Some(op) if op == "recv" => look_at(&steps),
        _ => stream(request, &steps),
    }
}

fn look_at(steps: &[&Object]) -> Result<Value, Unsupported> {
    let mut settings = ServerSettings::default();
    settings.plain_requests = true;
    let mut handshake = ServerHandshake::new(Config::default(), settings);
    for step in steps {
        for read in bytes::reads(text("hex", step.get("hex").unwrap_or(&Value::Null))?)? {
            let _ = handshake.receive(&read); // what it does not take is behind the request
        }
    }
    let facts = |is: bool, head: &RequestHead| {
        json!({
            "is_eventsource": is,
            "url": hybi_eventsource::url(head, false),
            "last_event_id": hybi_eventsource::last_event_id(head),
        })
    };
    Ok(match handshake.poll_event() {
        Some(Incoming::Plain(head)) => facts(hybi_eventsource::is_requested(&head), &head),
        Some(Incoming::Upgrade(request)) => facts(false, request.head()),
        _ => json!({"is_eventsource": false}),
    })
}

fn stream(request: &Request, steps: &[&Object]) -> Result<Value, Unsupported> {
    let mut facts = json!({"refused": [], "trace": []});
    let Some(settings) = settings(&request.options)? else {
        return Ok(json!({"refused": ["bad_header"], "trace": [{"sent_len": 0}]}));
    };
    let mut stream = EventStream::new(settings);
    let mut now = Instant::ZERO;
    stream.handle_timeout(now);
    let mut sent = Vec::new();
    transmit(&mut stream, &mut sent, &mut facts);
    for step in steps {
        let done = match text("op", &step["op"])? {
            "send" => {
                let data = bytes::whole(text("hex", &step["hex"])?)?;
                let Ok(data) = String::from_utf8(data) else { return unsupported("text that is not UTF-8") };
                let mut event = Event::new(&data);
                if let Some(kind) = step.get("event").and_then(Value::as_str) {
                    event = event.with_type(kind);
                }
                if let Some(id) = step.get("id").and_then(Value::as_str) {
                    event = event.with_id(id);
                }
                stream.send(&event)
            }
            "ping" => stream.ping(),
            "close" => {
                stream.close();
                Ok(())
            }
            "advance" => {
                advance(&mut stream, &mut now, seconds("seconds", &step["seconds"])?, &mut sent);
                Ok(())
            }
            op => return unsupported(format!("{op} of a stream of events")),
        };
        if let Err(error) = done {
            let word = match error {
                SendError::Closed => "not_open",
                SendError::BadField => "bad_field",
                SendError::QueueFull => "queue_full",
                error => return unsupported(format!("refusal {error:?} has no name here")),
            };
            facts["refused"].as_array_mut().expect("a list").push(json!(word));
        }
        transmit(&mut stream, &mut sent, &mut facts);
    }
    facts["sent"] = json!(hex(&sent));
    facts["transport"] = json!(if stream.wants_close() { "close" } else { "keep" });
    Ok(facts)
}

/// `None` if a header is refused.
fn settings(options: &Object) -> Result<Option<Settings>, Unsupported> {
    let mut settings = Settings::default();
    settings.ping = None;
    for (name, value) in options {
        match name.as_str() {
            "retry_seconds" => settings.retry = seconds(name, value)?,
            "ping_seconds" => settings.ping = Some(seconds(name, value)?),
            "max_write_buffer" => settings.max_buffered = number(name, value)? as usize,
            "headers" => {
                for (name, value) in pairs(name, value)? {
                    match settings.with_header(&name, &value) {
                        Some(with) => settings = with,
                        None => return Ok(None),
                    }
                }
            }
            _ => return unsupported(format!("option {name}")),
        }
    }
    Ok(Some(settings))
}

/// Every deadline on the way is served at its own moment.
fn advance(stream: &mut EventStream, now: &mut Instant, by: Duration, sent: &mut Vec<u8>) {
    let end = *now + by;
    while let Some(deadline) = stream.poll_timeout().filter(|deadline| *deadline <= end) {
        *now = deadline;
        stream.handle_timeout(deadline);
        take(stream, sent);
    }
    *now = end;
    stream.handle_timeout(end);
}

fn transmit(stream: &mut EventStream, sent: &mut Vec<u8>, facts: &mut Value) {
    take(stream, sent);
    let state = if stream.is_closed() { "closed" } else { "open" };
    let entry = json!({"state": state, "sent_len": sent.len(), "events": 0});
    facts["trace"].as_array_mut().expect("a list").push(entry);
    facts["state"] = json!(state);
}

fn take(stream: &mut EventStream, sent: &mut Vec<u8>) {
    sent.extend_from_slice(stream.transmit());
    stream.transmitted(stream.transmit().len());
}
