//! The tables of a description, as the file has them. Reading them checks their shape; what they
//! mean is checked when they are compiled.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::truth::{ResetTable, TruthTable};

/// All tables of a description.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    #[serde(default)]
    pub(super) shop: Shop,
    #[serde(default)]
    pub(super) setup: Vec<Step>,
    #[serde(default)]
    pub(super) before: Vec<Step>,
    pub(super) purchase: Step,
    #[serde(default)]
    pub(super) after: Vec<Step>,
    #[serde(default)]
    pub(super) outcome: Vec<Outcome>,
    pub(super) result: Option<Step>,
    pub(super) truth: Option<Spanned<TruthTable>>,
    #[serde(default)]
    pub(super) reset: Vec<Spanned<ResetTable>>,
}

/// `[shop]`: what is known of the shop and its sale.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shop {
    /// Its name in reports.
    pub(super) name: Option<String>,
    /// Orders that one buyer may have; not checked without.
    pub(super) per_buyer: Option<NonZeroU32>,
    /// Headers of each request, as soon as the values in them are known.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Spanned<String>>,
    /// Units at the opening; the units left and the orders before the run without.
    pub(super) stock: Option<u32>,
}

/// A request, in whichever table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) request: Spanned<String>,
    /// The label of its row in reports.
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Spanned<String>>,
    pub(super) json: Option<Spanned<Value>>,
    pub(super) form: Option<BTreeMap<String, Spanned<String>>>,
    pub(super) body: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) extract: BTreeMap<String, Spanned<String>>,
    /// The statuses that mean success; not of a purchase or a result, which have outcomes.
    pub(super) status: Option<Statuses>,
    /// Only of a purchase: whether the same request, sent again, has no second effect.
    pub(super) idempotent: Option<bool>,
    /// Only of a result: what its answers mean.
    #[serde(default)]
    pub(super) outcome: Vec<Outcome>,
}

/// One status, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a status is a number, or a list of numbers: write 201")]
pub(super) enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

impl Statuses {
    pub(super) fn to_vec(&self) -> Vec<u16> {
        match self {
            Self::One(status) => vec![*status],
            Self::Several(statuses) => statuses.clone(),
        }
    }
}

/// `[[outcome]]` and `[[result.outcome]]`: what an answer means. All conditions must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    pub(super) status: Option<Statuses>,
    #[serde(default)]
    pub(super) json: BTreeMap<String, Spanned<Value>>,
    pub(super) text: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) header: BTreeMap<String, Spanned<String>>,
    pub(super) is: Spanned<String>,
    pub(super) order_id: Option<Spanned<String>>,
    pub(super) reason: Option<Spanned<String>>,
    /// Whether a refusal promises that the request had no effect.
    pub(super) no_effect: Option<bool>,
}
