//! `Decoder`: frames in memory that the caller owns. Rows of octets and pieces: whole, cut at every octet,
//! and with octets behind the end.

#![allow(clippy::panic, reason = "a test says by a panic what is wrong")]

use hybi::{Config, Decoder, Kind, Opcode, Piece, ProtocolError, Role};
use hybi_test::endpoint::config;
use hybi_test::frames::{KEY, close_body, first, header, to, unmasked};
use hybi_test::twins;

/// What was decoded, data of one frame joined.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decoded {
    Data { kind: Kind, payload: Vec<u8>, fin: bool, ends: bool },
    Control { opcode: Opcode, payload: Vec<u8> },
}

fn data(kind: Kind, payload: &[u8], fin: bool) -> Decoded {
    Decoded::Data { kind, payload: payload.to_vec(), fin, ends: fin }
}

fn control(opcode: Opcode, payload: &[u8]) -> Decoded {
    Decoded::Control { opcode, payload: payload.to_vec() }
}

/// Offers octets in reads of so many, keeping what is not consumed, as the documentation asks for.
fn decode(decoder: &mut Decoder, octets: &[u8], reads: &[usize]) -> Result<Vec<Decoded>, ProtocolError> {
    let (mut out, mut memory, mut rest) = (Vec::new(), Vec::new(), octets);
    for n in reads {
        let (read, behind) = rest.split_at(rest.len().min(*n));
        memory.extend_from_slice(read);
        rest = behind;
        let mut at = 0;
        loop {
            let step = decoder.decode(&mut memory[at..])?;
            at += step.consumed;
            match step.piece {
                None => {
                    assert_eq!(step.consumed, 0, "what needs more consumes nothing");
                    break;
                }
                Some(piece) => note(piece, &mut out),
            }
        }
        memory.drain(..at);
        assert!(memory.len() <= 139, "{} octets wait", memory.len());
    }
    Ok(out)
}

fn note(piece: Piece<'_>, out: &mut Vec<Decoded>) {
    match piece {
        Piece::Control { opcode, payload } => out.push(control(opcode, payload)),
        Piece::Data { header: Some(header), kind, payload, remaining, message_ends } => {
            assert_eq!(header.payload_len(), payload.len() as u64 + remaining);
            out.push(Decoded::Data {
                kind,
                payload: payload.to_vec(),
                fin: header.fin(),
                ends: message_ends,
            });
        }
        Piece::Data { header: None, payload: more, message_ends, .. } => match out.last_mut() {
            Some(Decoded::Data { payload, ends, .. }) => {
                payload.extend_from_slice(more);
                *ends = message_ends;
            }
            other => panic!("a piece goes on after {other:?}"),
        },
    }
}

/// Every way to cut it in two, octet by octet, and whole.
fn every_cut(len: usize) -> impl Iterator<Item = Vec<usize>> {
    (1..len).map(move |at| vec![at, len - at]).chain([vec![1; len], vec![len]])
}

fn check(role: Role, config: &Config, octets: &[u8], expected: &[Decoded]) {
    for reads in every_cut(octets.len()) {
        let decoded = decode(&mut Decoder::new(role, config), octets, &reads);
        assert_eq!(decoded.as_deref(), Ok(expected), "{octets:x?} in {reads:?}");
    }
    let trailing = [octets, &[first::PONG]].concat();
    let decoded = decode(&mut Decoder::new(role, config), &trailing, &[trailing.len()]);
    assert_eq!(decoded.as_deref(), Ok(expected), "{trailing:x?}");
}

