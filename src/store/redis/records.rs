//! Parsing what the scripts return: the same records as in a journal.

use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::ItemId;
use crate::sale::{Attempt, Decision, Fields, Terms};

use super::super::{Decided, Known, SaleView, StoreError};

/// Parses a sale, as `sale_of` in lib.lua returns it.
pub(super) fn view(fields: &[String]) -> Result<SaleView, StoreError> {
    let read = || -> Option<SaleView> {
        let [epoch, terms, left, made, returned, paid] = fields else { return None };
        let (made, returned): (u64, u64) = (made.parse().ok()?, returned.parse().ok()?);
        let terms = Terms::from_fields(&mut Fields::new(terms.as_bytes())).ok()?;
        Some(SaleView {
            terms,
            epoch: epoch.parse().ok()?,
            left: left.parse().ok()?,
            orders: made.saturating_sub(returned),
            paid: paid.parse().ok()?,
        })
    };
    read().ok_or_else(|| unreadable("a sale", fields))
}

/// How the scripts are told which item is meant.
pub(super) fn named(item: Option<&ItemId>) -> &str {
    item.map_or("", ItemId::as_str)
}

/// Parses a current sale, or the reason why there is none, as `item_or_only` in lib.lua says it.
pub(super) fn current(problem: &str, sale: &[String]) -> Result<SaleView, StoreError> {
    match (problem, sale) {
        ("item_required", _) => Err(StoreError::ItemRequired),
        (_, []) => Err(StoreError::UnknownItem),
        (_, sale) => view(sale),
    }
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
    let mut fields = Fields::new(answer.as_bytes());
    let Ok(decision) = Decision::from_fields(&mut fields) else {
        return Ok(Arc::new(decided(answer)?));
    };
    let held_until_us =
        fields.last("held_until_us").map_err(|_| unreadable("a decision", answer))?;
    let attempt = Arc::clone(attempt);
    Ok(Arc::new(Decided { attempt, decision, decided_us, held_until_us }))
}

/// Parses a decision, as `decide` in lib.lua writes it.
pub(super) fn decided(record: &str) -> Result<Decided, StoreError> {
    let mut fields = Fields::new(record.as_bytes());
    let mut read = || {
        let decided_us = fields.next("decided_us")?;
        let attempt = Arc::new(Attempt::from_fields(&mut fields)?);
        let decision = Decision::from_fields(&mut fields)?;
        let held_until_us = fields.last("held_until_us")?;
        Ok(Decided { attempt, decision, decided_us, held_until_us })
    };
    read().map_err(|_: crate::sale::RecordError| unreadable("a decision", record))
}

/// Parses the end of an order, as `set_ended` in lib.lua writes it: its status, and when it ended.
pub(super) fn ended(
    fields: &mut Fields<'_>,
    record: &str,
) -> Result<(OrderStatus, u64), StoreError> {
    let mut read = || {
        let status = OrderStatus::from_word(fields.word("status").ok()?)?;
        Some((status, fields.next("ended_us").ok()?))
    };
    read().ok_or_else(|| unreadable("the end of an order", record))
}

pub(super) fn unreadable(what: &str, record: impl std::fmt::Debug) -> StoreError {
    tracing::error!(
        ?record,
        "the store holds a record that is not {what}; another program may have written it"
    );
    StoreError::Unavailable
}
