//! Text into steps.

use std::time::Duration;

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params, WindowBits};
use hybi::{Agreement, Config, Delivery, Role};

use crate::frames::{header_len, mask_frame};
use crate::octets::{self, hex};

/// A transcript, ready to be played.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Who the connection under test may be.
    pub roles: Roles,
    /// Its configuration.
    pub config: Config,
    /// permessage-deflate, if it was agreed on.
    pub deflate: Option<Params>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Which roles a transcript is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// One, and octets stand as they are on the wire.
    One(Role),
    /// Both, and frames stand unmasked.
    Both,
}

/// Something that happens, and what has to follow.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line of the text.
    pub line: usize,
    /// What happens.
    pub action: Action,
    /// Events, in canonical form.
    pub events: Vec<String>,
    /// Octets of frames to be transmitted, one line each.
    pub sent: Vec<Vec<u8>>,
    /// How things look then.
    pub looks: Vec<Look>,
}

/// What happens.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the text")]
pub enum Action {
    /// The beginning: nothing yet.
    Begin,
    /// Octets arrive, one line each.
    Receive(Vec<Vec<u8>>),
    Eof,
    Lost,
    Call(Call, Option<String>),
    /// Until the clock shows this.
    Time(Duration),
}

/// What an application says.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named like the methods of `Connection`")]
pub enum Call {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    StartText(Vec<u8>),
    StartBinary(Vec<u8>),
    Write(Vec<u8>),
    Finish(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, Vec<u8>)>),
    Abort,
}

/// A look, with what has to be seen.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the text")]
pub enum Look {
    State(String),
    Transport(String),
    Deadline(Option<Duration>),
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    /// The line that could not be read, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut transcript =
            Self { roles: Roles::Both, config: Config::default(), deflate: None, steps: Vec::new() };
        transcript.begin(0, Action::Begin);
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                transcript
                    .line(number + 1, line)
                    .map_err(|why| format!("line {}: {line}: {why}", number + 1))?;
            }
        }
        Ok(transcript)
    }

    /// The roles to play.
    pub fn roles(&self) -> &'static [Role] {
        match self.roles {
            Roles::Both => &[Role::Client, Role::Server],
            Roles::One(Role::Client) => &[Role::Client],
            Roles::One(Role::Server) => &[Role::Server],
        }
    }

    /// Octets of a line as `sender` puts them on the wire.
    pub fn on_wire(&self, sender: Role, line: &[u8]) -> Vec<u8> {
        if self.roles == Roles::Both && sender.masks() { mask_frame(line) } else { line.to_vec() }
    }

    /// What was agreed on. With compression every message is compressed, however short.
    pub fn agreement(&self) -> Agreement {
        let Some(params) = self.deflate else { return Agreement::default() };
        let mut settings = DeflateConfig::default();
        settings.threshold = 0;
        Agreement::default().with_deflate(Deflate::new(settings, params))
    }

    /// All octets that arrive at `role`, one read behind the other.
    pub fn arrives(&self, role: Role) -> Vec<u8> {
        self.steps.iter().flat_map(|step| self.arriving(role, step)).collect()
    }

    /// The octets that arrive at `role` in a step.
    pub(super) fn arriving(&self, role: Role, step: &Step) -> Vec<u8> {
        match &step.action {
            Action::Receive(lines) => lines.iter().flat_map(|line| self.on_wire(role.peer(), line)).collect(),
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, line: usize, action: Action) {
        self.steps.push(Step { line, action, events: Vec::new(), sent: Vec::new(), looks: Vec::new() });
    }

    fn last(&mut self) -> &mut Step {
        self.steps.last_mut().expect("a transcript begins with a step")
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match mark {
            "role" => self.role(rest),
            "set" => {
                let (name, value) = rest.split_once(' ').ok_or("a name and a value")?;
                set(&mut self.config, name, value.trim())
            }
            "deflate" => {
                self.deflate = Some(params(rest)?);
                Ok(())
            }
            ">" => self.received(number, rest),
            "!" => {
                let event = canonical(rest)?;
                self.last().events.push(event);
                Ok(())
            }
            "<" => {
                let octets = self.one_frame(rest)?;
                self.last().sent.push(octets);
                Ok(())
            }
            "=" => {
                let look = look(rest)?;
                self.last().looks.push(look);
                Ok(())
            }
            "@" => {
                self.begin(number, Action::Time(duration(rest)?));
                Ok(())
            }
            "call" => {
                let (call, refusal) = match rest.split_once(" -> ") {
                    Some((call, refusal)) => (call, Some(refusal.trim().to_owned())),
                    None => (rest, None),
                };
                self.begin(number, Action::Call(parse_call(call)?, refusal));
                Ok(())
            }
            _ => Err("no such line".to_owned()),
        }
    }

    fn role(&mut self, name: &str) -> Result<(), String> {
        self.roles = match name {
            "both" => Roles::Both,
            "client" => Roles::One(Role::Client),
            "server" => Roles::One(Role::Server),
            _ => return Err("no such role".to_owned()),
        };
        Ok(())
    }

    /// Octets that follow one another are one step.
    fn received(&mut self, number: usize, rest: &str) -> Result<(), String> {
        match rest {
            "eof" => self.begin(number, Action::Eof),
            "lost" => self.begin(number, Action::Lost),
            _ => {
                let octets = self.one_frame(rest)?;
                let last = self.last();
                match &mut last.action {
                    Action::Receive(lines) if last.events.is_empty() && last.sent.is_empty() => {
                        lines.push(octets);
                    }
                    _ => self.begin(number, Action::Receive(vec![octets])),
                }
            }
        }
        Ok(())
    }

    /// The octets of a line: where they have to be masked for one of the roles, not more than one frame.
    fn one_frame(&self, text: &str) -> Result<Vec<u8>, String> {
        let octets = octets::parse(text)?;
        let header_len = header_len(&octets);
        if self.roles == Roles::Both && octets.len() > header_len {
            let len = match &octets[2..header_len] {
                [] => u64::from(octets[1] & 0x7F),
                len => len.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)),
            };
            if (octets.len() - header_len) as u64 > len {
                return Err("more than one frame".to_owned());
            }
        }
        Ok(octets)
    }
}

