// The switch between mutants: this file is put into the changed copy of a crate, as its module `mutant_switch`.
//
// HYBI_MUTANT names the one that is on. HYBI_MUTANT_TRACE names a file instead, to which the id of each place that is
// reached is written, once. Both are read before `main`, and nothing here allocates: tests count allocations.

extern crate std;

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const NONE: u32 = 0;
const TRACE: u32 = u32::MAX;
/// More than there are mutants.
const PLACES: usize = 1 << 16;

static ON: AtomicU32 = AtomicU32::new(NONE);
static REACHED: [AtomicBool; PLACES] = [const { AtomicBool::new(false) }; PLACES];
static FILE: OnceLock<File> = OnceLock::new();

/// Whether this mutant is on.
#[inline]
pub(crate) fn is(id: u32) -> bool {
    at(id, id)
}

/// Whether one of these is on.
#[inline]
pub(crate) fn at(first: u32, last: u32) -> bool {
    let on = ON.load(Relaxed);
    if on == NONE {
        return false;
    }
    if on == TRACE {
        for id in first..=last {
            note(id);
        }
        return false;
    }
    first <= on && on <= last
}

#[cold]
fn note(id: u32) {
    if !REACHED[id as usize].swap(true, Relaxed)
        && let Some(mut file) = FILE.get()
    {
        file.write_all(&id.to_le_bytes()).expect("the trace can be written");
    }
}

extern "C" fn begin() {
    if let Some(path) = std::env::var_os("HYBI_MUTANT_TRACE") {
        let file = File::options().create(true).append(true).open(path);
        FILE.set(file.expect("the trace can be opened")).expect("there was none before");
        ON.store(TRACE, Relaxed);
    } else if let Ok(id) = std::env::var("HYBI_MUTANT") {
        ON.store(id.parse().expect("an id"), Relaxed);
    }
}

#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(any(target_vendor = "apple", windows)), unsafe(link_section = ".init_array"))]
static BEGIN: extern "C" fn() = begin;
