//! What the tests do when nothing is changed: each is run alone, has to pass, and tells how long it takes and which
//! mutants it reaches.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::build::Binary;
use crate::process::{self, End, Run};
use crate::workers;

/// A test without a mutant.
#[derive(Clone)]
pub struct Test {
    pub binary: usize,
    pub name: String,
    pub takes: Duration,
    pub reaches: Vec<u32>,
}

/// Runs each test, but for those whose name has a word of `skip` in it. What `folder` remembers of the very programs is
/// not run again.
pub fn measure(
    binaries: &[Binary],
    home: &Path,
    folder: &Path,
    skip: &[String],
    count: usize,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Test>, String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut known = Vec::new();
    let mut open = Vec::new();
    for (index, binary) in binaries.iter().enumerate() {
        let remembered = remembered(binary, folder);
        for name in process::list(&binary.path, home)? {
            let full = format!("{}::{name}", binary.name);
            if skip.iter().any(|word| full.contains(word)) {
                continue;
            }
            match remembered.get(&name) {
                Some((takes, reaches)) => {
                    known.push(Test { binary: index, name, takes: *takes, reaches: reaches.clone() });
                }
                None => open.push((index, name)),
            }
        }
    }
    let all = open.len();
    let found = Mutex::new((known, Vec::new(), 0));
    workers::each(count, &open, &|worker, (index, name)| {
        let result =
            measure_one(&binaries[*index].path, home, &folder.join(format!("worker-{worker}")), name);
        let mut found = found.lock().expect("no worker panics");
        match result {
            Ok((takes, reaches)) => found.0.push(Test { binary: *index, name: name.clone(), takes, reaches }),
            Err(error) => found.1.push(format!("{}::{name}: {error}", binaries[*index].name)),
        }
        found.2 += 1;
        say(&format!("{} of {all} tests without a mutant", found.2));
    });
    let (tests, mut failed, _) = found.into_inner().expect("no worker panics");
    for (index, binary) in binaries.iter().enumerate() {
        remember(binary, folder, tests.iter().filter(|test| test.binary == index))?;
    }
    if failed.is_empty() {
        return Ok(tests);
    }
    failed.sort();
    Err(format!(
        "without a mutant all tests have to pass, or be left out with --skip:\n{}",
        failed.join("\n")
    ))
}

fn measure_one(
    program: &Path,
    home: &Path,
    trace: &Path,
    name: &str,
) -> Result<(Duration, Vec<u32>), String> {
    let _ = fs::remove_file(trace); // of the test before
    let start = Instant::now();
    let end = process::run(&Run {
        program,
        folder: home,
        tests: &[name],
        environment: ("HYBI_MUTANT_TRACE", trace.display().to_string()),
        at_most: Duration::from_secs(600),
    })?;
    let takes = start.elapsed();
    if end != End::Passed {
        return Err(format!("{end:?}"));
    }
    let octets = fs::read(trace).unwrap_or_default();
    let mut reaches: Vec<u32> =
        octets.chunks_exact(4).map(|id| u32::from_le_bytes(id.try_into().expect("there are four"))).collect();
    reaches.sort_unstable();
    reaches.dedup();
    Ok((takes, reaches))
}

fn place(binary: &Binary, folder: &Path) -> PathBuf {
    folder.join(format!("{}.tests", binary.name))
}

/// When the program was built, to tell it from others of its name.
fn stamp(binary: &Binary) -> String {
    let built = fs::metadata(&binary.path).and_then(|data| data.modified()).ok();
    format!("{} {built:?}", binary.path.display())
}

fn remember<'t>(binary: &Binary, folder: &Path, tests: impl Iterator<Item = &'t Test>) -> Result<(), String> {
    let mut text = stamp(binary) + "\n";
    for test in tests {
        let reaches: Vec<String> = test.reaches.iter().map(u32::to_string).collect();
        text += &format!("{}\t{}\t{}\n", test.name, test.takes.as_micros(), reaches.join(" "));
    }
    let path = place(binary, folder);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn remembered(binary: &Binary, folder: &Path) -> HashMap<String, (Duration, Vec<u32>)> {
    let text = fs::read_to_string(place(binary, folder)).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(&stamp(binary)) {
        return HashMap::new();
    }
    lines
        .filter_map(|line| {
            let mut parts = line.split('\t');
            let name = parts.next()?.into();
            let takes = Duration::from_micros(parts.next()?.parse().ok()?);
            let reaches = parts.next()?.split(' ').filter_map(|id| id.parse().ok()).collect();
            Some((name, (takes, reaches)))
        })
        .collect()
}
