//! The size of a simulated sale, and how its server is run.

use seckill::journal::Durability;

use super::disk::Crash;
use super::random::Random;

/// The size of a sale, and how its server is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) stock: u32,
    pub(crate) per_buyer: u32,
    pub(crate) buyers: usize,
    pub(crate) consumers: usize,
    pub(crate) prefetch: usize,
    pub(crate) crashes: usize,
    pub(crate) crash: Crash,
    /// Whether what was accepted is on disk.
    pub(crate) syncs: bool,
    /// How long orders are held, if they need a payment.
    pub(crate) hold_us: Option<u64>,
}

impl Shape {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let crash = if random.chance(3) { Crash::Kill } else { Crash::PowerLoss };
        Self {
            stock: 1 + random.below(8) as u32,
            per_buyer: 1 + random.below(2) as u32,
            buyers: 1 + random.below(8),
            consumers: 1 + random.below(3),
            prefetch: 1 + random.below(5),
            crashes: 1 + random.below(3),
            crash,
            syncs: crash == Crash::PowerLoss,
            hold_us: random.chance(2).then(|| 1_000 + random.below(40_000) as u64),
        }
    }

    pub(crate) fn durability(self) -> Durability {
        if self.syncs { Durability::Fsync } else { Durability::Os }
    }
}
