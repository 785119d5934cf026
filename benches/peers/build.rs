//! Two peers keep their masking functions private. Their own source files are compiled from where Cargo unpacked them,
//! so that what is timed is their code; nothing is copied into this repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let modules = [
        ("tungstenite", "src/protocol/frame/mask.rs", "tungstenite_mask"),
        ("tokio-websockets", "src/mask.rs", "tokio_websockets_mask"),
    ];
    let metadata = metadata();
    let source: String = modules
        .iter()
        .map(|(name, file, module)| {
            let path = unpacked(&metadata, name).join(file);
            format!("#[path = {path:?}]\npub mod {module};\n")
        })
        .collect();
    let out = env::var("OUT_DIR").expect("Cargo sets it");
    fs::write(Path::new(&out).join("private_masks.rs"), source).expect("Cargo's directory can be written");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Cargo.lock");
}

/// What Cargo knows about this package and its dependencies.
fn metadata() -> String {
    let target = env::var("TARGET").expect("Cargo sets it");
    let output = Command::new(env::var("CARGO").expect("Cargo sets it"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &target])
        .output()
        .expect("Cargo can be started");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Where a package lies: the directory of a manifest whose path has `/NAME-1.2.3/` in it.
fn unpacked(metadata: &str, name: &str) -> PathBuf {
    metadata
        .split('"')
        .filter_map(|text| text.strip_suffix("/Cargo.toml"))
        .find(|directory| {
            let last = directory.rsplit('/').next().unwrap_or_default();
            let version = last.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(PathBuf::from)
        .unwrap_or_else(|| panic!("{name} is not among the dependencies"))
}
