//! A buffer that is lent for a while: what comes back, what stays, and that nothing else is allocated.

use hybi::{CloseCause, CloseCode, Connection, Delivery, Event, Role};
use hybi_test::alloc::{Counting, Measure, look_away};
use hybi_test::endpoint::{config, open, open_with, receive, take_events};
use hybi_test::frames::{first, read_all, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A read into what the connection offers, which has to be enough.
fn read(connection: &mut Connection, octets: &[u8]) {
    connection.recv_space()[..octets.len()].copy_from_slice(octets);
    connection.received(octets.len());
}

fn lend(connection: &mut Connection, len: usize) {
    connection.lend_buffer(vec![0xee; len]).expect("none is lent");
}

/// Reads of at most so many octets, and all events.
fn read_in_steps(
    connection: &mut Connection,
    mut octets: &[u8],
    step: usize,
    mut see: impl FnMut(Event<'_>),
) {
    while !octets.is_empty() {
        let n = connection.recv_space().len().min(step).min(octets.len());
        read(connection, &octets[..n]);
        octets = &octets[n..];
        while let Some(event) = connection.poll_event() {
            see(event);
        }
    }
}

twins! {
    fn small_messages_take_no_memory(role) {
        let mut connection = open(role);
        let frame = to(role, first::TEXT, "tide: é".as_bytes());
        let mut buffer = vec![0; 4096];
        let measure = Measure::start();
        for _ in 0..100 {
            connection.lend_buffer(buffer).expect("none is lent");
            read(&mut connection, &frame);
            assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_bytes() == "tide: é".as_bytes()));
            assert!(connection.poll_event().is_none());
            buffer = connection.reclaim_buffer().expect("it is lent");
        }
        assert_eq!((measure.allocations(), buffer.len()), (0, 4096));
    }

    fn the_beginning_of_a_frame_and_nothing_else_is_kept(role) {
        let frame = to(role, first::PING, &[7; 125]);
        for cut in 1..frame.len() {
            let mut connection = open(role);
            lend(&mut connection, 4096);
            let measure = Measure::start();
            read(&mut connection, &frame[..cut]);
            assert!(connection.poll_event().is_none());
            let buffer = connection.reclaim_buffer().expect("it is lent");
            assert_eq!(measure.held(), cut as isize, "of {}", frame.len());
            connection.lend_buffer(buffer).expect("none is lent");
            assert_eq!(measure.held(), 0, "it moved back");
            read(&mut connection, &frame[cut..]);
            assert!(matches!(connection.poll_event(), Some(Event::Ping(payload)) if payload == [7; 125]));
            assert!(connection.poll_event().is_none());
            assert_eq!(connection.reclaim_buffer().expect("it is lent").len(), 4096);
        }
    }

    fn events_that_were_not_taken_survive(role) {
        let mut connection = open(role);
        let frames = [to(role, first::TEXT, b"one"), to(role, first::TEXT, b"two")].concat();
        lend(&mut connection, 4096);
        read(&mut connection, &frames);
        assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_str() == "one"));
        assert!(connection.reclaim_buffer().is_some());
        let mut events = Vec::new();
        take_events(&mut connection, &mut events);
        assert_eq!(events, [Record::text("two")]);
    }

    fn a_prepared_event_holds_the_buffer(role) {
        let mut connection = open(role);
        lend(&mut connection, 4096);
        read(&mut connection, &to(role, first::TEXT, b"lent"));
        assert!(connection.prepare_event());
        assert!(connection.reclaim_buffer().is_none());
        assert!(connection.recv_space().is_empty());
        assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_str() == "lent"));
        assert!(connection.reclaim_buffer().is_some());
    }

    fn a_prepared_event_lies_where_it_lies(role) {
        let mut connection = open(role);
        read(&mut connection, &to(role, first::TEXT, b"own"));
        assert!(connection.prepare_event());
        assert_eq!(connection.lend_buffer(vec![0; 4096]).map_err(|buffer| buffer.len()), Err(4096));
        assert!(matches!(connection.poll_event(), Some(Event::Text(text)) if text.as_str() == "own"));
        lend(&mut connection, 4096);
    }

    fn what_is_of_no_use_comes_back(role) {
        let mut connection = open(role);
        assert!(connection.reclaim_buffer().is_none());
        lend(&mut connection, 1024);
        assert_eq!(connection.lend_buffer(vec![0; 4096]).map_err(|buffer| buffer.len()), Err(4096));
        assert_eq!(connection.recv_space().len(), 1024);
        read(&mut connection, &to(role, first::PING, &[7; 100])[..90]);
        assert!(connection.poll_event().is_none());
        assert!(connection.reclaim_buffer().is_some());
        assert!(connection.lend_buffer(vec![0; 90]).is_err(), "there is no room behind what waits");
        assert!(connection.lend_buffer(vec![0; 91]).is_ok());
        assert_eq!(connection.recv_space().len(), 1);
    }

    fn a_large_payload_goes_to_its_final_place(role) {
        let mut connection = open(role);
        let frame = to(role, first::BINARY, &[3; 100_000]);
        lend(&mut connection, 4096);
        read(&mut connection, &frame[..4096]);
        assert!(connection.poll_event().is_none());
        let mut at = 4096;
        while at < frame.len() {
            let space = connection.recv_space();
            assert!(space.len() != 4096, "not the lent one");
            let n = space.len().min(frame.len() - at);
            space[..n].copy_from_slice(&frame[at..at + n]);
            connection.received(n);
            at += n;
            assert!(connection.prepare_event() == (at == frame.len()));
        }
        assert!(matches!(connection.poll_event(), Some(Event::Binary(data)) if *data == [3; 100_000]));
        assert!(connection.poll_event().is_none());
        assert_eq!(connection.reclaim_buffer().expect("it is lent").len(), 4096);
    }

    /// Who lends a buffer tells by taking it back that nothing more is at hand: until then the memory of one large
    /// message serves the next.
    fn messages_are_joined_in_the_same_memory_until_the_buffer_is_reclaimed(role) {
        let mut connection = open(role);
        let frame = to(role, first::BINARY, &[3; 100_000]);
        let measure = Measure::start();
        for n in 0..5 {
            if n % 4 == 0 {
                lend(&mut connection, 4096);
            }
            let before = measure.allocations();
            read(&mut connection, &frame[..3000]);
            assert!(connection.poll_event().is_none());
            let rest = connection.recv_space().len(); // all of it at once, where there is as much already
            assert_eq!(rest == frame.len() - 3000, n % 4 != 0, "{rest} for message {n}");
            read_in_steps(&mut connection, &frame[3000..], 3000, |event| {
                assert!(matches!(event, Event::Binary(data) if *data == [3; 100_000]));
            });
            assert_eq!(measure.allocations() == before, n % 4 != 0, "message {n}");
            assert_eq!(connection.held_len(), 0);
            if n % 4 == 3 {
                assert!(measure.held() > 100_000);
                drop(connection.reclaim_buffer().expect("it is lent"));
                assert_eq!(measure.held(), 0);
            }
        }
    }

    /// A shorter message after a longer one, of which every octet is wrong in the other; whatever the reads cut.
    fn of_an_earlier_message_in_the_same_memory_nothing_is_seen(role) {
        let text = "tide é".repeat(7000);
        let frames = [to(role, first::BINARY, &[0xFF; 100_000]), to(role, first::TEXT, text.as_bytes())];
        for step in [50, 1001, 3000] {
            let mut connection = open(role);
            lend(&mut connection, 4096);
            for _ in 0..2 {
                read_in_steps(&mut connection, &frames[0], step, |event| {
                    assert!(matches!(event, Event::Binary(data) if *data == [0xFF; 100_000]));
                });
                read_in_steps(&mut connection, &frames[1], step, |event| {
                    assert!(matches!(event, Event::Text(data) if data.as_bytes() == text.as_bytes()));
                });
            }
        }
    }

    fn what_was_lent_comes_back_before_the_next_event_is_asked_for(role) {
        let mut connection = open(role);
        let frame = to(role, first::BINARY, &[3; 100_000]);
        let measure = Measure::start();
        lend(&mut connection, 4096);
        read_in_steps(&mut connection, &frame[..frame.len() - 1], 3000, |_| {});
        read(&mut connection, &frame[frame.len() - 1..]);
        assert!(connection.poll_event().is_some());
        drop(connection.reclaim_buffer().expect("it is lent"));
        assert_eq!(measure.held(), 0);
    }

    fn lent_memory_comes_behind_what_lies_at_its_final_place(role) {
        let payload: Vec<u8> = (0..100_000u32).map(|n| n.wrapping_mul(n).to_be_bytes()[2]).collect();
        let frame = to(role, first::BINARY, &payload);
        for n in [1, 1001, 16_000] {
            let mut connection = open(role);
            assert_eq!(receive(&mut connection, &frame[..4096]), []);
            read(&mut connection, &frame[4096..4096 + n]); // and no event is taken
            let events = receive(&mut connection, &frame[4096 + n..]);
            assert!(events == [Record::Binary(payload.clone())], "{n}");
        }
    }

    fn a_connection_that_failed_gives_it_back(role) {
        let mut connection = open(role);
        lend(&mut connection, 4096);
        read(&mut connection, &[0xff; 300]);
        assert!(matches!(connection.poll_event(), Some(Event::Failed(_))));
        assert!(connection.reclaim_buffer().is_some_and(|buffer| buffer.len() == 4096));
        lend(&mut connection, 4096);
        let n = connection.recv_space().len(); // what comes now is dropped
        connection.received(n);
        assert!(connection.reclaim_buffer().is_some_and(|buffer| buffer.len() == 4096));
    }

    fn the_sending_half_is_the_connections(role) {
        let mut connection = open(role);
        connection.sender().send("said").expect("it is open");
        assert_eq!(connection.buffered_len(), connection.transmit().len());
        connection.sender().abort(); // and the receiving half hears of it
        assert!(matches!(connection.poll_event(), Some(Event::Closed(info)) if *info.cause() == CloseCause::Aborted));
    }

    fn a_header_that_fills_what_was_lent_goes_on_in_memory_of_its_own(role) {
        let mut connection = open(role);
        let frame = to(role, first::BINARY, &[7; 70_000]); // a header of 10 or 14 octets
        lend(&mut connection, 8);
        read(&mut connection, &frame[..8]);
        assert!(connection.poll_event().is_none());
        read(&mut connection, &frame[8..16]);
        assert!(connection.poll_event().is_none());
        assert_eq!(connection.held_len(), if role == Role::Client { 6 } else { 2 });
    }

    /// From 4 to 64 KiB: a read that fills what it was offered is followed by a larger one, a small one by a smaller.
    fn what_is_offered_follows_what_reads_bring(role) {
        let mut connection = open_with(role, config(|config| config.delivery = Delivery::Fragments));
        // The beginning of a frame of 1 MiB: whatever comes is a piece of it.
        receive(&mut connection, &to(role, first::BINARY, &vec![0; 1 << 20])[..20]);
        let mut offered = Vec::new();
        for brings in [usize::MAX, usize::MAX, usize::MAX, usize::MAX, usize::MAX, 20_000, 100, 100, 7000, 100, 100, 100] {
            let space = connection.recv_space().len();
            offered.push(space);
            connection.received(brings.min(space));
            take_events(&mut connection, &mut Vec::new());
        }
        let kib = [4, 8, 16, 32, 64, 64].map(|kib| kib * 1024);
        assert_eq!(offered[..6], kib);
        assert_eq!(offered[6..], [40_000, 20_000, 10_000, 14_000, 7000, 4096]);
    }

    fn more_than_there_was_space_for_is_a_mistake_of_the_caller(role) {
        for waits in [0, 1] {
            let mut connection = open(role);
            if waits == 1 {
                read(&mut connection, &to(role, first::PING, b"")[..1]);
                assert!(connection.poll_event().is_none());
            }
            let offered = connection.recv_space().len();
            let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.received(offered + 1)));
            assert!(refused.is_err(), "{waits}");
        }
    }

    /// Behind the final place of a payload lies what is left of a longer one.
    fn more_than_its_final_place_has_is_a_mistake_too(role) {
        let mut connection = open(role);
        lend(&mut connection, 4096);
        read_in_steps(&mut connection, &to(role, first::BINARY, &[1; 100_000]), 4096, |_| {});
        let frame = to(role, first::BINARY, &[2; 60_000]);
        read(&mut connection, &frame[..1000]);
        assert!(connection.poll_event().is_none());
        let offered = connection.recv_space().len();
        assert_eq!(offered, frame.len() - 1000);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.received(offered + 1)));
        assert!(refused.is_err());
    }

    fn saying_something_small_takes_no_memory(role) {
        let mut connection = open(role);
        let mut buffer = Vec::with_capacity(4096);
        let measure = Measure::start();
        for _ in 0..100 {
            let sender = connection.sender();
            sender.lend_buffer(buffer).expect("nothing waits");
            for _ in 0..10 {
                sender.send("tide").expect("it is open");
                sender.ping(b"?").expect("it is open");
            }
            let len = sender.transmit().len();
            sender.transmitted(len - 1);
            sender.transmitted(1);
            buffer = sender.reclaim_buffer().expect("nothing waits");
        }
        assert_eq!((measure.allocations(), buffer.capacity()), (0, 4096));
    }

    fn what_waits_stays_and_its_memory_goes_with_it(role) {
        let mut connection = open(role);
        let sender = connection.sender();
        sender.lend_buffer(Vec::with_capacity(4096)).expect("nothing waits");
        sender.send("waits").expect("it is open");
        assert!(sender.lend_buffer(Vec::with_capacity(10)).is_err(), "there is a buffer");
        assert!(sender.reclaim_buffer().is_none() && sender.reclaim_buffer().is_none());
        let len = sender.transmit().len();
        assert_eq!(len, if role == Role::Client { 11 } else { 7 });
        let measure = Measure::start();
        sender.transmitted(len);
        assert_eq!(measure.held(), -4096, "given back when nothing waits");
        assert!(sender.reclaim_buffer().is_none());
    }

    fn nothing_is_lent_beside_what_there_is(role) {
        let mut connection = open(role);
        let sender = connection.sender();
        sender.send("in our own memory").expect("it is open");
        let waits = sender.transmit().to_vec();
        assert!(sender.lend_buffer(Vec::with_capacity(4096)).is_err());
        assert_eq!(sender.transmit(), waits);
        sender.transmitted(waits.len());
        sender.lend_buffer(Vec::new()).expect("nothing waits");
        sender.lend_buffer(Vec::with_capacity(4096)).expect("that was as good as none");
        assert!(sender.lend_buffer(Vec::with_capacity(10)).is_err());
        assert!(sender.reclaim_buffer().is_some_and(|buffer| buffer.capacity() == 4096));
    }

    fn a_close_frame_is_written_to_what_was_lent(role) {
        let mut connection = open(role);
        let sender = connection.sender();
        sender.lend_buffer(Vec::with_capacity(4096)).expect("nothing waits");
        let measure = Measure::start();
        sender.close(CloseCode::NORMAL, "").expect("it is open");
        assert_eq!(measure.allocations(), 0);
        sender.transmitted(sender.transmit().len());
        assert!(sender.reclaim_buffer().is_some_and(|buffer| buffer.capacity() == 4096));
    }

    fn a_buffer_that_a_large_message_went_past(role) {
        let mut connection = open(role);
        let sender = connection.sender();
        sender.lend_buffer(Vec::with_capacity(4096)).expect("nothing waits");
        sender.send("before").expect("it is open");
        sender.send_message(vec![7; 10_000]).expect("it is open");
        sender.send("behind").expect("it is open");
        let mut out = vec![0; 20_000];
        let n = sender.transmit_into(&mut out);
        let frames = read_all(role, &out[..n]).expect("frames");
        let lens: Vec<_> = frames.iter().map(|frame| frame.payload.len()).collect();
        assert_eq!(lens, [6, 10_000, 6]);
        assert!(sender.reclaim_buffer().is_none());
        sender.lend_buffer(Vec::with_capacity(4096)).expect("nothing waits");
        sender.send(&[7; 8000]).expect("it is open"); // it grows
        sender.transmit_lost();
        assert!(sender.reclaim_buffer().is_some_and(|buffer| buffer.capacity() >= 8000));
    }
}

