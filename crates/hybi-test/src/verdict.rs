//! What a connection makes of what arrives, in the form in which the [`twin`](crate::twin) says it.

use hybi::{CloseCode, Config, Role};

use crate::endpoint::{Memory, open_with, take_events, transmit_all};
use crate::frames::read_all;
use crate::record::{Record, join};
use crate::twin::{Course, Decoded};

/// What a connection makes of reads: all events, with pieces joined to messages, and the frames that answer.
///
/// # Panics
/// If what it sends is no legal stream of frames.
pub fn verdict(course: Course, role: Role, config: &Config, memory: Memory, reads: &[&[u8]]) -> Decoded {
    let mut connection = open_with(role, config.clone());
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    if course.closing {
        connection.close(CloseCode::GOING_AWAY, "").expect("the reason is short");
        transmit_all(&mut connection);
    }
    for read in reads {
        memory.feed(&mut connection, read, &mut events);
        sent.extend(transmit_all(&mut connection));
    }
    let failed = matches!(events.last(), Some(Record::Failed(_)));
    if course.ends {
        connection.receive_eof();
        take_events(&mut connection, &mut events);
        sent.extend(transmit_all(&mut connection));
    }
    let frames = read_all(role, &sent).expect("what is sent are whole frames");
    let mut owed: Vec<_> = frames.into_iter().map(|frame| (frame.first(), frame.payload)).collect();
    if let (true, Some((0x88, payload))) = (failed, owed.last_mut()) {
        payload.truncate(2); // the words after the code are free
    }
    Decoded { events: join(events, config.strictness.utf8), owed, unfinished: 0 }
}
