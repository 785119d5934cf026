//! What a person sees: how far it is, and what came of it.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::find::Found;
use crate::judge::Verdict;
use crate::rewrite::Left;

/// On a terminal one line that changes; elsewhere a line from time to time.
pub struct Progress {
    is_terminal: bool,
    last: Mutex<Option<Instant>>,
}

const SELDOM: Duration = Duration::from_secs(30);

impl Progress {
    pub fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), last: Mutex::new(None) }
    }

    /// How far it is.
    pub fn say(&self, text: &str) {
        let mut last = self.last.lock().expect("no worker panics");
        if self.is_terminal {
            eprint!("\r\x1b[K{text}");
            let _ = stderr().flush(); // who does not see it misses nothing
        } else if last.is_none_or(|last| last.elapsed() > SELDOM) {
            eprintln!("{text}");
        } else {
            return;
        }
        *last = Some(Instant::now());
    }

    /// Something that stays to be read.
    pub fn line(&self, text: &str) {
        self.end();
        eprintln!("{text}");
    }

    /// Whatever comes now begins a line.
    pub fn end(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }
}

#[derive(Default)]
pub struct Tally {
    caught: usize,
    timeout: usize,
    missed: usize,
}

impl Tally {
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Caught(_) => self.caught += 1,
            Verdict::TimedOut(_) => self.timeout += 1,
            Verdict::Missed | Verdict::Unreached => self.missed += 1,
        }
    }

    pub fn text(&self, all: usize, spent: Duration) -> String {
        let done = self.caught + self.timeout + self.missed;
        let rest = spent.mul_f64((all - done) as f64 / done.max(1) as f64).as_secs().div_ceil(60);
        let Self { caught, timeout, missed } = self;
        format!("{done} of {all}: {caught} caught, {timeout} timed out, {missed} missed; {rest} min left")
    }
}

pub fn line(name: &str, verdict: &Verdict) -> String {
    let why = if *verdict == Verdict::Unreached { "; no test comes there" } else { "" };
    format!("missed: {name}{why}")
}

/// A row for each file, and each mutant that was missed.
pub fn summary(found: &Found, left: &Left, wants: &dyn Fn(&str) -> bool, verdicts: &[(u32, Verdict)]) {
    /// All, run, caught, timed out, missed, not compiled, const.
    type Row = [usize; 7];
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut sum: Row = [0; 7];
    let mut add = |file: usize, column: usize| {
        rows.entry(&found.files[file].name).or_default()[column] += 1;
        sum[column] += 1;
    };
    for (index, mutant) in found.mutants.iter().enumerate().filter(|(_, mutant)| wants(&mutant.name)) {
        add(mutant.file, 0);
        if mutant.const_fn.is_some_and(|f| left.const_fns.contains(&f)) {
            add(mutant.file, 6);
        } else if left.mutants.contains(&(index as u32 + 1)) {
            add(mutant.file, 5);
        }
    }
    for (id, verdict) in verdicts {
        let file = found.mutants[*id as usize - 1].file;
        add(file, 1);
        add(
            file,
            match verdict {
                Verdict::Caught(_) => 2,
                Verdict::TimedOut(_) => 3,
                Verdict::Missed | Verdict::Unreached => 4,
            },
        );
    }
    let print = |name: &str, row: &Row| {
        print!("{name:<48}");
        row.iter().for_each(|n| print!(" {n:>7}"));
        println!();
    };
    print!("{:<48}", "file");
    ["all", "run", "caught", "timeout", "missed", "no type", "const"]
        .iter()
        .for_each(|name| print!(" {name:>7}"));
    println!();
    rows.iter().for_each(|(name, row)| print(name, row));
    print("sum", &sum);
    for (id, verdict) in verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Missed | Verdict::Unreached)) {
        println!("{}", line(&found.mutants[*id as usize - 1].name, verdict));
    }
}
