//! The mutex: the standard library's, or that of the model checker (`RUSTFLAGS='--cfg shuttle'`).

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard};
