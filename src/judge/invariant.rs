//! The invariants of every run, and the witnesses that show one is broken.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// Maximum number of witnesses that are named for one invariant; further ones are only counted.
pub const WITNESSES_MAX: usize = 10;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])* $name:ident => $word:literal, $broken:literal;)*) => {
        /// A condition that must hold after every run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Invariant { $($(#[doc = $doc])* #[serde(rename = $word)] $name),* }

        impl Invariant {
            /// All invariants, in the order in which they are checked.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// What it says.
            pub const fn holds(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_ascii_start()),* }
            }

            /// What a violation of it means.
            pub const fn broken(self) -> &'static str {
                match self { $(Self::$name => $broken),* }
            }
        }
    };
}

invariants! {
    /// Orders, counted one by one, are never above the stock.
    NeverOversold => "never_oversold", "orders above the stock";
    /// The counter of units left is never below 0.
    StockNeverNegative => "stock_never_negative", "the stock left is negative";
    /// The stock equals the units left plus the orders.
    StockConserved => "stock_conserved", "the stock differs from the units left plus the orders";
    /// No two orders have the same id.
    OrderIdsUnique => "order_ids_unique", "two orders have the same id";
    /// No attempt is in the ledger twice.
    RequestIdsUnique => "request_ids_unique", "one attempt is in the ledger twice";
    /// No buyer has more orders than one may have.
    BuyerLimit => "buyer_limit", "a buyer has more orders than one may have";
    /// Every order belongs to an attempt that was sent.
    OrdersWereSent => "orders_were_sent",
        "an order that this run did not request (did another client buy during the run?)";
    /// An attempt that was refused has no effect.
    RefusalsHold => "refusals_hold", "a refused attempt is in the ledger";
    /// Nobody is told that no unit is left while units are left.
    SoldOutTrue => "sold_out_true", "a buyer was told sold out while units were left";
    /// Every other refusal is true, and says what the buyer has to know.
    RefusalsTrue => "refusals_true", "a refusal was not true, or an answer contradicts itself";
    /// An attempt has one answer: once it is known, it is not refused, and its decision stays.
    IdsAnsweredOnce => "ids_answered_once",
        "an attempt in the ledger was also refused for good, or was decided twice";
    /// Every attempt that was accepted is in the ledger.
    AcceptedKept => "accepted_kept", "an accepted attempt is not in the ledger";
    /// Every attempt that was accepted is decided, once nothing is queued.
    AcceptedDecided => "accepted_decided", "an accepted attempt was never decided";
    /// The answers to a buyer agree with the ledger.
    AnswersTrue => "answers_true", "an answer to a buyer differs from the ledger";
    /// The result of an accepted attempt agrees with the ledger.
    ResultsTrue => "results_true", "the result of an attempt differs from the ledger";
    /// Every row of the ledger before the run is still in the ledger, and its decision is
    /// unchanged.
    EarlierKept => "earlier_kept", "what the ledger held before the run is gone or different";
    /// The sale was opened with the stock that was expected.
    StockExpected => "stock_expected", "the sale was not opened with the expected stock";
    /// The rows of the ledger are in order, belong to somebody, and have possible times.
    RowsSane => "rows_sane", "a row of the ledger cannot be right";
    /// Nothing is sold before the opening or after the closing.
    WithinHours => "within_hours", "an attempt outside the hours of the sale was accepted";
    /// The published state of the sale agrees with the ledger, and its terms do not change.
    ViewsAgree => "views_agree",
        "the state of the sale differs from the ledger, or its terms changed";
    /// The published state of the sale always shows what can have been sold by then.
    StockReadsBounded => "stock_reads_bounded",
        "the state of the sale showed units that cannot have been sold or left then";
    /// The sale's stock and limit per buyer do not change during the run.
    TermsKept => "terms_kept", "the sale's stock or limit per buyer changed during the run";
    /// Every order that was held is paid for, cancelled or expired once, and its buyer was told so.
    OrdersEndOnce => "orders_end_once",
        "an order was ended twice, or otherwise than its buyer was told";
    /// An order is paid for before its deadline, and expires soon after it.
    DeadlinesHold => "deadlines_hold", "an order was not ended by the rule of its deadline";
    /// No unit is left while a buyer who was entitled to it lost.
    NoUnsoldStock => "no_unsold_stock", "stock is left, and a buyer who was entitled to it lost";
}

impl Invariant {
    /// Whether an effect that comes after the ledger was read can make it seem to be broken: of a
    /// request that timed out, or of another run.
    pub(super) const fn may_seem_broken(self) -> bool {
        matches!(
            self,
            Self::AcceptedDecided | Self::ResultsTrue | Self::ViewsAgree | Self::StockReadsBounded
        )
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The invariant.
    pub invariant: Invariant,
    /// How often it is broken.
    pub count: u64,
    /// Ids that show it, at most [`WITNESSES_MAX`].
    pub witnesses: Vec<String>,
    /// What happened to those that are attempts: each begins with its id.
    #[serde(default)]
    pub timelines: Vec<String>,
    /// What usually causes it, where the pattern shows that.
    #[serde(default)]
    pub cause: Option<String>,
}

/// Collects the witnesses against one invariant.
#[derive(Debug)]
pub(super) struct Witnesses(Violation);

impl Witnesses {
    pub(super) fn of(invariant: Invariant) -> Self {
        let (witnesses, timelines) = (Vec::new(), Vec::new());
        Self(Violation { invariant, count: 0, witnesses, timelines, cause: None })
    }

    pub(super) fn invariant(&self) -> Invariant {
        self.0.invariant
    }

    pub(super) fn add(&mut self, witness: impl Display) {
        self.0.count += 1;
        if self.0.witnesses.len() < WITNESSES_MAX {
            self.0.witnesses.push(witness.to_string());
        }
    }

    pub(super) fn add_if(&mut self, broken: bool, witness: impl Display) {
        if broken {
            self.add(witness);
        }
    }

    /// Counts violations of which only some can be named.
    pub(super) fn add_counted<T: Display>(
        &mut self,
        count: u64,
        witnesses: impl IntoIterator<Item = T>,
    ) {
        self.0.count += count;
        let free = WITNESSES_MAX - self.0.witnesses.len();
        let named = witnesses.into_iter().take(free.min(usize::try_from(count).unwrap_or(free)));
        self.0.witnesses.extend(named.map(|witness| witness.to_string()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    pub(super) fn finish(self) -> Option<Violation> {
        (self.0.count > 0).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_says_what_holds_in_a_sentence() {
        let earlier = "Every row of the ledger before the run is still in the ledger, and its \
                       decision is unchanged.";
        assert_eq!(Invariant::EarlierKept.holds(), earlier);
        for invariant in Invariant::ALL {
            let sentence = invariant.holds();
            assert!(sentence.ends_with('.') && !sentence.starts_with(' '), "{sentence}");
        }
    }

    #[test]
    fn ten_witnesses_are_named_and_all_are_counted() {
        let mut broken = Witnesses::of(Invariant::SoldOutTrue);
        (0..7).for_each(|number| broken.add(number));
        broken.add_counted(2, 7..20);
        broken.add_counted(5, 9..20);
        broken.add("one more");
        let violation = broken.finish().unwrap();
        let named: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!((violation.count, violation.witnesses), (15, named));
    }
}
