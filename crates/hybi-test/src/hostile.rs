//! What a hostile peer sends: frames that are mostly legal, so that a stream gets far, and sometimes not.
//!
//! Everything is decided by a [`Dice`]: the same octets or the same seed give the same stream. A stream knows
//! where it is in a message, cuts characters between fragments, lies about lengths, masks wrongly, stops in the
//! middle, and goes on after a close frame.

use hybi::{Config, Delivery, Role};

use crate::dice::Dice;
use crate::endpoint;

/// Limits small enough for a stream to meet each of them.
pub fn config(dice: &mut Dice<'_>) -> Config {
    endpoint::config(|config| {
        config.limits.message = dice.pick(&[1 << 20, 3000, 300, 20, 1]);
        config.limits.frame = dice.pick(&[1 << 20, 1000, 130, 20, 1]);
        config.limits.fragments = dice.pick(&[1000, 12, 5, 1]);
        config.limits.empty_fragments = dice.pick(&[1000, 3, 1]);
        config.limits.pending_pongs = dice.pick(&[16, 5, 2, 0]);
        config.strictness.utf8 = !dice.one_in(4);
        config.strictness.shortest_length = !dice.one_in(4);
        config.automatic.pong = !dice.one_in(4);
        config.water.limit = dice.pick(&[16 << 20, 500, 10]);
        if dice.one_in(4) {
            config.delivery = Delivery::Fragments;
        }
    })
}

/// Cuts octets into reads; long ones are not cut into too many.
pub fn reads<'s>(dice: &mut Dice<'_>, octets: &'s [u8]) -> Vec<&'s [u8]> {
    let least = octets.len() / 1000;
    let most = dice.pick(&[usize::MAX, 1, 2, 7, 200, 5000]).max(least).clamp(1, octets.len().max(1));
    let (mut reads, mut rest) = (Vec::new(), octets);
    while !rest.is_empty() {
        let n = if most <= 2 { most } else { 1 + dice.below(most.min(1 << 16)) };
        let n = if dice.is_over() { most } else { n }.min(rest.len());
        let (read, behind) = rest.split_at(n);
        reads.push(read);
        rest = behind;
    }
    reads
}

/// What may arrive at `role`: up to `frames` frames, fewer if the dice are over before.
pub fn stream(dice: &mut Dice<'_>, role: Role, frames: usize) -> Vec<u8> {
    stream_within(dice, role, frames, usize::MAX)
}

/// The same with so many octets of payload at most.
pub fn stream_within(dice: &mut Dice<'_>, role: Role, frames: usize, room: usize) -> Vec<u8> {
    let mut peer = Peer { masks: role.peer().masks(), open: None, carry: Vec::new(), room };
    let mut octets = Vec::new();
    for _ in 0..frames {
        if dice.is_over() || peer.room == 0 {
            break;
        }
        peer.frame(dice, &mut octets);
    }
    if dice.one_in(8) {
        octets.truncate(dice.below(octets.len() + 1));
    }
    octets
}

/// Where the peer is in what it says.
struct Peer {
    masks: bool,
    /// In a message, of text or not.
    open: Option<bool>,
    /// Octets of a character that was cut.
    carry: Vec<u8>,
    /// Octets of payload that may still come.
    room: usize,
}

impl Peer {
    fn frame(&mut self, dice: &mut Dice<'_>, out: &mut Vec<u8>) {
        let (first, mut payload) = match dice.below(16) {
            0 => (dice.octet(), Vec::new()),
            1 => (0x88, close(dice)),
            2 | 3 => (dice.pick(&[0x89, 0x8A]), control(dice)),
            4 => (dice.pick(&[0x80, 0x00, 0x81, 0x01, 0x82, 0x02, 0xC1, 0x09, 0x83]), text(dice)),
            _ => self.data(dice),
        };
        payload.truncate(self.room);
        self.room -= payload.len();
        match dice.below(32) {
            31 => self.lie(dice, first, &payload, out),
            30 => push(out, first, &payload, !self.masks, Form::Shortest, [1, 2, 3, 4]),
            29 => push(out, first, &payload, self.masks, dice.pick(&[Form::Two, Form::Eight]), [0; 4]),
            _ => push(out, first, &payload, self.masks, Form::Shortest, [dice.octet(), 0xB2, 0xC3, 0xD4]),
        }
    }

