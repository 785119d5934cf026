//! What holds for any message, any cut, any octets.

use hybi::extension::permessage_deflate::{Deflater, InflateError, Inflater};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{LIMIT, TAIL, bits, level, reference, text};

fn cases(usual: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases: if cfg!(miri) { 4 } else { usual }, ..default },
    }
}

/// Messages of a connection, with much or nothing in common.
fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let message = prop_oneof![
        vec(any::<u8>(), 0..400),
        (0usize..6_000, 0u64..4).prop_map(|(len, seed)| text(len, seed)),
        (any::<u8>(), 0usize..5_000).prop_map(|(octet, len)| vec![octet; len]),
    ];
    vec(message, 1..6)
}

/// Ends of pieces of a whole of `len` octets.
fn cuts(len: usize, at: &[prop::sample::Index]) -> Vec<usize> {
    let mut cuts: Vec<_> = at.iter().map(|at| at.index(len + 1)).chain([len]).collect();
    cuts.sort_unstable();
    cuts
}

/// What an inflater makes of payloads in pieces.
fn inflate_all(
    inflater: &mut Inflater,
    payloads: &[Vec<u8>],
    at: &[prop::sample::Index],
) -> Result<Vec<Vec<u8>>, InflateError> {
    payloads
        .iter()
        .map(|payload| {
            let (mut message, mut start) = (Vec::new(), 0);
            for end in cuts(payload.len(), at) {
                inflater.inflate(&payload[start..end], &mut message, LIMIT)?;
                start = end;
            }
            inflater.finish(&[], &mut message, LIMIT)?;
            Ok(message)
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn inflate_undoes_deflate(
        messages in messages(),
        n in 8u8..=15,
        l in 0u8..=9,
        takeover: bool,
        fragments: Vec<prop::sample::Index>,
        at: Vec<prop::sample::Index>,
    ) {
        let mut deflater = Deflater::new(bits(n), takeover, level(l));
        let mut payloads = Vec::new();
        let mut stream = Vec::new();
        for message in &messages {
            let (mut payload, mut start) = (Vec::new(), 0);
            let ends = cuts(message.len(), &fragments);
            for (i, end) in ends.iter().enumerate() {
                deflater.deflate(&message[start..*end], &mut payload, i + 1 == ends.len()).unwrap();
                start = *end;
            }
            stream.extend_from_slice(&payload);
            stream.extend_from_slice(&TAIL);
            payloads.push(payload);
        }
        let inflated = inflate_all(&mut Inflater::new(bits(n), takeover), &payloads, &at);
        prop_assert_eq!(inflated.as_ref(), Ok(&messages));
        let reference = reference::inflate(&stream).unwrap();
        prop_assert_eq!(reference.octets, messages.concat());
        prop_assert!(reference.distance <= 1 << n);
    }

    /// Whatever another compressor makes.
    #[test]
    fn inflate_agrees_with_others(messages in messages(), n in 9u8..=15, l in 0i32..=9, at: Vec<prop::sample::Index>) {
        let mut other = zlib_rs::Deflate::new(l, false, n);
        let payloads: Vec<Vec<u8>> = messages
            .iter()
            .map(|message| {
                let mut payload = vec![0; message.len() + 1000];
                let before = other.total_out();
                other.compress(message, &mut payload, zlib_rs::DeflateFlush::SyncFlush).unwrap();
                payload.truncate((other.total_out() - before) as usize);
                if payload.is_empty() { vec![0x00] } else { payload[..payload.len() - 4].to_vec() }
            })
            .collect();
        prop_assert_eq!(inflate_all(&mut Inflater::new(bits(n), true), &payloads, &at), Ok(messages));
    }

    /// Any octets, and streams with an octet changed: the same verdict and the same message as from the plain
    /// twin, in any cut, and never a panic. zlib-rs agrees where it can.
    #[test]
    fn any_payload_is_judged_alike(
        payload in prop_oneof![
            2 => vec(any::<u8>(), 1..200),
            1 => (1usize..2_000, 0u64..9, any::<prop::sample::Index>(), any::<u8>(), 1u8..=9).prop_map(
                |(len, seed, at, octet, l)| {
                    let mut payload = super::deflate(
                        &mut Deflater::new(bits(15), true, level(l)),
                        &text(len, seed),
                    );
                    let at = at.index(payload.len());
                    payload[at] = octet;
                    payload
                },
            ),
        ],
        at: Vec<prop::sample::Index>,
    ) {
        let whole = inflate_all(&mut Inflater::new(bits(15), true), std::slice::from_ref(&payload), &[]);
        let cut = inflate_all(&mut Inflater::new(bits(15), true), std::slice::from_ref(&payload), &at);
        prop_assert_eq!(&whole, &cut);
        if let Some(theirs) = by_zlib(&[&payload[..], &TAIL].concat()) {
            prop_assert_eq!(whole.map(|mut messages| messages.remove(0)).ok(), theirs);
        }
    }

    #[test]
    fn a_window_is_enforced_or_not_needed(message in (0usize..20_000, 0u64..9), n in 8u8..=14, l in 1u8..=9) {
        let message = text(message.0, message.1);
        let payload = super::deflate(&mut Deflater::new(bits(15), true, level(l)), &message);
        let distance = reference::inflate(&[&payload[..], &TAIL].concat()).unwrap().distance;
        let inflated = super::inflate(&mut Inflater::new(bits(n), true), &payload);
        prop_assert_eq!(inflated.ok(), (distance <= 1 << n).then_some(message));
    }
}

/// What zlib-rs makes of a stream: a message, or that it is none. It says nothing of streams with a last block,
/// where it stops.
fn by_zlib(stream: &[u8]) -> Option<Option<Vec<u8>>> {
    let mut inflate = zlib_rs::Inflate::new(false, 15);
    let mut out = vec![0; 1 << 20];
    match inflate.decompress(stream, &mut out, zlib_rs::InflateFlush::SyncFlush) {
        Ok(zlib_rs::Status::StreamEnd) => None,
        Err(_) => Some(None),
        Ok(_) => {
            out.truncate(inflate.total_out() as usize);
            // It cannot tell whether it is at the end of a block; the plain twin can.
            Some(reference::inflate(stream).map(|inflated| inflated.octets).filter(|octets| *octets == out))
        }
    }
}
