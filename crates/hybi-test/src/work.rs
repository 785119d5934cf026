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

/// What a piece of work has of the processor.
pub fn spent(work: impl FnOnce()) -> Duration {
    let start = processor_time();
    work();
    processor_time() - start
}

/// Asserts that so many pieces take at most so many nanoseconds each, and prints how many. The least of five runs counts,
/// each of which tells what it has [spent]. Without optimisation nothing is said of speed, only that it is not
/// out of all bounds.
///
/// # Panics
/// If they take more.
#[expect(clippy::print_stdout, reason = "what `tools/verify cost` shows")]
pub fn assert_cost(name: &str, piece: &str, pieces: usize, most_ns: u128, mut run: impl FnMut() -> Duration) {
    let most_ns = if cfg!(debug_assertions) { 10_000 } else { most_ns };
    let least = (0..5).map(|_| run()).min().unwrap_or_default();
    let each = least.as_nanos() / pieces as u128;
    println!("{name}: {each} ns per {piece}");
    assert!(each <= most_ns, "{name}: {each} ns per {piece}");
}
