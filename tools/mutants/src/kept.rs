//! What is kept between two runs: verdicts, and what did not compile. Each with a hash of the file it is of, without
//! the tests at its end, so that what was said of another program does not count.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;

use crate::find::Found;
use crate::judge::Verdict;
use crate::rewrite::Left;

pub fn hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.split("#[cfg(test)]\nmod tests").next().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn hashes(found: &Found) -> HashMap<&str, String> {
    found.files.iter().map(|file| (file.name.as_str(), hash(&file.text))).collect()
}

/// Whether a line was said of a file as it is.
fn is_of(hashes: &HashMap<&str, String>, hash: &str, name: &str) -> bool {
    name.split(':').next().and_then(|file| hashes.get(file)).is_some_and(|now| now == hash)
}

/// What is known not to compile.
pub fn left(path: &Path, found: &Found) -> Left {
    let text = fs::read_to_string(path).unwrap_or_default();
    let hashes = hashes(found);
    let mutants: HashMap<&str, u32> = found.mutants.iter().map(|m| m.name.as_str()).zip(1..).collect();
    let mut left = Left::default();
    for (hash, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        if is_of(&hashes, hash, name) {
            left.mutants.extend(mutants.get(name));
            left.const_fns.extend(found.const_fns.iter().position(|f| f.place == name));
        }
    }
    left
}

pub fn keep_left(path: &Path, found: &Found, left: &Left) -> Result<(), String> {
    let hashes = hashes(found);
    let mutants = left.mutants.iter().map(|id| &found.mutants[*id as usize - 1].name);
    let names = mutants.chain(left.const_fns.iter().map(|f| &found.const_fns[*f].place));
    let mut lines: Vec<String> = names
        .map(|name| {
            format!("{}\t{name}\n", hashes[name.split(':').next().expect("a name begins with its file")])
        })
        .collect();
    lines.sort();
    fs::write(path, lines.concat()).map_err(|error| format!("{}: {error}", path.display()))
}

/// Verdicts, the last one for each mutant.
pub fn verdicts(path: &Path, found: &Found) -> HashMap<String, Verdict> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let hashes = hashes(found);
    let lines = text.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let (word, hash, name, test) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let verdict = match word {
            "caught" => Verdict::Caught(test.into()),
            "timeout" => Verdict::TimedOut(test.into()),
            "missed" => Verdict::Missed,
            "unreached" => Verdict::Unreached,
            _ => return None,
        };
        is_of(&hashes, hash, name).then(|| (name.into(), verdict))
    });
    lines.collect()
}

/// Adds to the verdicts that are there.
pub struct Record(File);

impl Record {
    pub fn open(path: &Path, is_new: bool) -> Result<Self, String> {
        let file = File::options().create(true).write(true).append(!is_new).truncate(is_new).open(path);
        file.map(Self).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub fn add(&mut self, name: &str, text: &str, verdict: &Verdict) -> Result<(), String> {
        let (word, test) = match verdict {
            Verdict::Caught(test) => ("caught", test.as_str()),
            Verdict::TimedOut(test) => ("timeout", test.as_str()),
            Verdict::Missed => ("missed", ""),
            Verdict::Unreached => ("unreached", ""),
        };
        let line = format!("{word}\t{}\t{name}\t{test}\n", hash(text));
        self.0.write_all(line.as_bytes()).map_err(|error| error.to_string())
    }
}
