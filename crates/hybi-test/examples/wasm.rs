//! The core as a WebAssembly module that imports nothing: no clock, no entropy, no memory but its own.
//! `.ci/wasm-imports.py` looks at the module; this file only has to use enough of the core.

#![allow(unsafe_code, reason = "an exported symbol is an unsafe attribute; nothing else here is unsafe")]

use hybi::handshake::{ServerHandshake, ServerSettings};
use hybi::{Agreement, Config, Connection, Event, Instant};

/// A server that sends back a message of `len` octets, and answers a request. Returns how many octets it
/// would transmit.
#[unsafe(no_mangle)]
pub extern "C" fn echo(len: usize) -> usize {
    let mut peer = Connection::client(Agreement::default(), Config::default(), |out: &mut [u8]| out.fill(1));
    let mut server = Connection::server(Agreement::default(), Config::default());
    if peer.send(&vec![b'a'; len]).is_err() {
        return 0;
    }
    let mut wire = vec![0; peer.buffered_len()];
    peer.transmit_into(&mut wire);
    let mut input = server.receive(&mut wire);
    while let Some((event, sender)) = input.poll_event_with() {
        if let Event::Binary(data) = event {
            let _ = sender.send(&data);
        }
    }
    drop(input);
    server.handle_timeout(Instant::from_nanos(1));
    let mut handshake = ServerHandshake::new(Config::default(), ServerSettings::default());
    let _ = handshake.receive(b"GET / HTTP/1.1\r\n\r\n");
    server.buffered_len() + handshake.transmit().len()
}
