//! Two connections on an unreliable network, and any program of calls.

use hybi_test::dice::Dice;
use hybi_test::simulation::live_by;

/// Nothing is lost or reordered, and both are told their end once, and rightly.
pub fn pair(octets: &[u8]) {
    live_by("the input", Dice::of(octets));
}
