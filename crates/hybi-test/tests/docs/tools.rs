//! Every check that `tools/verify` lists says what it does.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::process::{Command, Output};

use crate::repository::root;

fn verify(arguments: &[&str]) -> Output {
    Command::new(root().join("tools/verify")).args(arguments).output().expect("it starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn each_check_has_help() {
    let list = text(&verify(&["--help"]).stdout);
    let name = |line: &str| Some(line.strip_prefix("tools/verify ")?.split(' ').next()?.to_owned());
    let names: BTreeSet<String> = list.lines().filter_map(name).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let help = verify(&[&name, "--help"]);
        let (stdout, stderr) = (text(&help.stdout), text(&help.stderr));
        assert!(help.status.success() && !stdout.trim().is_empty(), "{name}: {}\n{stderr}", help.status);
    }
}

#[test]
fn what_is_no_check_is_a_mistake() {
    let refused = verify(&["tide"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).starts_with("no check of the name tide"));
}
