//! The adapters are alike: the same names for the same things, no protocol, and none knows another. Read from their
//! source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each adapter, and the crates that its vocabulary is in.
const ADAPTERS: [(&str, &[&str]); 3] = [
    ("hybi-std", &["hybi-std"]),
    ("hybi-tokio", &["hybi-futures", "hybi-tokio"]),
    ("hybi-async-std", &["hybi-futures", "hybi-async-std"]),
];

/// The types that users of every adapter meet.
const TYPES: [&str; 15] = [
    "WebSocket",
    "Reader",
    "Writer",
    "Handle",
    "ByteStream",
    "Connector",
    "Acceptor",
    "Pending",
    "PlainRequest",
    "Stream",
    "TlsAcceptor",
    "Listener",
    "Stopper",
    "Clients",
    "Membership",
];

/// Who has a method that not all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Only {
    /// The adapter for blocking sockets.
    Blocking,
    /// The asynchronous ones.
    Async,
}

/// Every method that not all adapters have, with the reason.
const DIFFERENCES: &[(&str, &str, Only, &str)] = &[
    ("WebSocket", "messages", Only::Blocking, "an iterator; the asynchronous ones are a `Stream` themselves"),
    ("Reader", "messages", Only::Blocking, "likewise"),
    ("Reader", "get_ref", Only::Blocking, "it owns a clone of the socket; elsewhere the halves share one"),
    ("ByteStream", "shutdown", Only::Blocking, "`AsyncWrite` has it, `Write` does not"),
    ("ByteStream", "into_split", Only::Blocking, "for two threads; a task reads and writes at once"),
    (
        "ByteStream",
        "get_ref",
        Only::Blocking,
        "for the timeouts of a socket; elsewhere a timer is put around",
    ),
    ("WebSocket", "poll_message", Only::Async, "what `Stream` and hand-written futures call"),
    ("WebSocket", "poll_flush", Only::Async, "what `Sink` and hand-written futures call"),
    ("Reader", "poll_message", Only::Async, "what `Stream` and hand-written futures call"),
    ("Reader", "poll_event", Only::Async, "what hand-written futures call"),
    ("ByteStream", "poll_read", Only::Async, "what the traits of each runtime call"),
    ("ByteStream", "poll_write", Only::Async, "likewise"),
    ("ByteStream", "poll_flush", Only::Async, "likewise"),
    ("ByteStream", "poll_close", Only::Async, "likewise"),
    ("Listener", "run_with", Only::Async, "for whoever starts tasks; a thread is started in one way"),
];

/// Names that not all adapters have at their front door, with the adapter that has them and the reason.
const OWN_NAMES: &[(&str, &str, &str)] = &[
    ("hybi-std", "ByteReader", "halves for two threads; a task reads and writes at once"),
    ("hybi-std", "ByteWriter", "likewise"),
    (
        "hybi-std",
        "Transport",
        "what a blocking socket has to be able to do; elsewhere a trait of the runtime says so",
    ),
    ("hybi-std", "Plain", "likewise, for one without timeouts"),
    ("hybi-std", "TlsStream", "the asynchronous ones are those of the crates that bind rustls to a runtime"),
    ("hybi-tokio", "Tokio", "the runtime as a type"),
    ("hybi-async-std", "AsyncStd", "likewise"),
    ("hybi-async-std", "WithShutdown", "for streams of async-std, whose close only flushes"),
    ("hybi-async-std", "Task", "what `Listener::run_with` hands over; tokio starts tasks by itself"),
];

/// Words of the protocol. Whoever needs one in an adapter decides something that belongs into the core.
const WORDS: [&str; 5] = ["opcode", "mask", "fragment", "utf8", "deflate"];

/// Lines with such a word all the same: file, a piece of the line, and why.
const WORDS_FOR_A_REASON: &[(&str, &str, &str)] = &[
    ("hybi-std/src/lib.rs", "//! | `", "the name of a feature and of what it adds"),
    ("hybi-futures/src/lib.rs", "//! | `", "likewise"),
    ("hybi-tokio/src/lib.rs", "//! | `", "likewise"),
    ("hybi-async-std/src/lib.rs", "//! | `", "likewise"),
    ("hybi-std/src/lib.rs", "Fragment, Kind", "the type of an event is passed on"),
    ("hybi-futures/src/lib.rs", "Fragment, Kind", "the type of an event is passed on"),
    ("hybi-tokio/src/lib.rs", "Fragment, Handle", "the type of an event is passed on"),
    ("hybi-async-std/src/lib.rs", "Fragment, Handle", "the type of an event is passed on"),
    ("hybi-std/src/stream.rs", "Delivery::Fragments", "a stream of octets holds no whole message"),
    ("hybi-std/src/stream.rs", "Event::Fragment", "likewise"),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies among the others").to_owned()
}

