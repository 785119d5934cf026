//! Masking keys: RFC 6455 §5.3.

use crate::entropy::BoxEntropy;

/// How many are fetched at once. To ask the source is a call of a function that is not known here, which costs more
/// than to mask a short message.
const FETCHED: usize = 8;

/// Fresh keys, each for one frame of a client.
#[derive(Debug)]
pub(super) struct Keys {
    /// A server has none, and masks nothing.
    source: Option<BoxEntropy>,
    fetched: [[u8; 4]; FETCHED],
    used: usize,
}

impl Keys {
    pub(super) fn new(source: Option<BoxEntropy>) -> Self {
        Self { source, fetched: [[0; 4]; FETCHED], used: FETCHED }
    }

    pub(super) fn into_source(self) -> Option<BoxEntropy> {
        self.source
    }

    /// Whether frames are masked.
    #[inline]
    pub(super) fn mask(&self) -> bool {
        self.source.is_some()
    }

    /// The next key; `None` if frames are not masked.
    #[inline]
    pub(super) fn next(&mut self) -> Option<[u8; 4]> {
        if !self.is_at_hand() {
            self.fetch();
        }
        self.next_at_hand()
    }

    /// Whether a key was fetched that was not used.
    #[inline]
    pub(super) fn is_at_hand(&self) -> bool {
        self.used < FETCHED
    }

    /// Such a key.
    #[inline]
    pub(super) fn next_at_hand(&mut self) -> Option<[u8; 4]> {
        let key = self.fetched.get(self.used)?;
        self.used += 1;
        Some(*key)
    }

    /// Fetches keys, and forgets those that were not used.
    pub(super) fn fetch(&mut self) {
        if let Some(source) = &mut self.source {
            source.fill(self.fetched.as_flattened_mut());
            self.used = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_comes_twice_and_none_is_left_out() {
        let mut octets = 0..;
        let source = BoxEntropy::new(move |out: &mut [u8]| out.fill_with(|| octets.next().expect("enough")));
        let mut keys = Keys::new(Some(source));
        assert!(!keys.is_at_hand(), "nothing is asked for before it is needed");
        for n in 0..3 * FETCHED as u8 {
            assert_eq!(keys.is_at_hand(), !n.is_multiple_of(FETCHED as u8));
            assert_eq!(keys.next(), Some([0, 1, 2, 3].map(|i| 4 * n + i)));
        }
        assert_eq!(keys.next_at_hand(), None);
    }

    #[test]
    fn a_server_has_none() {
        let mut keys = Keys::new(None);
        assert_eq!((keys.mask(), keys.next()), (false, None));
    }
}
