//! How much a thread has worked: the time of the processor, which no other work on the machine changes.

use std::time::Duration;

/// What this thread has had of the processor so far, since an arbitrary moment. Where there is no such account, the
/// time on the clock.
#[cfg(unix)]
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// What this thread has had of the processor so far, since an arbitrary moment. Where there is no such account, the
/// time on the clock.
#[cfg(not(unix))]
pub fn processor_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
