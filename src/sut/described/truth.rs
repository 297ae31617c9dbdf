//! Temporary.
use super::wrong::Wrong;
use crate::history::{Found, Tells};
use crate::sut::Target;
use serde::Deserialize;
use std::path::Path;
use std::time::Instant;
#[derive(Debug, Deserialize)]
pub(super) struct OrdersTable {}
#[derive(Debug, Deserialize)]
pub(super) struct NumberTable {}
#[derive(Debug, Deserialize)]
pub(super) struct ResetTable {}
#[derive(Debug)]
pub(super) struct Truth {}
#[derive(Debug)]
pub(super) struct Values { pub(super) item: Option<String>, pub(super) seed: u64, pub(super) target: Target }
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub(super) struct TruthError;
impl Truth {
    pub(super) fn compile(_: &super::tables::TruthTables, _: &[ResetTable], _: &Path) -> Result<Self, Wrong> { Ok(Self {}) }
    pub(super) fn has_orders(&self) -> bool { true }
    pub(super) fn tells(&self) -> Tells { Tells::default() }
    pub(super) async fn orders(&self, _: &Values, _: Instant) -> Result<Vec<Found>, TruthError> { Ok(vec![]) }
    pub(super) async fn stock(&self, _: &Values, _: Instant) -> Result<Option<i64>, TruthError> { Ok(None) }
    pub(super) async fn queued(&self, _: &Values, _: Instant) -> Result<Option<u64>, TruthError> { Ok(None) }
    pub(super) async fn reset(&self, _: &Values) -> Result<(), TruthError> { Ok(()) }
}
