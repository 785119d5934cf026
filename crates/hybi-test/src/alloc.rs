//! An allocator that counts what it gives, can look away, can fill fresh memory and can fail on demand.
//!
//! ```no_run
//! use hybi_test::alloc::{Counting, Measure};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let measure = Measure::start();
//! let held = vec![0u8; 1000];
//! assert_eq!((measure.held(), measure.allocations()), (1000, 1));
//! drop(held);
//! assert_eq!((measure.held(), measure.peak()), (0, 1000));
//! ```
//!
//! All counters belong to a thread, so tests that run side by side do not disturb one another. A word in
//! front of each block remembers whether it was counted; so it does not matter who frees it.

#![allow(unsafe_code, reason = "GlobalAlloc is an unsafe trait; no other file of this crate has any")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// Install it with `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

struct Counters {
    away: Cell<bool>,
    live: Cell<isize>,
    peak: Cell<isize>,
    count: Cell<usize>,
    fail_at: Cell<usize>,
    fill: Cell<Option<u8>>,
}

thread_local!(static COUNTERS: Counters = const { Counters {
    away: Cell::new(false),
    live: Cell::new(0),
    peak: Cell::new(0),
    count: Cell::new(0),
    fail_at: Cell::new(0),
    fill: Cell::new(None),
} });

/// What was allocated since a moment, on this thread.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    live: isize,
    count: usize,
}

impl Measure {
    /// Begins to measure. The peak begins here too, for every `Measure` of this thread.
    ///
    /// # Panics
    /// If [`Counting`] is not the global allocator.
    pub fn start() -> Self {
        let before = COUNTERS.with(|counters| counters.count.get());
        drop(look(|| black_box(Box::new(0u8))));
        COUNTERS.with(|counters| {
            assert!(counters.count.get() > before, "this program does not use the counting allocator");
            counters.peak.set(counters.live.get());
            Self { live: counters.live.get(), count: counters.count.get() }
        })
    }

    /// Octets held now that were not held at the start.
    pub fn held(&self) -> isize {
        COUNTERS.with(|counters| counters.live.get()) - self.live
    }

    /// The most that was held at one time.
    pub fn peak(&self) -> isize {
        COUNTERS.with(|counters| counters.peak.get()) - self.live
    }

    /// How many allocations there were; growing a block is one.
    pub fn allocations(&self) -> usize {
        COUNTERS.with(|counters| counters.count.get()) - self.count
    }

    /// Lets the allocation of this number fail, once, counted from 1 at the start of the measure; 0: none.
    pub fn fail_at(&self, number: usize) {
        let at = if number == 0 { 0 } else { self.count + number };
        COUNTERS.with(|counters| counters.fail_at.set(at));
    }
}

/// Runs work that is not counted and cannot fail.
pub fn look_away<T>(work: impl FnOnce() -> T) -> T {
    with_away(true, work)
}

/// Runs work that is counted, inside of work that is not.
pub fn look<T>(work: impl FnOnce() -> T) -> T {
    with_away(false, work)
}

/// From now on fresh memory is filled with this octet; `None`: it stays as the system gives it.
pub fn fill(octet: Option<u8>) {
    COUNTERS.with(|counters| counters.fill.set(octet));
}

fn with_away<T>(away: bool, work: impl FnOnce() -> T) -> T {
    /// Also when the work panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            COUNTERS.with(|counters| counters.away.set(self.0));
        }
    }
    let _restore = Restore(COUNTERS.with(|counters| counters.away.replace(away)));
    work()
}

/// In front of each block: a multiple of its alignment, so that what follows is aligned as well.
const fn head(layout: Layout) -> usize {
    if layout.align() > 16 { layout.align() } else { 16 }
}

fn grow(by: isize) {
    COUNTERS.with(|counters| {
        let live = counters.live.get() + by;
        counters.live.set(live);
        counters.peak.set(counters.peak.get().max(live));
    });
}

/// Whether an allocation counts, and whether it may succeed.
fn admit() -> (bool, bool) {
    COUNTERS.with(|counters| {
        if counters.away.get() {
            return (false, true);
        }
        counters.count.set(counters.count.get() + 1);
        (true, counters.count.get() != counters.fail_at.get())
    })
}

/// The layout with its head, for a block of so many octets.
fn with_head(layout: Layout, size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(head(layout))?, head(layout)).ok()
}

// SAFETY: every block comes from `System` with the layout that it is given back with, and has its head before what
// the caller sees. The head is a multiple of the alignment, so that is kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (counted, admitted) = admit();
        let outer = with_head(layout, layout.size()).filter(|_| admitted);
        let Some(outer) = outer else { return std::ptr::null_mut() };
        // SAFETY: `outer` has at least a head; writes stay inside of the block.
        unsafe {
            let block = System.alloc(outer);
            if block.is_null() {
                return block;
            }
            *block = u8::from(counted);
            let payload = block.add(head(layout));
            if let Some(octet) = COUNTERS.with(|counters| counters.fill.get()) {
                payload.write_bytes(octet, layout.size());
            }
            if counted {
                grow(layout.size() as isize);
            }
            payload
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `alloc` or `realloc` with this layout, so the head is in front of it.
        unsafe {
            let block = block.sub(head(layout));
            if *block == 1 {
                grow(-(layout.size() as isize));
            }
            System.dealloc(block, outer(layout));
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`; the part that is filled lies between the old and the new size.
        unsafe {
            if size > layout.size() && !admit().1 || with_head(layout, size).is_none() {
                return std::ptr::null_mut();
            }
            let block = System.realloc(block.sub(head(layout)), outer(layout), size + head(layout));
            if block.is_null() {
                return block;
            }
            if *block == 1 {
                grow(size as isize - layout.size() as isize);
            }
            let payload = block.add(head(layout));
            if let Some(octet) = COUNTERS.with(|counters| counters.fill.get()) {
                payload.add(layout.size()).write_bytes(octet, size.saturating_sub(layout.size()));
            }
            payload
        }
    }
}

/// The layout of a block that is there.
///
/// # Safety
/// The block came from `alloc` or `realloc` with this layout, so the sum was no overflow.
unsafe fn outer(layout: Layout) -> Layout {
    // SAFETY: as promised; a head is a power of two, as an alignment is.
    unsafe { Layout::from_size_align_unchecked(layout.size() + head(layout), head(layout)) }
}
