//! The tables of a description that say where the truth is, as the file has them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::units::Span;

use super::format::Format;

/// Names with texts.
pub(super) type Texts = BTreeMap<String, Spanned<String>>;

/// `[truth]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sut) struct TruthTable {
    /// Where the orders are.
    pub(super) orders: Option<Spanned<OrdersTable>>,
    /// Where the number of units left is.
    pub(super) stock: Option<Spanned<NumberTable>>,
    /// Where the number of accepted attempts without a decision is.
    pub(super) queued: Option<Spanned<NumberTable>>,
}

/// `[truth.orders]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrdersTable {
    pub(super) http: Option<Spanned<String>>,
    pub(super) headers: Option<Spanned<Texts>>,
    pub(super) body: Option<Spanned<String>>,
    pub(super) json: Option<Spanned<Value>>,
    pub(super) list: Option<Spanned<String>>,
    pub(super) first_page: Option<Spanned<u64>>,
    pub(super) next: Option<Spanned<String>>,
    pub(super) redis: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<String>>,
    pub(super) sql: Option<Spanned<String>>,
    pub(super) database: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) format: Option<Spanned<Format>>,
    pub(super) timeout: Option<Spanned<Span>>,
    pub(super) fields: Option<Spanned<Texts>>,
    pub(super) pattern: Option<Spanned<String>>,
    pub(super) patterns: Option<Spanned<Texts>>,
    pub(super) only: Option<Spanned<BTreeMap<String, Spanned<Value>>>>,
    pub(super) statuses: Option<Spanned<StatusesTable>>,
    pub(super) complete: Option<Spanned<bool>>,
}

/// `statuses` of `[truth.orders]`: the values that mean each state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusesTable {
    pub(super) won: Option<Spanned<Value>>,
    pub(super) lost: Option<Spanned<Value>>,
    pub(super) queued: Option<Spanned<Value>>,
}

/// `[truth.stock]` and `[truth.queued]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberTable {
    pub(super) http: Option<Spanned<String>>,
    pub(super) headers: Option<Spanned<Texts>>,
    pub(super) body: Option<Spanned<String>>,
    pub(super) redis: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<String>>,
    pub(super) field: Option<Spanned<String>>,
    pub(super) sql: Option<Spanned<String>>,
    pub(super) database: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) json: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<Span>>,
}

/// One `[[reset]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sut) struct ResetTable {
    pub(super) request: Option<Spanned<String>>,
    pub(super) headers: Option<Spanned<Texts>>,
    pub(super) body: Option<Spanned<String>>,
    pub(super) json: Option<Spanned<Value>>,
    pub(super) redis: Option<Spanned<String>>,
    pub(super) set: Option<Spanned<BTreeMap<String, Spanned<Value>>>>,
    pub(super) delete: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) sql: Option<Spanned<String>>,
    pub(super) database: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) timeout: Option<Spanned<Span>>,
}
