//! What the command line asks for.

use std::path::PathBuf;

pub const HELP: &str = "\
Mutation testing: makes a copy of a package with all its mutants in it, each behind a switch that is set by an environment
variable, builds its tests once, and runs those that reach a mutant until one fails. The sources are never touched.

    tools/mutants/run [OPTION ...]

    --list               names the mutants and runs nothing
    --only PART          those alone whose name contains PART; a name is `recv/frame.rs:120:15: + becomes - in find`.
                         More than one may be given
    --except PART        those not
    --resume             those alone that have no verdict yet, in a file that is as it was
    --again              those alone that were missed
    --workers N          so many at a time (default 2)
    --skip PART          leaves out tests whose name, `rfc6455::s5_1_masking::..`, contains PART. They look at the text of
                         the sources, or at speed
    --leave FILE         leaves FILE, below src, as it is
    --package NAME       which package is changed (default hybi), in crates/NAME or NAME or the workspace itself
    --workspace FOLDER   of which workspace (default: this one)
    --out FOLDER         where the copy is made and verdicts are kept (default: target/mutants)

Exit status: 0 if none was missed, 1 if some were, 2 if it could not be told.";

pub struct Options {
    pub list: bool,
    pub only: Vec<String>,
    pub except: Vec<String>,
    pub resume: bool,
    pub again: bool,
    pub workers: usize,
    pub skip: Vec<String>,
    pub leave: Vec<String>,
    pub package: String,
    pub workspace: PathBuf,
    pub out: Option<PathBuf>,
}

impl Options {
    /// None if help is asked for.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            list: false,
            only: Vec::new(),
            except: Vec::new(),
            resume: false,
            again: false,
            workers: 2,
            skip: Vec::new(),
            leave: Vec::new(),
            package: "hybi".into(),
            workspace: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."),
            out: None,
        };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "-h" | "--help" => return Ok(None),
                "--list" => options.list = true,
                "--only" => options.only.push(value()?),
                "--except" => options.except.push(value()?),
                "--resume" => options.resume = true,
                "--again" => options.again = true,
                "--workers" => options.workers = value()?.parse().map_err(|_| "--workers needs a number")?,
                "--skip" => options.skip.push(value()?),
                "--leave" => options.leave.push(value()?),
                "--package" => options.package = value()?,
                "--workspace" => options.workspace = value()?.into(),
                "--out" => options.out = Some(value()?.into()),
                _ => return Err(format!("no option of the name {name}")),
            }
        }
        Ok(Some(options))
    }

    pub fn wants(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|part| name.contains(part)))
            && !self.except.iter().any(|part| name.contains(part))
    }
}
