//! Runs one stressor, for a tool that counts instructions: `stress NAME PIECES`. Without arguments: their names.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use hybi_test::stress::STRESSORS;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, pieces] = &args[..] else {
        return STRESSORS.iter().for_each(|stressor| println!("{}", stressor.name));
    };
    let stressor = STRESSORS.iter().find(|stressor| stressor.name == name).expect("a stressor of this name");
    let octets = (stressor.octets)(pieces.parse().expect("a number of pieces"));
    (stressor.run)(&octets);
}
