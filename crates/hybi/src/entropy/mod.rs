//! Where masking keys and nonces come from: the caller.

#[cfg(feature = "system-entropy")]
mod system;

use alloc::boxed::Box;
use core::fmt;

#[cfg(feature = "system-entropy")]
pub use system::SystemEntropy;

/// A source of unpredictable bytes, handed in at construction.
///
/// A client needs 16 bytes for the nonce of its handshake and four for each frame that it sends; these it fetches 32 at
/// a time, for eight frames. RFC 6455 §5.3 and §10.3 ask that they cannot be guessed by whoever wrote the payload, so a
/// source has to be of cryptographic quality; the adapters use the operating system's. A fixed source makes every
/// transcript repeatable, and belongs in tests alone.
///
/// Any closure that fills a slice is a source:
///
/// ```
/// use hybi::Entropy;
/// let mut counter = 0u8;
/// let mut source = move |out: &mut [u8]| {
///     for byte in out {
///         counter += 1;
///         *byte = counter; // predictable: for tests only
///     }
/// };
/// let mut key = [0; 4];
/// source.fill(&mut key);
/// assert_eq!(key, [1, 2, 3, 4]);
/// ```
pub trait Entropy: Send + Sync + 'static {
    /// Fills all of `out`, whatever its length. A client that sends calls it once every eight frames.
    fn fill(&mut self, out: &mut [u8]);
}

impl<F: FnMut(&mut [u8]) + Send + Sync + 'static> Entropy for F {
    #[inline]
    fn fill(&mut self, out: &mut [u8]) {
        self(out);
    }
}

/// A source with its type forgotten, as the connection keeps it. Its `Debug` shows nothing of it.
pub struct BoxEntropy(Box<dyn Entropy>);

impl BoxEntropy {
    /// Boxes a source. One without state (a zero-sized type) takes no memory.
    pub fn new(source: impl Entropy) -> Self {
        Self(Box::new(source))
    }

    /// Fills all of it with fresh bytes.
    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    /// Sixteen fresh bytes: the nonce of one opening handshake (RFC 6455 §4.1).
    #[cfg(feature = "handshake")]
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.0.fill(&mut nonce);
        nonce
    }

    /// A fresh number: for a delay that others shall not share.
    #[cfg(feature = "handshake")]
    pub(crate) fn number(&mut self) -> u64 {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        u64::from_le_bytes(octets)
    }
}

impl fmt::Debug for BoxEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxEntropy")
    }
}
