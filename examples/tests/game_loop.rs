//! `game-loop`: two players see one another move, and one of them leave.

mod common;

use common::{Server, close, http};
use hybi_std::{Stream, WebSocket};

/// Reads news until somebody stands there.
fn await_place(player: &mut WebSocket<Stream>, place: &str) {
    while player.recv_message().expect("the game goes on").as_str() != Some(place) {}
}

#[test]
fn two_players() {
    let server = Server::start(env!("CARGO_BIN_EXE_game-loop"), &["127.0.0.1:0"]);
    assert!(http(&server.address).starts_with("HTTP/1.1 426 ")); // it was number 0
    let mut one = server.connect();
    await_place(&mut one, "you are 1");
    let mut two = server.connect();
    await_place(&mut two, "you are 2");
    for _ in 0..3 {
        one.send("right").expect("sent");
    }
    two.send("left").expect("sent");
    await_place(&mut one, "1:3 2:-1");
    await_place(&mut two, "1:3 2:-1");
    close(two);
    await_place(&mut one, "1:3");
    close(one);
}
