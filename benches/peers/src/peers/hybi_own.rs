//! hybi as its adapters do it: a buffer of the caller is lent for each read, and the stream reads where `recv_space`
//! says; a large payload goes straight to its place.
use super::hybi_lent::{echo, transmit};
use crate::stream::MemIo;
use crate::{Peer, Task};

pub const PEER: Peer = Peer { name: "hybi-own", note: "a buffer lent to recv_space, otherwise as hybi", run };

fn run(io: MemIo, task: &Task) {
    let mut connection = task.hybi();
    let mut memory = Some(vec![0; 64 * 1024]);
    let mut done = 0;
    while done < task.messages {
        if let Some(buffer) = memory.take() {
            memory = connection.lend_buffer(buffer).err();
        }
        match io.st().read(connection.recv_space()) {
            None => {
                transmit(&mut connection, io);
                memory = memory.or_else(|| connection.reclaim_buffer());
            }
            Some(n) => {
                connection.received(n);
                while let Some((event, sender)) = connection.poll_event_with() {
                    done += echo(event, sender, io);
                }
            }
        }
    }
    transmit(&mut connection, io);
}
