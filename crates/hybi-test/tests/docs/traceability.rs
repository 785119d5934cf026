//! The tables of rules: every rule has a line, and what a line names is there.
//!
//! A line is `| R7 | section | rule | where | tests |`. *Where* names files of `crates/hybi/src`, without their
//! extension, or of another crate with its name in front. *Tests* has the names that `repository::tests` gives, or says
//! why there is none: `not ours: ..`, `not yet: ..`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::repository::{code_spans, files, root, tests};

/// The tables, and the rules that each has. One that is not written yet has none.
const TABLES: [(&str, RangeInclusive<u16>); 5] = [
    ("rfc6455.md", 1..=106),
    ("drafts.md", 107..=132),
    ("rfc7692.md", 133..=161),
    ("http2.md", 162..=173),
    ("eventsource.md", 178..=191),
];

/// Why there is no test.
const EXCUSES: [&str; 2] = ["not ours: ", "not yet: "];

struct Line {
    rule: u16,
    places: String,
    tests: String,
}

fn lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [rule, _, _, places, tests] = cells[..] else { return None };
        let rule = rule.strip_prefix('R')?.parse().ok()?;
        Some(Line { rule, places: places.to_owned(), tests: tests.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

/// Whether the text has a name as `repository::tests` gives them, at a first look.
fn is_test_name(span: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'));
    span.contains("::") && span.split("::").all(is_part) && !is_an_item(span)
}

/// Of the library; the chapters of the manual have to be there.
fn is_an_item(span: &str) -> bool {
    span.starts_with("hybi::") && !span.starts_with("hybi::manual::")
}

fn is_there(place: &str) -> bool {
    let crates = root().join("crates");
    [crates.join("hybi/src"), crates.clone()].iter().any(|folder| {
        let path = folder.join(place);
        path.exists() || path.with_extension("rs").exists()
    })
}

/// What is wrong with the names in a text.
fn unknown(text: &str, tests: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let transcripts = root().join("crates/hybi/tests");
    let is_unknown = |span: &&str| {
        is_test_name(span) && !tests.contains_key(*span)
            || span.starts_with("transcripts/") && !transcripts.join(span).exists()
    };
    code_spans(text).filter(is_unknown).map(str::to_owned).collect()
}

fn complaints(line: &Line, tests: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let mut out = unknown(&line.tests, tests);
    out.extend(code_spans(&line.places).filter(|place| !is_there(place)).map(str::to_owned));
    let has_excuse = EXCUSES.iter().any(|excuse| line.tests.contains(excuse));
    if !has_excuse && code_spans(&line.tests).all(|span| !is_test_name(span)) {
        out.push("neither a test nor a reason why not".into());
    }
    if line.places.is_empty() {
        out.push("no place".into());
    }
    out
}

#[test]
fn every_rule_has_a_line_and_what_it_names_is_there() {
    let tests = tests();
    let mut wrong = Vec::new();
    for (page, rules) in TABLES {
        let Ok(text) = fs::read_to_string(root().join("docs").join(page)) else { continue };
        let lines = lines(&text);
        let mut missing: BTreeSet<u16> = rules.collect();
        for line in &lines {
            if !missing.remove(&line.rule) {
                wrong.push(format!("{page}: R{} has another line, or belongs to another page", line.rule));
            }
            wrong.extend(
                complaints(line, &tests).iter().map(|what| format!("{page}: R{}: {what}", line.rule)),
            );
        }
        wrong.extend(missing.iter().map(|rule| format!("{page}: R{rule} has no line")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(root().join("docs/rfc6455.md").exists());
}

/// The pages for people who come from elsewhere have a line for everything that is there.
#[test]
fn everything_that_is_elsewhere_has_a_line() {
    for (page, letter, rows) in
        [("coming-from-ws.md", 'W', 1..=163), ("coming-from-faye-websocket.md", 'F', 1..=100)]
    {
        let text = fs::read_to_string(root().join("docs").join(page)).expect("the page is there");
        let row = |line: &str| {
            let cells: Vec<&str> =
                line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let number: u16 = cells[0].strip_prefix(letter)?.parse().ok()?;
            assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "{page}: {line}");
            Some(number)
        };
        let there: Vec<u16> = text.lines().filter_map(row).collect();
        assert_eq!(there, rows.collect::<Vec<u16>>(), "{page}");
    }
}

/// What runs against the READMEs of others stands beside what they show.
#[test]
fn the_tests_of_each_readme_are_named_on_its_page() {
    for (page, file) in [("coming-from-ws.md", "from_ws"), ("coming-from-faye-websocket.md", "from_faye")] {
        let text = fs::read_to_string(root().join("docs").join(page)).expect("the page is there");
        let prefix = format!("hybi-std::{file}::");
        let tests = tests();
        let of_readme: Vec<&String> = tests.keys().filter(|name| name.starts_with(&prefix)).collect();
        assert!(of_readme.len() > 10, "{of_readme:?}");
        let missing: Vec<_> = of_readme.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "{page}: {missing:?}");
    }
}

/// In the manual, and in the other pages.
#[test]
fn tests_that_are_named_elsewhere_are_there() {
    let tests = tests();
    let manual = files(&root().join("crates/hybi/src/manual"), "rs");
    let pages = files(&root().join("docs"), "md");
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in manual.iter().chain(&pages) {
        let text = fs::read_to_string(page).expect("it is text");
        seen += code_spans(&text).filter(|span| is_test_name(span)).count();
        for line in text.lines() {
            wrong.extend(
                unknown(line, &tests).into_iter().filter(|name| !is_a_module(name)).map(|name| (page, name)),
            );
        }
    }
    assert!(seen > 30, "only {seen} names were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `wire::mask` and the like, also with the name of the crate in front.
fn is_a_module(name: &str) -> bool {
    let path: PathBuf = name.trim_start_matches("hybi::").split("::").collect();
    let place = root().join("crates/hybi/src").join(path);
    place.exists() || place.with_extension("rs").exists()
}

#[test]
fn lines_are_read_and_complained_about() {
    let tests = tests();
    let complaints_of = |text: &str| complaints(&lines(text)[0], &tests);
    assert_eq!(complaints_of("| R1 | 3 | rule | `http/uri` | `limits::frame_limit` |"), [""; 0]);
    assert_eq!(complaints_of("| R1 | 3 | rule | `hybi-std/src/accept` | not ours: why |"), [""; 0]);
    assert_eq!(complaints_of("| R1 | 3 | rule | `no/file` | `limits::frame_limit` |"), ["no/file"]);
    assert_eq!(complaints_of("| R1 | 3 | rule | `close` | `limits::no_test` |"), ["limits::no_test"]);
    assert_eq!(complaints_of("| R1 | 3 | rule | `close` | `transcripts/no.txt` |").len(), 2);
    assert_eq!(complaints_of("| R1 | 3 | rule | | none |").len(), 2);
    assert!(lines("| row | section | rule | where | tests |\n|---|---|---|---|---|\n").is_empty());
}
