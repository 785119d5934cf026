//! JSON as services for trading and chat send it, the same in every run.

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)) * u128::from(n)) >> 64) as usize
    }
}

/// So many messages of so many octets.
pub(crate) fn json(size: usize, count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(size as u64 * 0x9E37_79B9 + 1);
    (0..count).map(|n| message(&mut random, size, n)).collect()
}

fn message(random: &mut Random, size: usize, n: usize) -> Vec<u8> {
    const SYMBOLS: [&str; 8] =
        ["BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD", "XRP-USD", "LTC-USD", "DOGE-USD", "DOT-USD"];
    const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    const WORDS: [&str; 20] = [
        "the", "order", "was", "filled", "at", "market", "open", "please", "check", "your", "balance", "and",
        "confirm", "today", "thanks", "maybe", "later", "we", "should", "meet",
    ];
    let mut text = format!(
        "{{\"type\":\"update\",\"seq\":{},\"time\":\"2026-11-20T09:{:02}:{:02}.{:06}Z\",\"events\":[",
        9_000_000 + n,
        random.below(60),
        random.below(60),
        random.below(1_000_000)
    );
    while text.len() < size {
        if random.below(4) > 0 {
            text += &format!(
                "{{\"kind\":\"trade\",\"symbol\":\"{}\",\"price\":\"{}.{:02}\",\"size\":\"0.{:08}\",\"side\":\"{}\",\"trade_id\":{}}},",
                SYMBOLS[random.below(8)],
                20_000 + random.below(60_000),
                random.below(100),
                random.below(100_000_000),
                if random.below(2) == 0 { "buy" } else { "sell" },
                700_000_000 + random.below(1_000_000)
            );
        } else {
            text += &format!("{{\"kind\":\"chat\",\"user\":\"{}\",\"text\":\"", NAMES[random.below(8)]);
            for _ in 0..4 + random.below(12) {
                text += WORDS[random.below(20)];
                text.push(' ');
            }
            text += "\"},";
        }
    }
    text.truncate(size - 2);
    text += "]}";
    text.into_bytes()
}
