//! Reproducible randomness: every draw is a pure function of the seed, of its purpose and of a
//! number, so the order of the draws does not matter.

/// The purpose of a draw. Draws for different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Draw {
    /// The mask of the attempt's number in a request id.
    IdMask,
    /// The rest of a request id.
    IdTag,
    /// The buyer of an attempt.
    Buyer,
    /// The upper half of a buyer's name.
    BuyerHigh,
    /// The lower half of a buyer's name.
    BuyerLow,
    /// The seed of one sale's ids.
    Sale,
    /// The think time of a user.
    Think,
    /// The time between two arrivals.
    Arrival,
    /// Whether an attempt is a double click.
    DoubleClick,
    /// The jitter of the pause before a retry.
    Jitter,
    /// The seed of a run with one kind of buyers.
    Buyers,
    /// The part of a request id that shows that a load generator has made it.
    IdMark,
    /// Which attempts are asked about after the load.
    Asked,
    /// What breaks, how, and for how long.
    Fault,
    /// By how much bytes arrive later or earlier than their mean delay.
    LinkJitter,
    /// Whether a buyer pays for an order.
    Pays,
    /// The pause of a buyer before a payment.
    PayAfter,
}

/// 64 random bits: the finaliser of `SplitMix64` (Steele, Lea and Flood, 2014), applied to each of
/// the three values in turn.
pub fn bits(seed: u64, draw: Draw, number: u64) -> u64 {
    let mut bits = 0;
    for part in [seed, draw as u64, number] {
        bits = (bits ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
    }
    bits
}

/// A uniform number in [0, 1), with 53 bits.
pub fn uniform(seed: u64, draw: Draw, number: u64) -> f64 {
    (bits(seed, draw, number) >> 11) as f64 / (1u64 << 53) as f64
}

/// An exponential number with mean 1, by inversion; it is below 37.
pub fn exponential(seed: u64, draw: Draw, number: u64) -> f64 {
    -(-uniform(seed, draw, number)).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_expected_mean_and_range() {
        let mean = |of: fn(u64, Draw, u64) -> f64| {
            (0..100_000).map(|n| of(7, Draw::Think, n)).sum::<f64>() / 1e5
        };
        assert!((mean(uniform) - 0.5).abs() < 0.01);
        assert!((mean(exponential) - 1.0).abs() < 0.02);
        assert!((0..100_000).all(|n| (0.0..1.0).contains(&uniform(7, Draw::Arrival, n))));
        assert!((0..100_000).all(|n| (0.0..37.0).contains(&exponential(7, Draw::Arrival, n))));
    }

    #[test]
    fn draw_depends_on_seed_purpose_and_number() {
        let draws = [
            bits(1, Draw::Think, 1),
            bits(2, Draw::Think, 1),
            bits(1, Draw::Jitter, 1),
            bits(1, Draw::Think, 2),
        ];
        for (at, draw) in draws.iter().enumerate() {
            assert!(!draws[..at].contains(draw));
        }
        assert_eq!(draws[0], bits(1, Draw::Think, 1));
    }
}
