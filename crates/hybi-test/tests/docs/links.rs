//! Links inside the repository: the file is there, and so is the heading.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::repository::{code_spans, files, root};

/// A text without its code, in which nothing is a link.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            out.extend(line.split('`').step_by(2));
            out.push('\n');
        }
    }
    out
}

/// Where the links of a text lead: `[text](target)` and `[name]: target`.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let named = prose.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
    let named = named.filter_map(|(_, target)| target.split_whitespace().next());
    inline.chain(named).map(|target| target.trim_matches(['<', '>']).to_owned()).collect()
}

/// The anchors of a page, as the forges make them: small letters, digits, hyphens; a number behind repeated ones.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut in_block = false;
    let mut out = Vec::new();
    for line in text.lines() {
        in_block ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        let is_heading = line.len() > title.len() && title.starts_with(' ') && !in_block;
        if !is_heading {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug = title.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
        let n = seen.entry(slug.clone()).or_default();
        out.push(if *n == 0 { slug } else { format!("{slug}-{n}") });
        *n += 1;
    }
    out
}

/// What is wrong with a link in a page.
fn complaint(page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let file = if path.is_empty() { page.to_owned() } else { page.parent()?.join(path) };
    if !file.exists() {
        return Some(format!("{}: {target}: no such file", page.display()));
    }
    let anchor = anchor?;
    let there = file.extension().is_some_and(|e| e == "md")
        && anchors(&fs::read_to_string(&file).ok()?).iter().any(|there| there == anchor);
    (!there).then(|| format!("{}: {target}: no such heading", page.display()))
}

#[test]
fn links_inside_the_repository_lead_somewhere() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in files(&root(), "md") {
        for target in targets(&fs::read_to_string(&page).expect("a page is text")) {
            seen += 1;
            wrong.extend(complaint(&page, &target));
        }
    }
    assert!(seen > 10, "only {seen} links were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Who reads the source is sent from file to file.
#[test]
fn files_that_the_order_of_reading_names_are_there() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the page is there");
    let named: Vec<&str> = text.lines().flat_map(code_spans).filter(|span| span.ends_with(".rs")).collect();
    assert!(named.len() > 12, "only {named:?}");
    for name in named {
        let is_there =
            [root(), root().join("crates/hybi/src")].iter().any(|folder| folder.join(name).is_file());
        assert!(is_there, "{name}");
    }
}

#[test]
fn links_and_anchors_are_found() {
    let text = "[a](b.md#c) and `[no](x)`\n```\n[no](y)\n```\n![i](d.png \"t\")\n[n]: <e.md>\n";
    assert_eq!(targets(text), ["b.md#c", "d.png", "e.md"]);
    let text = "# A `b`, c!\n```\n# not this\n```\n## Two words\n## Two words\n#tag\n";
    assert_eq!(anchors(text), ["a-b-c", "two-words", "two-words-1"]);
}

#[test]
fn a_link_to_nothing_is_complained_about() {
    let page = root().join("docs/glossary.md");
    assert_eq!(complaint(&page, "architecture.md#layers"), None);
    assert_eq!(complaint(&page, "#frames"), None);
    assert_eq!(complaint(&page, "https://example.com/nothing"), None);
    assert!(complaint(&page, "nothing.md").is_some_and(|text| text.ends_with("no such file")));
    assert!(
        complaint(&page, "architecture.md#nothing").is_some_and(|text| text.ends_with("no such heading"))
    );
    assert!(complaint(&page, "#nothing").is_some_and(|text| text.ends_with("no such heading")));
}
