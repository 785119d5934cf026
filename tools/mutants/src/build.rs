//! Compiles the copy, and leaves out what does not compile: mutants of other types, and functions that have to be
//! `const`.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cfg::Cfg;
use crate::copy;
use crate::find::Found;
use crate::rewrite::{self, Left, Written};

/// The copy, and how it is built.
pub struct Copy {
    pub root: PathBuf,
    /// The package whose sources are changed, and where it is in the copy.
    pub package: String,
    pub folder: PathBuf,
    pub target: PathBuf,
}

/// A program with tests.
#[derive(Clone)]
pub struct Binary {
    pub name: String,
    pub path: PathBuf,
}

/// More rounds than this are not needed: each one leaves something out, and most leave out all that one phase of the
/// compiler complains of.
const ROUNDS: usize = 40;

impl Copy {
    /// For which `cfg` the package is compiled in its tests, told from the original.
    pub fn cfg(&self, original: &Path) -> Result<Cfg, String> {
        let output =
            Command::new("rustc").args(["--print", "cfg"]).output().map_err(|e| format!("rustc: {e}"))?;
        let mut set: HashSet<String> =
            String::from_utf8_lossy(&output.stdout).lines().map(Into::into).collect();
        let messages = self.cargo(original, &["check", "--lib", "--tests"])?;
        let features = messages.iter().find_map(|message| {
            let is_it = message["reason"] == "compiler-artifact"
                && message["target"]["kind"][0] == "lib"
                && message["target"]["name"] == self.package.replace('-', "_").as_str();
            is_it.then(|| message["features"].as_array().cloned())?
        });
        let features = features.ok_or("the package does not compile, unchanged")?;
        set.extend(
            features.iter().filter_map(|name| name.as_str()).map(|name| format!("feature=\"{name}\"")),
        );
        Ok(Cfg { set })
    }

    /// Writes and compiles, until it does; then builds the tests.
    pub fn build(&self, found: &Found, left: &mut Left, say: &dyn Fn(&str)) -> Result<Vec<Binary>, String> {
        for round in 0..ROUNDS {
            let written = self.write(found, left)?;
            let mut messages = self.cargo(&self.root, &["check", "--lib"])?;
            let mut errors = of_errors(&messages);
            if errors.is_empty() {
                messages = self.cargo(&self.root, &["test", "--no-run", "--lib", "--tests"])?;
                errors = of_errors(&messages);
            }
            if errors.is_empty() {
                return Ok(binaries(&messages));
            }
            let before = (left.mutants.len(), left.const_fns.len());
            for error in &errors {
                self.leave_out(error, found, &written, left);
            }
            let after = (left.mutants.len(), left.const_fns.len());
            say(&format!(
                "round {}: {} do not compile, {} functions have to be const",
                round + 1,
                after.0,
                after.1
            ));
            if before == after {
                let texts = errors.iter().filter_map(|error| error["rendered"].as_str());
                return Err(format!("the copy does not compile:\n{}", texts.take(3).collect::<String>()));
            }
        }
        Err(format!("the copy does not compile after {ROUNDS} rounds"))
    }

    fn write(&self, found: &Found, left: &Left) -> Result<Vec<Written>, String> {
        let src = self.folder.join("src");
        copy::write(&src.join("mutant_switch.rs"), include_bytes!("switch.rs"))?;
        let mut all = Vec::new();
        for file in &found.files {
            let mut written = rewrite::write(found, file, left);
            if file.name == "lib.rs" {
                written.text.push_str("\n#[allow(unsafe_code)]\nmod mutant_switch;\n");
            }
            copy::write(&src.join(&file.name), written.text.as_bytes())?;
            all.push(written);
        }
        Ok(all)
    }

    /// Runs cargo, and gives what it says on its standard output.
    fn cargo(&self, root: &Path, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--package", &self.package, "--message-format=json", "--locked"])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", &self.target)
            // Tests run a thousand times: they are made quick, but for overflow and assertions as they always are.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        let messages: Vec<Value> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if !output.status.success() && of_errors(&messages).is_empty() {
            return Err(format!("cargo failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(messages)
    }

    fn leave_out(&self, error: &Value, found: &Found, written: &[Written], left: &mut Left) {
        let text = error["message"].as_str().unwrap_or_default();
        if text.contains("non-const") {
            let name = text.split('`').nth(1).unwrap_or_default();
            let known = left.const_fns.len();
            left.const_fns.extend(named(found, name));
            if left.const_fns.len() > known {
                return;
            }
        }
        let spans: Vec<(usize, Range<usize>)> = error["spans"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|span| span["is_primary"] == true)
            .filter_map(|span| self.span(span, found))
            .collect();
        for (file, span) in spans {
            let written = &written[file];
            let within = |range: &Range<usize>| range.start <= span.start && span.start < range.end;
            let changed: Vec<u32> =
                written.changed.iter().filter(|(_, range)| within(range)).map(|(id, _)| *id).collect();
            if !changed.is_empty() {
                left.mutants.extend(changed);
                continue;
            }
            // Not in a changed part, but because of one: the smallest that is around it.
            let around =
                written.around.iter().filter(|(_, range)| range.start < span.end && span.start < range.end);
            if let Some((ids, _)) = around.min_by_key(|(_, range)| range.len()) {
                left.mutants.extend(ids);
            }
        }
    }

    /// In which of our files a complaint is, and where. What a macro was made of is looked for from inside out.
    fn span(&self, span: &Value, found: &Found) -> Option<(usize, Range<usize>)> {
        let path = Path::new(span["file_name"].as_str()?);
        let src = self.folder.join("src");
        let name =
            self.root.join(path).strip_prefix(&src).ok().map(|p| p.to_string_lossy().replace('\\', "/"));
        let file = name.and_then(|name| found.files.iter().position(|file| file.name == name));
        match file {
            Some(file) => {
                let at = |key: &str| span[key].as_u64().map(|n| n as usize);
                Some((file, at("byte_start")?..at("byte_end")?))
            }
            None => {
                span["expansion"]["span"].is_object().then(|| self.span(&span["expansion"]["span"], found))?
            }
        }
    }
}

fn of_errors(messages: &[Value]) -> Vec<Value> {
    let errors = messages.iter().filter(|message| message["reason"] == "compiler-message");
    let errors = errors.map(|message| &message["message"]);
    errors
        .filter(|m| m["level"] == "error" && m["spans"].as_array().is_some_and(|s| !s.is_empty()))
        .cloned()
        .collect()
}

fn binaries(messages: &[Value]) -> Vec<Binary> {
    let artifacts = messages.iter().filter(|message| message["reason"] == "compiler-artifact");
    let tests = artifacts.filter(|message| message["profile"]["test"] == true);
    tests
        .filter_map(|message| {
            let is_lib = message["target"]["kind"][0] == "lib";
            let name = if is_lib { "lib" } else { message["target"]["name"].as_str()? };
            Some(Binary { name: name.into(), path: message["executable"].as_str()?.into() })
        })
        .collect()
}

/// The functions that a message of the compiler may mean by a path.
fn named(found: &Found, path: &str) -> Vec<usize> {
    let plain: String = path.split('<').next().unwrap_or(path).into();
    let mut segments = plain.trim_end_matches("::").rsplit("::");
    let (name, owner) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let all = || found.const_fns.iter().enumerate().filter(|(_, f)| f.name == name);
    let owned: Vec<usize> = all().filter(|(_, f)| f.owner == owner).map(|(i, _)| i).collect();
    if owned.is_empty() { all().map(|(i, _)| i).collect() } else { owned }
}
