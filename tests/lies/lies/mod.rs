//! The lies, by the rules that they break.

mod answers;
mod came_back;
mod holds;
mod hours;
mod ids;
mod nothing;
mod payments;
mod refusals;
mod results;
mod rows;
mod sold_out;
mod states;
mod stock;
mod stuck;
mod views;
mod without_ledger;
mod words;

use uuid::Uuid;

use crate::answer::{self, Answer};
use crate::case::Case;
use crate::shop::{Post, Shop, Status};

/// The groups of lies, each with its name.
pub(crate) const GROUPS: &[(&str, &[Case])] = &[
    ("answers", answers::LIES),
    ("came_back", came_back::LIES),
    ("holds", holds::LIES),
    ("hours", hours::LIES),
    ("ids", ids::LIES),
    ("nothing", nothing::LIES),
    ("payments", payments::LIES),
    ("refusals", refusals::LIES),
    ("results", results::LIES),
    ("rows", rows::LIES),
    ("sold_out", sold_out::LIES),
    ("states", states::LIES),
    ("stock", stock::LIES),
    ("stuck", stuck::LIES),
    ("views", views::LIES),
    ("without_ledger", without_ledger::LIES),
    ("words", words::LIES),
];

/// Accepts a fresh attempt, whatever the state of the sale is.
fn accept(shop: &mut Shop, post: &Post) -> Answer {
    let at = shop.find(post.id).unwrap_or_else(|| shop.accept(post.id, &post.uid));
    answer::of_attempt(&shop.rows[at])
}

/// Accepts a fresh attempt, and decides it at once.
fn decide(shop: &mut Shop, post: &Post, status: Status) -> Answer {
    let at = shop.find(post.id).unwrap_or_else(|| shop.accept(post.id, &post.uid));
    shop.settle(at, status);
    answer::of_attempt(&shop.rows[at])
}

/// Sells a unit, whether there is one or not, without counting it.
fn sell_uncounted(shop: &mut Shop, post: &Post) -> Answer {
    let left = shop.stock_left;
    let order = shop.win();
    let answer = decide(shop, post, order);
    shop.stock_left = left;
    answer
}

/// A request id that no client of this run made.
fn foreign(number: u128) -> Uuid {
    Uuid::from_u128(0x1234_5678_0000_4000_8000_0000_0000_0000 + number)
}
