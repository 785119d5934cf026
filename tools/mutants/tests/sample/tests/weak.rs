use sample::{LIMIT, day, is_small, port};

#[test]
fn small_and_not() {
    assert!(is_small(1) && !is_small(LIMIT));
}

#[test]
fn a_day() {
    assert_eq!(day(0), "sunday");
}

#[test]
fn a_port() {
    assert_eq!(port().number(), 80);
}