/// The files of a crate's source, as paths from `crates` on, with what is in them.
fn source(name: &str) -> Vec<(String, String)> {
    let folder = crates().join(name).join("src");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    assert!(files.iter().all(|path| path.is_file()), "{name} has folders, and this test reads none");
    let read = |path: &PathBuf| fs::read_to_string(path).expect("it is text");
    let short =
        |path: &PathBuf| format!("{name}/src/{}", path.file_name().expect("a name").to_string_lossy());
    files.iter().map(|path| (short(path), read(path))).collect()
}

/// The public methods of the types of a source text, those of traits left out.
fn methods(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut inside: Option<(String, usize)> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        match &inside {
            Some((_, outer)) if code.starts_with('}') && indent == *outer => inside = None,
            Some((name, _)) => {
                if let Some(method) = public_function(code) {
                    found.entry(name.clone()).or_default().insert(method.to_owned());
                }
            }
            None if code.starts_with("impl") => {
                let mut head = code.to_owned();
                while !head.contains('{') {
                    head += lines.next().expect("an impl has a body");
                }
                if !head.contains('}') {
                    inside = inherent(&head)
                        .map(|name| (name.to_owned(), indent))
                        .or(Some((String::new(), indent)));
                }
            }
            None => {}
        }
    }
    found.remove("");
    found
}

/// The type that an `impl` without a trait is for.
fn inherent(head: &str) -> Option<&str> {
    let rest = head.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { behind_brackets(rest) } else { rest }.trim_start();
    let end = rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let rest = if rest.starts_with('<') { behind_brackets(rest) } else { rest };
    (!rest.trim_start().starts_with("for ") && !rest.starts_with("::")).then_some(name)
}

/// What follows the brackets that the text begins with.
fn behind_brackets(text: &str) -> &str {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    panic!("brackets without an end: {text}")
}

