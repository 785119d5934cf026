//! The command `hybi`.
fn main() {}
