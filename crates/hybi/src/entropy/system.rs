//! Randomness of the operating system, fetched a page at a time: for the adapters, which hand it in. The core takes
//! nothing from it by itself.

use std::cell::RefCell;

use super::Entropy;

/// The operating system's source of randomness, to be handed to a client. Each thread keeps a pool of it, because a
/// system call for the four octets of one frame would cost more than the frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

struct Pool {
    octets: [u8; 1024],
    /// How many at the front were used, and are zero.
    used: usize,
}

thread_local!(static POOL: RefCell<Pool> = const { RefCell::new(Pool { octets: [0; 1024], used: 1024 }) });

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        POOL.with_borrow_mut(|pool| {
            for piece in out.chunks_mut(pool.octets.len()) {
                if pool.octets.len() - pool.used < piece.len() {
                    getrandom::fill(&mut pool.octets)
                        .expect("the operating system has a source of randomness");
                    pool.used = 0;
                }
                let fresh = &mut pool.octets[pool.used..pool.used + piece.len()];
                piece.copy_from_slice(fresh);
                fresh.fill(0); // what was used once is nowhere to be found
                pool.used += piece.len();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_four_octets_come_twice() {
        let mut keys = std::collections::HashSet::new();
        for _ in 0..2000 {
            let mut key = [0; 16];
            SystemEntropy.fill(&mut key);
            assert!(keys.insert(key));
        }
        let mut long = [0; 3000];
        SystemEntropy.fill(&mut long);
        assert!(long[2990..] != [0; 10]);
    }
}
