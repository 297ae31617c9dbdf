//! What a simulated sale is like: a right one, or one with the bug of a real system.

use seckill::history::Ids;
use seckill::settings::Buyers;

use super::random::Random;

/// Turns before the first request.
pub(super) const FIRST_TURN: u64 = 10;

/// How much happens in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Every answer is a decision or a refusal, so that a slow search can judge it.
    Tiny,
    /// Many things at the same time.
    Small,
    /// Up to a hundred requests, of which few are in flight at the same time.
    Long,
}

/// What a sale does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// Refuses while this many units are left.
    SoldOutEarly(u64),
    /// Decides that nothing is left while this many units are.
    LosesEarly(u64),
    /// Sells this many units that do not exist.
    Oversells(u64),
    /// Counts attempts that are not decided against a buyer's limit.
    CountsUndecided,
    /// Refuses any buyer as having bought.
    BoughtByAll,
    /// Forgets the limit of a buyer now and then.
    NoLimit,
    /// Says the wrong reason of a loss.
    OtherReason,
    /// Shows the state of the sale as it was this long ago.
    StaleStates(u64),
    /// Shows results as they were this long ago.
    StaleResults(u64),
    /// Refuses attempts that it knows.
    RefusesKnown,
    /// Says sold out since the first loss.
    StickySoldOut,
    /// Opens again after it has closed.
    OpensAgain,
}

const BUGS: [Bug; 16] = [
    Bug::SoldOutEarly(1),
    Bug::SoldOutEarly(2),
    Bug::LosesEarly(1),
    Bug::LosesEarly(2),
    Bug::Oversells(1),
    Bug::CountsUndecided,
    Bug::BoughtByAll,
    Bug::NoLimit,
    Bug::OtherReason,
    Bug::StaleStates(3),
    Bug::StaleStates(9),
    Bug::StaleResults(4),
    Bug::StaleResults(9),
    Bug::RefusesKnown,
    Bug::StickySoldOut,
    Bug::OpensAgain,
];

/// What the sale is like.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) ids: Ids,
    pub(super) stock: u64,
    pub(super) limit: u32,
    pub(super) bug: Bug,
    /// Decides each attempt before it is answered.
    pub(super) is_at_once: bool,
    /// Decides waiting attempts in the order of acceptance.
    pub(super) is_in_order: bool,
    /// When it opens and closes, in turns.
    pub(super) hours: (u64, u64),
    /// How long a turn is, and how far the clock is ahead, in microseconds.
    pub(super) turn_us: u64,
    pub(super) ahead_us: u64,
}

impl Terms {
    pub(super) fn random(size: Size, is_right: bool, random: &mut Random) -> Self {
        let bug = match is_right {
            true => Bug::None,
            false => random.pick(&BUGS),
        };
        let buyers = random.pick(&[Buyers::New, Buyers::Thread, Buyers::Pool(2), Buyers::Pool(4)]);
        let stock = match size {
            Size::Long => random.between(1, 12),
            _ => random.between(0, 4),
        };
        let has_hours = bug == Bug::OpensAgain || random.chance(8);
        let hours = match has_hours {
            true => (FIRST_TURN + random.below(15), FIRST_TURN + random.between(10, 40)),
            false => (0, u64::MAX),
        };
        Self {
            ids: Ids::new(random.bits(), buyers),
            stock,
            limit: random.pick(&[1, 1, 1, 2, 3]),
            bug,
            is_at_once: size == Size::Tiny || random.chance(25),
            is_in_order: random.chance(50),
            hours,
            turn_us: random.pick(&[1, 500, 20_000, 1_000_000]),
            ahead_us: random.pick(&[0, 90_000_000]),
        }
    }
}
