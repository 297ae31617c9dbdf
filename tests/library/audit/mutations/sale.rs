//! The sale: its stock, the units left, its limit, its item and its epoch.

use seckill::history::Refused;
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible, Unknown};
use super::Kind;
use super::refusals::is_told_falsely;

/// Why a sale that was opened in another way looks right.
const OPENED_SO: &str = "it is true to every client, unless --expect-stock says otherwise";

pub(super) const KINDS: &[Kind] = &[
    Kind("the stock grows during the run", |run, chance| {
        let more = 1 + chance.below(20);
        run.ledger.sale.stock += more;
        run.ledger.sale.stock_left += more as i64;
        Some(Broken(Invariant::TermsKept))
    }),
    Kind("the stock shrinks during the run", |run, chance| {
        let less = 1 + chance.below(run.ledger.sale.stock);
        run.ledger.sale.stock -= less;
        run.ledger.sale.stock_left -= less as i64;
        Some(Broken(Invariant::TermsKept))
    }),
    Kind("the stock is shown higher, and the units left are not", |run, chance| {
        let more = 1 + chance.below(20);
        run.change_sale(|sale| sale.stock += more, |view| view.stock += more);
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("the sale has more units than were known", |run, chance| {
        let more = 1 + chance.below(20);
        let left = more as i64;
        run.change_sale(
            |sale| (sale.stock, sale.stock_left) = (sale.stock + more, sale.stock_left + left),
            |view| (view.stock, view.stock_left) = (view.stock + more, view.stock_left + left),
        );
        Some(match run.history.expected_stock {
            Some(_) => Broken(Invariant::StockExpected),
            None => run.broken_by_decisions().map_or(Invisible(OPENED_SO), Broken),
        })
    }),
    Kind("a unit is lost", |run, chance| {
        run.ledger.sale.stock_left -= 1 + chance.below(20) as i64;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("a unit comes back", |run, chance| {
        run.ledger.sale.stock_left += 1 + chance.below(20) as i64;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("the units left are negative", |run, chance| {
        run.ledger.sale.stock_left = -1 - chance.below(20) as i64;
        Some(Broken(Invariant::StockNeverNegative))
    }),
    Kind("fewer units were expected", |run, chance| {
        run.history.expected_stock = Some(chance.below(run.ledger.sale.stock));
        Some(Broken(Invariant::StockExpected))
    }),
    Kind("more units were expected", |run, chance| {
        run.history.expected_stock = Some(run.ledger.sale.stock + 1 + chance.below(20));
        Some(Broken(Invariant::StockExpected))
    }),
    Kind("the limit per buyer changes during the run", |run, chance| {
        run.ledger.sale.per_buyer += 1 + chance.below(3) as u32;
        Some(Broken(Invariant::TermsKept))
    }),
    Kind("the limit is shown lower than what a buyer has", |run, _| {
        let limit = u64::from(run.ledger.sale.per_buyer);
        let is_over = run.ledger.rows.iter().any(|row| run.orders_of(&row.uid) >= limit);
        run.change_sale(
            |sale| sale.per_buyer -= 1,
            |view| {
                view.per_buyer = view.per_buyer.map(|limit| limit - 1);
            },
        );
        is_over.then_some(Broken(Invariant::BuyerLimit))
    }),
    Kind("the limit is shown higher", |run, chance| {
        let more = 1 + chance.below(3) as u32;
        run.change_sale(
            |sale| sale.per_buyer += more,
            |view| {
                view.per_buyer = view.per_buyer.map(|limit| limit + more);
            },
        );
        if let Some(broken) = run.broken_by_decisions() {
            Some(Broken(broken))
        } else if is_told_falsely(run) {
            Some(Broken(Invariant::RefusalsTrue))
        } else {
            // What other buyers were told may be false now, depending on the moment.
            (!run.was_told(Refused::AlreadyBought)).then_some(Invisible(OPENED_SO))
        }
    }),
    Kind("the ledger is another item's", |run, _| {
        run.ledger.sale.item = "coffee".into();
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("the sale is another item's", |run, _| {
        run.change_sale(|sale| sale.item = "coffee".into(), |view| view.item = "coffee".into());
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("the ledger is another sale's", |run, chance| {
        run.ledger.sale.epoch += 1 + chance.below(3);
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("another sale is opened during the run", |run, chance| {
        let mut views = run.views();
        let from = chance.below(views.len() as u64) as usize;
        views[from..].iter_mut().for_each(|view| view.sale.epoch += 1);
        run.set_views(views);
        Some(Unknown)
    }),
];
