//! The steps of a script: `SHIM.md` section 4.

use std::time::Duration;

use hybi::Kind;
use serde_json::Value;

use crate::bytes;
use crate::request::{Object, Unsupported, number, seconds, text, truth, unsupported};

#[derive(Debug)]
pub(crate) enum Step {
    /// Reads, cut already.
    Receive(Vec<Vec<u8>>),
    Eof,
    IoError,
    Send {
        kind: Kind,
        data: Vec<u8>,
        fin: bool,
        compress: Option<bool>,
        shared: bool,
    },
    Continue {
        data: Vec<u8>,
        fin: bool,
    },
    Ping {
        data: Vec<u8>,
        id: Option<Value>,
    },
    Pong(Vec<u8>),
    Close {
        code: Option<u64>,
        reason: Vec<u8>,
    },
    Terminate,
    Advance(Duration),
    Accept,
    StopWriting(usize),
    StartWriting,
    StopReading,
}

/// All steps of a script.
pub(crate) fn parse_all(input: &Value) -> Result<Vec<Step>, Unsupported> {
    let Some(steps) = input.as_array() else { return unsupported("a script is a list") };
    steps.iter().map(parse).collect()
}

fn parse(step: &Value) -> Result<Step, Unsupported> {
    let Some(step) = step.as_object() else { return unsupported("a step is an object") };
    let op = text("op", step.get("op").unwrap_or(&Value::Null))?;
    let known: &[&str] = match op {
        "recv" => &["hex", "chunk"],
        "text" | "binary" => &["hex", "fin", "compress", "shared"],
        "continue" => &["hex", "fin"],
        "ping" | "pong" => &["hex", "id"],
        "close" => &["hex", "code"],
        "advance" => &["seconds"],
        "stop_writing" => &["after"],
        _ => &[],
    };
    if let Some(name) = step.keys().find(|name| *name != "op" && !known.contains(&name.as_str())) {
        return unsupported(format!("{op} with {name}"));
    }
    Ok(match op {
        "recv" => Step::Receive(reads(step)?),
        "eof" => Step::Eof,
        "io_error" => Step::IoError,
        "text" => send(Kind::Text, step)?,
        "binary" => send(Kind::Binary, step)?,
        "continue" => Step::Continue { data: data(step)?, fin: flag(step, "fin", true)? },
        "ping" => Step::Ping { data: data(step)?, id: step.get("id").cloned() },
        "pong" => Step::Pong(data(step)?),
        "close" => Step::Close { code: optional(step, "code")?, reason: data(step)? },
        "terminate" => Step::Terminate,
        "advance" => Step::Advance(seconds("seconds", step.get("seconds").unwrap_or(&Value::Null))?),
        "accept" => Step::Accept,
        "stop_writing" => Step::StopWriting(optional(step, "after")?.unwrap_or(0) as usize),
        "start_writing" => Step::StartWriting,
        "stop_reading" => Step::StopReading,
        _ => return unsupported(format!("step {op}")),
    })
}

fn send(kind: Kind, step: &Object) -> Result<Step, Unsupported> {
    let compress = step.get("compress").filter(|value| !value.is_null());
    let compress = compress.map(|value| truth("compress", value)).transpose()?;
    let (fin, shared) = (flag(step, "fin", true)?, flag(step, "shared", false)?);
    Ok(Step::Send { kind, data: data(step)?, fin, compress, shared })
}

fn reads(step: &Object) -> Result<Vec<Vec<u8>>, Unsupported> {
    let reads = bytes::reads(text("hex", step.get("hex").unwrap_or(&Value::Null))?)?;
    Ok(match optional(step, "chunk")? {
        None => reads,
        Some(chunk) => {
            let chunk = usize::try_from(chunk).unwrap_or(usize::MAX).max(1);
            reads.iter().flat_map(|read| read.chunks(chunk).map(<[u8]>::to_vec)).collect()
        }
    })
}

fn data(step: &Object) -> Result<Vec<u8>, Unsupported> {
    step.get("hex").map_or(Ok(Vec::new()), |hex| bytes::whole(text("hex", hex)?))
}

fn flag(step: &Object, name: &str, default: bool) -> Result<bool, Unsupported> {
    step.get(name).map_or(Ok(default), |value| truth(name, value))
}

fn optional(step: &Object, name: &str) -> Result<Option<u64>, Unsupported> {
    step.get(name).filter(|value| !value.is_null()).map(|value| number(name, value)).transpose()
}
