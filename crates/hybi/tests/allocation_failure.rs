//! Each allocation on the way of data fails once, one after another: the connection fails or a call is
//! refused. Nothing panics, nothing wrong is delivered or sent, and somebody is told.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

use std::sync::Arc;

use hybi::{Config, Connection, Event, Message, Role, State, UsageError};
use hybi_test::alloc::{Counting, Measure, look_away};
use hybi_test::endpoint::{open_with, transmit_all};
use hybi_test::frames::{first, read_all, to};
use hybi_test::record::Record;
use hybi_test::twins;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What arrives, and what the application says.
struct Program {
    arriving: Vec<Vec<u8>>,
    large: Vec<u8>,
}

impl Program {
    fn new(role: Role) -> Self {
        let arriving = vec![
            to(role, 0x01, b"half"),
            to(role, first::PING, b"?"),
            to(role, first::CONTINUATION, b" and half"),
            to(role, first::BINARY, &[3; 40_000]),
        ];
        Self { arriving, large: vec![4; 70_000] }
    }

    fn delivers() -> [Record; 2] {
        [Record::text("half and half"), Record::Binary(vec![3; 40_000])]
    }

    /// Runs it; only the library's allocations count.
    fn run(&self, connection: &mut Connection, lent: bool, seen: &mut Vec<Record>) -> Result<(), UsageError> {
        for read in self.arriving.iter().flat_map(|octets| octets.chunks(1500)) {
            receive(connection, read, lent, |event| match event {
                Event::Text(text) => seen.push(Record::text(text.as_str())),
                Event::Binary(data) => seen.push(Record::Binary(data.to_vec())),
                _ => {}
            });
        }
        connection.send(&[1; 100])?;
        connection.ping(b"!")?;
        let message = look_away(|| Message::from(vec![2; 9000]));
        connection.send_message(message).map_err(|refused| refused.error)?;
        connection.send(&self.large)
    }
}

fn receive(connection: &mut Connection, read: &[u8], lent: bool, mut see: impl FnMut(&Event<'_>)) {
    if lent {
        let mut memory = look_away(|| read.to_vec());
        let mut input = connection.receive(&mut memory);
        while let Some(event) = input.poll_event() {
            look_away(|| see(&event));
        }
        drop(input);
        return look_away(|| drop(memory));
    }
    let mut rest = read;
    while !rest.is_empty() {
        let space = connection.recv_space();
        let n = space.len().min(rest.len());
        space[..n].copy_from_slice(&rest[..n]);
        connection.received(n);
        let mut told = false;
        while let Some(event) = connection.poll_event() {
            look_away(|| see(&event));
            told = true;
        }
        if n == 0 && !told {
            return; // no memory for a read: an adapter would end here
        }
        rest = &rest[n..];
    }
}

twins! {
    fn every_allocation_may_fail_once(role) {
        let (program, expected) = (Program::new(role), Program::delivers());
        let shared = Arc::new(Config::default());
        for lent in [true, false] {
            let mut number = 0;
            loop {
                number += 1;
                let mut connection = look_away(|| open_with(role, shared.clone()));
                let measure = Measure::start();
                measure.fail_at(number);
                let mut seen = Vec::new();
                let result = program.run(&mut connection, lent, &mut seen);
                measure.fail_at(0);
                assert!(expected.starts_with(&seen), "allocation {number}");
                read_all(role, &transmit_all(&mut connection)).unwrap();
                if measure.allocations() < number {
                    assert_eq!((result, seen.len()), (Ok(()), 2), "nothing failed");
                    break;
                }
                let told = result.is_err() || connection.state() != State::Open;
                assert!(told || seen.len() == 2, "allocation {number} failed, and nobody was told");
            }
            assert!(number > 5, "there are allocations to fail");
        }
    }
}
