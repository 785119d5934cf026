//! The delays before attempts to connect again (RFC 6455 §7.2.3).

use core::time::Duration;

use hybi::handshake::Backoff;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// With numbers that are all the least, all the middle, all the most.
fn delays(octet: u8, count: usize) -> Vec<Duration> {
    Backoff::new(move |out: &mut [u8]| out.fill(octet)).take(count).collect()
}

#[test]
fn the_first_is_between_nothing_and_five_seconds_and_the_others_grow() {
    let least: Vec<_> = [0, 5, 10, 20, 40, 80, 150, 150].map(seconds).into();
    assert_eq!(delays(0, 8), least);
    // The most of one is the least of the next; and after the limit it stays.
    for (delay, bound) in delays(0xff, 8).into_iter().zip([5, 10, 20, 40, 80, 160, 300, 300]) {
        assert!(delay <= seconds(bound) && delay > seconds(bound) - Duration::from_millis(1), "{delay:?}");
    }
    let middle = [2.5, 7.5, 15.0, 30.0, 60.0].map(Duration::from_secs_f64);
    for (delay, middle) in delays(0x80, 5).into_iter().zip(middle) {
        assert!(delay.abs_diff(middle) < Duration::from_millis(200), "{delay:?} {middle:?}");
    }
}

#[test]
fn it_is_spread_by_the_entropy() {
    let mut octet = 0u8;
    let mut backoff = Backoff::new(move |out: &mut [u8]| {
        octet = octet.wrapping_add(97);
        out.fill(octet);
    });
    let mut seen = Vec::new();
    for _ in 0..100 {
        backoff.reset();
        seen.extend(backoff.next());
    }
    assert!(seen.iter().all(|delay| *delay <= seconds(5)));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 100, "each is another");
}

#[test]
fn success_begins_anew() {
    let mut backoff = Backoff::new(|out: &mut [u8]| out.fill(0));
    assert_eq!(backoff.by_ref().take(3).collect::<Vec<_>>(), [0, 5, 10].map(seconds));
    backoff.reset();
    assert_eq!(backoff.take(2).collect::<Vec<_>>(), [0, 5].map(seconds));
}

#[test]
fn its_bounds_can_be_changed() {
    let all = |octet: u8, first, limit, n| {
        let backoff = Backoff::new(move |out: &mut [u8]| out.fill(octet));
        backoff.with_first(first).with_limit(limit).nth(n).expect("there always is one")
    };
    assert_eq!(all(0, seconds(1), seconds(10), 3), seconds(4));
    assert_eq!(all(0, seconds(1), seconds(10), 9), seconds(5));
    assert!(all(0xff, seconds(60), seconds(10), 0) <= seconds(10), "the limit is for the first too");
    // Whatever is given, however often: no overflow.
    for n in [0, 31, 32, 33, 63, 64, 100] {
        assert!(all(0xff, Duration::MAX, Duration::MAX, n) <= Duration::MAX);
        assert_eq!(all(0xff, Duration::ZERO, seconds(1), n), Duration::ZERO);
    }
}