fn public_function(code: &str) -> Option<&str> {
    let code = code.strip_prefix("pub ")?;
    let code = code.strip_prefix("async ").unwrap_or(code);
    code.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[test]
fn the_methods_are_the_same_and_every_difference_has_a_reason() {
    let all: Vec<_> = ADAPTERS
        .into_iter()
        .map(|(adapter, names)| {
            let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (_, text) in names.iter().flat_map(|name| source(name)) {
                for (name, methods) in methods(&text) {
                    types.entry(name).or_default().extend(methods);
                }
            }
            (adapter, types)
        })
        .collect();
    let mut complaints = Vec::new();
    for name in TYPES {
        for (adapter, types) in &all {
            if !types.contains_key(name) {
                complaints.push(format!("{adapter} has no {name}"));
            }
        }
        let empty = BTreeSet::new();
        let of = |types: &BTreeMap<String, BTreeSet<String>>| types.get(name).unwrap_or(&empty).clone();
        let union: BTreeSet<String> = all.iter().flat_map(|(_, types)| of(types)).collect();
        for method in &union {
            let listed = DIFFERENCES.iter().find(|(of, is, ..)| *of == name && is == method).map(|row| row.2);
            for (adapter, types) in &all {
                let has = of(types).contains(method);
                let should = listed.is_none_or(|only| (only == Only::Blocking) == (*adapter == "hybi-std"));
                if has != should {
                    complaints.push(format!(
                        "{adapter}: {name}::{method} {}",
                        if has { "is there" } else { "is missing" }
                    ));
                }
            }
        }
        for (of, method, ..) in DIFFERENCES.iter().filter(|(of, ..)| *of == name) {
            if !union.contains(*method) {
                complaints.push(format!("{of}::{method} is listed, and nobody has it"));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert!(DIFFERENCES.iter().all(|(name, ..)| TYPES.contains(name)));
}

/// The names that a crate has at its front door, by `pub use` and `pub type`.
fn exports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    for item in code.join("\n").split(';').map(str::trim) {
        if let Some((_, item)) = item.rsplit_once("pub type ") {
            found.extend(item.split(['<', ' ', '=']).next().map(str::to_owned));
        } else if let Some((_, path)) = item.rsplit_once("pub use ") {
            let list = path.split_once('{').map_or(path, |(_, list)| list.trim_end_matches('}'));
            let names = list.split(',').filter_map(|name| name.rsplit("::").next()).map(str::trim);
            found.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_same_names_stand_at_every_front_door() {
    let all = ADAPTERS.map(|(adapter, _)| {
        let lib = crates().join(adapter).join("src/lib.rs");
        (adapter, exports(&fs::read_to_string(lib).expect("it is text")))
    });
    let union: BTreeSet<&String> = all.iter().flat_map(|(_, names)| names).collect();
    assert!(union.len() > 50, "{union:?}");
    let mut complaints = Vec::new();
    for name in union {
        let owner = OWN_NAMES.iter().find(|(_, own, _)| own == name).map(|(owner, ..)| *owner);
        for (adapter, names) in &all {
            let (has, should) = (names.contains(name), owner.is_none_or(|owner| owner == *adapter));
            if has != should {
                complaints.push(format!("{adapter}: {name} {}", if has { "is there" } else { "is missing" }));
            }
        }
    }
    for (owner, name, _) in OWN_NAMES {
        if !all.iter().any(|(adapter, names)| adapter == owner && names.contains(*name)) {
            complaints.push(format!("{owner}: {name} is listed, and is not there"));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_reader_of_exports_can_read() {
    let text = "
//! pub use in::docs;
mod a;
pub use a::{
    One, Two,
    Three,
};
#[cfg(feature = \"tls\")]
pub use b::Four;
pub use rustls;
/// Docs; with a semicolon.
pub type Five<S> = a::Five<S, Runtime>;
pub type Six = a::Six;
";
    let names: Vec<_> = exports(text).into_iter().collect();
    assert_eq!(names, ["Five", "Four", "One", "Six", "Three", "Two", "rustls"]);
}

#[test]
fn no_word_of_the_protocol_is_in_an_adapter() {
    let names: BTreeSet<&str> = ADAPTERS.into_iter().flat_map(|(_, names)| names).copied().collect();
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for (path, text) in names.into_iter().flat_map(source) {
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let Some(word) = WORDS.iter().find(|word| lower.contains(**word)) else { continue };
            let excuse =
                WORDS_FOR_A_REASON.iter().position(|(file, piece, _)| *file == path && line.contains(piece));
            match excuse {
                Some(excuse) => drop(used.insert(excuse)),
                None => complaints.push(format!("{path}:{}: {word}: {}", number + 1, line.trim())),
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert_eq!(used.len(), WORDS_FOR_A_REASON.len(), "an excuse that is not needed any more");
}

#[test]
fn no_adapter_knows_another() {
    for (adapter, _) in ADAPTERS.into_iter() {
        let manifest = fs::read_to_string(crates().join(adapter).join("Cargo.toml")).expect("it is text");
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let others = ADAPTERS.iter().map(|(name, _)| *name).filter(|name| *name != adapter);
            let names_one = others.clone().any(|name| line.starts_with(&format!("{name} ")));
            assert!(!(section.contains("dependencies") && names_one), "{adapter} depends on another: {line}");
            if section == "[features]" {
                assert!(!others.clone().any(|name| line.contains(&format!("{name}/"))), "{adapter}: {line}");
            }
        }
        for (path, text) in source(adapter) {
            for (other, _) in ADAPTERS.iter().filter(|(name, _)| *name != adapter) {
                let imported = format!("{}::", other.replace('-', "_"));
                assert!(!text.contains(&imported), "{path} uses {other}");
            }
        }
    }
}

#[test]
fn the_reader_of_source_can_read() {
    let text = "
impl<S: Iterator<Item = Vec<u8>>, F: Fn(u8) -> u8> Open<S, F> {
    /// Docs.
    pub fn one(&self) {}
    pub async fn two<'p>(
        &self,
    ) {
    }
    pub(crate) fn three(&self) {}
    fn four(&self) {}
}
impl<S> fmt::Debug for Open<S> {
    pub fn five() {}
}
impl<S, R> Open<S, R>
where
    S: Send,
{
    pub fn six() {}
}
mod inner {
    impl Shut {
        pub fn seven() {}
    }
}
impl<S> Unpin for Open<S> {}
impl Plain for Open {
    pub fn eight() {}
}
";
    let found = methods(text);
    let of = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("Open"), ["one", "six", "two"]);
    assert_eq!(of("Shut"), ["seven"]);
    assert_eq!(found.len(), 2, "{found:?}");
}
