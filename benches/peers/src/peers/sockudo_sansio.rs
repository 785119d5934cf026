use crate::stream::MemIo;
use crate::{Peer, Role, Task};
use bytes::BytesMut;
use sockudo_ws::protocol::{Protocol, Role as R};

pub const PEER: Peer = Peer {
    name: "sockudo-sansio",
    note: "3.1 Protocol::process_into + encode_message, 64 KiB reads by the harness",
    run,
};

fn run(io: MemIo, task: &Task) {
    let role = if task.role == Role::Server { R::Server } else { R::Client };
    let mut p = Protocol::new(role, 64 << 20, 64 << 20);
    let mut rd = BytesMut::with_capacity(65536);
    let mut wr = BytesMut::with_capacity(65536);
    let mut msgs = Vec::new();
    let mut n = 0;
    while n < task.messages {
        rd.reserve(65536);
        // SAFETY: the stream only writes, and only written bytes are made part of the buffer.
        let got = unsafe {
            let at = rd.len();
            let dst = std::slice::from_raw_parts_mut(rd.as_mut_ptr().add(at), 65536);
            let got = io.st().read(dst);
            if let Some(k) = got {
                rd.set_len(at + k);
            }
            got
        };
        match got {
            None => {
                if !wr.is_empty() {
                    io.st().write(&wr);
                    wr.clear();
                }
            }
            Some(0) => panic!("end"),
            Some(_) => {
                p.process_into(&mut rd, &mut msgs).unwrap();
                for m in &msgs {
                    p.encode_message(m, &mut wr).unwrap();
                    n += 1;
                    if wr.len() > 65536 {
                        io.st().write(&wr);
                        wr.clear();
                    }
                }
                msgs.clear();
            }
        }
    }
    io.st().write(&wr);
}
