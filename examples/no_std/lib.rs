//! A WebSocket server that sends back what it gets, without std: no socket, no clock, no randomness. Whoever has them
//! calls [`Echo::receive`] with what arrived and what time it is, and writes what comes out.
//!
//! On bare metal this is a library for the program that owns the network:
//!
//! ```sh
//! cargo build -p hybi-example-no-std --target thumbv7em-none-eabi
//! ```
//!
//! In WebAssembly it is a module that imports nothing; `serve.mjs` gives it a socket:
//!
//! ```sh
//! cargo build --release -p hybi-example-no-std --target wasm32-unknown-unknown
//! node examples/no_std/serve.mjs target/wasm32-unknown-unknown/release/hybi_example_no_std.wasm 9001
//! ```

#![cfg_attr(any(target_os = "none", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::boxed::Box;
use core::time::Duration;

use hybi::handshake::{Accept, Incoming, ServerHandshake, ServerSettings};
use hybi::{Config, Connection, Event, Instant, Sender, TransportAction};

#[cfg(target_family = "wasm")]
pub mod wasm;

/// One connection, from the first octet of its request on.
#[derive(Debug)]
pub struct Echo(Stage);

#[derive(Debug)]
enum Stage {
    Opening(Box<ServerHandshake>),
    Open(Box<Connection>),
}

impl Default for Echo {
    fn default() -> Self {
        let mut config = Config::default();
        // A small machine: a message is at most what it can hold, and who is silent makes room for somebody else.
        config.limits.message = 16 * 1024;
        config.water.limit = 32 * 1024;
        config.timeouts.idle = Some(Duration::from_secs(60));
        Self(Stage::Opening(ServerHandshake::new(config, ServerSettings::default()).into()))
    }
}

impl Echo {
    /// Takes what arrived (nothing, if only time has passed), unmasks it where it lies, and answers.
    pub fn receive(&mut self, octets: &mut [u8], now: Instant) {
        let mut taken = 0;
        if let Stage::Opening(handshake) = &mut self.0 {
            taken = handshake.receive(octets);
            handshake.handle_timeout(now);
            if let Some(Incoming::Upgrade(_)) = handshake.poll_event()
                && let Ok(connection) = handshake.accept(Accept::new())
            {
                self.0 = Stage::Open(connection.into());
            }
        }
        let Stage::Open(connection) = &mut self.0 else { return };
        let mut input = connection.receive(&mut octets[taken..]);
        while let Some((event, sender)) = input.poll_event_with() {
            echo(event, sender);
        }
        drop(input);
        connection.handle_timeout(now);
        while let Some((event, sender)) = connection.poll_event_with() {
            echo(event, sender);
        }
    }

    /// Nothing more will arrive.
    pub fn receive_eof(&mut self) {
        match &mut self.0 {
            Stage::Opening(handshake) => handshake.receive_eof(),
            Stage::Open(connection) => connection.receive_eof(),
        }
    }

    /// Takes out what is to be written, as much as fits. Returns how many octets that are.
    pub fn transmit_into(&mut self, out: &mut [u8]) -> usize {
        match &mut self.0 {
            Stage::Open(connection) => connection.transmit_into(out),
            Stage::Opening(handshake) => {
                let waits = handshake.transmit();
                let n = waits.len().min(out.len());
                out[..n].copy_from_slice(&waits[..n]);
                handshake.transmitted(n);
                n
            }
        }
    }

    /// When to call [`receive`](Self::receive) at the latest, also if nothing has arrived.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.0 {
            Stage::Opening(handshake) => handshake.poll_timeout(),
            Stage::Open(connection) => connection.poll_timeout(),
        }
    }

    /// Whether there is nothing left to do but to close the transport.
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Stage::Opening(handshake) => handshake.wants_close(),
            Stage::Open(connection) => connection.transport_action() == TransportAction::Close,
        }
    }
}

/// The application.
fn echo(event: Event<'_>, sender: &mut Sender) {
    // Refused is what comes behind a close frame, or what a peer that takes no answers made too much.
    let _ = match event {
        Event::Text(text) => sender.send(&text),
        Event::Binary(data) => sender.send(&data),
        _ => Ok(()),
    };
}
