//! Memory and work of the library's calls: `SHIM.md` section 10.

use std::time::Duration;

use hybi_test::alloc::{self, Measure, look};
use hybi_test::work::processor_time;
use serde_json::{Value, json};

use crate::options::Memory;

#[derive(Debug)]
pub(crate) struct Meter {
    measure: Measure,
    work: Duration,
}

impl Meter {
    /// Begins to measure: before the endpoint is made.
    pub(crate) fn start(memory: &Memory) -> Self {
        let measure = Measure::start();
        alloc::fill(memory.fill);
        measure.fail_at(memory.fail_at);
        Self { measure, work: Duration::ZERO }
    }

    /// A call of the library: all that it allocates and the work that it takes are its own.
    pub(crate) fn library<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let work = &mut self.work;
        look(|| {
            let start = processor_time();
            let result = call();
            *work += processor_time().saturating_sub(start);
            result
        })
    }

    /// The member `cost` of the answer.
    pub(crate) fn cost(&self) -> Value {
        json!({
            "heap_peak": self.measure.peak(),
            "heap_end": self.measure.held(),
            "work_ns": u64::try_from(self.work.as_nanos()).unwrap_or(u64::MAX),
            "allocations": self.measure.allocations(),
        })
    }
}
