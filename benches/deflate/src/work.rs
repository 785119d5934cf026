//! One piece of work so many times, for a tool that counts instructions: two runs with different numbers of passes
//! give the cost of one. `benches/deflate/count` does that.

use std::hint::black_box;

use hybi::extension::permessage_deflate::{
    Deflate, DeflateConfig, Deflater, Inflater, Level, Params, WindowBits,
};
use hybi::{Agreement, Config, Connection, Event};

use crate::direct::{Decompress, MinizRing, ZlibInflate};
use crate::{compressed, direct_compress};

/// What is done, with which messages, and how often.
struct Work {
    size: usize,
    takeover: bool,
    level: u8,
    passes: usize,
}

/// `WHAT SIZE TAKEOVER LEVEL PASSES`; whether that is known.
pub(crate) fn run(args: &[String]) -> bool {
    let [what, size, takeover, level, passes] = args else { return false };
    let (Ok(size), Ok(takeover), Ok(level), Ok(passes)) =
        (size.parse(), takeover.parse(), level.parse(), passes.parse())
    else {
        return false;
    };
    let work = Work { size, takeover, level, passes };
    match &**what {
        "send" => work.send(),
        "deflate" => work.deflate(),
        "deflate-direct" => work.deflate_direct(),
        "receive" => work.receive(),
        "inflate" => work.inflate(),
        "inflate-miniz" => work.inflate_direct(MinizRing::new(15)),
        "inflate-zlib" => work.inflate_direct(ZlibInflate::new(15)),
        _ => return false,
    }
    true
}

impl Work {
    fn messages(&self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        compressed(self.size, self.level, self.takeover, 64 << 10)
    }

    fn level(&self) -> Level {
        Level::new(self.level).expect("a level")
    }

    fn agreed(&self) -> Agreement {
        let mut settings = DeflateConfig::default();
        settings.level = self.level();
        let mut params = Params::default();
        (params.server_no_context_takeover, params.client_no_context_takeover) =
            (!self.takeover, !self.takeover);
        Agreement::default().with_deflate(Deflate::new(settings, params))
    }

    fn send(&self) {
        let (messages, _) = self.messages();
        let mut server = Connection::server(self.agreed(), Config::default());
        for message in std::iter::repeat_n(&messages, self.passes).flatten() {
            server.send(message).expect("it is open");
            let n = black_box(server.transmit()).len();
            server.transmitted(n);
        }
    }

    fn deflate(&self) {
        let (messages, _) = self.messages();
        let mut deflater = Deflater::new(WindowBits::MAX, self.takeover, self.level());
        let mut out = Vec::with_capacity(64 << 10);
        for message in std::iter::repeat_n(&messages, self.passes).flatten() {
            out.clear();
            deflater.deflate(message, &mut out, true).expect("memory");
            black_box(&out);
        }
    }

    fn deflate_direct(&self) {
        let (messages, _) = self.messages();
        let mut compress = direct_compress(self.level);
        let mut out = Vec::with_capacity(64 << 10);
        for message in std::iter::repeat_n(&messages, self.passes).flatten() {
            out.clear();
            compress.message(message, &mut out);
            if !self.takeover {
                compress.reset();
            }
            black_box(&out);
        }
    }

    fn receive(&self) {
        let (_, payloads) = self.messages();
        let wire: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
        let mut octets = wire.clone();
        let mut client = Connection::client(self.agreed(), Config::default(), |key: &mut [u8]| key.fill(7));
        for _ in 0..self.passes {
            octets.copy_from_slice(&wire);
            for read in octets.chunks_mut(64 << 10) {
                let mut input = client.receive(read);
                while let Some(Event::Binary(data)) = input.poll_event() {
                    black_box(&*data);
                }
            }
        }
    }

    fn inflate(&self) {
        let (_, payloads) = self.messages();
        let mut inflater = Inflater::new(WindowBits::MAX, self.takeover);
        let mut out = Vec::with_capacity(64 << 10);
        for payload in std::iter::repeat_n(&payloads, self.passes).flatten() {
            out.clear();
            inflater.finish(payload, &mut out, usize::MAX).expect("right payloads");
            black_box(&out);
        }
    }

    fn inflate_direct(&self, mut inflate: impl Decompress) {
        let (_, payloads) = self.messages();
        let mut out = Vec::with_capacity(64 << 10);
        for payload in std::iter::repeat_n(&payloads, self.passes).flatten() {
            out.clear();
            assert!(inflate.message(payload, &mut out));
            if !self.takeover {
                inflate.reset();
            }
            black_box(&out);
        }
    }
}

/// As a server sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    let header = hybi::wire::header::FrameHeader::new(true, hybi::Opcode::Binary, payload.len() as u64)
        .expect("such a frame exists")
        .with_rsv(4);
    [&header.encode(), payload].concat()
}
