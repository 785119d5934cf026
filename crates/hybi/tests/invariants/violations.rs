//! Every violation has its close code, on the wire and in the event, and a section; and after it nothing is
//! delivered (I-3, I-4).

use hybi::ProtocolError::{self, *};
use hybi::extension::{
    Extension, Extensions, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit,
};
use hybi::{CloseCause, Config, Role};
use hybi_test::alloc::Measure;
use hybi_test::endpoint::{Memory, config, open_agreed, open_with, receive_eof, transmit_all};
use hybi_test::frames::{self, first, read_all, to};
use hybi_test::record::Record;

use super::ROLES;

/// A violation: what is sent, what it is called, its code. The last octet of what is sent is the one that shows it.
type Row = (ProtocolError, u16, Vec<u8>);

fn small() -> Config {
    config(|config| {
        (config.limits.message, config.limits.frame) = (300, 200);
        (config.limits.fragments, config.limits.empty_fragments) = (3, 2);
    })
}

fn rows(role: Role) -> Vec<Row> {
    let raw = |octets: &[u8]| octets.to_vec();
    // The second octet says whether there is a key; up to there nothing is masked.
    let mask = if role == Role::Server { 0x80 } else { 0 };
    let fragment = |len| to(role, 0x02, &vec![0; len]);
    vec![
        (ReservedBits, 1002, raw(&[0xC1])),
        (ReservedBits, 1002, raw(&[0x89 | 0x20])),
        (ReservedOpcode, 1002, raw(&[0x83])),
        (ReservedOpcode, 1002, raw(&[0x8F])),
        (UnexpectedContinuation, 1002, raw(&[0x80])),
        (ExpectedContinuation, 1002, [&to(role, 0x01, b"a")[..], &[0x81]].concat()),
        (FragmentedControl, 1002, raw(&[0x09])),
        (ControlTooLong, 1002, raw(&[0x89, mask | 126])),
        (if role == Role::Server { UnmaskedFrame } else { MaskedFrame }, 1002, raw(&[0x81, mask ^ 0x80])),
        (NonMinimalLength, 1002, raw(&[0x82, mask | 126, 0, 125])),
        (LengthOverflow, 1002, raw(&[0x82, mask | 127, 0x80, 0, 0, 0, 0, 0, 0, 0])),
        (CloseTooShort, 1002, to(role, first::CLOSE, b"\x03")),
        (InvalidCloseCode, 1002, to(role, first::CLOSE, &1005u16.to_be_bytes())),
        (InvalidUtf8, 1007, to(role, 0x01, b"\xFF")),
        (InvalidUtf8, 1007, to(role, first::CLOSE, b"\x03\xE8\xFF")),
        (FrameTooBig, 1009, raw(&[0x82, mask | 126, 0, 201])),
        (MessageTooBig, 1009, [&fragment(200)[..], &[0x80, mask | 101]].concat()),
        (
            TooManyFragments,
            1008,
            [&fragment(1)[..], &to(role, 0, &[0]).repeat(2), &[0x00, mask | 1]].concat(),
        ),
        (TooManyEmptyFragments, 1008, [&fragment(0)[..], &to(role, 0, b""), &[0x00, mask]].concat()),
    ]
}

/// All events, and what was sent.
fn outcome(role: Role, memory: Memory, octets: &[u8]) -> (Vec<Record>, Vec<frames::Frame>) {
    let mut connection = open_with(role, small());
    let mut events = Vec::new();
    memory.feed(&mut connection, octets, &mut events);
    let sent = read_all(role, &transmit_all(&mut connection)).unwrap();
    memory.feed(&mut connection, &to(role, first::TEXT, b"more"), &mut events);
    events.extend(receive_eof(&mut connection));
    assert!(transmit_all(&mut connection).is_empty(), "nothing after the close frame");
    (events, sent)
}

#[test]
fn each_violation_fails_at_its_octet_with_its_code() {
    for role in ROLES {
        for (error, code, octets) in rows(role) {
            for memory in Memory::ALL {
                let (events, sent) = outcome(role, memory, &octets);
                let closed = Record::Closed(1006, Vec::new(), CloseCause::Failed(error));
                assert_eq!(events, [Record::Failed(error), closed], "{error:?} to {role:?}");
                assert_eq!(sent.iter().map(frames::Frame::close_code).collect::<Vec<_>>(), [Some(code)]);
                assert_eq!(error.close_code().value(), code);
                assert!(error.section().starts_with("RFC "));
            }
            // One octet before it there is nothing to say yet.
            let mut connection = open_with(role, small());
            let mut events = Vec::new();
            Memory::Lent.feed(&mut connection, &octets[..octets.len() - 1], &mut events);
            assert_eq!(events, [], "{error:?} to {role:?}");
        }
    }
}

