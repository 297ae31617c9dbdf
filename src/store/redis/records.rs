//! Parsing what the scripts return: the same records as in a journal.

use std::sync::Arc;

use crate::sale::{Attempt, Decision, Fields, Terms};

use super::super::{Decided, Known, SaleView, StoreError};

/// Parses a sale, as `sale_of` in lib.lua returns it.
pub(super) fn view(fields: &[String]) -> Result<SaleView, StoreError> {
    let read = || -> Option<SaleView> {
        let [epoch, terms, left, orders] = fields else { return None };
        let terms = Terms::from_fields(&mut Fields::new(terms.as_bytes())).ok()?;
        Some(SaleView {
            terms,
            epoch: epoch.parse().ok()?,
            left: left.parse().ok()?,
            orders: orders.parse().ok()?,
        })
    };
    read().ok_or_else(|| unreadable("a sale", fields))
}

/// Parses what `known` in lib.lua returns for a request id.
pub(super) fn known(state: &str, record: &str) -> Result<Option<Known>, StoreError> {
    Ok(match state {
        "decided" => Some(Known::Decided(Arc::new(decided(record)?))),
        "waiting" => Some(Known::Waiting(Arc::new(attempt(record)?))),
        "announced" => Some(Known::Announced(Arc::new(attempt(record)?))),
        _ => None,
    })
}

pub(super) fn attempt(record: &str) -> Result<Attempt, StoreError> {
    let read = Attempt::from_fields(&mut Fields::new(record.as_bytes()));
    read.map_err(|_| unreadable("an attempt", record))
}

/// Parses what `decide` in lib.lua returns for an attempt: the new decision, or the record of an
/// earlier one.
pub(super) fn answered(
    attempt: &Arc<Attempt>,
    answer: &str,
    decided_us: u64,
) -> Result<Arc<Decided>, StoreError> {
    Ok(Arc::new(match Decision::from_fields(&mut Fields::new(answer.as_bytes())) {
        Ok(decision) => Decided { attempt: Arc::clone(attempt), decision, decided_us },
        Err(_) => decided(answer)?,
    }))
}

/// Parses a decision, as `decide` in lib.lua writes it.
pub(super) fn decided(record: &str) -> Result<Decided, StoreError> {
    let mut fields = Fields::new(record.as_bytes());
    let mut read = || {
        let decided_us = fields.next("decided_us")?;
        let attempt = Arc::new(Attempt::from_fields(&mut fields)?);
        Ok(Decided { attempt, decision: Decision::from_fields(&mut fields)?, decided_us })
    };
    read().map_err(|_: crate::sale::RecordError| unreadable("a decision", record))
}

fn unreadable(what: &str, record: impl std::fmt::Debug) -> StoreError {
    tracing::error!(
        ?record,
        "the store holds a record that is not {what}; another program may have written it"
    );
    StoreError::Unavailable
}
