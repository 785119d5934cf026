//! Runs the tests that reach a mutant, those first that are quick and have caught most in its file, until one fails.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::baseline::Test;
use crate::build::Binary;
use crate::process::{self, End, Run};

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// By this test.
    Caught(String),
    TimedOut(String),
    Missed,
    /// No test runs the code.
    Unreached,
}

pub struct Judge<'j> {
    pub binaries: &'j [Binary],
    pub tests: &'j [Test],
    pub home: &'j Path,
    /// How many mutants of a file the tests of a program have caught.
    caught: Mutex<HashMap<(usize, usize), usize>>,
}

/// Tests that are run in one go.
struct Go<'g> {
    binary: usize,
    tests: Vec<&'g str>,
    takes: Duration,
}

/// A test that takes longer is run alone.
const QUICK: Duration = Duration::from_millis(250);

impl<'j> Judge<'j> {
    pub fn new(binaries: &'j [Binary], tests: &'j [Test], home: &'j Path) -> Self {
        Self { binaries, tests, home, caught: Mutex::default() }
    }

    pub fn judge(&self, id: u32, file: usize) -> Result<Verdict, String> {
        let gos = self.order(id, file);
        if gos.is_empty() {
            return Ok(Verdict::Unreached);
        }
        for go in gos {
            let end = process::run(&Run {
                program: &self.binaries[go.binary].path,
                folder: self.home,
                tests: &go.tests,
                environment: ("HYBI_MUTANT", id.to_string()),
                at_most: go.takes * 3 + Duration::from_secs(10),
            })?;
            if end != End::Passed {
                *self.caught.lock().expect("no worker panics").entry((file, go.binary)).or_default() += 1;
            }
            let full = |test: String| format!("{}::{test}", self.binaries[go.binary].name);
            match end {
                End::Passed => {}
                End::Failed(test) => return Ok(Verdict::Caught(full(test))),
                End::TimedOut(test) => return Ok(Verdict::TimedOut(full(test))),
            }
        }
        Ok(Verdict::Missed)
    }

    fn order(&self, id: u32, file: usize) -> Vec<Go<'_>> {
        let mut gos: Vec<Go<'_>> = Vec::new();
        for test in self.tests.iter().filter(|test| test.reaches.binary_search(&id).is_ok()) {
            let together = gos.iter_mut().find(|go| go.binary == test.binary && go.takes_quick());
            match together {
                Some(go) if test.takes <= QUICK => {
                    go.tests.push(&test.name);
                    go.takes += test.takes;
                }
                _ => gos.push(Go { binary: test.binary, tests: vec![&test.name], takes: test.takes }),
            }
        }
        let caught = self.caught.lock().expect("no worker panics");
        let caught_by = |go: &Go<'_>| caught.get(&(file, go.binary)).copied().unwrap_or(0);
        gos.sort_by_key(|go| (!go.takes_quick(), usize::MAX - caught_by(go), go.takes));
        gos
    }
}

impl Go<'_> {
    /// Whether it is made of quick tests.
    fn takes_quick(&self) -> bool {
        self.takes / self.tests.len() as u32 <= QUICK
    }
}
