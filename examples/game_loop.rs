//! A game: one thread, sixty frames a second, and no moment in which it waits for a socket.
//!
//!     cargo run -p hybi-examples --bin game-loop -- 127.0.0.1:9001
//!
//! Each frame looks at every player once, moves the world, and tells all of them where everybody is. Sockets that have
//! nothing to say cost one call. Players send `left` or `right`, and get a line such as `0:3 1:-2` for each frame in
//! which somebody moved.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::{mem, thread, time};

use hybi::handshake::{Accept, Incoming, ServerHandshake, ServerSettings};
use hybi::{Config, Connection, Event, Instant, Prepared, TransportAction};

const FRAME: time::Duration = time::Duration::from_nanos(1_000_000_000 / 60);

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on ws://{}/", listener.local_addr()?);
    let mut config = Config::default();
    config.timeouts.keepalive = Some(time::Duration::from_secs(5)); // who pulls the plug leaves the world
    let (config, mut players, mut scratch) = (Arc::new(config), Vec::new(), vec![0; 16 * 1024]);
    let (start, mut next_number) = (time::Instant::now(), 0);
    for frame in 1.. {
        let now = Instant::from_nanos(start.elapsed().as_nanos() as u64); // one time for all of the frame
        while let Ok((stream, _)) = listener.accept() {
            players.extend(Player::new(next_number, stream, config.clone()));
            next_number += 1;
        }
        for player in &mut players {
            player.hear(now, &mut scratch);
        }
        let all = players.len();
        players.retain(|player| !player.is_gone());
        let mut moved = players.len() < all;
        for player in &mut players {
            player.position += player.steps;
            moved |= mem::take(&mut player.steps) != 0;
        }
        if moved {
            let places = players.iter().map(|player| format!("{}:{}", player.number, player.position));
            let news = Prepared::new(&*places.collect::<Vec<_>>().join(" ")); // framed once for all of them
            players.iter_mut().for_each(|player| player.tell(&news));
        }
        players.iter_mut().for_each(Player::write);
        // Here the picture would be drawn.
        thread::sleep((FRAME * frame).saturating_sub(start.elapsed()));
    }
    Ok(())
}

struct Player {
    number: usize,
    position: i32,
    /// What it asked for since the last frame.
    steps: i32,
    stream: TcpStream,
    stage: Stage,
}

enum Stage {
    Opening(Box<ServerHandshake>),
    Playing(Box<Connection>),
    Gone,
}

impl Player {
    fn new(number: usize, stream: TcpStream, config: Arc<Config>) -> Option<Self> {
        stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).ok()?;
        let stage = Stage::Opening(ServerHandshake::new(config, ServerSettings::default()).into());
        Some(Self { number, position: 0, steps: 0, stream, stage })
    }

    /// What is there just now, one buffer of it: who floods the game does not hold the frame up.
    fn hear(&mut self, now: Instant, scratch: &mut [u8]) {
        let read = self.stream.read(scratch);
        if let Stage::Opening(handshake) = &mut self.stage {
            handshake.handle_timeout(now);
            match read {
                Ok(n @ 1..) => drop(handshake.receive(&scratch[..n])), // it keeps what is behind the request
                Err(ref error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => handshake.receive_eof(),
            }
            if let Some(Incoming::Upgrade(_)) = handshake.poll_event()
                && let Ok(mut connection) = handshake.accept(Accept::new())
            {
                let _ = connection.send(&*format!("you are {}", self.number));
                self.stage = Stage::Playing(connection.into());
            }
            return;
        }
        let Stage::Playing(connection) = &mut self.stage else { return };
        match read {
            Ok(n @ 1..) => {
                let mut input = connection.receive(&mut scratch[..n]);
                while let Some(event) = input.poll_event() {
                    self.steps += steps(&event);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) => connection.receive_eof(),
            Err(_) => connection.transport_lost(),
        }
        connection.handle_timeout(now);
        while let Some(event) = connection.poll_event() {
            self.steps += steps(&event); // what came with the request
        }
    }

    /// News that come anew with each frame are not queued for somebody who does not take them.
    fn tell(&mut self, news: &Prepared) {
        if let Stage::Playing(connection) = &mut self.stage
            && !connection.is_above_high_water()
        {
            let _ = connection.send_prepared(news); // refused after a close frame
        }
    }

    fn write(&mut self) {
        loop {
            let waits = match &self.stage {
                Stage::Opening(handshake) => handshake.transmit(),
                Stage::Playing(connection) => connection.transmit(),
                Stage::Gone => return,
            };
            if waits.is_empty() {
                break;
            }
            match (self.stream.write(waits), &mut self.stage) {
                (Ok(n @ 1..), Stage::Opening(handshake)) => handshake.transmitted(n),
                (Ok(n @ 1..), Stage::Playing(connection)) => connection.transmitted(n),
                (Err(error), _) if error.kind() == ErrorKind::WouldBlock => break,
                _ => self.stage = Stage::Gone,
            }
        }
        self.stage = match mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Opening(handshake) if handshake.wants_close() => Stage::Gone,
            Stage::Playing(connection) if connection.transport_action() == TransportAction::Close => {
                Stage::Gone
            }
            stage => stage,
        };
    }

    fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }
}

fn steps(event: &Event<'_>) -> i32 {
    match event {
        Event::Text(text) if text.as_bytes() == b"left" => -1,
        Event::Text(text) if text.as_bytes() == b"right" => 1,
        _ => 0,
    }
}