/// Takes a read, sends each message back, and transmits that.
fn echo(connection: &mut Connection, read: &mut [u8]) {
    let mut input = connection.receive(read);
    while let Some((event, sender)) = input.poll_event_with() {
        if let Event::Text(text) = event {
            sender.send(&text).expect("it is open");
        }
    }
    drop(input);
    connection.transmitted(connection.transmit().len());
}

/// Has sent such an answer, and waits for the end of the next message: that is the second value. What it holds.
fn inside_the_next_message(role: Role, answer: usize) -> (Connection, Vec<u8>, Measure) {
    let mut connection = open(role);
    let (mut read, end) = look_away(|| {
        let mut read = [to(role, first::TEXT, &vec![b'a'; answer]), to(role, first::TEXT, b"next")].concat();
        let end = read.split_off(read.len() - 1);
        (read, end)
    });
    let measure = Measure::start();
    echo(&mut connection, &mut read);
    (connection, end, measure)
}

twins! {
    /// A read that ends inside a message is followed by its end, and that by an answer.
    fn answers_between_reads_that_cut_messages_share_their_memory(role) {
        let mut connection = open(role);
        let mut stream = to(role, first::TEXT, &[b'a'; 1000]).repeat(73);
        let len = stream.len() / 50;
        let (begin, rest) = stream.split_at_mut(5 * len);
        begin.chunks_mut(len).for_each(|read| echo(&mut connection, read));
        let measure = Measure::start();
        rest[..40 * len].chunks_mut(len).for_each(|read| echo(&mut connection, read));
        assert_eq!(measure.allocations(), 0);
    }

    fn an_empty_queue_holds_little_inside_a_message(role) {
        for (answer, least, most) in [(1000, 1000, 2000), (8000, 8000, 8 * 1024 + 100), (9000, 0, 100)] {
            let (_connection, _, measure) = inside_the_next_message(role, answer);
            assert!((least..=most).contains(&measure.held()), "{answer}: {}", measure.held());
        }
    }

    fn an_empty_queue_holds_nothing_behind_a_message(role) {
        let (mut connection, mut end, measure) = inside_the_next_message(role, 1000);
        echo(&mut connection, &mut end);
        assert_eq!(measure.held(), 0);

        let (mut connection, mut end, measure) = inside_the_next_message(role, 1000);
        let mut input = connection.receive(&mut end);
        while input.poll_event().is_some() {} // it is not answered
        drop(input);
        assert_eq!(measure.held(), 0);
    }

    fn an_empty_queue_holds_nothing_where_no_more_is_to_come(role) {
        const MESSAGE: isize = 100; // what of the next message is there
        let ends: [fn(&mut Connection); 4] = [
            Connection::abort,
            Connection::transmit_lost,
            Connection::transport_lost,
            |connection| connection.close(CloseCode::NORMAL, "").expect("short"),
        ];
        for end in ends {
            let (mut connection, _, measure) = inside_the_next_message(role, 1000);
            end(&mut connection);
            connection.transmitted(connection.transmit().len());
            assert!(measure.held() <= MESSAGE, "{}", measure.held());
        }
        let (connection, _, measure) = inside_the_next_message(role, 1000);
        let _halves = connection.into_split();
        assert!(measure.held() <= MESSAGE, "{}", measure.held());
    }

    fn a_failure_leaves_nothing_in_an_empty_queue(role) {
        let (mut connection, _, measure) = inside_the_next_message(role, 1000);
        let mut bad = [0xFF];
        assert!(matches!(connection.receive(&mut bad).poll_event(), Some(Event::Failed(_))));
        connection.transmitted(connection.transmit().len());
        assert_eq!(measure.held(), 0);
    }

    fn memory_is_taken_instead_of_what_an_empty_queue_holds(role) {
        let (mut connection, mut end, measure) = inside_the_next_message(role, 1000);
        connection.sender().lend_buffer(Vec::with_capacity(500)).expect("nothing waits");
        assert!(measure.held() <= 600, "{}", measure.held());
        echo(&mut connection, &mut end);
        assert!(connection.poll_event().is_none());
        assert_eq!(connection.sender().reclaim_buffer().map(|buffer| buffer.capacity()), Some(500));
    }
}

