//! The ledger as a response body: NDJSON, written in pieces while the client reads.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;

use crate::api::{LedgerAttempt, LedgerCounts, LedgerLine, LedgerSale};
use crate::sale::{Attempt, Decision};
use crate::store::{Decided, Ledger};

/// Length in bytes at which a piece is sent.
const PIECE_LEN: usize = 64 << 10;

/// The lines of a ledger: the sale, each accepted attempt in the order of acceptance, the counts.
#[derive(Debug)]
pub struct LedgerBody {
    sale: Option<LedgerSale>,
    entries: std::vec::IntoIter<Entry>,
    counts: Option<LedgerCounts>,
}

#[derive(Debug)]
enum Entry {
    Decided(Arc<Decided>),
    Waiting(Arc<Attempt>),
}

impl Entry {
    fn attempt(&self) -> &Attempt {
        match self {
            Self::Decided(decided) => &decided.attempt,
            Self::Waiting(attempt) => attempt,
        }
    }

    fn line(&self) -> LedgerAttempt {
        let attempt = self.attempt();
        let mut line = LedgerAttempt {
            request_id: attempt.request_id.to_string(),
            uid: attempt.buyer.to_string(),
            item: attempt.item.to_string(),
            seq: attempt.seq,
            accepted_us: attempt.accepted_us,
            decided_us: None,
            status: "queued".into(),
            reason: None,
            order_id: None,
        };
        if let Self::Decided(decided) = self {
            line.decided_us = Some(decided.decided_us);
            match &decided.decision {
                Decision::Won(order_id) => {
                    line.status = "won".into();
                    line.order_id = Some(order_id.to_string());
                }
                Decision::Lost(reason) => {
                    line.status = "lost".into();
                    line.reason = Some(reason.as_str().into());
                }
            }
        }
        line
    }
}

impl LedgerBody {
    pub(super) fn new(ledger: Ledger, waiting: Vec<Arc<Attempt>>) -> Self {
        let won = ledger.decided.iter().filter(|d| matches!(d.decision, Decision::Won(_)));
        let (won, decided) = (won.count() as u64, ledger.decided.len() as u64);
        let queued = waiting.len() as u64;
        let counts = LedgerCounts { accepted: decided + queued, won, lost: decided - won, queued };
        let sale = LedgerSale {
            item: ledger.sale.terms.item.to_string(),
            epoch: ledger.sale.epoch,
            stock: ledger.sale.terms.stock.into(),
            stock_left: ledger.sale.left,
            per_buyer: ledger.sale.terms.per_buyer,
        };
        let decided = ledger.decided.into_iter().map(Entry::Decided);
        let mut entries: Vec<_> = decided.chain(waiting.into_iter().map(Entry::Waiting)).collect();
        entries.sort_by_key(|entry| entry.attempt().seq);
        Self { sale: Some(sale), entries: entries.into_iter(), counts: Some(counts) }
    }

    fn next_line(&mut self) -> Option<LedgerLine> {
        if let Some(sale) = self.sale.take() {
            return Some(LedgerLine::Sale { sale });
        }
        match self.entries.next() {
            Some(entry) => Some(LedgerLine::Attempt(entry.line())),
            None => self.counts.take().map(|counts| LedgerLine::Counts { counts }),
        }
    }
}

impl hyper::body::Body for LedgerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut piece = Vec::with_capacity(PIECE_LEN + 1024);
        while piece.len() < PIECE_LEN {
            let Some(line) = self.next_line() else { break };
            // Writing to a Vec cannot fail, and these shapes can always be written.
            let _ = serde_json::to_writer(&mut piece, &line);
            let _ = piece.write_all(b"\n");
        }
        let frame = (!piece.is_empty()).then(|| Ok(Frame::data(piece.into())));
        Poll::Ready(frame)
    }
}
