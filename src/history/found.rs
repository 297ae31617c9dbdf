//! Temporary.
use super::{History, Ledger, Loss, SaleTerms};
use uuid::Uuid;
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FoundStatus { Won, Lost(Loss), Queued }
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Found { pub request_id: Option<Box<str>>, pub buyer: Option<Box<str>>, pub order_id: Option<Box<str>>, pub item: Option<Box<str>>, pub seq: Option<u64>, pub accepted_us: Option<u64>, pub decided_us: Option<u64>, pub status: FoundStatus }
/// x
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Tells { pub attempts: bool, pub request_ids: bool, pub buyers: bool, pub order_ids: bool, pub items: bool, pub positions: bool, pub times: bool, pub stock: bool, pub limit: bool }
/// x
pub fn attribute(_: Vec<Found>, sale: SaleTerms, _: Tells, _: &History, _: &dyn Fn(&str) -> Option<Uuid>) -> Ledger { Ledger { sale, rows: vec![], is_miscounted: false } }
