//! The truth about a tested system that a file describes: its orders, the units left, and the
//! attempts without a decision, each read from where the description says; and the reset before a
//! run.
//!
//! Everything that is read comes from a system that may be broken, so that all of it is bounded.

mod around;
mod check;
mod command;
mod connection;
mod error;
mod format;
mod http;
mod keys;
mod limits;
mod mapping;
mod number;
mod of_body;
mod orders;
mod pages;
mod places;
mod program;
mod record;
mod redis;
mod reset;
mod sql;
mod tables;
#[cfg(test)]
mod tests;
mod values;

use toml::Spanned;

use crate::history::{Found, Tells};

use super::wrong::Wrong;
use around::Read;
use error::Problem;
use limits::{PAUSE, TRIES_MAX};
use number::Number;
use orders::Orders;

pub(in crate::sut) use around::Around;
pub(in crate::sut) use error::TruthError;
pub(in crate::sut) use reset::Reset;
pub(in crate::sut) use tables::{ResetTable, TruthTable};

/// Where the truth about a tested system is.
#[derive(Debug)]
pub(in crate::sut) struct Truth {
    orders: Orders,
    stock: Option<Number>,
    queued: Option<Number>,
}

impl Truth {
    /// Checks `[truth]`, without reading anything.
    ///
    /// # Errors
    /// Returns the first mistake and where it is.
    pub(in crate::sut) fn new(table: &Spanned<TruthTable>) -> Result<Self, Wrong> {
        let TruthTable { orders, stock, queued } = table.get_ref();
        let orders = orders.as_ref().ok_or_else(|| {
            Wrong::of(table, "has no [truth.orders]: without orders, nothing can be judged")
        })?;
        Ok(Self {
            orders: Orders::new(orders)?,
            stock: stock.as_ref().map(Number::new).transpose()?,
            queued: queued.as_ref().map(Number::new).transpose()?,
        })
    }

    /// The orders, or all attempts if the source is complete, in the source's order.
    ///
    /// # Errors
    /// Returns why they cannot be read, after several tries.
    pub(in crate::sut) async fn orders(
        &self,
        around: &Around<'_>,
    ) -> Result<Vec<Found>, TruthError> {
        let read = Read::new(around, self.orders.limit);
        again("truth.orders", &self.orders, &read).await
    }

    /// The units left; `None` if there is no such source, or it has no number.
    ///
    /// # Errors
    /// As [`Truth::orders`].
    pub(in crate::sut) async fn stock(
        &self,
        around: &Around<'_>,
    ) -> Result<Option<i64>, TruthError> {
        let Some(stock) = &self.stock else { return Ok(None) };
        let read = Read::new(around, stock.limit);
        again("truth.stock", stock, &read).await
    }

    /// The attempts that are accepted and not decided; `None` if there is no such source. A missing
    /// key of Redis has none of them, since Redis keeps no empty lists.
    ///
    /// # Errors
    /// As [`Truth::orders`]; a negative number is one, too.
    pub(in crate::sut) async fn queued(
        &self,
        around: &Around<'_>,
    ) -> Result<Option<u64>, TruthError> {
        let Some(queued) = &self.queued else { return Ok(None) };
        let read = Read::new(around, queued.limit);
        let place = "truth.queued";
        let number = again(place, queued, &read).await?.unwrap_or(0);
        let problem = format!("{number} is below 0");
        let negative = |_| TruthError { place, problem, may_pass: false };
        u64::try_from(number).map(Some).map_err(negative)
    }

    /// What the sources can tell: what the description says, and what was found in rows whose
    /// columns have the names of fields.
    pub(in crate::sut) fn tells(&self, found: &[Found]) -> Tells {
        Tells { stock: self.stock.is_some(), ..self.orders.tells(found) }
    }

    /// Whether the description says which records are orders of the sale.
    pub(in crate::sut) fn selects(&self) -> bool {
        self.orders.selects()
    }

    /// Whether there are sources of the units left, and of the attempts without a decision.
    pub(in crate::sut) fn tells_numbers(&self) -> (bool, bool) {
        (self.stock.is_some(), self.queued.is_some())
    }

    /// The units left and the attempts without a decision, as far as they can be read during the
    /// load.
    ///
    /// # Errors
    /// As [`Truth::orders`].
    pub(in crate::sut) async fn now(
        &self,
        around: &Around<'_>,
    ) -> Result<(Option<i64>, Option<u64>), TruthError> {
        let is_light = |number: &Option<Number>| number.as_ref().is_some_and(Number::is_light);
        let stock = if is_light(&self.stock) { self.stock(around).await? } else { None };
        let queued = if is_light(&self.queued) { self.queued(around).await? } else { None };
        Ok((stock, queued))
    }
}

/// What is read again when a read fails.
trait Source {
    type Value;

    /// One read.
    fn try_read(
        &self,
        read: &Read<'_>,
    ) -> impl Future<Output = Result<Self::Value, Problem>> + Send;
}

impl Source for Orders {
    type Value = Vec<Found>;

    async fn try_read(&self, read: &Read<'_>) -> Result<Vec<Found>, Problem> {
        self.read(read).await
    }
}

impl Source for Number {
    type Value = Option<i64>;

    async fn try_read(&self, read: &Read<'_>) -> Result<Option<i64>, Problem> {
        self.read(read).await
    }
}

/// Reads until it succeeds, the tries are used up, or the time is.
async fn again<S: Source>(
    place: &'static str,
    source: &S,
    read: &Read<'_>,
) -> Result<S::Value, TruthError> {
    let mut tries = 1;
    loop {
        let deadline = read.around.deadline;
        let found = tokio::time::timeout_at(deadline, source.try_read(read)).await;
        let found = found.unwrap_or_else(|_| Err(Problem::lasting("it has not ended in time")));
        match found {
            Ok(found) => return Ok(found),
            Err(problem) if problem.may_pass && tries < TRIES_MAX && read.has_time(PAUSE) => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(problem) => {
                let Problem { text, may_pass } = problem;
                return Err(TruthError { place, problem: read.shown(&text), may_pass });
            }
        }
    }
}
