//! Sources that tell only some things: no right sale is accused, whatever they leave out.

use seckill::history::{
    Found, FoundStatus, History, Ledger, Row, Status, Tells, attribute, buyer_by_uuid,
};
use seckill::ids::OrderId;
use seckill::judge::{Verdict, reconcile};

use super::super::ITEM;
use super::random::Random;
use super::run::{Evidence, Run};
use super::simulate::simulate;
use super::terms::Size;
use super::variable;

/// Right sales in the usual test.
const SALES: u64 = 1_500;

/// A sale that was accused once: one of its buyers had an attempt queued before the run.
const ONCE_ACCUSED: u64 = 56_405;

/// Ways to leave something out, for each sale.
const WAYS: u64 = 6;

#[test]
fn right_sale_is_not_accused_whatever_its_sources_leave_out() {
    let sales = variable("SECKILL_ORACLE_HISTORIES").unwrap_or(SALES);
    let mut passed = 0;
    for number in (0..sales).chain([ONCE_ACCUSED]) {
        let mut random = Random::new(number);
        let size = random.pick(&[Size::Tiny, Size::Small, Size::Small, Size::Long]);
        let run = simulate(size, true, &mut random);
        let (Evidence { history, ledger, settled, .. }, audit) = run.judge();
        assert_ne!(audit.verdict, Verdict::Fail, "sale {number}: {:?}", audit.violations);
        for _ in 0..WAYS {
            let mut tells = random_tells(&mut random);
            // An order of an attempt that was queued before the run looks like one of another
            // client, unless the source shows which attempts were queued.
            if run.before.rows.iter().any(|row| row.status == Status::Queued) {
                tells.attempts = true;
                tells.request_ids |= !tells.buyers;
            }
            let (history, ledger) = in_parts(&run, &history, &ledger, tells, &mut random);
            let audit = reconcile(&history, &ledger, settled.is_some());
            let found = audit.violations;
            assert_eq!(found, [], "sale {number}, {tells:?}, {ledger:?}, {history:?}");
            passed += u64::from(audit.verdict == Verdict::Pass);
        }
    }
    assert!(passed > sales, "{passed} of {sales} sales passed");
}

fn random_tells(random: &mut Random) -> Tells {
    let mut one = |percent| random.chance(percent);
    Tells {
        attempts: one(40),
        request_ids: one(30),
        buyers: one(60),
        order_ids: one(50),
        items: one(50),
        positions: one(50),
        times: one(40),
        stock: one(70),
        limit: one(70),
        states: one(30),
        once: true,
    }
}

/// The same run, of which the sources tell only this.
fn in_parts(
    run: &Run,
    history: &History,
    ledger: &Ledger,
    tells: Tells,
    random: &mut Random,
) -> (History, Ledger) {
    let mut history = history.clone();
    // The first reading is made before anything is sent.
    let empty = History::new(history.ids, history.item.clone(), 0, history.began_us);
    let before = read(&run.before, tells, &empty);
    history.begin_with(before);
    if random.chance(70) {
        history.expected_stock = Some(ledger.sale.stock);
    }
    if random.chance(30) {
        forget_order_ids(&mut history);
    }
    let ledger = read(ledger, tells, &history);
    (history, ledger)
}

/// Reads a ledger from sources that tell only this.
fn read(ledger: &Ledger, tells: Tells, history: &History) -> Ledger {
    let is_listed = |row: &&Row| tells.attempts || row.status.order_id().is_some();
    let found = ledger.rows.iter().filter(is_listed).map(|row| found(row, tells)).collect();
    let mut sale = ledger.sale.clone();
    if !tells.stock {
        sale.stock_left = -7;
        sale.stock = 1;
    }
    if !tells.limit {
        sale.per_buyer = u32::MAX;
    }
    attribute(found, sale, tells, history, &buyer_by_uuid)
}

fn found(row: &Row, tells: Tells) -> Found {
    let text = |is_told: bool, text: &dyn ToString| is_told.then(|| text.to_string().into());
    let status = match &row.status {
        Status::Won(_) => FoundStatus::Won,
        Status::Lost(loss) => FoundStatus::Lost(*loss),
        Status::Queued => FoundStatus::Queued,
    };
    let order_id = row.status.order_id().filter(|_| tells.order_ids);
    Found {
        request_id: text(tells.request_ids, &row.request_id),
        buyer: text(tells.buyers, &row.uid),
        order_id: order_id.map(|id| id.to_string().into()),
        item: text(tells.items, &ITEM),
        seq: tells.positions.then_some(row.seq),
        accepted_us: tells.times.then_some(row.accepted_us),
        decided_us: row.decided_us.filter(|_| tells.times),
        status,
    }
}

/// Answers that say that an attempt won, and not with which order.
fn forget_order_ids(history: &mut History) {
    use seckill::history::Answered;
    for entry in &mut history.entries {
        if let Answered::Won(order_id) = &mut entry.answered {
            **order_id = OrderId::untold();
        }
    }
    for read in &mut history.results {
        if let Some(Status::Won(order_id)) = &mut read.status {
            *order_id = OrderId::untold();
        }
    }
}
