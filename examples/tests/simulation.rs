//! `simulation`: it comes out the same each time, and what it says is so.

use std::process::Command;

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_simulation")).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn a_thousand_clients_for_an_hour() {
    let told = run(&["7"]);
    assert_eq!(told, run(&["7"]), "a seed replays");
    let number = |what: &str| -> usize {
        let line =
            told.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("{what}: {told}"));
        line.split_whitespace().last().and_then(|number| number.parse().ok()).expect("a number")
    };
    assert_eq!(number("clients"), 1000);
    let (said, cut) = (number("messages said"), number("cables cut"));
    assert!(said > 1000 && cut > 10, "{told}");
    assert_eq!(number("missed by the server"), 0);
    assert_eq!(number("clean ends") + 2 * cut, 2000, "both ends of every connection were told their end");
    assert!(number("messages heard") > 10 * said);
}
