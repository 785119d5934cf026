//! permessage-deflate. Inputs are plain octets, so that seeds can be written by hand (`seeds/`): the first ones choose
//! the settings, the rest is what a peer sends.

mod others;

use hybi::extension::permessage_deflate::{
    Deflate, DeflateConfig, InflateError, Inflater, Params, Takeover, Window, WindowBits,
};
use hybi::extension::{Offer, format_offers, parse_offers};
use hybi::{Agreement, Connection, Delivery, Kind, Role};
use hybi_test::endpoint::{self, Memory};
use hybi_test::frames;
use hybi_test::record::Record;

/// Small enough for an input to pass it.
const LIMIT: usize = 20_000;

// ---- inflate

/// One octet for the size of reads, one for the room; then payloads of one connection, each behind its length in two
/// octets.
pub fn inflate(octets: &[u8]) {
    let [read, room, payloads @ ..] = octets else { return };
    let (read, room) = (usize::from(*read) + 1, usize::from(*room) + 1);
    let mut whole = Inflater::new(WindowBits::MAX, true);
    let mut cut = Inflater::new(WindowBits::MAX, true);
    let mut roomy = Inflater::new(WindowBits::MAX, true);
    let mut judges = others::Judges::new(LIMIT);
    for payload in payloads_of(payloads) {
        let mut message = Vec::new();
        let result = whole.finish(payload, &mut message, LIMIT);
        assert!(message.len() <= LIMIT && message.capacity() <= 2 * LIMIT);
        assert!(whole.heap_len() <= WindowBits::MAX.len() + 8 * 1024);
        assert_eq!(inflate_cut(&mut cut, payload, read), result.map(|()| message.clone()));
        assert_eq!(inflate_by_rooms(&mut roomy, payload, read, room), result.map(|()| message.clone()));
        judges.judge(payload, result.map(|()| &message[..]));
        if result.is_err() {
            let again = whole.finish(&[], &mut Vec::new(), LIMIT);
            assert_eq!(again, result, "an error stays");
            return;
        }
    }
}

fn payloads_of(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let [high, low, rest @ ..] = octets else { return None };
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*high) << 8 | usize::from(*low)));
        octets = rest;
        Some(payload)
    })
}

fn inflate_cut(inflater: &mut Inflater, payload: &[u8], read: usize) -> Result<Vec<u8>, InflateError> {
    let mut message = Vec::new();
    for piece in payload.chunks(read) {
        inflater.inflate(piece, &mut message, LIMIT)?;
    }
    inflater.finish(&[], &mut message, LIMIT)?;
    Ok(message)
}

/// As fragments are delivered: so much room at a time.
fn inflate_by_rooms(
    inflater: &mut Inflater,
    payload: &[u8],
    read: usize,
    room: usize,
) -> Result<Vec<u8>, InflateError> {
    let (mut message, mut piece) = (Vec::new(), Vec::new());
    let reads = payload.chunks(read).map(|read| (read, false)).chain([(&[][..], true)]);
    for (mut rest, last) in reads {
        loop {
            piece.clear();
            let room = room.min(LIMIT - message.len());
            let progress = inflater.inflate_some(rest, last, &mut piece, room)?;
            assert!(piece.len() <= room);
            message.extend_from_slice(&piece);
            rest = &rest[progress.consumed..];
            if progress.done {
                assert!(rest.is_empty());
                break;
            }
            assert_eq!(piece.len(), room, "it stops early only where there is no room");
            if room == 0 {
                return Err(InflateError::TooBig);
            }
        }
    }
    Ok(message)
}

// ---- the header

/// Four octets for the settings of a server and a client; then lines of the header, each ended by a line feed.
pub fn extension_offer(octets: &[u8]) {
    let [a, b, c, d, lines @ ..] = octets else { return };
    let (server, client) = (settings(*a, *b), settings(*c, *d));
    negotiate(&server, &client);
    let Ok(offers) = parse_offers(lines.split(|octet| *octet == b'\n')) else { return };
    assert!(!offers.is_empty());
    let text = format_offers(&offers);
    assert_eq!(parse_offers([text.as_bytes()]).as_ref(), Ok(&offers), "{text}");
    for offer in &offers {
        let _ = client.agree(offer); // total
    }
    if let Some((answer, params)) = server.answer(&offers) {
        check_answer(&offers, &answer, &params);
    }
}

fn settings(takeover: u8, window: u8) -> DeflateConfig {
    let takeovers = [Takeover::Any, Takeover::None, Takeover::Always];
    let mut config = DeflateConfig::default();
    config.server_no_context_takeover = takeovers[usize::from(takeover & 15) % 3];
    config.client_no_context_takeover = takeovers[usize::from(takeover >> 4) % 3];
    config.client_window_is_hard = takeover & 8 != 0;
    let window_of = |n: u8| match n % 10 {
        0 => Window::Any,
        1 => Window::Full,
        n => Window::AtMost(WindowBits::new(n + 6).expect("8 to 15")),
    };
    (config.server_max_window_bits, config.client_max_window_bits) =
        (window_of(window & 15), window_of(window >> 4));
    config
}

/// What a server answers to a client of ours, it can keep to, and a client that agrees to it as well.
fn negotiate(server: &DeflateConfig, client: &DeflateConfig) {
    let offer = client.offer();
    let Some((answer, theirs)) = server.answer(&[offer.clone()]) else { return };
    check_answer(&[offer], &answer, &theirs);
    let Ok(ours) = client.agree(&answer) else { return };
    assert!(theirs.server_max_window_bits <= ours.server_max_window_bits);
    assert!(ours.client_max_window_bits <= theirs.client_max_window_bits);
    assert_eq!(theirs.server_no_context_takeover, ours.server_no_context_takeover);
    assert!(ours.client_no_context_takeover || !theirs.client_no_context_takeover);
}

