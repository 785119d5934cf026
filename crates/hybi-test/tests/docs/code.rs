//! Code on a page is compiled, by `pages` in this crate.

use std::fs;

use crate::repository::{files, root};

/// The languages of the blocks of code; a block without one has an empty name.
fn languages(text: &str) -> Vec<&str> {
    let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    fences.step_by(2).collect()
}

#[test]
fn pages_with_code_are_compiled() {
    let library = fs::read_to_string(root().join("crates/hybi-test/src/lib.rs")).expect("it is there");
    let mut seen = 0;
    let front = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|page| root().join(page));
    let pages = [&root().join("docs"), &root().join("examples")].map(|folder| files(folder, "md")).concat();
    for page in front.into_iter().chain(pages) {
        let text = fs::read_to_string(&page).expect("a page is text");
        let name = page.strip_prefix(root()).expect("it is inside").display().to_string();
        let is_compiled = library.contains(&format!("include_str!(\"../../../{name}\")"));
        let languages = languages(&text);
        assert!(
            is_compiled || !languages.iter().any(|it| it.starts_with("rust")),
            "{name} has code, and `pages` does not have it"
        );
        assert!(
            !is_compiled || !languages.contains(&""),
            "{name}: a block without a language is taken for Rust"
        );
        seen += usize::from(is_compiled);
    }
    assert_eq!(seen, library.matches("include_str!").count(), "each page that is named is there");
    assert!(seen > 0);
}

#[test]
fn languages_are_found() {
    assert_eq!(languages("```js\n```\n\n ```\nfn\n ```\n```rust\n```\n"), ["js", "", "rust"]);
}

/// Where `cfg(docsrs)` is used, which docs.rs sets, the library has to ask for what comes with it, or there is no page.
#[test]
fn the_reference_can_be_made_by_docs_rs() {
    let mut seen = 0;
    for source in files(&root().join("crates"), "rs") {
        let text = fs::read_to_string(&source).expect("source is text");
        if !text.lines().any(|line| line.trim_start().starts_with("#[cfg_attr(docsrs, doc(cfg(")) {
            continue;
        }
        let package =
            source.ancestors().find(|folder| folder.join("Cargo.toml").exists()).expect("a package");
        let library = fs::read_to_string(package.join("src/lib.rs")).expect("it is a library");
        assert!(library.contains("#![cfg_attr(docsrs, feature(doc_cfg))]"), "{}", package.display());
        let manifest = fs::read_to_string(package.join("Cargo.toml")).expect("it is there");
        assert!(manifest.contains("rustdoc-args = [\"--cfg\", \"docsrs\"]"), "{}", package.display());
        seen += 1;
    }
    assert!(seen > 3, "only {seen} files were found");
}

/// The features of a manifest.
fn features(manifest: &str) -> Vec<&str> {
    let section = manifest.split_once("\n[features]\n").map_or("", |(_, rest)| rest);
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0)).filter(|name| *name != "default").collect()
}

#[test]
fn the_front_page_of_each_library_has_its_features() {
    let mut seen = 0;
    for manifest in files(&root().join("crates"), "toml") {
        let text = fs::read_to_string(&manifest).expect("it is text");
        let library = manifest.with_file_name("src").join("lib.rs");
        if text.contains("publish = false") || !library.exists() {
            continue;
        }
        let library = fs::read_to_string(library).expect("it is text");
        let page: String = library.lines().filter(|line| line.starts_with("//! |")).collect();
        for feature in features(&text) {
            assert!(page.contains(&format!("`{feature}`")), "{}: {feature}", manifest.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} were found");
}
