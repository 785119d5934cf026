//! Nothing: the benchmarks are in `benches/parts.rs`. `cargo bench -p hybi-bench-time` measures, and `cargo test` runs
//! each of them once.
