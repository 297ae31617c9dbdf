//! The stock of a sale as its buckets say it, each at a moment of its own. No I/O.
//!
//! A unit is in one bucket, in an order, or on its way: for each pair of buckets, one counts the
//! units that it has ever given to the other, and the other those that have arrived. Both numbers
//! only rise, so that a unit which was given arrives once, whoever completes it and however often.

use std::collections::HashMap;

use crate::sale::{Fields, Terms};

use super::super::super::{SaleView, StoreError};
use super::super::records::unreadable;

/// What one bucket says of a sale, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Units that can be sold here.
    pub(super) left: i64,
    /// Orders ever made here, those that were given back included.
    made: u64,
    /// Orders given back.
    returned: u64,
    paid: u64,
    /// Units that were ever given to other buckets.
    given: HashMap<usize, i64>,
    /// Units that ever came from other buckets.
    got: HashMap<usize, i64>,
}

impl Share {
    /// Reads the fields of a bucket's record.
    pub(super) fn read(fields: &HashMap<String, String>) -> Result<Self, StoreError> {
        let field = |name: &str| fields.get(name).map_or("0", String::as_str);
        let of_each = |prefix: &str| {
            let each = fields.iter().filter_map(|(name, units)| Some((name, units.parse().ok()?)));
            each.filter_map(|(name, units)| Some((name.strip_prefix(prefix)?.parse().ok()?, units)))
                .collect()
        };
        let read = || {
            Some(Self {
                left: field("left").parse().ok()?,
                made: field("orders").parse().ok()?,
                returned: field("returned").parse().ok()?,
                paid: field("paid").parse().ok()?,
                given: of_each("given:"),
                got: of_each("got:"),
            })
        };
        read().ok_or_else(|| unreadable("a share of a sale", fields))
    }
}

/// Units on their way from one bucket to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Transfer {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Units ever given by the one to the other: more than have arrived.
    pub(super) given: i64,
}

/// What all buckets say of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) epoch: u64,
    pub(super) terms: Terms,
    pub(super) shares: Vec<Share>,
}

impl Stock {
    /// Reads the records of all buckets; `None` if no such sale was opened in the first one.
    pub(super) fn read(
        epoch: u64,
        records: &[HashMap<String, String>],
    ) -> Result<Option<Self>, StoreError> {
        let opened = records.first().filter(|first| !first.contains_key("prepared"));
        let Some(terms) = opened.and_then(|first| first.get("terms")) else { return Ok(None) };
        let terms = Terms::from_fields(&mut Fields::new(terms.as_bytes()))
            .map_err(|_| unreadable("a sale", terms))?;
        let shares = records.iter().map(Share::read).collect::<Result<_, _>>()?;
        Ok(Some(Self { epoch, terms, shares }))
    }

    /// Orders made and not given back.
    pub(super) fn orders(&self) -> u64 {
        let made = self.shares.iter().map(|share| share.made).sum::<u64>();
        made.saturating_sub(self.shares.iter().map(|share| share.returned).sum())
    }

    /// Units not sold, those on their way included. Since each bucket speaks of a moment of its
    /// own, a unit that comes back at a sale with a hold, goes to another bucket and is sold there
    /// may count as sold twice: then this may be below 0.
    pub(super) fn left(&self) -> i64 {
        let of_share = |share: &Share| {
            share.left + share.given.values().sum::<i64>() - share.got.values().sum::<i64>()
        };
        self.shares.iter().map(of_share).sum()
    }

    /// Whether every unit was sold at the moment when this was read, if no order was given back
    /// while it was: in each bucket the orders that are made only become more.
    pub(super) fn is_sold(&self) -> bool {
        self.orders() >= u64::from(self.terms.stock)
    }

    /// Whether no order was given back between an earlier moment and this one.
    pub(super) fn has_no_returns_since(&self, earlier: &Self) -> bool {
        let returned = |stock: &Self| -> Vec<u64> {
            stock.shares.iter().map(|share| share.returned).collect()
        };
        returned(self) == returned(earlier)
    }

    /// Units on their way to any bucket.
    pub(super) fn transfers(&self) -> impl Iterator<Item = Transfer> {
        let each = self.shares.iter().enumerate();
        each.flat_map(move |(from, share)| {
            let given = share.given.iter().map(move |(to, given)| (*to, *given));
            given.filter_map(move |(to, given)| {
                let arrived = self.shares.get(to)?.got.get(&from).copied().unwrap_or(0);
                (given > arrived).then_some(Transfer { from, to, given })
            })
        })
    }

    /// The bucket with the most units, unless it is this one or has none.
    pub(super) fn richest_but(&self, bucket: usize) -> Option<usize> {
        let others = self.shares.iter().enumerate().filter(|(other, _)| *other != bucket);
        let richest = others.max_by_key(|(_, share)| share.left)?;
        (richest.1.left > 0).then_some(richest.0)
    }

    /// The sale as a whole.
    pub(super) fn view(&self) -> SaleView {
        SaleView {
            terms: self.terms.clone(),
            epoch: self.epoch,
            left: self.left(),
            orders: self.orders(),
            paid: self.shares.iter().map(|share| share.paid).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sale of ten units, with the fields of each bucket.
    fn stock(buckets: &[&[(&str, &str)]]) -> Stock {
        let record = |fields: &&[(&str, &str)]| {
            let own = fields.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            own.chain([("terms".to_owned(), "tea 10 1 - -".to_owned())]).collect()
        };
        let records: Vec<_> = buckets.iter().map(record).collect();
        Stock::read(7, &records).unwrap().unwrap()
    }

    #[test]
    fn unit_on_its_way_is_left() {
        let stock = stock(&[
            &[("left", "3"), ("orders", "2"), ("given:1", "4"), ("got:1", "2")],
            &[("left", "1"), ("orders", "3"), ("given:0", "2"), ("got:0", "3")],
        ]);
        assert_eq!((stock.left(), stock.orders()), (5, 5));
        let on_way: Vec<_> = stock.transfers().collect();
        assert_eq!(on_way, [Transfer { from: 0, to: 1, given: 4 }]);
        assert_eq!((stock.richest_but(0), stock.richest_but(1)), (Some(1), Some(0)));
        assert!(!stock.is_sold());
    }

    #[test]
    fn sold_is_what_has_an_order_that_was_not_given_back() {
        let sold = stock(&[&[("orders", "7"), ("left", "0")], &[("orders", "3"), ("left", "0")]]);
        assert!(sold.is_sold() && sold.left() == 0 && sold.richest_but(0).is_none());
        let back = [("orders", "7"), ("left", "1"), ("returned", "1"), ("paid", "2")];
        let back = stock(&[&back, &[("orders", "3"), ("left", "0"), ("paid", "1")]]);
        assert!(!back.is_sold() && !back.has_no_returns_since(&sold));
        let view = back.view();
        assert_eq!((view.epoch, view.left, view.orders, view.paid), (7, 1, 9, 3));
        assert_eq!(Stock::read(7, &[HashMap::new()]), Ok(None));
    }
}
