//! hybi with lent memory: one buffer of 64 KiB takes all reads, events are lent from it, and what is queued is
//! transmitted when the stream would block. A large message is written from where it lies, with what waits before it.
use crate::stream::MemIo;
use crate::{Peer, Task};
use hybi::{Connection, Event, Outgoing, PayloadMut, Sender};
use std::io::IoSlice;

pub const PEER: Peer = Peer { name: "hybi", note: "lent memory, events sent back while they are lent", run };

/// Messages from here on are written from where they lie instead of copied.
const LARGE: usize = 16 * 1024;

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
                    done += echo(event, sender, io);
                }
            }
        }
    }
    transmit(&mut connection, io);
}

/// Sends a message back; how many there were.
#[inline]
pub fn echo(event: Event<'_>, sender: &mut Sender, io: MemIo) -> u64 {
    let sent = match &event {
        Event::Text(text) if text.as_bytes().len() < LARGE => sender.send(text),
        Event::Binary(data) if data.len() < LARGE => sender.send(data),
        _ => return echo_large(event, sender, io),
    };
    sent.expect("the queue is emptied after each read");
    1
}

fn echo_large(event: Event<'_>, sender: &mut Sender, io: MemIo) -> u64 {
    let payload = match event {
        Event::Text(text) => PayloadMut::from(text),
        Event::Binary(data) => PayloadMut::from(data),
        _ => return 0, // a message of 1 MiB is above high water, until it was transmitted
    };
    write(sender.send_lent_mut(payload).expect("the queue is emptied after each read"), io);
    1
}

fn write(mut outgoing: Outgoing<'_>, io: MemIo) {
    loop {
        let mut slices = [&[][..]; 16];
        let used = outgoing.transmit_slices(&mut slices);
        if used == 0 {
            return;
        }
        let n = io.st().write_vectored(&slices.map(IoSlice::new)[..used]);
        outgoing.transmitted(n);
    }
}

/// The same with an owner of the octets.
pub fn hand_over(event: Event<'_>, sender: &mut Sender) -> u64 {
    if let Event::Writable = event {
        return 0; // a message of 1 MiB is above high water, until it was transmitted
    }
    let message = event.into_message().expect("nothing but messages is sent");
    sender.send_message(message).expect("the queue is emptied after each read");
    1
}

pub fn transmit(connection: &mut Connection, io: MemIo) {
    while connection.buffered_len() > 0 {
        let front = connection.transmit();
        let n = if front.len() == connection.buffered_len() {
            io.st().write(front) // it lies in one piece as a rule
        } else {
            let mut slices = [&[][..]; 16];
            let used = connection.transmit_slices(&mut slices);
            io.st().write_vectored(&slices.map(IoSlice::new)[..used])
        };
        connection.transmitted(n);
    }
}