/// A read of our own memory, all events of it: how many there were.
fn events_of(connection: &mut Connection, octets: &[u8]) -> usize {
    read(connection, octets);
    std::iter::from_fn(|| connection.poll_event().map(drop)).count()
}

twins! {
    fn own_memory_stays_between_reads_that_cut_a_frame(role) {
        let mut connection = open(role);
        let frame = to(role, first::TEXT, &[b'a'; 12_000]);
        let measure = Measure::start();
        assert_eq!(events_of(&mut connection, &frame[..1000]), 0);
        assert!(measure.held() <= 12_000 + 4096, "{}", measure.held());
        let allocations = measure.allocations();
        for part in frame[1000..11_000].chunks(1000) {
            assert_eq!(events_of(&mut connection, part), 0);
        }
        assert_eq!(measure.allocations(), allocations);
        assert_eq!(events_of(&mut connection, &frame[11_000..]), 1);
        assert_eq!(measure.held(), 0, "behind the frame");
    }

    fn large_memory_of_our_own_does_not_stay_inside_a_frame(role) {
        let mut connection = open(role);
        let small = to(role, first::TEXT, if role == Role::Server { &[b'a'; 26] } else { &[b'a'; 30] });
        assert_eq!(small.len(), 32);
        for _ in 0..2 {
            let messages = connection.recv_space().len() / 32;
            assert_eq!(events_of(&mut connection, &small.repeat(messages)), messages); // so more is offered
        }
        let frame = to(role, first::TEXT, &[b'a'; 12_000]);
        let measure = Measure::start();
        assert_eq!(connection.recv_space().len(), 16 * 1024);
        assert_eq!(events_of(&mut connection, &frame[..1000]), 0);
        assert!(measure.held() <= 12_000, "{}", measure.held());
    }

    fn own_memory_does_not_stay_between_the_frames_of_a_message(role) {
        let mut connection = open(role);
        let fragment = to(role, 0x01, &[b'a'; 1000]);
        let measure = Measure::start();
        assert_eq!(events_of(&mut connection, &fragment), 0);
        assert!(measure.held() <= 1000, "{}", measure.held());
    }
}
