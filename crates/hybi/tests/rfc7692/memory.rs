//! §8: what a peer makes us hold, and what happens when there is no more.

use super::bits::{Bits, empty_dynamic};
use super::{LIMIT, bits, deflate, text};
use hybi::extension::permessage_deflate::{Deflater, InflateError, Inflater, Level, WindowBits};
use hybi_test::alloc::{Counting, Measure};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_bomb_costs_no_more_than_its_limit() {
    const LIMIT: usize = 1 << 20;
    let bomb = deflate(&mut Deflater::new(WindowBits::MAX, true, Level::default()), &vec![0; 1 << 26]);
    for n in [100, 4096, usize::MAX] {
        let measure = Measure::start();
        let mut inflater = Inflater::new(WindowBits::MAX, true);
        let mut message = Vec::new();
        let failed = bomb
            .chunks(n.min(bomb.len()))
            .find_map(|piece| inflater.inflate(piece, &mut message, LIMIT).err());
        assert_eq!(failed, Some(InflateError::TooBig));
        assert!(measure.peak() <= (LIMIT + 64 * 1024) as isize, "{}", measure.peak());
    }
}

#[test]
fn what_an_inflater_holds_it_says() {
    let payloads = [empty_dynamic().payload(), Bits::default().stored(false, &[7; 3_000]).payload()];
    let measure = Measure::start();
    let mut inflater = Inflater::new(WindowBits::MAX, true);
    for payload in &payloads {
        inflater.finish(payload, &mut Vec::new(), LIMIT).unwrap();
        assert!(inflater.heap_len() > 1_000);
    }
    assert_eq!(inflater.heap_len() as isize, measure.held());
}

#[test]
fn a_window_grows_by_doubling() {
    let payload = Bits::default().stored(false, b"a").payload();
    let mut inflater = Inflater::new(WindowBits::MAX, true);
    let mut message = Vec::with_capacity(1_000);
    let measure = Measure::start();
    for _ in 0..40_000 {
        message.clear();
        inflater.finish(&payload, &mut message, LIMIT).unwrap();
    }
    assert!(measure.allocations() <= 10, "{}", measure.allocations());
    assert_eq!(inflater.heap_len(), WindowBits::MAX.len());
}

#[test]
fn every_allocation_may_fail_once() {
    let mut deflater = Deflater::new(bits(12), true, Level::default());
    let messages = [text(100, 1), text(3_000, 2), text(20_000, 3)];
    let mut payloads: Vec<_> = messages.iter().map(|message| deflate(&mut deflater, message)).collect();
    payloads.push(empty_dynamic().payload());
    let run = || -> Result<Vec<Vec<u8>>, InflateError> {
        let mut inflater = Inflater::new(bits(12), true);
        let mut all = Vec::with_capacity(payloads.len());
        for payload in &payloads {
            let mut message = Vec::new();
            for piece in payload.chunks(700) {
                inflater.inflate(piece, &mut message, LIMIT)?;
            }
            inflater.finish(&[], &mut message, LIMIT)?;
            all.push(message);
        }
        Ok(all)
    };
    let measure = Measure::start();
    let right = run().unwrap();
    let allocations = measure.allocations();
    assert!(allocations > 5);
    for number in 2..=allocations {
        let measure = Measure::start(); // the first is the vector of the test itself
        measure.fail_at(number);
        let result = run();
        measure.fail_at(0);
        assert!(result == Err(InflateError::OutOfMemory) || result.as_ref() == Ok(&right), "{number}");
    }
}

#[test]
fn a_deflater_without_memory_says_so() {
    for number in [1, 2] {
        let mut deflater = Deflater::new(bits(12), true, Level::default());
        let mut out = b"before".to_vec();
        let measure = Measure::start();
        measure.fail_at(number); // it asks first, then has a place for itself
        let result = deflater.deflate(b"Hello", &mut out, true);
        measure.fail_at(0);
        assert!(result.is_err(), "{number}");
        assert_eq!(out, b"before");
    }
}
