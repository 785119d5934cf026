//! Frames built and read by hand: RFC 6455 §5.2, without the code under test.
//!
//! The writer builds whatever it is told to, legal or not. The reader takes only what is legal.

use std::ops::Range;

use hybi::Role;

/// The masking key of everything that tests mask: the one of RFC 6455 §5.7.
pub const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// First octets: FIN and the opcode.
#[allow(missing_docs, reason = "the names of RFC 6455 §5.2")]
pub mod first {
    pub const CONTINUATION: u8 = 0x80;
    pub const TEXT: u8 = 0x81;
    pub const BINARY: u8 = 0x82;
    pub const CLOSE: u8 = 0x88;
    pub const PING: u8 = 0x89;
    pub const PONG: u8 = 0x8A;
    /// Without it a data frame has successors.
    pub const FIN: u8 = 0x80;
}

/// A frame with this first octet that is not masked, as a server sends it.
///
/// ```
/// use hybi_test::frames::{first, unmasked};
/// assert_eq!(unmasked(first::TEXT, b"hi"), b"\x81\x02hi");
/// assert_eq!(unmasked(first::TEXT, &[0; 126])[..4], [0x81, 126, 0, 126]);
/// ```
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = header(first, payload.len() as u64);
    octets.extend_from_slice(payload);
    octets
}

/// The same as a client sends it, with [`KEY`].
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    mask_frame(&unmasked(first, payload))
}

/// The same as the peer of `role` sends it.
pub fn to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    from(role.peer(), first, payload)
}

/// The same as `role` sends it.
pub fn from(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    if role.masks() { masked(first, payload) } else { unmasked(first, payload) }
}

/// The payload of a close frame.
pub fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// The header of a frame that is not masked, in the shortest form.
pub fn header(first: u8, len: u64) -> Vec<u8> {
    let mut octets = vec![first];
    if len < 126 {
        octets.push(len as u8);
    } else if len < 0x1_0000 {
        octets.push(126);
        octets.extend_from_slice(&(len as u16).to_be_bytes());
    } else {
        octets.push(127);
        octets.extend_from_slice(&len.to_be_bytes());
    }
    octets
}

/// Masks the octets of one frame, or of the beginning of one: sets the bit, puts in the key, and masks what
/// follows. A frame that ends where its payload should begin has no key yet.
pub fn mask_frame(frame: &[u8]) -> Vec<u8> {
    let mut octets = frame.to_vec();
    let Some(second) = octets.get_mut(1) else { return octets };
    *second |= 0x80;
    let header_len = header_len(frame);
    let is_empty = frame.len() == header_len && !frame[1..].iter().any(|octet| octet & 0x7F != 0);
    if frame.len() > header_len || is_empty {
        octets.truncate(header_len);
        octets.extend_from_slice(&KEY);
        octets.extend(frame[header_len..].iter().enumerate().map(|(i, octet)| octet ^ KEY[i % 4]));
    }
    octets
}

/// How long the header of an unmasked frame is, by its second octet.
pub fn header_len(frame: &[u8]) -> usize {
    match frame.get(1).map(|second| second & 0x7F) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    }
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of RFC 6455 §5.2")]
pub struct Frame {
    pub fin: bool,
    pub rsv: u8,
    pub opcode: u8,
    pub key: Option<[u8; 4]>,
    /// Unmasked.
    pub payload: Vec<u8>,
}

impl Frame {
    /// FIN, RSV and opcode as they stood.
    pub fn first(&self) -> u8 {
        u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode
    }

    /// The code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.payload.first_chunk()?))
    }
}

/// Reads frames that `sender` wrote, and demands that they are a legal stream (§5): masked by clients alone,
/// lengths in the shortest form, control frames short and whole, fragments in order, neither data nor a second
/// close frame after a close frame (pings may still be answered).
///
/// # Errors
/// The complaint.
pub fn read_all(sender: Role, octets: &[u8]) -> Result<Vec<Frame>, String> {
    read_extended(sender, octets, 0)
}

/// How many octets at the front are whole frames: behind them one was begun.
pub fn whole_len(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some((_, payload)) = place(&octets[at..]) {
        at += payload.end;
    }
    at
}

/// The same as [`read_all`] where an extension gave these reserved bits (RSV1 is 4) a meaning on the first frame of a
/// message.
///
/// # Errors
/// The complaint.
pub fn read_extended(sender: Role, octets: &[u8], rsv: u8) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::<Frame>::new();
    let mut at = 0;
    let mut in_message = false;
    while at < octets.len() {
        let place = format!("frame {} at octet {at}", frames.len() + 1);
        let (frame, len) = read(&octets[at..]).ok_or_else(|| format!("{place} is not whole"))?;
        judge(sender, &frame, rsv, &mut in_message).map_err(|complaint| format!("{place}: {complaint}"))?;
        if len != (if frame.key.is_some() { 4 } else { 0 }) + unmasked(0, &frame.payload).len() {
            return Err(format!("{place}: length not in its shortest form"));
        }
        if frame.opcode <= 8 && frames.iter().any(|before| before.opcode == 8) {
            return Err(format!("{place} comes after a close frame"));
        }
        frames.push(frame);
        at += len;
    }
    Ok(frames)
}

fn judge(sender: Role, frame: &Frame, rsv: u8, in_message: &mut bool) -> Result<(), &'static str> {
    if frame.key.is_some() != sender.masks() {
        return Err("masked by a server, or not masked by a client");
    }
    if frame.rsv & !rsv != 0 || frame.rsv != 0 && !matches!(frame.opcode, 1 | 2) {
        return Err("reserved bits");
    }
    match frame.opcode {
        8..=10 if !frame.fin || frame.payload.len() > 125 => {
            return Err("control frame in parts or too long");
        }
        8..=10 => return Ok(()),
        1 | 2 if *in_message => return Err("a message inside a message"),
        0 if !*in_message => return Err("a continuation of nothing"),
        0..=2 => {}
        _ => return Err("reserved opcode"),
    }
    *in_message = !frame.fin;
    Ok(())
}

/// Reads one frame, in whatever form of length, and says how many octets it took.
fn read(octets: &[u8]) -> Option<(Frame, usize)> {
    let first = *octets.first()?;
    let (key, place) = place(octets)?;
    let end = place.end;
    let mut payload = octets[place].to_vec();
    if let Some(key) = key {
        for (i, octet) in payload.iter_mut().enumerate() {
            *octet ^= key[i % 4];
        }
    }
    let frame = Frame { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: first & 0x0F, key, payload };
    Some((frame, end))
}

/// The masking key of a frame and where its payload stands, if it is whole.
fn place(octets: &[u8]) -> Option<(Option<[u8; 4]>, Range<usize>)> {
    let second = *octets.get(1)?;
    let len_end = header_len(octets);
    let len = match second & 0x7F {
        126 | 127 => octets.get(2..len_end)?.iter().fold(0u64, |len, octet| len << 8 | u64::from(*octet)),
        short => u64::from(short),
    };
    let key = if second & 0x80 == 0 { None } else { Some(*octets.get(len_end..)?.first_chunk::<4>()?) };
    let start = len_end + if key.is_some() { 4 } else { 0 };
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    octets.get(start..end)?;
    Some((key, start..end))
}
