//! What the targets assert: a function for each, of the octets that are changed from run to run.
//!
//! [`TARGETS`] has them all by name, so the same functions run in the targets, over the kept inputs in a test, and over
//! the [`seeds`] that are made of the transcripts.

pub mod deflate;
pub mod differential;
pub mod kernels;
pub mod opening;
pub mod pair;
pub mod receive;
pub mod seeds;

/// Each target by its name.
pub const TARGETS: [(&str, fn(&[u8])); 15] = [
    ("header", kernels::header),
    ("mask", kernels::mask),
    ("utf8", kernels::utf8),
    ("request", opening::request),
    ("response", opening::response),
    ("proxy", opening::proxy),
    ("extended", opening::extended),
    ("journey", opening::journey),
    ("receive_client", receive::client),
    ("receive_server", receive::server),
    ("pair", pair::pair),
    ("differential", differential::differential),
    ("inflate", deflate::inflate),
    ("extension_offer", deflate::extension_offer),
    ("receive_deflate", deflate::receive),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn target(name: &str) -> fn(&[u8]) {
        super::TARGETS.iter().find(|(other, _)| *other == name).expect(name).1
    }

    #[test]
    fn seeds_are_judged_as_they_should() {
        for seed in super::seeds::all() {
            println!("{} of {}", seed.name, seed.target); // shown if it fails
            target(seed.target)(&seed.input);
        }
    }

    /// What was kept of the inputs that were found, some of which were findings once.
    #[test]
    fn kept_inputs_are_judged_as_they_should() {
        let folders =
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).expect("they are there");
        let mut octets = 0;
        for folder in folders.map(|folder| folder.expect("it is readable").path()) {
            let judge = target(&folder.file_name().unwrap_or_default().to_string_lossy());
            for file in fs::read_dir(folder).expect("it is readable") {
                let path = file.expect("it is readable").path();
                let input = fs::read(&path).expect("it is readable");
                octets += input.len();
                println!("{}", path.display()); // shown if it fails
                judge(&input);
            }
        }
        assert!(octets < 300 << 10, "they are kept small: {octets} octets");
    }

    /// A target without a file, or without an entry in [`super::TARGETS`], is never run.
    #[test]
    fn every_target_has_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest is there");
        for (name, _) in super::TARGETS {
            assert!(root.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
