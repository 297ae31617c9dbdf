//! Reading the server's ledger, line by line.

use std::sync::Arc;

use serde::Deserialize;

use crate::api::{LedgerAttempt, LedgerCounts, LedgerLine, LedgerSale};
use crate::history::{Hours, Ledger, OrderState, OrderStatus, Row, SaleTerms, Status, Tells};
use crate::ids::OrderId;

use super::answer::{loss, order_status};

/// Longest line, in bytes: two names of 64, two ids and some numbers take under 600; another system
/// may add fields of its own.
const LINE_LEN_MAX: usize = 64 << 10;

/// Maximum number of attempts: each takes some 200 bytes of memory.
const ROWS_MAX: usize = 50_000_000;

/// Why a ledger cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A line is not valid in a ledger.
    #[error("line {line} of the ledger is invalid: {problem}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// The problem with it.
        problem: String,
    },
    /// The ledger ended before its last line.
    #[error("the ledger was cut off after line {0}")]
    CutOff(usize),
}

/// The sale's line, as far as it says what the ledger tells.
#[derive(Deserialize)]
struct Told {
    sale: TellsKey,
}

#[derive(Deserialize)]
struct TellsKey {
    #[serde(default)]
    tells: Tells,
}

/// Parses a ledger's bytes as they arrive, and keeps only their content.
#[derive(Debug, Default)]
pub struct LedgerReader {
    rest: Vec<u8>,
    lines: usize,
    sale: Option<LedgerSale>,
    /// What the sale's line says that the ledger tells; everything if it does not say so.
    tells: Tells,
    /// Whether it was recorded, so that it may say that it does not tell everything.
    is_recorded: bool,
    /// The item of the row before, which the next one usually shares.
    item: Arc<str>,
    rows: Vec<Row>,
    counts: Option<LedgerCounts>,
}

impl LedgerReader {
    /// Reads a ledger that was recorded, possibly from sources of the tested shop's own.
    pub fn recorded() -> Self {
        Self { is_recorded: true, ..Self::default() }
    }

