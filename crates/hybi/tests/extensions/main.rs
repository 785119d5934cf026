//! Extensions of somebody else on real connections (RFC 6455 §9): negotiated over octets, run in the order of the
//! answer, alone and on both sides of permessage-deflate.

#![cfg(all(feature = "handshake", any(feature = "deflate", feature = "zlib-rs")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

mod handshakes;
mod messages;

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::extension::{
    Extension, Extensions, Inward, Offer, Outward, Rsv, TransformError, Transforms, Transit, parse_offers,
};
use hybi::handshake::{
    Accept, ClientHandshake, ClientRequest, Incoming, Outcome, ServerHandshake, ServerSettings,
};
use hybi::{BoxEntropy, Config, Connection, HandshakeError, Role};
use hybi_test::endpoint::fixed_entropy;

/// Numbers and adds up the messages of each direction: two octets at the end say which it is and what its octets come
/// to. RSV3 says that they are there. It refuses to send what begins with `!`.
#[derive(Clone, Debug)]
struct Sign;

/// The state of one direction.
#[derive(Debug, Default)]
struct Signing {
    messages: u8,
}

impl Signing {
    fn next(&mut self, payload: &[u8]) -> [u8; 2] {
        self.messages = self.messages.wrapping_add(1);
        [self.messages, payload.iter().fold(self.messages, |sum, octet| sum.wrapping_add(*octet))]
    }
}

impl Extension for Sign {
    fn name(&self) -> &str {
        "x-sign"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV3
    }

    fn offers(&self) -> Vec<Offer> {
        parse_offers([&b"x-sign; alg=strong, x-sign; alg=sum"[..]]).unwrap()
    }

    fn answer(&self, offers: &[Offer]) -> Option<Offer> {
        offers.iter().find(|offer| self.agrees(offer)).cloned()
    }

    fn agrees(&self, answer: &Offer) -> bool {
        matches!(answer.params(), [alg] if (alg.name(), alg.value()) == ("alg", Some("sum")))
    }

    fn transforms(&self, _: Role, answer: &Offer) -> Transforms {
        assert!(self.agrees(answer));
        Transforms { outward: Box::new(Signing::default()), inward: Box::new(Signing::default()) }
    }
}

impl Outward for Signing {
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        if message.payload.first() == Some(&b'!') {
            return Err(TransformError::Invalid);
        }
        let signature = self.next(&message.payload);
        message.payload.extend_from_slice(&signature);
        message.rsv = Rsv::from_bits(7); // only its own bit counts
        Ok(())
    }
}

impl Inward for Signing {
    fn inward(&mut self, message: &mut Transit, _: usize) -> Result<(), TransformError> {
        let (payload, signature) = message.payload.split_last_chunk::<2>().ok_or(TransformError::Invalid)?;
        if !message.rsv.contains(Rsv::RSV3) || self.next(payload) != *signature {
            return Err(TransformError::Invalid);
        }
        message.payload.truncate(message.payload.len() - 2);
        Ok(())
    }
}

/// Sends runs of an octet as the octet and their length. It has no reserved bit, and stops at the limit.
#[derive(Clone, Debug)]
struct Runs;

impl Extension for Runs {
    fn name(&self) -> &str {
        "x-runs"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offers(&self) -> Vec<Offer> {
        vec![Offer::new("x-runs").unwrap()]
    }

    fn answer(&self, _: &[Offer]) -> Option<Offer> {
        Offer::new("x-runs").ok()
    }

    fn agrees(&self, _: &Offer) -> bool {
        true
    }

    fn transforms(&self, _: Role, _: &Offer) -> Transforms {
        Transforms { outward: Box::new(Self), inward: Box::new(Self) }
    }
}

impl Outward for Runs {
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        let runs = message.payload.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255));
        message.payload = runs.flat_map(|run| [run[0], run.len() as u8]).collect();
        Ok(())
    }
}

impl Inward for Runs {
    fn inward(&mut self, message: &mut Transit, limit: usize) -> Result<(), TransformError> {
        let mut payload = Vec::new();
        for run in message.payload.chunks(2) {
            let &[octet, len] = run else { return Err(TransformError::Invalid) };
            if payload.len() + usize::from(len) > limit {
                return Err(TransformError::TooBig);
            }
            payload.resize(payload.len() + usize::from(len), octet);
        }
        message.payload = payload;
        Ok(())
    }
}

/// The extensions of these names, in this order.
fn extensions(names: &[&str]) -> Extensions {
    let mut extensions = Extensions::new();
    for name in names {
        match *name {
            "x-sign" => extensions.register(Sign).unwrap(),
            "x-runs" => extensions.register(Runs).unwrap(),
            _ => extensions.register_permessage_deflate(compressing()).unwrap(),
        }
    }
    extensions
}

/// Settings that compress everything.
fn compressing() -> DeflateConfig {
    let mut config = DeflateConfig::default();
    config.threshold = 0;
    config
}

fn request(extensions: Extensions) -> ClientRequest {
    ClientRequest::new("ws://h/").unwrap().with_extensions(extensions)
}

/// The opening handshake, over octets.
fn try_open(
    request: ClientRequest,
    accept: Accept,
    config: &Config,
) -> Result<[Connection; 2], HandshakeError> {
    let mut client = ClientHandshake::new(request, config.clone(), BoxEntropy::new(fixed_entropy));
    let mut server = ServerHandshake::new(config.clone(), ServerSettings::default());
    assert_eq!(server.receive(client.transmit()), client.transmit().len());
    client.transmitted(usize::MAX);
    assert!(matches!(server.poll_event(), Some(Incoming::Upgrade(_))));
    let mut server = server.accept(accept).unwrap();
    let n = server.transmit().len();
    assert_eq!(client.receive(server.transmit()), n);
    server.transmitted(n);
    match client.poll_event() {
        Some(Outcome::Opened(_)) => Ok([client.into_connection().unwrap(), server]),
        Some(Outcome::Failed(error)) => Err(error),
        None => panic!("the response was whole"),
    }
}

/// A client and a server that agreed on all of these, in this order.
fn open_with(names: &[&str], config: &Config) -> [Connection; 2] {
    let ends = try_open(request(extensions(names)), Accept::new().with_extensions(extensions(names)), config);
    let ends = ends.unwrap();
    for end in &ends {
        assert_eq!(end.agreement().extensions().collect::<Vec<_>>(), names);
    }
    ends
}

fn open(names: &[&str]) -> [Connection; 2] {
    open_with(names, &Config::default())
}
