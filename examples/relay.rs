//! A proxy that relays frames: between a client and a server it assembles no message, and holds no more than one read.
//!
//!     cargo run -p hybi-examples --bin relay -- 127.0.0.1:9001 ws://127.0.0.1:9002/
//!
//! A client that asks for something is answered only when the server behind has: path, subprotocols and origin are
//! passed on, and so is the server's choice. From then on each direction is a thread with a `Decoder`, which holds
//! every rule about frames and unmasks the payload where it lies. Pieces go on as they came: to the server with a new
//! masking key, to the client without. Pings, pongs and close frames are frames like any others, for the ends to
//! answer. Compression is not offered on either side: a relay may not change frames whose extensions it does not know
//! (RFC 6455 §5.4 and §9).
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::{env, thread};

use hybi::wire::header::FrameHeader;
use hybi::wire::mask::{mask, rotate};
use hybi::{Config, Decoder, Entropy, Opcode, Piece, ProtocolError, Role, SystemEntropy};
use hybi_std::{Accept, Acceptor, Answer, Arrival, ClientRequest, Connector, Pending, WebSocket};

const READ: usize = 64 * 1024;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9001".into());
    let behind = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:9002".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, behind) = (stream?, behind.trim_end_matches('/').to_owned());
        thread::spawn(move || {
            if let Ok(Arrival::Upgrade(pending)) = Acceptor::default().read(stream) {
                let _ = relay(pending, &behind); // whoever is left was told, or has gone
            }
        });
    }
    Ok(())
}

/// One client, from its request to the end.
fn relay(pending: Pending<TcpStream>, behind: &str) -> Result<(), hybi_std::Error> {
    let (server, response) = match ask(&pending, behind) {
        Ok(answered) => answered,
        Err(_) => return pending.reject(Answer::new(502).with_body("the server behind does not answer\n")),
    };
    let accept = Accept::new();
    let accept = response.subprotocol().map_or_else(Accept::new, |name| accept.with_subprotocol(name));
    let (client, from_client) = frames(pending.accept(accept)?);
    let (server, from_server) = frames(server);
    let (to_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || pump(Role::Server, client, from_client, to_server));
    let downward = pump(Role::Client, server, from_server, to_client);
    upward.join().unwrap_or(Ok(()))?;
    Ok(downward?)
}

/// Asks the server behind what the client has asked.
fn ask(
    pending: &Pending<TcpStream>,
    behind: &str,
) -> Result<(WebSocket<TcpStream>, hybi_std::Response), Box<dyn std::error::Error>> {
    let request = pending.request();
    let mut asked = ClientRequest::new(&*format!("{behind}{}", request.target()))?;
    for name in request.subprotocols().iter() {
        asked = asked.with_subprotocol(name)?;
    }
    if let Some(origin) = request.origin() {
        asked = asked.with_origin(origin)?;
    }
    let stream = TcpStream::connect((asked.uri().host(), asked.uri().port()))?;
    stream.set_nodelay(true)?;
    Ok(Connector::default().handshake(stream, asked)?)
}

/// Goes on without the connection: its transport, and what was read behind the handshake.
fn frames(socket: WebSocket<TcpStream>) -> (TcpStream, Vec<u8>) {
    let (stream, mut connection) = socket.into_parts();
    (stream, connection.take_unread())
}

/// One direction, to its end. `role` is who we are to the side that we read from.
fn pump(role: Role, mut from: TcpStream, unread: Vec<u8>, mut to: TcpStream) -> io::Result<()> {
    let mut relay = Relay::new(role);
    let (mut memory, mut filled, mut out) = (unread, 0, Vec::new());
    let mut read = memory.len();
    memory.resize(read.max(READ), 0);
    loop {
        filled += read;
        let passed = relay.pass(&mut memory[..filled], &mut out);
        to.write_all(&out)?;
        out.clear();
        let Ok(done) = passed else { break };
        memory.copy_within(done..filled, 0);
        filled -= done;
        read = from.read(&mut memory[filled..])?;
        if read == 0 {
            break;
        }
    }
    to.shutdown(Shutdown::Write) // the other direction goes on to its own end
}

/// The frames of one direction.
struct Relay {
    decoder: Decoder,
    /// Where we are the client.
    entropy: Option<SystemEntropy>,
    /// The key of the frame that is passing, turned to the next octet, and how many octets are still to come.
    key: [u8; 4],
    lacking: u64,
}

impl Relay {
    fn new(role: Role) -> Self {
        let entropy = (role == Role::Server).then(SystemEntropy::default);
        Self { decoder: Decoder::new(role, &Config::default()), entropy, key: [0; 4], lacking: 0 }
    }

    /// Passes on what lies in `memory`. Returns how many octets are done with; the rest has to be offered again with
    /// more behind it.
    ///
    /// A rule that is broken is told to the receiving side, as a close frame: its answer, which comes by the other
    /// direction, tells it to whom it concerns.
    fn pass(&mut self, memory: &mut [u8], out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
        let mut at = 0;
        loop {
            let step = match self.decoder.decode(&mut memory[at..]) {
                Ok(step) => step,
                Err(error) if self.lacking == 0 => {
                    self.begin(true, Opcode::Close, 2, out);
                    self.go_on(&mut error.close_code().value().to_be_bytes(), out);
                    return Err(error);
                }
                Err(error) => return Err(error), // inside a frame nothing can be said
            };
            at += step.consumed;
            match step.piece {
                None => return Ok(at),
                Some(Piece::Data { header, payload, remaining, .. }) => {
                    if let Some(header) = header {
                        self.begin(header.fin(), header.opcode(), header.payload_len(), out);
                    }
                    self.go_on(payload, out);
                    self.lacking = remaining;
                }
                Some(Piece::Control { opcode, payload }) => {
                    self.begin(true, opcode, payload.len() as u64, out);
                    self.go_on(payload, out);
                }
            }
        }
    }

    fn begin(&mut self, fin: bool, opcode: Opcode, len: u64, out: &mut Vec<u8>) {
        let mut header = FrameHeader::new(fin, opcode, len).expect("as one that was parsed, or short");
        if let Some(entropy) = &mut self.entropy {
            entropy.fill(&mut self.key);
            header = header.masked(self.key);
        }
        out.extend_from_slice(&header.encode());
    }

    fn go_on(&mut self, payload: &mut [u8], out: &mut Vec<u8>) {
        mask(payload, self.key);
        self.key = rotate(self.key, payload.len());
        out.extend_from_slice(payload);
    }
}
