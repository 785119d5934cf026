//! The tests of all adapters, over a runtime of the tests' own whose clock jumps when nobody has anything to do.

mod fake;
#[macro_use]
mod suite;

suite!(fake::Fake);