/// RFC 7692 §7.1: the answer goes to one of the offers, and not beyond it.
fn check_answer(offers: &[Offer], answer: &Offer, params: &Params) {
    let read = parse_offers([answer.to_string().as_bytes()]).expect("it reads back");
    assert_eq!(read, [answer.clone()]);
    assert!(offers.iter().any(|offer| goes_to(offer, answer)), "{offers:?} {answer}");
    let value = |name| find(answer, name).and_then(|value| value).map(bits);
    assert_eq!(params.server_no_context_takeover, find(answer, "server_no_context_takeover").is_some());
    assert_eq!(params.client_no_context_takeover, find(answer, "client_no_context_takeover").is_some());
    assert_eq!(params.client_max_window_bits.get(), value("client_max_window_bits").unwrap_or(15));
    assert!(params.server_max_window_bits.get() <= value("server_max_window_bits").unwrap_or(15));
}

fn goes_to(offer: &Offer, answer: &Offer) -> bool {
    let asked = find(offer, "server_max_window_bits").flatten().map_or(15, bits);
    let can_be_told = find(offer, "client_max_window_bits").map(|value| value.map_or(15, bits));
    let server = find(answer, "server_max_window_bits").flatten().map(bits);
    let client = find(answer, "client_max_window_bits").flatten().map(bits);
    let names = |offer: &Offer, name| find(offer, name).is_some();
    offer.name() == "permessage-deflate"
        && answer.name() == "permessage-deflate"
        && (!names(offer, "server_no_context_takeover") || names(answer, "server_no_context_takeover"))
        && server.unwrap_or(15) <= asked
        && (server.is_some() || !names(offer, "server_max_window_bits"))
        && client.is_none_or(|client| can_be_told.is_some_and(|most| client <= most))
}

/// The value of a parameter, if it is there.
fn find<'a>(offer: &'a Offer, name: &str) -> Option<Option<&'a str>> {
    offer.params().iter().find(|param| param.name() == name).map(|param| param.value())
}

fn bits(value: &str) -> u8 {
    value.parse().unwrap_or(0)
}

// ---- frames

/// One octet for the role, the parameters and the delivery, one for the size of reads and their memory; then frames:
/// the first octet of each, the length of its payload in one octet, and the payload.
pub fn receive(octets: &[u8]) {
    let [choice, read, frames @ ..] = octets else { return };
    let role = if choice & 1 == 0 { Role::Client } else { Role::Server };
    let delivery = if choice & 2 == 0 { Delivery::Messages } else { Delivery::Fragments };
    let wire = wire(role, frames);
    let expected = play(role, *choice, delivery, Memory::Lent, &wire, wire.len().max(1));
    let memory = Memory::ALL[usize::from(*read & 3)];
    let told = play(role, *choice, delivery, memory, &wire, usize::from(*read >> 2) + 1);
    assert_eq!(told, expected, "{memory:?}");
}

fn wire(role: Role, mut octets: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    while let [first, len, rest @ ..] = octets {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        wire.extend(frames::to(role, *first, payload));
        octets = rest;
    }
    wire
}

/// Events, and what is transmitted.
fn play(
    role: Role,
    choice: u8,
    delivery: Delivery,
    memory: Memory,
    wire: &[u8],
    read: usize,
) -> (Vec<Record>, Vec<u8>) {
    let mut connection = connection(role, choice, delivery);
    let mut events = Vec::new();
    for read in wire.chunks(read) {
        memory.feed(&mut connection, read, &mut events);
    }
    assert!(connection.buffered_len() <= 64 * 1024);
    let sent = endpoint::transmit_all(&mut connection);
    frames::read_extended(role, &sent, 4).expect("what is sent are whole frames");
    (joined(events), sent)
}

fn connection(role: Role, choice: u8, delivery: Delivery) -> Connection {
    let config = endpoint::config(|config| {
        config.delivery = delivery;
        config.limits.message = 3000;
        config.limits.fragments = 12;
        config.limits.empty_fragments = 3;
    });
    let bits = WindowBits::new(8 + (choice >> 4 & 7)).expect("8 to 15");
    let params = Params {
        server_no_context_takeover: choice & 4 != 0,
        client_no_context_takeover: choice & 8 != 0,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    };
    let deflate = Deflate::new(DeflateConfig::default(), params);
    endpoint::open_agreed(role, Agreement::default().with_deflate(deflate), config)
}

/// Fragments as messages: how they are cut, and how many were delivered before a failure, is a matter of the reads.
fn joined(events: Vec<Record>) -> Vec<Record> {
    let mut out = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for event in events {
        let Record::Fragment { kind, data, first, last } = event else {
            out.push(event);
            continue;
        };
        assert_eq!(first, open.is_none());
        if kind == Kind::Text {
            assert!(std::str::from_utf8(&data).is_ok(), "a character was cut");
        }
        let mut message = open.take().unwrap_or_default();
        message.extend(data);
        assert!(message.len() <= 3000);
        match (last, kind) {
            (false, _) => open = Some(message),
            (true, Kind::Text) => out.push(Record::Text(message)),
            (true, Kind::Binary) => out.push(Record::Binary(message)),
        }
    }
    out
}
