//! The files of the repository, and the tests in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made, not written.
const MADE: [&str; 3] = ["target", "node_modules", ".git"];

pub(crate) fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().expect("the repository is there")
}

/// All files below a folder with this extension.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("it is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !MADE.contains(&&*name) {
            out.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// Every test by the name that the documentation gives it: `limits::frame_limit` is in `crates/hybi/tests/limits.rs`,
/// `src::close::close_code_range` in `crates/hybi/src/close.rs`; tests of another crate have its name in front.
pub(crate) fn tests() -> BTreeMap<String, PathBuf> {
    let mut out = BTreeMap::new();
    for file in files(&root().join("crates"), "rs") {
        let prefix = prefix(&file);
        for name in tests_in(&fs::read_to_string(&file).expect("source is text")) {
            out.insert(format!("{prefix}::{name}"), file.clone());
        }
    }
    out
}

fn prefix(file: &Path) -> String {
    let file = file.strip_prefix(root().join("crates")).expect("it is in a crate").with_extension("");
    let mut parts: Vec<_> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("main" | "mod")) {
        parts.pop();
    }
    parts.retain(|part| part != "tests"); // also of a file `tests.rs` among sources
    if parts[0] == "hybi" {
        parts.remove(0);
    }
    parts.join("::")
}

/// Functions with `#[test]` above them, and those of the macros that make tests of functions.
fn tests_in(source: &str) -> Vec<String> {
    let mut marked = false;
    let mut out = Vec::new();
    for line in source.lines().map(str::trim) {
        match line.split_once("fn ") {
            _ if line == "#[test]" || line.starts_with("#[tokio::test") => marked = true,
            _ if line.starts_with("//") || line.starts_with("#[") => {}
            Some(("" | "async " | "pub " | "pub(crate) ", signature)) => {
                let of_a_macro = signature.contains("<S>() {") || has_no_types(signature);
                if marked || of_a_macro {
                    out.push(signature.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
                }
                marked = false;
            }
            _ => marked = false,
        }
    }
    out
}

/// `name(role) {`: only a macro takes parameters like that.
fn has_no_types(signature: &str) -> bool {
    let parameters = signature.split_once('(').and_then(|(_, rest)| rest.split_once(") {"));
    parameters.is_some_and(|(parameters, _)| {
        !parameters.is_empty() && !parameters.contains([':', '&']) && !parameters.ends_with("self")
    })
}

/// What stands between single backticks in a line.
pub(crate) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn tests_are_found() {
    let source = "/// Why.\n#[test]\n#[cfg(unix)]\nfn one() {}\n\nfn helper(n: u8) {}\n    fn twin(role) {\n    fn each<S>() {\n\
        fn over(client, server) {\nfn taken(mut self) {\n#[tokio::test(start_paused = true)]\nasync fn late() {\n";
    assert_eq!(tests_in(source), ["one", "twin", "each", "over", "late"]);
    let tests = tests();
    assert!(tests.len() > 400, "{} tests", tests.len());
    for name in [
        "limits::frame_limit",
        "rfc6455::s7_closing::closed_cleanly",
        "src::handshake::two_sides_agree",
        "src::close::close_code_range",
        "hybi-std::ends::the_client_closes",
        "hybi-test::docs::repository::tests_are_found",
    ] {
        assert!(tests.contains_key(name), "{name}");
    }
}

#[test]
fn code_is_found() {
    assert_eq!(code_spans("a `b` c `d e`, f").collect::<Vec<_>>(), ["b", "d e"]);
}
