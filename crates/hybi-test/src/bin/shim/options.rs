//! The options of a request: `SHIM.md` section 5.

use std::cell::Cell;
use std::sync::Arc;

use hybi::{Agreement, Config, Version};
use serde_json::Value;

use crate::bytes;
use crate::deflate;
use crate::meter::Meter;
use crate::request::{Object, Unsupported, number, seconds, text, truth, unsupported};

/// Options of an open connection, section 5.1.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Arc<Config>,
    mask_key: Option<[u8; 4]>,
    memory: Memory,
}

thread_local! {
    /// The masking key of every frame, for a source of entropy that keeps no state of its own.
    pub(crate) static MASK_KEY: Cell<Option<[u8; 4]>> = const { Cell::new(None) };
}

/// What the allocator is to do.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) fill: Option<u8>,
    /// 0: none.
    pub(crate) fail_at: usize,
}

impl Options {
    /// Takes what it knows out of the options, and returns it.
    pub(crate) fn take(options: &mut Object) -> Result<Self, Unsupported> {
        let mut config = Config::default();
        config.timeouts.pong = None; // keepalive here is pings alone; whether they are answered is not asked
        let mut taken = Self { config: Arc::default(), mask_key: None, memory: Memory::default() };
        let mut left = Object::new();
        for (name, value) in std::mem::take(options) {
            if !set_config(&mut config, &name, &value)? && !taken.set(&name, &value)? {
                left.insert(name, value);
            }
        }
        *options = left;
        taken.config = Arc::new(config);
        Ok(taken)
    }

    /// Begins to measure, with the allocator and the masking keys that were asked for.
    pub(crate) fn start(&self) -> Meter {
        MASK_KEY.set(self.mask_key);
        Meter::start(&self.memory)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<bool, Unsupported> {
        match name {
            "mask_key" => {
                let key = bytes::whole(text(name, value)?)?;
                let Ok(key) = <[u8; 4]>::try_from(key) else { return unsupported("a mask_key of 4 bytes") };
                self.mask_key = Some(key);
            }
            "alloc_fill" => self.memory.fill = bytes::whole(text(name, value)?)?.first().copied(),
            "alloc_fail_at" => self.memory.fail_at = size(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The version and the extension that an open connection agreed on.
pub(crate) fn take_agreement(options: &mut Object) -> Result<Agreement, Unsupported> {
    let agreement = match deflate::take_agreed(options)? {
        Some(deflate) => Agreement::default().with_deflate(deflate),
        None => Agreement::default(),
    };
    let Some(value) = options.shift_remove("version") else { return Ok(agreement) };
    let version = u8::try_from(number("version", &value)?).ok().and_then(Version::from_number);
    match version {
        Some(version) => Ok(agreement.with_version(version)),
        None => unsupported(format!("version {value}")),
    }
}

/// Sets what `Config` has; whether it has it.
fn set_config(config: &mut Config, name: &str, value: &Value) -> Result<bool, Unsupported> {
    let Config { limits, timeouts, .. } = config;
    match name {
        "max_message_size" => limits.message = size(name, value)?,
        "max_frame_size" => limits.frame = size(name, value)?,
        "max_fragments" => limits.fragments = count(name, value)?,
        "max_pending_pongs" => limits.pending_pongs = count(name, value)?,
        "max_head_size" => limits.head_bytes = size(name, value)?,
        "max_headers" => limits.head_fields = size(name, value)?,
        "close_timeout_seconds" => timeouts.close = Some(seconds(name, value)?),
        "handshake_timeout_seconds" => timeouts.handshake = Some(seconds(name, value)?),
        "ping_interval_seconds" => timeouts.keepalive = Some(seconds(name, value)?),
        "max_write_buffer" => config.water.limit = size(name, value)?,
        "auto_pong" => config.automatic.pong = truth(name, value)?,
        "skip_utf8" => config.strictness.utf8 = !truth(name, value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Nothing may be left over: an option is never left out silently.
pub(crate) fn none_left(options: &Object) -> Result<(), Unsupported> {
    match options.keys().next() {
        Some(name) => unsupported(format!("option {name}")),
        None => Ok(()),
    }
}

fn size(name: &str, value: &Value) -> Result<usize, Unsupported> {
    usize::try_from(number(name, value)?).map_err(|_| Unsupported(format!("{name} is too large")))
}

fn count(name: &str, value: &Value) -> Result<u32, Unsupported> {
    u32::try_from(number(name, value)?).map_err(|_| Unsupported(format!("{name} is too large")))
}
