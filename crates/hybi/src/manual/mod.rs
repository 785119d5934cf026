//! The manual: for a person who embeds the core in a program of their own.
//!
//! | chapter | what it answers |
//! |---|---|
//! | [`run_loop`] | what to call, in which order, and what happens to one byte |
//!
//! The chapters can be read in any order, but the first explains the words that the others use. Every example
//! runs with the tests. What a method does stands on the method; here is how they belong together.
//!
//! This module is empty, and exists in the documentation alone.

pub mod run_loop;
