//! How long a client waits before it connects again (RFC 6455 §7.2.3): the number of the attempt and randomness
//! in; a duration out. When many clients lose a server at once, they must not all come back at once.
//!
//! ```text
//!   attempt   1        2        3         4        ...  n        once that is above the limit
//!   seconds   0 to 5   5 to 10  10 to 20  20 to 40      2^(n-2)*5 to 2^(n-1)*5    limit/2 to limit
//! ```
//!
//! It does not wait, and it does not know whether an attempt went well: the caller says so by
//! [`Backoff::reset`].

use core::fmt;
use core::time::Duration;

use crate::entropy::{BoxEntropy, Entropy};

/// The delays before attempts to connect again: an iterator without end.
///
/// ```
/// use core::time::Duration;
/// use hybi::handshake::Backoff;
///
/// # fn entropy(out: &mut [u8]) { out.fill(0x80) } // the operating system's, in earnest
/// let mut backoff = Backoff::new(entropy);
/// let first = backoff.next().unwrap(); // wait so long, then connect
/// assert!(first <= Duration::from_secs(5));
/// let second = backoff.next().unwrap(); // it failed: wait longer
/// assert!(second >= Duration::from_secs(5) && second <= Duration::from_secs(10));
/// backoff.reset(); // it is open: the next loss begins anew
/// assert!(backoff.next().unwrap() <= Duration::from_secs(5));
/// ```
///
/// No delay is shorter than the one before, until the limit is reached.
pub struct Backoff {
    first: Duration,
    limit: Duration,
    /// How many delays were given.
    given: u32,
    entropy: BoxEntropy,
}

impl Backoff {
    /// Delays that begin with something up to 5 seconds, as RFC 6455 §7.2.3 proposes, and end with 2.5 to 5
    /// minutes.
    pub fn new(entropy: impl Entropy) -> Self {
        let (first, limit) = (Duration::from_secs(5), Duration::from_secs(300));
        Self { first, limit, given: 0, entropy: BoxEntropy::new(entropy) }
    }

    /// The same with another bound for the first delay, from which the others are doubled.
    #[must_use]
    pub fn with_first(self, first: Duration) -> Self {
        Self { first, ..self }
    }

    /// The same with another bound for all delays, the first too.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The connection is open: the next delay is a first one again.
    pub fn reset(&mut self) {
        self.given = 0;
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    /// The next delay; there always is one.
    fn next(&mut self) -> Option<Duration> {
        let times = 1u32.checked_shl(self.given).unwrap_or(u32::MAX);
        let most = self.first.saturating_mul(times).min(self.limit);
        let least = if self.given == 0 { Duration::ZERO } else { most / 2 };
        self.given = self.given.saturating_add(1);
        Some(least + portion(most - least, self.entropy.number()))
    }
}

/// So many 2^64ths of a duration.
fn portion(whole: Duration, number: u64) -> Duration {
    let nanos = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(((u128::from(nanos) * u128::from(number)) >> 64) as u64)
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backoff")
            .field("first", &self.first)
            .field("limit", &self.limit)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}
