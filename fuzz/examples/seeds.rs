//! Writes the seeds of the targets to `fuzz/corpus`, where libFuzzer adds to them:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for seed in hybi_fuzz::seeds::all() {
        let folder = corpus.join(seed.target);
        fs::create_dir_all(&folder).expect("the folder can be made");
        fs::write(folder.join(seed.name), seed.input).expect("it can be written");
    }
}
