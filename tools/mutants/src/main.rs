//! Mutation testing with all mutants in one build. README.md says how it works, `--help` how it is used.

mod baseline;
mod build;
mod cfg;
mod copy;
mod find;
mod judge;
mod kept;
mod options;
mod process;
mod report;
mod rewrite;
mod values;
mod workers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use find::Found;
use judge::{Judge, Verdict};
use options::{HELP, Options};
use report::{Progress, Tally};

fn main() -> ExitCode {
    let outcome = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(format!("{error}\n\n{HELP}")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether no mutant was missed.
fn run(options: &Options) -> Result<bool, String> {
    let original =
        options.workspace.canonicalize().map_err(|e| format!("{}: {e}", options.workspace.display()))?;
    let folder = package_folder(&original, &options.package)?;
    let out = out_folder(options, &original)?;
    let copy = build::Copy {
        root: out.join("copy"),
        package: options.package.clone(),
        folder: out.join("copy").join(folder.strip_prefix(&original).expect("it was found there")),
        target: out.join("target"),
    };
    let progress = Progress::new();

    progress.say("which features the tests ask for");
    let cfg = copy.cfg(&original)?;
    let found = find::find(&folder.join("src"), &cfg, &options.leave)?;
    if options.list {
        progress.end();
        found.mutants.iter().filter(|m| options.wants(&m.name)).for_each(|m| println!("{}", m.name));
        return Ok(true);
    }

    progress.say("copy");
    let src = folder.join("src");
    copy::copy(&original, &copy.root, &|path| {
        let name = path.strip_prefix(&src).map(|p| p.to_string_lossy().replace('\\', "/"));
        name.is_ok_and(|name| name == "mutant_switch.rs" || found.files.iter().any(|file| file.name == name))
    })?;
    let left_file = out.join("left");
    let mut left = kept::left(&left_file, &found);
    progress.say(&format!("{} mutants in {} files: building", found.mutants.len(), found.files.len()));
    let binaries = copy.build(&found, &mut left, &|line| progress.say(line))?;
    kept::keep_left(&left_file, &found, &left)?;

    let say = |line: &str| progress.say(line);
    let known_tests = out.join("tests");
    let tests =
        baseline::measure(&binaries, &copy.folder, &known_tests, &options.skip, options.workers, &say)?;
    progress.line(&format!(
        "{} tests in {} programs pass without a mutant, in {} s one by one",
        tests.len(),
        binaries.len(),
        tests.iter().map(|test| test.takes).sum::<std::time::Duration>().as_secs()
    ));

    let verdict_file = out.join("verdicts");
    let known = kept::verdicts(&verdict_file, &found);
    let missed_before = |name: &str| matches!(known.get(name), Some(Verdict::Missed | Verdict::Unreached));
    let is_left = |id: u32| {
        left.mutants.contains(&id)
            || found.mutants[id as usize - 1].const_fn.is_some_and(|f| left.const_fns.contains(&f))
    };
    let wanted: Vec<u32> = (1..=found.mutants.len() as u32)
        .filter(|id| {
            let name = &found.mutants[*id as usize - 1].name;
            options.wants(name)
                && !is_left(*id)
                && (!options.again || missed_before(name))
                && (!options.resume || !known.contains_key(name))
        })
        .collect();
    let judge = Judge::new(&binaries, &tests, &copy.folder);
    let verdicts = judge_all(options, &found, &wanted, &judge, &verdict_file, &progress)?;
    report::summary(&found, &left, &|name| options.wants(name), &verdicts);
    Ok(!verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Missed | Verdict::Unreached)))
}

fn judge_all(
    options: &Options,
    found: &Found,
    wanted: &[u32],
    judge: &Judge<'_>,
    file: &Path,
    progress: &Progress,
) -> Result<Vec<(u32, Verdict)>, String> {
    let record = Mutex::new((
        kept::Record::open(file, !options.resume && !options.again && options.only.is_empty())?,
        Tally::default(),
        Vec::new(),
        Vec::new(),
    ));
    let start = Instant::now();
    workers::each(options.workers, wanted, &|_, id| {
        let mutant = &found.mutants[*id as usize - 1];
        let verdict = judge.judge(*id, mutant.file);
        let mut guard = record.lock().expect("no worker panics");
        let (record, tally, verdicts, errors) = &mut *guard;
        match verdict {
            Ok(verdict) => {
                errors.extend(record.add(&mutant.name, &found.files[mutant.file].text, &verdict).err());
                tally.count(&verdict);
                if matches!(verdict, Verdict::Missed | Verdict::Unreached) {
                    progress.line(&report::line(&mutant.name, &verdict));
                }
                verdicts.push((*id, verdict));
            }
            Err(error) => errors.push(error),
        }
        progress.say(&tally.text(wanted.len(), start.elapsed()));
    });
    let (_, _, mut verdicts, errors) = record.into_inner().expect("no worker panics");
    progress.end();
    verdicts.sort_by_key(|(id, _)| *id);
    if errors.is_empty() { Ok(verdicts) } else { Err(errors.join("\n")) }
}

/// Where a package is: in a folder of its name, or the workspace itself.
fn package_folder(workspace: &Path, name: &str) -> Result<PathBuf, String> {
    let is_it = |folder: &PathBuf| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.contains(&format!("name = \"{name}\""))
    };
    [workspace.join("crates").join(name), workspace.join(name), workspace.to_path_buf()]
        .into_iter()
        .find(is_it)
        .ok_or(format!("no package {name} in {}", workspace.display()))
}

/// Where the copy is made and verdicts are kept. A copy does not go into what is copied.
fn out_folder(options: &Options, workspace: &Path) -> Result<PathBuf, String> {
    let out = options.out.clone().unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
        target.join("mutants")
    });
    let out = std::fs::create_dir_all(&out)
        .and_then(|()| out.canonicalize())
        .map_err(|e| format!("{}: {e}", out.display()))?;
    let inside = out.strip_prefix(workspace).unwrap_or(Path::new("target"));
    if inside.components().all(|part| part.as_os_str() != "target") {
        return Err(format!("{} would be copied into itself: take a folder elsewhere", out.display()));
    }
    Ok(out)
}
