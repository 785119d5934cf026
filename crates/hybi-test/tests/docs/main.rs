//! What the documentation says about the repository is so: links lead somewhere, code is compiled, and the modules and
//! tests that the tables of rules name are there; and so is what `tools/verify` offers.

mod code;
mod links;
mod repository;
mod tools;
mod traceability;