/// An extension that finds every message invalid.
#[derive(Debug)]
struct Picky;

impl Extension for Picky {
    fn name(&self) -> &str {
        "picky"
    }
    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }
    fn offers(&self) -> Vec<Offer> {
        vec![Offer::new("picky").unwrap()]
    }
    fn answer(&self, offers: &[Offer]) -> Option<Offer> {
        offers.first().cloned()
    }
    fn agrees(&self, _: &Offer) -> bool {
        true
    }
    fn transforms(&self, _: Role, _: &Offer) -> Transforms {
        Transforms { outward: Box::new(Self), inward: Box::new(Self) }
    }
}

impl Outward for Picky {
    fn outward(&mut self, _: &mut Transit) -> Result<(), TransformError> {
        Ok(())
    }
}

impl Inward for Picky {
    fn inward(&mut self, _: &mut Transit, _: usize) -> Result<(), TransformError> {
        Err(TransformError::Invalid)
    }
}

/// The violation that needs an extension of somebody else.
#[test]
fn what_an_extension_finds_invalid() {
    let mut extensions = Extensions::new();
    extensions.register(Picky).unwrap();
    let (_, agreed) = extensions.answer(&extensions.offers());
    let agreement = hybi::Agreement::default().with_extensions(agreed);
    for role in ROLES {
        let mut connection = open_agreed(role, agreement.clone(), Config::default());
        let octets = [to(role, first::BINARY, b""), to(role, first::BINARY, b"")].concat();
        let events = hybi_test::endpoint::receive(&mut connection, &octets);
        assert_eq!(events, [Record::Failed(InvalidExtensionData)]);
        let sent = read_all(role, &transmit_all(&mut connection)).unwrap();
        assert_eq!(sent.iter().map(frames::Frame::close_code).collect::<Vec<_>>(), [Some(1007)]);
    }
}

/// The violation that needs permessage-deflate, and the failure that is nobody's fault.
#[test]
fn the_two_that_need_more_than_octets() {
    use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Params};
    for role in ROLES {
        let deflate = Deflate::new(DeflateConfig::default(), Params::default());
        let agreement = hybi::Agreement::default().with_deflate(deflate);
        let mut connection = open_agreed(role, agreement, Config::default());
        let events = hybi_test::endpoint::receive(&mut connection, &to(role, 0xC2, &[0x06]));
        assert_eq!(events, [Record::Failed(InvalidDeflate)], "a block of the reserved type");
        assert_eq!(InvalidDeflate.close_code().value(), 1007);

        let mut connection = open_with(role, Config::default());
        let octets = to(role, 0x02, &[0; 100]);
        let measure = Measure::start();
        measure.fail_at(1);
        let mut failed = false;
        Memory::Lent.show(&mut connection, &octets, |event| {
            failed |= matches!(event, hybi::Event::Failed(OutOfMemory));
        });
        measure.fail_at(0);
        assert!(failed);
        let sent = read_all(role, &transmit_all(&mut connection)).unwrap();
        assert_eq!(sent.iter().map(frames::Frame::close_code).collect::<Vec<_>>(), [Some(1011)]);
    }
}

/// Every variant has a row: those without are listed by their names in the error's own file.
#[test]
fn every_variant_has_a_row() {
    let source = include_str!("../../src/error.rs");
    let body = source.split("pub enum ProtocolError {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants = body.lines().map(str::trim).filter(|line| !line.starts_with("///") && line.ends_with(','));
    let mut covered: Vec<String> =
        ROLES.into_iter().flat_map(rows).map(|(error, ..)| format!("{error:?}")).collect();
    covered.extend([InvalidDeflate, InvalidExtensionData, OutOfMemory].map(|error| format!("{error:?}")));
    for variant in variants {
        let name = variant.trim_end_matches(',');
        assert!(covered.iter().any(|covered| covered == name), "{name} has no row");
    }
}
