//! hybi with messages that are kept: each becomes an owner (`Bytes`) before it is sent back.
use super::hybi_lent::{hand_over, transmit};
use crate::stream::MemIo;
use crate::{Peer, Task};

pub const PEER: Peer =
    Peer { name: "hybi-owned", note: "lent memory, each message made an owner of its octets", run };

fn run(io: MemIo, task: &Task) {
    let mut connection = task.hybi();
    let mut memory = vec![0; 64 * 1024];
    let mut done = 0;
    while done < task.messages {
        match io.st().read(&mut memory) {
            None => transmit(&mut connection, io),
            Some(n) => {
                let mut input = connection.receive(&mut memory[..n]);
                while let Some((event, sender)) = input.poll_event_with() {
                    done += hand_over(event, sender);
                }
            }
        }
    }
    transmit(&mut connection, io);
}
