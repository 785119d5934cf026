//! The counting allocator counts, looks away and fails.

use hybi_test::alloc::{Counting, Measure, look, look_away};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn it_counts_what_is_held_and_the_most_that_was() {
    let measure = Measure::start();
    let first = vec![0u8; 1000];
    let second = vec![0u8; 500];
    assert_eq!((measure.held(), measure.peak(), measure.allocations()), (1500, 1500, 2));
    drop(first);
    assert_eq!((measure.held(), measure.peak()), (500, 1500));
    let later = Measure::start();
    drop(second);
    assert_eq!((measure.held(), later.held(), later.peak()), (0, -500, 0));
}

#[test]
fn growing_is_an_allocation_and_shrinking_is_none() {
    let measure = Measure::start();
    let mut block = Vec::<u8>::with_capacity(100);
    block.reserve_exact(1000);
    assert_eq!((measure.held(), measure.allocations()), (1000, 2));
    block.shrink_to(10);
    assert_eq!((measure.held(), measure.allocations()), (10, 2));
}

#[test]
fn blocks_of_any_alignment_count() {
    #[repr(align(64))]
    #[derive(Clone)]
    struct Line([u8; 64]);
    let measure = Measure::start();
    let mut lines = vec![Line([1; 64]); 3];
    assert_eq!((measure.held(), measure.allocations()), (192, 1));
    assert!(lines.as_ptr().addr().is_multiple_of(64));
    lines.reserve_exact(100);
    assert!(lines.as_ptr().addr().is_multiple_of(64) && lines.iter().all(|line| line.0 == [1; 64]));
    assert_eq!(measure.held(), 103 * 64);
    drop(lines);
    assert_eq!(measure.held(), 0);
}

#[test]
fn it_looks_away_and_remembers_what_it_did_not_count() {
    let measure = Measure::start();
    let unseen = look_away(|| vec![0u8; 1000]);
    let seen = look_away(|| look(|| vec![0u8; 10]));
    assert_eq!((measure.held(), measure.allocations()), (10, 1));
    drop(unseen);
    assert_eq!(measure.held(), 10, "who frees it does not matter, who allocated it does");
    look_away(|| drop(seen));
    assert_eq!(measure.held(), 0);
}

#[test]
fn it_fails_once_where_it_is_told_to() {
    let measure = Measure::start();
    measure.fail_at(2);
    let results = [(); 3].map(|()| Vec::<u8>::new().try_reserve_exact(10).is_ok());
    assert_eq!(results, [true, false, true]);
    let mut block = vec![1u8; 10];
    measure.fail_at(measure.allocations() + 1);
    assert!(look_away(|| Vec::<u8>::new().try_reserve(10)).is_ok(), "what does not count does not fail");
    assert!(block.try_reserve_exact(100).is_err());
    assert_eq!(block, [1; 10], "a block that could not grow is as it was");
}

#[test]
fn threads_count_for_themselves() {
    let measure = Measure::start();
    let other = look_away(|| std::thread::spawn(|| vec![0u8; 5000]));
    let held = measure.held();
    let block = look_away(|| other.join()).expect("it does not panic");
    assert_eq!((held, block.len()), (0, 5000));
}
