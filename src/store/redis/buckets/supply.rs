//! Where units come from for attempts in whose bucket none is left.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::super::StoreError;
use super::super::link::Access;
use super::super::scripts::SCRIPTS;
use super::Buckets;
use super::round::{Incoming, Round};
use super::stock::Stock;

impl Buckets {
    /// Finds units for buckets that have none of these sales, and adds to their next rounds where
    /// these come from, or that there are none. Returns whether there is anything to do at once.
    pub(super) async fn supply(
        &self,
        dry: &BTreeMap<usize, u64>,
        rounds: &mut BTreeMap<usize, Round>,
    ) -> Result<bool, StoreError> {
        let mut goes_on = false;
        // All of them are of the item's current sale, unless that was replaced just now.
        let mut stocks: BTreeMap<u64, (Stock, bool)> = BTreeMap::new();
        for (&bucket, &epoch) in dry {
            let (stock, is_sold_out) = match stocks.entry(epoch) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    let found = self.stocks.ask(epoch).await?;
                    place.insert((Stock::clone(&found.stock), found.is_sold_out))
                }
            };
            let round = rounds.entry(bucket).or_default();
            if *is_sold_out {
                round.sold_out = Some(epoch);
                goes_on = true;
            } else if stock.shares[bucket].left > 0 {
                goes_on = true;
            } else {
                round.incoming = self.fetch(bucket, stock).await?;
                goes_on |= round.incoming.is_some();
            }
        }
        Ok(goes_on)
    }

    /// Units on their way to a bucket, or else about half of those of the richest one, which takes
    /// them out of its stock now; `None` if there are none of either.
    async fn fetch(
        &self,
        bucket: usize,
        stock: &mut Stock,
    ) -> Result<Option<Incoming>, StoreError> {
        let epoch = stock.epoch;
        let mut on_way = stock.transfers().filter(|transfer| transfer.to == bucket);
        if let Some(transfer) = on_way.next() {
            return Ok(Some(Incoming { epoch, from: transfer.from, given: transfer.given }));
        }
        drop(on_way);
        let Some(from) = stock.richest_but(bucket) else { return Ok(None) };
        let units = (stock.shares[from].left + 1) / 2;
        let link = &self.all[from].link;
        let mut give = SCRIPTS.give.arg(link.keys(), epoch);
        give.arg(bucket).arg(units);
        let given: i64 = link.run(&give, Access::Write).await?;
        // Another bucket of the same batch takes no more than is left then.
        stock.shares[from].left -= units;
        Ok(Some(Incoming { epoch, from, given }))
    }
}
