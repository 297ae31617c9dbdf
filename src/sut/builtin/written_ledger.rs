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
    let SaleTerms { item, epoch, stock, stock_left, per_buyer, hours, hold_us } =
        ledger.sale.clone();
    let Hours { opens_us, closes_us } = hours;
    let sale =
        LedgerSale { item, epoch, stock, stock_left, per_buyer, opens_us, closes_us, hold_us };
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

fn line(row: &Row) -> LedgerAttempt<'_> {
    let (status, reason, order_id) = match &row.status {
        Status::Queued => ("queued", None, None),
        Status::Lost(loss) => ("lost", reason(*loss), None),
        Status::Won(id) => ("won", None, id.is_told().then(|| id.as_str().into())),
    };
    LedgerAttempt {
        request_id: row.request_id.to_string(),
        uid: (&*row.uid).into(),
        item: (&*row.item).into(),
        seq: row.seq,
        accepted_us: row.accepted_us,
        decided_us: row.decided_us,
        status: status.into(),
        reason: reason.map(Into::into),
        order_id,
        order: row.order.as_ref().map(|order| order.status.as_str().into()),
        held_until_us: row.order.as_ref().map(|order| order.held_until_us),
        order_us: row.order.as_ref().and_then(|order| order.ended_us),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::LedgerReader;
    use super::*;
    use crate::history::{OrderState, OrderStatus};
    use crate::ids::{OrderId, RequestId};

    fn row() -> impl Strategy<Value = Row> {
        let statuses = [
            Status::Queued,
            Status::Won(OrderId::from_text("o-\"1\"")),
            Status::Won(OrderId::untold()),
            Status::Lost(Loss::SoldOut),
            Status::Lost(Loss::AlreadyBought),
            Status::Lost(Loss::SaleReplaced),
            Status::Lost(Loss::Undeliverable),
            Status::Lost(Loss::Unstated),
            Status::Lost(Loss::Foreign),
        ];
        let texts = (any::<u128>(), ".{0,20}", ".{0,20}");
        let numbers = (any::<u64>(), any::<u64>(), any::<Option<u64>>());
        let kept = [OrderStatus::Held, OrderStatus::Paid, OrderStatus::Expired];
        let words = (select(statuses.to_vec()), select(kept.to_vec()));
        (texts, numbers, words).prop_map(|(texts, numbers, (status, kept))| Row {
            request_id: RequestId(uuid::Uuid::from_u128(texts.0)),
            uid: texts.1.into(),
            item: texts.2.into(),
            seq: numbers.0,
            accepted_us: numbers.1,
            decided_us: numbers.2.filter(|_| status != Status::Queued),
            order: matches!(status, Status::Won(_)).then(|| {
                let ended_us = (kept != OrderStatus::Held).then_some(numbers.1);
                Box::new(OrderState { status: kept, held_until_us: numbers.0, ended_us })
            }),
            status,
        })
    }

    fn ledger() -> impl Strategy<Value = Ledger> {
        let tells = prop::collection::vec(any::<bool>(), 10);
        let hours = (any::<Option<u64>>(), any::<Option<u64>>());
        let sale = (".{0,9}", any::<u64>(), any::<u64>(), any::<i64>(), any::<u32>(), hours);
        let rows = prop::collection::vec(row(), 0..9);
        let rest = (any::<bool>(), any::<Option<u64>>());
        (tells, sale, rows, rest).prop_map(|(tells, sale, rows, (is_miscounted, hold_us))| {
            let (item, epoch, stock, stock_left, per_buyer, (opens_us, closes_us)) = sale;
            let hours = Hours { opens_us, closes_us };
            let mut told = tells.into_iter();
            let mut told = || told.next().unwrap();
            let tells = Tells {
                attempts: told(),
                request_ids: told(),
                buyers: told(),
                order_ids: told(),
                items: told(),
                positions: told(),
                times: told(),
                stock: told(),
                limit: told(),
                // So that an order may have no id.
                states: false,
                once: told(),
            };
            let sale = SaleTerms { item, epoch, stock, stock_left, per_buyer, hours, hold_us };
            let rows = rows.into_iter().map(|row| match hold_us {
                Some(_) => row,
                None => Row { order: None, ..row },
            });
            let rows = rows.collect();
            Ledger { sale, rows, is_miscounted, tells }
        })
    }

    fn read(mut reader: LedgerReader, lines: &[u8]) -> Result<Ledger, String> {
        reader.feed(lines).map_err(|error| error.to_string())?;
        reader.finish().map_err(|error| error.to_string())
    }

    proptest! {
        #[test]
        fn ledger_that_was_written_is_read_again(ledger in ledger()) {
            let lines = write_ledger(&ledger);
            prop_assert_eq!(read(LedgerReader::recorded(), &lines), Ok(ledger));
            // Only a recording may say that it does not tell everything.
            prop_assert!(read(LedgerReader::default(), &lines).is_err());
        }
    }

    #[test]
    fn ledger_that_tells_everything_is_written_as_a_server_does() {
        let hours = Hours::default();
        let (item, stock) = ("tea".into(), 2);
        let (stock_left, per_buyer, hold_us) = (2, 1, None);
        let sale = SaleTerms { item, epoch: 1, stock, stock_left, per_buyer, hours, hold_us };
        let tells = Tells::EVERYTHING;
        let ledger = Ledger { sale, rows: Vec::new(), is_miscounted: false, tells };
        let expected = "{\"sale\":{\"item\":\"tea\",\"epoch\":1,\"stock\":2,\"stock_left\":2,\
                        \"per_buyer\":1}}\n\
                        {\"counts\":{\"accepted\":0,\"won\":0,\"lost\":0,\"queued\":0}}\n";
        let lines = write_ledger(&ledger);
        assert_eq!(String::from_utf8_lossy(&lines), expected);
        assert_eq!(read(LedgerReader::default(), &lines), Ok(ledger));
    }
}
