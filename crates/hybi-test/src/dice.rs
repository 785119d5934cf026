//! Decisions, from a seed or from octets.
//!
//! What generates input asks a [`Dice`]. So one generator serves tests that print a seed, which replays, and
//! fuzzing, where the octets are what is changed from run to run.
//!
//! ```
//! use hybi_test::dice::Dice;
//!
//! let mut dice = Dice::of(&[7, 200]);
//! assert_eq!((dice.below(6), dice.octet(), dice.octet()), (1, 200, 0)); // at the end only zeros come
//! let roll = |seed| Dice::seeded(seed).octets(8);
//! assert_eq!(roll(1), roll(1));
//! assert_ne!(roll(1), roll(2));
//! ```

/// Where decisions come from.
#[derive(Clone, Debug)]
pub struct Dice<'o> {
    source: Source<'o>,
}

#[derive(Clone, Debug)]
enum Source<'o> {
    Seed(u64),
    Octets(&'o [u8]),
}

impl Dice<'static> {
    /// Without an end, and the same for the same seed, on every machine.
    pub fn seeded(seed: u64) -> Self {
        Self { source: Source::Seed(seed) }
    }
}

impl<'o> Dice<'o> {
    /// From these octets; when they are used up, zeros.
    pub fn of(octets: &'o [u8]) -> Self {
        Self { source: Source::Octets(octets) }
    }

    /// Whether the octets are used up. A seed never is.
    pub fn is_over(&self) -> bool {
        matches!(self.source, Source::Octets([]))
    }

    /// Any octet.
    pub fn octet(&mut self) -> u8 {
        match &mut self.source {
            Source::Seed(state) => (split_mix(state) >> 56) as u8,
            Source::Octets(octets) => octets.split_off_first().copied().unwrap_or_default(),
        }
    }

    /// One of the numbers below `n`, of one octet if that is enough, otherwise of three.
    ///
    /// # Panics
    /// If `n` is 0, or above 2^24.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(0 < n && n <= 1 << 24, "there is something to choose from");
        let octets = if n <= 256 { 1 } else { 3 };
        (0..octets).fold(0, |number, _| number << 8 | usize::from(self.octet())) % n
    }

    /// True once in `n` times. Zeros say no.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// All octets that are left; of a seed, none.
    pub fn rest(&mut self) -> &'o [u8] {
        match &mut self.source {
            Source::Seed(_) => &[],
            Source::Octets(octets) => std::mem::take(octets),
        }
    }

    /// So many octets.
    pub fn octets(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.octet()).collect()
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, without bad seeds, and good enough to choose among cases.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}
