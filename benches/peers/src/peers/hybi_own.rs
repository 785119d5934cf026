//! hybi with its own receive buffer: the stream reads where `recv_space` says.
use super::hybi_lent::{echo, transmit};
use crate::stream::MemIo;
use crate::{Peer, Task};

pub const PEER: Peer = Peer { name: "hybi-own", note: "own receive buffer, otherwise as hybi", run };

fn run(io: MemIo, task: &Task) {
    let mut connection = task.hybi();
    let mut done = 0;
    while done < task.messages {
        match io.st().read(connection.recv_space()) {
            None => transmit(&mut connection, io),
            Some(n) => {
                connection.received(n);
                while let Some((event, sender)) = connection.poll_event_with() {
                    done += echo(event, sender);
                }
            }
        }
    }
    transmit(&mut connection, io);
}
