//! What the shortest frames make a server work: at most 150 ns for each, whatever they are. Time of the processor counts,
//! so other work on the machine is no matter. The same for octets that are inflated is `rfc7692::cost`.

use std::hint::black_box;
use std::time::Duration;

use hybi::{Event, Role};
use hybi_test::endpoint::{config, open_with};
use hybi_test::frames::{first, to};
use hybi_test::work::{assert_cost, spent};

const FRAMES: usize = 20_000;

#[test]
fn the_work_for_a_frame_is_bounded() {
    let rows = [
        ("empty messages", first::BINARY),
        ("empty fragments", first::CONTINUATION & !first::FIN),
        ("empty pings", first::PING),
        ("empty pongs", first::PONG),
    ];
    for (name, first) in rows {
        let frame = to(Role::Server, first, b"");
        assert_eq!(frame.len(), 6, "a header and a masking key");
        assert_cost(name, "frame", FRAMES, 150, || time(&frame));
    }
}

/// Receives so many, in the middle of a message if they are fragments, and transmits what is answered.
fn time(frame: &[u8]) -> Duration {
    let mut connection = open_with(
        Role::Server,
        config(|config| {
            (config.limits.fragments, config.limits.empty_fragments) = (u32::MAX, u32::MAX);
        }),
    );
    let mut read = frame.repeat(FRAMES);
    if frame[0] & !first::FIN == 0 {
        let mut begun = to(Role::Server, first::TEXT & !first::FIN, b"a");
        assert!(connection.receive(&mut begun).poll_event().is_none());
    }
    spent(|| {
        for read in read.chunks_mut(16 * 1024) {
            let mut input = connection.receive(read);
            while let Some(event) = input.poll_event() {
                assert!(!matches!(black_box(event), Event::Failed(_)));
            }
            drop(input);
            while connection.buffered_len() > 0 {
                connection.transmitted(connection.transmit().len());
            }
        }
    })
}
