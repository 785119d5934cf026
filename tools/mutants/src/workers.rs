//! A few threads that share a list of work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` for each item, in order, `count` at a time, with the number of the worker.
pub fn each<T: Sync>(count: usize, items: &[T], work: &(dyn Fn(usize, &T) + Sync)) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for worker in 0..count.max(1) {
            let next = &next;
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(worker, item);
                }
            });
        }
    });
}
