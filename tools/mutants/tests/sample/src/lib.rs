//! A crate whose tests are weak in known places.

pub const LIMIT: u32 = double(4);

pub const fn double(n: u32) -> u32 {
    n + n
}

pub const fn is_small(n: u32) -> bool {
    n < 3
}

pub fn sum(a: u32, b: u32) -> u32 {
    a + b
}

pub fn day(number: u32) -> &'static str {
    match number {
        0 => "sunday",
        6 if is_small(number - 4) => "saturday",
        _ => "",
    }
}

pub fn is_leap(year: u32) -> bool {
    year % 4 == 0
}

pub struct Port(u16);

pub fn port() -> Port {
    Port(80)
}

impl Port {
    pub fn number(&self) -> u16 {
        self.0
    }
}

pub fn half(n: u32) -> u32 {
    n / 2
}

/// Where a half is nothing, this has no end.
pub fn halvings(mut n: u32) -> u32 {
    let mut halvings = 0;
    while n != 1 {
        n = half(n);
        halvings += 1;
    }
    halvings
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums() {
        assert_eq!(super::sum(2, 2), 4);
    }

    #[test]
    fn eight_is_halved_three_times() {
        assert_eq!(super::halvings(8), 3);
    }
}
