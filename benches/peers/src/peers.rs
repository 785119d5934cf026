//! The libraries, one file each, and the limits. A new one is a file with a `PEER`, and a line in each list here.

mod fastwebsockets;
mod floor;
mod hybi_lent;
mod hybi_own;
mod hybi_owned;
mod nullcopy;
mod sockudo_sansio;
mod sockudo_ws;
mod soketto;
mod tokio_tungstenite;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod wtx;
mod yawc;

use crate::Peer;

/// The limits: a copy in and out, and a codec that can do nothing but this.
pub const NULL_COPY: &str = "nullcopy";
pub const FLOOR: &str = "floor";
/// Ours.
pub const OURS: [&str; 3] = ["hybi", "hybi-own", "hybi-owned"];

pub const PEERS: &[Peer] = &[
    nullcopy::PEER,
    floor::PEER,
    hybi_lent::PEER,
    hybi_own::PEER,
    hybi_owned::PEER,
    tungstenite::PEER,
    tokio_tungstenite::PEER,
    fastwebsockets::PEER,
    tokio_websockets::PEER,
    soketto::PEER,
    web_socket::PEER,
    yawc::PEER,
    sockudo_ws::PEER,
    sockudo_sansio::PEER,
    wtx::PEER,
];
