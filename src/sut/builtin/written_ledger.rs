//! Writing a ledger as the lines that [`LedgerReader`](super::LedgerReader) reads: a ledger that
//! came from sources of the tested shop's own is recorded in the same form.

use serde::Serialize;

use crate::api::{LedgerAttempt, LedgerCounts, LedgerLine, LedgerSale, LostReason};
use crate::history::{Hours, Ledger, Loss, Row, SaleTerms, Status, Tells};

/// The sale's line, with what the ledger tells.
#[derive(Serialize)]
struct SaleLine {
    sale: SaleThatTells,
}

#[derive(Serialize)]
struct SaleThatTells {
    #[serde(flatten)]
    sale: LedgerSale,
    #[serde(skip_serializing_if = "Tells::is_everything")]
    tells: Tells,
}

/// A word that is none of the API's reasons.
const FOREIGN: &str = "foreign";

/// The lines of a ledger: the sale, its rows, and the counts.
pub fn write_ledger(ledger: &Ledger) -> Vec<u8> {
    let SaleTerms { item, epoch, stock, stock_left, per_buyer, hours } = ledger.sale.clone();
    let Hours { opens_us, closes_us } = hours;
    let sale = LedgerSale { item, epoch, stock, stock_left, per_buyer, opens_us, closes_us };
    let mut lines = Vec::new();
    add(&mut lines, &SaleLine { sale: SaleThatTells { sale, tells: ledger.tells } });
    let mut counts = LedgerCounts { accepted: ledger.rows.len() as u64, ..Default::default() };
    for row in &ledger.rows {
        match row.status {
            Status::Queued => counts.queued += 1,
            Status::Won(_) => counts.won += 1,
            Status::Lost(_) => counts.lost += 1,
        }
        add(&mut lines, &line(row));
    }
    // Counts that are not those of the rows stay so.
    counts.accepted += u64::from(ledger.is_miscounted);
    add(&mut lines, &LedgerLine::Counts { counts });
    lines
}

fn add(lines: &mut Vec<u8>, line: &impl Serialize) {
    match serde_json::to_vec(line) {
        Ok(text) => lines.extend(text),
        Err(error) => unreachable!("texts, numbers and words can be written: {error}"),
    }
    lines.push(b'\n');
}

fn line(row: &Row) -> LedgerAttempt {
    let (status, reason, order_id) = match &row.status {
        Status::Queued => ("queued", None, None),
        Status::Lost(loss) => ("lost", reason(*loss), None),
        Status::Won(id) => ("won", None, id.is_told().then(|| id.as_str().to_owned())),
    };
    LedgerAttempt {
        request_id: row.request_id.to_string(),
        uid: row.uid.to_string(),
        item: row.item.to_string(),
        seq: row.seq,
        accepted_us: row.accepted_us,
        decided_us: row.decided_us,
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        order_id,
    }
}

fn reason(loss: Loss) -> Option<&'static str> {
    Some(match loss {
        Loss::SoldOut => LostReason::SoldOut.as_str(),
        Loss::AlreadyBought => LostReason::AlreadyBought.as_str(),
        Loss::SaleReplaced => LostReason::SaleReplaced.as_str(),
        Loss::Undeliverable => LostReason::Undeliverable.as_str(),
        Loss::Unstated => return None,
        Loss::Foreign => FOREIGN,
    })
}