twins! {
    fn frames_and_what_they_are(role) {
        let to = |first, payload: &[u8]| to(role, first, payload);
        let rows: &[(Vec<u8>, Vec<Decoded>)] = &[
            (to(first::TEXT, b"Hello"), vec![data(Kind::Text, b"Hello", true)]),
            (to(first::BINARY, b""), vec![data(Kind::Binary, b"", true)]),
            (to(first::BINARY, &[7; 126]), vec![data(Kind::Binary, &[7; 126], true)]),
            (to(first::PING, &[9; 125]), vec![control(Opcode::Ping, &[9; 125])]),
            (to(first::PONG, b""), vec![control(Opcode::Pong, b"")]),
            (to(first::CLOSE, &close_body(1000, "x")), vec![control(Opcode::Close, b"\x03\xe8x")]),
            (
                [to(0x01, b"Hel"), to(first::PING, b"?"), to(first::CONTINUATION, b"lo")].concat(),
                vec![
                    data(Kind::Text, b"Hel", false),
                    control(Opcode::Ping, b"?"),
                    data(Kind::Text, b"lo", true),
                ],
            ),
            (
                [to(0x02, b""), to(0x00, b""), to(first::CONTINUATION, b"z")].concat(),
                vec![
                    data(Kind::Binary, b"", false),
                    data(Kind::Binary, b"", false),
                    data(Kind::Binary, b"z", true),
                ],
            ),
        ];
        for (octets, expected) in rows {
            check(role, &Config::default(), octets, expected);
        }
    }

    fn rules_and_where_they_break(role) {
        use ProtocolError as E;
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let limited = config(|config| {
            config.limits.frame = 100;
            config.limits.message = 150;
            config.limits.fragments = 2;
            config.limits.empty_fragments = 1;
        });
        let before = |frames: &[(u8, usize)], last: &[u8]| {
            let frames = frames.iter().flat_map(|(first, len)| to(role, *first, &vec![0; *len]));
            frames.chain(last.iter().copied()).collect::<Vec<u8>>()
        };
        let rows: &[(E, Vec<u8>)] = &[
            (E::ReservedBits, vec![0xC1]),
            (E::ReservedOpcode, vec![0x83]),
            (E::FragmentedControl, vec![0x09]),
            (E::UnexpectedContinuation, vec![0x80]),
            (E::ExpectedContinuation, before(&[(0x01, 1)], &[0x81])),
            (if mask == 0 { E::MaskedFrame } else { E::UnmaskedFrame }, vec![0x81, mask ^ 0x80]),
            (E::ControlTooLong, vec![0x89, mask | 126]),
            (E::NonMinimalLength, vec![0x82, mask | 126, 0, 125]),
            (E::LengthOverflow, vec![0x82, mask | 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            (E::FrameTooBig, vec![0x82, mask | 101]),
            (E::MessageTooBig, before(&[(0x02, 100)], &[0x80, mask | 51])),
            (E::TooManyFragments, before(&[(0x02, 1), (0x00, 1)], &[0x80, mask | 1])),
            (E::TooManyEmptyFragments, before(&[(0x02, 0)], &[0x00, mask])),
        ];
        for (error, octets) in rows {
            for reads in every_cut(octets.len()) {
                let decoded = decode(&mut Decoder::new(role, &limited), octets, &reads);
                assert_eq!(decoded, Err(*error), "{octets:x?} in {reads:?}");
            }
            let early = &octets[..octets.len() - 1];
            let decoded = decode(&mut Decoder::new(role, &limited), early, &[early.len()]);
            assert!(decoded.is_ok(), "{error:?} is judged by its last octet, not before: {decoded:?}");
        }
    }
}

#[test]
fn payload_is_unmasked_where_it_lies() {
    let mut memory = to(Role::Server, first::BINARY, b"in place");
    let mut decoder = Decoder::new(Role::Server, &Config::default());
    let step = decoder.decode(&mut memory).expect("a legal frame");
    assert_eq!(step.consumed, 6 + 8);
    assert_eq!(&memory[6..], b"in place");
    assert_eq!(memory[2..6], KEY, "the header is left alone");
}

/// The length of a frame is no reason to wait for it.
#[test]
fn a_long_payload_is_given_as_it_comes() {
    let mut decoder = Decoder::new(Role::Client, &Config::default());
    let mut memory = [&header(first::BINARY, 1 << 20)[..], b"abc"].concat();
    let step = decoder.decode(&mut memory).expect("a legal header");
    assert_eq!(step.consumed, memory.len());
    let mut more = [0; 1000];
    let step = decoder.decode(&mut more).expect("payload");
    match step.piece {
        Some(Piece::Data { header: None, remaining, message_ends: false, .. }) => {
            assert_eq!(remaining, (1 << 20) - 1003);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_is_left_to_the_caller() {
    let mut memory = unmasked(first::TEXT, b"\xff");
    let step = Decoder::new(Role::Client, &Config::default()).decode(&mut memory).map(|step| step.consumed);
    assert_eq!(step, Ok(3));
}
