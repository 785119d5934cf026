//! Work is linear in the octets that arrive (I-16), as far as a count that is the same on every machine can show
//! it: how often memory is asked for. `tools/verify work` counts the instructions of the same stressors.

use hybi_test::alloc::Measure;
use hybi_test::stress::STRESSORS;

#[test]
fn twice_the_pieces_ask_for_memory_at_most_twice_as_often() {
    for stressor in STRESSORS {
        let count = |pieces| {
            let octets = (stressor.octets)(pieces);
            let measure = Measure::start();
            (stressor.run)(&octets);
            (measure.allocations(), measure.peak())
        };
        let ((once, less), (twice, more)) = (count(2_000), count(4_000));
        assert!(twice <= 2 * once + 16, "{}: {once} allocations, then {twice}", stressor.name);
        assert!(more <= 2 * less + 4096, "{}: {less} octets at most, then {more}", stressor.name);
    }
}