/// Words, a quoted or repeated thing being one word, and octets turned to digits.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' => rest[1..].char_indices().scan(false, closing_quote).last().map_or(2, |at| at + 2),
            '{' => rest.find('}').ok_or("no closing brace")? + 1,
            _ => rest.find(' ').unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at_checked(len).ok_or("no closing quote")?;
        words.push(if matches!(first, '"' | '{') { hex(&octets::parse(word)?) } else { word.to_owned() });
        rest = behind.trim_start();
    }
    Ok(words)
}

/// For `scan`: goes on until the quote that is not escaped; gives the end of what was seen.
fn closing_quote(escaped: &mut bool, (at, char): (usize, char)) -> Option<usize> {
    if char == '"' && !*escaped {
        return None;
    }
    *escaped = char == '\\' && !*escaped;
    Some(at + char.len_utf8())
}

fn canonical(text: &str) -> Result<String, String> {
    Ok(words(text)?.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

fn parse_call(text: &str) -> Result<Call, String> {
    let words = words(text)?;
    let octets = |at: usize| octets::parse(words.get(at).map_or("", String::as_str));
    let payload = octets(1);
    Ok(match words.first().map_or("", String::as_str) {
        "text" => Call::Text(payload?),
        "binary" => Call::Binary(payload?),
        "start-text" => Call::StartText(payload?),
        "start-binary" => Call::StartBinary(payload?),
        "write" => Call::Write(payload?),
        "finish" => Call::Finish(payload?),
        "ping" => Call::Ping(payload?),
        "pong" => Call::Pong(payload?),
        "abort" => Call::Abort,
        "close" => Call::Close(match words.get(1) {
            Some(code) => Some((number(code)?, octets(2)?)),
            None => None,
        }),
        _ => return Err("no such call".to_owned()),
    })
}

fn look(text: &str) -> Result<Look, String> {
    let (what, seen) = text.split_once(' ').ok_or("what, and what is seen")?;
    Ok(match what {
        "state" => Look::State(seen.to_owned()),
        "transport" => Look::Transport(seen.to_owned()),
        "deadline" if seen == "none" => Look::Deadline(None),
        "deadline" => Look::Deadline(Some(duration(seen)?)),
        _ => return Err("no such look".to_owned()),
    })
}

fn set(config: &mut Config, name: &str, value: &str) -> Result<(), String> {
    let Config { limits, timeouts, water, .. } = config;
    match name {
        "limits.message" => limits.message = number(value)?,
        "limits.frame" => limits.frame = number(value)?,
        "limits.fragments" => limits.fragments = number(value)?,
        "limits.empty_fragments" => limits.empty_fragments = number(value)?,
        "limits.pending_pongs" => limits.pending_pongs = number(value)?,
        "timeouts.keepalive" => timeouts.keepalive = Some(duration(value)?),
        "timeouts.pong" => timeouts.pong = Some(duration(value)?),
        "timeouts.idle" => timeouts.idle = Some(duration(value)?),
        "timeouts.close" => timeouts.close = Some(duration(value)?),
        "timeouts.write_stall" => timeouts.write_stall = Some(duration(value)?),
        "water.high" => water.high = number(value)?,
        "water.low" => water.low = number(value)?,
        "water.limit" => water.limit = number(value)?,
        "automatic.pong" => config.automatic.pong = value == "on",
        "strictness.utf8" => config.strictness.utf8 = value == "on",
        "strictness.shortest_length" => config.strictness.shortest_length = value == "on",
        "delivery" if value == "fragments" => config.delivery = Delivery::Fragments,
        _ => return Err("no such setting".to_owned()),
    }
    Ok(())
}

/// Parameters of permessage-deflate as in an answer, with blanks between them (RFC 7692 §7.1).
fn params(text: &str) -> Result<Params, String> {
    let mut params = Params::default();
    for param in text.split_whitespace() {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        let bits = || WindowBits::new(number(value)?).map_err(|error| error.to_string());
        match name {
            "server_no_context_takeover" => params.server_no_context_takeover = true,
            "client_no_context_takeover" => params.client_no_context_takeover = true,
            "server_max_window_bits" => params.server_max_window_bits = bits()?,
            "client_max_window_bits" => params.client_max_window_bits = bits()?,
            _ => return Err("no such parameter".to_owned()),
        }
    }
    Ok(params)
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len()));
    match unit {
        "s" => Ok(Duration::from_secs(number(digits)?)),
        "ms" => Ok(Duration::from_millis(number(digits)?)),
        _ => Err(format!("no time: {text}")),
    }
}