    /// The next frame of a message, in order.
    fn data(&mut self, dice: &mut Dice<'_>) -> (u8, Vec<u8>) {
        let (opcode, is_text) = match self.open {
            Some(is_text) => (0, is_text),
            None => dice.pick(&[(1, true), (2, false)]),
        };
        let last = dice.one_in(2);
        let mut payload = std::mem::take(&mut self.carry);
        payload.extend(if is_text { text(dice) } else { binary(dice) });
        if is_text && !last && dice.one_in(2) {
            self.carry = payload.split_off(payload.len() - payload.len().min(1 + dice.below(3)));
        }
        self.open = (!last).then_some(is_text);
        (opcode | if last { 0x80 } else { 0 }, payload)
    }

    /// More is announced than comes: what comes next is payload.
    fn lie(&self, dice: &mut Dice<'_>, first: u8, payload: &[u8], out: &mut Vec<u8>) {
        let lies = [3u64, 126, 1000, 70_000, 16 << 20, (16 << 20) + 1, u64::MAX / 2, u64::MAX];
        let len = dice.pick(&lies).saturating_add(payload.len() as u64);
        let mut header = crate::frames::header(first, len);
        header[1] |= if self.masks { 0x80 } else { 0 };
        out.extend(header);
        out.extend_from_slice(payload);
    }
}

/// How a length is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Shortest,
    Two,
    Eight,
}

fn push(out: &mut Vec<u8>, first: u8, payload: &[u8], masks: bool, form: Form, key: [u8; 4]) {
    let start = out.len();
    let len = payload.len() as u64;
    match form {
        Form::Two if len <= 0xFFFF => {
            out.extend([first, 126]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        Form::Eight => {
            out.extend([first, 127]);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => out.extend(crate::frames::header(first, len)),
    }
    if !masks {
        return out.extend_from_slice(payload);
    }
    out[start + 1] |= 0x80;
    out.extend(key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
}

fn text(dice: &mut Dice<'_>) -> Vec<u8> {
    if dice.one_in(24) {
        return dice
            .pick(&[&b"\xFF"[..], b"\xC0\x80", b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"ok\xE2\x82"])
            .to_vec();
    }
    let unit = dice.pick(&["a", "é", "€", "𐀀", "tide, ", ""]);
    unit.repeat(count(dice)).into_bytes()
}

fn binary(dice: &mut Dice<'_>) -> Vec<u8> {
    vec![dice.octet(); count(dice)]
}

/// Lengths around the places where something changes, and mostly short ones.
fn count(dice: &mut Dice<'_>) -> usize {
    match dice.below(32) {
        0..=3 => 0,
        28 => 120 + dice.below(12),
        29 => 1020 + dice.below(9),
        30 => 16_380 + dice.below(9),
        31 => 65_530 + dice.below(12),
        n => n - 3,
    }
}

fn control(dice: &mut Dice<'_>) -> Vec<u8> {
    let len = dice.pick(&[0, 1, 4, 20, 124, 125, 126]);
    vec![dice.octet(); len]
}

fn close(dice: &mut Dice<'_>) -> Vec<u8> {
    let code: u16 =
        dice.pick(&[1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000, 0]);
    let reason = dice.pick(&[&b""[..], b"bye", "é".as_bytes(), b"\xFF", &[b'r'; 123], &[b'r'; 124]]);
    match dice.below(6) {
        0 => Vec::new(),
        1 => vec![3],
        _ => [&code.to_be_bytes(), reason].concat(),
    }
}
