//! What the tests of the hybi crates share.