    /// Reads the next piece, which may end anywhere.
    ///
    /// # Errors
    /// At the first invalid line.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), LedgerError> {
        let mut lines = piece.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            self.extend_line(line)?;
            let line = std::mem::take(&mut self.rest);
            self.line(&line)?;
        }
        self.extend_line(last)
    }

    fn extend_line(&mut self, piece: &[u8]) -> Result<(), LedgerError> {
        if self.rest.len() + piece.len() > LINE_LEN_MAX {
            return Err(self.invalid(format!("longer than {LINE_LEN_MAX} bytes")));
        }
        self.rest.extend_from_slice(piece);
        Ok(())
    }

    /// The ledger, if it is complete.
    ///
    /// # Errors
    /// When it was cut off.
    pub fn finish(mut self) -> Result<Ledger, LedgerError> {
        // The newline after the last line may be missing; a line that was cut off is no JSON.
        let last = std::mem::take(&mut self.rest);
        if !last.is_empty() && self.line(&last).is_err() {
            return Err(LedgerError::CutOff(self.lines));
        }
        let (Some(sale), Some(counts)) = (self.sale, self.counts) else {
            return Err(LedgerError::CutOff(self.lines));
        };
        let mut counted = LedgerCounts { accepted: self.rows.len() as u64, ..Default::default() };
        for row in &self.rows {
            match row.status {
                Status::Queued => counted.queued += 1,
                Status::Won(_) => counted.won += 1,
                Status::Lost(_) => counted.lost += 1,
            }
        }
        let LedgerSale { item, epoch, stock, stock_left, per_buyer, .. } = sale;
        let hours = Hours { opens_us: sale.opens_us, closes_us: sale.closes_us };
        let hold_us = sale.hold_us;
        let sale = SaleTerms { item, epoch, stock, stock_left, per_buyer, hours, hold_us };
        Ok(Ledger { sale, rows: self.rows, is_miscounted: counts != counted, tells: self.tells })
    }

    fn invalid(&self, problem: impl Into<String>) -> LedgerError {
        LedgerError::Line { line: self.lines + 1, problem: problem.into() }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), LedgerError> {
        // Nearly all lines are attempts. They are parsed directly, which is several times as fast.
        let parsed = match serde_json::from_slice(line) {
            Ok(attempt) => LedgerLine::Attempt(attempt),
            Err(_) => serde_json::from_slice(line)
                .map_err(|_| self.invalid("not a sale, an attempt or the counts"))?,
        };
        match parsed {
            LedgerLine::Sale { sale } if self.lines == 0 => {
                let Told { sale: TellsKey { tells } } = serde_json::from_slice(line)
                    .map_err(|_| self.invalid("not what a ledger can tell"))?;
                if !(self.is_recorded || tells.is_everything()) {
                    return Err(self.invalid("a server may not leave out what a ledger tells"));
                }
                self.tells = tells;
                self.sale = Some(sale);
            }
            LedgerLine::Sale { .. } => return Err(self.invalid("a second sale")),
            _ if self.sale.is_none() => return Err(self.invalid("the sale must come first")),
            _ if self.counts.is_some() => return Err(self.invalid("the counts must come last")),
            LedgerLine::Counts { counts } => self.counts = Some(counts),
            LedgerLine::Attempt(attempt) => {
                if self.rows.len() >= ROWS_MAX {
                    return Err(self.invalid(format!("more than {ROWS_MAX} attempts")));
                }
                let row = self.row(attempt).map_err(|problem| self.invalid(problem))?;
                self.rows.push(row);
            }
        }
        self.lines += 1;
        Ok(())
    }

    fn row(&mut self, attempt: LedgerAttempt<'_>) -> Result<Row, &'static str> {
        let order = self.order(&attempt)?;
        let status = match (&*attempt.status, attempt.order_id) {
            ("queued", None) => Status::Queued,
            ("lost", None) => Status::Lost(loss(attempt.reason.as_deref())),
            ("won", Some(order_id)) => Status::Won(OrderId::from_text(order_id)),
            ("won", None) if !self.tells.is_everything() => Status::Won(OrderId::untold()),
            _ => return Err("neither queued, nor lost, nor won with an order_id"),
        };
        let may_lack_times = !self.tells.is_everything() && attempt.decided_us.is_none();
        if (status == Status::Queued) != attempt.decided_us.is_none() && !may_lack_times {
            return Err("a decided attempt has decided_us, a queued one has not");
        }
        if *self.item != *attempt.item {
            self.item = attempt.item.into();
        }
        Ok(Row {
            request_id: attempt.request_id.parse().map_err(|_| "request_id is not a UUID")?,
            uid: attempt.uid.into(),
            item: Arc::clone(&self.item),
            seq: attempt.seq,
            accepted_us: attempt.accepted_us,
            decided_us: attempt.decided_us,
            status,
            order,
        })
    }

    /// What has become of an attempt's order. Only a sale that holds its orders has such keys; with
    /// others they mean nothing.
    fn order(&self, attempt: &LedgerAttempt<'_>) -> Result<Option<Box<OrderState>>, &'static str> {
        let is_held = self.sale.as_ref().is_some_and(|sale| sale.hold_us.is_some());
        if !is_held {
            return Ok(None);
        }
        if attempt.status != "won" {
            let LedgerAttempt { order, held_until_us, order_us, .. } = attempt;
            let is_ordered = order.is_some() || held_until_us.is_some() || order_us.is_some();
            let problem = "an attempt that has not won has order, held_until_us or order_us";
            return if is_ordered { Err(problem) } else { Ok(None) };
        }
        let status = attempt.order.as_deref().and_then(order_status);
        let status = status.ok_or("an order that is neither held, paid, cancelled nor expired")?;
        let held_until_us = attempt.held_until_us.ok_or("an order without held_until_us")?;
        let ended_us = attempt.order_us;
        if (status == OrderStatus::Held) != ended_us.is_none() {
            return Err("an order that was ended has order_us, a held one has not");
        }
        Ok(Some(Box::new(OrderState { status, held_until_us, ended_us })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = concat!(
        r#"{"sale":{"item":"tea","stock":2,"stock_left":1,"per_buyer":1}}"#,
        "\n",
        r#"{"request_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","uid":"a","item":"tea","seq":0,"#,
        r#""accepted_us":5,"decided_us":9,"status":"won","order_id":"tea-1-1"}"#,
        "\n",
        r#"{"counts":{"accepted":1,"won":1,"lost":0,"queued":0}}"#,
        "\n"
    );

    fn read(pieces: &[&str]) -> Result<Ledger, LedgerError> {
        let mut reader = LedgerReader::default();
        pieces.iter().try_for_each(|piece| reader.feed(piece.as_bytes()))?;
        reader.finish()
    }

    #[test]
    fn ledger_is_parsed_wherever_its_pieces_end() {
        let whole = read(&[LEDGER]).unwrap();
        assert_eq!((whole.rows[0].accepted_us, whole.rows[0].decided_us), (5, Some(9)));
        for at in 0..LEDGER.len() {
            let (a, b) = LEDGER.split_at(at);
            assert_eq!(read(&[a, b]), Ok(whole.clone()));
        }
    }

    #[test]
    fn incomplete_ledger_is_an_error() {
        // Only the last newline may be missing.
        for at in 0..LEDGER.len() - 1 {
            assert!(read(&[&LEDGER[..at]]).is_err(), "cut at {at}");
        }
        assert!(read(&[LEDGER.trim_end()]).is_ok());
        assert!(read(&[&LEDGER.replace('\n', "\r\n")]).is_ok());
        let wrong_counts = LEDGER.replace("\"won\":1", "\"won\":2");
        assert!(
            read(&[&wrong_counts]).unwrap().is_miscounted
                && !read(&[LEDGER]).unwrap().is_miscounted
        );
        assert!(matches!(read(&["nonsense\n"]), Err(LedgerError::Line { line: 1, .. })));
        let long = LEDGER.replace("tea-1-1", &"x".repeat(LINE_LEN_MAX));
        assert!(read(&[&long]).unwrap_err().to_string().contains("longer than"));
    }

    #[test]
    fn only_an_order_is_held_and_ends() {
        let held = LEDGER.replace("\"per_buyer\":1", "\"per_buyer\":1,\"hold_us\":9").replace(
            r#""order_id":"tea-1-1""#,
            r#""order_id":"tea-1-1","order":"paid","held_until_us":18,"order_us":10"#,
        );
        assert!(read(&[&held]).is_ok());
        let problem = |ledger: &str| read(&[ledger]).unwrap_err().to_string();
        let lost = held.replace(r#""won","order_id":"tea-1-1""#, r#""lost","reason":"sold_out""#);
        assert!(problem(&lost).contains("has not won has order"));
        let unended = held.replace(r#","order_us":10"#, "");
        assert!(problem(&unended).contains("a held one has not"));
        // A sale that does not hold its orders has nothing to say with these keys.
        assert!(read(&[&lost.replace(",\"hold_us\":9", "")]).is_ok());
    }
}
