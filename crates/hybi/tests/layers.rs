//! Imports go down: the table of layers, held against the `use` lines of the source. And functions stay short.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says by a panic what is wrong, and prints what to look at"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, from below. Modules of a layer import from the layers before; those of the layers that are
/// marked also from one another.
const LAYERS: [(&str, &[&str], bool); 8] = [
    ("words", &["role", "opcode", "version", "close", "message", "time", "entropy"], true),
    ("speech", &["state", "error", "ending", "config"], true),
    ("bytes", &["wire", "http"], false),
    ("text", &["utf8"], false),
    ("extensions", &["extension", "agreement"], true),
    ("lines and door", &["recv", "send", "handshake"], false),
    ("crossing", &["event", "connection"], true),
    ("front door", &["lib", "manual", "fuzzing"], true),
];

/// What goes upwards all the same, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// No function is longer, except for those listed with a reason.
const LONGEST: usize = 76;
/// Longer ones are printed, to be looked at.
const LONG: usize = 60;
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, by the module at the top to which they belong.
fn files(folder: &Path, module: Option<&str>, out: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("it is readable").path();
        let stem = path.file_stem().expect("files have names").to_string_lossy().into_owned();
        let module = module.unwrap_or(&stem);
        if path.is_dir() {
            files(&path, Some(module), out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push((module.to_owned(), path));
        }
    }
}

fn all_files() -> Vec<(String, PathBuf)> {
    let mut out = Vec::new();
    files(&source(), None, &mut out);
    out
}

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|(_, modules, _)| modules.contains(&module));
    found.unwrap_or_else(|| panic!("the module {module} stands in no layer"))
}

/// The code of a file: without comments, without its tests, and without the examples in its documentation.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("source is text");
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules at the top that a file names: after `crate::`, alone or in braces.
fn imports(code: &str) -> Vec<String> {
    let mut out = Vec::new();
    for part in code.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(list) => list.split_once('}').map_or(list, |(list, _)| list),
            None => part,
        };
        let items = if part.starts_with('{') { names.split(',').collect() } else { vec![names] };
        for item in items {
            let is_word = |char: &char| char.is_alphanumeric() || *char == '_';
            out.push(item.trim().chars().take_while(is_word).collect());
        }
    }
    out
}

#[test]
fn imports_go_down() {
    let mut wrong = BTreeMap::new();
    let mut seen = 0;
    for (module, path) in all_files() {
        let from = layer(&module);
        for import in imports(&code(&path)).into_iter().filter(|import| *import != module) {
            // A name at the top of the crate is a re-export of the front door.
            let to = if import.starts_with(char::is_uppercase) { LAYERS.len() - 1 } else { layer(&import) };
            let (_, _, among_themselves) = LAYERS[from];
            let goes_down = to < from || to == from && among_themselves;
            let excepted = EXCEPTIONS.contains(&(&module, &import));
            if !goes_down && !excepted {
                wrong.insert(format!("{module} imports {import}"), path.clone());
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} imports were found: is this reading the right folder?");
    assert!(wrong.is_empty(), "these imports do not go down: {wrong:#?}");
}

#[test]
fn words_stand_for_themselves() {
    // They may use one another, but nobody else: the table says so by their being the lowest layer.
    assert_eq!(LAYERS[0].0, "words");
    let modules: Vec<&str> = LAYERS.iter().flat_map(|(_, modules, _)| modules.iter().copied()).collect();
    for (module, _) in all_files() {
        assert!(modules.contains(&module.as_str()), "{module} stands in no layer");
    }
}

/// Functions with their length, by a look at indentation: `rustfmt` puts the closing brace under the `fn`.
fn functions(text: &str) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start().split(['(', '<']).next().unwrap_or_default();
        let Some(name) = words.split("fn ").nth(1).filter(|_| !line.trim_start().starts_with("//")) else {
            continue;
        };
        let closes =
            |line: &&str| line.len() > indent && line.starts_with(&format!("{}}}", " ".repeat(indent)));
        let len = lines[start..].iter().position(closes).map_or(1, |at| at + 1);
        let one_line = line.ends_with(';') || line.ends_with('}');
        out.push((name.trim().to_owned(), if one_line { 1 } else { len }));
    }
    out
}

#[test]
fn functions_are_short() {
    let (mut seen, mut long) = (0, Vec::new());
    for (_, path) in all_files() {
        for (name, len) in functions(&fs::read_to_string(&path).expect("source is text")) {
            seen += 1;
            if len > LONG {
                long.push((len, name, path.strip_prefix(source()).expect("it is inside").to_owned()));
            }
        }
    }
    long.sort();
    for (len, name, path) in &long {
        println!("{len} lines: {name} in {}", path.display());
    }
    let excused = |name: &String| LONG_FOR_A_REASON.iter().any(|(excused, _)| excused == name);
    let too_long: Vec<_> = long.iter().filter(|(len, name, _)| *len > LONGEST && !excused(name)).collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
    assert!(seen > 300, "only {seen} functions were found");
}

#[test]
fn unsafe_code_stands_in_the_masking_kernels_alone() {
    let kernels = source().join("wire/mask");
    let mut seen = 0;
    for (_, path) in all_files() {
        let code = fs::read_to_string(&path).expect("source is text");
        let has =
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("allow(unsafe_code");
        assert!(!has || path.starts_with(&kernels), "{} has unsafe code", path.display());
        seen += usize::from(has);
    }
    assert!(seen > 0, "the kernels were not found: is this reading the right folder?");
}

#[test]
fn the_readers_of_source_can_read() {
    assert_eq!(imports("use crate::recv::{Line, Lend};"), ["recv"]);
    assert_eq!(
        imports("use crate::{close, error::X};\nfn f() { crate::wire::mask() }"),
        ["close", "error", "wire"]
    );
    let text = "fn one() {}\nimpl X {\n    pub const fn two(a: u8) -> u8 {\n        a\n    }\n}\n";
    assert_eq!(functions(text), [("one".to_owned(), 1), ("two".to_owned(), 3)]);
}
