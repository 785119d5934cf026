//! Messages through a connection, next to the codec alone: what frames, the queue and events cost beside compression,
//! and the memory of connections.

use std::sync::Arc;

use hybi::extension::permessage_deflate::{
    Deflate, DeflateConfig, Deflater, Inflater, Level, Memory, Params, WindowBits,
};
use hybi::{Agreement, Config, Connection, Event};

use crate::{BACK_END, each, messages, time};

pub(crate) fn measure(rounds: usize) {
    println!("{BACK_END}: MB of text per second, server to client\n");
    println!(
        "| size | takeover | level | send | deflate | send : deflate | receive | inflate | receive : inflate |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for size in [1024, 16384] {
        for takeover in [true, false] {
            for level in [1, 3, 6] {
                row(rounds, size, takeover, Level::new(level).expect("a level"));
            }
        }
    }
}

fn row(rounds: usize, size: usize, takeover: bool, level: Level) {
    let messages = messages::json(size, (1 << 20) / size);
    let plain = (size * messages.len()) as f64;
    let agreed = || {
        let mut settings = DeflateConfig::default();
        settings.level = level;
        let mut params = Params::default();
        (params.server_no_context_takeover, params.client_no_context_takeover) = (!takeover, !takeover);
        Agreement::default().with_deflate(Deflate::new(settings, params))
    };
    let mut wire = Vec::new();
    let [mut send, mut deflate, mut receive, mut inflate] = [f64::MAX; 4];
    for _ in 0..3 {
        send = send.min(time(rounds, || {
            wire.clear();
            let mut server = Connection::server(agreed(), Config::default());
            for message in &messages {
                server.send(message).expect("it is open");
                let n = server.transmit().len();
                wire.extend_from_slice(server.transmit());
                server.transmitted(n);
            }
        }));
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        deflate = deflate.min(time(rounds, || {
            payloads.clear();
            let mut deflater = Deflater::new(WindowBits::MAX, takeover, level);
            for message in &messages {
                let mut payload = Vec::new();
                deflater.deflate(message, &mut payload, true).expect("memory");
                payloads.push(payload);
            }
        }));
        let mut octets = wire.clone();
        receive = receive.min(time(rounds, || {
            octets.copy_from_slice(&wire);
            let mut client = Connection::client(agreed(), Config::default(), |key: &mut [u8]| key.fill(7));
            let mut len = 0;
            for read in octets.chunks_mut(64 << 10) {
                let mut input = client.receive(read);
                while let Some(Event::Binary(data)) = input.poll_event() {
                    len += data.len();
                }
            }
            assert_eq!(len as f64, plain);
        }));
        let mut out = Vec::with_capacity(64 << 10);
        inflate = inflate.min(time(rounds, || {
            let mut inflater = Inflater::new(WindowBits::MAX, takeover);
            for payload in &payloads {
                out.clear();
                inflater.finish(payload, &mut out, usize::MAX).expect("right payloads");
            }
        }));
    }
    println!(
        "| {size} | {takeover} | {} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {:.2} |",
        level.get(),
        plain * 1e3 / send,
        plain * 1e3 / deflate,
        deflate / send,
        plain * 1e3 / receive,
        plain * 1e3 / inflate,
        inflate / receive
    );
}

/// KiB in memory of a server that received and sent messages of 16 KiB and is idle.
pub(crate) fn resident(bits: WindowBits, takeover: bool, memory: Memory) -> f64 {
    let mut settings = DeflateConfig::default();
    settings.memory = memory;
    let params = Params {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    };
    idle(&Agreement::default().with_deflate(Deflate::new(settings, params)))
}

pub(crate) fn resident_plain() -> f64 {
    idle(&Agreement::default())
}

fn idle(agreement: &Agreement) -> f64 {
    let config = Arc::new(Config::default());
    let mut client = Connection::client(agreement.clone(), config.clone(), |key: &mut [u8]| key.fill(7));
    let mut wire = Vec::new();
    for message in messages::json(16384, 8) {
        client.send(&message).expect("it is open");
        wire.extend_from_slice(client.transmit());
        let n = client.transmit().len();
        client.transmitted(n);
    }
    let mut memory = wire.clone();
    let mut server = || {
        memory.copy_from_slice(&wire);
        let mut server = Connection::server(agreement.clone(), config.clone());
        let mut input = server.receive(&mut memory);
        while let Some((event, sender)) = input.poll_event_with() {
            let Event::Binary(message) = event else { continue };
            sender.send(&message).expect("it is open");
        }
        drop(input);
        while !server.transmit().is_empty() {
            let n = server.transmit().len();
            server.transmitted(n);
        }
        server
    };
    drop(server()); // so that memory of the program itself is there
    each(server)
}
