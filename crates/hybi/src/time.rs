//! Time as the caller counts it. The core reads no clock.

use core::ops::Add;
use core::time::Duration;

/// A moment on the caller's clock: nanoseconds since whatever the caller calls zero. The clock must not go
/// backwards; beyond that nothing is asked of it.
///
/// 64 bits of nanoseconds last for 584 years.
///
/// ```
/// use core::time::Duration;
/// use hybi::Instant;
/// let start = Instant::from_nanos(0);
/// assert_eq!((start + Duration::from_millis(2)).nanos(), 2_000_000);
/// assert_eq!((start + Duration::from_secs(3)).since(start), Duration::from_secs(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The earliest moment. As a deadline it means "now, whatever the clock says".
    pub const ZERO: Self = Self(0);

    /// The moment so many nanoseconds after zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since zero.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Saturates: a deadline beyond the end of time never comes.
impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}
